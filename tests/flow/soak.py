"""The soak: a million deliveries and more while everything is done to the service that can be done.

    python -m tests.flow.soak --deliveries 1000000 --seed 7 --messaging postgres

Exit code 0 if every promise was kept; 1, with the promise and what led to it, if one was broken.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.flow.checker.account import Account
from tests.flow.checker.run import Run
from tests.flow.checker.violation import hold
from tests.flow.faults.database import give_hints
from tests.flow.faults.scene import Scene
from tests.flow.faults.weather import CATALOGUE_ALL, Weather, names_for, seeded
from tests.support.cluster import Cluster, Messaging

LOOK_S = 2.0
console = Console()


class Options(msgspec.Struct):
    """What was asked for. `seconds`: faults go on at least so long, and writing with them."""

    deliveries: int
    readers: int
    pace: float
    seconds: float
    seed: int | None
    messaging: Messaging
    notify: int
    workers: int
    calm: bool
    fault: list[str]
    folder: Path


async def soak(options: Options) -> Account:
    dice, seed = seeded(options.seed)
    console.print(f"FECHATTER_TEST_SEED={seed}, in {options.folder}")
    machines = Cluster.open(
        options.folder, options.messaging, options.notify, options.workers, clocks_differ=not options.calm
    )
    async with machines as cluster:
        people = Run.open(cluster.api_urls, cluster.notify_urls, cluster.database_url, dice, options.readers)
        async with people as run:
            scene = Scene(cluster, run.access, dice, 1.0, run.bystander)
            weather = Weather(scene, options.fault or names_for(options.messaging))
            began = time.monotonic()

            async def rage(stop: asyncio.Event) -> None:
                if not options.calm:
                    await weather.rage(stop, longest_pause_s=4)
                    await cluster.restore()
                    await give_hints(scene)

            posts = max(options.deliveries // len(run.readers), int(options.seconds * options.pace))
            watching = asyncio.create_task(_watch(run, weather, posts, began))
            try:
                account = await run.work(posts, options.pace, rage)
            except BaseExceptionGroup as group:
                console.print("Faults of late:", *weather.lately, sep="\n  ")
                raise _first(group) from group
            finally:
                watching.cancel()
            _report(account, run, weather, time.monotonic() - began)
            hold(not (options.calm and run.doorkeeper.late), "who gained access heard it only after a reconnection")
    return account


async def _watch(run: Run, weather: Weather, posts: int, began: float) -> None:
    """The table on the screen; a line every now and then where there is no screen."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(_table(run, weather, posts, began), refresh=True)
                await asyncio.sleep(LOOK_S)
    while True:
        await asyncio.sleep(10 * LOOK_S)
        console.print(_table(run, weather, posts, began))


def _table(run: Run, weather: Weather, posts: int, began: float) -> Table:
    passed = time.monotonic() - began
    told = sum(reader.told for reader in run.readers)
    table = Table(show_header=False, box=None)
    table.add_row("time", f"{passed:.0f} s")
    table.add_row("posts", f"{run.ledger.acknowledged:,} of {posts:,}")
    table.add_row("deliveries", f"{told:,} ({told / passed:,.0f} a second)")
    table.add_row("memory", f"{psutil.Process().memory_info().rss / 2**20:.0f} MiB")
    table.add_row("faults", f"{sum(weather.struck.values())}; now: {', '.join(sorted(weather.now)) or 'none'}")
    return table


def _report(account: Account, run: Run, weather: Weather, took_s: float) -> None:
    waits = sorted(run.doorkeeper.waits)
    figures = {
        "seconds": round(took_s),
        **{name: value for name, value in msgspec.structs.asdict(account).items() if name != "happened"},
        "faults": sum(weather.struck.values()),
        "access_gained_heard_late": run.doorkeeper.late,
        "memory_mib": psutil.Process().memory_info().rss >> 20,
        "access_gained_heard_s": [round(waits[int((len(waits) - 1) * share)], 2) for share in (0.5, 0.9, 1)]
        if waits
        else [],
    }
    console.print_json(json.dumps(figures | {"happened": account.happened, "doorkeeper": run.doorkeeper.done}))
    console.print_json(json.dumps(dict(weather.struck.most_common())))


def _first(error: BaseException) -> BaseException:
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    return _first(inner[0]) if inner else error


def _options(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--pace", type=float, default=250.0, help="posts a second, at most")
    parser.add_argument("--seconds", type=float, default=0.0, help="post at that pace for at least so long")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--messaging", choices=("postgres", "both", "nats"), default="postgres")
    parser.add_argument("--notify", type=int, default=2, help="how many notify servers")
    parser.add_argument("--workers", type=int, default=1, help="processes of each of them")
    parser.add_argument("--calm", action="store_true", help="without faults")
    every = ", ".join(CATALOGUE_ALL)
    parser.add_argument("--fault", action="append", default=[], help=f"only this one; may be repeated. All: {every}")
    parser.add_argument("--folder", type=Path, default=None)
    given = vars(parser.parse_args(arguments))
    given["folder"] = given["folder"] or Path(tempfile.mkdtemp(prefix="fechatter-soak-"))
    return Options(**given)


def main(arguments: list[str]) -> int:
    try:
        asyncio.run(soak(_options(arguments)))
    except AssertionError as broken:
        console.print(f"A promise was broken: {broken}", style="bold red", markup=False)
        return 1
    console.print("Every promise was kept.", style="bold green")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
