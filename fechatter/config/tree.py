"""What can be set: Settings and its sections, each with its default.

Settings ── server, notify, database, auth, messaging, search, files, limits, push, invites, log
SECRETS             keys that can also be read from a file (`…_file`, `…_FILE`) and are never printed
default_data_dir()  where data lives when nothing is said
"""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct, field

SECRETS = frozenset(
    {"server.db_url", "auth.signing_key", "search.api_key"}
    | {"messaging.url", "messaging.password", "messaging.token", "messaging.nkey", "messaging.creds"}
    | {"push.private_key", "files.access_key_id", "files.secret_access_key"}
)

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Workers = Annotated[int, Meta(ge=1, le=64)]
Seconds = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(gt=0)]


def default_data_dir() -> Path:
    """The user's data folder; for root a folder of the system, since root's home is closed to PostgreSQL's user."""
    if os.geteuid() == 0:
        return Path("/var/lib/fechatter")
    base = os.environ.get("XDG_DATA_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return home / "fechatter"


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings. Its repr hides secrets, so that printing settings is safe."""

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        values = msgspec.structs.asdict(self)
        shown = ", ".join(
            f"{name}={'***' if name in self.hidden and value else repr(value)}" for name, value in values.items()
        )
        return f"{type(self).__name__}({shown})"


class Server(Section, frozen=True, kw_only=True):
    """The HTTP API. An empty db_url means the embedded PostgreSQL."""

    hidden: ClassVar[frozenset[str]] = frozenset({"db_url"})

    host: str = "127.0.0.1"
    port: Port = 6688
    db_url: str = ""
    workers: Workers = 1
    """Processes on this machine that share the port."""
    public_url: str = ""
    """The address that people open, e.g. https://chat.example.org; empty: the one of the request."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of other pages that may use the API, e.g. https://intranet.example.org; our own always may."""


class Notify(Section, frozen=True, kw_only=True):
    """The realtime service."""

    host: str = "127.0.0.1"
    port: Port = 6687
    workers: Workers = 1
    """Processes on this machine that share the port."""
    public_url: str = ""
    """The address that clients connect to; empty: the host of the request, with this service's port."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins that may connect; empty: the web client's own."""
    heartbeat_s: Annotated[float, Meta(gt=0, le=300)] = 15.0
    retention_days: Annotated[int, Meta(ge=1, le=3650)] = 7


class Database(Section, frozen=True, kw_only=True):
    """How each service process uses PostgreSQL."""

    pool_size: Annotated[int, Meta(ge=2, le=1000)] = 10


class Auth(Section, frozen=True, kw_only=True):
    """Who may come in, and how long a sign-in lasts."""

    hidden: ClassVar[frozenset[str]] = frozenset({"signing_key"})

    signup: Literal["open", "invite", "closed"] = "open"
    token_ttl_s: Seconds = 30 * 60
    refresh_ttl_s: Seconds = 30 * 24 * 3600
    issuer: Annotated[str, Meta(min_length=1)] = "fechatter"
    signing_key: str = ""
    """At least 32 bytes; empty: generated in the data folder on the first run."""


class Messaging(Section, frozen=True, kw_only=True):
    """What carries events: PostgreSQL (false), NATS (true), or both during a switch.

    At most one of user and password, token, nkey and creds; the first two may also stand in the URL.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"url", "password", "token", "nkey", "creds"})

    enabled: bool | Literal["both"] = False
    url: str = ""
    """Servers, separated by commas, e.g. nats://a:4222,nats://b:4222; empty: the embedded one of `up`."""
    user: str = ""
    password: str = ""
    token: str = ""
    nkey: str = ""
    """The seed of an nkey."""
    creds: str = ""
    """What a .creds file holds."""
    tls_ca: Path | None = None
    """Certificates that the servers' are checked against; empty: the system's."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    replicas: Annotated[int, Meta(ge=0, le=5)] = 0
    """Servers that hold a copy of what is carried; 0: three of a cluster, one of a single server."""
    max_age_s: Annotated[int, Meta(ge=120, le=30 * 86400)] = 3600
    """How long NATS keeps what it carried. Fechatter itself needs none of it: the event log is the truth."""
    max_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 256 * 1024 * 1024
    duplicate_window_s: Annotated[int, Meta(ge=1, le=120)] = 120


class Search(Section, frozen=True, kw_only=True):
    """Meilisearch instead of the built-in search."""

    hidden: ClassVar[frozenset[str]] = frozenset({"api_key"})

    enabled: bool = False
    url: str = ""
    api_key: str = ""


class Files(Section, frozen=True, kw_only=True):
    """Where uploads are kept: in the data folder, or in a bucket. Without keys, those of the environment (AWS_…)."""

    hidden: ClassVar[frozenset[str]] = frozenset({"access_key_id", "secret_access_key"})

    url: str = ""
    """s3://bucket or s3://bucket/prefix; empty: the folder `files` of the data folder."""
    endpoint: str = ""
    """Of an S3 server other than Amazon's, e.g. https://s3.example.org."""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""


class Limits(Section, frozen=True, kw_only=True):
    """The most that one request, user or address may do. `enabled: false` switches the rates off, not the sizes."""

    enabled: bool = True
    content_chars: Count = 16_384
    files_per_message: Count = 10
    file_bytes: Count = 100 * 1024 * 1024
    body_bytes: Annotated[int, Meta(ge=1024)] = 1024 * 1024
    name_chars: Count = 128
    fullname_chars: Count = 64
    password_min: Count = 8
    password_max: Count = 1024
    members_at_once: Count = 1000
    streams_per_user: Count = 50
    streams_per_address: Count = 10_000
    posts_per_second: Rate = 50.0
    posts_burst: Count = 500
    reads_per_second: Rate = 100.0
    reads_burst: Count = 1000
    signins_per_minute_account: Count = 10
    signins_per_minute_address: Count = 60
    signups_per_hour_address: Count = 60
    invites_per_minute_address: Count = 30


class Push(Section, frozen=True, kw_only=True):
    """Notifications on devices while no page is open (Web Push)."""

    hidden: ClassVar[frozenset[str]] = frozenset({"private_key"})

    enabled: bool = True
    private_key: str = ""
    """P-256, 32 bytes in base64url; empty: generated on the first run and kept in the database, for all servers."""
    contact: str = ""
    """How a push service reaches the operator, mailto:… or https://…; empty: the public address."""
    delay_s: Annotated[float, Meta(ge=0, le=300)] = 4.0
    """So long is waited for the message to be read on a screen."""
    ttl_s: Seconds = 24 * 3600
    """Later than this a message is no news."""
    subscriptions_per_user: Count = 20
    allowed_origins: tuple[str, ...] = ()
    """Push services that need not be public or use https, e.g. http://push.internal:8080."""


class Invites(Section, frozen=True, kw_only=True):
    members_may_invite: bool = False


class Log(Section, frozen=True, kw_only=True):
    """`auto`: coloured lines on a terminal, JSON lines elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Settings(Section, frozen=True, kw_only=True):
    """Everything that can be set. Never changes while a process runs."""

    name: Annotated[str, Meta(min_length=1, max_length=64)] = "Fechatter"
    """What this installation is called on its pages."""
    data_dir: Path = field(default_factory=default_data_dir)
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose X-Forwarded-For is believed."""
    server: Server = field(default_factory=Server)
    notify: Notify = field(default_factory=Notify)
    database: Database = field(default_factory=Database)
    auth: Auth = field(default_factory=Auth)
    messaging: Messaging = field(default_factory=Messaging)
    search: Search = field(default_factory=Search)
    files: Files = field(default_factory=Files)
    limits: Limits = field(default_factory=Limits)
    push: Push = field(default_factory=Push)
    invites: Invites = field(default_factory=Invites)
    log: Log = field(default_factory=Log)
