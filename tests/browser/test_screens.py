"""Each screen for everyone: by keyboard and screen reader, in both languages, on a phone, light and dark."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitors
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.flow.conftest import Crowd
from tests.support.stack import ROOT

AXE: Path = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
# What goes on for ever is not waited for.
AT_REST = """async () => {
    const passing = () => document.getAnimations().filter(one => one.effect.getComputedTiming().endTime !== Infinity);
    for (let all = passing(); all.length > 0; all = passing()) await Promise.allSettled(all.map(one => one.finished));
}"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def axe_source() -> str:
    """The checker of the web client's development dependencies; it returns nothing when evaluated."""
    return f"{AXE.read_text()}; undefined"


async def complaints_of_axe(page: Page) -> list[str]:
    """What axe-core finds wrong, each with the first element it found it at. It runs beside the page's own policy.

    Colours are looked at once they have come to rest.
    """
    await page.evaluate(axe_source())
    await page.evaluate(AT_REST)
    found: dict[str, Any] = await page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", WCAG
    )
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html']}" for each in found["violations"]]


async def lively(crowd: Crowd) -> tuple[Person, Chat]:
    """Somebody with a chat in which something was said."""
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("PublicChannel", "harbour", others=[bob, eve])
    await ada.create_chat("Group", "plans", others=[bob, eve])
    await bob.post(chat, f"Good morning @{ada.user.username}, see **the list**:\n\n- one\n- `two`")
    await ada.post(chat, "Thanks!")
    return ada, chat


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/signin", "/signup"])
async def test_a_newcomers_screens_have_no_barrier(visitors: Visitors, path: str, dark: bool) -> None:
    page = await visitors.arrive(path, dark=dark)
    await expect(page.get_by_label("Email")).to_be_visible()
    assert await complaints_of_axe(page) == []


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_chat_screens_have_no_barrier(visitors: Visitors, crowd: Crowd, phone: bool, dark: bool) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, phone=phone, dark=dark)
    await expect(page.get_by_role("navigation", name="Chats").get_by_role("link")).to_have_count(2)
    assert await complaints_of_axe(page) == []
    await page.goto(f"/chats/{chat.id}")
    await expect(page.get_by_role("log", name="Messages").get_by_text("Thanks!")).to_be_visible()
    assert await complaints_of_axe(page) == []


async def test_the_new_chat_dialog_has_no_barrier(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada)
    await page.get_by_role("button", name="New chat").first.click()
    await expect(page.get_by_role("dialog", name="New chat")).to_be_visible()
    assert await complaints_of_axe(page) == []


async def test_screens_are_found_by_the_names_that_screen_readers_say(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    newcomer = await visitors.arrive("/signup")
    for label in ("Full name", "Email"):
        await expect(newcomer.get_by_role("textbox", name=label)).to_be_visible()
    await expect(newcomer.get_by_label("Password", exact=True)).to_have_attribute("type", "password")
    await expect(newcomer.get_by_role("button", name="Create account")).to_be_visible()
    await newcomer.goto("/signin")
    await expect(newcomer.get_by_role("button", name="Sign in")).to_be_visible()
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    await expect(page.get_by_role("log", name="Messages")).to_have_attribute("aria-live", "off")
    await page.get_by_role("textbox", name="Message").fill("something")
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()


async def test_everything_can_be_read_in_chinese(visitors: Visitors, crowd: Crowd) -> None:
    """Who comes with a Chinese browser gets Chinese; no English word is left but names."""
    newcomer = await visitors.arrive("/signup", locale="zh-CN")
    await expect(newcomer.locator("html")).to_have_attribute("lang", "zh")
    assert not _english(await newcomer.locator("main").inner_text(), "Fechatter", "English")
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", locale="zh-CN")
    await expect(page.get_by_role("log").get_by_text("Thanks!")).to_be_visible()
    side = await page.get_by_role("main").locator("footer, form").all_inner_texts()
    assert not _english(" ".join(side), "Ada", "Lovelace", "Enter", "Shift")


async def test_a_phone_shows_one_thing_at_a_time_and_nothing_beside_the_edge(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    await ada.post(chat, "a-word-as-long-as-" + "x" * 400)
    page = await visitors.sign_in(ada, phone=True)
    await page.get_by_role("navigation", name="Chats").get_by_role("link").first.click()
    await expect(page.get_by_role("log", name="Messages")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Chats")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.get_by_role("link", name="Back to chats").click()
    await expect(page.get_by_role("navigation", name="Chats")).to_be_visible()


@pytest.mark.parametrize(("kind", "people"), [("Public channel", 0), ("Private channel", 1), ("Group", 2)])
async def test_a_chat_is_created_in_its_dialog(visitors: Visitors, crowd: Crowd, kind: str, people: int) -> None:
    ada = await crowd.sign_up()
    names = ["Bob", "Eve"]
    await crowd.colleagues(ada, *names)
    page = await visitors.sign_in(ada)
    await page.get_by_role("button", name="New chat").first.click()
    dialog = page.get_by_role("dialog", name="New chat")
    await dialog.get_by_label("Type").select_option(kind)
    await dialog.get_by_label("Name").fill("riverside")
    for name in names[:people]:
        await dialog.get_by_label("Members").fill(name)
        await dialog.get_by_role("option", name=name).click()
    await dialog.get_by_role("button", name="Create chat").click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    (chat,) = await ada.chats()
    assert (chat.name, chat.type, chat.member_count) == ("riverside", kind.title().replace(" ", ""), people + 1)


def _english(text: str, *names: str) -> list[str]:
    """Latin words in `text` that are not names."""
    words = "".join(char if char.isascii() else " " for char in text).split()
    return [word for word in words if word.isalpha() and len(word) > 2 and word not in names]
