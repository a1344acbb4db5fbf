"""A webhook receiver on loopback: the newsroom of the demo."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from monitor.demo.site import serve
from monitor.ports import Clock

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One alert as it arrived the first time."""

    key: str
    payload: Payload
    at: datetime


class Inbox:
    """``async with Inbox(clock, on_alert=show) as inbox`` takes alerts at ``inbox.url`` and knows repeats by their key.

    ``received`` holds each key once, in the order of arrival, and ``on_alert`` is called for each of those;
    ``arrivals`` counts every message by key, repeats included.
    """

    def __init__(self, clock: Clock, *, on_alert: Callable[[Payload], None] | None = None) -> None:
        self.received: list[Received] = []
        self.arrivals: Counter[str] = Counter()
        self.url = ""
        self._clock, self._on_alert = clock, on_alert
        self._running = AsyncExitStack()

    @property
    def repeats(self) -> int:
        """Messages beyond the first of their key."""
        return self.arrivals.total() - len(self.arrivals)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            self.url = f"{await serve(self._take, starting)}/alerts"
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        try:
            payload = json.loads(await request.read())
            key = payload["key"]
        except (ValueError, KeyError, TypeError):
            key = None
        if not isinstance(key, str):
            return web.Response(status=400, text='an alert is a JSON object with a "key"')
        self.arrivals[key] += 1
        if self.arrivals[key] == 1:
            self.received.append(Received(key=key, payload=payload, at=self._clock.now()))
            if self._on_alert is not None:
                self._on_alert(payload)
        return web.Response(status=204)
