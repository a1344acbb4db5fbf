"""One visit: what is due at one host, asked one request after the other, each answer handed on as it comes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from scrapy.http import Request

from config.crawl import MOST_BODY
from config.model.outlets import Outlet, Source
from config.model.whole import Config
from monitor.model.entries import Answer
from monitor.model.sources import NO_VALIDATORS, Outcome, PageDue, SourceState, Visit, VisitReport
from monitor.pages import leads_to_front
from monitor.stories.identity import clean_url
from spiders import answers, guard
from spiders.answers import Question
from spiders.failures import EXPECTED, in_words
from spiders.middlewares.retry_after import HostWaits
from spiders.middlewares.robots import RobotsClosed
from spiders.readers import Reading, ReadTask

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from monitor.ports import Clock

log = logging.getLogger(__name__)

PLAIN_EVERY = timedelta(days=1)
"""A server that always says 304 hides news (F30)."""
MOST_CHILDREN = 5
AFTER_TROUBLE = timedelta(minutes=1)
"""How long a host rests after a visit that could not be filed or asked nothing."""
_ACCEPT = {
    "article": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5",
    "listing": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5",
}
_ACCEPT_FEED = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"

Due = SourceState | PageDue


class Reader(Protocol):
    """Reads a body elsewhere and survives what it does to the reader; `spiders.workers.Workers` is one."""

    async def read(self, task: ReadTask) -> Reading: ...


@dataclass(slots=True, kw_only=True)
class Trip:
    """What one visit learns while it is under way; rides on its requests as ``meta["trip"]``."""

    requests: int = 0
    waits: dict[str, datetime] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)

    def wait_until(self, host: str, until: datetime) -> None:
        self.waits[host] = max(until, self.waits.get(host, until))

    def report(self, visit: Visit, *, now: datetime, failure: str = "", rest: float = 0.0) -> VisitReport:
        """How the visit ended, and when its host may be asked again."""
        next_ok = now + timedelta(seconds=max(rest, self.delays.get(visit.host, 0.0)))
        next_ok = max(next_ok, self.waits.get(visit.host, next_ok))
        # All that was due was passed over or needed no request: it must not come round again at once.
        idle = bool(_all_due(visit)) and not self.requests and not self.waits
        if failure or idle:
            next_ok = max(next_ok, now + AFTER_TROUBLE)
        return VisitReport(host=visit.host, fence=visit.fence, next_ok=next_ok, requests=self.requests, failure=failure)


class Visitor:
    """Walks visits with one crawler under one configuration."""

    def __init__(self, *, crawler: Crawler, config: Config, reader: Reader, clock: Clock) -> None:
        self._crawler, self._config, self._reader, self._clock = crawler, config, reader, clock

    async def walk(self, visit: Visit, trip: Trip) -> AsyncIterator[tuple[Due, Answer]]:
        """Sources first, then pages. A host that asks to be left alone ends the visit; all else fails alone."""
        for due in _all_due(visit):
            outlet = self._config.outlets.get(due.outlet)
            if outlet is None:  # taken from the configuration since it was claimed
                continue
            try:
                if isinstance(due, PageDue):
                    yield due, await self._page(due, outlet, trip)
                elif (source := outlet.source_of(due.id)) is not None:
                    yield due, await self._poll(due, outlet, source, trip)
            except HostWaits as wait:
                trip.wait_until(visit.host, wait.until)
                return
            if visit.host in trip.waits:
                return

    def rest(self, visit: Visit) -> float:
        """The longest delay that this visit's outlets ask for."""
        named = {due.outlet for due in _all_due(visit)} & self._config.outlets.keys()
        return max((self._config.outlets[each].delay.total_seconds() for each in named), default=0.0)

    async def _poll(self, state: SourceState, outlet: Outlet, source: Source, trip: Trip) -> Answer:
        question = Question(
            source=state.id,
            outlet=outlet.id,
            kind=source.kind,
            url=state.url,
            held=state.validators,
            note=_note(outlet),
        )
        plain_due = state.last_plain is None or self._clock.now() - state.last_plain >= PLAIN_EVERY
        validators = None if plain_due else state.validators
        more = {"known_move": state.moved_to, "download_maxsize": source.max_bytes, "verify_tls": source.verify_tls}
        answer, children = await self._ask(
            question, outlet=outlet, source=source, trip=trip, meta={**more, "validators": validators}
        )
        if not children:
            return answer
        ask = partial(self._ask, outlet=outlet, source=source, trip=trip, meta=more)
        return await self._children(question, answer, children[:MOST_CHILDREN], ask)

    async def _children(
        self,
        question: Question,
        index: Answer,
        children: tuple[str, ...],
        ask: Callable[[Question], Awaitable[tuple[Answer, tuple[str, ...]]]],
    ) -> Answer:
        read = []
        for url in children:
            child = replace(question, url=url, held=NO_VALIDATORS, note="")
            try:
                read.append((await ask(child))[0])
            except HostWaits as wait:
                read.append(answers.failed(child, str(wait), at=self._clock.now(), seconds=0.0))
        return answers.merged(question, index, read)

    async def _page(self, page: PageDue, outlet: Outlet, trip: Trip) -> Answer:
        # The cleaned address is what robots rules are asked about: some outlets refuse their links' own tracking.
        url = clean_url(page.url, outlet) or page.url
        question = Question(
            source=f"{outlet.id}/page",
            outlet=outlet.id,
            kind="article",
            url=url,
            held=page.validators,
            page_of=page.item,
            note=_note(outlet),
        )
        plain_due = page.read is None or self._clock.now() - page.read >= PLAIN_EVERY
        meta = {"download_maxsize": MOST_BODY, "validators": None if plain_due else page.validators}
        answer, _ = await self._ask(question, outlet=outlet, source=None, trip=trip, meta=meta)
        return answers.astray(question, answer) if leads_to_front(url, answer.final_url, outlet) else answer

    async def _ask(
        self, question: Question, *, outlet: Outlet, source: Source | None, trip: Trip, meta: dict[str, Any]
    ) -> tuple[Answer, tuple[str, ...]]:
        """One question answered, and the child addresses if it turned out to be a sitemap's index."""
        began = self._clock.monotonic()
        try:
            response: Response = await self._crawler.engine.download_async(
                self._request(question.url, question.kind, outlet, trip, meta)
            )
        except HostWaits as wait:
            if wait.host == guard.host_of(question.url):
                raise
            # A redirect led to a host that waits: this one is not asked again and again meanwhile.
            return replace(self._failed(question, str(wait), began), not_before=wait.until), ()
        except RobotsClosed as closed:
            return self._failed(question, str(closed), began, Outcome.CLOSED), ()
        except EXPECTED as error:
            return self._failed(question, in_words(error), began), ()
        seconds = self._clock.monotonic() - began
        answer, unread = answers.answered(question, response, at=self._clock.now(), seconds=seconds)
        if not unread:
            return answer, ()
        reading = await self._reader.read(self._task(question, response, outlet, source))
        return answers.read(question, answer, reading, cut=answers.damaged(response)), reading.more

    def _failed(self, question: Question, reason: str, began: float, outcome: Outcome = Outcome.FAILED) -> Answer:
        seconds = self._clock.monotonic() - began
        return answers.failed(question, reason, at=self._clock.now(), outcome=outcome, seconds=seconds)

    def _request(self, url: str, kind: str, outlet: Outlet, trip: Trip, meta: dict[str, Any]) -> Request:
        address = guard.parse(url)  # as written, before Scrapy tidies it (F99)
        deadline = self._crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        return Request(
            url,
            headers={
                "User-Agent": self._config.settings.service.user_agent,
                "Accept": _ACCEPT.get(kind, _ACCEPT_FEED),
                "Accept-Language": f"{outlet.language}, en;q=0.5, *;q=0.1",
            },
            dont_filter=True,
            meta={
                "trip": trip,
                "delay": outlet.delay.total_seconds(),
                "download_timeout": deadline,
                "deadline": self._clock.monotonic() + deadline,
                "permitted": address.host if outlet.robots != "obey" else None,
                **meta,
            },
        )

    def _task(self, question: Question, response: Response, outlet: Outlet, source: Source | None) -> ReadTask:
        content_type = response.headers.get("Content-Type")
        return ReadTask(
            kind=source.kind if source is not None else "article",
            body=response.body,
            url=response.url,
            content_type=content_type.decode("latin-1") if content_type else "",
            charset=outlet.charset,
            time_zone=outlet.time_zone,
            language=(source.language if source is not None else None) or outlet.language,
            selectors=source.selectors if source is not None else None,
            article=outlet.article,
            now=self._clock.now().astimezone(UTC),
        )


def _all_due(visit: Visit) -> tuple[Due, ...]:
    return (*visit.sources, *visit.pages)


def _note(outlet: Outlet) -> str:
    return "" if outlet.robots == "obey" else f"robots {outlet.robots}"
