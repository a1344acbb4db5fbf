"""Every request, redirects included, is of a plain public address, and waits in the line of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from spiders import guard

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class AddressMiddleware:
    """Refuses with `AddressRefused` before anything is looked up; the guard judges again where it connects."""

    def __init__(self) -> None:
        self._guard = guard.installed()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls()

    def process_request(self, request: Request) -> None:
        address = guard.check(request.url, self._guard.allowed())
        request.meta["download_slot"] = address.host
