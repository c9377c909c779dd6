"""A supervisor over small programs, as a process: `python -m tests.support.supervised FOLDER PATIENCE KIND…`.

Each kind is one service; it writes its process id to FOLDER/KIND.pid when it is ready, and appends a line to
FOLDER/KIND.starts at each start. The supervisor says "ready" on stdout when all are. Kinds:

    steady      runs until SIGTERM, then writes FOLDER/steady.drained
    stubborn    ignores SIGTERM
    slow        as steady, but is never ready
    hopeless    ends with exit code 1 at once, each time
    misset      says why and ends with the permanent exit code
    spare       is not needed; ends with exit code 1 until FOLDER/spare.mended is there, then runs
    absent      is not needed; cannot be started until FOLDER/absent.mended is there, then runs
    changed     runs once, ends with the permanent exit code when it is started again, then runs
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fechatter import logs
from fechatter.cli import supervisor
from fechatter.cli.lifeline import follow
from fechatter.cli.supervisor import PERMANENT, Service, Supervisor
from fechatter.config import Log
from fechatter.domain.errors import OperatorError


def supervise(folder: Path, kinds: list[str], patience_s: float) -> None:
    logs.set_up(Log(format="json"), "test")

    async def start(services: Supervisor) -> None:
        await services.start(*(_service(folder, kind, patience_s) for kind in kinds))
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    try:
        supervisor.run(start)
    except OperatorError as problem:
        sys.exit(f"stopped: {problem}")


def serve(folder: Path, kind: str, lifeline: int) -> None:
    follow(lifeline)

    def drain(_number: int, _frame: object) -> None:
        (folder / f"{kind}.drained").write_text("")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else drain)
    with (folder / f"{kind}.starts").open("a") as file:
        file.write("start\n")
    starts = len((folder / f"{kind}.starts").read_text().splitlines())
    if kind == "hopeless" or (kind == "spare" and not (folder / "spare.mended").exists()):
        sys.exit(1)
    if kind == "misset" or (kind == "changed" and starts == 2):
        sys.stderr.write("the setting is wrong\n")
        sys.exit(PERMANENT)
    if kind != "slow":
        (folder / f"{kind}.pid").write_text(str(os.getpid()))
    while True:
        signal.pause()


def _service(folder: Path, kind: str, patience_s: float) -> Service:
    pid_file = folder / f"{kind}.pid"

    def prepare() -> None:
        pid_file.unlink(missing_ok=True)
        if kind == "absent" and not (folder / "absent.mended").exists():
            with (folder / "absent.starts").open("a") as file:
                file.write("start\n")
            raise OperatorError("it is not installed")

    async def ready() -> bool:
        return await asyncio.to_thread(pid_file.exists)

    return Service(
        name=kind,
        command=lambda: [sys.executable, "-m", "tests.support.supervised", "--child", str(folder), kind],
        ready=ready,
        environment=os.environ,
        stop=((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)),
        prepare=prepare,
        without="the others do without" if kind in ("spare", "absent") else "",
    )


def main(arguments: list[str]) -> None:
    if arguments[0] == "--child":
        serve(Path(arguments[1]), arguments[2], int(arguments[4]))
    else:
        supervise(Path(arguments[0]), arguments[2:], float(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
