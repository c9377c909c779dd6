"""The search page, against the real index."""

import re

from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Visitors
from tests.browser.test_screens import complaints_of_axe
from tests.clients.api import Person
from tests.clients.shapes import Chat
from tests.flow.conftest import Crowd


async def harbour(crowd: Crowd) -> tuple[Person, Person, Chat]:
    """A chat with a long history, in which some messages are about a lighthouse."""
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob Kahn", "Eve Lighthouse")
    chat = await ada.create_chat("PublicChannel", "lighthouse-keepers", others=[bob, eve])
    for number in range(30):
        await bob.post(chat, f"The lighthouse was lit, evening {number}")
    for number in range(60):
        await ada.post(chat, f"nothing seen, watch {number}")
    await ada.post(chat, f"灯塔今晚没有亮。 @{bob.user.username}")
    return ada, bob, chat


async def look_for(page: Page, words: str) -> None:
    await page.get_by_role("searchbox", name="Search").fill(words)
    await page.keyboard.press("Enter")


async def test_a_word_is_found_marked_and_leads_to_its_place(visitors: Visitors, crowd: Crowd) -> None:
    ada, _, chat = await harbour(crowd)
    page = await visitors.sign_in(ada)
    await look_for(page, "lighthouse")
    messages = page.get_by_role("region", name="Messages")
    await expect(messages.locator("mark").first).to_have_text(re.compile("lighthouse", re.IGNORECASE))
    await expect(page.get_by_text("30 messages found")).to_be_visible()
    await expect(page.get_by_role("region", name="People").get_by_text("Eve Lighthouse")).to_be_visible()
    await expect(page.get_by_role("link", name="lighthouse-keepers", exact=True)).to_be_visible()
    assert await complaints_of_axe(page) == []
    await messages.get_by_role("link").first.click()
    await expect(page).to_have_url(re.compile(rf"/chats/{chat.id}\?message=\d+$"))
    await expect(page.get_by_role("log", name="Messages").get_by_text(re.compile("evening")).first).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("searchbox", name="Search")).to_have_value("lighthouse")


async def test_pages_of_hits_come_to_an_end(visitors: Visitors, crowd: Crowd) -> None:
    ada, _, _ = await harbour(crowd)
    page = await visitors.sign_in(ada, "/search?q=lighthouse")
    hits = page.get_by_role("region", name="Messages").get_by_role("listitem")
    await expect(hits).to_have_count(25)
    await page.get_by_role("button", name="Show more").click()
    await expect(hits).to_have_count(30)
    await expect(page.get_by_text("That is all.")).to_be_visible()


async def test_filters_are_in_the_address_and_narrow_down(visitors: Visitors, crowd: Crowd) -> None:
    ada, bob, chat = await harbour(crowd)
    page = await visitors.sign_in(bob, "/search?q=灯塔")
    await expect(page.get_by_text("1 message found")).to_be_visible()
    await page.get_by_label("Mentions me").check()
    await expect(page).to_have_url(re.compile("mentions=me"))
    await expect(page.get_by_text("1 message found")).to_be_visible()
    await page.get_by_label("Has a file").check()
    await expect(page.get_by_text("Nothing found for “灯塔”.")).to_be_visible()
    assert await complaints_of_axe(page) == []
    await page.go_back()
    await expect(page.get_by_text("1 message found")).to_be_visible()
    await page.goto(f"/search?q=watch&chat_id={chat.id}&sender_id={ada.id}")
    await expect(page.get_by_text("60 messages found")).to_be_visible()
    await expect(page.get_by_role("heading", name="Search in lighthouse-keepers")).to_be_visible()


async def test_a_chat_is_searched_from_its_head_on_a_phone(visitors: Visitors, crowd: Crowd) -> None:
    ada, _, chat = await harbour(crowd)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=True, dark=True)
    await page.get_by_role("link", name="Search in this chat").click()
    assert await complaints_of_axe(page) == []
    await look_for(page, "evening")
    await expect(page.get_by_text("30 messages found")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_search_that_fails_says_so_and_can_be_tried_again(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    page = await visitors.sign_in(ada)

    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/api/search/messages**", refuse)
    await look_for(page, "anything")
    await expect(page.get_by_role("alert").filter(has_text="The search did not work.")).to_be_visible()
    assert await complaints_of_axe(page) == []
    await page.unroute("**/api/search/messages**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("Nothing found for “anything”.")).to_be_visible()
