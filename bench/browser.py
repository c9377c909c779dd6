"""The web client in Chromium, as its user has it: what it weighs, and how quickly it answers.

Window.open(browser, stage, path)   a page of somebody who is signed in
window.scripts()                    bytes of JavaScript that came over the wire until now
window.heap()                       bytes that are in use after a collection
window.measure(script, …)           figures that a script in the page takes
"""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from bench.figures import CannotMeasure
from tests.clients.api import PASSWORD, Person

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
DESK = {"width": 1280, "height": 800}
LOADED = "[role=log] [role=article]"


def chromium() -> str:
    """The browser of the system: nothing is downloaded."""
    found = os.environ.get("FECHATTER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise CannotMeasure("there is no Chromium: install the package `chromium`")
    return found


@asynccontextmanager
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield running
        finally:
            await running.close()


class Window:
    """A page with a profile of its own."""

    def __init__(self, context: BrowserContext, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session
        self._context = context
        self._scripts: set[str] = set()
        self._bytes = 0
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)

    @classmethod
    async def open(cls, running: Browser, url: str, person: Person, path: str) -> Self:
        """Somebody who signed in before opens `path`; returns when its first message is on the screen."""
        context = await running.new_context(base_url=url, viewport=DESK)  # pyright: ignore[reportArgumentType]
        form = {"email": person.user.email, "password": PASSWORD}
        answer = await context.request.post("/api/auth/signin?session=cookie", data=form)
        if not answer.ok:
            raise CannotMeasure(f"nobody can sign in: {await answer.text()}")
        page = await context.new_page()
        window = cls(context, page, await context.new_cdp_session(page))
        await window.ask("Network.enable")
        await window.ask("Performance.enable")
        await page.goto(path)
        await page.locator(LOADED).first.wait_for()
        return window

    async def close(self) -> None:
        await self._context.close()

    def scripts(self) -> int:
        return self._bytes

    async def heap(self) -> int:
        await self.ask("HeapProfiler.collectGarbage")
        return (await self.ask("Runtime.getHeapUsage"))["usedSize"]

    async def nodes(self) -> int:
        metrics = (await self.ask("Performance.getMetrics"))["metrics"]
        return round(next(one["value"] for one in metrics if one["name"] == "Nodes"))

    async def ask(self, method: str) -> dict[str, Any]:
        """One command of the protocol of the browser's tools."""
        answer: dict[str, Any] = await self._session.send(method)  # pyright: ignore
        return answer

    async def measure(self, script: str, argument: object = None) -> Any:
        return await self.page.evaluate(script, argument)

    def _received(self, event: dict[str, Any]) -> None:
        if event["type"] == "Script":
            self._scripts.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._scripts:
            self._bytes += round(event["encodedDataLength"])
