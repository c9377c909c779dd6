"""A NATS server for each way of signing in, with a user that has the rights of deploy/nats and no others.

door(way, folder)   runs the server, and tells the settings that it lets in
WAYS                their names
server_with(…)      a server with a user of the given rights
"""

# nkeys has no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import base64
import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nkeys
from msgspec.structs import replace

from deploy.nats.cluster import MAY_HEAR, MAY_PUBLISH, Authority, Node
from fechatter.config import Messaging
from tests.support.ports import free_port

RIGHTS = f"permissions: {{ publish: {json.dumps(MAY_PUBLISH)}, subscribe: {json.dumps(MAY_HEAR)} }}"
UNLIMITED = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage", "streams"), -1
)


class Door(NamedTuple):
    """`right` lets in; `wrong` settings do not, each with the words that tell so."""

    node: Node
    folder: Path
    right: Messaging
    wrong: dict[str, Messaging]


class Plan(NamedTuple):
    """What one way needs: lines of the server's configuration, settings, and what of them may be wrong."""

    config: str
    right: dict[str, object]
    wrong: Mapping[str, Mapping[str, object]]


@contextmanager
def door(way: str, folder: Path) -> Generator[Door]:
    """`folder` keeps the certificates, too."""
    port = free_port()
    config, right, wrong = WAYS[way](folder)
    store = f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder / "store"}" }}\n'
    node = Node(way, folder, port, store + config)
    url = f"nats://127.0.0.1:{port}"
    plain = Messaging(enabled=True, url=url)
    node.start()
    try:
        yield Door(
            node,
            folder,
            _given(plain, right),
            {told: _given(plain, settings) for told, settings in wrong.items()},
        )
    finally:
        node.kill()


@contextmanager
def server_with(folder: Path, publish: Sequence[str], hear: Sequence[str]) -> Generator[Messaging]:
    """One that lets the user `chat` publish and hear only this, and the user `operator` anything."""
    port = free_port()
    rights = f"publish: {json.dumps(publish)}, subscribe: {json.dumps(hear)}"
    config = f"""
        listen: "127.0.0.1:{port}"
        jetstream {{ store_dir: "{folder / "store"}" }}
        authorization {{ users: [
            {{ user: chat, password: p, permissions: {{ {rights} }} }}, {{ user: operator, password: p }}
        ] }}
        """
    node = Node("nats", folder, port, config)
    node.start()
    try:
        yield Messaging(enabled=True, url=f"nats://127.0.0.1:{port}", user="chat", password="p")
    finally:
        node.kill()


def _given(plain: Messaging, settings: Mapping[str, object]) -> Messaging:
    """`userinfo` stands in the URL."""
    given = dict(settings)
    if userinfo := given.pop("userinfo", ""):
        given["url"] = plain.url.replace("//", f"//{userinfo}@")
    return replace(plain, **given)


NOBODY = "asks who we are: set messaging.user and password, token, nkey or creds"


def _password(_folder: Path) -> Plan:
    config = f'authorization {{ users: [{{ user: chat, password: "p@ss/wörd", {RIGHTS} }}] }}'
    return Plan(
        config,
        {"user": "chat", "password": "p@ss/wörd"},
        {"refuses messaging.user with messaging.password": {"user": "chat", "password": "guess"}, NOBODY: {}},
    )


def _password_in_the_url(folder: Path) -> Plan:
    wrong = {"refuses what messaging.url signs in with": {"userinfo": "chat:guess"}}
    return Plan(_password(folder).config, {"userinfo": "chat:p%40ss%2Fw%C3%B6rd"}, wrong)


def _token(_folder: Path) -> Plan:
    config = 'authorization { token: "open sesame" }'
    return Plan(config, {"token": "open sesame"}, {"refuses messaging.token": {"token": "guess"}, NOBODY: {}})


def _token_in_the_url(folder: Path) -> Plan:
    wrong = {"refuses what messaging.url signs in with": {"userinfo": "guess"}}
    return Plan(_token(folder).config, {"userinfo": "open%20sesame"}, wrong)


def _nkey(_folder: Path) -> Plan:
    user, stranger = _pair(nkeys.PREFIX_BYTE_USER), _pair(nkeys.PREFIX_BYTE_USER)
    config = f"authorization {{ users: [{{ nkey: {_public(user)}, {RIGHTS} }}] }}"
    return Plan(
        config,
        {"nkey": _seed(user)},
        {"refuses messaging.nkey": {"nkey": _seed(stranger)}, NOBODY: {}},
    )


def _creds(_folder: Path) -> Plan:
    """As nsc makes them: an operator, who signs for accounts, which sign for users."""
    operator = _pair(nkeys.PREFIX_BYTE_OPERATOR)
    account, system, stranger = (_pair(nkeys.PREFIX_BYTE_ACCOUNT) for _ in range(3))
    accounts = {
        _public(account): _token_of(operator, account, "account", limits=UNLIMITED | {"wildcards": True}),
        _public(system): _token_of(operator, system, "account", limits={"conn": -1, "subs": -1}),
    }
    config = "\n".join(
        (
            f"operator: {_token_of(operator, operator, 'operator', system_account=_public(system))}",
            "resolver: MEMORY",
            f"system_account: {_public(system)}",
            "resolver_preload: {",
            *(f"  {name}: {token}" for name, token in accounts.items()),
            "}",
        )
    )
    return Plan(
        config,
        # Line ends as a file has them that went through Windows.
        {"creds": _creds_of(account).replace("\n", "\r\n")},
        {"refuses messaging.creds": {"creds": _creds_of(stranger)}, NOBODY: {}},
    )


def _tls(folder: Path) -> Plan:
    Authority(folder).issue("server", "localhost")
    Authority(folder / "other")
    untrusted = "has a certificate that is not to be trusted (unable to get local issuer certificate): "
    return Plan(
        f'authorization {{ token: "t" }}\n{_tls_of(folder)}',
        {"token": "t", "tls_ca": folder / "ca.pem"},
        {f"{untrusted}messaging.tls_ca must hold who signed it": {"token": "t", "tls_ca": folder / "other" / "ca.pem"}},
    )


def _certificate(folder: Path) -> Plan:
    """Beside another way to sign in."""
    right = _certificates(folder, "t")
    stranger = right | {"tls_cert": folder / "other" / "client.pem", "tls_key": folder / "other" / "client.key"}
    return Plan(
        f'authorization {{ token: "t" }}\n{_tls_of(folder, "verify: true")}',
        right,
        {
            "asks for a certificate: set messaging.tls_cert and messaging.tls_key": {
                "token": "t",
                "tls_ca": folder / "ca.pem",
            },
            "refuses the certificate of messaging.tls_cert (tlsv1 alert unknown ca)": stranger,
        },
    )


def _certificate_alone(folder: Path) -> Plan:
    right = _certificates(folder)
    nobody = right | {"tls_cert": folder / "nobody.pem", "tls_key": folder / "nobody.key"}
    return Plan(
        f'authorization {{ users: [{{ user: "CN=chat", {RIGHTS} }}] }}\n{_tls_of(folder, "verify_and_map: true")}',
        right,
        {"knows nobody with the certificate of messaging.tls_cert": nobody},
    )


WAYS: dict[str, Callable[[Path], Plan]] = {
    "user and password": _password,
    "user and password in the URL": _password_in_the_url,
    "token": _token,
    "token in the URL": _token_in_the_url,
    "nkey": _nkey,
    "creds": _creds,
    "TLS": _tls,
    "certificate": _certificate,
    "certificate alone": _certificate_alone,
}


def _tls_of(folder: Path, more: str = "") -> str:
    files = f'ca_file: "{folder}/ca.pem", cert_file: "{folder}/server.pem", key_file: "{folder}/server.key"'
    return f"tls {{ {', '.join(filter(None, (files, more)))} }}"


def _certificates(folder: Path, token: str = "") -> dict[str, object]:
    authority, other = Authority(folder), Authority(folder / "other")
    authority.issue("server", "localhost")
    authority.issue("client", "chat")
    authority.issue("nobody", "nobody")
    other.issue("client", "chat")
    return {
        "token": token,
        "tls_ca": folder / "ca.pem",
        "tls_cert": folder / "client.pem",
        "tls_key": folder / "client.key",
    }


def _pair(kind: int) -> nkeys.KeyPair:
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), kind)))


def _seed(pair: nkeys.KeyPair) -> str:
    return bytes(pair.seed or b"").decode()


def _public(pair: nkeys.KeyPair) -> str:
    return bytes(pair.public_key).decode()


def _token_of(by: nkeys.KeyPair, of: nkeys.KeyPair, kind: str, **claims: object) -> str:
    """A JWT as NATS has them."""
    subject = _public(of)
    body = {
        "jti": subject,
        "iat": int(time.time()),
        "iss": _public(by),
        "sub": subject,
        "name": kind,
        "nats": {"type": kind, "version": 2, **claims},
    }
    text = f"{_base64({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_base64(body)}"
    return f"{text}.{_base64_of(by.sign(text.encode()))}"


def _creds_of(account: nkeys.KeyPair) -> str:
    user = _pair(nkeys.PREFIX_BYTE_USER)
    rights = {"pub": {"allow": MAY_PUBLISH}, "sub": {"allow": MAY_HEAR}}
    token = _token_of(account, user, "user", subs=-1, data=-1, payload=-1, **rights)
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{_seed(user)}\n------END USER NKEY SEED------\n"
    )


def _base64(content: Mapping[str, object]) -> str:
    return _base64_of(json.dumps(content).encode())


def _base64_of(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
