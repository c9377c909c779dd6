"""`fechatter user`: create-admin, suspend, unsuspend, reset-password, list.

Passwords are asked for, or read from standard input with --password-stdin: an argument would stay in the shell's
history and be seen in the list of processes.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from fechatter.actions.identity.create_admin import create_admin as make_admin
from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.identity.reset_password import reset_password as give_password
from fechatter.actions.identity.suspend_user import suspend_user
from fechatter.cli.embedded import database_url
from fechatter.cli.options import ConfigFile, DatabaseUrl, DataDir, Options
from fechatter.config import Settings
from fechatter.domain.errors import DomainError, OperatorError
from fechatter.domain.people import UserStatus
from fechatter.domain.text import check_email, check_name, check_text
from fechatter.store.database import Database
from fechatter.store.migrate import check_schema
from fechatter.store.people import users

T = TypeVar("T")

app = typer.Typer(name="user", help="Accounts: make, suspend, list them.", no_args_is_help=True, rich_markup_mode=None)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address of the account.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it.")
]


@app.command()
def create_admin(
    email: Email,
    fullname: Annotated[str, typer.Option("--name", metavar="NAME", help="The person's full name.")],
    workspace: Annotated[
        str | None,
        typer.Option(metavar="ID|NAME", help="Which one to own; a name makes a new one. [default: the only one]"),
    ] = None,
    password_stdin: FromStdin = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make an account that owns a workspace."""
    settings = _settings(config, data_dir, database_url)
    address, name = _checked(lambda: (check_email("email", email), _name(settings, fullname)))
    place = None if workspace is None else _checked(lambda: check_name("workspace", workspace, 128))
    password = _password(settings, from_stdin=password_stdin)

    async def work(db: Database) -> str:
        user, owned = await make_admin(
            db, Passwords(), email=address, fullname=name, password=password, workspace=place
        )
        return f"{user.email} (@{user.username}) owns workspace {owned.id} ({owned.name})"

    _say(run(settings, work))


@app.command()
def suspend(
    email: Email, config: ConfigFile = None, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Keep somebody out of everything, at once: also of streams that are open."""
    _set_status(_settings(config, data_dir, database_url), email, UserStatus.SUSPENDED)


@app.command()
def unsuspend(
    email: Email, config: ConfigFile = None, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Let somebody in again, into all that they were in."""
    _set_status(_settings(config, data_dir, database_url), email, UserStatus.ACTIVE)


@app.command()
def reset_password(
    email: Email,
    password_stdin: FromStdin = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give somebody a new password, and end all their sessions."""
    settings = _settings(config, data_dir, database_url)
    password = _password(settings, from_stdin=password_stdin)
    ended = run(settings, lambda db: give_password(db, Passwords(), email, password))
    _say(f"{email} has a new password; sessions ended: {ended}")


@app.command("list")
def list_(config: ConfigFile = None, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Everybody, by name: id, status, address, username, full name, between tabs."""

    async def work(db: Database) -> list[str]:
        async with db.connection() as connection:
            everybody = await users.all_(connection)
        return [f"{user.id}\t{user.status}\t{user.email}\t@{user.username}\t{user.fullname}" for user in everybody]

    for line in run(_settings(config, data_dir, database_url), work):
        _say(line)


def run(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do the work on the installation's database, started if need be. What is refused is an OperatorError."""

    async def connected(url: str) -> T:
        db = await Database.open(url, 2, "fechatter command")
        try:
            async with db.connection() as connection:
                await check_schema(connection)
            return await work(db)
        except DomainError as error:
            raise OperatorError(error.detail) from error
        finally:
            await db.close()

    with database_url(settings) as url:
        return asyncio.run(connected(url))


def _set_status(settings: Settings, email: str, status: UserStatus) -> None:
    user = run(settings, lambda db: suspend_user(db, email, status))
    _say(f"{user.email} is {user.status.value.lower()}")


def _settings(config: ConfigFile, data_dir: DataDir, database_url: DatabaseUrl) -> Settings:
    return Options({"data_dir": data_dir, "server.db_url": database_url}, config).load()


def _name(settings: Settings, fullname: str) -> str:
    return check_name("name", fullname, settings.limits.fullname_chars)


def _password(settings: Settings, *, from_stdin: bool) -> str:
    """Twice from the terminal, or one line of standard input."""
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt=True, type=str)
    else:
        raise OperatorError("There is no terminal to ask for a password at: give it with --password-stdin.")
    limits = settings.limits
    return _checked(lambda: check_text("password", given, limits.password_min, limits.password_max))


def _checked(check: Callable[[], T]) -> T:
    try:
        return check()
    except DomainError as error:
        raise OperatorError(error.detail) from error


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
