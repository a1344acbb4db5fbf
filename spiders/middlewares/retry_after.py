"""A server's wish to be left alone (RFC 9110, 10.2.3) holds for the whole host (F23-F25)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import IgnoreRequest

from monitor import retry_after
from spiders import guard

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

WITHOUT_A_DATE = timedelta(minutes=5)
"""How long a host is left alone that says "too many requests" and no more."""
TOO_MANY, UNAVAILABLE = 429, 503


class HostWaits(IgnoreRequest):
    """The host asked to be left alone until ``until``."""

    def __init__(self, host: str, until: datetime) -> None:
        self.host, self.until = host, until
        super().__init__(f"{host} asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC")


class RetryAfterMiddleware:
    """Remembers the wish of a 429 or 503 and lets no request through to that host before.

    ``meta["wish"]`` is what the server said, if it said a time.
    """

    def __init__(self, spider: Any) -> None:
        self._spider = spider
        self._until: dict[str, tuple[datetime, datetime]] = {}
        """Host → when it said so, and until when."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.spider)

    def process_request(self, request: Request) -> None:
        host = request.meta["download_slot"]
        if host not in self._until:
            return
        now = self._spider.clock.now()
        said, until = self._until[host]
        if now < said:  # the clock was set back: the wish grows no longer by it (F116)
            until -= said - now
            self._until[host] = now, until
        if until > now:
            raise HostWaits(host, until)
        del self._until[host]

    def process_response(self, request: Request, response: Response) -> Response:
        if response.status in (TOO_MANY, UNAVAILABLE):
            now = self._spider.clock.now()
            request.meta["wish"] = until = wish(response, now)
            if until is None and response.status == TOO_MANY:
                until = now + WITHOUT_A_DATE
            if until is not None:
                self._until[guard.host_of(response.url)] = now, until
                request.meta["trip"].wait_until(guard.host_of(response.url), until)
        return response


def wish(response: Response, now: datetime) -> datetime | None:
    """When the server wants to be asked again; ``None`` without a usable ``Retry-After``."""
    length = retry_after.wish(_header(response, "Retry-After"), _header(response, "Date"), now)
    return None if length is None else now + length


def _header(response: Response, name: str) -> str:
    return (response.headers.get(name) or b"").decode("latin-1")
