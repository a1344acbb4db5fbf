"""Copies by their texts, filed by the real desk: when the text comes with the item, and when its page is read later."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from monitor.desk import Desk
from monitor.edition import edition
from monitor.language.tokens import norms
from monitor.model.alerts import Alert
from monitor.model.entries import Answer, Entry
from monitor.model.items import Item
from monitor.model.sources import Outcome, PageDue, SourceState
from monitor.stories.copies import TitleIndex
from monitor.stories.reported import roots_of
from storage import open_store
from tests.monitor.newsroom import SetClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WATCH = """
[[watch]]
id = "pilots"
title = "Pilots"
when = "pilots"
on = ["new", "edited"]
"""
SETTINGS = '[[channel]]\nid = "desk"\nurl = "page"\nmin_severity = "low"\n'
TEXT = (
    "Harbour pilots refused to bring in the evening ferry on Monday because its radar had failed twice within a week, "
    "leaving some hundreds of passengers to spend the night in a sports hall above the port.\n\n"
    "The company said that a new set would be fitted by Friday, and that tickets would be refunded in full meanwhile."
)
OWN = (
    "Our reporter on the quay counted three coaches and a long queue for soup, and met a family that had meant to be "
    "at a wedding on the far shore by now."
)


@dataclass(slots=True)
class Room:
    store: Any
    clock: Any
    desk: Desk

    async def file(self, outlet: str, *entries: Entry) -> Item:
        """One answer of a source that was polled before; its first item."""
        due = SourceState(
            id=f"{outlet}/feed", outlet=outlet, url="https://a.example/", host="https://a.example:443",
            next_due=self.clock.at, baselined=NOON - timedelta(days=1),
        )  # fmt: skip
        await self._filed(outlet, due, entries, None)
        return await self.item(outlet)

    async def read_page(self, outlet: str, text: str) -> Item:
        """The article page of an outlet's only item came."""
        item = await self.item(outlet)
        due = PageDue(item=item.id, outlet=outlet, url=item.url or "", host="https://a.example:443")
        entry = Entry(title=item.title, body=text, url=item.url)
        await self._filed(outlet, due, (entry,), item.id)
        return await self.item(outlet)

    async def _filed(self, outlet: str, due: Any, entries: tuple[Entry, ...], page_of: str | None) -> None:
        answer = Answer(
            source=f"{outlet}/feed", outlet=outlet, url="https://a.example/", final_url="https://a.example/",
            at=self.clock.at, outcome=Outcome.OK, entries=entries, listed=len(entries), page_of=page_of,
        )  # fmt: skip
        now = self.desk.edition
        filing = self.desk.identified(self.desk.normalised(answer, now), due, now)
        await self.desk.filed(self.desk.matched(filing, (), now), due, now)
        self.clock.at += timedelta(minutes=5)

    async def item(self, outlet: str) -> Item:
        (found,) = [each for each in await self.store.items(limit=100) if each.outlet == outlet]
        return found

    async def alerts(self, outlet: str) -> list[Alert]:
        item = await self.item(outlet)
        return [row for row in await self.store.alerts(watch="pilots", limit=50) if row.item == item.id]


def entry(number: int, title: str, lead: str = "", body: str = "") -> Entry:
    url = f"https://www.example.org/news/{number:06d}"
    return Entry(title=title, lead=lead, body=body, url=url, guid=url, published=NOON)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    (tmp_path / "watches").mkdir()
    (tmp_path / "watches/pilots.toml").write_text(WATCH)
    (tmp_path / "wirewatch.toml").write_text(SETTINGS)
    clock, store = SetClock(), open_store(f"sqlite:///{tmp_path}/wirewatch.db")
    yield Room(store, clock, desk(load(tmp_path), store, clock))
    await store.close()


def desk(config: Any, store: Any, clock: Any) -> Desk:
    titles = TitleIndex(lambda title: frozenset(norms(title)))
    return Desk(edition(config), store, clock, titles=titles, jitter=random.Random(1).random)


@pytest.mark.anyio
async def test_a_text_that_comes_with_its_item_is_a_copy_under_another_headline_and_is_told_with_the_first(
    room: Room,
) -> None:
    first = await room.file("ap", entry(1, "Ferry kept out", body=TEXT))
    copy = await room.file("bbc", entry(2, "Hundreds spend night in sports hall", body=TEXT))
    assert (copy.copy_of, copy.copy_reason) == (first.id, "the same text: 100% of its words in a row")
    (told,) = await room.alerts("ap")
    (row,) = await room.alerts("bbc")
    assert (row.condition, row.reason) == ("suppressed", f"told with {told.id}")


@pytest.mark.anyio
async def test_a_page_that_is_read_later_makes_its_item_a_copy_and_what_was_told_stays_told(room: Room) -> None:
    first = await room.file("ap", entry(1, "Ferry kept out", body=TEXT))
    item = await room.file("nbc", entry(2, "Why pilots are angry tonight"))
    assert item.copy_of is None
    before = await room.alerts("nbc")
    item = await room.read_page("nbc", TEXT)
    assert item.copy_of == first.id
    assert await room.alerts("nbc") == before
    assert [row.condition for row in before] == ["pending"]


@pytest.mark.anyio
async def test_what_only_the_page_of_a_copy_says_is_told_with_the_first(room: Room) -> None:
    await room.file("ap", entry(1, "Ferry kept out", body=TEXT))
    await room.file("nbc", entry(2, "Hundreds spend night in sports hall"))
    assert await room.alerts("nbc") == []
    await room.read_page("nbc", TEXT)
    (told,), (row,) = await room.alerts("ap"), await room.alerts("nbc")
    assert (row.state, row.condition, row.reason) == ("completed", "suppressed", f"told with {told.id}")


@pytest.mark.anyio
async def test_the_copy_is_the_item_that_was_seen_later_whichever_page_is_read_first(room: Room) -> None:
    await room.file("ap", entry(1, "Ferry kept out"))
    await room.file("nbc", entry(2, "Hundreds spend night in sports hall"))
    late = await room.read_page("nbc", TEXT)
    assert late.copy_of is None
    first = await room.read_page("ap", TEXT)
    late = await room.item("nbc")
    assert (first.copy_of, late.copy_of) == (None, first.id)
    assert late.copy_reason == "the same text: 100% of its words in a row"
    (told,), (row,) = await room.alerts("nbc"), await room.alerts("ap")
    assert (row.condition, row.reason) == ("suppressed", f"told with {told.id}")


@pytest.mark.anyio
async def test_an_item_that_is_a_copy_already_stays_what_it_is(room: Room) -> None:
    first = await room.file("ap", entry(1, "Hundreds spend night in sports hall"))
    await room.file("bbc", entry(2, "Pilots against ferry", body=TEXT))
    copy = await room.file("nbc", entry(3, "Hundreds spend night in sports hall"))
    assert copy.copy_of == first.id
    assert (await room.read_page("nbc", TEXT)).copy_of == first.id


@pytest.mark.anyio
async def test_a_text_whose_larger_part_is_anothers_goes_back_to_whom_that_one_credits(room: Room) -> None:
    credited = TEXT + "\n\n(Reporting by Ann Example; editing by Bob Example)\n\n© 2026 Reuters"
    first = await room.file("bbc", entry(1, "Ferry kept out as pilots refuse", body=credited))
    item = await room.file("nbc", entry(2, "Night in a hall: ferry kept out as pilots refuse", body=f"{OWN}\n\n{TEXT}"))
    found = next(each for each in item.origins if each.pattern == "text")
    assert (found.id, found.relation) == ("reuters", "credit")
    assert found.words.endswith("% of its words stand in an article of bbc")
    assert {root.id for root in roots_of((first, item)).values()} == {"reuters"}


@pytest.mark.anyio
async def test_a_poll_that_brings_the_headline_again_does_not_make_the_text_its_outlets_own(room: Room) -> None:
    await room.file("bbc", entry(1, "Ferry kept out", body=TEXT))
    await room.file("nbc", entry(2, "Why pilots are angry tonight"))
    item = await room.read_page("nbc", f"{OWN}\n\n{TEXT}")
    assert item.copy_of is None
    assert [each.id for each in item.origins] == ["nbc", "bbc"]
    item = await room.file("nbc", entry(2, "Why pilots are angry this evening"))
    assert [each.id for each in item.origins] == ["nbc", "bbc"]


@pytest.mark.anyio
@pytest.mark.parametrize(("outlet", "keeps_bodies"), [("aljazeera-en", True), ("ap", False)])
async def test_what_is_kept_of_a_text_is_known_again_after_a_restart(
    room: Room, outlet: str, keeps_bodies: bool
) -> None:
    first = await room.file(outlet, entry(1, "Ferry kept out", body=TEXT))
    room.desk = desk(room.desk.edition.config, room.store, room.clock)
    await room.desk.remember(room.store)
    copy = await room.file("bbc", entry(2, "Hundreds spend night in sports hall", body=TEXT))
    assert copy.copy_of == (first.id if keeps_bodies else None)


@pytest.mark.anyio
async def test_a_live_page_is_nobodys_copy_by_its_text(room: Room) -> None:
    await room.file("ap", entry(1, "Ferry kept out", body=TEXT))
    live = await room.file("nbc", replace(entry(2, "Live: night at the port", body=TEXT), kind="live"))
    assert (live.copy_of, [each.id for each in live.origins]) == (None, ["nbc"])
