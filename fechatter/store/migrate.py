"""The schema: plain SQL files, applied in order, each once, each in one transaction.

migrate        bring a database to this program's schema
check_schema   refuse to serve a database of another schema
new_epoch      give the event log a new name, so that old cursors resync
"""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from fechatter.domain.errors import OperatorError, SchemaMismatch
from fechatter.store.database import AWAY, Connection, unreachable

# Any number will do, as long as every release takes the same lock.
_LOCK = 0x_FEC4_A77E
_HERE = Path(__file__).resolve()
_FOLDERS = (_HERE.parents[2] / "migrations", _HERE.parents[1] / "migrations")


@dataclass(frozen=True)
class Migration:
    name: str
    sql: str
    sha256: str


async def migrate(url: str, folder: Path | None = None) -> list[str]:
    """Apply what is missing and return its names. Safe when several start at once.

    Raises SchemaMismatch if the database has a migration that this program has not, or one that was changed since;
    OperatorError if the database cannot be reached or a migration fails (that one is rolled back).
    """
    try:
        connection = await asyncpg.connect(url, timeout=10, server_settings={"application_name": "fechatter migrate"})
    except (*AWAY, asyncpg.PostgresError, ValueError) as error:
        raise unreachable(url, error) from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        return await _apply_missing(connection, load(folder))
    finally:
        await connection.close()


async def check_schema(connection: Connection, folder: Path | None = None) -> None:
    """Raise SchemaMismatch unless the database has exactly this program's migrations."""
    exists = await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
    applied = await _applied(connection) if exists else {}
    if missing := _missing(load(folder), applied):
        raise SchemaMismatch(f"The database lacks migration {missing[0].name}: run 'fechatter migrate' first.")


async def new_epoch(connection: Connection) -> str:
    """Begin the event log anew: every cursor given out before is answered with resync_required.

    The old events go, since nobody can resume from them. Those that came with a dump would do harm: their xids are of
    another cluster, and what has a lower one is taken for read, which is all that this cluster is going to write.
    """
    epoch = secrets.token_hex(4)
    async with connection.transaction():
        await connection.execute(
            """
            INSERT INTO database_identity (epoch, system_identifier)
            SELECT $1, system_identifier::text FROM pg_control_system()
            ON CONFLICT (single) DO UPDATE
            SET epoch = EXCLUDED.epoch, system_identifier = EXCLUDED.system_identifier, log_floor = '0'
            """,
            epoch,
        )
        await connection.execute("DELETE FROM events")
        await connection.execute("DELETE FROM event_log_marks")
    return epoch


def load(folder: Path | None = None) -> list[Migration]:
    """The migrations of this program, in order."""
    source = folder or next((path for path in _FOLDERS if path.is_dir()), None)
    if source is None:
        raise OperatorError("The migrations folder is missing: install Fechatter again.")
    return [_read(path) for path in sorted(source.glob("*.sql"))]


async def _apply_missing(connection: Connection, migrations: list[Migration]) -> list[str]:
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
        """
    )
    missing = _missing(migrations, await _applied(connection))
    for migration in missing:
        await _apply(connection, migration)
    await _ensure_epoch(connection)
    return [migration.name for migration in missing]


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)", migration.name, migration.sha256
            )
    except asyncpg.PostgresError as error:
        raise OperatorError(f"Migration {migration.name} failed and was rolled back: {error}") from error


async def _ensure_epoch(connection: Connection) -> None:
    """A dump restored into another cluster carries the old epoch, but not the cluster's identifier."""
    same = await connection.fetchval(
        "SELECT d.system_identifier = c.system_identifier::text FROM database_identity d, pg_control_system() c"
    )
    if not same:
        await new_epoch(connection)


async def _applied(connection: Connection) -> dict[str, str]:
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
    return {row["name"]: row["sha256"] for row in rows}


def _missing(migrations: list[Migration], applied: dict[str, str]) -> list[Migration]:
    known = {migration.name: migration for migration in migrations}
    if newer := sorted(name for name in applied if name not in known):
        last = migrations[-1].name if migrations else ""
        if newer[-1] > last:
            raise SchemaMismatch(
                f"The database has the schema of a newer release (migration {newer[-1]}): start that release, "
                "or restore a backup made by this one."
            )
        raise SchemaMismatch(f"Migration {newer[0]} was applied to the database but its file is missing: restore it.")
    for name, sha256 in applied.items():
        if known[name].sha256 != sha256:
            raise SchemaMismatch(f"Migration {name} was changed after it was applied: restore the original file.")
    return [migration for migration in migrations if migration.name not in applied]


def _read(path: Path) -> Migration:
    content = path.read_bytes()
    return Migration(path.name, content.decode(), hashlib.sha256(content).hexdigest())
