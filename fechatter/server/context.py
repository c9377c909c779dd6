"""What all routes share, made once at start and closed at the end."""

from dataclasses import dataclass

from fechatter.actions.passwords import Passwords
from fechatter.actions.post_message import Posting
from fechatter.config import Settings
from fechatter.domain.tokens import Tokens
from fechatter.server.sidebar_cache import SidebarCache
from fechatter.store.database import Database


@dataclass(frozen=True)
class Context:
    """
    settings    what the operator has chosen
    db          the pool; opened before the first request
    tokens      issues and verifies access tokens
    passwords   hashes in its own threads
    posting     gathers posts into statements
    sidebars    the chat lists that went out lately
    """

    settings: Settings
    db: Database
    tokens: Tokens
    passwords: Passwords
    posting: Posting
    sidebars: SidebarCache
