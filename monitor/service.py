"""The service: one process, one event loop. The path of everything, told once::

    config → edition (compiled watches) ─┐
    heartbeat → store.claim → visits → resident crawler → readers in workers → answers
        → pipelines: Normalise → Identify → Match → File (placed, policy; one transaction) ─→ store
    store → dispatcher (its own loop) → channels
    store → page, command line
    calendar jobs (APScheduler, UTC): retention, the store's own check

The heartbeat lives on the monotonic clock; what is due is a column of the store (`Schedule.claim`), so it survives
restarts. Fetching and delivering are separate loops: neither waits for the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from config.errors import ConfigError
from config.model import Config
from monitor import health, status, systemd
from monitor.alerts.channels import open_channels
from monitor.alerts.dispatch import Counts, Dispatcher
from monitor.desk import Desk, edition, open_edition, recent_titles
from monitor.errors import StoreError, UnknownName
from monitor.hosts import host_of
from monitor.language.tokens import tokenise
from monitor.model import Alert, Delivery, Filed, SourceState, Visit, VisitReport
from monitor.ports import Channel, Clock, Store
from monitor.status import Status
from monitor.stories.copies import WINDOW, TitleIndex
from spiders.crawl import ResidentCrawler
from spiders.workers import Workers

log = logging.getLogger(__name__)

CONCURRENCY = 32
LEASE = timedelta(minutes=10)
STOP_GRACE = 3.0
"""Seconds for what is on its way when a stop comes; breaking off what is late takes up to three more, and the whole
must end within ten (F141)."""
IDENTITY_KEPT = timedelta(days=400)
SEND_DEADLINE = 20.0
CLOCKS_PART = timedelta(seconds=60)
LOOK_EVERY = 5000
"""Milliseconds after which the folder is looked at though nothing was heard: the system tells nothing of a link or a
folder that another took the place of (F139)."""
_NOT_OURS = (".db", ".db-wal", ".db-shm", ".db-journal", ".lock", ".jsonl", ".log")
"""What the service itself writes may stand in the same folder."""


@dataclass(slots=True)
class Running:
    """What the service knows of itself while it runs."""

    started: datetime
    last_tick: datetime | None = None
    refused: str = ""
    store_warnings: tuple[str, ...] = ()
    visits: set[asyncio.Task[None]] = field(default_factory=set)
    closing: dict[asyncio.Task[None], Mapping[str, Channel]] = field(default_factory=dict)
    """Channels of an earlier configuration, while their last messages are on their way."""


class Service:
    """Everything put together over one configuration, one store and one clock.

    ``tick`` is the heartbeat in the machine's seconds; ``on_filed`` sees every filing.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        *,
        randomness: random.Random,
        folder: Path | None = None,
        tick: float = 1.0,
        workers: int = 2,
        channels: Callable[[Config], Mapping[str, Channel]] = open_channels,
        on_filed: Callable[[Filed], None] = lambda filed: None,
    ) -> None:
        self.store, self.clock = store, clock
        self._folder, self._tick, self._open_channels = folder, tick, channels
        self._on_filed = on_filed
        self.running = Running(started=clock.now())
        self._wake = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._stamps = _stamps(folder) if folder is not None else frozenset()
        self._titles = TitleIndex(_title_tokens)
        self.desk = Desk(
            edition(config), store, clock, titles=self._titles, jitter=randomness.random, filed=self._filed
        )  # fmt: skip
        self._channels = dict(channels(config))
        self._workers = Workers(workers)
        self.crawler = ResidentCrawler(
            config=lambda: self.config, hosts=store, workers=self._workers, desk=self.desk, clock=clock,
            concurrency=CONCURRENCY,
        )  # fmt: skip
        self.dispatcher = Dispatcher(
            store, store, lambda: self._channels, clock, randomness, on_dead=self._dead
        )  # fmt: skip

    @property
    def config(self) -> Config:
        return self.desk.edition.config

    # ------------------------------------------------------------------ life

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: everything; then an orderly end within ten seconds, leases given back."""
        async with self._open():
            calendar = self._calendar()
            tasks = [
                asyncio.create_task(work, name=name)
                for name, work in (
                    ("heartbeat", self._heartbeat(stop)),
                    ("dispatcher", self.dispatcher.run(stop)),
                    ("reload", self._reload_on_save(stop)),
                )
            ]
            systemd.tell("READY=1")
            log.info("watching", extra={"outlets": len(self.config.outlets), "watches": len(self.config.watches)})
            try:
                await _first_to_end(tasks, stop)
            finally:
                systemd.tell("STOPPING=1")
                stop.set()
                calendar.shutdown(wait=False)
                await self._end(tasks)

    async def once(self, outlet: str | None = None) -> tuple[int, Counts]:
        """Poll what is due (or one outlet's sources, due or not), deliver, and return: sources asked, and what
        became of the alerts."""
        async with self._open():
            if outlet is not None:
                await self.store.mark_due(source_ids(self.config, outlet), self.clock.now())
            asked = 0
            while visits := await self._claim(CONCURRENCY):
                visits = tuple(visit if outlet is None else _only(visit, outlet) for visit in visits)
                asked += sum(len(visit.sources) for visit in visits)
                await asyncio.gather(*(self._visit(visit) for visit in visits))
            return asked, await self.dispatcher.drain()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        await self.store.release_all()
        await self._register()
        polled = [state.last_polled for state in await self.store.sources() if state.last_polled is not None]
        await self._set_back(max(polled, default=self.clock.now()) - self.clock.now())  # while no service ran
        await recent_titles(self.store, self._titles, self.clock.now(), WINDOW)
        self.running.store_warnings = await self.store.check()
        for warning in (*self.running.store_warnings, *self.store.risks, *self.config.warnings):
            log.warning("at start", extra={"warning": warning})
        await self.crawler.start()
        try:
            yield
        finally:
            await self.crawler.stop(STOP_GRACE)
            self._workers.close()
            for closing, channels in self.running.closing.items():
                closing.cancel()
                await _close(channels)
            await _close(self._channels)

    async def _end(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Give what is under way a few seconds, then let go of it: nothing half filed, leases free for the next."""
        stopping = asyncio.create_task(self.crawler.stop(STOP_GRACE))
        pending = [*tasks, *self.running.visits, stopping]
        _done, late = await asyncio.wait(pending, timeout=STOP_GRACE + 3)
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*pending, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("ended badly", exc_info=result)
        await self.store.release_all()

    # ------------------------------------------------------------------ watching

    async def _heartbeat(self, stop: asyncio.Event) -> None:
        """Ask the store what is due and hand it to the crawler; never more than it can carry at once."""
        parted = _ClockWatch(self.clock)
        while not stop.is_set():
            self._wake.clear()
            if drift := parted.drift():
                log.warning("the clock was set or the machine slept", extra={"seconds": drift.total_seconds()})
                await self._set_back(-drift)
            if self.crawler.alive and (free := CONCURRENCY - len(self.running.visits)):
                for visit in await self._claim(free):
                    task = asyncio.create_task(self._visit(visit))
                    self.running.visits.add(task)
                    task.add_done_callback(self._visited)
            self.running.last_tick = self.clock.now()
            if self.crawler.alive:
                systemd.tell("WATCHDOG=1")
            await self._rest(stop)

    async def _set_back(self, by: timedelta) -> None:
        """Due times are wall time: after a clock that was set back nobody may wait longer for it (F116)."""
        if by > timedelta():
            await self.store.set_back(self.clock.now(), by)

    async def _rest(self, stop: asyncio.Event) -> None:
        waits = {asyncio.create_task(wait) for wait in (self.clock.sleep(self._tick), self._wake.wait(), stop.wait())}
        _done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    async def _claim(self, hosts: int) -> tuple[Visit, ...]:
        return await self.store.claim(self.clock.now(), hosts=hosts, lease=LEASE * self.clock.pace)

    async def _visit(self, visit: Visit) -> None:
        try:
            report = await self.crawler.visit(visit)
        except Exception as error:
            log.exception("visit broke off", extra={"host": visit.host})
            later = self.clock.now() + timedelta(minutes=1)
            report = VisitReport(host=visit.host, fence=visit.fence, next_ok=later, failure=repr(error))
        await self.store.release(report)

    def _visited(self, task: asyncio.Task[None]) -> None:
        self.running.visits.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("visit could not be recorded", exc_info=error)
        self._wake.set()

    def _filed(self, filed: Filed) -> None:
        if filed.alerts_due:
            self.dispatcher.wake()
        self._on_filed(filed)

    async def _dead(self, alert: Alert, delivery: Delivery) -> None:
        """A dead letter is told through the other channels; one about a notice only stands on the page."""
        if alert.watch == health.built_in_watch(self.config.settings).id:
            return
        entry = health.dead_letter(alert.id, alert.channel, alert.watch, delivery.detail, now=self.clock.now())
        await self.desk.tell((entry,))

    # ------------------------------------------------------------------ configuration

    async def _register(self) -> None:
        now = self.clock.now()
        await self.store.register(
            [
                SourceState(
                    id=f"{outlet.id}/{source.id}",
                    outlet=outlet.id,
                    url=source.url,
                    host=host_of(source.url),
                    next_due=now,
                )
                for outlet in self.config.outlets.values()
                for source in outlet.source
            ]
        )
        await self.store.bury(tuple(self._channels), now)

    async def _reload_on_save(self, stop: asyncio.Event) -> None:
        """Take a saved configuration into force whole, or keep the last good one whole and say so."""
        if self._folder is None:
            return
        from watchfiles import Change, awatch  # noqa: PLC0415  (0.1 s that only a running service needs)

        def may_be_ours(_change: Change, path: str) -> bool:
            return not path.endswith(_NOT_OURS)

        async for _changes in awatch(
            self._folder, stop_event=stop, debounce=200, watch_filter=may_be_ours, rust_timeout=LOOK_EVERY,
            yield_on_timeout=True,
        ):  # fmt: skip
            fresh = await asyncio.to_thread(_stamps, self._folder)
            if fresh == self._stamps:
                continue
            self._stamps = fresh
            try:
                await self.reload()
            except StoreError as error:
                log.error("configuration not taken, trying again", extra={"error": str(error)})
                self.reload_soon()

    def reload_soon(self) -> None:
        """Have the folder read again within `LOOK_EVERY`, though nothing in it seems changed (a secret's file did,
        perhaps)."""
        self._stamps = frozenset()

    async def reload(self) -> bool:
        """Read the folder again; False when it is refused (F138: the last good one stays in force). One at a time:
        an earlier reading must not come into force after a later one (F139)."""
        async with self._reloading:
            return await self._reload()

    async def _reload(self) -> bool:
        try:
            compiled = await asyncio.to_thread(open_edition, self._folder)
            fresh = compiled.config
            opened = self._channels
            if not _same_channels(fresh, self.config):
                opened = dict(await asyncio.to_thread(self._open_channels, fresh))  # seconds, with Apprise
        except ConfigError as error:
            said = tuple(map(str, error.problems))
            if self.running.refused != said[0]:
                self.running.refused = said[0]
                await self.desk.tell((health.bad_reload(said, now=self.clock.now()),))
            return False
        self.running.refused = ""
        replaced, self._channels = self._channels, opened
        self.desk.edition = compiled
        await self._register()
        if replaced is not opened:
            closing = asyncio.create_task(self._close_later(replaced))
            self.running.closing[closing] = replaced
        self._wake.set()
        log.info("configuration in force", extra={"outlets": len(fresh.outlets), "watches": len(fresh.watches)})
        return True

    async def _close_later(self, replaced: Mapping[str, Channel]) -> None:
        """Messages on their way through the old channels end first: cutting one off would double it."""
        await asyncio.sleep(SEND_DEADLINE)
        await _close(replaced)
        self.running.closing = {task: left for task, left in self.running.closing.items() if left is not replaced}

    # ------------------------------------------------------------------ calendar and status

    def _calendar(self) -> AsyncIOScheduler:
        calendar = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
        )
        calendar.add_job(self._prune, "cron", hour=3, minute=10, id="retention")
        calendar.add_job(self._check_store, "cron", hour=4, minute=10, id="store-check")
        calendar.start()
        return calendar

    async def _prune(self) -> None:
        kept, now = self.config.settings.store.retention, self.clock.now()
        removed = await self.store.prune(
            bodies_before=now - kept.bodies, revisions_before=now - kept.revisions, identity_before=now - IDENTITY_KEPT
        )
        log.info("old texts removed", extra={"rows": removed})

    async def _check_store(self) -> None:
        self.running.store_warnings = await self.store.check()

    async def status(self) -> Status:
        """One look at everything, for ``/health``, ``/metrics`` and the page."""
        now = self.clock.now()
        counts, sources = await self.store.count(), await self.store.sources()
        return Status(
            started=self.running.started,
            now=now,
            last_tick=self.running.last_tick,
            crawler_alive=self.crawler.alive,
            counts=counts,
            sources=sources,
            problems=status.problems(
                now=now, sources=sources, counts=counts, store=self.running.store_warnings,
                refused=self.running.refused, down=self.dispatcher.down, pace=self.clock.pace,
            ),
            pace=self.clock.pace,
        )  # fmt: skip


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


async def _first_to_end(tasks: list[asyncio.Task[Any]], stop: asyncio.Event) -> None:
    """Wait for ``stop``, or for a loop that breaks: then the service ends with its error, not half alive."""
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        done, _pending = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task is not stopping and (error := task.exception()) is not None:
                stopping.cancel()
                raise error
        if all(task.done() for task in tasks):
            break
        tasks = [task for task in tasks if not task.done()]
    stopping.cancel()


async def _close(channels: Mapping[str, Channel]) -> None:
    for channel in channels.values():
        await channel.close()


def _same_channels(one: Config, other: Config) -> bool:
    """Nothing that a channel is made of has changed: addresses, secrets, and the names its messages use."""

    def made_of(config: Config) -> tuple[object, ...]:
        names = [(outlet.id, outlet.name) for outlet in config.outlets.values()]
        titles = [(watch.id, watch.title) for watch in config.watches.values()]
        return config.settings.channel, dict(config.secrets), config.settings.service, names, titles

    return made_of(one) == made_of(other)


def _stamps(folder: Path) -> frozenset[tuple[str, int, int, int]]:
    """What every file of the configuration is now, links followed: it differs after any change."""
    found = []
    for path in (*folder.glob("*.toml"), *folder.glob("*/*.toml")):
        with contextlib.suppress(OSError):  # taken away or locked meanwhile: `load` says so
            seen = path.stat()
            found.append((str(path), seen.st_ino, seen.st_size, seen.st_mtime_ns))
    return frozenset(found)


def source_ids(config: Config, outlet: str) -> tuple[str, ...]:
    """``outlet/source`` for each of an outlet's sources; raises `UnknownName`."""
    if outlet not in config.outlets:
        raise UnknownName(f"No outlet is called {outlet}; see `wirewatch outlets list`.")
    return tuple(f"{outlet}/{source.id}" for source in config.outlets[outlet].source)


def _only(visit: Visit, outlet: str) -> Visit:
    return replace(
        visit,
        sources=tuple(each for each in visit.sources if each.outlet == outlet),
        pages=tuple(each for each in visit.pages if each.outlet == outlet),
    )


def _title_tokens(title: str) -> frozenset[str]:
    return frozenset(token.norm for token in tokenise(title))
