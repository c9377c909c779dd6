"""Fixtures of the browser tests: the system's Chromium, against the whole program.

chromium   (session) the browser
visitors   windows, each with a profile of its own: arrive (nobody yet), sign_in (as somebody), close
crowd      people that the API makes, for what a test does not want to click through

Screenshots go to test-results/.
"""

import os
import re
import shutil
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Response, async_playwright, expect

from tests.clients.api import PASSWORD, Api, Person
from tests.flow.conftest import Crowd
from tests.support.stack import ROOT, Stack
from tests.support.waiting import PATIENCE_S, eventually

RESULTS = ROOT / "test-results" / "browser"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=PATIENCE_S * 1_000)  # by itself it waits for 5 s, which a busy machine may need for a page
# Chromium reports every answer of 4xx and every cut connection as an error of its own.
NETWORK = re.compile(r"Failed to load resource|net::ERR_")


class Visitors:
    """Windows of the page. `complaints`: what their consoles said, network failures aside."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []
        self._hearing: set[Page] = set()
        self._browser = browser
        self._stack = stack

    async def arrive(self, path: str = "/", *, locale: str = "en-US", phone: bool = False, dark: bool = False) -> Page:
        """Somebody who was never here opens the page."""
        context = await self._browser.new_context(
            base_url=self._stack.api_url,
            locale=locale,
            viewport=PHONE if phone else DESK,  # pyright: ignore[reportArgumentType]
            has_touch=phone,
            color_scheme="dark" if dark else "light",
        )
        self.contexts.append(context)
        page = await context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", lambda answer: self._note(page, answer))
        await page.goto(path)
        return page

    async def sign_in(
        self, person: Person, path: str = "/", *, locale: str = "en-US", phone: bool = False, dark: bool = False
    ) -> Page:
        """Somebody who signed in a while ago opens the page."""
        page = await self.arrive("/signin", locale=locale, phone=phone, dark=dark)
        form = {"email": person.user.email, "password": PASSWORD}
        answer = await page.context.request.post("/api/auth/signin?session=cookie", data=form)
        assert answer.ok, await answer.text()
        await page.goto(path)
        return page

    async def hears(self, page: Page) -> None:
        """Return once a window that arrived here hears what happens from now on."""

        async def does() -> bool:
            return page in self._hearing

        await eventually(does, "the page hears events")

    def _note(self, page: Page, answer: Response) -> None:
        """A stream is answered with its hello."""
        if answer.ok and answer.url.endswith("/notifications/events"):
            self._hearing.add(page)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not NETWORK.search(message.text):
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
async def chromium() -> AsyncGenerator[Browser]:
    """Nothing is downloaded: Debian's Chromium, or the one that FECHATTER_TEST_CHROMIUM names."""
    found = os.environ.get("FECHATTER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "install Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def visitors(chromium: Browser, shared_stack: Stack, request: pytest.FixtureRequest) -> AsyncGenerator[Visitors]:
    """Each test's own windows; afterwards their consoles must have been silent."""
    everyone = Visitors(chromium, shared_stack)
    yield everyone
    await _photograph(everyone, str(request.node.name))
    for context in everyone.contexts:
        await context.close()
    assert not everyone.complaints, everyone.complaints


@pytest.fixture
async def crowd(shared_stack: Stack) -> AsyncGenerator[Crowd]:
    """People of the shared stack."""
    async with Api(shared_stack.api_url) as api:
        yield Crowd(shared_stack, api)


async def _photograph(visitors: Visitors, name: str) -> None:
    """What each window showed at the end."""
    for number, context in enumerate(visitors.contexts):
        for page in context.pages:
            await page.screenshot(path=RESULTS / f"{re.sub(r'[^a-z0-9_]+', '-', name)}-{number}.png")
