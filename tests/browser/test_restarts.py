"""What somebody sees while the service behind the page dies and comes back."""

from playwright.async_api import Browser, expect

from tests.browser.conftest import Visitors
from tests.clients.api import Api
from tests.support.stack import Stack


async def test_the_page_catches_up_after_notify_server_was_killed(chromium: Browser, stack: Stack) -> None:
    async with Api(stack.api_url) as api:
        ada = await api.sign_up("Ada Lovelace")
        chat = await ada.create_chat("PrivateChannel")
        visitors = Visitors(chromium, stack)
        page = await visitors.sign_in(ada, f"/chats/{chat.id}")
        messages = page.get_by_role("log", name="Messages")
        await ada.post(chat, "before")
        await expect(messages.get_by_text("before")).to_be_visible()
        stack.kill("notify_server")
        await ada.post(chat, "while it was away")
        stack.wait_ready()
        await ada.post(chat, "after")
        await expect(messages.get_by_text("after")).to_be_visible()
        await expect(messages.get_by_text("while it was away")).to_have_count(1)
    await page.context.close()
    assert not visitors.complaints
