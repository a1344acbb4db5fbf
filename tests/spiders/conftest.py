"""A resident crawler on a real loop, between a loopback news server and a list of arrivals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.model.outlets import Outlet
from config.model.settings import Settings
from config.model.whole import Config
from monitor.clock import SystemClock
from monitor.model.entries import Answer
from monitor.model.sources import PageDue, RobotsCopy, SourceState, Visit, VisitReport
from spiders.crawl import ResidentCrawler, install_reactor
from spiders.readers import Reading, ReadTask, read
from tests.newsserver import NewsServer, Site


class InProcess:
    """Reads at once, in this process: workers have tests of their own."""

    def __init__(self) -> None:
        self.tasks: list[ReadTask] = []

    async def read(self, task: ReadTask) -> Reading:
        self.tasks.append(task)
        return read(task)


class Keeper:
    """Robots rules in memory."""

    def __init__(self) -> None:
        self.copies: dict[str, RobotsCopy] = {}

    async def robots(self, host: str) -> RobotsCopy | None:
        return self.copies.get(host)

    async def keep_robots(self, copy: RobotsCopy) -> None:
        self.copies[copy.host] = copy


class Hand(SystemClock):
    """The machine's clock, moved by hand."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def monotonic(self) -> float:
        return super().monotonic() + self.moved.total_seconds()


class Collect:
    """The only pipeline stage: the desk is a list, or something to call."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Collect:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        desk = self._crawler.spider.desk
        if callable(desk):
            await desk(item)
        else:
            desk.append(item)
        return item


@dataclass
class Wire:
    """What a test of the wire holds in its hands."""

    server: NewsServer
    outlets: dict[str, Outlet] = field(default_factory=dict)
    allow: tuple[str, ...] | None = None
    arrivals: Any = field(default_factory=list)
    keeper: Keeper = field(default_factory=Keeper)
    reader: InProcess = field(default_factory=InProcess)
    clock: Hand = field(default_factory=Hand)
    crawler: Any = None
    fence: int = 0

    def config(self) -> Config:
        allow = self.server.allow if self.allow is None else self.allow
        settings = Settings.model_validate({"allow": {"fetch": allow}})
        return Config(settings=settings, outlets=self.outlets, watches={}, concepts={})

    def source(self, url: str, *, outlet: str = "one", state: dict[str, Any] | None = None, kind: str = "feed",
               of: dict[str, Any] | None = None, **more: Any) -> SourceState:  # fmt: skip
        """Add a source to an outlet (made when first named; ``of`` sets its keys) and say it is due."""
        known = self.outlets.get(outlet)
        sources = [*(known.source if known else ())]
        name = f"s{len(sources)}"
        entry = {"id": name, "kind": kind, "url": url, **more}
        base = {
            "id": outlet, "name": outlet, "home": "https://example.org/", "language": "en", "time_zone": "UTC",
            "access": "feed", "why": "a test", "delay": "0s", **(of or {}),
        }  # fmt: skip
        if known is not None:
            base = {**known.model_dump(), **(of or {})}
        self.outlets[outlet] = Outlet.model_validate({**base, "source": [*(s.model_dump() for s in sources), entry]})
        host = "/".join(url.split("/")[:3])
        return SourceState(
            id=f"{outlet}/{name}", outlet=outlet, url=url, host=host, next_due=self.clock.now(), **(state or {})
        )

    async def visit(self, *due: SourceState | PageDue, robots: RobotsCopy | None = None) -> VisitReport:
        self.fence += 1
        visit = Visit(
            host=due[0].host,
            fence=self.fence,
            sources=tuple(each for each in due if isinstance(each, SourceState)),
            pages=tuple(each for each in due if isinstance(each, PageDue)),
            robots=robots,
        )
        report = await self.crawler.visit(visit)
        assert (report.host, report.fence) == (visit.host, visit.fence)
        return report

    @property
    def answers(self) -> list[Answer]:
        return [each.answer for each in self.arrivals]

    async def ask(self, *due: SourceState | PageDue) -> Answer:
        """Visit, and the last answer that came of it."""
        await self.visit(*due)
        return self.answers[-1]

    @contextlib.asynccontextmanager
    async def running(self, *, grace: float = 5.0, **more: Any) -> AsyncIterator[Wire]:
        settings = {"ITEM_PIPELINES": {Collect: 1}, **more.pop("settings", {})}
        self.crawler = ResidentCrawler(
            config=self.config, hosts=self.keeper, workers=self.reader, desk=self.arrivals, clock=self.clock,
            settings=settings, **more,
        )  # fmt: skip
        await self.crawler.start()
        try:
            yield self
        finally:
            await self.crawler.stop(grace)


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The reactor's loop. The reactor can be started once in a process, so all tests share it."""
    install_reactor()
    from twisted.internet import reactor  # noqa: PLC0415  (it has to be installed first)

    twisted: Any = reactor
    twisted.startRunning(installSignalHandlers=False)
    running: asyncio.AbstractEventLoop = twisted._asyncioEventloop
    yield running
    running.run_until_complete(running.shutdown_default_executor())
    running.call_soon(twisted.stop)
    running.run_forever()


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on the reactor's loop; thirty seconds are a hang, not slowness."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return loop.run_until_complete(asyncio.wait_for(coroutine, 30))

    return run


@pytest.fixture
def server() -> Iterator[NewsServer]:
    with NewsServer() as server:
        yield server


@pytest.fixture
def site(server: NewsServer) -> Site:
    return server.site("127.0.0.2")


@pytest.fixture
def wire(server: NewsServer) -> Wire:
    return Wire(server)
