"""Visits over a real store, with a crawler that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.errors import StoreBusy, StoreFull
from monitor.model.sources import SourceState, Visit, VisitReport
from monitor.service.heartbeat import Heartbeat
from monitor.service.running import QUIET, Running
from monitor.service.visits import BROKEN_OFF, CONCURRENCY, Visits
from storage.sqlite.store import SqliteStore
from tests.monitor.service.conftest import START, HandClock

pytestmark = pytest.mark.anyio


class Crawler:
    """``visit`` is what a test makes it."""

    alive = True

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.visited: list[str] = []
        self.does: Callable[[Visit], Awaitable[VisitReport]] = self.well

    async def visit(self, visit: Visit) -> VisitReport:
        self.visited.append(visit.host)
        return await self.does(visit)

    async def well(self, visit: Visit) -> VisitReport:
        return VisitReport(host=visit.host, fence=visit.fence, next_ok=self.clock.now(), requests=1)

    async def unfiled(self, visit: Visit) -> VisitReport:
        report = await self.well(visit)
        return VisitReport(host=report.host, fence=report.fence, next_ok=report.next_ok, failure="not filed: StoreFull")


class Desk:
    def __init__(self, store: SqliteStore) -> None:
        self.store, self.clock = store, HandClock()
        self.crawler: Any = Crawler(self.clock)
        self.alarms: list[str] = []
        self.running = Running(self.clock, started=START, alarm=lambda error: self.alarms.append(str(error)))
        self.visits = Visits(store, self.crawler, self.clock, self.running)

    async def sources(self, count: int) -> None:
        await self.store.register(
            [
                SourceState(
                    id=f"o{n}/feed", outlet=f"o{n}", url=f"https://o{n}.example/", host=f"https://o{n}.example:443",
                    next_due=START,
                )
                for n in range(count)
            ],
            pages_of={},
        )  # fmt: skip

    async def round(self) -> None:
        """Begin what is due, and let it end."""
        await self.visits.begin_due()
        await asyncio.gather(*self.visits.under_way)
        await asyncio.sleep(0)

    async def host(self, name: str = "https://o0.example:443") -> tuple[datetime | None, bool]:
        """From when a host may be asked, and whether it is leased."""
        row = await self.store._readers.read(
            lambda db: db.execute("SELECT next_ok, leased_until FROM hosts WHERE host = ?", (name,)).fetchone()
        )
        return (datetime.fromisoformat(row[0]) if row[0] else None), row[1] is not None


@pytest.fixture
async def desk(store: SqliteStore) -> Desk:
    return Desk(store)


async def test_no_more_is_begun_than_can_be_carried_and_the_rest_comes_when_there_is_room(desk: Desk) -> None:
    await desk.sources(CONCURRENCY + 5)
    gate = asyncio.Event()

    async def held(visit: Visit) -> VisitReport:
        await gate.wait()
        return VisitReport(host=visit.host, fence=visit.fence, next_ok=START + timedelta(hours=1))

    desk.crawler.does = held
    await desk.visits.begin_due()
    await desk.visits.begin_due()
    await asyncio.sleep(0)
    assert len(desk.crawler.visited) == CONCURRENCY
    assert not desk.visits.room.is_set()
    gate.set()
    await asyncio.wait_for(desk.visits.room.wait(), 20)
    await desk.round()
    assert len(set(desk.crawler.visited)) == CONCURRENCY + 5


async def test_nothing_is_begun_while_no_crawler_lives(desk: Desk) -> None:
    await desk.sources(1)
    desk.crawler.alive = False
    await desk.round()
    assert desk.crawler.visited == []
    assert await desk.store.claim(START, hosts=9, lease=BROKEN_OFF), "nobody has it"


async def test_a_visit_that_a_fault_of_ours_breaks_off_gives_its_host_back_with_a_rest(desk: Desk) -> None:
    await desk.sources(1)

    async def breaks(visit: Visit) -> VisitReport:
        raise RuntimeError("a bug")

    desk.crawler.does = breaks
    await desk.round()
    assert await desk.host() == (START + BROKEN_OFF, False)


async def test_f108_a_host_whose_answers_cannot_be_kept_is_not_asked_again_and_again(desk: Desk) -> None:
    await desk.sources(1)

    async def full(visit: Visit) -> VisitReport:
        desk.running.troubled(StoreFull("the disk is full"))
        report: VisitReport = await desk.crawler.unfiled(visit)
        return report

    desk.crawler.does = full
    for _ in range(3):
        await desk.round()
    assert len(desk.crawler.visited) == 1
    assert await desk.host() == (START + BROKEN_OFF, False)
    desk.clock.later(BROKEN_OFF.total_seconds())
    desk.crawler.does = desk.crawler.well
    await desk.round()
    assert len(desk.crawler.visited) == 2, "it goes on by itself"
    assert await desk.host() == (desk.clock.now(), False)


async def test_a_failure_of_the_store_before_a_visit_gives_its_host_no_rest(desk: Desk) -> None:
    await desk.sources(1)
    desk.running.troubled(StoreBusy("locked"))
    desk.clock.later(1)
    desk.crawler.does = desk.crawler.unfiled
    await desk.round()
    assert await desk.host() == (desk.clock.now(), False)


async def test_a_visits_end_is_recorded_when_the_store_works_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.sources(1)
    release, refusals = desk.store.release, ["locked", "locked"]

    async def busy(report: VisitReport) -> None:
        if refusals:
            raise StoreBusy(refusals.pop())
        await release(report)

    monkeypatch.setattr(desk.store, "release", busy)
    await desk.round()
    assert desk.alarms == ["locked", "locked"]
    assert (await desk.host())[1] is False


async def test_a_host_claimed_again_while_it_is_visited_is_visited_once_and_given_back_by_the_newer_lease(
    desk: Desk,
) -> None:
    await desk.sources(1)
    gate = asyncio.Event()

    async def held(visit: Visit) -> VisitReport:
        await gate.wait()
        report: VisitReport = await desk.crawler.well(visit)
        return report

    desk.crawler.does = held
    await desk.visits.begin_due()
    desk.clock.later(timedelta(hours=2).total_seconds())  # the clock was set: the lease has ended
    await desk.visits.begin_due()
    gate.set()
    await asyncio.gather(*desk.visits.under_way)
    assert len(desk.crawler.visited) == 1
    assert (await desk.host())[1] is False


# ------------------------------------------------------------------ what the heartbeat makes of it


async def test_trouble_is_over_when_nothing_failed_for_a_while_not_with_the_next_look(desk: Desk) -> None:
    desk.running.troubled(StoreFull("the disk is full"))
    desk.clock.later(QUIET - 1)
    desk.running.ticked()
    assert desk.running.trouble == "the disk is full"
    desk.clock.later(1)
    desk.running.ticked()
    assert desk.running.trouble == ""


async def test_the_heartbeat_reports_a_store_that_fails_and_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.sources(1)
    claim, refusals, stop = desk.store.claim, ["locked"] * 3, asyncio.Event()

    async def busy(*args: Any, **more: Any) -> tuple[Visit, ...]:
        if refusals:
            raise StoreBusy(refusals.pop())
        return await claim(*args, **more)

    async def last(visit: Visit) -> VisitReport:
        stop.set()
        report: VisitReport = await desk.crawler.well(visit)
        return report

    monkeypatch.setattr(desk.store, "claim", busy)
    desk.crawler.does = last
    unused: Any = None
    heartbeat = Heartbeat(
        desk.store, unused, desk.visits, crawler=desk.crawler, clock=desk.clock, running=desk.running, tick=0.01,
        parted=lambda: None,
    )  # fmt: skip
    await asyncio.wait_for(heartbeat.run(stop), 20)
    await asyncio.gather(*desk.visits.under_way)
    assert desk.alarms == ["locked"] * 3
    assert desk.running.last_tick == START
    assert len(desk.crawler.visited) == 1
