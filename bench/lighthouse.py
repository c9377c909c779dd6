"""What Lighthouse says of a page of somebody who is signed in.

audit(url, person, path)   its scores; Lighthouse is installed beside the benchmark on first use, from its lockfile
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from playwright.async_api import async_playwright

from bench.browser import FLAGS, chromium
from bench.figures import CannotMeasure
from bench.stage import say
from tests.clients.api import PASSWORD, Person
from tests.support.ports import free_port

FOLDER = Path(__file__).parent / "web"
ROOT = FOLDER.parents[1]


class Scores(Struct, frozen=True):
    """Of 100 each. `note`: the figures behind them, and what was found wanting."""

    performance: float
    accessibility: float
    note: str


async def audit(url: str, person: Person, path: str) -> Scores:
    """In a browser of its own, whose first profile is signed in."""
    _install()
    port = free_port()
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            "", executable_path=chromium(), args=[*FLAGS, f"--remote-debugging-port={port}"], base_url=url
        )
        form = {"email": person.user.email, "password": PASSWORD}
        await context.request.post("/api/auth/signin?session=cookie", data=form)
        outcome = await asyncio.to_thread(_audit, url + path, port)
        await context.close()
    return msgspec.json.decode(outcome, type=Scores)


def _install() -> None:
    """Exactly what is locked. No browser comes with it."""
    if not (FOLDER / "node_modules" / "lighthouse").is_dir():
        say("installing Lighthouse")
        _run_in_folder(["npm", "ci", "--omit=dev"], "Lighthouse cannot be installed")


def _audit(address: str, port: int) -> str:
    return _run_in_folder(["node", "audit.js", address, str(port)], "Lighthouse cannot be run")


def _run_in_folder(command: Sequence[str], sentence: str) -> str:
    environment = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1", "NO_COLOR": "1"}
    bundled = ROOT / ".venv" / "node"
    if shutil.which("npm") is None and bundled.is_dir():
        environment["PATH"] = f"{bundled}{os.pathsep}{environment.get('PATH', os.defpath)}"
    try:
        done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise CannotMeasure(f"{sentence}: {problem}") from problem
    if done.returncode != 0:
        raise CannotMeasure(f"{sentence}: {done.stderr.strip()[-500:]}")
    return done.stdout
