"""A desk over a real store, and reviewers who correct it through a handle of their own, as another process does."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.desk import Desk
from monitor.edition import Edition
from monitor.model.entries import Answer, Entry
from monitor.model.items import Item
from monitor.model.sources import Outcome, SourceState
from monitor.model.stories import Correction, Story
from monitor.ports import Store
from monitor.stories.copies import TitleIndex
from storage import open_store
from tests.monitor.newsroom import SetClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FERRY = "Ferry with 40 passengers runs aground off Limassol"
FERRY_AGAIN = "Passengers evacuated after ferry grounding off Limassol harbour"
STRIKE = "Rail workers in Haifa announce two-day strike over pay"
STRIKE_AGAIN = "Trains to stand still as Haifa rail workers confirm strike"
DRAFT = {
    "en": "Mediators in Doha hand both sides a draft to release 50 hostages in phases",
    "he": "המתווכות בדוחא מסרו טיוטה: 50 חטופים ישוחררו בפעימות",
}


@dataclass(slots=True)
class Room:
    folder: Path
    clock: SetClock
    store: Store
    """The service's."""
    desk: Desk
    reviewer: Store
    """Of another process."""
    filed: int = 0

    async def publish(self, title: str, outlet: str = "ap", *, lead: str = "", later: float = 1.0) -> Item:
        """One article, some minutes after the last one."""
        self.clock.at += timedelta(minutes=later)
        self.filed += 1
        return await self.edit(self.filed, title, outlet, lead=lead)

    async def edit(self, number: int, title: str, outlet: str, *, lead: str = "") -> Item:
        """An article by its number, as its outlet tells it now."""
        url = _address(outlet, number)
        await self._file(outlet, Entry(title=title, lead=lead, url=url, guid=url, published=self.clock.at))
        (item,) = [each for each in await self.store.items(limit=1000) if each.url == url]
        return item

    async def both(self, one: int, other: int, title: str, outlet: str) -> Item:
        """The outlet says that two of its articles are one: it lists them under one guid, now here, now there."""
        addresses = _address(outlet, one), _address(outlet, other)
        for url in addresses:
            await self._file(outlet, Entry(title=title, url=url, guid="tag:one", published=self.clock.at))
        (item,) = [each for each in await self.store.items(limit=1000) if each.url in addresses]
        return item

    async def _file(self, outlet: str, entry: Entry) -> None:
        at, source = self.clock.at, f"{outlet}/feed"
        answer = Answer(
            source=source, outlet=outlet, url=f"https://{outlet}.example/", final_url=f"https://{outlet}.example/",
            at=at, outcome=Outcome.OK, entries=(entry,), listed=1,
        )  # fmt: skip
        due = SourceState(
            id=source, outlet=outlet, url=answer.url, host=f"https://{outlet}.example:443", next_due=at,
            baselined=at - timedelta(days=1),
        )  # fmt: skip
        compiled = self.desk.edition
        filing = self.desk.identified(self.desk.normalised(answer, compiled), due, compiled)
        await self.desk.filed(self.desk.matched(filing, (), compiled), due, compiled)

    async def restart(self) -> None:
        """The service ends, and another begins on the same file."""
        await self.store.close()
        self.store, self.desk = opened(self.folder, self.clock, self.desk.edition)
        await self.desk.remember(self.store)

    async def item(self, item: Item | str) -> Item:
        found = await self.store.item(item if isinstance(item, str) else item.id)
        assert found is not None
        return found

    async def story(self, item: Item) -> Story:
        """The one that the item stands in now."""
        found = await self.store.story((await self.item(item)).story)
        assert found is not None
        return found

    async def split(self, *items: Item, by: str = "dana") -> Correction:
        story = (await self.item(items[0])).story
        return await self.reviewer.split(story, [item.id for item in items], by=by, now=self.clock.at)

    async def merge(self, item: Item, into: Item, by: str = "dana") -> Correction:
        one, other = (await self.item(item)).story, (await self.item(into)).story
        return await self.reviewer.merge_stories(one, other, by=by, now=self.clock.at)

    async def undo(self, correction: Correction) -> Correction:
        return await self.reviewer.undo_correction(correction.number, by="omar", now=self.clock.at)


def _address(outlet: str, number: int) -> str:
    return f"https://{outlet}.example/news/{number:06d}"


def opened(folder: Path, clock: SetClock, compiled: Edition) -> tuple[Store, Desk]:
    store = open_store(f"sqlite:///{folder}/wirewatch.db")
    titles = TitleIndex(lambda title: frozenset(title.casefold().split()))
    return store, Desk(compiled, store, clock, titles=titles, jitter=random.Random(1).random)


async def made(folder: Path, compiled: Edition) -> Room:
    clock = SetClock()
    store, desk = opened(folder, clock, compiled)
    reviewer = open_store(f"sqlite:///{folder}/wirewatch.db")
    return Room(folder, clock, store, desk, reviewer)
