"""Visits: hosts that have something due are claimed, asked by the resident crawler, and given back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from monitor.errors import StoreError
from monitor.model.sources import Visit, VisitReport
from monitor.ports import Clock, Schedule
from monitor.service.running import Running
from spiders.crawl import ResidentCrawler

log = logging.getLogger(__name__)

CONCURRENCY = 32
PORTION = 8
"""Hosts claimed together: the next are asked for when so many visits have ended, or at the next tick."""
EVERY_HOST = 100_000
LEASE = timedelta(minutes=10)
TROUBLED = 5.0
"""Seconds between two looks while the store fails (full, locked): it comes back by itself (F108, F109)."""
BROKEN_OFF = timedelta(minutes=1)
"""How long a host rests after a visit that a fault of ours, or of the store, broke off."""


class Visits:
    """What is asked at this moment. ``room`` is set when a portion of hosts may be claimed again."""

    def __init__(self, schedule: Schedule, crawler: ResidentCrawler, clock: Clock, running: Running) -> None:
        self._schedule, self._crawler, self._clock, self._running = schedule, crawler, clock, running
        self.under_way: set[asyncio.Task[VisitReport]] = set()
        self._hosts: dict[str, int] = {}
        """Hosts being visited, with the newest fence of each."""
        self.room = asyncio.Event()

    # ------------------------------------------------------------------ beside everything else

    async def begin_due(self) -> None:
        """Start visits to what is due, no more than can be carried at once."""
        if self._crawler.alive and (free := CONCURRENCY - len(self.under_way)):
            for visit in await self._claim(free):
                self._begin(visit)

    def _begin(self, visit: Visit) -> None:
        """Start a visit; a host that is still being visited (its lease ran out: the clock was set) is only noted, so
        that the visit under way gives the newer lease back."""
        visited_already = visit.host in self._hosts
        self._hosts[visit.host] = visit.fence
        if not visited_already:
            task = asyncio.create_task(self._visit(visit))
            self.under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[VisitReport]) -> None:
        self.under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("visit could not be recorded", exc_info=error)
        if CONCURRENCY - len(self.under_way) >= PORTION:
            self.room.set()

    # ------------------------------------------------------------------ to their end

    async def all_due(self) -> int:
        """Ask everything that is due; how many sources that were."""
        asked = 0
        while visits := await self._claim(CONCURRENCY):
            asked += sum(len(visit.sources) for visit in visits)
            reports = await asyncio.gather(*(self._visit(visit) for visit in visits))
            if not any(report.requests for report in reports):
                break  # every host that is due wants to be left alone
        return asked

    async def of_outlet(self, outlet: str, sources: Sequence[str]) -> int:
        """Ask one outlet's sources, due or not; what else is due at this moment is given back as it was."""
        now = self._clock.now()
        await self._schedule.mark_due(sources, now)
        visits = [_only(visit, outlet) for visit in await self._claim(EVERY_HOST)]
        for visit in visits:
            if not visit.sources:
                await self._schedule.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=now))
        wanted = [visit for visit in visits if visit.sources]
        await asyncio.gather(*(self._visit(visit) for visit in wanted))
        return sum(len(visit.sources) for visit in wanted)

    # ------------------------------------------------------------------ one visit

    async def _claim(self, hosts: int) -> tuple[Visit, ...]:
        return await self._schedule.claim(self._clock.now(), hosts=hosts, lease=LEASE * self._clock.pace)

    async def _visit(self, visit: Visit) -> VisitReport:
        began = self._clock.monotonic()
        try:
            report = await self._crawler.visit(visit)
        except Exception as error:
            log.exception("visit broke off", extra={"host": visit.host})
            later = self._clock.now() + BROKEN_OFF
            report = VisitReport(host=visit.host, fence=visit.fence, next_ok=later, failure=repr(error))
        if report.failure and self._running.failed_since(began):
            # What it brought could not be kept and is asked for again: not at once, and not again and again (F108).
            report = replace(report, next_ok=max(report.next_ok, self._clock.now() + BROKEN_OFF))
        report = replace(report, fence=self._hosts.pop(visit.host, visit.fence))
        while True:
            try:
                await self._schedule.release(report)
            except StoreError as error:
                self._running.troubled(error)
                await self._clock.sleep(TROUBLED)
            else:
                return report


def _only(visit: Visit, outlet: str) -> Visit:
    return replace(
        visit,
        sources=tuple(each for each in visit.sources if each.outlet == outlet),
        pages=tuple(each for each in visit.pages if each.outlet == outlet),
    )
