"""What somebody slips into the page does not run."""

import pytest
from playwright.async_api import Browser, Page

from tests.browser.conftest import Visitors
from tests.browser.worker import has_worker
from tests.flow.conftest import Crowd
from tests.support.stack import Stack

INJECTED = {
    "a script element": """() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
    }""",
    "an inline handler": """() => {
        const image = document.createElement('img');
        image.setAttribute('onerror', 'window.ran = true');
        image.src = '/nothing.png';
        document.body.append(image);
    }""",
    "HTML as text": """() => {
        document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = true">');
    }""",
    "a script of another origin": """() => {
        const script = document.createElement('script');
        script.src = 'https://example.org/x.js';
        document.body.append(script);
    }""",
    "text that is made to code": """() => { setTimeout('window.ran = true', 0); }""",
    "another worker": """() => navigator.serviceWorker.register('/assets/evil.js')""",
    "a policy of one's own": """() => { trustedTypes.createPolicy('mine', { createScript: (text) => text }); }""",
}


@pytest.mark.parametrize("what", INJECTED)
async def test_what_is_injected_does_not_run(chromium: Browser, shared_stack: Stack, what: str) -> None:
    """In a window of its own: its console is full of what the browser refused."""
    page = await chromium.new_page(base_url=shared_stack.api_url)
    await page.goto("/signin")
    await page.get_by_role("button", name="Sign in").wait_for()
    attempt = f"async () => {{ try {{ await ({INJECTED[what]})(); return 'let'; }} catch {{ return 'refused'; }} }}"
    assert await page.evaluate(attempt) == "refused"
    await page.evaluate("new Promise(done => setTimeout(done))")  # whatever was let would have its turn by then
    assert await page.evaluate("window.ran === undefined")
    await page.context.close()


async def test_scripts_find_no_token_in_what_the_browser_keeps(visitors: Visitors, crowd: Crowd) -> None:
    ada = await crowd.sign_up("Ada Lovelace")
    chat = await ada.create_chat("PrivateChannel")
    page = await visitors.sign_in(ada, f"/chats/{chat.id}")
    await page.get_by_role("log", name="Messages").wait_for()
    kept = await _all_that_is_kept(page)
    assert "Ada Lovelace" in kept
    assert "eyJ" not in kept
    assert await page.evaluate("document.cookie") == ""


async def _all_that_is_kept(page: Page) -> str:
    await has_worker(page)
    return await page.evaluate(
        """async () => {
            const names = await indexedDB.databases();
            const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
            const plain = (_, value) => value instanceof Map ? [...value] : value;
            for (let rows = 0; rows === 0; await new Promise(done => setTimeout(done, 100))) {
                const database = await new Promise(done => {
                    const request = indexedDB.open('fechatter');
                    request.onsuccess = () => done(request.result);
                });
                for (const name of database.objectStoreNames) {
                    const all = await new Promise(done => {
                        const request = database.transaction(name).objectStore(name).getAll();
                        request.onsuccess = () => done(request.result);
                    });
                    rows += all.length;
                    found.push(JSON.stringify(all, plain));
                }
                database.close();
            }
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys()) found.push(request.url);
            return found.join('\\n');
        }"""
    )
