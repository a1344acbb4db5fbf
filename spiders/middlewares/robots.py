"""Robots rules by RFC 9309: no request to a host before its rules are known, redirect targets included.

One fetch of robots.txt serves all requests that wait for it and is asked again after a day. A refusal is *closed* and
names the rule. 4xx allows everything; 5xx, 429 and silence refuse everything as *failed*, not *closed*, unless a good
copy is at hand that is at most a day out of date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from protego import Protego
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request
from scrapy.utils.datatypes import LocalCache

from monitor.model.sources import RobotsCopy
from spiders.failures import EXPECTED, in_words
from spiders.middlewares.retry_after import TOO_MANY, HostWaits

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from monitor.ports import Clock

TOKEN = "wirewatch"  # noqa: S105  our product token (RFC 9309, 2.2.1)
ASKED_AGAIN = timedelta(hours=24)
OLD_COPY_SERVES = timedelta(hours=48)  # a day of its own, and a day while the host does not answer
RETRIED = timedelta(minutes=5)
MOST_RULES = 512 * 1024  # RFC 9309, 2.5: at least 500 KiB are read
MOST_BODY = 4 * 1024 * 1024
LONGEST_DELAY = 60.0  # of Crawl-delay, which RFC 9309 does not know; more would mean never
HOSTS_KEPT = 10_000


class RobotsKeeper(Protocol):
    """Where the rules outlive the process. The store is one."""

    async def robots(self, host: str) -> RobotsCopy | None: ...

    async def keep_robots(self, copy: RobotsCopy) -> None: ...


class RobotsClosed(IgnoreRequest):
    """The rules refuse; the message holds the rule."""


class RobotsUnknown(IgnoreRequest):
    """The rules cannot be had, so nothing may be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One host's rules as they are in force."""

    copy: RobotsCopy
    parsed: Protego
    why: str = ""
    """What kept them from being read, when this process asked for them itself."""

    def check(self, url: str) -> None:
        """Raises `RobotsClosed` or `RobotsUnknown` when this address may not be fetched."""
        if unreachable(self.copy.status) and not self.copy.text:
            said = self.why or (f"HTTP {self.copy.status}" if self.copy.status else "no answer")
            raise RobotsUnknown(f"{said}; without the robots rules of {self.copy.host} nothing is fetched")
        if not self.parsed.can_fetch(url, TOKEN):
            raise RobotsClosed(f'robots.txt of {self.copy.host} refuses: "{refusing_line(self.copy.text, url)}"')

    @property
    def delay(self) -> float:
        return min(self.parsed.crawl_delay(TOKEN) or 0.0, LONGEST_DELAY)


def in_force(copy: RobotsCopy, now: datetime, why: str = "") -> Rules:
    """What a copy means now: an old text serves while the host does not answer, and is dropped after that."""
    if unreachable(copy.status) and (copy.good_at is None or now - copy.good_at >= OLD_COPY_SERVES):
        copy = RobotsCopy(host=copy.host, asked=copy.asked, status=copy.status)
    return Rules(copy=copy, parsed=Protego.parse(copy.text), why=why)


def fresh(copy: RobotsCopy, now: datetime) -> bool:
    """Whether the host need not be asked again yet."""
    return now - copy.asked < (RETRIED if unreachable(copy.status) else ASKED_AGAIN)


def unreachable(status: int | None) -> bool:
    """RFC 9309, 2.3.1.4; 429 means "not now" rather than "no rules"."""
    return status is None or status >= 500 or status == TOO_MANY


def learned(host: str, status: int | None, body: bytes, before: RobotsCopy | None, now: datetime) -> RobotsCopy:
    """The copy to keep after one asking."""
    if unreachable(status):
        old = before or RobotsCopy(host=host, asked=now, status=None)
        return RobotsCopy(host=host, asked=now, status=status, text=old.text, good_at=old.good_at)
    text = body[:MOST_RULES].decode("utf-8-sig", "replace") if status and 200 <= status < 300 else ""
    return RobotsCopy(host=host, asked=now, status=status, text=text, good_at=now)


def refusing_line(text: str, url: str) -> str:
    """The rule that refuses, as written: the longest of ours that does so alone."""
    lines = [line for line in _our_lines(text) if not Protego.parse(f"User-agent: *\n{line}").can_fetch(url, TOKEN)]
    return max(lines, key=len, default="Disallow")


def _our_lines(text: str) -> Iterator[str]:
    named: dict[bool, list[str]] = {True: [], False: []}
    agents: list[str] = []
    listing = False
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        key, _, value = (part.strip() for part in line.partition(":"))
        if key.lower() in ("user-agent", "useragent"):
            agents = [*agents, value.lower()] if listing else [value.lower()]
            listing = True
        elif line:
            listing = False
            if key.lower() == "disallow" and value:
                if TOKEN in agents:
                    named[True].append(line)
                elif "*" in agents:
                    named[False].append(line)
    yield from named[True] or named[False]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of one asking for robots.txt; ``status`` is ``None`` when nothing answered."""

    status: int | None
    body: bytes = b""
    why: str = ""


class RobotsBook:
    """The rules of all hosts, shared by every crawler of the process and kept over its renewals."""

    def __init__(self, keeper: RobotsKeeper, clock: Clock) -> None:
        self._keeper, self._clock = keeper, clock
        self._known: LocalCache[str, Rules] = LocalCache(HOSTS_KEPT)
        self._asking: dict[str, asyncio.Task[Rules]] = {}

    def told(self, copy: RobotsCopy) -> None:
        """A copy that came with a visit."""
        known = self._known.get(copy.host)
        if known is None or known.copy.asked < copy.asked:
            self._known[copy.host] = in_force(copy, self._clock.now())

    async def rules(self, host: str, ask: Callable[[], Awaitable[Asked]]) -> Rules:
        """The rules of a host, asked for when none are fresh; whoever comes meanwhile waits for the same asking."""
        known = self._known.get(host)
        if known is not None and fresh(known.copy, self._clock.now()):
            return known
        if (task := self._asking.get(host)) is None:
            task = self._asking[host] = asyncio.create_task(self._learn(host, known, ask))
            task.add_done_callback(lambda _: self._asking.pop(host, None))
        return await asyncio.shield(task)

    async def _learn(self, host: str, known: Rules | None, ask: Callable[[], Awaitable[Asked]]) -> Rules:
        why = ""
        before = known.copy if known is not None else await self._keeper.robots(host)
        if before is None or not fresh(before, self._clock.now()):
            asked = await ask()
            why = asked.why
            before = learned(host, asked.status, asked.body, before, self._clock.now())
            await self._keeper.keep_robots(before)
        self._known[host] = rules = in_force(before, self._clock.now(), why)
        return rules


class RobotsMiddleware:
    """Lets a request through when its host's rules allow it, and sets the host's delay.

    ``meta["permitted"]`` is the host for which the operator states that the publisher permits it; there the rules are
    not asked.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        host, delay = request.meta["download_slot"], request.meta["delay"]
        if request.meta.get("is_robots") or request.meta.get("permitted") == host:
            self._pace(host, delay)
            return
        spider: Any = self._crawler.spider
        rules = await spider.robots.rules(host, lambda: self._ask(host, request))
        rules.check(request.url)
        self._pace(host, max(delay, rules.delay))
        request.meta["trip"].delays[host] = max(delay, rules.delay)

    async def _ask(self, host: str, cause: Request) -> Asked:
        """Fetch robots.txt as an ordinary request: guard, limits and delay hold. ``None``: unreachable."""
        spider: Any = self._crawler.spider
        deadline = self._crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        carried: dict[str, Any] = {key: cause.meta[key] for key in ("trip", "delay", "verify_tls") if key in cause.meta}
        request = Request(
            f"{host}/robots.txt",
            headers={"User-Agent": cause.headers["User-Agent"], "Accept": "text/plain, */*;q=0.5"},
            dont_filter=True,
            meta={
                **carried,
                "is_robots": True,
                "download_timeout": deadline,
                "download_maxsize": MOST_BODY,
                "deadline": spider.clock.monotonic() + deadline,
            },
        )
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except HostWaits:
            raise
        except EXPECTED as error:
            spider.logger.warning("robots.txt unreachable host=%s reason=%s", host, in_words(error))
            return Asked(status=None, why=in_words(error))
        return Asked(status=response.status, body=response.body)

    def _pace(self, host: str, delay: float) -> None:
        """Scrapy's slot of the host: one request at a time, this long between two (as AutoThrottle sets it)."""
        downloader = self._crawler.engine.downloader
        if (slot := downloader.slots.get(host)) is not None:
            slot.delay = max(delay, slot.delay) if slot.active else delay
        else:
            downloader.per_slot_settings[host] = {"concurrency": 1, "delay": delay}
