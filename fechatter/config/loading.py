"""Bring the sources together: flags > environment > files > defaults.

    read(…) → Loaded   the settings and the files they came from
    load(…) → Settings

Files, strongest first: the first that exists of ./app.yaml, /etc/config/app.yaml and the path in CHAT_CONFIG (or the
one given as `config`); then ./chat.yml; then ./notify.yml (or the path in NOTIFY_CONFIG). For the role "notify" the
last two change places, so that each service can be switched over on its own. In notify.yml `server` is the notify
service.
"""

import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from fechatter.config.errors import ConfigError
from fechatter.config.sources import Found, read_environment, read_file
from fechatter.config.tree import Messaging, Settings
from fechatter.config.values import SECTIONS, Value, convert

Role = Literal["all", "server", "notify"]

SYSTEM_FILE = Path("/etc/config/app.yaml")
_SEED = re.compile(r"SU[A-Z2-7]{56}")
# nats-py looks for the first line for ever where there is none, and so would the whole process.
_CREDENTIALS = re.compile(
    r"BEGIN NATS USER JWT-*[ \t]*\r?\n\S+[ \t]*\r?\n.*BEGIN USER NKEY SEED-*[ \t]*\r?\n" + _SEED.pattern + r"\s",
    re.DOTALL,
)
NOTIFY_KEYS = frozenset({"server.host", "server.port", "server.public_url"})


class Loaded(Struct, frozen=True):
    """`files` in the order of their strength."""

    settings: Settings
    files: tuple[Path, ...]


def load(
    flags: Mapping[str, object] | None = None,
    *,
    role: Role = "all",
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """The settings in force. `flags` maps full keys ("server.port") to values; None means not given."""
    return read(flags, role=role, config=config, environment=environment, cwd=cwd).settings


def read(
    flags: Mapping[str, object] | None = None,
    *,
    role: Role = "all",
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Loaded:
    environment = os.environ if environment is None else environment
    cwd = cwd or Path.cwd()
    found: Found = {}
    files: list[Path] = []
    for path, values in _read_files(environment, cwd, config, role):
        files.append(path)
        found = values | found
    found |= read_environment(environment, cwd)
    found |= {key: Value(raw, "command line", cwd) for key, raw in (flags or {}).items() if raw is not None}
    settings = _build(found)
    _check_together(settings, found)
    return Loaded(settings, tuple(files))


def _read_files(environment: Mapping[str, str], cwd: Path, config: Path | None, role: Role) -> list[tuple[Path, Found]]:
    """Strongest first."""
    found: list[tuple[Path, Found]] = []
    if main := config or _main_file(environment, cwd):
        found.append((main, read_file(main)))
    services = [(path, read_file(path)) for path in [_in(cwd, "chat.yml")] if _exists(path)]
    if notify := _notify_file(environment, cwd):
        services.append((notify, _as_notify(notify, read_file(notify), services)))
    return found + (services[::-1] if role == "notify" else services)


def _main_file(environment: Mapping[str, str], cwd: Path) -> Path | None:
    for path in (_in(cwd, "app.yaml"), SYSTEM_FILE):
        if _exists(path):
            return path
    return _named_file(environment, cwd, "CHAT_CONFIG")


def _notify_file(environment: Mapping[str, str], cwd: Path) -> Path | None:
    if named := _named_file(environment, cwd, "NOTIFY_CONFIG"):
        return named
    path = _in(cwd, "notify.yml")
    return path if _exists(path) else None


def _named_file(environment: Mapping[str, str], cwd: Path, variable: str) -> Path | None:
    if not (name := environment.get(variable)):
        return None
    path = _in(cwd, name)
    if not _exists(path):
        raise ConfigError(f"environment variable {variable}: there is no file {path}")
    return path


def _exists(path: Path) -> bool:
    """What is there but cannot be looked at counts as there: reading it then says why not."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _in(cwd: Path, name: str) -> Path:
    """Shown to people, so a file of the current folder keeps its short name."""
    return Path(name) if cwd == Path.cwd() else cwd / name


def _as_notify(path: Path, values: Found, others: list[tuple[Path, Found]]) -> Found:
    """notify.yml speaks of its own service as `server`, and of the one database that both share."""
    for _, other in others:
        mine, theirs = values.get("server.db_url"), other.get("server.db_url")
        if mine and theirs and mine.raw != theirs.raw:
            raise ConfigError(
                f"{mine.place}: server.db_url differs from {theirs.place}: both services share a database"
            )
    if clash := [key for key in NOTIFY_KEYS & values.keys() if key.replace("server.", "notify.") in values]:
        raise ConfigError(f"{values[clash[0]].place}: {clash[0]} of {path} is set again as notify there")
    return {key.replace("server.", "notify.") if key in NOTIFY_KEYS else key: value for key, value in values.items()}


def _build(found: Found) -> Settings:
    tree: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    top: dict[str, object] = {}
    for key, value in found.items():
        section, _, name = key.rpartition(".")
        (tree[section] if section else top)[name] = convert(key, value)
    fields = {item.name: item.type for item in msgspec.structs.fields(Settings)}
    return Settings(**top, **{section: fields[section](**values) for section, values in tree.items()})


def _check_together(settings: Settings, found: Found) -> None:
    """What no single value shows."""

    def refuse(key: str, problem: str) -> ConfigError:
        return ConfigError(f"{found[key].place}: {key} {problem}" if key in found else f"{key} {problem}")

    if settings.search.enabled and not settings.search.url:
        raise refuse("search.enabled", "is true, but search.url is not set: give Meilisearch's address")
    _check_messaging(settings.messaging, refuse)
    if settings.auth.signing_key and len(settings.auth.signing_key.encode()) < 32:
        raise refuse("auth.signing_key", "must be at least 32 bytes long")
    if settings.limits.password_min > settings.limits.password_max:
        raise refuse("limits.password_min", "is above limits.password_max")
    if (settings.server.host, settings.server.port) == (settings.notify.host, settings.notify.port):
        key = "notify.port" if "notify.port" in found else "server.port"
        raise refuse(key, f"is {settings.server.port}, and so is the other service's: they need a port each")
    for key, url, schemes in _addresses(settings):
        if url and not _is_url(url, schemes):
            raise refuse(key, f"must be an address that begins with {' or '.join(f'{each}://' for each in schemes)}")
    for network in settings.trusted_proxies:
        if not _is_network(network):
            raise refuse("trusted_proxies", f"holds {network!r}, which is no IP address or network")


def _check_messaging(messaging: Messaging, refuse: Callable[[str, str], ConfigError]) -> None:
    ways = [name for name in ("user", "token", "nkey", "creds") if getattr(messaging, name)]
    if len(ways) > 1:
        raise refuse(f"messaging.{ways[1]}", f"is set, and so is messaging.{ways[0]}: choose one way to sign in")
    if bool(messaging.user) != bool(messaging.password):
        given, missing = ("user", "password") if messaging.user else ("password", "user")
        raise refuse(f"messaging.{given}", f"is set, but messaging.{missing} is not")
    if messaging.tls_key and not messaging.tls_cert:
        raise refuse("messaging.tls_key", "is set, but messaging.tls_cert is not")
    if messaging.url and not messaging.url.strip(", "):
        raise refuse("messaging.url", "names no server")
    if any(_has_more_than_a_host(url.strip()) for url in messaging.url.split(",")):
        # Half of a password would pass for a server's name, and be looked up and logged.
        raise refuse("messaging.url", "must end after the host and port: / ? # in a password are %2F %3F %23")
    if messaging.nkey and not _SEED.fullmatch(messaging.nkey.strip()):
        raise refuse("messaging.nkey", "must be the seed of a user's nkey, which begins with SU")
    if messaging.creds and not _CREDENTIALS.search(messaging.creds):
        raise refuse("messaging.creds", "must be what a .creds file holds; messaging.creds_file takes the file's path")


def _addresses(settings: Settings) -> list[tuple[str, str, tuple[str, ...]]]:
    web = ("http", "https")
    return [
        ("server.db_url", settings.server.db_url, ("postgresql", "postgres")),
        ("server.public_url", settings.server.public_url, web),
        ("notify.public_url", settings.notify.public_url, web),
        ("search.url", settings.search.url, web),
        ("files.url", settings.files.url, ("s3",)),
        ("files.endpoint", settings.files.endpoint, web),
        *(("messaging.url", url.strip(), ("nats", "tls")) for url in settings.messaging.url.split(",")),
        *(("notify.allowed_origins", origin, web) for origin in settings.notify.allowed_origins),
    ]


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    return parts.scheme in schemes and (bool(parts.hostname) or parts.scheme.startswith("postgres"))


def _has_more_than_a_host(url: str) -> bool:
    return any(mark in url.partition("://")[2].removesuffix("/") for mark in "/?#")


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
