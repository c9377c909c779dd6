"""Make the page's bitmap icons from web/public/icon.svg, with the system's Chromium: run it when the drawing changes.

icon-N       the drawing alone
maskable-N   on a ground that reaches the edges, within the middle that no mask cuts
touch-180    for iOS, which makes transparent black
badge-96     the outline, which Android colours itself
"""

import asyncio
import shutil
from pathlib import Path

from playwright.async_api import Page, async_playwright

PUBLIC = Path(__file__).resolve().parents[1] / "web" / "public"
GROUND = "#f4f1ea"


async def main() -> None:
    drawing = (PUBLIC / "icon.svg").read_text()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = await browser.new_page()
        for size in (192, 512):
            await _draw(page, drawing, f"icon-{size}", size)
            await _draw(page, drawing, f"maskable-{size}", size, share=0.62, ground=GROUND)
        await _draw(page, drawing, "touch-180", 180, share=0.76, ground=GROUND)
        await _draw(page, _outline(drawing), "badge-96", 96)
        await browser.close()


def _outline(drawing: str) -> str:
    """White, with the letter cut out."""
    bubble, letter = (line.strip() for line in drawing.splitlines() if "<path" in line)
    mask = f'<mask id="m">{bubble.replace("#0e6e5c", "#fff")}{letter.replace("#fff", "#000")}</mask>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{mask}'
        '<rect width="32" height="32" fill="#fff" mask="url(#m)"/></svg>'
    )


async def _draw(page: Page, drawing: str, name: str, size: int, *, share: float = 1, ground: str = "none") -> None:
    inner = round(size * share)
    await page.set_viewport_size({"width": size, "height": size})
    await page.set_content(
        f"<style>body{{margin:0;display:grid;place-items:center;height:{size}px;background:{ground}}}"
        f"svg{{width:{inner}px;height:{inner}px}}</style>{drawing}"
    )
    await page.screenshot(path=PUBLIC / "icons" / f"{name}.png", omit_background=True)


if __name__ == "__main__":
    asyncio.run(main())
