"""Scrapy's side of the path: each stage is an adapter over the desk (``monitor/desk.py``).

An item here is an `Arrival`: one answer with its entries (``CONCURRENT_ITEMS=1``). Plain dictionaries, which
``scrapy crawl`` yields, pass through untouched.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from scrapy.exceptions import DropItem

from spiders.spider import Arrival

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from monitor.desk import Desk


class NoLongerWatched(DropItem):
    """The source left the configuration, or has another address, since it was asked (F140)."""


class _Stage:
    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> _Stage:
        return cls(crawler)

    @property
    def desk(self) -> Desk:
        return cast("Desk", cast("Any", self._crawler.spider).desk)


class Normalise(_Stage):
    """Entries cleaned by the outlet's rules."""

    async def process_item(self, item: Any) -> Any:
        if not isinstance(item, Arrival):
            return item
        edition = self.desk.edition
        answer = item.answer
        if not self.desk.wants(item.due, edition):
            raise NoLongerWatched(answer.source)
        if answer.entries:
            answer = await asyncio.to_thread(self.desk.normalised, answer, edition)
        return replace(item, answer=answer, edition=edition)


class Identify(_Stage):
    """Keys for every entry, and the source's next state."""

    async def process_item(self, item: Any) -> Any:
        if not isinstance(item, Arrival):
            return item
        return replace(item, filing=self.desk.identified(item.answer, item.due, cast("Any", item.edition)))


class Match(_Stage):
    """Every watch over every text that may be new."""

    async def process_item(self, item: Any) -> Any:
        if not isinstance(item, Arrival) or item.filing is None or not item.filing.candidates:
            return item
        unchanged = await self.desk.unchanged(item.filing)
        filing = await asyncio.to_thread(self.desk.matched, item.filing, unchanged, cast("Any", item.edition))
        return replace(item, filing=filing)


class File(_Stage):
    """Items, revisions, matches, alert rows and the source's state: one transaction."""

    async def process_item(self, item: Any) -> Any:
        if isinstance(item, Arrival) and item.filing is not None:
            await self.desk.filed(item.filing, item.due, cast("Any", item.edition))
        return item
