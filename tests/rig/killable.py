"""The real service that kills itself (SIGKILL) at a named point:
``python -m tests.rig.killable FOLDER POINT NTH [AHEAD]``.

`POINTS` says what each point is. ``none`` runs undisturbed. Forked from a warm parent (`tests.rig.zygote`) the same
service reads in its own process, and its wall clock may be some time ahead.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.load import load
from config.model.whole import Config
from monitor import canary, health, log
from monitor.alerts.channels import open_channels
from monitor.cli.opened import store_of
from monitor.edition import BUILT_IN, edition
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Channel
from monitor.service import Service
from spiders.crawl import run
from spiders.readers import Reading, ReadTask, read
from spiders.workers import Workers

POINTS: Mapping[str, str] = {
    "after_claim_host": "a host is leased, nothing asked of it yet",
    "after_fetch": "an answer was read, nothing of it filed",
    "before_file": "the filing's transaction is open, nothing written",
    "mid_file": "inside the filing, while it is decided about a change",
    "mid_rows": "inside the filing: item and match are written, the alert row is not",
    "before_commit": "everything of an answer is written, not committed",
    "after_file": "the answer is committed, nobody was told",
    "after_tell": "a notice of the service itself is committed, the dispatcher not woken",
    "before_release": "the visit is over, its host still leased",
    "after_form": "a message was made of its rows, inside the claim",
    "after_claim": "messages are leased, none was sent",
    "before_send": "a message is about to be sent",
    "mid_send": "the receiver has it and has not answered",
    "after_send": "the receiver has taken it, nobody recorded it",
    "mid_settle": "inside the settlement: the message is delivered, its alerts are not",
    "after_mark": "the delivery is recorded",
    "mid_tend": "inside the look after the outbox",
    "after_dead_before_told": "an alert is a dead letter, the desk was not told",
    "after_told_before_marked": "the desk was told of a dead letter, which is not recorded",
}
"""``mid_send`` is the receiver's doing: it kills the sender (`tests.rig.chaos`)."""

_STATEMENTS = {
    "before_file": "SAVEPOINT candidate",
    "mid_rows": "INSERT INTO alerts",
    "mid_settle": "UPDATE alerts SET condition = 'delivered'",
    "mid_tend": "UPDATE messages SET condition = 'dead'",
}
"""Points at which a statement of this beginning is about to run on the writing connection."""

WARM = (
    "monitor.web.app", "storage.sqlite.store", "spiders.download", "spiders.pipelines", "spiders.readers.feed",
    "spiders.middlewares.address", "spiders.middlewares.redirect", "twisted.internet.asyncioreactor", "aiohttp.web",
    "apscheduler.triggers.cron", "queuelib", "scrapy.pqueues", "scrapy.squeues", "scrapy.dupefilters",
    "scrapy.statscollectors", "scrapy.downloadermiddlewares.cookies", "scrapy.downloadermiddlewares.offsite",
    "scrapy.downloadermiddlewares.robotstxt", "scrapy.downloadermiddlewares.httpauth",
    "scrapy.downloadermiddlewares.downloadtimeout", "scrapy.downloadermiddlewares.defaultheaders",
    "scrapy.downloadermiddlewares.useragent", "scrapy.downloadermiddlewares.retry",
    "scrapy.downloadermiddlewares.redirect", "scrapy.downloadermiddlewares.httpcompression",
    "scrapy.downloadermiddlewares.httpproxy", "scrapy.downloadermiddlewares.stats",
    "scrapy.downloadermiddlewares.httpcache", "scrapy.spidermiddlewares.depth", "scrapy.spidermiddlewares.httperror",
    "scrapy.spidermiddlewares.metacopy", "scrapy.spidermiddlewares.referer", "scrapy.spidermiddlewares.start",
    "scrapy.spidermiddlewares.urllength", "scrapy.extensions.closespider", "scrapy.extensions.corestats",
    "scrapy.extensions.feedexport", "scrapy.extensions.logcount", "scrapy.extensions.logstats",
    "scrapy.extensions.memdebug", "scrapy.extensions.memusage", "scrapy.extensions.spiderstate",
    "scrapy.extensions.throttle", "scrapy.extensions.telnet", "scrapy.extensions.remote_control",
)  # fmt: skip
"""What a service imports on its way: Scrapy reads even the components that are switched off."""


def warm() -> None:
    """What a first start prepares for the life of its process: the grammar of watches, the folding of letters."""
    edition(load(None))


class Trap:
    """Kills this process the n-th time its point is passed."""

    def __init__(self, point: str, nth: int = 1) -> None:
        self._point, self._left = point, nth
        self._filing = self._formed = False
        self.armed = False
        """Set with the first answer from the wire: the canary of the start passes the same points."""

    def passing(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, sql: str) -> None:
        """The writing connection is about to run ``sql``."""
        sql = sql.strip()
        if self._formed and self.armed:
            self.passing("after_form")
        self._formed = sql.startswith("INSERT INTO messages")
        for point, beginning in _STATEMENTS.items():
            if sql.startswith(beginning) and (self.armed or point == "mid_tend"):
                self.passing(point)
        if sql.startswith("SAVEPOINT candidate"):
            self._filing = True
        elif sql == "COMMIT":
            if self._filing and self.armed:
                self.passing("before_commit")
            self._filing = False


class TrappedStore:
    """A store whose calls pass the trap; everything else is the store's own."""

    def __init__(self, store: Any, trap: Trap) -> None:
        self._store, self._trap = store, trap
        store._db.set_trace_callback(trap.statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def claim(self, *args: Any, **more: Any) -> Any:
        visits = await self._store.claim(*args, **more)
        if visits:
            self._trap.passing("after_claim_host")
        return visits

    async def file(self, filing: Any, decide: Any, settle: Any = None) -> Any:
        if filing.answer.outlet in BUILT_IN:
            filed = await self._store.file(filing, decide, settle)
            if filing.answer.outlet == health.OUTLET:
                self._trap.passing("after_tell")
            return filed
        self._trap.armed = True
        self._trap.passing("after_fetch")

        def trapped(change: Any, ledger: Any) -> Any:
            self._trap.passing("mid_file")
            return decide(change, ledger)

        filed = await self._store.file(filing, trapped, settle)
        self._trap.passing("after_file")
        return filed

    async def release(self, report: Any) -> None:
        self._trap.passing("before_release")
        await self._store.release(report)

    async def claim_messages(self, *args: Any, **more: Any) -> Any:
        claimed = await self._store.claim_messages(*args, **more)
        if any(message.channel != canary.NAME for message in claimed):
            self._trap.passing("after_claim")
        return claimed

    async def settle(self, message: Any, *args: Any, **more: Any) -> Any:
        settled = await self._store.settle(message, *args, **more)
        if message.channel != canary.NAME:
            self._trap.passing("after_mark")
        return settled

    async def untold_dead(self) -> Any:
        dead = await self._store.untold_dead()
        if dead:
            self._trap.passing("after_dead_before_told")
        return dead

    async def mark_told(self, alerts: Any) -> None:
        self._trap.passing("after_told_before_marked")
        await self._store.mark_told(alerts)


class TrappedChannel:
    """A channel whose sends pass the trap."""

    def __init__(self, channel: Channel, trap: Trap) -> None:
        self.id, self.at_once, self.names = channel.id, channel.at_once, channel.names
        self._channel, self._trap = channel, trap

    async def send(self, parcel: Parcel) -> Delivery:
        self._trap.passing("before_send")
        delivery = await self._channel.send(parcel)
        if delivery.verdict == "sent":
            self._trap.passing("after_send")
        return delivery

    async def close(self) -> None:
        await self._channel.close()


class ShiftedClock:
    """The machine's clock, its wall some time ahead."""

    pace = 1.0

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class InProcess(Workers):
    """Reads where it is asked to: what is read here is harmless, and nothing has to be started."""

    def __init__(self) -> None:
        return

    async def read(self, task: ReadTask) -> Reading:
        return await asyncio.to_thread(read, task)

    def close(self) -> None:
        return


async def main(folder: Path, trap: Trap, *, ahead: timedelta = timedelta(), workers: int | Workers = 1) -> int:
    config = load(folder)
    clock, stop = ShiftedClock(ahead), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    log.set_up(sys.stderr, json=False, level="INFO")
    store = store_of(config, exclusive=True)
    trapped: Any = TrappedStore(store, trap)

    def channels(config: Config) -> Mapping[str, Channel]:
        opened = open_channels(config, clock=clock)
        return {name: TrappedChannel(channel, trap) for name, channel in opened.items()}

    service = Service(
        config, trapped, clock, randomness=random.Random(1), tick=0.05, workers=workers, channels=channels
    )  # fmt: skip
    try:
        await service.run(stop)
    finally:
        await store.close()
    return 0


def child(arguments: Mapping[str, Any]) -> int:
    """One life, forked: ``folder``, ``point``, ``nth``, ``ahead`` (seconds)."""
    trap, ahead = Trap(arguments["point"], arguments["nth"]), timedelta(seconds=arguments["ahead"])
    return run(lambda: main(Path(arguments["folder"]), trap, ahead=ahead, workers=InProcess()))


if __name__ == "__main__":
    _, where, point, nth, *rest = sys.argv
    ahead = timedelta(seconds=float(rest[0]) if rest else 0.0)
    sys.exit(run(lambda: main(Path(where), Trap(point, int(nth)), ahead=ahead)))
