"""The wire of a simulated world, below everything of ours: `Handler` takes the place of Scrapy's download handler.

Middlewares, judges and readers are the real ones. One poll in ten draws a fault; some sources have whole hours of one.
Each answer is written down before it is given, so that it is known what a source listed and which answers were whole.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from tests.rig.faulty import FAULTS, Good, Reply, honest
from tests.rig.simtime import SimClock
from tests.rig.world import DAY, HOUR, World, rss

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

SHARE = 0.1
"""Of the polls that draw a fault."""
LASTING = ("F4 refused", "F14 web page", "F15 challenge", "F21 refusing", "F22 gone", "F26 trouble", "F46 no items")
"""Faults that some sources have for hours."""
CONSENT = "consent.example"
DEADLINE = 30.0
_ERRORS: dict[str, type[Exception]] = {
    "unresolved": CannotResolveHostError,
    "refused": DownloadConnectionRefusedError,
    "cut off": DownloadFailedError,
    "garbage": DownloadFailedError,
    "silent": DownloadTimeoutError,
}


def host_of(outlet: str) -> str:
    return f"{outlet}.example"


class Answers:
    """What the sources of a world answer, and what was answered. Chance is drawn anew in each life."""

    def __init__(self, world: World, *, faults: float = SHARE, chance: random.Random) -> None:
        self._world, self._share, self._chance = world, faults, chance
        self._hosts = {outlet.host: name for name, outlet in world.outlets.items()}

    def knows(self, host: str) -> bool:
        return host in self._hosts or host == CONSENT

    def drawn(self, outlet: str, source: str, seconds: float) -> str:
        """The fault of this poll; empty: none."""
        if not self._share:
            return ""
        if _network_is_out(self._world, seconds):
            return "F1 no such name"
        if lasting := _lasting(self._world, outlet, source, seconds):
            return lasting
        return self._chance.choice(tuple(FAULTS)) if self._chance.random() < self._share else ""

    def reply(self, outlet: str, source: str, etag: str | None, fault: str, seconds: float) -> tuple[Reply, str]:
        """What is answered, and the ETag of what the source has to say. ``etag``: the request's."""
        world, chance = self._world, self._chance
        listed = world.listed(outlet, source, seconds)
        text = rss(world, outlet, listed, seconds)
        own = f'"{blake2b(text.encode(), digest_size=8).hexdigest()}"'
        if not fault:
            good = Good(text=text, old="", churned="", shuffled="", etag=own, host=host_of(outlet),
                        now=world.at(seconds), conditional=etag == own)  # fmt: skip
            return honest(good), own
        before = seconds - 3 * HOUR / world.pace
        good = Good(
            text=text, old=rss(world, outlet, world.listed(outlet, source, before), before), etag=own,
            churned=rss(world, outlet, listed, seconds, guid=f"{chance.random()}/"),
            shuffled=rss(world, outlet, chance.sample(listed, len(listed)), seconds), host=host_of(outlet),
            now=world.at(seconds), conditional=etag == own,
        )  # fmt: skip
        return FAULTS[fault](good, chance), own


def _network_is_out(world: World, seconds: float) -> bool:
    """For an hour of the third day (F2)."""
    return 0 <= seconds * world.pace - 2.4 * DAY < HOUR


def _lasting(world: World, outlet: str, source: str, seconds: float) -> str:
    day = int(seconds * world.pace // DAY)
    chance = random.Random(f"{world.seed}/{outlet}/{source}/{day}")
    if chance.random() > 0.1:
        return ""
    begin = (day + chance.random() * 0.7) * DAY
    fault = chance.choice(LASTING)
    return fault if 0 <= seconds * world.pace - begin < chance.uniform(1, 7) * HOUR else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What `Handler` answers with in this process; ``log`` is the file that every poll is written into."""

    world: World
    answers: Answers
    clock: SimClock
    log: int

    async def response(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        host, outlet = parts.hostname or "", (parts.hostname or "").removesuffix(".example")
        if not self.answers.knows(host):
            self._write({"trespass": request.url})
            return _response(request, Reply(status=404))
        if parts.path == "/robots.txt":
            return _response(request, Reply(headers={"Content-Type": "text/plain"}, body=b"User-agent: *\nDisallow:\n"))
        if host == CONSENT:
            return _response(request, Reply(headers={"Content-Type": "text/html"}, body=b"<html><p>We value you</p>"))
        if parts.path == "/loop":
            return _response(request, Reply(status=302, headers={"Location": "/loop"}))
        moved = parts.path == "/moved"
        source = "main" if moved else parts.path.strip("/")
        fault = "" if moved else self.answers.drawn(outlet, source, self.clock.face.seconds)
        return await self._polled(request, outlet, source, fault)

    async def _polled(self, request: Request, outlet: str, source: str, fault: str) -> Response:
        etag = (request.headers.get("If-None-Match") or b"").decode("latin-1") or None
        reply, own = self.answers.reply(outlet, source, etag, fault, self.clock.face.seconds)
        if reply.how == "silent":
            await self.clock.sleep(DEADLINE)
        elif reply.after:
            await self.clock.sleep(reply.after)
            reply, own = self.answers.reply(outlet, source, etag, "", self.clock.face.seconds)
        self._write(
            {
                "source": f"{outlet}/{source}", "at": self.clock.now().isoformat(timespec="microseconds"),
                "seconds": self.clock.face.seconds, "etag": own, "all": reply.lists_all, "fault": fault,
            }
        )  # fmt: skip
        if (error := _ERRORS.get(reply.how)) is not None:
            raise error(fault)
        return _response(request, reply)

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self.log, json.dumps(line).encode() + b"\n")


def _response(request: Request, reply: Reply) -> Response:
    headers = Headers({name: value.encode("utf-8", "surrogateescape") for name, value in reply.headers.items()})
    kind = responsetypes.from_args(headers=headers, url=request.url, body=reply.body[:512])
    flags = ["dataloss"] if reply.how == "short" else []
    return kind(url=request.url, status=reply.status, headers=headers, body=reply.body, flags=flags)


class Handler(BaseDownloadHandler):
    """Given to Scrapy by its path; `wire` is set before the first crawler starts."""

    wire: ClassVar[Wire | None] = None

    async def download_request(self, request: Request) -> Response:
        assert self.wire is not None
        trip = request.meta.get("trip")
        if trip is not None:
            trip.requests += 1
        return await self.wire.response(request)


def opened(path: Path) -> int:
    """A file to write lines into that is shared by one life after another."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


__all__ = ["Answers", "Handler", "Wire", "opened"]
