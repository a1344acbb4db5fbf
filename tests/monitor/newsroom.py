"""A newsroom whose answers are filed by the real desk into a real store: for tests of whole days."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.load import load
from monitor.desk import Desk
from monitor.edition import edition
from monitor.model.entries import Answer, Entry
from monitor.model.items import Item
from monitor.model.messages import Delivery, Parcel
from monitor.model.sources import Outcome, PageDue, SourceState
from monitor.stories.copies import TitleIndex
from storage import open_store

SETTINGS = '[[channel]]\nid = "desk"\nurl = "page"\nmin_severity = "low"\n'
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class SetClock:
    """Time as a test says."""

    pace = 1.0

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOON).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass(slots=True)
class Newsroom:
    folder: Path
    clock: SetClock
    store: Any
    desk: Desk

    async def files(self, source: str, *entries: Entry) -> None:
        """One answer of a source that was polled before, in the order in which it lists."""
        outlet, at = source.partition("/")[0], self.clock.at
        answer = Answer(
            source=source, outlet=outlet, url=f"https://{outlet}.example/", final_url=f"https://{outlet}.example/",
            at=at, outcome=Outcome.OK, entries=entries, listed=len(entries),
        )  # fmt: skip
        due = SourceState(
            id=source, outlet=outlet, url=answer.url, host=f"https://{outlet}.example:443", next_due=at,
            baselined=at - timedelta(days=1),
        )  # fmt: skip
        edition_ = self.desk.edition
        filing = self.desk.identified(self.desk.normalised(answer, edition_), due, edition_)
        await self.desk.filed(self.desk.matched(filing, (), edition_), due, edition_)

    async def takes_down(self, item: Item) -> None:
        """The publisher answers 410 for an article page that was read before."""
        assert item.url is not None
        at = self.clock.at
        answer = Answer(
            source=f"{item.outlet}/page", outlet=item.outlet, url=item.url, final_url=item.url, at=at,
            outcome=Outcome.GONE, status=410, reason="HTTP 410", page_of=item.id,
        )  # fmt: skip
        due = PageDue(
            item=item.id, outlet=item.outlet, url=item.url, host="https://www.example.org:443",
            first_seen=item.first_seen, read=item.first_seen,
        )  # fmt: skip
        edition_ = self.desk.edition
        await self.desk.filed(self.desk.identified(answer, due, edition_), due, edition_)

    async def items(self) -> dict[str, Item]:
        return {each.title: each for each in await self.store.items(limit=100)}

    async def later(self, minutes: float) -> None:
        self.clock.at += timedelta(minutes=minutes)


def entry(number: int, title: str, lead: str = "", **more: Any) -> Entry:
    url = f"https://www.example.org/news/{number:06d}"
    return Entry(title=title, lead=lead, url=url, guid=url, published=NOON, **more)


def open_newsroom(folder: Path, watches: str, settings: str = SETTINGS, *, name: str = "wirewatch") -> Newsroom:
    """Close its store when it is over."""
    (folder / "watches").mkdir(exist_ok=True)
    (folder / "watches/beat.toml").write_text(watches)
    (folder / "wirewatch.toml").write_text(settings)
    clock, store = SetClock(), open_store(f"sqlite:///{folder}/{name}.db")
    return Newsroom(folder, clock, store, desk_over(store, clock, folder))


def desk_over(store: Any, clock: SetClock, folder: Path) -> Desk:
    titles = TitleIndex(lambda title: frozenset(title.casefold().split()))
    return Desk(edition(load(folder)), store, clock, titles=titles, jitter=random.Random(1).random)


class Mouth:
    """A channel that takes everything."""

    id, at_once, names = "desk", 8, 50

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []

    async def send(self, parcel: Parcel) -> Delivery:
        self.parcels.append(parcel)
        return Delivery(verdict="sent")

    async def close(self) -> None:
        return None
