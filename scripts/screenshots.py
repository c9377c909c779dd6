"""Take the README's pictures anew, from the running program: `.venv/bin/python scripts/screenshots.py`.

A stack of its own is started and filled through the API with people, chats and a picture; Chromium then signs in as one
of them, at a desk and on a phone. Looks best where the fonts Inter and Noto Color Emoji are installed.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import httpx2
from playwright.async_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.browser import browser  # noqa: E402 - neither the bench nor the tests are an installed package
from tests.browser.conftest import PHONE  # noqa: E402
from tests.clients.api import PASSWORD, Api, Person  # noqa: E402
from tests.clients.shapes import Chat  # noqa: E402
from tests.support.stack import Stack  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DESK = {"width": 1240, "height": 800}
COVER = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 540" width="960" height="540">
  <linearGradient id="sky" x2="0" y2="1">
    <stop stop-color="#f7b267"/><stop offset=".55" stop-color="#e79a8b"/><stop offset="1" stop-color="#8d7a9e"/>
  </linearGradient>
  <linearGradient id="light">
    <stop stop-color="#fff3c4"/><stop offset="1" stop-color="#fff3c4" stop-opacity="0"/>
  </linearGradient>
  <rect width="960" height="540" fill="url(#sky)"/>
  <circle cx="700" cy="170" r="62" fill="#fff0cf"/>
  <path d="M0 400 200 318 380 408 600 330 960 420V540H0Z" fill="#4d5d80"/>
  <path d="M268 168 720 96V256L268 190Z" fill="url(#light)" opacity=".8"/>
  <path d="M218 440 230 200H274L286 440Z" fill="#f8f4ea"/>
  <path d="M225 300 227 250H277L279 300ZM221 390 223 340H281L283 390Z" fill="#c23b3b"/>
  <path d="M224 200 252 150 280 200Z" fill="#a23232"/><rect x="234" y="168" width="36" height="32" fill="#ffe28a"/>
  <path d="M0 470 300 420 560 460 960 430V540H0Z" fill="#22304f"/>
</svg>
"""
PICTURES_ARE_THERE = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
NAMES = ("Maya Okafor", "Jonas Weber", "Priya Nair", "Tomás Silva", "Lin Yue 林悦")


class Team(NamedTuple):
    maya: Person
    jonas: Person
    priya: Person
    tomas: Person
    lin: Person


async def main() -> None:
    async with AsyncExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="fechatter-pictures-"))
        stack = Stack.start(Path(folder) / "stack")
        ends.callback(stack.stop)
        api = await ends.enter_async_context(Api(stack.api_url))
        chromium = await ends.enter_async_context(browser())
        team = await _team(api)
        for other in team[1:]:
            await _open(chromium, stack, other)
        chat = await _talk(team, await _cover(chromium))
        desk = await _open(chromium, stack, team.maya, f"/chats/{chat.id}")
        await desk.get_by_role("link", name="Show details").click()
        await desk.get_by_role("button", name="Add people").wait_for()
        await _take(desk, "conversation")
        phone = await _open(chromium, stack, team.maya, f"/chats/{chat.id}", phone=True)
        await _take(phone, "phone")


async def _team(api: Api) -> Team:
    maya = await api.sign_up(NAMES[0], workspace="Lighthouse")
    invite = await maya.invite()
    return Team(maya, *[await api.sign_up(name, invite=invite.code) for name in NAMES[1:]])


async def _talk(team: Team, cover: bytes) -> Chat:
    """Chats with something unread, and the one that is shown."""
    maya, jonas, priya, tomas, lin = team
    others = (jonas, priya, tomas, lin)
    await priya.post(
        await priya.create_chat("Single", priya.user.fullname, [maya]), "Slides are in the shared folder ✨"
    )
    await lin.post(await lin.create_chat("Single", lin.user.fullname, [maya]), "午饭后有空聊聊图标吗？")
    lisbon = await maya.create_chat("Group", "Lisbon offsite", others)
    await tomas.post(lisbon, "Found a house with a terrace")
    design = await maya.create_chat("PublicChannel", "design", others)
    await lin.post(design, "新图标已经放进共享文件夹了")
    on_call = await maya.create_chat("PrivateChannel", "on-call", others)
    await jonas.post(on_call, "Nightly backup: 4 min 12 s, restored and compared")
    week = await maya.create_chat("PublicChannel", "launch-week", others)
    await priya.post(week, "I killed the server ten times during the import. Nothing lost, nothing doubled. 👏")
    asked = await tomas.post(week, "Screens are final. @maya.okafor could you look at the phone layout before noon?")
    await maya.post(week, "On it. It already feels calm, I like the quiet sidebar.", reply_to=asked.id)
    await tomas.post(week, "And here is the cover:", files=[await _upload(tomas, cover)])
    await lin.post(week, "中文翻译完成了，大家可以切换语言看看。")
    await jonas.post(week, "```python\nasync for event in stream:\n    show(event.type, event.payload)\n```")
    await jonas.post(week, "Two lines, and the status board is live.")
    await maya.post(week, "Perfect. Let's ship on **Thursday** 🚢")
    return week


async def _cover(browser: Browser) -> bytes:
    page = await browser.new_page(viewport={"width": 960, "height": 540})
    await page.set_content(f"<style>body{{margin:0}}</style>{COVER}")
    png = await page.screenshot()
    await page.close()
    return png


async def _upload(person: Person, png: bytes) -> int:
    async with httpx2.AsyncClient(base_url=person.api.url) as client:
        answer = await client.post(
            "/api/files",
            files={"file": ("cover.png", png, "image/png")},
            headers={"Authorization": f"Bearer {person.token}"},
        )
    return int(answer.raise_for_status().json()["id"])


async def _open(browser: Browser, stack: Stack, person: Person, path: str = "/", *, phone: bool = False) -> Page:
    context = await browser.new_context(
        base_url=stack.api_url,
        viewport=PHONE if phone else DESK,  # pyright: ignore[reportArgumentType]
        device_scale_factor=2,
        has_touch=phone,
        color_scheme="dark" if phone else "light",
    )
    form = {"email": person.user.email, "password": PASSWORD}
    answer = await context.request.post("/api/auth/signin?session=cookie", data=form)
    assert answer.ok, await answer.text()
    page = await context.new_page()
    await page.goto(path)
    return page


async def _take(page: Page, name: str) -> None:
    await page.get_by_text("Let's ship on").last.wait_for()
    await eventually(lambda: page.evaluate(PICTURES_ARE_THERE), "the pictures are there")
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    asyncio.run(main())
