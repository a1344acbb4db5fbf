"""The review page over 100,000 items while answers are filed: how long each page takes, and how soon news is on it.

``python -m benchmarks.served [ITEMS]`` fills a store (`benchmarks.page`), serves the page from a process of its own in
which an answer is filed each second, and asks over loopback, one page after the other. With Chromium on the path it
also measures the first paint, and the time from a filing to the headline standing on an open page.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.page import CHANNELS, NOW, OUTLETS, WATCHES, filled
from config.load import load
from config.model.outlets import Outlet
from config.model.settings import Channel, Settings
from config.model.watches import Watch
from config.model.whole import Config
from monitor.alerts.links import signer_of
from monitor.edition import edition
from monitor.model.alerts import NewAlert
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Match, Span, Wanted
from monitor.model.sources import Outcome, SourceState
from monitor.ports import Ledger, Store
from monitor.status import Status
from monitor.stories import identity
from monitor.web.app import build
from monitor.web.live import Live
from monitor.web.server import serving
from spiders.crawl import collect_rarely
from storage import open_store

ROUNDS = 60
MARK = "Filed at"
"""How the headlines begin that are filed while it is measured."""


def configuration() -> Config:
    """The outlets and watches that `benchmarks.page` fills a store with, and the concepts that ship."""
    outlets = {
        name: Outlet.model_validate(
            {
                "id": name, "name": name.title(), "home": f"https://{name}.example/", "language": "en",
                "time_zone": "UTC", "access": "feed", "why": "Its feed is open to everybody.",
                "source": ({"id": "main", "kind": "feed", "url": f"https://{name}.example/feed"},),
            }
        )
        for name in OUTLETS
    }  # fmt: skip
    shipped = load(None)
    return Config(
        settings=Settings(channel=tuple(Channel(id=name, url="stdout") for name in CHANNELS)),
        outlets=outlets,
        watches={name: Watch(id=name, title=name.title(), when="talks") for name in WATCHES},
        concepts=shipped.concepts, claims=shipped.claims, origins=shipped.origins,
    )  # fmt: skip


# ------------------------------------------------------------------ the served process


def serve(path: Path, pipe: Connection) -> None:
    """Until the pipe says stop: its first word is the page's address."""
    asyncio.run(_serve(path, pipe))


async def _serve(path: Path, pipe: Connection) -> None:
    store, live, began = open_store(f"sqlite:///{path}", exclusive=True), Live(), time.monotonic()
    compiled = edition(configuration())

    def now() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    async def status() -> Status:
        return Status(
            started=NOW, now=now(), last_tick=now(), looked=now(), crawler_alive=True, counts=await store.count(),
            sources=await store.sources(),
        )  # fmt: skip

    collect_rarely()  # as the service does
    app = build(store, lambda: compiled, status, signer=signer_of(path.with_suffix(".key")), live=live)
    async with serving(app, "127.0.0.1:0") as address:
        pipe.send(address)
        number = 0
        while not pipe.poll():
            live.filed(await store.file(*_answer(number, now())))
            number += 1
            await asyncio.sleep(1)
    await store.close()


def _answer(number: int, at: datetime) -> tuple[Filing, Callable[[Change, Ledger], Decision]]:
    outlet = OUTLETS[number % len(OUTLETS)]
    titles = [f"{MARK} {time.time():.3f}: talks {number} {each}" for each in range(5)]
    candidates = tuple(
        Candidate(
            id=identity.item_id(outlet, f"url:{title}"), entry=Entry(title=title, url=f"https://{outlet}.example/{at}"),
            keys=(f"url:{title}",), text_hash=identity.text_hash(title, ""), language="en",
        )
        for title in titles
    )  # fmt: skip
    state = SourceState(
        id=f"{outlet}/main", outlet=outlet, url=f"https://{outlet}.example/feed", host=f"https://{outlet}.example:443",
        next_due=at + timedelta(minutes=5), outcome=Outcome.OK, last_polled=at, last_good=at, baselined=at,
    )  # fmt: skip
    answer = Answer(
        source=state.id, outlet=outlet, url=state.url, final_url=state.url, at=at, outcome=Outcome.OK,
        entries=tuple(each.entry for each in candidates), listed=len(candidates),
    )  # fmt: skip
    return Filing(answer=answer, candidates=candidates, after=state, held=state), _decide


def _decide(change: Change, _ledger: Ledger) -> Decision:
    match = Match(watch="watch-00", spans=(Span(field="title", start=0, end=len(MARK), term=MARK),), clause="talks")
    row = NewAlert(watch="watch-00", channel=CHANNELS[0], item=change.item.id, state="new", severity="normal")
    return Decision(matches=(match,), alerts=(row,))


# ------------------------------------------------------------------ asking


async def _paths(path: Path) -> Mapping[str, str]:
    store: Store = open_store(f"sqlite:///{path}")
    items = await store.items(limit=50)
    item = next((each for each in await store.items(Wanted(watch="*"), limit=50) if each.revisions > 1), items[0])
    [story, *_] = await store.stories(limit=1, outlets=3)
    await store.close()
    return {
        "now": "/", "arrivals": "/rows/found", "brief of a day": "/brief?since=1d", "items": "/items",
        "items of a watch": "/items?watch=watch-01&review=unreviewed",
        "items of an outlet": "/items?outlet=outlet-00&language=he", "one item": f"/items/{item.id}",
        "stories": "/stories", "one story": f"/stories/{story.id}", "alerts": "/alerts",
        "dead letters": "/alerts?condition=dead", "watches": "/watches", "one watch": "/watches/watch-00",
        "sources": "/sources", "one outlet": "/outlets/outlet-00", "feed": "/feed.atom?watch=*", "API": "/api/v1/items",
        "search, one word": "/items?q=talks", "search, two words": "/items?q=talks%20AND%20ministry",
        "search, Hebrew": "/items?q=%D7%A9%D7%99%D7%97%D7%95%D7%AA", "search, nothing": "/items?q=xylophone",
    }  # fmt: skip


def _high(taken: Sequence[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


async def _asked(address: str, path: str) -> tuple[list[float], int, int]:
    """Milliseconds of each request; bytes, and bytes compressed."""
    taken, body = [], b""
    async with aiohttp.ClientSession() as session:
        for number in range(ROUNDS + 2):
            began = time.perf_counter()
            async with session.get(address + path) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{path}: {answer.status}")
            if number > 1:
                taken.append((time.perf_counter() - began) * 1000)
    return taken, len(body), len(gzip.compress(body, 6))


_WATCH = """() => {
  window.delays = [];
  const look = () => {
    for (const row of document.querySelectorAll('.row:not([data-timed])')) {
      row.dataset.timed = '1';
      const told = /Filed at ([0-9.]+)/.exec(row.textContent);
      if (told) window.delays.push(Date.now() - 1000 * Number(told[1]));
    }
  };
  look(); window.delays.length = 0;
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
}"""


@contextlib.asynccontextmanager
async def _browser() -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as running:
        opened = await running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield opened
        await opened.close()


async def _seen(address: str, paths: Mapping[str, str]) -> None:
    """First paint, and from filing to the page."""
    async with _browser() as browser:
        page = await browser.new_page()
        for name in ("now", "items", "one story", "sources"):
            paints = []
            for _ in range(10):
                await page.goto(address + paths[name])
                await page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
                paints.append(
                    await page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
                )
            print(f"first paint of {name:24} p50 {sorted(paints)[5]:6.0f} ms  longest {max(paints):6.0f} ms")
        await page.goto(address)
        await page.evaluate(_WATCH)
        await asyncio.sleep(45)
        delays = await page.evaluate("() => window.delays")
        print(f"from filing to the page: {len(delays)} headlines, p50 {sorted(delays)[len(delays) // 2]:.0f} ms, "
              f"p95 {_high(delays):.0f} ms")  # fmt: skip


async def _measure(path: Path, address: str) -> None:
    paths = await _paths(path)
    for name, asked in paths.items():
        taken, size, packed = await _asked(address, asked)
        over = "  over" if _high(taken) > (150 if name.startswith("search") else 100) else ""
        print(
            f"{name:24} p50 {sorted(taken)[ROUNDS // 2]:7.1f} ms  p95 {_high(taken):7.1f} ms  "
            f"{size / 1000:6.0f} kB, {packed / 1000:5.1f} kB compressed{over}"
        )
    if shutil.which("chromium"):
        await _seen(address, paths)


def main() -> int:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.db"
        asyncio.run(filled(path, items))
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        served = context.Process(target=serve, args=(path, there))
        served.start()
        try:
            asyncio.run(_measure(path, here.recv()))
        finally:
            here.send("stop")
            served.join(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
