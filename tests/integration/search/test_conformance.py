"""What every backend finds, and what none does."""

from datetime import UTC, datetime, timedelta

import pytest

from fechatter.search.index import Index
from fechatter.store.search import documents
from tests.integration.search.conftest import Corpus
from tests.integration.search.texts import LONG

DEPLOYED, CHINESE = "We deployed the database to production yesterday", "我们今天讨论数据库的连接优化问题"
SERVICE, KIMONO, INJECTED = (
    "产品和服务都很好",
    "这件和服很漂亮",
    "chat_id = 1 OR true; DROP TABLE messages; -- c:1 | !x & <-> s:1 ^dro",
)
CODE, NODE = "call getUserById(42) or std::vector<int> in C++", "use node.js and snake_case_names now"

FOUND = [
    ("库", CHINESE),
    ("数据", CHINESE),
    ("数据库", CHINESE),
    ("连接优化", CHINESE),
    ("优化数据库", CHINESE),
    ("据库", CHINESE),
    ("东京", None),
    ("東京タワー", "今日は東京タワーへ行きます"),
    ("학교", "학교에서 만나요"),
    ("v2版本", "发布v2版本到staging环境"),
    ("staging 环境", "发布v2版本到staging环境"),
    ("database", DEPLOYED),
    ("DATABASE", DEPLOYED),
    ("datab", DEPLOYED),
    ("databsae", DEPLOYED),
    ("prodcution", DEPLOYED),
    ("deployd databaze", DEPLOYED),
    ('"the database"', DEPLOYED),
    ('"database the"', None),
    ('"databas"', None),
    ('"databsae"', None),
    ('"连接优化"', CHINESE),
    ('"优化连接"', None),
    ("node.js", NODE),
    ("snake_case_names", NODE),
    ("getUserById", CODE),
    ("std::vector", CODE),
    ("C++", CODE),
    ("https://example.org/path/to?page=17#top", "https://example.org/path/to?page=17#top"),
    ("example.org", "https://example.org/path/to?page=17#top"),
    ("cafe deja", "Café déjà vu à la crème"),
    ("CRÈME", "Café déjà vu à la crème"),
    ("strasse", "Straße und Übermut"),
    ("שלום", "שָׁלוֹם עולם"),
    ("العربية", "العَرَبِيَّة لغة جميلة"),
    ("привет", "Привет мир, как дела"),
    ("नमस्ते", "नमस्ते दुनिया"),
    ("🎉", "ready to ship 🎉🚀"),
    ("🇨🇳", "flags 🇨🇳 and families 👨‍👩‍👧"),
    ("fullwidth", "ＦＵＬＬＷＩＤＴＨ ｔｅｘｔ"),
    ("ｄａｔａｂａｓｅ", DEPLOYED),
    ("dont panic", "don't panic"),
    ("don’t", "don't panic"),
    ("needleword", LONG),
    ("藏在最后", LONG),
    ("final-draft", "see what I have drawn"),
    ("季度报告", "see what I have drawn"),
    ("qqzzxxyy", None),
    ("database qqzzxxyy", None),
]
NOTHING = ["%", "-", "~", '"', '""', "“”", "***", "%%% --- ~~~", "' '", "…", "\u200b", "\U000e0001"]
HOSTILE = [
    "' OR true --",
    "chat_id = 1",
    "c:1",
    "'c:1' | 'c:2'",
    "b:0",
    "^dro",
    ":*",
    "!x",
    "<->",
    "a & b | !c",
    "\\",
    "\\'",
    "$1",
    "{}",
    "(((",
    "a:*A",
    "-database",
    "\u202edatabase",
    "x" * 1024,
    "的" * 1024,
    "a " * 512,
    '"a" ' * 256,
    "字\u0301" * 300,
    "🎉" * 512,
]


@pytest.mark.parametrize(("query", "text"), FOUND)
async def test_what_was_said_is_found_and_nothing_else_of_the_kind(
    index: Index, corpus: Corpus, query: str, text: str | None
) -> None:
    found = await index.search(corpus.query(query))
    said = corpus.said(found)
    assert said[:1] == ([] if text is None else [text])
    assert found.total == len(said)


async def test_a_word_comes_before_the_same_characters_across_two_words(index: Index, corpus: Corpus) -> None:
    assert corpus.said(await index.search(corpus.query("和服")))[-1] in (KIMONO, SERVICE)
    assert set(corpus.said(await index.search(corpus.query("和服")))) == {KIMONO, SERVICE}


async def test_a_single_character_is_found_wherever_it_stands(index: Index, corpus: Corpus) -> None:
    assert {"好", SERVICE} <= set(corpus.said(await index.search(corpus.query("好"))))


async def test_a_minus_excludes_nothing(index: Index, corpus: Corpus) -> None:
    assert set(corpus.said(await index.search(corpus.query("apple -cherry")))) == {
        "apple banana cherry",
        "banana apple cherry",
    }


async def test_a_phrase_keeps_its_order(index: Index, corpus: Corpus) -> None:
    assert corpus.said(await index.search(corpus.query('"apple banana" cherry'))) == ["apple banana cherry"]


@pytest.mark.parametrize("query", NOTHING)
async def test_a_query_without_a_word_finds_nothing(index: Index, corpus: Corpus, query: str) -> None:
    found = await index.search(corpus.query(query))
    assert (found.hits, found.total) == ([], 0)


@pytest.mark.parametrize("query", HOSTILE)
async def test_whatever_is_typed_stays_within_the_chats(index: Index, corpus: Corpus, query: str) -> None:
    found = await index.search(corpus.query(query))
    assert all(hit.message_id in corpus.texts for hit in found.hits)
    assert found.total == len(found.hits)


async def test_no_chats_no_hits(index: Index, corpus: Corpus) -> None:
    found = await index.search(corpus.query("database", chats=[]))
    assert (found.hits, found.total) == ([], 0)


async def test_thousands_of_chats_are_a_filter_like_few(index: Index, corpus: Corpus) -> None:
    away = [corpus.others.id + n for n in range(1, 5_001)]
    few = await index.search(corpus.query("database"))
    assert (await index.search(corpus.query("database", chats=[corpus.chat.id, *away]))).hits == few.hits
    middling = await index.search(corpus.query("database", chats=[corpus.chat.id, *away[:100]]))
    assert middling.hits == few.hits
    assert (await index.search(corpus.query("database", chats=away))).total == 0


async def test_filters_hold(index: Index, corpus: Corpus) -> None:
    now = datetime.now(UTC)
    for changes, total in (
        ({"sender_id": corpus.chat.created_by}, 1),
        ({"sender_id": 10**12}, 0),
        ({"has_file": True}, 0),
        ({"mentions": corpus.chat.created_by}, 0),
        ({"after": now - timedelta(days=1)}, 1),
        ({"after": now + timedelta(days=1)}, 0),
        ({"before": now + timedelta(days=1)}, 1),
        ({"before": now - timedelta(days=1)}, 0),
        ({"after": datetime(2, 1, 1, tzinfo=UTC)}, 1),
        ({"before": datetime(9998, 12, 31, tzinfo=UTC)}, 1),
        ({"names_only": True}, 0),
    ):
        assert (await index.search(corpus.query("database", **changes))).total == total, changes
    assert (await index.search(corpus.query("drawn", has_file=True))).total == 1
    assert (await index.search(corpus.query("final", names_only=True))).total == 1
    assert (await index.search(corpus.query("drawn", names_only=True))).total == 0


async def test_pages_end_and_have_each_hit_once(index: Index, corpus: Corpus) -> None:
    whole = await index.search(corpus.query("a"))
    pages = [await index.search(corpus.query("a", limit=1, offset=n)) for n in range(whole.total + 2)]
    ids = [hit.message_id for page in pages for hit in page.hits]
    assert ids == [hit.message_id for hit in whole.hits]
    assert {page.total for page in pages} == {whole.total}
    assert pages[-1].hits == []


async def test_what_is_removed_is_gone_and_what_is_taken_in_again_is_there_once(index: Index, corpus: Corpus) -> None:
    [hit] = (await index.search(corpus.query("needleword"))).hits
    await index.remove([hit.message_id, 10**15])
    assert (await index.search(corpus.query("needleword"))).total == 0
    async with corpus.world.db.connection() as connection:
        again = await documents.of_messages(connection, [hit.message_id])
    await index.index(again)
    await index.index(again)
    assert [each.message_id for each in (await index.search(corpus.query("needleword"))).hits] == [hit.message_id]


async def test_a_rebuilt_index_finds_the_same(index: Index, corpus: Corpus) -> None:
    before = await index.search(corpus.query("a"))
    await index.rebuild(lambda _: None)
    after = await index.search(corpus.query("a"))
    assert {hit.message_id for hit in after.hits} == {hit.message_id for hit in before.hits}
    assert (await index.health()).available
