"""The spiders: one resident, fed with visits; and one for each configured outlet, for Scrapy's own commands.

Both walk visits through the same `Visitor`. The resident one hands every answer to the pipelines as an `Arrival`;
the outlets' own write nothing to the store and yield flat items.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import scrapy
from scrapy.exceptions import DropItem
from scrapy.logformatter import LogFormatter

from config.load import load
from config.model.outlets import Outlet
from config.model.whole import Config
from monitor.clock import SystemClock
from monitor.entries import normalise
from monitor.errors import AddressRefused, StoreError
from monitor.model.entries import Answer, Entry
from monitor.model.filing import Filing
from monitor.model.sources import PageDue, RobotsCopy, SourceState, Visit, VisitReport
from monitor.ports import Clock
from spiders import guard
from spiders.middlewares.robots import RobotsBook
from spiders.visits import Reader, Trip, Visitor
from spiders.workers import Workers

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

log = logging.getLogger(__name__)

CONFIG_FOLDER = "WIREWATCH_CONFIG"
"""The environment variable that names the operator's folder; without it, what ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What passes through the pipelines: one answer, with what was due."""

    due: SourceState | PageDue
    answer: Answer
    filing: Filing | None = None
    edition: object | None = None
    """The configuration in force for this answer, set by the first stage (F105)."""


Unfiled = Callable[[SourceState | PageDue, Answer, Exception], Awaitable[None]]
"""What the desk does about an answer that a stage could not handle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ticket:
    """A visit on its way through a crawler, and where its report is waited for."""

    visit: Visit
    done: asyncio.Future[VisitReport]

    def report(self, report: VisitReport) -> None:
        if not self.done.done():
            self.done.set_result(report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """The live objects a spider works with; settings are copied deeply, these ride on its arguments."""

    config: Callable[[], Config]
    robots: RobotsBook
    workers: Reader
    clock: Clock
    desk: object = None


class _Equipped(scrapy.Spider):
    """A spider whose middlewares find what they need on it."""

    def __init__(self, *, equipment: Equipment, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.equipment = equipment
        self.clock, self.robots, self.desk = equipment.clock, equipment.robots, equipment.desk
        self.unfiled: Unfiled | None = getattr(equipment.desk, "unfiled", None)

    def visitor(self) -> Visitor:
        of = self.equipment
        return Visitor(crawler=self.crawler, config=of.config(), reader=of.workers, clock=of.clock)


class ResidentSpider(_Equipped):
    """Serves visits from a queue until ``None`` comes; then finishes what is under way and ends."""

    name = "resident"

    def __init__(self, *, queue: asyncio.Queue[Ticket | None], concurrency: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._queue, self._room = queue, asyncio.Semaphore(concurrency)

    async def start(self) -> AsyncIterator[Any]:
        for nothing in await self._served():  # answers go to the pipelines from their visits
            yield nothing

    async def _served(self) -> tuple[Arrival, ...]:
        async with asyncio.TaskGroup() as visits:
            while (ticket := await self._next()) is not None:
                visits.create_task(self._serve(ticket))
        return ()

    async def _next(self) -> Ticket | None:
        await self._room.acquire()
        return await self._queue.get()

    async def _serve(self, ticket: Ticket) -> None:
        trip, visit, failure = Trip(), ticket.visit, "the crawler was stopped"
        visitor = self.visitor()
        try:
            failure = await self._walk(visitor, visit, trip)
        except Exception as error:  # one visit's bug is its own: reported, logged, and the host rests
            log.exception("visit broke off host=%s", visit.host)
            failure = f"{type(error).__name__}: {error}"
        finally:
            self._room.release()
            ticket.report(trip.report(visit, now=self.clock.now(), failure=failure, rest=visitor.rest(visit)))

    async def _walk(self, visitor: Visitor, visit: Visit, trip: Trip) -> str:
        """Walk the visit, each answer through all pipelines before the next request; returns what went wrong."""
        if visit.robots is not None:
            self.robots.told(visit.robots)
        troubles = []
        async for due, answer in visitor.walk(visit, trip):
            arrival = Arrival(due=due, answer=answer)
            try:
                # The stages themselves, not Scrapy's counting around them: a crawler that is closed from outside
                # would wait for ever for items that no response brought (`Scraper._check_if_closing`).
                await self.crawler.engine.scraper.itemproc.process_item_async(arrival)
            except DropItem as dropped:
                log.info("answer dropped reason=%s source=%s", type(dropped).__name__, answer.source)
            except Exception as error:  # the other answers of the visit go on; the report names this one
                log.exception("answer not filed source=%s", answer.source)
                troubles.append(f"not filed: {type(error).__name__}: {error}")
                if self.unfiled is not None and not isinstance(error, StoreError):
                    await self.unfiled(due, answer, error)
        return "; ".join(troubles)


# ------------------------------------------------------------------ Scrapy's own commands


class Forgetful:
    """Keeps robots rules for the life of the process only."""

    async def robots(self, host: str) -> RobotsCopy | None:
        return None

    async def keep_robots(self, copy: RobotsCopy) -> None:
        return None


class OutletSpider(_Equipped):
    """``scrapy crawl bbc``: polls every source of one outlet once and yields its entries as flat items."""

    outlet: Outlet
    config: Config

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        clock = SystemClock()
        equipment = Equipment(
            config=lambda: cls.config, robots=RobotsBook(Forgetful(), clock), workers=Workers(count=1), clock=clock
        )
        spider = super().from_crawler(crawler, *args, equipment=equipment, **kwargs)
        guard.installed().allowed = lambda: cls.config.settings.allow.fetch
        return spider

    async def start(self) -> AsyncIterator[Any]:
        try:
            for visit in self._visits():
                async for due, answer in self.visitor().walk(visit, Trip()):
                    for item in self._items(due, answer):
                        yield item
        finally:
            close = getattr(self.equipment.workers, "close", None)
            if close is not None:
                close()

    def _visits(self) -> Iterator[Visit]:
        """Every source of the outlet, as due now, by host."""
        hosts: dict[str, list[SourceState]] = defaultdict(list)
        now = self.clock.now()
        for source in self.outlet.source:
            host = guard.host_of(source.url)
            state = SourceState(
                id=f"{self.outlet.id}/{source.id}", outlet=self.outlet.id, url=source.url, host=host, next_due=now
            )
            hosts[host].append(state)
        for host, states in hosts.items():
            yield Visit(host=host, fence=0, sources=tuple(states))

    def _items(self, due: SourceState | PageDue, answer: Answer) -> Iterator[dict[str, Any]]:
        level = logging.INFO if answer.entries else logging.WARNING
        log.log(level, "source fetched source=%s outcome=%s entries=%d reason=%s",
                answer.source, answer.outcome, len(answer.entries), answer.reason)  # fmt: skip
        source = self.outlet.source_of(answer.source)
        for entry in answer.entries:
            kept = normalise(entry, self.outlet, source, answer.at)
            if kept is not None:
                yield flat(kept, answer)


def flat(entry: Entry, answer: Answer) -> dict[str, Any]:
    """An entry as a flat item, for Scrapy's exporters."""
    return {
        "outlet": answer.outlet,
        "source": answer.source,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.lead,
        "language": entry.language,
        "published": entry.published.isoformat() if entry.published else None,
        "kind": entry.kind,
    }


class OutletLoader:
    """Lists every configured outlet as a spider (``SPIDER_LOADER_CLASS``).

    Nothing is read before it is asked for: Scrapy makes a loader for every crawler, and the resident one, which asks
    nothing of it, must start (and be renewed) whatever stands on disk.
    """

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Self:
        return cls()

    @cached_property
    def _config(self) -> Config:
        folder = os.environ.get(CONFIG_FOLDER)
        return load(Path(folder) if folder else None)

    def load(self, spider_name: str) -> type[OutletSpider]:
        outlet = self._config.outlets.get(spider_name)
        if outlet is None:
            raise KeyError(f"no outlet is called {spider_name!r}: see `scrapy list`")
        return type("OutletSpider", (OutletSpider,), {"name": outlet.id, "outlet": outlet, "config": self._config})

    def list(self) -> list[str]:
        return sorted(self._config.outlets)

    def find_by_request(self, request: scrapy.Request) -> list[str]:  # type: ignore[valid-type]  # `list` is above
        try:
            host = guard.host_of(request.url)
        except AddressRefused:
            return []
        outlets = self._config.outlets.values()
        return [each.id for each in outlets if any(guard.host_of(source.url) == host for source in each.source)]


class Quiet(LogFormatter):
    """Scrapy's log lines without whole pages in them; what is ordinary is not logged at all."""

    def crawled(self, request: Any, response: Any, spider: Any) -> Any:
        return None

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        return None


__all__ = ["Arrival", "Equipment", "OutletLoader", "OutletSpider", "Quiet", "ResidentSpider", "Ticket"]
