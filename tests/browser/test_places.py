"""The settings: oneself, this device, the workspace and its people."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import RESULTS, Visitors
from tests.browser.test_screens import complaints_of_axe, lively
from tests.clients.api import PASSWORD
from tests.flow.conftest import Crowd
from tests.integration.files.uploading import PNG
from tests.support.waiting import eventually

PAGES = {
    "profile": "Profile",
    "account": "Password and devices",
    "appearance": "Appearance",
    "workspace": "General",
    "members": "Members",
    "invites": "Invites",
}


async def open_page(page: Page, name: str) -> None:
    await page.goto(f"/settings/{name}")
    await expect(page.get_by_role("region", name=PAGES[name], exact=True)).to_be_visible()
    await expect(page.locator("[role=status] >> text=Opening")).to_have_count(0)


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desk-light", "phone-dark"])
async def test_the_pages_of_the_settings_have_no_barrier(
    visitors: Visitors, crowd: Crowd, phone: bool, dark: bool
) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada, phone=phone, dark=dark)
    for name in PAGES:
        await open_page(page, name)
        assert await complaints_of_axe(page) == [], name
        await page.screenshot(path=RESULTS / f"settings-{name}-{'phone' if phone else 'desk'}.png")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


async def test_looks_are_kept_and_high_contrast_has_no_barrier(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, "/settings/appearance")
    for choice in ("Dark", "High contrast", "Compact", "Very large"):
        await page.get_by_role("radio", name=choice).check()
    assert await complaints_of_axe(page) == []
    await page.goto(f"/chats/{chat.id}")
    await expect(page.get_by_role("log", name="Messages").get_by_text("Thanks!")).to_be_visible()
    looks = await page.evaluate("({...document.documentElement.dataset})")
    assert looks == {"theme": "dark", "contrast": "more", "density": "compact", "textSize": "huge"}
    assert await complaints_of_axe(page) == []
    await page.goto("/settings/appearance")
    await page.get_by_label("Language of this page").select_option("zh")
    await expect(page.get_by_role("heading", name="外观")).to_be_visible()


async def test_a_profile_is_changed_with_its_picture(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada, "/settings/profile")
    await page.get_by_label("Choose a picture").last.set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": PNG}
    )
    await expect(page.get_by_text("This is how it will look.")).to_be_visible()
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_role("button", name="Remove")).to_be_visible()
    await page.get_by_label("Full name").fill("Ada King")
    await page.get_by_label("Time zone").select_option("Asia/Shanghai")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("You and settings: Ada King"))).to_be_visible()


async def test_a_status_is_said_to_others(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada)
    await page.get_by_role("button", name=re.compile("You and settings")).click()
    await page.get_by_role("button", name="Set a status").click()
    dialog = page.get_by_role("dialog", name="Set a status")
    assert await complaints_of_axe(page) == []
    await dialog.get_by_label("What is up").fill("In the engine room")
    await dialog.get_by_role("radio", name="Busy").check()
    await dialog.get_by_label("Clear it").select_option("In an hour")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name=re.compile("You and settings"))).to_contain_text("In the engine room")


async def test_a_password_is_changed_and_other_devices_are_out(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada, "/settings/account")
    await expect(page.get_by_text("This device")).to_be_visible()
    await expect(page.get_by_role("listitem").get_by_role("button", name=re.compile("^Sign out"))).to_have_count(1)
    await page.get_by_label("Current password").fill("not this one")
    await page.get_by_label("New password").fill("another horse battery")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("The current password is wrong.")).to_be_visible()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("Password changed")).to_be_visible()
    await expect(page.get_by_role("listitem").get_by_role("button", name=re.compile("^Sign out"))).to_have_count(0)


async def test_an_invite_is_made_listed_and_revoked(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    page = await visitors.sign_in(ada, "/settings/invites")
    await page.get_by_label("They become").select_option("Guest")
    await page.get_by_label("How often").select_option("1 person")
    await page.get_by_role("button", name="Create invite link").click()
    link = await page.get_by_label("Invite link").input_value()
    assert "/invite/" in link
    await expect(page.get_by_text("Used 0 of 1 times")).to_be_visible()
    await page.get_by_role("button", name=re.compile("^Revoke")).click()
    await expect(page.get_by_text("Nobody has been invited yet.")).to_be_visible()
    bob = await visitors.arrive(link)
    await bob.get_by_label("Full name").fill("Bob")
    await bob.get_by_label("Email").fill("late@example.org")
    await bob.get_by_label("Password", exact=True).fill(PASSWORD)
    await bob.get_by_role("button", name="Create account").click()
    await expect(bob.get_by_text("no longer valid")).to_be_visible()


async def test_people_of_a_workspace_get_roles_are_suspended_and_removed(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await lively(crowd)
    page = await visitors.sign_in(ada, "/settings/members")
    await page.get_by_label("Role of Bob").select_option("Admin")
    await expect(page.get_by_label("Role of Bob")).to_have_value("admin")
    await page.get_by_role("button", name="What to do with Eve").click()
    await page.get_by_role("menuitem", name="Suspend").click()
    await expect(page.get_by_text("Suspended")).to_be_visible()
    await page.get_by_role("button", name="What to do with Eve").click()
    await page.get_by_role("menuitem", name="Remove from workspace").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove from workspace").click()
    await expect(page.get_by_label("Role of Eve")).to_have_count(0)


async def test_who_is_let_in_no_more_while_the_page_is_open_is_told_why_it_is_gone(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada, chat = await lively(crowd)
    (zoe,) = await crowd.colleagues(ada, "Zoe Zimmer")
    page = await visitors.sign_in(zoe)
    await expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    suspended = await ada.ask("PATCH", f"/api/workspaces/{chat.workspace_id}/members/{zoe.id}", {"status": "Suspended"})
    assert suspended.status == 200
    await expect(page.get_by_text("Your session has ended.")).to_be_visible()
    await page.get_by_label("Email").fill(zoe.user.email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("This account is suspended")).to_be_visible()


async def test_a_chat_is_renamed_filled_handed_over_and_left(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    await crowd.colleagues(ada, "Zoe Zimmer")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}?details=members")
    details = page.get_by_role("complementary", name="Details")
    await details.get_by_role("button", name="Add people").click()
    await details.get_by_label("Add people").fill("Zoe")
    await details.get_by_role("option", name=re.compile("Zoe")).click()
    await details.get_by_role("button", name="Add", exact=True).click()
    await expect(details.locator("[data-person]", has_text="Zoe")).to_be_visible()
    await details.get_by_role("button", name="What to do with Bob").click()
    await page.get_by_role("menuitem", name="Hand the chat over").click()
    await page.get_by_role("dialog").get_by_role("button", name="Hand the chat over").click()
    await expect(details.locator("[data-person]", has_text="Bob")).to_contain_text("Owner")
    await details.get_by_role("link", name="Settings").click()
    await details.get_by_label("Name").fill("deep harbour")
    await details.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="deep harbour").first).to_be_visible()
    await details.get_by_role("button", name="Leave chat").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leave chat").click()
    await expect(page.get_by_role("navigation", name="Chats").get_by_role("link")).to_have_count(1)


async def test_what_comes_for_settings_that_were_left_meanwhile_disturbs_nobody(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob Kahn")
    chat = await bob.create_chat("PublicChannel", "harbour", [ada])
    page = await visitors.sign_in(ada)
    asked: list[Route] = []
    await page.route("**/api/chats/*/notifications", lambda route: asked.append(route))
    await page.goto(f"/chats/{chat.id}?details=settings")
    details = page.get_by_role("complementary", name="Details")

    async def are_asked_for() -> bool:
        return bool(asked)

    await eventually(are_asked_for, "its settings are asked for")
    await details.get_by_role("button", name="Leave chat").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leave chat").click()
    await expect(details).to_have_count(0)
    async with page.expect_response("**/api/chats/*/notifications"):
        await asked[0].fulfill(json={"level": "all", "muted_until": None})
    assert await page.evaluate("document.readyState") == "complete"  # the page has had its turn


async def test_a_workspace_is_made_renamed_and_deleted_only_by_its_name(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    page = await visitors.sign_in(ada)
    await page.get_by_role("button", name=re.compile("Switch workspace")).click()
    await page.get_by_role("button", name="New workspace").click()
    await page.get_by_role("dialog").get_by_label("Workspace name").fill("Engines")
    await page.get_by_role("dialog").get_by_role("button", name="Create workspace").click()
    await expect(page.get_by_role("button", name="Switch workspace: Engines")).to_be_visible()
    await page.get_by_role("button", name="Switch workspace: Engines").click()
    await page.get_by_role("button", name="Workspace settings").click()
    await page.get_by_label("Workspace name").fill("Difference Engines")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Switch workspace: Difference Engines")).to_be_visible()
    await page.get_by_role("button", name="Delete workspace").click()
    dialog = page.get_by_role("dialog", name="Delete workspace")
    await expect(dialog.get_by_role("button", name="Delete workspace")).to_be_disabled()
    assert await complaints_of_axe(page) == []
    await dialog.get_by_label(re.compile("to confirm")).fill("Difference Engines")
    await dialog.get_by_role("button", name="Delete workspace").click()
    await expect(page.get_by_role("button", name="Switch workspace: Ada Lovelace")).to_be_visible()


async def test_a_member_sees_only_what_a_member_may_do(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob Kahn")
    page = await visitors.sign_in(bob, "/settings/invites")
    await expect(page.get_by_text("There is nothing at this address.")).to_be_visible()
    await expect(page.get_by_role("link", name="Invites")).to_have_count(0)
    await page.goto("/settings/workspace")
    await expect(page.get_by_text("Your role: Member")).to_be_visible()
    await expect(page.get_by_role("button", name="Delete workspace")).to_have_count(0)
    await page.goto("/settings/members")
    await expect(page.get_by_role("list", name="Members").get_by_role("listitem")).to_have_count(2)
    await expect(page.get_by_label(re.compile("^Role of"))).to_have_count(0)


async def test_the_settings_can_be_read_in_chinese(visitors: Visitors, crowd: Crowd) -> None:
    ada, chat = await lively(crowd)
    page = await visitors.sign_in(ada, locale="zh-CN")
    for name in ("account", "appearance", "workspace", "invites"):
        await page.goto(f"/settings/{name}")
        region = page.locator("section.page")
        await expect(region.get_by_role("heading", level=2)).to_be_visible()
        text = await region.inner_text()
        words = "".join(char if char.isascii() else " " for char in text).split()
        left = [word for word in words if word.isalpha() and len(word) > 3]
        known = {"Fechatter", "Lovelace", "Chrome", "Linux", "English", "Engines"}
        assert not [word for word in left if word not in known], (name, left)
    await page.goto(f"/chats/{chat.id}?details=about")
    await expect(page.get_by_role("complementary", name="详情")).to_be_visible()


async def test_the_address_of_a_public_channel_lets_a_colleague_join_it(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    open_, closed = await ada.create_chat("PublicChannel", "pier"), await ada.create_chat("PrivateChannel", "vault")
    await ada.post(open_, "Ahoy!")
    page = await visitors.sign_in(bob, f"/chats/{open_.id}")
    await page.get_by_role("button", name="Join channel").click()
    await expect(page.get_by_role("log", name="Messages").get_by_text("Ahoy!")).to_be_visible()
    await page.goto(f"/chats/{closed.id}")
    await expect(page.get_by_text("This chat cannot be opened.")).to_be_visible()
    await expect(page.get_by_role("button", name="Join channel")).to_have_count(0)


async def test_a_channel_that_could_not_be_looked_at_is_not_said_to_be_gone(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up()
    (bob,) = await crowd.colleagues(ada, "Bob")
    channel = await ada.create_chat("PublicChannel", "open house")
    page = await visitors.sign_in(bob)
    await page.route(f"**/api/chats/{channel.id}", lambda route: route.fulfill(status=503), times=1)
    await page.goto(f"/chats/{channel.id}")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("button", name="Join channel")).to_be_visible()
