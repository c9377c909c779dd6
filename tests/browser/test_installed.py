"""The page as an application of the device: offline with its last state, updates, one connection for all tabs."""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import Visitors
from tests.browser.worker import has_worker
from tests.browser.writing import on_the_device, stored
from tests.clients.api import Api, Person
from tests.flow.conftest import Crowd
from tests.support.stack import ROOT, Stack
from tests.support.waiting import eventually

ROWS = """() => new Promise(done => {
    const opening = indexedDB.open('fechatter');
    opening.onsuccess = () => {
        const asking = opening.result.transaction('state').objectStore('state').getAllKeys();
        asking.onsuccess = () => { opening.result.close(); done(asking.result.map(String)); };
    };
})"""


async def test_offline_the_page_opens_with_its_last_state_and_sends_what_was_written_once(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("PrivateChannel", "engine room", [grace])
    await grace.post(chat, "the last thing said")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await expect(_log(page).get_by_text("the last thing said")).to_be_visible()
    await _is_kept(page, f"window:{chat.id}")
    await page.context.set_offline(True)
    await page.reload()
    await expect(_log(page).get_by_text("the last thing said")).to_be_visible()
    await page.get_by_role("textbox", name="Message").fill("written in a tunnel")
    await page.keyboard.press("Enter")
    await expect(_log(page).get_by_text("written in a tunnel")).to_be_visible()
    await on_the_device(page, 1)
    await expect(_log(page).get_by_text("Waiting to be sent")).to_be_visible()
    await expect(_log(page).get_by_text("Not sent")).to_have_count(0)
    await page.reload()
    await expect(_log(page).get_by_text("Waiting to be sent")).to_be_visible()
    await grace.post(chat, "said meanwhile")
    await page.context.set_offline(False)
    await expect(_log(page).get_by_text("said meanwhile")).to_be_visible()
    await expect(_log(page).get_by_text("written in a tunnel")).to_have_count(1)
    await stored(page)
    said = [message.content for message in await grace.whole_history(chat)]
    assert said.count("written in a tunnel") == 1


async def test_two_tabs_share_one_stream_and_the_other_goes_on_when_one_closes(
    visitors: Visitors, crowd: Crowd, shared_stack: Stack
) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("PrivateChannel", "bridge", [grace])
    await _streams_are(shared_stack, 0)  # by now; those of earlier tests
    first = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await grace.post(chat, "to the first")
    await expect(_log(first).get_by_text("to the first")).to_be_visible()
    second = await first.context.new_page()
    await second.goto(f"/chats/{chat.id}")
    await expect(_log(second).get_by_text("to the first")).to_be_visible()
    await grace.post(chat, "to both")
    for tab in (first, second):
        await expect(_log(tab).get_by_text("to both")).to_be_visible()
    await _streams_are(shared_stack, 1)
    await first.close()
    await grace.post(chat, "to the one that is left")
    await expect(_log(second).get_by_text("to the one that is left")).to_be_visible()
    await expect(_log(second).get_by_text("to both")).to_have_count(1)
    await _streams_are(shared_stack, 1)


async def test_signing_out_in_one_tab_signs_out_all_and_leaves_nothing_on_the_device(
    visitors: Visitors, crowd: Crowd
) -> None:
    ada, grace = await _pair(crowd)
    chat = await ada.create_chat("PrivateChannel", "vault", [grace])
    await grace.post(chat, "a secret")
    first = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await _is_kept(first, f"window:{chat.id}")
    second = await first.context.new_page()
    await second.goto("/")
    await second.get_by_role("button", name=re.compile("You and settings: Ada")).click()
    await second.get_by_role("button", name="Sign out").click()
    for tab in (first, second):
        await expect(tab.get_by_role("button", name="Sign in")).to_be_visible()
    await _rows_are(first, lambda rows: not rows)
    await first.context.set_offline(True)
    await first.reload()
    await expect(first.get_by_text("a secret")).to_have_count(0)


async def test_an_installation_asks_again_for_a_file_that_did_not_come(visitors: Visitors) -> None:
    page = await visitors.arrive("/icon.svg")
    refused: set[str] = set()

    async def refuse_once(route: Route) -> None:
        if route.request.service_worker is None or route.request.url in refused:
            await route.continue_()
        else:
            refused.add(route.request.url)
            await route.abort()

    await page.context.route("**/icons/*.png", refuse_once)
    await page.goto("/signin")
    await has_worker(page)
    assert refused


async def test_a_page_that_was_on_its_way_when_the_worker_came_has_it_too(visitors: Visitors) -> None:
    """Browsers leave such a page out when a worker takes over all that are open."""
    early = await visitors.arrive("/icon.svg")
    late = await early.context.new_page()
    asked, installed = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await installed.wait()
        await route.continue_()

    await late.route("**/signin?late", hold)
    going = asyncio.create_task(late.goto("/signin?late"))
    await asked.wait()
    await early.goto("/signin")
    await has_worker(early)
    installed.set()
    await going
    await has_worker(late)


async def test_an_update_waits_for_its_reader_and_loses_no_draft(chromium: Browser, tmp_path: Path) -> None:
    """The new version is the same files under another name; the server starts again with them."""
    stack = Stack.start(tmp_path / "stack", PYTHONPATH=str(_copy_of_the_program(tmp_path / "program")))
    visitors = Visitors(chromium, stack)
    try:
        async with Api(stack.api_url) as api:
            ada = await api.sign_up("Ada Lovelace")
            chat = await ada.create_chat("PrivateChannel", "dock")
        page = await visitors.sign_in(ada, f"/chats/{chat.id}")
        await has_worker(page)
        await page.get_by_role("textbox", name="Message").fill("half a thought")
        _rename_version(tmp_path / "program")
        stack.kill("fechatter_server")
        stack.wait_ready()
        await page.evaluate("navigator.serviceWorker.getRegistration().then(r => r.update()).then(() => true)")
        await expect(page.get_by_text("A new version is there.")).to_be_visible()
        async with page.expect_navigation():
            await page.get_by_role("button", name="Reload").click()
        await expect(page.get_by_role("textbox", name="Message")).to_have_value("half a thought")
        assert "fechatter-shell-next" in await page.evaluate("caches.keys()")
        await expect(page.get_by_text("A new version is there.")).to_have_count(0)
    finally:
        for context in visitors.contexts:
            await context.close()
        stack.stop()
    assert not visitors.complaints


def _copy_of_the_program(folder: Path) -> Path:
    for part in ("fechatter", "migrations", "web/dist"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _rename_version(folder: Path) -> None:
    worker = folder / "web" / "dist" / "sw.js"
    text, count = re.subn(r"version:([`\"'])\w+\1", "version:'next'", worker.read_text())
    assert count
    worker.write_text(text)


async def _pair(crowd: Crowd) -> tuple[Person, Person]:
    ada = await crowd.sign_up("Ada Lovelace")
    [grace] = await crowd.colleagues(ada, "Grace Hopper")
    return ada, grace


async def _streams_are(stack: Stack, count: int) -> None:
    """So many are open, once notify_server has seen the end of those that are not any more."""

    async def are_open() -> bool:
        async with Api(stack.notify_url) as notify:
            text = (await notify.ask("GET", "/metrics")).body.decode()
        told = re.findall(r"^fechatter_notify_streams(?:\{.*\})? ([\d.e+]+)$", text, re.M)
        return sum(int(float(value)) for value in told) == count

    await eventually(are_open, f"{count} streams are open")


async def _is_kept(page: Page, row: str) -> None:
    await has_worker(page)
    await _rows_are(page, lambda rows: row in rows)


async def _rows_are(page: Page, expected: Callable[[list[str]], bool]) -> None:
    async def are_there() -> bool:
        return expected(await page.evaluate(ROWS))

    await eventually(are_there, "the device keeps what it should")


def _log(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")
