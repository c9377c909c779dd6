"""Notifications: the worker shows what is pushed, a click opens it, and what is read is withdrawn."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from playwright.async_api import BrowserContext, CDPSession, Page, Route, expect

from tests.browser.conftest import Visitors
from tests.browser.worker import has_worker
from tests.clients.api import Person
from tests.flow.conftest import Crowd
from tests.support.waiting import eventually

SHOWN = """navigator.serviceWorker.ready.then(r => r.getNotifications())
    .then(all => all.map(one => ({title: one.title, body: one.body, tag: one.tag, path: one.data.path})))"""


async def test_a_push_is_shown_once_and_withdrawn_when_it_is_read(visitors: Visitors, crowd: Crowd) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("Single", others=[grace])
    message = await grace.post(chat, "Lunch at noon?")
    page = await visitors.sign_in(ada)
    worker = await _worker(page)
    push = {"kind": "message", "title": "Grace Hopper", "body": "Lunch at noon?", "chat_id": chat.id}
    push |= {"message_id": message.id, "seq": message.seq, "locale": "en"}
    await worker.push(push)
    await worker.push(push)
    await worker.push(push | {"title": "Somebody else", "chat_id": 9_999})  # shown, it says that the others are done
    path = f"/chats/{chat.id}?message={message.id}"
    [shown] = [one for one in await _shown(page, 2) if one["title"] == "Grace Hopper"]
    assert shown == {"title": "Grace Hopper", "body": "Lunch at noon?", "tag": f"chat-{chat.id}", "path": path}
    await visitors.hears(page)
    (await ada.ask("POST", f"/api/chats/{chat.id}/read", {"seq": message.seq})).nothing()
    [left] = await _shown(page, 1)
    assert left["title"] == "Somebody else"


async def test_a_push_without_content_says_who_and_where(visitors: Visitors, crowd: Crowd) -> None:
    ada, _ = await _pair(crowd)
    page = await visitors.sign_in(ada)
    worker = await _worker(page)
    await worker.push({"kind": "message", "title": "Grace · #launch", "chat_id": 9_999, "message_id": 1, "seq": 1})
    [shown] = await _shown(page, 1)
    assert (shown["title"], shown["body"]) == ("Grace · #launch", "")


async def test_a_click_goes_to_the_message_in_the_open_tab(visitors: Visitors, crowd: Crowd) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("PrivateChannel", "bridge", [grace])
    message = await grace.post(chat, "the one that was pushed")
    page = await visitors.sign_in(ada)
    worker = await _worker(page)
    await worker.push(
        {"kind": "message", "title": "Grace", "chat_id": chat.id, "message_id": message.id, "seq": message.seq}
    )
    await _shown(page, 1)
    await worker.click()
    await expect(page).to_have_url(re.compile(rf"/chats/{chat.id}\?message={message.id}$"))
    await expect(page.get_by_role("log", name="Messages").get_by_text("the one that was pushed")).to_be_visible()
    await _shown(page, 0)


async def test_choices_are_made_in_the_settings_and_the_details_and_kept(visitors: Visitors, crowd: Crowd) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("PrivateChannel", "bridge", [grace])
    page = await visitors.sign_in(ada, "/settings/notifications")
    await page.get_by_role("checkbox", name="Hide the text").check()
    await expect(page.get_by_text("Saved")).to_be_visible()
    await page.goto(f"/chats/{chat.id}?details=settings")
    await page.get_by_label("Notify me").select_option("all")
    await expect(page.get_by_label("Notify me")).to_have_value("all")
    await page.get_by_role("button", name="For an hour").click()
    await expect(page.get_by_text("Muted until")).to_be_visible()
    told = (await ada.ask("GET", f"/api/chats/{chat.id}/notifications")).json(dict[str, object])
    assert told["level"] == "all"
    assert told["muted_until"]
    assert (await ada.ask("GET", "/api/push/settings")).json(dict[str, object])["hide_content"] is True


async def test_what_is_chosen_while_an_answer_is_on_its_way_is_not_lost(visitors: Visitors, crowd: Crowd) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("PrivateChannel", "bridge", [grace])
    page = await visitors.sign_in(ada)
    answer = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PUT" or "subscriptions" in route.request.url:
            await answer.wait()
        await route.continue_()

    await page.route(re.compile("/push/subscriptions$|/notifications$"), hold)
    await page.goto("/settings/notifications")
    await page.get_by_role("checkbox", name="Hide the text").check()
    answer.set()
    await expect(page.get_by_text("Saved")).to_be_visible()
    answer.clear()
    await page.goto(f"/chats/{chat.id}?details=settings")
    await page.get_by_label("Notify me").select_option("all")
    await page.get_by_role("button", name="For an hour").click()
    answer.set()
    await expect(page.get_by_text("Muted until")).to_be_visible()
    assert (await ada.ask("GET", f"/api/chats/{chat.id}/notifications")).json(dict[str, object])["level"] == "all"


class Worker:
    """The page's service worker, as the browser's developer tools see it."""

    def __init__(self, session: CDPSession, registration_id: str, origin: str, context: BrowserContext) -> None:
        self._session = session
        self._registration_id = registration_id
        self._origin = origin
        self._context = context

    async def push(self, payload: Mapping[str, object]) -> None:
        await _send(
            self._session,
            "ServiceWorker.deliverPushMessage",
            {"origin": self._origin, "registrationId": self._registration_id, "data": json.dumps(payload)},
        )

    async def click(self) -> None:
        """On the one notification that is shown: nobody has a hand on the desktop of a headless browser."""
        [worker] = self._context.service_workers
        await worker.evaluate(
            """async () => {
                const [notification] = await self.registration.getNotifications();
                self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action: '' }));
            }"""
        )


async def _worker(page: Page) -> Worker:
    url = page.url
    origin = url[: url.index("/", 8)]
    await page.context.grant_permissions(["notifications"], origin=origin)
    await has_worker(page)
    session = await page.context.new_cdp_session(page)
    found: list[str] = []

    def note(event: dict[str, list[dict[str, str]]]) -> None:
        found.extend(one["registrationId"] for one in event["registrations"] if one["scopeURL"].startswith(origin))

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    await _send(session, "ServiceWorker.enable", {})
    await eventually(lambda: _last(found), "the browser names the worker")
    return Worker(session, found[-1], origin, page.context)


async def _send(session: CDPSession, method: str, parameters: Mapping[str, object]) -> None:
    await cast("Any", session).send(method, parameters)


async def _shown(page: Page, count: int) -> list[dict[str, str]]:
    async def are_there() -> bool:
        return len(await page.evaluate(SHOWN)) == count

    await eventually(are_there, f"{count} notifications are shown")
    return await page.evaluate(SHOWN)


async def _last(found: list[str]) -> str | None:
    return found[-1] if found else None


async def _pair(crowd: Crowd) -> tuple[Person, Person]:
    ada = await crowd.sign_up("Ada Lovelace")
    [grace] = await crowd.colleagues(ada, "Grace Hopper")
    return ada, grace
