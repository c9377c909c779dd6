"""Tokens that somebody made up: each is refused, in the same words, and none makes a fault."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from fechatter.domain.people import Caller
from fechatter.domain.tokens import Tokens
from tests.support.world import World

Forge = Callable[[World, Caller], str]


def claims(caller: Caller, **changes: object) -> dict[str, object]:
    now = int(time.time())
    honest = {"sub": str(caller.user_id), "sid": caller.session_id, "iss": "fechatter", "iat": now, "exp": now + 600}
    return {name: value for name, value in (honest | changes).items() if value is not ...}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(world: World, caller: Caller, **changes: object) -> str:
    """With the true key: only its content is wrong."""
    key = OctKey.import_key(world.settings.auth.signing_key.encode())
    return jwt.encode({"alg": "HS256"}, claims(caller, **changes), key)


def unsigned(algorithm: str) -> Forge:
    return lambda _, caller: f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims(caller))}."


def by_other_key(_: World, caller: Caller) -> str:
    return jwt.encode({"alg": "HS256"}, claims(caller), OctKey.import_key(b"x" * 32))


def by_empty_key(_: World, caller: Caller) -> str:
    body = f"{part({'alg': 'HS256'})}.{part(claims(caller))}"
    mac = hmac.new(b"", body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by_rsa(_: World, caller: Caller) -> str:
    return jwt.encode({"alg": "RS256"}, claims(caller), RSAKey.generate_key(2048), algorithms=["RS256"])


def by_stronger_hmac(world: World, caller: Caller) -> str:
    key = OctKey.import_key(world.settings.auth.signing_key.encode())
    return jwt.encode({"alg": "HS512"}, claims(caller), key, algorithms=["HS512"])


def tampered(world: World, caller: Caller) -> str:
    head, _, mac = signed(world, caller).split(".")
    return f"{head}.{part(claims(Caller(caller.user_id + 1, caller.session_id)))}.{mac}"


def changed(**changes: object) -> Forge:
    return lambda world, caller: signed(world, caller, **changes)


FORGED: dict[str, Forge] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg nOnE": unsigned("nOnE"),
    "alg empty": unsigned(""),
    "another key": by_other_key,
    "an empty key": by_empty_key,
    "RS256": by_rsa,
    "HS512 with the true key": by_stronger_hmac,
    "content changed": tampered,
    "cut off": lambda world, caller: signed(world, caller)[:-3],
    "one part": lambda world, caller: signed(world, caller).split(".")[0],
    "four parts": lambda world, caller: signed(world, caller) + ".x",
    "no user": changed(sub=...),
    "a user that is a number": changed(sub=1),
    "a user that is no number": changed(sub="1 OR 1=1"),
    "a user with other digits": changed(sub="١"),
    "a user beyond all": changed(sub="9" * 40),
    "a negative user": changed(sub="-1"),
    "no session": changed(sid=...),
    "a session that is text": changed(sid="1"),
    "a session beyond all": changed(sid=2**70),
    "a session that is not theirs": changed(sid=2**40),
    "no end": changed(exp=...),
    "an end that is text": changed(exp="never"),
    "another issuer": changed(iss="somebody"),
    "the issuer of file cookies": changed(iss="fechatter/files"),
    "nothing": lambda _, __: "",
    "dots": lambda _, __: "..",
    "not base64": lambda _, __: "!!.??.**",
    "NUL": lambda _, __: "a%00.b.c",
    "a mebibyte": lambda _, __: "x" * 60_000,
    "deep JSON": lambda _, __: f"{base64.urlsafe_b64encode(b'[' * 1500).decode()}.e30.x",
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_refused(world: World, name: str) -> None:
    (ada,) = await world.people("Ada")
    token = FORGED[name](world, world.as_(ada))
    answer = await world.api.ask("GET", "/api/users/me", token=token)
    problem = answer.problem(401, "unauthenticated")
    assert token not in answer.body.decode() or not token
    assert problem.detail


async def test_an_honest_one_passes(world: World) -> None:
    (ada,) = await world.people("Ada")
    token = signed(world, world.as_(ada))
    assert (await world.api.ask("GET", "/api/users/me", token=token)).status == 200


async def test_an_expired_one_says_so(world: World) -> None:
    (ada,) = await world.people("Ada")
    for exp in (int(time.time()) - 1, 0, -1):
        token = signed(world, world.as_(ada), exp=exp)
        (await world.api.ask("GET", "/api/users/me", token=token)).problem(401, "token_expired")


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "bearer  ", "Token x", "Bearer a b c"])
async def test_other_credentials_are_none(world: World, header: str) -> None:
    answer = await world.api.ask("GET", "/api/users/me", headers={"Authorization": header})
    answer.problem(401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_in_the_address_is_none(world: World) -> None:
    (ada,) = await world.people("Ada")
    for name in ("token", "access_token", "ticket"):
        (await world.api.ask("GET", f"/api/users/me?{name}={ada.token}")).problem(401, "unauthenticated")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens(b"short", "fechatter", 60)
