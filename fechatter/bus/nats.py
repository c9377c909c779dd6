"""Hints by NATS: the side that listens.

NatsBus   subscribes to what its interest names, and to ephemeral news

It subscribes to the subjects themselves, not to a consumer of the JetStream stream on them: a hint comes as soon as it
was published, also while the stream has no leader, and a subscription costs the cluster nothing. What came while it
was not subscribed is in the event log: after each change it says that anything may have happened.
"""

from collections.abc import Awaitable, Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from fechatter.bus import subjects
from fechatter.bus.bus import OnEphemeral, OnNews
from fechatter.bus.interest import Interest
from fechatter.bus.nats_link import NatsClient, NatsLink, answers, subscribe
from fechatter.bus.nats_reasons import standing
from fechatter.config import Messaging

MOST_SUBJECTS = 1_000
"""Whoever wants more than this takes everything: that is less work then."""


class NatsBus:
    """Listens to NATS.

    alive           whether it is connected and subscribed to all that is wanted
    hints           messages with news that came
    subscriptions   how many subjects with news the server is known to pass on
    """

    def __init__(self, settings: Messaging, interest: Interest, name: str) -> None:
        self.alive = False
        self.hints = self.subscriptions = 0
        self._link = NatsLink(settings, name, "listen")
        self._interest = interest
        self._subscribed: dict[str, Subscription] = {}

    @property
    def standing(self) -> str:
        """For /ready: `ok`, or `away` with the reason if that is known."""
        return standing(self.alive, self._link.why)

    async def run(self, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        """Pass hints and ephemeral news on until cancelled; reconnects with growing pauses."""
        await self._link.run(lambda client: self._listen(client, on_news, on_ephemeral))

    async def _listen(self, client: NatsClient, on_news: OnNews, on_ephemeral: OnEphemeral) -> None:
        async def hear(message: Msg) -> None:
            self.hints += 1
            for stream in subjects.streams_in(message.data):
                on_news(stream)

        async def hear_live(message: Msg) -> None:
            on_ephemeral(message.data.decode(errors="replace"))

        self._subscribed.clear()
        try:
            await subscribe(client, subjects.LIVE, hear_live)
            while True:
                self._interest.changed.clear()
                await self._subscribe(client, hear)
                await answers(client)
                self.alive, self.subscriptions = True, len(self._subscribed)
                on_news(None)
                await self._interest.changed.wait()
        finally:
            self.alive, self.subscriptions = False, 0
            self._subscribed.clear()
            on_news(None)

    async def _subscribe(self, client: NatsClient, hear: Callable[[Msg], Awaitable[None]]) -> None:
        wanted = set(self._interest.subjects)
        if len(wanted) > MOST_SUBJECTS:
            wanted = {subjects.ALL}
        for subject in wanted - self._subscribed.keys():
            self._subscribed[subject] = await subscribe(client, subject, hear)
        for subject in self._subscribed.keys() - wanted:
            await self._subscribed.pop(subject).unsubscribe()
