"""What is around a conversation: the sidebar, the details, the palette, the way in. By mouse and by keyboard."""

import re

from playwright.async_api import expect

from tests.browser.conftest import Visitors
from tests.browser.test_screens import complaints_of_axe, lively
from tests.browser.test_two_people import log
from tests.clients.api import PASSWORD, new_email
from tests.flow.conftest import Crowd


async def test_a_newcomer_is_led_to_the_first_message(visitors: Visitors) -> None:
    page = await visitors.arrive("/signup", phone=True)
    await page.get_by_label("Full name").fill("Ada Lovelace")
    await page.get_by_label("Email").fill(new_email())
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("heading", name="Welcome to Ada Lovelace")).to_be_visible()
    assert await complaints_of_axe(page) == []
    await page.get_by_label("Name").fill("harbour")
    await page.get_by_role("button", name="Create channel").click()
    await page.get_by_role("textbox", name="Message").fill("the first word")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("log", name="Messages").get_by_text("the first word")).to_be_visible()


async def test_who_was_invited_finds_what_is_there(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    await ada.create_chat("PublicChannel", "harbour")
    (bob,) = await crowd.colleagues(ada, "Bob Kahn")
    page = await visitors.sign_in(bob)
    await expect(page.get_by_role("button", name=re.compile("Ada Lovelace")).first).to_be_visible()
    await page.get_by_role("button", name="Join harbour").click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()


async def test_sections_are_closed_and_stay_closed(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada)
    chats = page.get_by_role("navigation", name="Chats")
    await expect(chats.get_by_role("link")).to_have_count(2)
    await chats.get_by_role("button", name="Groups").click()
    await expect(chats.get_by_role("link")).to_have_count(1)
    await page.reload()
    await expect(chats.get_by_role("link")).to_have_count(1)
    await expect(chats.get_by_role("button", name="Groups")).to_have_attribute("aria-expanded", "false")


async def test_a_closed_section_says_what_is_unread_in_it(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    (eve,) = await crowd.colleagues(ada, "Zoe")
    group = await ada.create_chat("Group", "quay", others=[eve, *(await crowd.colleagues(ada, "Max"))])
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    groups = page.get_by_role("navigation", name="Chats").get_by_role("button", name="Groups")
    await groups.click()
    await eve.post(group, f"@{ada.user.username} are you there?")
    await expect(groups).to_have_accessible_name(re.compile("1 mention.*1 unread message"))


async def test_the_sidebar_is_one_stop_of_the_tab_key_and_arrows_go_through_it(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada)
    chats = page.get_by_role("navigation", name="Chats")
    await chats.get_by_role("button", name="Channels").focus()
    await page.keyboard.press("ArrowDown")
    await expect(chats.get_by_role("link", name=re.compile("harbour"))).to_be_focused()
    await page.keyboard.press("End")
    await expect(chats.get_by_role("link", name=re.compile("plans"))).to_be_focused()
    assert await chats.locator("[data-row][tabindex='0']").count() == 1
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowLeft")
    await expect(chats.get_by_role("link", name=re.compile("harbour"))).to_have_count(0)
    await page.keyboard.press("ArrowRight")
    await expect(chats.get_by_role("link", name=re.compile("harbour"))).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"/chats/{chat.id}$"))


async def test_typing_into_the_search_box_filters_the_chats(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada)
    chats = page.get_by_role("navigation", name="Chats")
    await expect(chats.get_by_role("link")).to_have_count(2)
    await page.get_by_role("searchbox", name="Search").fill("harb")
    await expect(chats.get_by_role("link")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/search\?q=harb$"))
    await expect(page.get_by_role("searchbox", name="Search")).to_have_count(1)
    await page.go_back()
    await expect(chats.get_by_role("link")).to_have_count(2)


async def test_details_open_beside_the_chat_and_give_the_focus_back(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await page.get_by_role("link", name="Show details").click()
    details = page.get_by_role("complementary", name="Details")
    await expect(details.get_by_role("button", name=re.compile("Bob")).first).to_be_visible()
    await expect(page).to_have_url(re.compile("details=members"))
    assert await complaints_of_axe(page) == []
    for tab in ("Files", "About", "Settings"):
        await details.get_by_role("link", name=tab).click()
        await expect(details.get_by_role("link", name=tab)).to_have_attribute("aria-current", "page")
        assert await complaints_of_axe(page) == [], tab
    await page.go_back()
    await expect(details.get_by_role("link", name="About")).to_have_attribute("aria-current", "page")
    await details.get_by_role("link", name="About").focus()
    await page.keyboard.press("Escape")
    await expect(details).to_have_count(0)
    await expect(page.get_by_role("link", name="Show details")).to_be_focused()


async def test_details_take_the_whole_screen_of_a_phone(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=True)
    await page.get_by_role("link", name="Show details").click()
    await expect(page.get_by_role("complementary", name="Details")).to_be_visible()
    await expect(page.get_by_role("log", name="Messages")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await complaints_of_axe(page) == []
    await page.go_back()
    await expect(page.get_by_role("log", name="Messages")).to_be_visible()


async def test_on_a_phone_nothing_is_read_behind_the_details(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    chat = await ada.create_chat("Single", others=[bob])
    await ada.post(chat, "in sight")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}", phone=True)
    await expect(log(page, "in sight")).to_be_visible()
    await page.get_by_role("link", name="Show details").click()
    await expect(page.get_by_role("log", name="Messages")).to_be_hidden()
    await visitors.hears(page)
    for count in range(1, 11):  # more than can be said before a reading is told
        await bob.post(chat, f"{count} behind it")
        await expect(page).to_have_title(re.compile(rf"\({count}\)"))
    await page.go_back()
    await expect(log(page, "10 behind it")).to_be_visible()
    await expect(page).not_to_have_title(re.compile(r"\("))


async def test_the_palette_opens_chats_people_and_actions_and_gives_the_focus_back(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada)
    await expect(page.get_by_role("button", name="New chat")).to_be_enabled()
    await page.get_by_role("button", name="New chat").focus()
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Go to")
    await expect(palette.get_by_role("option").first).to_be_visible()
    assert await complaints_of_axe(page) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New chat")).to_be_focused()
    goals = (
        ("harb", r"^\s*harbour\s*$", f"/chats/{chat.id}$"),
        ("appear", r"Appearance\s*$", "/settings/appearance$"),
        ("bob", r"^\s*Bob\s*$", r"/chats/\d+$"),
    )
    for words, name, there in goals:
        await page.keyboard.press("Control+k")
        await palette.get_by_role("combobox").fill(words)
        await expect(palette.get_by_role("option").first).to_have_text(re.compile(name))
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile(there))
        await expect(palette).to_have_count(0)
    await page.keyboard.press("Control+k")
    await palette.get_by_role("combobox").fill("New chat")
    await expect(palette.get_by_role("option").first).to_have_text(re.compile(r"New chat\s*$"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="New chat")).to_be_visible()


async def test_a_card_tells_who_somebody_is_and_leads_to_a_word_with_them(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, f"/chats/{chat.id}?details=members")
    await page.get_by_role("complementary", name="Details").locator("[data-person]", has_text="Bob").click()
    card = page.get_by_role("dialog", name="Bob")
    await expect(card.get_by_text("@bob")).to_be_visible()
    await expect(card.get_by_role("link", name=re.compile("@"))).to_be_visible()
    assert await complaints_of_axe(page) == []
    await card.get_by_role("button", name="Message").click()
    await expect(page.get_by_role("heading", name="Bob", level=2)).to_be_visible()


async def test_of_many_chats_only_those_in_sight_are_drawn(visitors: Visitors, crowd: Crowd) -> None:
    """Only the rows in sight are drawn, however many there are; the far end is one key away."""
    ada = await crowd.sign_up()
    for number in range(120):
        await ada.create_chat("PublicChannel", f"channel-{number:04}")
    page = await visitors.sign_in(ada)
    chats = page.get_by_role("navigation", name="Chats")
    await expect(chats.get_by_role("link").first).to_be_visible()
    assert await chats.get_by_role("link").count() < 60
    await chats.get_by_role("button", name="Channels").focus()
    await page.keyboard.press("End")
    await expect(chats.get_by_role("link", name=re.compile("channel-0000"))).to_be_focused()


async def test_the_shortcuts_of_the_installed_page_lead_to_what_they_name(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    page = await visitors.sign_in(ada)
    manifest = await (await page.request.get("/manifest.webmanifest")).json()
    assert [one["name"] for one in manifest["shortcuts"]] == ["New chat", "Search"]
    new, search = [one["url"] for one in manifest["shortcuts"]]
    await page.goto(new)
    await expect(page.get_by_role("dialog", name="New chat")).to_be_visible()
    await page.goto(search)
    await expect(page.get_by_role("searchbox", name="Search")).to_be_visible()


async def test_a_newcomer_is_told_of_news_in_the_language_of_the_page(visitors: Visitors) -> None:
    page = await visitors.arrive("/signup", locale="zh-CN")
    await page.get_by_label("姓名").fill("格蕾丝·霍珀")
    await page.get_by_label("邮箱").fill(new_email())
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await page.get_by_role("button", name="创建账号").click()
    await page.goto("/settings/profile")
    await expect(page.get_by_label("通知的语言")).to_have_value("zh")
