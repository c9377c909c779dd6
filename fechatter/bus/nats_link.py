"""One connection to NATS, made again whenever it is lost.

NatsLink.run      connected for as long as it goes, again and again, until cancelled
NatsLink.client   the connection of this moment
NatsLink.why      why there is none, in a sentence
NatsLink.probe    which servers can be used, and why not
NatsClient        nats-py's, stricter
subscribe, answers   its own, with the types that it leaves open
write     publish without waiting for a turn of the loop

Each connection is a new client, to one server at a time: what was in the air when the old one broke is known to be
unanswered, and nothing is sent twice by a buffer. A connection that does not answer within a second is given up. Where
TLS is asked for, a server that offers none is told nothing. Certificates are read anew for each connection, so that
renewed ones are used without a restart. A server that does not let us do what we need ends the connection: one that
looks well and carries nothing would be worse than none.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import cycle, islice
from typing import Any
from urllib.parse import unquote, urlsplit

from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import Transport

from fechatter import logs
from fechatter.bus.nats_reasons import FAILURES, NoTls, Refused, why
from fechatter.bus.outage import STEADY_S, Outage
from fechatter.bus.subjects import MSG_ID
from fechatter.config import Messaging
from fechatter.domain.errors import OperatorError

CONNECT_S = 3.0
BEAT_S = 1.0
"""A connection is asked so often whether it lives, and has so long to answer."""
CLOSE_S = 1.0
"""What is still to be done for a connection that is given up, and its closing, take so long at most."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
INBOX = "_INBOX_fechatter"

log = logs.get(__name__)

# nats-py makes its streams over TLS by hand, and asyncio warns of that at the end of each.
logging.getLogger("asyncio").addFilter(lambda record: "eof_received() has no effect" not in str(record.msg))


class NatsClient(Client):
    """nats-py's, stricter.

    It takes what the server says of TLS for granted: who sits between could have the password in the clear. And what
    the server does not permit is a note to it, whatever is lost by that.

    ended      set when the connection has ended, or is of no use
    problems   what happened while it was made, and what makes it useless
    refusal    what the server did not permit last, for whoever waits for an answer in vain; goes on after "it"
    """

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()
        self.problems: list[BaseException] = []
        self.refusal = ""

    def check(self) -> None:
        """Raise Refused if the server does not let us do what we need."""
        for problem in self.problems:
            if isinstance(problem, Refused):
                raise problem

    async def close(self) -> None:
        if self._flush_queue is not None:  # nats-py fails to close what has not come as far as connecting
            await super().close()

    async def note(self, error: Exception) -> None:
        log.debug("nats.error", error=f"{type(error).__name__}: {error}")
        if "permissions violation" in str(error):
            refused = Refused(str(error))
            self.refusal = str(refused)
            if "fechatter." in self.refusal:  # not the care of JetStream's stream: an operator may do that
                self.problems.append(refused)
                self.ended.set()
        elif not self.is_connected:
            self.problems.append(error)

    async def note_end(self) -> None:
        self.ended.set()

    def _connect_command(self) -> bytes:
        if "tls" in self.options and not self._server_info.get("tls_required"):
            raise NoTls
        return super()._connect_command()


Use = Callable[[NatsClient], Awaitable[None]]
"""Works with a connection until it is cancelled, when the connection is lost."""


class NatsLink:
    """The way to NATS.

    client   the connection that works now; None while there is none
    """

    def __init__(self, settings: Messaging, name: str, purpose: str) -> None:
        """`purpose`: for the log. Raises OperatorError if certificates cannot be read."""
        self.client: NatsClient | None = None
        self._settings = settings
        self._name = name
        self._purpose = purpose
        self._outage = Outage(log, "nats.lost", "nats.connected")
        _tls_of(settings)
        urls = [url.strip() for url in settings.url.split(",") if url.strip()]
        random.shuffle(urls)
        self._urls = cycle(urls)
        self._many = len(urls)

    @property
    def why(self) -> str:
        """Why the server that was tried last cannot be used; goes on after "it"."""
        return self._outage.why

    async def run(self, use: Use) -> None:
        """Connect and let `use` work; when the connection is lost, do it again. Until cancelled."""
        pause, tries = FIRST_PAUSE_S, 0
        while not _is_cancelled():
            began = asyncio.get_running_loop().time()
            await self._live(next(self._urls), use)
            if asyncio.get_running_loop().time() - began > STEADY_S:
                pause, tries = FIRST_PAUSE_S, 0  # it had worked
            tries += 1
            if tries % self._many == 0:  # the other servers of a cluster first, without a pause
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE_S)
        raise asyncio.CancelledError

    async def probe(self) -> dict[str, str]:
        """Each server's address, with why it cannot be used; empty: it can."""
        found: dict[str, str] = {}
        for url in islice(self._urls, self._many):
            client = NatsClient()
            failed = False
            try:
                await self._connect(client, url)
            except FAILURES as error:
                client.problems.append(error)
                failed = True
            await _close(client)
            found[_shown(url)] = why(client.problems, self._settings, url) if failed else ""
        return found

    async def _live(self, url: str, use: Use) -> None:
        """One connection, from beginning to end."""
        client = NatsClient()
        using: asyncio.Task[None] | None = None
        try:
            await self._connect(client, url)
            self.client = client
            self._outage.ends(server=_shown(url), to=self._purpose)
            using = asyncio.ensure_future(_as_coroutine(use, client))
            await self._watch(client, using)
        except FAILURES as error:
            client.problems.append(error)
        finally:
            self.client = None
            if using is not None:
                using.cancel()
                await asyncio.wait([using], timeout=CLOSE_S)
            await _close(client)
        if client.problems:
            self._outage.lasts(why(client.problems, self._settings, url), server=_shown(url), to=self._purpose)

    async def _connect(self, client: NatsClient, url: str) -> None:
        async with asyncio.timeout(CONNECT_S):
            await client.connect(
                servers=[url],
                name=self._name,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=int(CONNECT_S),
                error_cb=client.note,
                closed_cb=client.note_end,
                inbox_prefix=INBOX,
                **self._sign_in(url),
            )
        if not client.is_connected:  # nats-py goes on when the server hangs up instead of answering
            raise ConnectionError("closed while signing in")
        client.problems.clear()

    async def _watch(self, client: NatsClient, using: "asyncio.Task[None]") -> None:
        """Raise once the connection is lost, silent or no longer used."""
        while not _is_cancelled():
            ending = asyncio.ensure_future(client.ended.wait())
            done, _ = await asyncio.wait((ending, using), timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if client.ended.is_set():
                client.check()
                raise ConnectionError("closed") if client.last_error is None else client.last_error
            if using in done:
                using.result()
                raise ConnectionError("no longer used")
            await answers(client)

    def _sign_in(self, url: str) -> dict[str, Any]:
        settings = self._settings
        given: dict[str, Any] = {}
        if settings.creds:
            given["user_credentials"] = RawCredentials(settings.creds.replace("\r\n", "\n"))
        elif settings.nkey:
            given["nkeys_seed_str"] = settings.nkey
        elif settings.token:
            given["token"] = settings.token
        elif settings.user:
            given |= {"user": settings.user, "password": settings.password}
        else:
            given |= _in_url(url)
        if (tls := _tls_of(settings)) is not None or url.startswith("tls:"):
            given["tls"] = tls or ssl.create_default_context()
        return given


async def subscribe(client: Client, subject: str, hear: Callable[[Msg], Awaitable[None]]) -> Subscription:
    """Raises nats.errors.Error."""
    return await client.subscribe(subject, cb=hear)  # pyright: ignore[reportUnknownMemberType]


async def answers(client: NatsClient) -> None:
    """Return once the server has taken all that was sent to it. Raises TimeoutError or nats.errors.Error."""
    await client.flush(timeout=BEAT_S)  # pyright: ignore[reportArgumentType] - parts of a second will do
    client.check()


def write(client: Client, subject: str, payload: bytes, reply: str = "", message_id: str = "") -> None:
    """Hand a message to the socket at once. What is under way when the connection breaks is lost.

    The client's own publish() takes two turns of the event loop to do so, which under load is most of the time that a
    hint needs. Nobody awaits anything here: the caller limits how much may be unanswered.
    """
    transport: Transport | None = client._transport  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    if transport is None or not client.is_connected:
        return
    with suppress(OSError, RuntimeError):  # it breaks at this moment, which its own tasks will notice
        transport.write(_command(subject, payload, reply, message_id))


def _command(subject: str, payload: bytes, reply: str, message_id: str) -> bytes:
    """As the protocol spells it."""
    if not message_id:
        return b"PUB %b %d\r\n%b\r\n" % (f"{subject} {reply}".strip().encode(), len(payload), payload)
    head = f"NATS/1.0\r\n{MSG_ID}: {message_id}\r\n\r\n".encode()
    sizes = b"%d %d" % (len(head), len(head) + len(payload))
    return b"HPUB %b %b %b\r\n%b%b\r\n" % (subject.encode(), reply.encode(), sizes, head, payload)


def _is_cancelled() -> bool:
    """Python 3.11's wait_for(), in nats-py, swallows a cancellation that comes together with what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _as_coroutine(use: Use, client: NatsClient) -> None:
    await use(client)


async def _close(client: NatsClient) -> None:
    with suppress(*FAILURES):
        await asyncio.wait_for(client.close(), CLOSE_S)


def _in_url(url: str) -> dict[str, str]:
    """nats-py takes what stands there as it is; elsewhere in NATS it is percent-encoded, as in any URL."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    if parts.password is None:
        return {"token": unquote(parts.username)}
    return {"user": unquote(parts.username), "password": unquote(parts.password)}


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 4222}"


def _tls_of(settings: Messaging) -> ssl.SSLContext | None:
    if not (settings.tls_ca or settings.tls_cert):
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.tls_ca) if settings.tls_ca else None)
        if settings.tls_cert:
            # An empty passphrase: OpenSSL would ask for one on the terminal, and the process would wait.
            context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ssl.SSLError) as problem:
        raise OperatorError(
            f"The certificates for NATS cannot be read ({problem}): correct messaging.tls_ca, messaging.tls_cert and "
            "messaging.tls_key."
        ) from problem
    return context
