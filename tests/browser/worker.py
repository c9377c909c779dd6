"""The page's service worker, as tests wait for it."""

from playwright.async_api import Page

from tests.support.waiting import eventually

STATE = """async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const { installing, waiting, active } = registration ?? {};
    const files = [];
    for (const name of await caches.keys()) files.push([name, (await (await caches.open(name)).keys()).length]);
    return JSON.stringify({
        controller: navigator.serviceWorker.controller?.state,
        registration: registration && [installing, waiting, active].map(worker => worker?.state ?? null),
        files,
    });
}"""


async def has_worker(page: Page) -> None:
    """The worker answers for the page. A failure says how far it has come."""
    try:
        await eventually(lambda: page.evaluate("navigator.serviceWorker.controller !== null"), "the worker answers")
    except AssertionError as failure:
        failure.add_note(f"controller; [installing, waiting, active]; files taken in: {await page.evaluate(STATE)}")
        raise
