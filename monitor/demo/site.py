"""The loopback news site: one server an outlet, each at its outlet's real paths, showing the day as it stands now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from monitor.demo.day import Day, Edition, Fault, Piece
from monitor.demo.wire import CHALLENGE, Rendered, listed, render_feed, render_page
from monitor.ports import Clock

LOOPBACK = "127.0.0.1"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class DemoSite:
    """``async with DemoSite(day, clock) as site``: the nine editions answer until the block ends.

    What it did is kept for the summary: ``served`` counts answers by outlet and kind (*feed*, *unchanged*, *page*,
    *robots*, *missing*, *dead*, *challenge*, *error*); ``shown`` holds each piece's headlines that feeds have sent.
    """

    def __init__(self, day: Day, clock: Clock) -> None:
        self.day = day
        self.served: dict[str, Counter[str]] = {outlet: Counter() for outlet in day.editions}
        self.shown: dict[str, set[str]] = {}
        self._clock = clock
        self._bases: dict[str, str] = {}
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:  # a start that fails half-way leaves nothing open
            for outlet, edition in self.day.editions.items():
                self._bases[outlet] = await serve(self._handler(edition), starting)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def base(self, outlet: str) -> str:
        """``http://127.0.0.1:PORT`` of an outlet."""
        return self._bases[outlet]

    @property
    def bases(self) -> Mapping[str, str]:
        return self._bases

    def _handler(self, edition: Edition) -> Handler:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            now = self._clock.now()
            fault = self.day.fault(edition.outlet, now)
            # a challenge spares robots.txt, as the real ones do; a dead server spares nothing
            if fault is not None and not (fault.kind == "challenge" and request.path == "/robots.txt"):
                return self._faulty(fault, request)
            return self._sound(edition, request, now)

        return answer

    def _faulty(self, fault: Fault, request: web.BaseRequest) -> web.StreamResponse:
        self.served[fault.outlet][fault.kind] += 1
        if fault.kind == "dead":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)  # goes nowhere: the connection is gone
        if fault.kind == "challenge":
            return web.Response(
                status=403, text=CHALLENGE, content_type="text/html", headers={"cf-mitigated": "challenge"}
            )
        return web.Response(status=500, text="<h1>Internal Server Error</h1>", content_type="text/html")

    def _sound(self, edition: Edition, request: web.BaseRequest, now: datetime) -> web.StreamResponse:
        served = self.served[edition.outlet]
        if request.path == "/robots.txt":
            served["robots"] += 1
            return web.Response(text=edition.robots, content_type="text/plain", charset="utf-8")
        base = self._bases[edition.outlet]
        if feed := edition.feeds.get(request.path):
            rendered = render_feed(edition, feed, base=base, now=now, start=self.day.start)
            for line in listed(edition, feed, base=base, now=now):
                self.shown.setdefault(line.piece.key, set()).add(line.title)
            unchanged = _not_modified(request, rendered)
            served["unchanged" if unchanged else "feed"] += 1
            return unchanged or _whole(rendered)
        if piece := self._page(edition, request, now):
            served["page"] += 1
            return _whole(render_page(piece, base=base, now=now))
        served["missing"] += 1
        return web.Response(status=404, text="<h1>Not found</h1>", content_type="text/html")

    def _page(self, edition: Edition, request: web.BaseRequest, now: datetime) -> Piece | None:
        piece = self.day.find(edition.outlet, f"{self._bases[edition.outlet]}{request.rel_url.raw_path}")
        return piece if edition.pages and piece is not None and piece.at <= now else None


async def serve(handler: Handler, stack: AsyncExitStack) -> str:
    """Answer on a free loopback port until ``stack`` closes; returns ``http://127.0.0.1:PORT``."""
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, LOOPBACK, 0).start()
    return f"http://{LOOPBACK}:{runner.addresses[0][1]}"


def _whole(rendered: Rendered) -> web.Response:
    return web.Response(body=rendered.body, headers={"Content-Type": rendered.content_type, **_validators(rendered)})


def _validators(rendered: Rendered) -> dict[str, str]:
    return {"ETag": rendered.etag, "Last-Modified": format_datetime(rendered.changed.astimezone(UTC), usegmt=True)}


def _not_modified(request: web.BaseRequest, rendered: Rendered) -> web.Response | None:
    """304 when the request's validators still hold. RFC 9110, 13.2.2: If-None-Match decides alone where it is sent."""
    if tags := request.headers.get("If-None-Match"):
        held = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        fresh = "*" in held or rendered.etag in held
    elif since := request.headers.get("If-Modified-Since"):
        fresh = rendered.changed.replace(microsecond=0) <= _http_date(since)
    else:
        fresh = False
    return web.Response(status=304, headers=_validators(rendered)) if fresh else None


def _http_date(text: str) -> datetime:
    """RFC 9110, 13.1.3: a date that cannot be read is ignored, so it is older than everything."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
