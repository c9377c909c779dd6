"""Typing, presence and receipts reach whom they concern, without a place in the log."""

from datetime import UTC, datetime

from fechatter.domain.events import EventType, Receipt, Typing, peers_of, stream_of_chat, stream_of_user
from fechatter.domain.people import Presence, UserPresence
from fechatter.store.ephemeral import announce
from tests.integration.notify.town import Person, Town


def presence(person: Person) -> UserPresence:
    return UserPresence(user_id=person.id, status=Presence.ONLINE, text=None, last_seen_at=datetime.now(UTC))


async def test_typing_reaches_the_others_of_the_chat(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    chat = await town.chat(ada, bob)
    typing = Typing(chat_id=chat, user_id=ada.id)
    async with town.listen(ada) as own, town.listen(bob) as other, town.listen(eve) as outsider:
        for stream in (own, other, outsider):
            await stream.hello()
        async with town.database.connection() as connection:
            await announce(connection, EventType.TYPING, stream_of_chat(chat), typing, except_user=ada.id)
            for person in (ada, bob, eve):
                mine = Receipt(chat_id=chat, user_id=person.id, last_read_seq=1)
                await announce(connection, EventType.RECEIPT_UPDATED, stream_of_user(person.id), mine)
        heard = await other.next()
        assert (heard.kind, heard.envelope.chat_id, heard.envelope.stream) == ("typing", chat, f"chat:{chat}")
        assert (await other.next()).kind == "receipt.updated"
        assert (await own.next()).kind == "receipt.updated"
        assert (await outsider.next()).kind == "receipt.updated"


async def test_presence_reaches_whoever_shares_a_chat_connected_or_not(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    await town.chat(ada, bob)
    async with town.listen(bob) as peer, town.listen(eve) as stranger:
        await peer.hello()
        await stranger.hello()
        async with town.database.connection() as connection:
            await announce(connection, EventType.PRESENCE_CHANGED, peers_of(ada.id), presence(ada))
            assert (await peer.next()).payload(UserPresence).user_id == ada.id
            async with town.listen(ada) as own:
                await own.hello()
                await announce(connection, EventType.PRESENCE_CHANGED, peers_of(ada.id), presence(ada))
                assert (await own.next()).kind == "presence.changed"
                assert (await peer.next()).kind == "presence.changed"
            await announce(connection, EventType.PRESENCE_CHANGED, peers_of(eve.id), presence(eve))
            assert (await stranger.next()).payload(UserPresence).user_id == eve.id
