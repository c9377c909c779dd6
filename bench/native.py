"""The C programs of bench/native, compiled on first use.

program(name)   the path of the compiled program
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from bench.figures import CannotMeasure

SOURCES = Path(__file__).parent / "native"
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "bench"


def program(name: str) -> Path:
    """Compiled anew when its source has changed. Raises CannotMeasure without a C compiler."""
    source, common = SOURCES / f"{name}.c", SOURCES / "common.h"
    version = hashlib.sha256(source.read_bytes() + common.read_bytes()).hexdigest()[:12]
    target = CACHE / f"{name}-{version}"
    if target.exists():
        return target
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CannotMeasure("no C compiler: install one (Debian: apt-get install gcc libc6-dev)")
    CACHE.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    done = subprocess.run([compiler, "-O2", "-o", unfinished, source], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMeasure(f"{source.name} does not compile: {done.stderr.strip().splitlines()[0]}")
    unfinished.rename(target)
    return target
