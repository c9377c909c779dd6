"""Typing, presence and receipts reach whom they concern, without a place in the log."""

from datetime import UTC, datetime

from fechatter.domain.events import EventType, Receipt, Typing, peers_of, stream_of_chat, stream_of_user
from fechatter.domain.people import Presence, UserPresence
from fechatter.store.log.ephemeral import announce
from tests.clients.sse import EventStream
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
        heard = await other.until(lambda event: event.kind == "typing", "typing")
        assert (heard.kind, heard.envelope.chat_id, heard.envelope.stream) == ("typing", chat, f"chat:{chat}")
        for stream in (other, own, outsider):
            await stream.until(lambda event: event.kind == "receipt.updated", "receipt.updated")
        assert not any(event.kind == "typing" for stream in (own, outsider) for event in stream.ephemera)


async def test_presence_reaches_whoever_shares_a_chat_connected_or_not(town: Town) -> None:
    ada, bob, eve = await town.people(3)
    await town.chat(ada, bob)
    async with town.listen(bob) as peer, town.listen(eve) as stranger:
        await peer.hello()
        await stranger.hello()
        async with town.database.connection() as connection:
            await announce(connection, EventType.PRESENCE_CHANGED, peers_of(ada.id), presence(ada))
            await _status(peer, ada, Presence.ONLINE)
            async with town.listen(ada) as own:
                await own.hello()
                await announce(connection, EventType.PRESENCE_CHANGED, peers_of(ada.id), presence(ada))
                await _status(own, ada, Presence.ONLINE)
                await _status(peer, ada, Presence.ONLINE)
            await announce(connection, EventType.PRESENCE_CHANGED, peers_of(eve.id), presence(eve))
            await _status(stranger, eve, Presence.ONLINE)
        assert all(event.payload(UserPresence).user_id == eve.id for event in stranger.ephemera)


async def test_an_open_stream_makes_a_person_present_and_closing_the_last_one_absent(town: Town) -> None:
    ada, bob = await town.people(2)
    await town.chat(ada, bob)
    async with town.listen(bob) as watching:
        await watching.hello()
        async with town.listen(ada) as stream:
            await stream.hello()
            await _status(watching, ada, Presence.AWAY)  # connected, but not doing anything
        await _status(watching, ada, Presence.OFFLINE)


async def _status(watching: EventStream, person: Person, status: Presence) -> None:
    """Wait until the watcher is told so."""
    await watching.until(
        lambda event: (
            event.kind == "presence.changed"
            and (told := event.payload(UserPresence)).user_id == person.id
            and told.status is status
        ),
        f"{status} of {person.id}",
    )
