"""`fechatter invite`: a link into a workspace.

run(settings, order)   make the invite; → its link
"""

from msgspec import Struct

from fechatter.actions.workspaces.invite_as_operator import invite_as_operator
from fechatter.cli.ports import local_url
from fechatter.cli.user import run as with_database
from fechatter.config import Settings
from fechatter.domain.errors import DomainError, OperatorError
from fechatter.domain.people import WorkspaceRole
from fechatter.domain.text import check_email
from fechatter.store.database import Database

DAY_S = 24 * 3600


class Order(Struct, frozen=True):
    """Which invite. `workspace` None: the only one there is; `max_uses` None: any number."""

    role: WorkspaceRole
    days: int
    workspace: int | None = None
    email: str | None = None
    max_uses: int | None = None


def run(settings: Settings, order: Order) -> str:
    """The link that leads to sign-up, or into the workspace for one who has an account. Raises OperatorError."""
    try:
        email = None if order.email is None else check_email("email", order.email)
    except DomainError as error:
        raise OperatorError(error.detail) from error

    async def work(db: Database) -> str:
        _, code = await invite_as_operator(
            db,
            workspace=order.workspace,
            role=order.role,
            email=email,
            max_uses=order.max_uses,
            expires_in_s=order.days * DAY_S,
        )
        return code

    server = settings.server
    base = server.public_url.rstrip("/") or local_url(server.host, server.port)
    return f"{base}/invite/{with_database(settings, work)}"
