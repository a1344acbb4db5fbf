"""The demo from start to end: the loopback site, the real service, the inbox, and what it all came to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.model.whole import Config
from monitor.alerts import links
from monitor.demo.clock import SpedUpClock
from monitor.demo.day import Day, load
from monitor.demo.inbox import Inbox, Payload
from monitor.demo.reckoning import Reckoning, reckon
from monitor.demo.site import DemoSite
from monitor.demo.stage import demo_config
from monitor.ports import Store
from monitor.service import Service
from monitor.web.app import build
from monitor.web.live import Live
from monitor.web.server import serving
from storage import open_store

TICK = 0.05
STARTED = 20.0
"""Seconds the first poll of all sources may take before the day begins."""
SETTLED = 10.0
"""Seconds the last alerts may take after the day is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The demo while it plays."""

    day: Day
    config: Config
    service: Service
    store: Store
    site: DemoSite
    inbox: Inbox
    clock: SpedUpClock
    page: str

    async def played(self, stop: asyncio.Event) -> None:
        """The day to its end, or until ``stop``; then until everything due was delivered."""
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self.clock.sleep_until(self.day.end))]
        _done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in pending:
            each.cancel()
        with contextlib.suppress(TimeoutError):  # what is still pending then is told as missing
            async with asyncio.timeout(SETTLED):
                while await self.store.alerts(condition="pending", limit=1):  # noqa: ASYNC110  (the store tells nobody)
                    await asyncio.sleep(TICK)

    async def reckoned(self) -> Reckoning:
        """What the day came to, beside what it should have."""
        return reckon(
            day=self.day,
            served=self.site.served,
            shown=self.site.shown,
            arrivals=self.inbox.arrivals,
            items=await self.store.items(limit=100_000),
            alerts=await self.store.alerts(limit=100_000),
            sources=await self.store.sources(),
        )


@contextlib.asynccontextmanager
async def staged(
    *, seconds: float, folder: Path, page_address: str, on_alert: Callable[[Payload], None] | None = None
) -> AsyncIterator[Stage]:
    """Everything running, the day just begun; ended in order with the block."""
    day = load(datetime.now(UTC).date())
    factor = (day.end - day.start).total_seconds() / seconds
    clock = SpedUpClock(day.start, factor)
    async with contextlib.AsyncExitStack() as stack:
        inbox = await stack.enter_async_context(Inbox(clock, on_alert=on_alert))
        site = await stack.enter_async_context(DemoSite(day, clock))
        config = demo_config(site, inbox_url=inbox.url, folder=folder, page_address=page_address)
        store = open_store(config.settings.store.url, folder=folder, exclusive=True)
        stack.push_async_callback(store.close)
        jitter = random.Random(1)  # noqa: S311  (spreads polls, the same way each time)
        live = Live()
        service = Service(config, store, clock, randomness=jitter, folder=folder, tick=TICK, on_filed=live.filed)
        signer = links.signer_of(links.key_file(config))
        app = build(store, lambda: service.desk.edition, service.status, signer=signer, live=live)
        page = await stack.enter_async_context(serving(app, page_address, any_port=True, ending=live.close))
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        try:
            await _first_poll(store, running)
            clock.begin()
            yield Stage(
                day=day, config=config, service=service, store=store, site=site, inbox=inbox, clock=clock, page=page
            )
        finally:
            stop.set()
            await running


async def _first_poll(store: Store, running: asyncio.Task[None]) -> None:
    """Until every source was asked once, while the clock stands: the baseline is the same on a slow machine."""
    with contextlib.suppress(TimeoutError):  # the day begins all the same, and the summary says what it cost
        async with asyncio.timeout(STARTED):
            while not running.done():
                sources = await store.sources()
                if sources and all(source.last_polled for source in sources):
                    return
                await asyncio.sleep(TICK)


async def play(
    *,
    seconds: float,
    page_address: str,
    say: Callable[[str], None],
    told: Callable[[Reckoning], None],
    stay: bool = False,
    keep: Path | None = None,
) -> int:
    """Play the day in about ``seconds`` and say what it came to; 0 when everything was found once and told once.

    ``stay`` keeps the page open afterwards until a signal; ``keep`` is a folder for the configuration and the store,
    otherwise both end with the demo.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        async with staged(seconds=seconds, folder=folder, page_address=page_address) as stage:
            say(f"A sample day of news, {stage.day.start:%H:%M}–{stage.day.end:%H:%M}, in {seconds:g} seconds.")
            say(f"The page: {stage.page}   The configuration: {folder}")
            await stage.played(stop)
            result = await stage.reckoned()
            told(result)
            if stay and not stop.is_set():
                say(f"The page stays open at {stage.page} until Ctrl-C.")
                await stop.wait()
        return 0 if result.whole else 1
