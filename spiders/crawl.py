"""The crawler: which loop it runs on, and the resident crawler that turns visits into reports.

Only here is the choice of loop: Twisted's reactor on an asyncio loop, which Scrapy, the page and the dispatcher share.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.utils.reactor import install_reactor as scrapy_install_reactor

from config import crawl as limits
from config.model.whole import Config
from monitor.model.sources import Visit, VisitReport
from monitor.ports import Clock
from spiders import guard
from spiders.middlewares.robots import RobotsBook, RobotsKeeper
from spiders.spider import Equipment, ResidentSpider, Ticket
from spiders.visits import Reader, Trip

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)

RENEWED = 24 * 60 * 60.0
YOUNG = 10_000
"""Objects made before the garbage collector looks: with Python's own 700 it takes a quarter of a poll (measured)."""
RETRIED = 5.0
"""Seconds before a new crawler is tried after one that ended by itself."""


def install_reactor() -> None:
    """Twisted's asyncio reactor, with the address guard on it. Call it before anything imports the reactor; again is
    harmless."""
    scrapy_install_reactor(limits.TWISTED_REACTOR)
    from twisted.internet import reactor  # noqa: PLC0415

    loop: Any = reactor
    if not isinstance(loop.nameResolver, guard.GuardedResolver):
        guard.GuardedResolver(loop).install_on_reactor()
        loop.getThreadPool().adjustPoolsize(maxthreads=limits.REACTOR_THREADPOOL_MAXSIZE)
    logging.getLogger("scrapy").setLevel(limits.LOG_LEVEL)
    logging.getLogger("scrapy.core.downloader").setLevel(logging.ERROR)  # limits that are hit are answers with a reason


def collect_rarely() -> None:
    """What is there now lives as long as the process: no need to look through it again and again."""
    gc.freeze()
    gc.set_threshold(YOUNG)


def run(main: Callable[[], Coroutine[Any, Any, int | None]]) -> int:
    """Run ``main()`` on the reactor's loop until it returns; its result is the exit code, its error is raised.

    Signals are left to ``main``. A process can do this once: Twisted's reactor does not start twice.
    """
    install_reactor()
    from twisted.internet import reactor  # noqa: PLC0415

    collect_rarely()
    twisted: Any = reactor
    loop: asyncio.AbstractEventLoop = twisted._asyncioEventloop
    ended: list[asyncio.Task[int | None]] = []

    async def whole() -> None:
        task = asyncio.create_task(main())
        ended.append(task)
        await asyncio.wait([task])
        leftovers = asyncio.all_tasks() - {asyncio.current_task(), task}
        for each in leftovers:
            each.cancel()
        await asyncio.gather(*leftovers, return_exceptions=True)
        twisted.stop()

    starting: list[asyncio.Task[None]] = []
    loop.call_soon(lambda: starting.append(loop.create_task(whole())))
    twisted.run(installSignalHandlers=False)
    return ended[0].result() or 0


class ResidentCrawler:
    """One crawler that lives as long as the service, renewed daily and after an error.

    Visits under way when a crawler is renewed are finished by the old one; those it can no longer finish are reported
    with a failure. None is lost.
    """

    def __init__(
        self,
        *,
        config: Callable[[], Config],
        hosts: RobotsKeeper,
        workers: Reader,
        desk: object,
        clock: Clock,
        concurrency: int = 32,
        renewed: float = RENEWED,
        retried: float = RETRIED,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self._equipment = Equipment(
            config=config, robots=RobotsBook(hosts, clock), workers=workers, clock=clock, desk=desk
        )
        self._concurrency, self._renewed, self._retried = concurrency, renewed, retried
        self._settings = limits.settings(**(settings or {}))
        self._current: _Generation | None = None
        self._retired: set[_Generation] = set()
        self._supervisor: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def alive(self) -> bool:
        """Visits are being served."""
        return self._current is not None and self._current.serving and not self._stopping

    async def start(self) -> None:
        """Ready for visits when this returns."""
        guard.installed().allowed = lambda: self._equipment.config().settings.allow.fetch
        self._current = self._generation()
        await self._current.ready()
        self._supervisor = asyncio.create_task(self._supervise())

    async def visit(self, visit: Visit) -> VisitReport:
        """Make the visit; returns after its last answer went through the last pipeline."""
        ticket = Ticket(visit=visit, done=asyncio.get_running_loop().create_future())
        if self._stopping or self._current is None or not self._current.take(ticket):
            self._refuse(ticket, "the crawler is stopped" if self._stopping else "the crawler is being renewed")
        return await ticket.done

    async def stop(self, grace: float) -> None:
        """Finish what is under way within ``grace`` seconds; the rest is broken off and reported so."""
        self._stopping = True
        if self._supervisor is not None:
            self._supervisor.cancel()
        generations = [*self._retired, *([self._current] if self._current else [])]
        for generation in generations:
            generation.retire()
        tasks = [generation.crawl for generation in generations]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            await asyncio.gather(*(each.break_off() for each in generations if each.crawl in late))
        for generation in generations:
            for ticket in generation.left():
                self._refuse(ticket, "the crawler was stopped")

    def _generation(self) -> _Generation:
        return _Generation(self._settings, self._equipment, self._concurrency)

    def _refuse(self, ticket: Ticket, why: str) -> None:
        ticket.report(Trip().report(ticket.visit, now=self._equipment.clock.now(), failure=why))

    async def _supervise(self) -> None:
        while True:
            old = self._current
            assert old is not None
            ended, _ = await asyncio.wait({old.crawl}, timeout=self._renewed)
            if ended:
                log.error("crawler ended by itself, renewing it reason=%s", old.error() or "closed")
                for ticket in old.left():
                    self._refuse(ticket, "the crawler ended by itself")
                await self._replace(pause=self._retried)
            else:
                await self._replace()
                old.retire()
                self._retired.add(old)
                old.crawl.add_done_callback(partial(self._bury, old))

    async def _replace(self, pause: float = 0.0) -> None:
        """Put a new crawler in the place of the current one, trying until one starts."""
        while True:
            await asyncio.sleep(pause)
            new = self._generation()
            self._retired.add(new)  # until it serves, so that `stop` finds it
            try:
                await new.ready()
            except Exception:  # whatever keeps it from starting, a service without a crawler is worse
                log.exception("crawler cannot start, trying again")
                pause = self._retried
            else:
                self._current = new
                return
            finally:
                self._retired.discard(new)

    def _bury(self, old: _Generation, _: object) -> None:
        self._retired.discard(old)
        for ticket in old.left():
            self._refuse(ticket, "the crawler ended by itself")


class _Generation:
    """One crawler, its queue and the visits it has taken."""

    def __init__(self, settings: dict[str, Any], equipment: Equipment, concurrency: int) -> None:
        self._queue: asyncio.Queue[Ticket | None] = asyncio.Queue()
        self._taken: set[Ticket] = set()
        self._runner = AsyncCrawlerRunner(settings)
        self._crawler: Crawler = self._runner.create_crawler(ResidentSpider)
        self._retired = False
        self.crawl = self._runner.crawl(self._crawler, equipment=equipment, queue=self._queue, concurrency=concurrency)
        self.crawl.add_done_callback(lambda task: task.cancelled() or task.exception())  # `error` reads it, or nobody

    @property
    def serving(self) -> bool:
        engine = self._crawler._engine
        return not self.crawl.done() and engine is not None and engine.running

    async def ready(self) -> None:
        """Wait until visits are served; raises what kept the crawler from starting."""
        while not self.serving:
            if self.crawl.done():
                self.crawl.result()
                raise RuntimeError("the crawler ended before it served")
            await asyncio.sleep(0.001)

    def take(self, ticket: Ticket) -> bool:
        if self._retired or self.crawl.done():
            return False
        self._taken.add(ticket)
        ticket.done.add_done_callback(lambda _: self._taken.discard(ticket))
        self._queue.put_nowait(ticket)
        return True

    def retire(self) -> None:
        """Serve what was taken, and end."""
        if not self._retired:
            self._retired = True
            self._queue.put_nowait(None)

    async def break_off(self) -> None:
        """End now: visits under way are cancelled and report so themselves."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._runner.stop()), 2.0)
        self.crawl.cancel()
        await asyncio.wait([self.crawl], timeout=1.0)

    def left(self) -> list[Ticket]:
        """Taken and not yet reported."""
        return list(self._taken)

    def error(self) -> str:
        failed = None if self.crawl.cancelled() or not self.crawl.done() else self.crawl.exception()
        return f"{type(failed).__name__}: {failed}" if failed else ""


__all__ = ["ResidentCrawler", "RobotsKeeper", "install_reactor", "run"]
