"""What the benchmarks share: a configuration made of values, a service that can be told when to look, a CPU meter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.load import load
from config.model.outlets import Cadence, Outlet, Source
from config.model.settings import Allow, Settings, StoreSettings
from config.model.whole import Config
from monitor.model.filing import Filed
from monitor.ports import Store
from monitor.service import Service
from storage import open_store

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class SetClock:
    """A clock whose wall stands where it is put; the machine's seconds are the machine's."""

    pace = 1.0

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def set(self, now: datetime) -> None:
        self._now = now


def outlet(name: str, url: str, **more: object) -> Outlet:
    """An outlet with one feed, polled as often as the clock allows and without delay between requests."""
    values: dict[str, object] = {
        "id": name, "name": name, "home": "https://example.org/", "language": "en", "time_zone": "UTC",
        "access": "feed", "why": "A benchmark's outlet.", "delay": "0s",
        "cadence": Cadence(every=timedelta(hours=1), min=timedelta(minutes=1), max=timedelta(hours=1)),
        "source": (Source(id="feed", kind="feed", url=url),),
    }  # fmt: skip
    return Outlet(**{**values, **more})  # type: ignore[arg-type]


def configuration(outlets: Sequence[Outlet], allow: Sequence[str], folder: Path) -> Config:
    """Shipped watches and concepts over these outlets; no channel but what the store itself shows."""
    shipped = load(None)
    watches = {name: each.model_copy(update={"outlets": (), "notify": ()}) for name, each in shipped.watches.items()}
    settings = Settings(store=StoreSettings(url=f"sqlite:///{folder}/bench.db"), allow=Allow(fetch=tuple(allow)))
    return shipped.model_copy(
        update={
            "settings": settings, "outlets": {each.id: each for each in outlets}, "watches": watches, "secrets": {},
            "folder": str(folder),
        }
    )  # fmt: skip


@dataclass(slots=True)
class Bench:
    """A running service and what it has filed so far."""

    service: Service
    store: Store
    clock: SetClock
    filed: list[Filed] = field(default_factory=list)

    async def poll_all(self) -> None:
        """Make every source due, and wait until each was asked and filed."""
        while self.service.visits.under_way:  # what is under way may have been answered before the site changed
            await asyncio.sleep(0.01)
        due = [state.id for state in await self.store.sources()]
        self.clock.set(self.clock.now() + timedelta(seconds=1))
        since = self.clock.now()
        answered = len(self.filed)
        await self.store.mark_due(due, since)
        while len(self.filed) - answered < len(due):  # asking the store itself would be charged to the service
            await asyncio.sleep(0.02)
        while not all(state.last_polled and state.last_polled >= since for state in await self.store.sources()):
            await asyncio.sleep(0.05)  # among the filings were notices of the service


@contextlib.asynccontextmanager
async def running(config: Config, clock: SetClock, *, workers: int = 2) -> AsyncIterator[Bench]:
    """The real service over ``config``, until the block ends."""
    store = open_store(config.settings.store.url, exclusive=True)
    filed: list[Filed] = []
    service = Service(
        config, store, clock, randomness=random.Random(1), tick=0.02, workers=workers, channels=lambda _config: {},
        on_filed=filed.append,
    )  # fmt: skip
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        while service.running.last_tick is None and not task.done():  # its sources are known after its first look
            await asyncio.sleep(0.01)
        yield Bench(service, store, clock, filed)
    finally:
        stop.set()
        await task
        await store.close()


def cpu(*, besides: Collection[int] = ()) -> float:
    """CPU seconds of this process and its living and ended children so far; ``besides`` are children that are no part
    of the program that is measured."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    total = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    ticks = os.sysconf("SC_CLK_TCK")
    for stat in _living(os.getpid(), besides):
        total += (int(stat[11]) + int(stat[12])) / ticks
    return total


def peak_megabytes() -> float:
    """The largest resident size this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _living(parent: int, besides: Collection[int]) -> list[list[str]]:
    found: list[list[str]] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in besides:
            continue
        with contextlib.suppress(OSError):
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(stat[1]) == parent:
                found += [stat, *_living(int(entry.name), besides)]
    return found


def on_reactor(main: Callable[[], object]) -> Mapping[str, object]:
    """Run an async ``main`` on the service's own reactor and give what it returned."""
    from spiders.crawl import run  # noqa: PLC0415

    kept: dict[str, object] = {}

    async def kept_main() -> int:
        kept["result"] = await main()  # type: ignore[misc]
        return 0

    run(kept_main)
    return kept
