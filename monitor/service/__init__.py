"""The service: one process, one event loop. The path of everything, told once::

    config → edition (compiled watches) ─┐
    heartbeat → store.claim → visits → resident crawler → readers in workers → answers
        → pipelines: Normalise → Identify → Match → File (placed, policy; one transaction) ─→ store
    store → dispatcher (its own loop) → channels
    store → page, command line
    beside them: reload (a saved configuration) · tending (what ends, escalates, is told as dead)
        · calendar (APScheduler, UTC: retention, the store's own check, the canary) · dead man (a sign of life outside)
        · distress (a store that fails is told past it)

The heartbeat lives on the monotonic clock; what is due is a column of the store (`Schedule.claim`), so it survives
restarts. Fetching and delivering are separate loops: neither waits for the other. Each part has its file here; this one
puts them together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from config.model.whole import Config
from monitor import canary, status, systemd
from monitor.alerts.channels import open_channels
from monitor.alerts.dispatch import Counts, Dispatcher
from monitor.desk import Desk
from monitor.distress import Distress
from monitor.edition import edition
from monitor.errors import StoreError, UnknownName
from monitor.hosts import host_of
from monitor.language.tokens import tokenise
from monitor.model.filing import Filed
from monitor.model.sources import SourceState
from monitor.ports import Channel, Clock, Store
from monitor.service.calendar import Calendar
from monitor.service.canaries import Canaries
from monitor.service.channels import Channels, Open
from monitor.service.deadman import DeadMan
from monitor.service.heartbeat import Heartbeat
from monitor.service.reload import Reload
from monitor.service.running import Running
from monitor.service.tending import Tending
from monitor.service.visits import CONCURRENCY, Visits
from monitor.status import Status
from monitor.stories.copies import TitleIndex
from spiders.crawl import ResidentCrawler
from spiders.workers import Workers

log = logging.getLogger(__name__)

STOP_GRACE = 3.0
"""Seconds for what is on its way when a stop comes; breaking off what is late takes up to three more, and the whole
must end within ten (F141)."""
IDENTITY_KEPT = timedelta(days=400)


class Service:
    """Everything put together over one configuration, one store and one clock.

    ``tick`` is the heartbeat in the machine's seconds; ``workers``: how many processes read, or what reads instead of
    them; ``on_filed`` sees every filing.
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
        workers: int | Workers = 2,
        channels: Open = open_channels,
        on_filed: Callable[[Filed], None] = lambda filed: None,
    ) -> None:
        self.store, self.clock = store, clock
        self._on_filed = on_filed
        self.distress = Distress(self._notice_channels, self._write, clock)
        self.running = Running(clock, started=clock.now(), alarm=self.distress.failing)
        self._titles = TitleIndex(_title_tokens)
        self.desk = Desk(
            edition(config), store, clock, titles=self._titles, jitter=randomness.random, filed=self._filed,
            failing=self.running.troubled,
        )  # fmt: skip
        self.channels = Channels(config, channels)
        self._workers = Workers(workers) if isinstance(workers, int) else workers
        self.crawler = ResidentCrawler(
            config=lambda: self.config, hosts=store, workers=self._workers, desk=self.desk, clock=clock,
            concurrency=CONCURRENCY,
        )  # fmt: skip
        self.dispatcher = Dispatcher(store, store, lambda: self.channels.in_force, clock, randomness)
        self.visits = Visits(store, self.crawler, clock, self.running)
        self.heartbeat = Heartbeat(
            store, self.desk, self.visits, crawler=self.crawler, clock=clock, running=self.running, tick=tick,
            parted=self._clocks_parted,
        )  # fmt: skip
        self.canaries = Canaries(store, self.desk, clock)
        self.tending = Tending(
            store, self.desk, clock, channels=self.channels, dispatcher=self.dispatcher, canaries=self.canaries,
            failing=self.running.troubled,
        )  # fmt: skip
        self.calendar = Calendar(
            {
                "retention": (self._prune, {"hour": 3, "minute": 10}),
                "store-check": (self._check_store, {"hour": 4, "minute": 10}),
                "canary": (self.canaries.let_out, {"minute": 30}),
            }
        )
        self.reload = Reload(folder, self.desk, self.channels, clock, self.running, taken=self._came_into_force)
        self.dead_man = DeadMan(self._dead_man_address, self._write, lambda: self._glance().unfit, clock, self.running)

    @property
    def config(self) -> Config:
        return self.desk.edition.config

    # ------------------------------------------------------------------ life

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: everything; then an orderly end within ten seconds, leases given back."""
        async with self._open():
            await self.desk.prepare(self.desk.edition)
            await self.heartbeat.spread(timedelta())
            self.calendar.begin()
            await self.canaries.recall()
            await self.canaries.let_out()
            tasks = [
                asyncio.create_task(work, name=name)
                for name, work in (
                    ("heartbeat", self.heartbeat.run(stop)),
                    ("dispatcher", self.dispatcher.run(stop)),
                    ("tending", self.tending.run(stop)),
                    ("reload", self.reload.on_save(stop)),
                    ("dead man", self.dead_man.run(stop)),
                    ("distress", self.distress.run(stop)),
                )
            ]
            systemd.tell("READY=1")
            log.info("watching", extra={"outlets": len(self.config.outlets), "watches": len(self.config.watches)})
            try:
                await _first_to_end(tasks, stop)
            finally:
                systemd.tell("STOPPING=1")
                stop.set()
                self.store.give_up_sooner()
                self.calendar.end()
                await self._end(tasks)

    async def once(self, outlet: str | None = None) -> tuple[int, Counts]:
        """Poll what is due (or one outlet's sources, due or not), deliver, and return: sources asked, and what
        became of the alerts."""
        async with self._open():
            if outlet is None:
                asked = await self.visits.all_due()
            else:
                asked = await self.visits.of_outlet(outlet, source_ids(self.config, outlet))
            await self.tending.tend()
            await self.dispatcher.drain()
            if await self.tending.tell_dead():
                await self.dispatcher.drain()
            return asked, self.dispatcher.counts

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        await self.store.release_all()
        await self._register()
        await self.tending.tend()
        polled = [state.last_polled for state in await self.store.sources() if state.last_polled is not None]
        await self.heartbeat.set_back(max(polled, default=self.clock.now()) - self.clock.now())  # while no service ran
        await self.desk.remember(self.store)
        await self._check_store()
        for warning in (*self.running.store_warnings, *self.store.risks, *self.config.warnings):
            log.warning("at start", extra={"warning": warning})
        await self.crawler.start()
        try:
            yield
        finally:
            await self.crawler.stop(STOP_GRACE)
            self._workers.close()
            await self.channels.close()

    async def _end(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Give what is under way a few seconds, then let go of it: nothing half filed, leases free for the next."""
        stopping = asyncio.create_task(self.crawler.stop(STOP_GRACE))
        pending = [*tasks, *self.visits.under_way, stopping]
        _done, late = await asyncio.wait(pending, timeout=STOP_GRACE + 3)
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*pending, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("ended badly", exc_info=result)
        try:
            await self.store.release_all()
        except StoreError as error:
            log.error("leases are not given back; the next start does it", extra={"error": str(error)})

    # ------------------------------------------------------------------ between the parts

    def _filed(self, filed: Filed) -> None:
        if filed.alerts_due:
            self.dispatcher.wake()
        self._on_filed(filed)

    async def _came_into_force(self) -> None:
        """Another configuration: other sources, and perhaps rows of channels and watches that are no more."""
        await self._register()
        await self.tending.tend()
        self.tending.wake()
        self.heartbeat.wake()

    def _clocks_parted(self) -> None:
        self.calendar.plan_anew()
        self.dispatcher.wake()

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

    def _notice_channels(self) -> Mapping[str, Channel]:
        """Those that notices go to, in force now."""
        settings = self.config.settings
        names = settings.service.notify or tuple(each.id for each in settings.channel)
        return {name: self.channels.in_force[name] for name in names if name in self.channels.in_force}

    def _dead_man_address(self) -> str | None:
        secret = self.config.secrets.get("service.heartbeat_url")
        return secret.get_secret_value() if secret is not None else None

    async def _write(self) -> None:
        await self.store.pulse(self.clock.now())

    # ------------------------------------------------------------------ calendar and status

    async def _prune(self) -> None:
        kept, now = self.config.settings.store.retention, self.clock.now()
        removed = await self.store.prune(
            bodies_before=now - kept.bodies, revisions_before=now - kept.revisions, identity_before=now - IDENTITY_KEPT
        )  # fmt: skip
        removed += await self.store.forget_canaries(now - canary.KEPT)
        log.info("old texts removed", extra={"rows": removed})

    async def _check_store(self) -> None:
        self.running.store_warnings = await self.store.check()

    async def status(self) -> Status:
        """One look at everything, for ``/health``, ``/metrics`` and the page."""
        running = self.running
        seen = replace(
            self._glance(),
            counts=await self.store.count(),
            sources=await self.store.sources(),
            oldest_due=await self.store.oldest_due(self.clock.now()),
        )
        trouble = (running.trouble,) if running.trouble else ()
        said = status.problems(
            seen, store=(*trouble, *running.store_warnings), refused=running.refused,
            more=(running.unheard,) if running.unheard else (),
        )  # fmt: skip
        return replace(seen, problems=said)

    def _glance(self) -> Status:
        """What the service knows of itself without asking the store."""
        down = self.dispatcher.down
        configured = self.config.settings.channel
        telling = [each.id for each in configured if each.url != "page"]  # the page tells nobody who does not look
        counts, latency = self.dispatcher.counts, self.dispatcher.latency
        return Status(
            started=self.running.started,
            now=self.clock.now(),
            last_tick=self.running.last_tick,
            looked=self.dispatcher.looked,
            crawler_alive=self.crawler.alive,
            channels={each.id: each.id not in down for each in configured},
            nobody_told=bool(telling) and all(name in down for name in telling),
            canary_late=self.canaries.late,
            canary=self.canaries.arrived,
            messages={"sent": counts.sent, "later": counts.later, "dead": counts.dead},
            from_seen=latency.from_seen,
            from_published=latency.from_published,
            pace=self.clock.pace,
        )


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


def source_ids(config: Config, outlet: str) -> tuple[str, ...]:
    """``outlet/source`` for each of an outlet's sources; raises `UnknownName`."""
    if outlet not in config.outlets:
        raise UnknownName(f"No outlet is called {outlet}; see `wirewatch outlets list`.")
    return tuple(f"{outlet}/{source.id}" for source in config.outlets[outlet].source)


def _title_tokens(title: str) -> frozenset[str]:
    return frozenset(token.norm for token in tokenise(title))
