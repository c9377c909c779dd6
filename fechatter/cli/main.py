"""The command `fechatter`: up, server, notify, worker, migrate, user, invite, load, search, doctor.

Every failure that an operator can mend is one line on stderr and an exit code other than 0: 78 where the same start
would fail again (settings, ports, schema), 1 otherwise.
"""

import asyncio
import sys
from typing import Annotated, Literal

import typer
from msgspec.structs import replace

from fechatter import __version__
from fechatter.cli import doctor as checkup
from fechatter.cli import invite as inviting
from fechatter.cli import load as history
from fechatter.cli import search as searching
from fechatter.cli import serve
from fechatter.cli import up as whole
from fechatter.cli import user as accounts
from fechatter.cli.embedded import database_url as database_of
from fechatter.cli.embedded import running_url
from fechatter.cli.embedded_nats import running_nats
from fechatter.cli.lifeline import follow
from fechatter.cli.options import (
    ConfigFile,
    DatabaseUrl,
    DataDir,
    Lifeline,
    LogLevel,
    Options,
    Process,
    ServerPort,
    Workers,
)
from fechatter.cli.processes import Place, Role, is_several, run_several
from fechatter.cli.supervisor import PERMANENT, Failed
from fechatter.config import ConfigError, Settings
from fechatter.domain.errors import OperatorError, SchemaMismatch
from fechatter.domain.people import WorkspaceRole
from fechatter.listening import PortTaken
from fechatter.siblings import Siblings
from fechatter.store.migrate import migrate as apply_migrations

app = typer.Typer(
    name="fechatter",
    help="Team chat that a group can own. 'fechatter up' runs all of it on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(accounts.app)
app.add_typer(searching.app)


def main() -> None:
    """Run the command of sys.argv; ends the process."""
    try:
        app()
    except (ConfigError, OperatorError) as problem:
        if not (isinstance(problem, Failed) and problem.told):
            sys.stderr.write(f"fechatter: {problem}\n")
        sys.exit(PERMANENT if isinstance(problem, ConfigError | SchemaMismatch | PortTaken) else 1)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"fechatter {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options that come before the command."""


@app.command()
def up(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where both services listen. [env: FECHATTER_SERVER__HOST, FECHATTER_NOTIFY__HOST]"
            " [default: 127.0.0.1]",
        ),
    ] = None,
    port: ServerPort = None,
    notify_port: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="Port of notify_server. [env: FECHATTER_NOTIFY__PORT] [default: 6687]"),
    ] = None,
    workers: Workers = None,
    log_level: LogLevel = None,
) -> None:
    """Run everything on this machine: database, fechatter_server and notify_server, until Ctrl-C.

    Without a database of your own, an embedded PostgreSQL keeps its data in the data folder. What ends unexpectedly
    is started again.
    """
    flags = {
        "data_dir": data_dir,
        "server.db_url": database_url,
        "server.host": host,
        "notify.host": host,
        "server.port": port,
        "notify.port": notify_port,
        "server.workers": workers,
        "notify.workers": workers,
        "log.level": log_level,
    }
    whole.run(Options(flags, config))


@app.command()
def server(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where to listen. [env: FECHATTER_SERVER__HOST] [default: 127.0.0.1]"),
    ] = None,
    port: ServerPort = None,
    log_level: LogLevel = None,
    workers: Workers = None,
    lifeline: Lifeline = None,
    process: Process = None,
) -> None:
    """Run fechatter_server alone: the HTTP API and the web client."""
    flags = {
        "data_dir": data_dir,
        "server.db_url": database_url,
        "server.host": host,
        "server.port": port,
        "server.workers": workers,
        "log.level": log_level,
    }
    _serve("server", Options(flags, config), lifeline, process)


@app.command()
def notify(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where to listen. [env: FECHATTER_NOTIFY__HOST] [default: 127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="Port to listen on. [env: FECHATTER_NOTIFY__PORT] [default: 6687]"),
    ] = None,
    log_level: LogLevel = None,
    workers: Workers = None,
    lifeline: Lifeline = None,
    process: Process = None,
) -> None:
    """Run notify_server alone: it holds the clients' streams and pushes events."""
    flags = {
        "data_dir": data_dir,
        "server.db_url": database_url,
        "notify.host": host,
        "notify.port": port,
        "notify.workers": workers,
        "log.level": log_level,
    }
    _serve("notify", Options(flags, config), lifeline, process)


@app.command()
def worker(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    log_level: LogLevel = None,
    lifeline: Lifeline = None,
) -> None:
    """Run a worker alone: it makes thumbnails and deletes files that nobody shows. Any number may run."""
    flags = {"data_dir": data_dir, "server.db_url": database_url, "log.level": log_level}
    serve.worker(_start_service(Options(flags, config), "worker", lifeline))


@app.command()
def migrate(config: ConfigFile = None, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Bring the database to this release's schema. Safe to repeat, and while an earlier release runs."""
    settings = Options({"data_dir": data_dir, "server.db_url": database_url}, config).load()
    with database_of(settings) as url:
        applied = asyncio.run(apply_migrations(url))
    sys.stdout.write("".join(f"applied {name}\n" for name in applied) or "nothing to do\n")


@app.command()
def invite(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    workspace: Annotated[
        int | None, typer.Option(min=1, metavar="ID", help="Which workspace. [default: the only one there is]")
    ] = None,
    role: Annotated[WorkspaceRole, typer.Option(help="What they will be.")] = WorkspaceRole.MEMBER,
    email: Annotated[str | None, typer.Option(metavar="EMAIL", help="Good for this address only.")] = None,
    max_uses: Annotated[int | None, typer.Option(min=1, metavar="N", help="[default: any number]")] = None,
    days: Annotated[int, typer.Option(min=1, max=365, metavar="N", help="How long it is good.")] = 7,
) -> None:
    """Print a link that leads into a workspace."""
    settings = Options({"data_dir": data_dir, "server.db_url": database_url}, config).load()
    order = inviting.Order(role=role, days=days, workspace=workspace, email=email, max_uses=max_uses)
    sys.stdout.write(f"{inviting.run(settings, order)}\n")


@app.command()
def load(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines, gzipped or not; - is standard input.")],
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    workspace: Annotated[
        str | None,
        typer.Option(metavar="NAME|ID", help="Where to; made if there is none. [default: the only one there is]"),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL",
            help="Who owns a workspace made now; gets an account if need be. [default: the first user]",
        ),
    ] = None,
) -> None:
    """Load a chat history: lines of {"room", "author", "sent_at", "text"} become channels, people and messages.

    The workspace's owner joins every channel. Loading the same lines again adds nothing twice, so that a run that was
    interrupted goes on when it is repeated. Bad lines are reported and skipped.
    """
    options = Options({"data_dir": data_dir, "server.db_url": database_url}, config)
    raise typer.Exit(history.run(options.load(), history.Order(file, workspace, owner)))


@app.command()
def doctor(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    new_epoch: Annotated[
        bool,
        typer.Option(
            "--new-epoch",
            help="After a data folder was copied or restored by hand: have every client reload instead of resuming.",
        ),
    ] = False,
) -> None:
    """Check settings, data folder, keys, ports, database, durability, schema and web client."""
    options = Options({"data_dir": data_dir, "server.db_url": database_url}, config)
    if new_epoch:
        epoch = checkup.new_epoch(options.load())
        sys.stdout.write(f"The event log's epoch is now {epoch}: clients reload when they next connect.\n")
    elif not checkup.run(options.read()):
        raise typer.Exit(1)


def _serve(role: Role, options: Options, lifeline: int | None, process: str | None) -> None:
    """One process, or a supervisor of several."""
    settings = _start_service(options, role, lifeline)
    place = Place.parse(process)
    if place is None and is_several(role, settings):
        run_several(role, settings, options)
        return
    siblings = Siblings.alone() if place is None else place.siblings()
    (serve.server if role == "server" else serve.notify)(settings, siblings)


def _start_service(options: Options, name: Literal["server", "notify", "worker"], lifeline: int | None) -> Settings:
    if lifeline is not None:
        follow(lifeline)
    settings = options.start(name, role="all" if name == "worker" else name)
    return _with_nats(_with_database(settings))


def _with_database(settings: Settings) -> Settings:
    if settings.server.db_url:
        return settings
    if url := running_url(settings.data_dir):
        return replace(settings, server=replace(settings.server, db_url=url))
    raise OperatorError("No database: set DATABASE_URL, or use 'fechatter up', which brings its own.")


def _with_nats(settings: Settings) -> Settings:
    if not settings.messaging.enabled or settings.messaging.url:
        return settings
    if url := running_nats(settings.data_dir):
        return replace(settings, messaging=replace(settings.messaging, url=url))
    raise OperatorError(
        "messaging.enabled is set, but no NATS is: set messaging.url, or use 'fechatter up', which brings its own."
    )


if __name__ == "__main__":
    main()
