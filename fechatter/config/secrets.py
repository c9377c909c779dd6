"""The data folder and the secrets in it.

prepare(settings)          → settings with a signing key, generated on the first run
secret_file(data_dir, …)   → the text of a generated secret, made once also when processes race
"""

import contextlib
import os
import secrets
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from fechatter.config.errors import ConfigError
from fechatter.config.tree import Settings


def prepare(settings: Settings) -> Settings:
    """Make the data folder and fill in the signing key. ConfigError if the folder cannot be written."""
    make_data_folder(settings.data_dir)
    if settings.auth.signing_key:
        return settings
    key = secret_file(settings.data_dir, "signing_key")
    return replace(settings, auth=replace(settings.auth, signing_key=key))


def make_data_folder(path: Path) -> None:
    """Closed to others; made by root, it can be passed, since PostgreSQL's user has its own folder in it."""
    make_folder(path, 0o711 if os.geteuid() == 0 else 0o700)


def make_folder(path: Path, mode: int) -> None:
    """Make a folder that this process can write to; one that exists keeps its mode."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as problem:
        reason = "it is not a folder" if isinstance(problem, FileExistsError) else problem.strerror
        raise ConfigError(
            f"the folder {path} cannot be written: {reason}; choose another with --data-dir or FECHATTER_DATA_DIR"
        ) from problem


def secret_file(data_dir: Path, name: str) -> str:
    """The secret of that name: 64 hex digits of a random 256-bit number, in a file that only its owner can read."""
    folder = data_dir / "secrets"
    make_folder(folder, 0o700)
    path = folder / name
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    _create_once(path, secrets.token_hex(32))
    return _read(path)


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            path.chmod(0o600)
            print(  # noqa: T201 - logging is not set up yet, and the operator must see it
                f"{path} could be read by others (mode {mode:o}): now it cannot; replace it if they may have read it",
                file=sys.stderr,
            )
        text = path.read_text("utf-8").strip()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as problem:
        raise ConfigError(f"the secret {path} cannot be read: {problem}") from problem
    if len(text) < 32:
        raise ConfigError(f"the secret {path} is damaged: it is shorter than 32 characters")
    return text


def _create_once(path: Path, text: str) -> None:
    """Complete or not at all, and the first of several processes wins: link() never replaces a file."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
