"""What tests of the conversation share: its text field, its messages, a picture to send, fingers and input methods."""

import io
import re
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from PIL import Image
from playwright._impl._api_structures import FilePayload
from playwright.async_api import CDPSession, Locator, Page, expect

from tests.support.waiting import eventually

# A finger that went down can only be lifted by the session that put it there.
_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def messages(page: Page) -> Locator:
    """Those that are drawn just now."""
    return page.get_by_role("log", name="Messages").get_by_role("article")


async def stored(page: Page) -> None:
    """Nothing that is shown is on its way any more."""
    await expect(messages(page).filter(has_text=re.compile("Waiting to be|Sending…|Not sent"))).to_have_count(0)


async def on_the_device(page: Page, count: int) -> None:
    """So many messages lie there to be sent."""
    asking = """() => new Promise(done => {
        const opening = indexedDB.open('fechatter');
        opening.onsuccess = () => {
            const counting = opening.result.transaction('outbox').objectStore('outbox').count();
            counting.onsuccess = () => { opening.result.close(); done(counting.result); };
        };
    })"""

    async def are_there() -> bool:
        return await page.evaluate(asking) == count

    await eventually(are_there, f"{count} messages wait on the device")


def picture(name: str, width: int = 300, height: int = 200, colour: str = "#0e6e5c") -> FilePayload:
    data = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(data, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": data.getvalue()}


async def tell_browser(page: Page, method: str, **params: object) -> None:
    """One command of the protocol of the browser's tools: what fingers and input methods do comes in this way."""
    if page not in _sessions:
        _sessions[page] = await page.context.new_cdp_session(page)
    await _sessions[page].send(method, dict(params))  # pyright: ignore[reportUnknownMemberType]


async def touch(page: Page, kind: str, *points: Mapping[str, float]) -> None:
    """`kind`: touchStart, touchMove or touchEnd."""
    await tell_browser(page, "Input.dispatchTouchEvent", type=kind, touchPoints=list(points))
