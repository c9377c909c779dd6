"""How well the search finds what somebody remembers: messages of a real history, asked for by some of their words."""

import itertools
import random
import re
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from fechatter.domain.search import MOST_FOUND, Document, Query
from fechatter.search import upkeep
from fechatter.search.index import Index
from tests.integration.search.conftest import BACKENDS
from tests.support.corpus import chinese, english
from tests.support.world import World

MESSAGES = 12_000
QUERIES = 500
CHAT = 10**9
_WORD = re.compile(r"[A-Za-z]{5,20}")


@pytest.fixture(scope="module")
async def texts(town: World) -> list[str]:
    """English and Chinese, turn by turn; the text's place is its message's number."""
    real = itertools.islice((text for text in english() if 0 < len(text) < 4_000 and "\x00" not in text), MESSAGES // 2)
    said = [text for pair in zip(real, chinese(), strict=False) for text in pair]
    begin = datetime.now(UTC) - timedelta(minutes=len(said))
    async with town.db.connection() as connection:
        await connection.copy_records_to_table(
            "messages",
            columns=["workspace_id", "chat_id", "seq", "sender_id", "content", "created_at"],
            records=[(1, CHAT, n, 1, text, begin + timedelta(minutes=n)) for n, text in enumerate(said)],
        )
    await town.db.fetch("UPDATE search_backfill SET first_id = NULL, next_id = NULL")
    await upkeep.complete(town.db)
    await town.db.fetch("ANALYZE message_words")
    return said


@pytest.fixture(scope="module", params=["builtin", "meilisearch"])
async def index(request: pytest.FixtureRequest, town: World, texts: list[str]) -> AsyncGenerator[Index]:
    async with BACKENDS[request.param](town, request) as index:
        if request.param == "meilisearch":  # whose build leaves out what is in no chat
            documents = await _documents(town, texts)
            for start in range(0, len(documents), 5_000):
                await index.index(documents[start : start + 5_000])
        yield index


async def test_a_remembered_message_is_among_the_first_ten(town: World, index: Index, texts: list[str]) -> None:
    assert await _success(town, index, texts, _asked_for(texts)) >= 0.97


async def test_a_misspelt_word_seldom_hides_it(town: World, index: Index, texts: list[str]) -> None:
    asked = [(n, [_misspelt(words[0]), *words[1:]]) for n, words in _asked_for(texts)]
    assert await _success(town, index, texts, asked) >= 0.95


async def test_every_two_characters_of_chinese_are_found_wherever_they_stand(index: Index, texts: list[str]) -> None:
    chance = random.Random(3)
    runs = [run for text in texts for run in re.findall(r"[\u4e00-\u9fff]{2,}", text)]
    pairs = {run[n : n + 2] for run in chance.sample(runs, 100) for n in [chance.randrange(len(run) - 1)]}
    for pair in pairs:
        holding = sum(pair in text for text in texts)
        assert (await index.search(Query(text=pair, chats=[CHAT]))).total == min(holding, MOST_FOUND), pair


def _asked_for(texts: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Messages, each with three of its longer words, the longest first."""
    chance = random.Random(7)
    wordy = [(n, words) for n, text in enumerate(texts) if len(words := list(dict.fromkeys(_WORD.findall(text)))) >= 4]
    chosen = chance.sample(wordy, min(QUERIES, len(wordy)))
    return [(n, sorted(words, key=len, reverse=True)[:3]) for n, words in chosen]


def _misspelt(word: str) -> str:
    """Two letters in the middle changed over, or one doubled where they are the same."""
    middle = len(word) // 2
    first, second = word[middle - 1], word[middle]
    return word[: middle - 1] + (second + first if first != second else first * 3) + word[middle + 1 :]


async def _documents(town: World, texts: list[str]) -> list[Document]:
    rows = await town.db.fetch("SELECT id, seq, created_at FROM messages WHERE chat_id = $1", CHAT)
    return [
        Document(
            message_id=row["id"],
            workspace_id=1,
            chat_id=CHAT,
            sender_id=1,
            content=texts[int(row["seq"])],
            file_names=(),
            mentions=(),
            sent_at=row["created_at"],
        )
        for row in rows
    ]


async def _success(town: World, index: Index, texts: Sequence[str], asked: Sequence[tuple[int, list[str]]]) -> float:
    hits = 0
    rows = await town.db.fetch("SELECT id, seq FROM messages WHERE chat_id = $1", CHAT)
    places = {row["id"]: row["seq"] for row in rows}
    for n, words in asked:
        found = await index.search(Query(text=" ".join(words), chats=[CHAT], limit=10))
        hits += any(texts[places[hit.message_id]] == texts[n] for hit in found.hits)
    return hits / len(asked)
