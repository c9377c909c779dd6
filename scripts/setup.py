"""Set the project up on a machine that has only Python: `scripts/setup [--dev]`.

Makes .venv, installs the locked packages, builds the web client; with --dev also what the tests need. Each step is
skipped while its inputs are what they were (a stamp holds their hash) and is done again when it was interrupted. Two
runs at once wait for each other. How pip, uv and npm reach their packages is the machine's own configuration.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from console import StepFailed, run, step, stop  # noqa: E402 - the folder was not on the path before
from node import node_environment  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CACHE = ROOT / ".cache"
WEB = ROOT / "web"
MEILISEARCH = ROOT / "tests" / "meilisearch"
WEB_SOURCES = ("src", "public", "build", "index.html", "*.config.*", "tsconfig*.json", "package*.json")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(*arguments: str) -> None:
    dev = "--dev" in arguments
    with only_one():
        make_venv()
        install("requirements-dev.lock" if dev else "requirements.lock")
        put_command()
        build_web()
        if dev:
            install_meilisearch()
            require_browser()


@contextmanager
def only_one() -> Generator[None]:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("· another setup is running: waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_venv() -> None:
    """Keep one that works; one that was left half made, or whose Python has gone, is made anew."""
    if _answers(PYTHON, "import sys; sys.exit(sys.version_info < (3, 11))") and (
        _uv() or _answers(PYTHON, "import pip")
    ):
        return
    with step(f"Virtual environment with Python {sys.version_info.major}.{sys.version_info.minor}"):
        shutil.rmtree(VENV, ignore_errors=True)
        with_pip = find_spec("ensurepip") is not None
        if not with_pip and not _uv():
            raise StepFailed(
                "This Python cannot make virtual environments with pip: install its venv package "
                "(on Debian and Ubuntu: apt-get install python3-venv), or uv."
            )
        venv.create(VENV, with_pip=with_pip, symlinks=True)


def install(lock: str) -> None:
    """The packages of a lock file. The development one holds all of the others."""
    covered = ["requirements.lock", lock]
    stamps = {name: VENV / f".{name}.stamp" for name in covered}
    wanted = {name: _hash([ROOT / name], extra=str(PYTHON.resolve())) for name in covered}
    if _is_stamped(stamps[lock], wanted[lock]):
        return
    with step(f"Python packages of {lock}"):
        for stamp in stamps.values():
            stamp.unlink(missing_ok=True)
        _install_locked(ROOT / lock)
        for name, stamp in stamps.items():
            stamp.write_text(wanted[name])


def put_command() -> None:
    """The project itself: a path file and a command, so that no build tool and no network are needed."""
    packages = next((VENV / "lib").glob("python3*/site-packages"))
    _write(packages / "fechatter-checkout.pth", f"{ROOT}\n")
    command = VENV / "bin" / "fechatter"
    _write(command, '#!/bin/sh\nexec "$(dirname "$0")/python" -P -m fechatter "$@"\n')
    command.chmod(0o755)


def build_web() -> None:
    """The web client in web/dist, from exactly the locked npm packages."""
    packages = _hash([WEB / "package-lock.json", WEB / ".npmrc"])
    sources = _hash(_files(WEB, WEB_SOURCES), extra=packages)
    stamps = CACHE / "npm.stamp", CACHE / "web.stamp"
    if not (_is_stamped(stamps[0], packages) and (WEB / "node_modules").is_dir()):
        node = _node()
        with step("npm packages of the web client"):
            stamps[0].unlink(missing_ok=True)
            run(["npm", "ci", "--prefer-offline"], cwd=WEB, environment=node)
            stamps[0].write_text(packages)
    if not (_is_stamped(stamps[1], sources) and (WEB / "dist" / "index.html").is_file()):
        node = _node()
        with step("Web client"):
            stamps[1].unlink(missing_ok=True)
            run(["npm", "run", "build"], cwd=WEB, environment=node)
            stamps[1].write_text(sources)


def install_meilisearch() -> None:
    """The Meilisearch that tests run; on another platform than its own, npm leaves it out and the tests say so."""
    wanted = _hash([MEILISEARCH / "package-lock.json", MEILISEARCH / ".npmrc"])
    stamp = CACHE / "meilisearch.stamp"
    if _is_stamped(stamp, wanted) and (MEILISEARCH / "node_modules").is_dir():
        return
    node = _node()
    with step("Meilisearch for the tests"):
        stamp.unlink(missing_ok=True)
        run(["npm", "ci", "--prefer-offline"], cwd=MEILISEARCH, environment=node)
        (MEILISEARCH / "node_modules").mkdir(exist_ok=True)
        stamp.write_text(wanted)


def require_browser() -> None:
    """Chromium for the browser tests, and fonts so that Chinese shows in their pictures."""
    wanted = [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    if not _has_chinese_font():
        wanted.append("fonts-noto-cjk")
    if not wanted:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with step(f"System packages: {', '.join(wanted)}"):
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run(["apt-get", "update"], environment=quiet)
            run(["apt-get", "install", "--yes", "--no-install-recommends", *wanted], environment=quiet)
    elif "chromium" in wanted:
        raise StepFailed("The browser tests need Chromium: install it (on Debian: apt-get install chromium).")


def _node() -> dict[str, str]:
    return node_environment(VENV, lambda: _install_locked(ROOT / "requirements-node.lock")) | {"NO_COLOR": "1"}


def _install_locked(lock: Path) -> None:
    """With uv where it is there, and with pip where uv is not, or is not set up to reach the packages."""
    options = ["--require-hashes", "--no-deps", "-r", lock]
    if uv := _uv():
        try:
            return run([uv, "pip", "install", "--quiet", "--python", PYTHON, *options])
        except StepFailed:
            if not _answers(PYTHON, "import pip"):
                raise
    return run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options])


def _uv() -> str | None:
    return shutil.which("uv")


def _answers(python: Path, code: str) -> bool:
    try:
        return subprocess.run([python, "-I", "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())


def _files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    below = {path for each in found if each.is_dir() for path in each.rglob("*")}
    return sorted(path for path in found | below if path.is_file())


def _hash(paths: Iterable[Path], extra: str = "") -> str:
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        content = path.read_bytes() if path.exists() else b""
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _is_stamped(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except StepFailed as problem:
        stop(problem)
    except KeyboardInterrupt:
        sys.exit(130)
