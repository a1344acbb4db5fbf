"""Redirects (F17-F20): at most five, each hop a request under robots rules, guard, delay and the one deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from scrapy.exceptions import IgnoreRequest

from config.crawl import MOST_REDIRECTS
from monitor.errors import AddressRefused
from spiders import guard

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

PERMANENT = frozenset({301, 308})
REDIRECTS = PERMANENT | {302, 303, 307}


class RedirectRefused(IgnoreRequest):
    """A redirect that is not followed; the message says why and where to."""


class RedirectMiddleware:
    """``meta["moved_to"]``: where a chain of only permanent redirects ended."""

    def __init__(self, spider: Any) -> None:
        self._spider = spider

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.spider)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        location = response.headers.get("Location")
        if response.status not in REDIRECTS or not location:
            return response
        hops = request.meta.get("hops", 0) + 1
        target = resolve(request.url, location)
        if hops > MOST_REDIRECTS:
            raise RedirectRefused(f"redirected more than {MOST_REDIRECTS} times, last to {target}")
        if request.url.startswith("https:") and not target.startswith("https:"):
            raise RedirectRefused(f"redirected from https to unencrypted {target}")
        left = request.meta["deadline"] - self._spider.clock.monotonic()
        if left <= 0:
            raise RedirectRefused(f"redirects took longer than the deadline, last to {target}")
        return self._followed(request, response, target, hops, left)

    @staticmethod
    def _followed(request: Request, response: Response, target: str, hops: int, left: float) -> Request:
        permanent = response.status in PERMANENT
        meta = {**request.meta, "hops": hops, "download_timeout": left}
        if permanent and request.meta.get("permanent", True):
            meta["moved_to"] = target
        meta["permanent"] = permanent and request.meta.get("permanent", True)
        # A validator belongs to one address. It may go along where it came from: a temporary move on the same host,
        # or the permanent one that was followed last time too (F18).
        known = permanent and target == request.meta.get("known_move")
        if not known and (permanent or guard.host_of(target) != guard.host_of(request.url)):
            meta["validators"] = None
        return request.replace(url=target, meta=meta)


def resolve(base: str, location: bytes) -> str:
    """The absolute target, read as written (F99): the raw bytes are judged before anything tidies them."""
    try:
        text = location.decode("utf-8")
    except UnicodeDecodeError:
        text = location.decode("latin-1")
    try:
        target = urljoin(base, text.strip(" "))
    except ValueError:
        raise AddressRefused("the address of the redirect cannot be read") from None
    target = target.replace(" ", "%20").partition("#")[0]
    guard.parse(target)
    return target
