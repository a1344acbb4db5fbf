"""Take the README's picture: play the demo, open its page in a real Chromium, and keep what it shows as docs/page.png.

``make picture``. It needs Chromium (``apt-get install chromium fonts-noto-core``) and the development requirements.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from monitor import log
from monitor.demo.run import staged
from spiders.crawl import run

SECONDS = 30.0
WIDTH, HEIGHT = 1100, 900
LARGEST = 150_000
PICTURE = Path(__file__).parent / "page.png"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync")  # fmt: skip


async def main() -> int:
    """0 when the picture is taken."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("No Chromium here: apt-get install chromium fonts-noto-core", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        async with staged(seconds=SECONDS, folder=Path(folder), page_address="127.0.0.1:0") as stage:
            await stage.played(asyncio.Event())
            size = await _taken(chromium, stage.page)
    print(f"{PICTURE.name}: {size // 1000} kB")
    return 0 if size <= LARGEST else 1


async def _taken(chromium: str, address: str) -> int:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        await page.goto(address)
        taken = await page.screenshot(path=PICTURE)
        await browser.close()
    return len(taken)


if __name__ == "__main__":
    log.set_up(sys.stderr, json=False, level="ERROR")
    sys.exit(run(main))
