"""Keep services running until told to stop, and leave none behind.

    Service          how one program is started, known to be ready, and stopped
    Supervisor       start them in order, restart what ends, stop them in reverse order
    run(…)           one supervisor for the life of this process, told by SIGINT, SIGTERM or SIGHUP

A service that ends for whatever reason is started again, later each time, until it has been ready for a while. One
that ends before it was ever ready with PERMANENT, or over and over, stops the supervisor: trying again would not help.
One that others can do without never does: it is tried again for ever, and says so once.
Each service inherits the reading end of a pipe, its life line: end of file means that the supervisor is gone.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from fechatter import logs
from fechatter.config import ConfigError
from fechatter.domain.errors import OperatorError

PERMANENT = 78
"""Exit code of a program that would fail the same way again; EX_CONFIG of sysexits.h."""

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 30.0
HEALTHY_AFTER_S = 30.0
FIRST_START_TRIES = 5
POLL_S = 0.05
SLOW_S = 15.0

log = logs.get("supervisor")


class Failed(OperatorError):
    """A service cannot be started. `told` means that it has said why on stderr itself."""

    def __init__(self, text: str, *, told: bool = False) -> None:
        super().__init__(text)
        self.told = told


class Service(Struct, frozen=True):
    """How one program is started, known to be ready, and stopped."""

    name: str
    command: Callable[[], Sequence[str]]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str]
    stop: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
    """Signals, with the seconds to wait after each."""
    prepare: Callable[[], None] = lambda: None
    """Blocking work before each start; runs in a thread."""
    output: Path | None = None
    """A file for what it prints, made anew at each start; None: this process's own stderr."""
    explain: Callable[[], str] | None = None
    """Why it did not start, for a program that does not say so itself; such a failure is permanent."""
    without: str = ""
    """What the others do while it does not run, if they can; then no failure is permanent."""
    lifeline: bool = True
    """Whether the command takes `--lifeline FD`."""
    inherited: tuple[int, ...] = ()
    """Descriptors of this process that the program gets, under the same numbers."""


class Keeper:
    """One service, kept running.

    process    the program that runs now, or the last one; None before the first start
    stopping   set by stop(): the end of the program is then the end of the keeper
    _known     set once it has been ready, or others have to do without it
    _told      whether it has been told that others do without it, since it was ready last
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.process: asyncio.subprocess.Process | None = None
        self.stopping = False
        self.task: asyncio.Task[None] | None = None
        self._was_ready = asyncio.Event()
        self._known = asyncio.Event()
        self._told = False
        self._spawning = asyncio.Lock()
        self._failures = 0
        self._lifeline: int | None = None

    async def start(self) -> None:
        """Return once it is ready for the first time, or not needed and not ready; `task` keeps it running.

        Raises OperatorError or ConfigError.
        """
        self.task = asyncio.create_task(self._keep(), name=self.service.name)
        await _first_of(self.task, self._known.wait())
        if self.task.done():
            self.task.result()

    async def stop(self, hurry: asyncio.Event) -> None:
        """End the program, by gentler signals first; `hurry` cuts the wait for a gentle end short."""
        self.stopping = True
        async with self._spawning:
            process = self.process
        steps = self.service.stop
        for number, patience in steps:
            if process is None or process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                process.send_signal(number)
            gentle = [hurry.wait()] if number == steps[0][0] else []
            await _first_of(process.wait(), *gentle, patience_s=patience)

    async def _keep(self) -> None:
        while not self.stopping:
            end = await self._run_once()
            if self.stopping:
                return
            self._give_up_if_hopeless()
            delay = min(FIRST_DELAY_S * 2 ** (self._failures - 1), LONGEST_DELAY_S) * random.uniform(0.8, 1.2)  # noqa: S311
            self._tell(end, delay)
            await asyncio.sleep(delay)

    def _tell(self, end: str, delay: float) -> None:
        """Of a service that is not needed only the first failure: it may go on for days."""
        service = self.service
        message = f"{service.name} {end}: starting it again in {delay:.1f} s"
        if service.without:
            why = service.explain() if service.explain is not None else ""
            reason = f" ({why})" if why and why not in end else ""
            message = f"{service.name} {end}{reason}: {service.without}; it is tried again until it runs"
        if not self._told:
            log.warning(message)
        self._told = bool(service.without)
        self._known.set()

    async def _run_once(self) -> str:
        """How it ended. Counts failures since it was last healthy."""
        try:
            await asyncio.to_thread(self.service.prepare)
            await self._spawn()
        except (OperatorError, ConfigError, OSError) as problem:
            if not self._was_ready.is_set() and not self.service.without:
                raise
            self._failures += 1
            return f"cannot be started ({problem})"
        if self.process is None:
            return "was not started"
        watch = asyncio.create_task(self._watch_ready())
        await self.process.wait()
        ready_for_s = time.monotonic() - watch.result() if watch.done() else 0.0
        watch.cancel()
        self._failures = 1 if ready_for_s > HEALTHY_AFTER_S else self._failures + 1
        return describe_end(self.process.returncode or 0)

    async def _spawn(self) -> None:
        """In the main thread and in a session of its own, so that Ctrl-C in the terminal reaches this process alone."""
        async with self._spawning:
            if not self.stopping:
                self.process = await self._execute()

    async def _execute(self) -> asyncio.subprocess.Process:
        command = list(self.service.command())
        self._cut_lifeline()
        reading: int | None = None
        if self.service.lifeline:
            reading, self._lifeline = os.pipe()
            command += ["--lifeline", str(reading)]
        output = self.service.output.open("wb") if self.service.output else None
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.service.environment),
                pass_fds=(*self.service.inherited, *([] if reading is None else [reading])),
                start_new_session=True,
            )
        finally:
            if reading is not None:
                os.close(reading)
            if output:
                output.close()

    def _cut_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    async def _watch_ready(self) -> float:
        """The monotonic time at which it was ready."""
        started = time.monotonic()
        told = False
        while not await self.service.ready():
            if not told and time.monotonic() - started > SLOW_S:
                told = True
                message = f"{self.service.name} runs but is not ready yet: waiting"
                log.warning(message)
                if self.service.without:
                    self._known.set()
            await asyncio.sleep(POLL_S)
        if self._failures:
            message = f"{self.service.name} is ready again"
            log.info(message)
        self._told = False
        self._was_ready.set()
        self._known.set()
        return time.monotonic()

    def _give_up_if_hopeless(self) -> None:
        if self._was_ready.is_set() or self.process is None or self.service.without:
            return
        end = describe_end(self.process.returncode or 0)
        if self.service.explain is not None:
            raise Failed(f"{self.service.name} does not start: {self.service.explain()}")
        if self.process.returncode == PERMANENT:
            raise Failed(f"{self.service.name} {end}", told=True)
        if self._failures >= FIRST_START_TRIES:
            raise Failed(f"{self.service.name} {end}, {self._failures} times, before it was ready")


class Supervisor:
    """Services in the order of their start.

    hurry   set by the second signal: waiting for a gentle end is cut short
    """

    def __init__(self) -> None:
        self.hurry = asyncio.Event()
        self._groups: list[list[Keeper]] = []

    async def start(self, *services: Service) -> None:
        """Start them side by side and return when all are ready, but for those that are not needed.

        Raises OperatorError or ConfigError; stop() then ends the others.
        """
        keepers = [Keeper(service) for service in services]
        self._groups.append(keepers)
        await asyncio.gather(*(keeper.start() for keeper in keepers))

    async def watch(self) -> None:
        """Run for ever; ends only by an error of ours, not by one of the services."""
        await asyncio.gather(*(keeper.task for keepers in self._groups for keeper in keepers if keeper.task))

    async def stop(self) -> None:
        """End what was started last first."""
        for keepers in reversed(self._groups):
            await asyncio.gather(*(keeper.stop(self.hurry) for keeper in keepers))
            for keeper in keepers:
                if keeper.task is not None:
                    keeper.task.cancel()


def run(start: Callable[[Supervisor], Awaitable[None]]) -> None:
    """Run `start`, then keep its services until a signal comes. Raises OperatorError; leaves nothing running."""
    asyncio.run(_run(start))


def describe_end(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


async def _run(start: Callable[[Supervisor], Awaitable[None]]) -> None:
    supervisor = Supervisor()
    told_to_stop = _listen_to_signals(supervisor.hurry)
    life = asyncio.create_task(_live(supervisor, start))
    try:
        await _first_of(life, told_to_stop.wait())
        if life.done():
            life.result()
    finally:
        life.cancel()
        await supervisor.stop()


async def _live(supervisor: Supervisor, start: Callable[[Supervisor], Awaitable[None]]) -> None:
    await start(supervisor)
    await supervisor.watch()


def _listen_to_signals(hurry: asyncio.Event) -> asyncio.Event:
    """The event of the first signal. Later ones set `hurry`."""
    told = asyncio.Event()

    def hear() -> None:
        if told.is_set():
            hurry.set()
        else:
            log.info("stopping")
            told.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, hear)
    return told


async def _first_of(*waits: Awaitable[object], patience_s: float | None = None) -> None:
    """Wait for one of them; the others are cancelled, except tasks that were given."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, wait in zip(tasks, waits, strict=True):
            if task is not wait:
                task.cancel()
