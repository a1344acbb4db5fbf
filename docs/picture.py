"""Take the README's picture: play the demo, open its page in a real Chromium, and keep what it shows as docs/page.png.

``make picture``. It needs Chromium (``apt-get install chromium fonts-noto-core``) and the development requirements.
"""

from __future__ import annotations

import asyncio
import shutil
import struct
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from playwright.async_api import async_playwright

from monitor import log
from monitor.demo.run import staged
from spiders.crawl import run

SECONDS = 30.0
WIDTH, HEIGHT = 1200, 900
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
            taken = await _taken(chromium, stage.page)
    PICTURE.write_bytes(small := with_palette(taken))
    print(f"{PICTURE.name}: {len(small) // 1000} kB")
    return 0 if len(small) <= LARGEST else 1


async def _taken(chromium: str, address: str) -> bytes:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        await page.goto(address)
        taken = await page.screenshot()
        await browser.close()
    return taken


# ------------------------------------------------------------------ a smaller PNG: the page has few colours


def with_palette(png: bytes) -> bytes:
    """The same picture with its 256 most used colours, a quarter of the size; the others become the nearest of them."""
    width, height, rows = _decoded(png)
    pixels = [[row[at : at + 3] for at in range(0, len(row), 3)] for row in rows]
    used = Counter(pixel for row in pixels for pixel in row)
    palette = [colour for colour, _count in used.most_common(256)]
    index = {colour: palette.index(min(palette, key=lambda near: _apart(colour, near))) for colour in used}
    lines = b"".join(b"\0" + bytes(index[pixel] for pixel in row) for row in pixels)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held)) for kind, held in chunks
    )


def _apart(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _decoded(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of an RGB picture as Chromium writes it: 8 bits, not interlaced."""
    chunks = list(_chunks(png))
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if (depth, colour, interlace) != (8, 2, 0):
        raise ValueError("not the plain RGB picture that Chromium writes")
    told = zlib.decompress(b"".join(held for kind, held in chunks if kind == b"IDAT"))
    size = width * 3
    rows: list[bytes] = []
    above = bytearray(size)
    for start in range(0, len(told), size + 1):
        above = _unfiltered(told[start], bytearray(told[start + 1 : start + 1 + size]), above)
        rows.append(bytes(above))
    return width, height, rows


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        yield kind, png[at + 8 : at + 8 + size]
        at += 12 + size


def _unfiltered(kind: int, row: bytearray, above: bytearray) -> bytearray:
    """One row with its filter undone (PNG specification, 9.2)."""
    for at in range(len(row)):
        left, corner = (row[at - 3], above[at - 3]) if at >= 3 else (0, 0)
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind]
        row[at] = (row[at] + guess) & 255
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    base = left + up - corner
    return min((left, up, corner), key=lambda near: abs(base - near))


if __name__ == "__main__":
    log.set_up(sys.stderr, json=False, level="ERROR")
    sys.exit(run(main))
