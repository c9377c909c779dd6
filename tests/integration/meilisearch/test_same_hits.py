"""Meilisearch finds what the twin in memory finds, whatever is typed: the same text is cut by the same rules."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fechatter.domain.search import Document, Query
from fechatter.search.meilisearch.documents import document
from fechatter.search.meilisearch.questions import question
from fechatter.search.meilisearch.server import LIVE, Server
from fechatter.search.memory import MemoryIndex
from tests.support.meilisearch import MeilisearchServer

TEXTS = [
    "我们明天开会讨论项目进度",
    "今天天气很好",
    "請大家明天準備會議資料",
    "数据库备份失败，请检查 PostgreSQL 日志",
    "中华人民共和国",
    "用 Kubernetes 部署集群",
    "日本語のテスト",
    "한국어 테스트입니다",
    "ภาษาไทยไม่มีช่องว่าง",
    "message one about the deployment",
    "Kubernetes cluster failed",
    "100% done, 50% to go",
    "~/house/user_path and foo-bar baz",
    "C++ and C# but not C",
    "user_name snake_case camelCase",
    "see https://example.org/path?x=1&y=2#part",
    "mail a.b@example.org, lib.so.6 v1.2.3",
    "🎉 party at 5pm ➜ office",
    "مرحبا بالعالم",
    "שלום עולם",
    "नमस्ते दुनिया",
    "naïve café in Straße",
    "ёлка новогодняя",
    "Ελλάδα καλημέρα",
    "don't panic",
    '"quoted" text \\ with backslash and \' quote',
    "chat_id IN [1] OR sender_id = 1",
    "SELECT * FROM messages; DROP TABLE x",
    "the same word word word",
    "x" * 300,
    "zq0621104eec is no code",
    "一",
    "a",
]
QUERIES = [
    *("会", "会议", "會議", "开会", "项", "讨论项目", "天气", "论项", "数据", "数据库", "备份失败", "人民共和", "一"),
    *("明天", "明天讨论", "用", "部署集群", "日本", "テスト", "테스트", "국어", "ไทย", "ภาษา", "的"),
    *("%", "-", '"', "~", '""', "...", "?", "_", "@", "&", "*", "\\", "   ", "'", '"-"'),
    *("house", "~/house", "-foo", "foo -bar", "foo bar", "foo-bar", "-the deployment", "c++", "C#", "user", "zq"),
    *("snake", "example", "example.org", "example.org/path", "a.b@example.org", "lib.so", "v1.2.3", "5pm", "100%"),
    *("🎉", "party 🎉", "➜", "مرحبا", "مرح", "שלום", "नमस्ते", "cafe", "CAFÉ", "naive", "strasse", "ёлка", "елка"),
    *("ελλαδα", "καλημερα", "dont", "don't", "kubernetes", "kubernets", "kuberntes", "deploymet", "kuber", "postgres"),
    *(
        '"foo bar"',
        '"bar foo"',
        '"明天开会"',
        '"开会明天"',
        '"用 Kubernetes 部署"',
        "kubernetes 部署",
        "部署 kubernetes",
    ),
    *('"quoted', "chat_id", "IN [1]", "sender_id = 1", "OR", "DROP TABLE", "select from messages", "word word"),
    *(
        "x" * 64,
        "x" * 300,
        "zq0621104eec",
        "a",
        "z",
        "nothinglikeit",
        "失败 日志",
        "数据库 PostgreSQL 日志",
        "backslash",
    ),
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Both:
    """The same messages in Meilisearch and in memory."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.memory = MemoryIndex()

    async def fill(self) -> None:
        messages = [
            Document(
                message_id=n,
                workspace_id=1,
                chat_id=n % 3 + 1,
                sender_id=n % 2 + 1,
                content=text,
                file_names=("预算 报告 2026.pdf", "notes.txt") if n % 5 == 0 else (),
                mentions=(7,) if n % 4 == 0 else (),
                sent_at=NOW + timedelta(hours=n),
            )
            for n, text in enumerate(TEXTS, 1)
        ]
        await self.memory.index(messages)
        await self.server.create(LIVE)
        await self.server.put(LIVE, [document(each) for each in messages])

    async def found(self, text: str, **fields: Any) -> tuple[set[int], set[int]]:
        wanted: dict[str, Any] = {"chats": [1, 2, 3], "limit": 100} | fields
        query = Query(text=text, **wanted)
        asked = question(query)
        theirs = {each["id"] for each in (await self.server.search(asked, 1, 100)).hits} if asked else set[int]()
        return theirs, {hit.message_id for hit in (await self.memory.search(query)).hits}


@pytest.fixture(scope="module")
async def both(meilisearch_server: MeilisearchServer) -> AsyncGenerator[Both]:
    meilisearch_server.empty()
    async with Server.open(meilisearch_server.search) as server:
        both = Both(server)
        await both.fill()
        yield both


@pytest.mark.parametrize("text", QUERIES)
async def test_it_finds_the_same(both: Both, text: str) -> None:
    theirs, ours = await both.found(text)
    assert theirs == ours


@pytest.mark.parametrize(
    "fields",
    [
        {"chats": [2]},
        {"chats": []},
        {"chats": list(range(1, 5_000))},
        {"sender_id": 2},
        {"has_file": True},
        {"mentions": 7},
        {"after": NOW + timedelta(hours=10)},
        {"before": NOW + timedelta(hours=10)},
        {"after": NOW + timedelta(hours=5), "before": NOW + timedelta(hours=9), "sender_id": 1},
    ],
)
@pytest.mark.parametrize("text", ["会", "明天", "kubernetes", "the", "报告", "notes"])
async def test_filters_leave_the_same(both: Both, text: str, fields: dict[str, Any]) -> None:
    theirs, ours = await both.found(text, **fields)
    assert theirs == ours


@pytest.mark.parametrize("text", ["报", "报告", "notes", "预算", "2026", "pdf", "明天", "kubernetes"])
async def test_names_alone_find_the_same(both: Both, text: str) -> None:
    theirs, ours = await both.found(text, names_only=True)
    assert theirs == ours
