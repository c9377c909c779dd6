"""The history: long ones, days, replies, pictures, who has seen what; by keyboard, and while others talk."""

import asyncio
import re

import asyncpg
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitors
from tests.browser.test_screens import complaints_of_axe
from tests.browser.test_two_people import log, say
from tests.browser.writing import box, messages, on_the_device, picture, stored, touch
from tests.clients.api import Person
from tests.clients.shapes import Chat, Message
from tests.flow.conftest import Crowd
from tests.support.waiting import eventually

LONG, AT_ONCE = 5_000, 100
DRAWN_MOST = 250


async def fill(person: Person, chat: Chat, count: int) -> None:
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(count, start + AT_ONCE))
        await asyncio.gather(*(person.post(chat, f"entry {n:04} " + "words " * (n % 23)) for n in numbers))


async def drawn(page: Page) -> list[int]:
    """Numbers of the messages in the page, in the order that they stand there."""
    ids: list[str] = await messages(page).evaluate_all("all => all.map((one) => one.dataset.id ?? '0')")
    return [int(one) for one in ids]


async def scroll(page: Page, by: int, goal: Locator) -> None:
    """With the wheel until `goal` is there; on the way, what is drawn stands in order and never grows without bound."""
    await page.get_by_role("log").hover()
    before: list[int] = []

    async def goes_on() -> bool:
        await page.mouse.wheel(0, by)
        await page.evaluate("new Promise(requestAnimationFrame)")
        return await drawn(page) != before or await goal.count() > 0

    while not await goal.count():
        await eventually(goes_on, f"it goes on towards {goal}")
        before = await drawn(page)
        assert before == sorted(before)
        assert len(before) <= DRAWN_MOST


async def test_five_thousand_messages_are_scrolled_both_ways(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    await fill(ada, chat, LONG)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    newest = (await ada.history(chat, "?limit=1"))[0]
    end, start = page.locator(f'[data-id="{newest.id}"]'), page.get_by_text("This is the beginning")
    await expect(end).to_be_visible()
    await scroll(page, -12_000, start)
    await expect(start).to_be_visible()
    await scroll(page, 12_000, page.get_by_text(re.compile(r"entry [1-4]\d{3}")).first)
    await page.get_by_role("button", name="Jump to a date").click()
    await page.get_by_role("button", name="The beginning").click()
    await expect(start).to_be_visible()
    await page.get_by_role("button", name="Jump to present").click()
    await expect(end).to_be_visible()


async def test_a_day_is_jumped_to(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    await fill(ada, chat, 200)
    await _grow_old(crowd, chat)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await page.get_by_role("button", name="Jump to a date").click()
    dialog = page.get_by_role("dialog", name="Jump to a date")
    await expect(dialog).to_be_visible()
    assert await complaints_of_axe(page) == []
    old = (await ada.whole_history(chat))[50]
    await dialog.get_by_label("Day").fill(f"{old.created_at:%Y-%m-%d}")
    await dialog.get_by_role("button", name="Go", exact=True).click()
    await expect(page.locator(f'[data-id="{old.id}"]')).to_be_visible()
    await expect(page).to_have_url(re.compile(f"message={old.id}$"))


async def _grow_old(crowd: Crowd, chat: Chat) -> None:
    """Each message was said a day after the one before it; the last one today."""
    connection = await asyncpg.connect(crowd.stack.database_url)
    await connection.execute(
        """
        UPDATE messages m
        SET created_at = date_trunc('day', now()) + interval '1 hour' - (c.last_seq - m.seq) * interval '1 day'
        FROM chats c WHERE c.id = m.chat_id AND c.id = $1
        """,
        chat.id,
    )
    await connection.execute("UPDATE chats SET created_at = now() - interval '2 years' WHERE id = $1", chat.id)
    await connection.close()


async def test_who_went_on_to_the_present_stays_there_when_something_is_said(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("Group", others=[bob, eve])
    await fill(ada, chat, 200)
    first = (await ada.whole_history(chat))[0]
    page = await visitors.sign_in(ada)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "around_id" in request.url else None)
    await page.goto(f"/chats/{chat.id}?message={first.id}")
    await expect(page.get_by_text("This is the beginning")).to_be_visible()
    await page.get_by_role("button", name="Jump to present").click()
    for text in ("said now", "said after it"):
        await bob.post(chat, text)
        await expect(log(page, text)).to_be_visible()
    assert len(asked) == 1, "the message of the address is gone to once"


async def test_who_reads_older_messages_keeps_their_place(visitors: Visitors, crowd: Crowd) -> None:
    """While history comes in above, and while others talk below."""
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    await fill(ada, chat, 200)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(messages(page).last).to_be_visible()
    await page.get_by_role("log").hover()
    await page.mouse.wheel(0, -1_500)
    await expect(page.get_by_role("button", name="Jump to present")).to_be_visible()
    await _is_at_rest(page)
    here = page.locator(f'[data-id="{await _in_the_middle(page)}"]')
    before = await here.bounding_box()
    for number in range(5):
        await bob.post(chat, f"news {number}")
    await expect(page.get_by_role("button", name="5 new messages")).to_be_visible()
    after = await here.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    await page.get_by_role("button", name="5 new messages").click()
    await expect(log(page, "news 4")).to_be_visible()


async def _is_at_rest(page: Page) -> None:
    """No message has moved for ten frames, and no history is on its way."""
    await expect(page.get_by_role("status").filter(has_text="Loading messages")).to_have_count(0)
    await page.evaluate(
        """async () => {
            const log = document.querySelector('[role=log]');
            const places = () => [...log.querySelectorAll('[role=article]')]
                .map(one => `${one.dataset.id} ${one.getBoundingClientRect().top}`).join();
            for (let last = places(), frames = 0; frames < 10; frames += 1) {
                await new Promise(requestAnimationFrame);
                if (places() !== last) [last, frames] = [places(), 0];
            }
        }"""
    )


async def _in_the_middle(page: Page) -> str:
    return await messages(page).evaluate_all(
        "all => all.findLast((one) => one.getBoundingClientRect().top < innerHeight / 2).dataset.id"
    )


async def test_a_reply_shows_what_it_answers_and_leads_there(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    first = await bob.post(chat, "the very **first** question")
    await fill(ada, chat, 150)
    await ada.post(chat, "an answer at last", reply_to=first.id)
    his = await visitors.sign_in(bob, f"/chats/{chat.id}")
    await his.get_by_role("button", name=re.compile("new messages")).click()
    preview = his.get_by_role("link", name=re.compile("the very first question"))
    for _ in range(2):
        await preview.click()
        await expect(his.locator(f'[data-id="{first.id}"]')).to_be_visible()
        await his.get_by_role("button", name="Jump to present").click()
        await expect(preview).to_be_visible()
    message = his.get_by_role("article").filter(has_text="an answer at last")
    await message.hover()
    await message.get_by_role("button", name="Reply").click()
    await expect(box(his)).to_be_focused()
    await say(his, "thank you")
    await expect(log(his, "thank you")).to_be_visible()
    await stored(his)
    (newest,) = await ada.history(chat, "?limit=1")
    assert newest.content == "thank you"
    assert newest.reply_to is not None


async def test_pictures_are_looked_at_one_after_the_other(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=True)
    await page.get_by_label("Attach files").set_input_files([picture("a.png"), picture("b.png", 200, 400, "#8d3a5e")])
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    await page.get_by_role("button", name="Send").click()
    await page.get_by_role("button", name="Look at a.png").tap()
    gallery = page.get_by_role("dialog")
    await expect(gallery).to_have_accessible_name("a.png")
    await page.keyboard.press("ArrowRight")
    await expect(gallery).to_have_accessible_name("b.png")
    await _swipe(page, 300, 80)
    await expect(gallery).to_have_accessible_name("a.png")
    assert await complaints_of_axe(page) == []
    await page.keyboard.press("Escape")
    await expect(gallery).to_have_count(0)


async def _swipe(page: Page, start: int, end: int) -> None:
    for kind, x in (("touchStart", start), ("touchMove", (start + end) // 2), ("touchMove", end)):
        await touch(page, kind, {"x": x, "y": 400})
    await touch(page, "touchEnd")


async def test_what_fits_on_the_screen_is_read_by_opening_it_and_as_it_comes(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    await bob.post(chat, "before")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")

    async def all_read() -> bool:
        return [one.unread_count for one in await ada.chats()] == [0]

    await eventually(all_read, "what was there is read")
    await bob.post(chat, "after")
    await expect(log(page, "after")).to_be_visible()
    await eventually(all_read, "what came is read")
    await expect(page.get_by_role("button", name=re.compile("new message"))).to_have_count(0)


async def test_one_sees_who_writes_and_who_has_seen_it(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    bob, eve = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("Group", "plans", [bob, eve])
    hers, his = [await visitors.sign_in(person, f"/chats/{chat.id}") for person in (ada, bob)]
    for text in ("hello", "is anybody there?"):  # the second comes by her stream: who types is told to nobody later
        await eve.post(chat, text)
        await expect(log(hers, text)).to_be_visible()
    await box(his).press_sequentially("well")
    await expect(hers.get_by_text("Bob is typing…")).to_be_visible()
    await box(his).fill("")
    await say(hers, "have you seen this?")
    await expect(log(his, "have you seen this?")).to_be_visible()
    await his.bring_to_front()
    await hers.get_by_role("button", name="Read by Bob").click()
    dialog = hers.get_by_role("dialog", name="Seen by")
    await expect(dialog.get_by_role("list", name="Seen by")).to_contain_text("Bob")
    await expect(dialog.get_by_role("list", name="Not yet")).to_contain_text("Eve")
    assert await complaints_of_axe(hers) == []


async def test_messages_and_what_can_be_done_with_them_are_reached_by_keyboard(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    for text in ("one", "two"):
        await ada.post(chat, text)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(log(page, "two")).to_be_visible()
    await page.get_by_role("log").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    first = messages(page).filter(has_text="one")
    await expect(first).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(first.get_by_role("button", name=ada.user.fullname)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(first.get_by_role("button", name="Reply")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="What to do with it")
    await expect(sheet.get_by_role("button", name="Delete")).to_be_visible()
    assert await complaints_of_axe(page) == []
    await sheet.get_by_role("button", name="Edit").click()
    await expect(box(page)).to_have_value("one")


async def test_a_long_press_offers_the_same(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    message = await ada.post(chat, "press me")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=True)
    await expect(log(page, "press me")).to_be_visible()
    await _is_at_rest(page)
    place = await page.locator(f'[data-id="{message.id}"]').bounding_box()
    assert place
    await touch(page, "touchStart", {"x": place["x"] + 150, "y": place["y"] + place["height"] / 2})
    await page.get_by_role("dialog", name="What to do with it").get_by_role("button", name="Reply").wait_for()
    await touch(page, "touchEnd")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_three_people_at_once_see_the_same_order_and_screen_readers_hear_it(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada = await crowd.sign_up()
    others = await crowd.colleagues(ada, "Bob", "Eve")
    chat = await ada.create_chat("PublicChannel", others=others)
    pages = [await visitors.sign_in(person, f"/chats/{chat.id}") for person in (ada, *others)]
    for page in pages:
        await expect(box(page)).to_be_visible()

    async def talk(page: Page, name: str) -> None:
        for number in range(4):
            await say(page, f"{name} {number}")

    await asyncio.gather(*(talk(page, name) for page, name in zip(pages, ("ada", "bob", "eve"), strict=True)))
    posted = [message.id for message in await _all_twelve(ada, chat, pages[0])]
    for page in pages:
        await expect(messages(page)).to_have_count(12)
        await expect(page.locator(f'[data-id="{posted[-1]}"]')).to_be_visible()
        await stored(page)
        assert await drawn(page) == posted
    await visitors.hears(pages[1])
    await ada.post(chat, "**one** more thing")
    await expect(pages[1].locator("[aria-live=polite]").get_by_text("Ada Lovelace: one more thing")).to_be_attached()


async def _all_twelve(ada: Person, chat: Chat, page: Page) -> list[Message]:
    await expect(messages(page)).to_have_count(12)
    await stored(page)
    return await ada.whole_history(chat)


async def test_what_could_not_be_sent_survives_a_reload_and_goes_out_once_in_order(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(box(page)).to_be_visible()
    await page.route("**/api/chats/*/messages", lambda route: route.abort("internetdisconnected"))
    for text in ("first", "second", "third"):
        await say(page, text)
    await expect(page.get_by_role("log").get_by_text(re.compile("Waiting|Sending|Not sent"))).to_have_count(3)
    await on_the_device(page, 3)
    await page.reload()
    await expect(page.get_by_role("button", name="Retry").first).to_be_visible()
    await page.get_by_role("article").filter(has_text="second").get_by_role("button", name="Discard").click()
    await page.unroute("**/api/chats/*/messages")
    await page.get_by_role("button", name="Retry").first.click()
    await expect(page.get_by_text(re.compile("Waiting|Sending|Not sent"))).to_have_count(0)
    assert [message.content for message in await ada.whole_history(chat)] == ["first", "third"]
    await page.reload()
    await expect(messages(page)).to_have_count(2)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
async def test_everything_people_write_is_drawn_without_a_barrier(visitors: Visitors, crowd: Crowd, look: str) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "小明")
    chat = await ada.create_chat("Group", "drawing", [bob, *await crowd.colleagues(ada, "Eve")])
    question = await bob.post(
        chat, f"@{ada.user.username} 你好 **bold** *it* ~~no~~ `code` https://example.com\n\n- [x] done\n- [ ] open"
    )
    await ada.post(chat, "> quote\n\n1. one\n2. two", reply_to=question.id)
    await bob.post(chat, "```python\ndef f(x: int) -> str:\n    return f'{x}'  # wide " + "wide " * 40 + "\n```")
    await bob.post(chat, "| a | b |\n|---|--:|\n| 1 | 2 |")
    gone = await ada.post(chat, "gone")
    await ada.ask("DELETE", f"/api/chats/{chat.id}/messages/{gone.id}")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", dark=look == "dark", phone=look == "phone")
    await expect(page.locator(".hljs-keyword").first).to_be_attached()
    await expect(page.locator(".mention.me")).to_be_attached()
    assert await complaints_of_axe(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
