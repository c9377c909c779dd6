"""Writing: input methods, names that complete themselves, shortcuts, files on their way, edits, drafts."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Visitors
from tests.browser.test_screens import complaints_of_axe
from tests.browser.test_two_people import log, say
from tests.browser.writing import box, picture, stored, tell_browser
from tests.clients.shapes import Chat
from tests.flow.conftest import Crowd
from tests.support.waiting import eventually


async def compose(page: Page, *steps: str) -> None:
    """What an input method does while its user picks characters: the text is there, and not yet meant."""
    for text in steps:
        end = len(text)
        await tell_browser(page, "Input.imeSetComposition", text=text, selectionStart=end, selectionEnd=end)


async def press_while_composing(page: Page) -> None:
    """The Enter that picks a candidate, with the code of a key that an input method has taken."""
    for kind in ("rawKeyDown", "keyUp"):
        await tell_browser(page, "Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=229)


async def test_chinese_is_never_sent_half_a_word(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", locale="zh-CN")
    field = page.get_by_role("textbox")
    await field.focus()
    await compose(page, "n", "ni", "ni h", "ni hao")
    await press_while_composing(page)
    await page.keyboard.press("Enter")
    await expect(field).not_to_have_value("")
    assert await ada.history(chat) == []
    await tell_browser(page, "Input.insertText", text="你好")
    await expect(field).to_have_value(re.compile("你好"))
    await field.press("Enter")
    await expect(page.get_by_role("log").get_by_text("你好", exact=True)).to_be_visible()
    history = await eventually(lambda: ada.history(chat), "it is stored")
    assert [message.content for message in history] == ["你好"]


async def test_names_complete_themselves_by_keyboard(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob Kahn")
    chat = await ada.create_chat("PublicChannel", "harbour", [bob])
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    field = box(page)
    await field.press_sequentially("hi @bo")
    options = page.get_by_role("listbox").get_by_role("option")
    await expect(options).to_have_count(1)
    await expect(field).to_have_attribute("aria-activedescendant", await options.first.get_attribute("id") or "?")
    assert await complaints_of_axe(page) == []
    await field.press("Enter")
    await expect(field).to_have_value(f"hi @{bob.user.username} ")
    await field.press_sequentially("see #harb")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await field.press("Tab")
    await field.press_sequentially(":rocke")
    await expect(options.filter(has_text=":rocket:")).to_be_visible()
    await field.press("Escape")
    await expect(options).to_have_count(0)
    await field.press("Enter")
    await expect(page.get_by_role("log").get_by_role("link", name="#harbour")).to_be_visible()
    await stored(page)
    (message,) = await bob.history(chat)
    assert message.content == f"hi @{bob.user.username} see #harbour :rocke"
    assert message.mentions == [bob.id]


async def test_names_complete_themselves_by_touch(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob Kahn")
    chat = await ada.create_chat("PublicChannel", "harbour", [bob])
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=True)
    await box(page).press_sequentially("@")
    await page.get_by_role("option", name=re.compile("Bob Kahn")).tap()
    await expect(box(page)).to_have_value(f"@{bob.user.username} ")
    await expect(box(page)).to_be_focused()


async def test_a_name_that_is_written_out_is_sent_by_enter(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob Kahn")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await box(page).press_sequentially(f"thanks @{bob.user.username}")
    await expect(page.get_by_role("option")).to_have_count(1)
    await box(page).press("Enter")
    await expect(box(page)).to_have_value("")


async def test_keys_shape_the_text_and_can_be_undone(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    field = box(page)
    await field.fill("word")
    await field.select_text()
    await field.press("ControlOrMeta+b")
    await expect(field).to_have_value("**word**")
    await field.press("ControlOrMeta+i")
    await expect(field).to_have_value("***word***")
    await field.press("ControlOrMeta+z")
    await expect(field).to_have_value("**word**")
    await field.fill("1. one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    await expect(field).to_have_value("1. one\n2. two")
    await field.fill("the docs")
    await field.select_text()
    await field.evaluate(
        """(field) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/plain', 'https://example.com/');
            field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(field).to_have_value("[the docs](https://example.com/)")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_an_emoji_is_found_and_picked(visitors: Visitors, crowd: Crowd, phone: bool) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=phone)
    await page.get_by_role("button", name="Emoji").click()
    picker = page.get_by_role("dialog", name="Emoji")
    await picker.get_by_role("searchbox").fill("rocket")
    await expect(picker.get_by_role("button", name="rocket")).to_be_visible()
    assert await complaints_of_axe(page) == []
    await picker.get_by_role("searchbox").press("Enter")
    await expect(box(page)).to_have_value("🚀")
    await expect(picker).to_have_count(0)


async def test_an_emoji_may_be_typed_by_its_whole_name_and_that_be_undone(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await box(page).press_sequentially("hello :wave")
    await expect(page.get_by_role("option", name=":wave:")).to_be_visible()
    await box(page).press_sequentially(": and :nosuchthing:")
    await expect(box(page)).to_have_value("hello 👋 and :nosuchthing:")
    await box(page).fill("")
    await box(page).press_sequentially("see :wave:")
    await expect(box(page)).to_have_value("see 👋")
    await box(page).press("ControlOrMeta+z")
    await expect(box(page)).to_have_value("see :wave:")


async def test_a_message_that_is_too_long_cannot_be_sent_and_says_so(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await box(page).fill("汉" * 16_300)
    await expect(page.get_by_text("84 characters left")).to_be_visible()
    await box(page).fill("汉" * 16_385)
    await expect(page.get_by_text("1 character too long")).to_be_visible()
    await box(page).press("Enter")
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    assert await ada.history(chat) == []


async def test_a_file_on_its_way_can_be_cancelled_and_tried_again(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.abort("connectionreset")

    await page.route("**/api/files?*", hold)
    files = page.get_by_label("Attach files")
    tray = page.get_by_role("list", name="Attached files")
    await files.set_input_files([picture("first.png"), picture("second.png")])
    await expect(tray.get_by_role("progressbar")).to_have_count(2)
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await tray.get_by_role("button", name="Leave out first.png").click()
    await expect(tray.get_by_role("listitem")).to_have_count(1)
    held.set()
    await expect(tray.get_by_role("alert")).to_be_visible()
    await page.unroute("**/api/files?*")
    await tray.get_by_role("button", name="Try second.png again").click()
    await expect(tray.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("log").get_by_role("button", name="Look at second.png")).to_be_visible()
    await stored(page)
    (message,) = await ada.history(chat)
    assert [file.name for file in message.files] == ["second.png"]


async def test_an_edit_a_deletion_and_its_undoing_are_seen_by_both(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("PublicChannel", others=[bob])
    hers, his = [await visitors.sign_in(person, f"/chats/{chat.id}") for person in (ada, bob)]
    await say(hers, "frist")
    await expect(log(his, "frist")).to_be_visible()
    await stored(hers)  # he may have it before her page knows that it is
    await box(hers).press("ArrowUp")
    await expect(box(hers)).to_have_value("frist")
    await box(hers).press("Escape")
    await expect(box(hers)).to_have_value("")
    await box(hers).press("ArrowUp")
    await say(hers, "first")
    for page in (hers, his):
        await expect(log(page, "first")).to_be_visible()
        await expect(page.get_by_role("log").get_by_text("(edited)")).to_be_visible()
    message = hers.get_by_role("article").filter(has_text="first")
    await message.hover()
    await message.get_by_role("button", name="Delete").click()
    await hers.get_by_role("button", name="Undo").click()
    await expect(log(hers, "first")).to_be_visible()
    await message.hover()
    await message.get_by_role("button", name="Delete").click()
    await expect(his.get_by_role("log").get_by_text("This message was deleted.")).to_be_visible()
    await expect(log(his, "first")).to_have_count(0)


async def test_each_chat_keeps_its_own_draft_on_the_device(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    one, two = [await ada.create_chat("PrivateChannel") for _ in range(2)]
    page = await visitors.sign_in(ada, f"/chats/{one.id}")
    await box(page).fill("half a thought")
    await go(page, two)
    await expect(box(page)).to_have_value("")
    await box(page).fill("another")
    await page.reload()
    await expect(box(page)).to_have_value("another")
    await go(page, one)
    await expect(box(page)).to_have_value("half a thought")


async def go(page: Page, chat: Chat) -> None:
    await (
        page.get_by_role("navigation", name="Chats").get_by_role("link", name=re.compile(re.escape(chat.name))).click()
    )
    await expect(box(page)).to_have_attribute("placeholder", f"Message {chat.name}")
