"""Choose the workspace that a history goes into, and make it if there is none.

choose_workspace   by id or name, else the only one there is
"""

import secrets

import msgspec

from fechatter.actions.history.load_history import Destination
from fechatter.actions.identity.passwords import Passwords
from fechatter.domain.errors import OperatorError
from fechatter.domain.text import fold
from fechatter.store.database import Connection, Database
from fechatter.store.messages import history_people
from fechatter.store.people import users
from fechatter.store.workspaces import workspaces

NEW_NAME = "History"
_PASSWORD_BYTES = 12


class Chosen(msgspec.Struct, frozen=True):
    """Where to load to. `password`: of an owner whose account was made just now, to be shown once."""

    to: Destination
    name: str
    email: str | None = None
    password: str | None = None


async def choose_workspace(db: Database, passwords: Passwords, wanted: str | None, owner: str | None) -> Chosen:
    """Find the workspace, or make it.

    wanted   an id, a name, or None: the only workspace there is, else a new one named NEW_NAME
    owner    an address: of one of the workspace's owners; for a new workspace of anyone, who gets an account if need
             be. None: the first owner, or the first user of the installation
    Raises OperatorError for what is not there, or not clear.
    """
    async with db.transaction() as tx:
        workspace_id = await _find(tx, wanted)
        if workspace_id is None:
            return await _make(tx, passwords, wanted or NEW_NAME, owner)
        owner_id = await history_people.owner_of(tx, workspace_id, owner)
        name = await history_people.workspace_name(tx, workspace_id)
    if owner_id is None:
        who = f"{owner} is not an owner" if owner else "Nobody is the owner"
        raise OperatorError(f"{who} of workspace {workspace_id} ({name}): its owner joins what is loaded.")
    return Chosen(Destination(workspace_id, owner_id), name or "")


async def _find(tx: Connection, wanted: str | None) -> int | None:
    if wanted is None:
        found = await history_people.some_workspaces(tx, 2)
        if len(found) > 1:
            raise OperatorError("There are several workspaces: choose one with --workspace NAME or ID.")
        return found[0] if found else None
    if wanted.isascii() and wanted.isdigit():
        workspace_id = int(wanted[:18])
        if await history_people.workspace_name(tx, workspace_id) is not None:
            return workspace_id
    found = await history_people.workspaces_called(tx, wanted)
    if len(found) > 1:
        ids = ", ".join(map(str, found))
        raise OperatorError(f"Several workspaces are called {wanted} ({ids}): choose one by its id.")
    if not found and wanted.isascii() and wanted.isdigit():
        raise OperatorError(f"There is no workspace {wanted}.")
    return found[0] if found else None


async def _make(tx: Connection, passwords: Passwords, name: str, owner: str | None) -> Chosen:
    owner_id, password = await _owner(tx, passwords, owner)
    workspace = await workspaces.insert(tx, name=name, description=None, owner_id=owner_id)
    return Chosen(Destination(workspace.id, owner_id), name, owner, password)


async def _owner(tx: Connection, passwords: Passwords, email: str | None) -> tuple[int, str | None]:
    if email is None:
        first = await history_people.first_person(tx)
        if first is None:
            raise OperatorError(
                "Nobody is here yet to own the workspace: sign up first, or name its owner with --owner EMAIL."
            )
        return first, None
    known = await history_people.accounts(tx, [fold(email)])
    if known:
        return known[fold(email)].user_id, None
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    fullname = email.partition("@")[0][:64]
    user = await users.insert(tx, email=email, fullname=fullname, password_hash=await passwords.hash(password))
    return user.id, password
