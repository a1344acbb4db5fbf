"""The heartbeat: once a second, on the machine's clock, it looks at the schedule and starts what is due.

It is also where a clock that was set and a store that fails are noticed first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from monitor import health, systemd
from monitor.clock import rest
from monitor.desk import Desk
from monitor.errors import StoreError
from monitor.ports import Clock, Schedule
from monitor.service.running import Running
from monitor.service.visits import CONCURRENCY, TROUBLED, Visits
from spiders.crawl import ResidentCrawler

log = logging.getLogger(__name__)

CLOCKS_PART = timedelta(seconds=60)
SPREAD = timedelta(minutes=1)
"""Within so long everything is asked after a start, or after the machine slept; `CONCURRENCY` hosts at once."""


class Heartbeat:
    """``tick`` is in the machine's seconds; ``parted`` is called when the wall clock was set or the machine slept."""

    def __init__(
        self,
        schedule: Schedule,
        desk: Desk,
        visits: Visits,
        *,
        crawler: ResidentCrawler,
        clock: Clock,
        running: Running,
        tick: float,
        parted: Callable[[], None],
    ) -> None:
        self._schedule, self._desk, self._visits, self._crawler = schedule, desk, visits, crawler
        self._clock, self._running = clock, running
        self._tick, self._parted = tick, parted

    def wake(self) -> None:
        """Look at the schedule now: it has changed."""
        self._visits.room.set()

    async def run(self, stop: asyncio.Event) -> None:
        clocks = _ClockWatch(self._clock)
        while not stop.is_set():
            self._visits.room.clear()
            try:
                await self._beat(clocks.drift())
            except StoreError as error:
                self._running.troubled(error)
                await rest(self._clock, TROUBLED, stop, self._visits.room)
            else:
                self._running.ticked()
                await rest(self._clock, self._tick, stop, self._visits.room)
            if self._crawler.alive:
                systemd.tell("WATCHDOG=1")

    async def _beat(self, drift: timedelta | None) -> None:
        if drift is not None:
            log.warning("the clock was set or the machine slept", extra={"seconds": drift.total_seconds()})
            self._parted()
            await self.set_back(-drift)
            await self.spread(drift)
        await self._visits.begin_due()

    async def set_back(self, by: timedelta) -> None:
        """Due times are wall time: after a clock that was set back nobody may wait longer for it (F116)."""
        if by > timedelta():
            await self._schedule.set_back(self._clock.now(), by)

    async def spread(self, gone: timedelta) -> None:
        """After a time in which nothing was asked: everything within a minute, no storm, and one note (F118)."""
        if gone >= timedelta():
            now = self._clock.now()
            await self._schedule.spread(now, at_once=CONCURRENCY, over=SPREAD * self._clock.pace)
            if told := health.slept(gone, now=now):
                await self._desk.tell(told)


class _ClockWatch:
    """Notices when the wall clock and the monotonic clock part: a set clock, or a machine that slept (F116, F118)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()

    def drift(self) -> timedelta | None:
        wall, steady = self._clock.now(), self._clock.monotonic()
        parted = (wall - self._wall) - timedelta(seconds=(steady - self._steady) * self._clock.pace)
        self._wall, self._steady = wall, steady
        return parted if abs(parted) > CLOCKS_PART * self._clock.pace else None
