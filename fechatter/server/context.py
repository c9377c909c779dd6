"""What all routes share, made once at start and closed at the end."""

from dataclasses import dataclass

from fechatter.actions.identity.passwords import Passwords
from fechatter.actions.messages.post_message import Posting
from fechatter.bus.nats_publisher import NatsPublisher
from fechatter.config import Settings
from fechatter.domain.tokens import Tokens
from fechatter.files.storage import Storage
from fechatter.search.choose import Searching
from fechatter.server.activity import Activity
from fechatter.server.limits import RateLimits
from fechatter.server.sidebar_cache import SidebarCache
from fechatter.siblings import Siblings
from fechatter.store.database import Database


@dataclass(frozen=True)
class Context:
    """
    settings    what the operator has chosen
    db          the pool; opened before the first request
    tokens      issues and verifies access tokens
    file_tokens the same for the cookie that reads files: each refuses the other's
    passwords   hashes in its own threads
    posting     gathers posts into statements
    storage     where the bytes of files are
    searching   finds messages
    sidebars    the chat lists that went out lately
    limits      how often each may ask
    activity    who asked lately
    siblings    the other processes of this machine that serve the same port
    publisher   tells NATS what was committed; None where PostgreSQL alone does
    """

    settings: Settings
    db: Database
    tokens: Tokens
    file_tokens: Tokens
    passwords: Passwords
    posting: Posting
    storage: Storage
    searching: Searching
    sidebars: SidebarCache
    limits: RateLimits
    activity: Activity
    siblings: Siblings
    publisher: NatsPublisher | None
