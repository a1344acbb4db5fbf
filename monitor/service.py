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
from monitor.desk import Desk, edition, open_edition, recent_titles, remarks
from monitor.errors import StoreError, UnknownName
from monitor.hosts import host_of
from monitor.language.tokens import tokenise
from monitor.model import Alert, Filed, SourceState, Visit, VisitReport
from monitor.ports import Channel, Clock, Store
from monitor.status import Status
from monitor.stories.copies import WINDOW, TitleIndex
from spiders.crawl import ResidentCrawler
from spiders.workers import Workers

log = logging.getLogger(__name__)

CONCURRENCY = 32
PORTION = 8
"""Hosts claimed together: the next are asked for when so many visits have ended, or at the next tick."""
EVERY_HOST = 100_000
LEASE = timedelta(minutes=10)
TROUBLED = 5.0
"""Seconds between two looks while the store fails (full, locked): it comes back by itself (F108, F109)."""
STOP_GRACE = 3.0
"""Seconds for what is on its way when a stop comes; breaking off what is late takes up to three more, and the whole
must end within ten (F141)."""
IDENTITY_KEPT = timedelta(days=400)
SEND_DEADLINE = 20.0
DEAD_EVERY = 60.0
"""Seconds between two looks for dead letters; those of one look are told together when they are many."""
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
    trouble: str = ""
    """Why the store fails at this moment."""
    visits: set[asyncio.Task[VisitReport]] = field(default_factory=set)
    hosts: dict[str, int] = field(default_factory=dict)
    """Hosts being visited, with the newest fence of each."""
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
        self._wake, self._removed = asyncio.Event(), asyncio.Event()
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
        self.dispatcher = Dispatcher(store, store, lambda: self._channels, clock, randomness)

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
                    ("dead letters", self._tell_of_the_dead(stop)),
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
                asked = await self._ask(outlet)
            else:
                asked = 0
                while visits := await self._claim(CONCURRENCY):
                    asked += sum(len(visit.sources) for visit in visits)
                    reports = await asyncio.gather(*(self._visit(visit) for visit in visits))
                    if not any(report.requests for report in reports):
                        break  # every host that is due wants to be left alone
            await self.dispatcher.drain()
            if await self.tell_dead():
                await self.dispatcher.drain()
            return asked, self.dispatcher.counts

    async def _ask(self, outlet: str) -> int:
        """One outlet's sources, due or not; what else is due at this moment is given back as it was."""
        now = self.clock.now()
        await self.store.mark_due(source_ids(self.config, outlet), now)
        visits = [_only(visit, outlet) for visit in await self._claim(EVERY_HOST)]
        for visit in visits:
            if not visit.sources:
                await self.store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=now))
        wanted = [visit for visit in visits if visit.sources]
        await asyncio.gather(*(self._visit(visit) for visit in wanted))
        return sum(len(visit.sources) for visit in wanted)

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
            try:
                await self._beat(parted.drift())
            except StoreError as error:
                self._troubled(error)
                await self._rest(stop, TROUBLED, self._wake)
            else:
                self.running.last_tick, self.running.trouble = self.clock.now(), ""
                await self._rest(stop, self._tick, self._wake)
            if self.crawler.alive:
                systemd.tell("WATCHDOG=1")

    async def _beat(self, drift: timedelta | None) -> None:
        if drift is not None:
            log.warning("the clock was set or the machine slept", extra={"seconds": drift.total_seconds()})
            await self._set_back(-drift)
        if self.crawler.alive and (free := CONCURRENCY - len(self.running.visits)):
            for visit in await self._claim(free):
                self._begin(visit)

    def _begin(self, visit: Visit) -> None:
        """Start a visit; a host that is still being visited (its lease ran out: the clock was set) is only noted, so
        that the visit under way gives the newer lease back."""
        under_way = visit.host in self.running.hosts
        self.running.hosts[visit.host] = visit.fence
        if not under_way:
            task = asyncio.create_task(self._visit(visit))
            self.running.visits.add(task)
            task.add_done_callback(self._visited)

    def _troubled(self, error: StoreError) -> None:
        if self.running.trouble != str(error):
            self.running.trouble = str(error)
            log.error("the store fails, watching pauses", extra={"error": str(error)})

    async def _set_back(self, by: timedelta) -> None:
        """Due times are wall time: after a clock that was set back nobody may wait longer for it (F116)."""
        if by > timedelta():
            await self.store.set_back(self.clock.now(), by)

    async def _rest(self, stop: asyncio.Event, seconds: float, woken: asyncio.Event) -> None:
        waits = {asyncio.create_task(wait) for wait in (self.clock.sleep(seconds), woken.wait(), stop.wait())}
        _done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    async def _claim(self, hosts: int) -> tuple[Visit, ...]:
        return await self.store.claim(self.clock.now(), hosts=hosts, lease=LEASE * self.clock.pace)

    async def _visit(self, visit: Visit) -> VisitReport:
        try:
            report = await self.crawler.visit(visit)
        except Exception as error:
            log.exception("visit broke off", extra={"host": visit.host})
            later = self.clock.now() + timedelta(minutes=1)
            report = VisitReport(host=visit.host, fence=visit.fence, next_ok=later, failure=repr(error))
        report = replace(report, fence=self.running.hosts.pop(visit.host, visit.fence))
        while True:
            try:
                await self.store.release(report)
            except StoreError as error:
                self._troubled(error)
                await self.clock.sleep(TROUBLED)
            else:
                return report

    def _visited(self, task: asyncio.Task[VisitReport]) -> None:
        self.running.visits.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("visit could not be recorded", exc_info=error)
        if CONCURRENCY - len(self.running.visits) >= PORTION:
            self._wake.set()

    def _filed(self, filed: Filed) -> None:
        if filed.alerts_due:
            self.dispatcher.wake()
        self._on_filed(filed)

    # ------------------------------------------------------------------ dead letters

    async def _tell_of_the_dead(self, stop: asyncio.Event) -> None:
        """At start, once a minute, and when a channel was removed: whatever killed an alert, or us before it was
        told, its row in the store says that it is untold."""
        while not stop.is_set():
            self._removed.clear()
            try:
                await self.tell_dead()
            except StoreError as error:
                log.error("dead letters not told yet", extra={"error": str(error)})
            await self._rest(stop, DEAD_EVERY / self.clock.pace, self._removed)

    async def tell_dead(self) -> int:
        """File notices of the dead letters that nobody was told of; how many there were."""
        dead = await self.store.untold_dead()
        news = [alert for alert in dead if not await self._of_a_notice(alert)]
        if news:
            filed = await self.desk.tell(health.dead_letters(news, now=self.clock.now()))
            if filed.quarantined:
                return 0
        if dead:
            # A death between the two is told again, as the same items.
            await self.store.mark_told([alert.id for alert in dead])
        return len(news)

    async def _of_a_notice(self, alert: Alert) -> bool:
        """A notice that cannot be told makes no notice: it stands on the page only."""
        watch = self.desk.edition.by_id.get(alert.watch)
        if watch is None or health.OUTLET not in watch.outlets:
            return False
        item = await self.store.item(alert.item)
        return item is None or item.outlet == health.OUTLET

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
            ],
            pages_of={
                outlet.id: outlet.pages_per_hour for outlet in self.config.outlets.values() if outlet.pages != "none"
            },
        )
        if await self.store.bury(tuple(self._channels), now):
            self._removed.set()

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
            except Exception:  # a fault of ours in reading a file must not end the watching (F138)
                log.exception("configuration not taken, trying again")
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
                await self.desk.tell((health.bad_reload(said, now=self.clock.now()),))
                self.running.refused = said[0]
            return False
        self.running.refused = ""
        replaced, self._channels = self._channels, opened
        self.desk.edition = compiled
        if replaced is not opened:
            closing = asyncio.create_task(self._close_later(replaced))
            self.running.closing[closing] = replaced
        await self._register()
        self._wake.set()
        for remark in remarks(compiled):
            log.warning("remark on the configuration", extra={"remark": remark})
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
        trouble = (self.running.trouble,) if self.running.trouble else ()
        return Status(
            started=self.running.started,
            now=now,
            last_tick=self.running.last_tick,
            crawler_alive=self.crawler.alive,
            counts=counts,
            sources=sources,
            problems=status.problems(
                now=now, sources=sources, counts=counts, store=(*trouble, *self.running.store_warnings),
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
    """Nothing that a channel is made of has changed: addresses, secrets, and the names and links its messages use."""

    def made_of(config: Config) -> tuple[object, ...]:
        settings = config.settings
        names = [(outlet.id, outlet.name) for outlet in config.outlets.values()]
        titles = [(watch.id, watch.title) for watch in config.watches.values()]
        return settings.channel, dict(config.secrets), settings.service, settings.web.public_url, names, titles

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
