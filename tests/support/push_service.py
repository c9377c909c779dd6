"""A push service on this machine, with devices that decrypt what comes (RFC 8030, 8188, 8291), and check who signed.

PushService.start()   a real HTTP server; use with `async with`
service.device()      a browser's subscription there: `.form` to send to the API, `.heard` what came, decrypted
service.answers       statuses to give next, each once; then 201
service.awake         cleared, it takes what comes and does not answer until it is set
"""

import asyncio
import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import http_ece
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.support.ports import free_port


class Device:
    """One browser.

    heard     payloads, in the order they came
    headers   of each push
    gone      answers 410 from now on
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.gone = False
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def form(self) -> dict[str, object]:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": _encoded(point), "auth": _encoded(self._auth)}}

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        assert headers["Content-Encoding"] == "aes128gcm"
        assert len(body) <= 4096
        clear: bytes = cast("Any", http_ece).decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        self.heard.append(msgspec.json.decode(clear))
        self.headers.append(headers)


class PushService:
    """Tells its devices apart by the path.

    answers   statuses to give next, each once
    asked     how many pushes came, taken or not
    awake     while it is not set, none is answered
    """

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.answers: list[int] = []
        self.retry_after: str | None = None
        self.asked = 0
        self.awake = asyncio.Event()
        self.awake.set()
        self._devices: dict[str, Device] = {}

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncGenerator["PushService"]:
        service = cls(free_port())
        app = web.Application()
        app.router.add_post("/{name}", service._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(service.origin.rpartition(":")[2])).start()
        try:
            yield service
        finally:
            await runner.cleanup()

    def device(self) -> Device:
        device = Device(f"{self.origin}/{len(self._devices)}")
        self._devices[device.endpoint] = device
        return device

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.awake.wait()
        if self.answers:
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return web.Response(status=self.answers.pop(0), headers=headers)
        device = self._devices.get(f"{self.origin}{request.path}")
        if device is None or device.gone:
            return web.Response(status=410)
        self._check_signature(request.headers["Authorization"])
        device.take(await request.read(), dict(request.headers))
        return web.Response(status=201)

    def _check_signature(self, header: str) -> None:
        scheme, _, rest = header.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert scheme == "vapid"
        token = jwt.decode(parts["t"], _public(parts["k"]), algorithms=["ES256"])
        assert token.claims["aud"] == self.origin
        assert token.claims["sub"].startswith(("mailto:", "https:"))


def _public(text: str) -> ECKey:
    point = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": _encoded(point[1:33]), "y": _encoded(point[33:])})


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
