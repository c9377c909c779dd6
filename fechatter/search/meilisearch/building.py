"""Building the index anew while the old one serves.

build    until the new index is in place; goes on where an earlier one was interrupted

A new index is filled beside the one that is asked, by ids. What changes meanwhile is brought in from the event log,
from a place taken before the first message was read. Then the two change names. Changes that the indexer wrote into
the old one until then are brought in by following the log once more, up to a look that comes after the change of names:
whatever the indexer reads later, it writes into the new one.
"""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from msgspec.structs import replace

from fechatter import logs
from fechatter.domain.errors import Conflict
from fechatter.search.index import Progress
from fechatter.search.meilisearch.documents import VERSION, document
from fechatter.search.meilisearch.following import follow
from fechatter.search.meilisearch.server import LIVE, NEXT, Server
from fechatter.store.database import Connection, Database
from fechatter.store.log import replay
from fechatter.store.search import documents as store
from fechatter.store.search import meilisearch_state as state
from fechatter.store.search.meilisearch_state import Build

AT_ONCE = 5_000
AHEAD = 8
"""So many batches are with Meilisearch at once, which takes in several together."""
LEAP = 1_000_000
"""How far a new index's mark is ahead: it is none that was put back."""

log = logs.get(__name__)


class BuildUnderWay(Conflict):
    title = "The index is being built already: wait for it"


async def build(db: Database, server: Server, report: Callable[[Progress], None]) -> None:
    """Raises BuildUnderWay if another process builds, SearchAway when Meilisearch goes away; then try again later."""
    async with _alone(db) as connection:
        under_way = await _resumed(connection, server) or await _begun(connection, server)
        log.info("search.build", build=under_way.id, done=under_way.done)
        plate = await server.plate(LIVE)
        if plate is None or plate.build != under_way.id:
            under_way = await _fill(connection, server, under_way, report)
            under_way = await _catch_up(db, connection, server, under_way, NEXT)
            await _swap(connection, server, under_way)
        under_way = await _catch_up(db, connection, server, under_way, LIVE)
        await state.finish(connection, under_way)
        await server.drop(NEXT)
        log.info("search.built", build=under_way.id, messages=under_way.done)
        report(Progress(under_way.done, under_way.done))


async def _resumed(connection: Connection, server: Server) -> Build | None:
    """The build that was interrupted, if what it made is still there and still good."""
    found = await state.load(connection)
    position = await replay.look(connection)
    if found is None or found.version != VERSION or found.epoch != position.epoch:
        return None
    if found.seen.watermark < position.floor:
        return None
    plates = [await server.plate(NEXT), await server.plate(LIVE)]
    return found if any(plate is not None and plate.build == found.id for plate in plates) else None


async def _begun(connection: Connection, server: Server) -> Build:
    position = await replay.look(connection)
    begun = Build(id=secrets.token_hex(8), version=VERSION, epoch=position.epoch, seen=position.seen, next_id=1, done=0)
    await state.keep(connection, begun)
    await server.drop(NEXT)
    await server.create(NEXT)
    await server.put(NEXT, [server.plate_entry(begun.id)])
    return begun


async def _fill(connection: Connection, server: Server, build: Build, report: Callable[[Progress], None]) -> Build:
    """Take in all messages, by id; what is posted meanwhile has a higher one, or comes from the log."""
    if build.next_id is None:
        return build
    total = await store.count(connection)
    last, tasks = build.next_id - 1, list[tuple[int, Build]]()
    while found := await store.after(connection, last, AT_ONCE):
        last = found[-1].message_id
        done = (tasks[-1][1] if tasks else build).done + len(found)
        task = await server.submit(NEXT, [document(each) for each in found])
        tasks.append((task, replace(build, next_id=last + 1, done=done)))
        if len(tasks) >= AHEAD:
            build = await _settle(connection, server, tasks.pop(0))
            report(Progress(build.done, max(total, build.done)))
    for each in tasks:
        build = await _settle(connection, server, each)
        report(Progress(build.done, max(total, build.done)))
    build = replace(build, next_id=None)
    await state.keep(connection, build)
    return build


async def _settle(connection: Connection, server: Server, submitted: tuple[int, Build]) -> Build:
    task, build = submitted
    await server.wait(task)
    await state.keep(connection, build)
    return build


async def _catch_up(db: Database, connection: Connection, server: Server, build: Build, uid: str) -> Build:
    async for seen in follow(db, server, uid, build.seen):
        if seen != build.seen:
            build = replace(build, seen=seen)
            await state.keep(connection, build)
    return build


async def _swap(connection: Connection, server: Server, build: Build) -> None:
    mark = (await state.look(connection)).mark + LEAP
    await server.put(NEXT, [server.mark_entry(mark, build.epoch, build.seen)])
    if await server.plate(LIVE) is None and await server.mark(LIVE) is None:
        await server.drop(LIVE)  # there is none, or one that is not ours
        await server.create(LIVE)
    await server.swap(build.id)


@asynccontextmanager
async def _alone(db: Database) -> AsyncGenerator[Connection]:
    """A connection that holds the right to build. It goes when the pool takes the connection back, or dies with it."""
    async with db.connection() as connection:
        if not await state.claim(connection):
            raise BuildUnderWay
        yield connection
