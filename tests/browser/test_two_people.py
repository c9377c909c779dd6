"""Two people in two browsers: what one does, the other sees."""

import re

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import Visitors
from tests.browser.writing import stored
from tests.clients.api import PASSWORD, new_email
from tests.flow.conftest import Crowd
from tests.support.waiting import eventually


async def sign_up(page: Page, fullname: str) -> None:
    await page.get_by_label("Full name").fill(fullname)
    await page.get_by_label("Email").fill(new_email())
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.get_by_role("textbox", name="Message").press("Enter")


def log(page: Page, text: str) -> Locator:
    return page.get_by_role("log", name="Messages").get_by_text(text, exact=True)


async def test_two_newcomers_meet_by_an_invite_link_and_talk(visitors: Visitors) -> None:
    """The spine, as its users see it: nobody reloads a page."""
    ada = await visitors.arrive("/signup")
    await sign_up(ada, "Ada Lovelace")
    await ada.get_by_role("button", name="Invite people").first.click()
    await ada.get_by_role("button", name="Create invite link").click()
    link = await ada.get_by_label("Invite link").input_value()
    await ada.keyboard.press("Escape")

    bob = await visitors.arrive(link)
    await sign_up(bob, "Bob Kahn")
    await expect(bob.get_by_role("navigation", name="Chats")).to_be_visible()

    await ada.get_by_role("button", name="New chat").first.click()
    dialog = ada.get_by_role("dialog", name="New chat")
    await dialog.get_by_label("Type").select_option("Direct message")
    await dialog.get_by_label("Members").fill("Bob")
    await dialog.get_by_role("option", name=re.compile("Bob Kahn")).click()
    await dialog.get_by_role("button", name="Create chat").click()

    await say(ada, "Hello Bob, can you hear me?")
    await bob.get_by_role("navigation", name="Chats").get_by_role("link", name=re.compile("Ada Lovelace")).click()
    await expect(log(bob, "Hello Bob, can you hear me?")).to_be_visible()
    await say(bob, "Loud and clear.")
    await expect(log(ada, "Loud and clear.")).to_be_visible()


async def test_an_invite_is_kept_on_the_way_to_sign_in_and_back(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    invite = await ada.invite()
    page = await visitors.arrive(f"/invite/{invite.code}")
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_label("Full name").wait_for(state="detached")
    await page.get_by_role("link", name="Create account").click()
    await expect(page).to_have_url(re.compile(f"/invite/{re.escape(invite.code)}$"))
    await expect(page.get_by_text("invited")).to_be_visible()


async def test_a_message_typed_in_one_window_appears_in_the_other(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    hers = await visitors.sign_in(ada, f"/chats/{chat.id}")
    his = await visitors.sign_in(bob, f"/chats/{chat.id}")
    await expect(his.get_by_role("log", name="Messages")).to_be_visible()
    for text in ("first", "second 第二", "third <b>not bold</b>"):
        await say(hers, text)
        await expect(log(his, text)).to_be_visible()
        await expect(log(hers, text)).to_be_visible()
    assert [message.content for message in await ada.history(chat)] == [
        "third <b>not bold</b>",
        "second 第二",
        "first",
    ]


async def test_a_reload_keeps_the_session_and_the_token_is_nowhere_to_be_read(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    await ada.post(chat, "still here")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(log(page, "still here")).to_be_visible()
    await page.reload()
    await expect(log(page, "still here")).to_be_visible()
    kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in kept
    assert "token" not in kept.lower()


async def test_the_page_comes_back_after_the_network_was_gone(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    page = await visitors.sign_in(bob, f"/chats/{chat.id}")
    await ada.post(chat, "before")
    await expect(log(page, "before")).to_be_visible()
    await page.context.set_offline(True)
    await say(page, "written without a network")
    await ada.post(chat, "meanwhile")
    await page.context.set_offline(False)
    await expect(log(page, "meanwhile")).to_be_visible()
    await expect(page.get_by_text(re.compile("Waiting|Sending|Not sent"))).to_have_count(0)
    contents = [message.content for message in await ada.history(chat)]
    assert contents.count("written without a network") == 1


async def test_a_failed_message_is_sent_once_on_retry(visitors: Visitors, crowd: Crowd) -> None:
    """Every answer is lost until the page gives up: the message was stored, and the retry must not store it again."""
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await page.route("**/events*", lambda route: route.abort())  # nor may an event tell of the message
    await page.reload()
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    lost: list[int] = []

    async def lose_the_answer(route: Route) -> None:
        lost.append((await route.fetch()).status)
        await route.abort("connectionreset")

    await page.route("**/api/chats/*/messages", lose_the_answer)
    await say(page, "once only")
    await expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert lost[:2] == [201, 200]
    await page.unroute("**/api/chats/*/messages")
    await page.get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    await expect(log(page, "once only")).to_have_count(1)
    await page.reload()
    await expect(log(page, "once only")).to_have_count(1)
    await stored(page)
    assert [message.content for message in await ada.history(chat)] == ["once only"]


async def test_a_deep_link_opens_the_chat_in_another_browser(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel", "harbour", others=[bob])
    await ada.post(chat, "at the harbour")
    hers = await visitors.sign_in(ada)
    await hers.get_by_role("navigation", name="Chats").get_by_role("link", name=re.compile("harbour")).click()
    await expect(log(hers, "at the harbour")).to_be_visible()
    his = await visitors.sign_in(bob, hers.url)
    await expect(log(his, "at the harbour")).to_be_visible()


async def test_history_is_scrolled_back_to_the_first_message(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    for number in range(160):
        await ada.post(chat, f"entry {number:03}")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(log(page, "entry 159")).to_be_visible()
    await expect(log(page, "entry 000")).to_have_count(0)
    await page.get_by_role("log", name="Messages").hover()

    async def is_there() -> bool:
        await page.mouse.wheel(0, -2_000)
        return await log(page, "entry 000").count() > 0

    await eventually(is_there, "the first message")
    await expect(log(page, "entry 000")).to_be_visible()
