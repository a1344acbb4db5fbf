"""What four outlets publish while the service is killed again and again, and what is due by it.

Each `Press.edition` is what happened between two lives of the service: new articles, at times a change of a headline,
the same words at another outlet, a burst; and one outlet that answers with a web page every other time, so that there
are notices to tell. A feed lists what is not filed yet and the newest of what is.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

from monitor.stories.identity import item_id
from tests.newsserver import NewsServer, rss
from tests.newsserver.server import Answer, Site

LISTED = 15
WATCHES = """
[[watch]]
id = "talks"
title = "Talks in Doha"
when = "doha AND talks"
on = ["new", "edited"]
[[watch]]
id = "truce"
title = "A truce"
when = "truce"
severity = "high"
"""
CHANNELS = ("desk", "duty")
SPEAKS = {"talks": CHANNELS, "truce": CHANNELS}
HEADLINES = {
    "herald": (
        "Mediators in Doha extend talks by {} hours, officials say",
        "Truce number {} holds along the river, observers report",
    ),
    "courier": (
        "Delegation number {} lands in Doha for a round of talks",
        "A truce of {} days is proposed by the committee of elders",
    ),
    "gazette": (
        "Why day {} of the talks matters to traders in Doha's old market",
        "Harvest figures rise by {} tonnes in the northern plain",
    ),
    "tribune": (
        "Hotel in Doha counts {} guests as envoys arrive for talks",
        "Reader {} asks what a truce would mean for the ferry line",
    ),
}
FLAKY = "tribune"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    outlet: str
    number: int
    title: str
    at: datetime

    @property
    def path(self) -> str:
        return f"/{self.outlet}/{self.number}"

    @property
    def watches(self) -> tuple[str, ...]:
        text = self.title.lower()
        return (*(("talks",) if "talks" in text else ()), *(("truce",) if "truce" in text else ()))


@dataclass
class Press:
    server: NewsServer
    chance: random.Random
    articles: dict[str, Article] = field(default_factory=dict)
    """Item id → the article as it reads now."""
    changed: set[str] = field(default_factory=set)
    """Ids of those whose headline was changed."""
    listed: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """(source, ETag) → ids of what that answer lists."""
    closed: bool = False
    """The flaky outlet shows a web page."""

    def __post_init__(self) -> None:
        self._shown_by: dict[str, frozenset[str]] = {}
        self.sites: dict[str, Site] = {
            outlet: self.server.site(f"127.0.0.{place + 2}") for place, outlet in enumerate(HEADLINES)
        }

    def edition(self, now: datetime, filed: Collection[str]) -> None:
        """Publish some more, and list it; ``filed`` are the items that the store has."""
        outlet = self.chance.choice(tuple(HEADLINES))
        for _ in range(16 if self.chance.random() < 0.04 else self.chance.randint(2, 4)):
            self._publish(self.chance.choice((outlet, *HEADLINES)), now)
        if self.chance.random() < 0.2:
            self._change()
        if self.chance.random() < 0.1:
            self._copy(now)
        self.closed = not self.closed
        for name, site in self.sites.items():
            self._list(name, site, filed)

    @property
    def shown(self) -> frozenset[str]:
        """Ids of what the outlets that answer list now."""
        return frozenset().union(*self._shown_by.values())

    def due(self, items: Collection[str]) -> frozenset[str]:
        """The keys of the rows that are due by these articles, when they were first seen."""
        return frozenset(
            f"{watch}|{channel}|{item}|new"
            for item in items
            for watch in self.articles[item].watches
            for channel in CHANNELS
        )

    @property
    def may(self) -> frozenset[str]:
        """``watch|channel|item`` of what may be told of changed headlines."""
        return frozenset(
            f"{watch}|{channel}|{item}"
            for item in self.changed
            for watch in self.articles[item].watches
            for channel in CHANNELS
        )

    def _publish(self, outlet: str, now: datetime, title: str = "") -> None:
        number = len(self.articles) + 1
        made = title or self.chance.choice(HEADLINES[outlet]).format(number)
        site = self.sites[outlet]
        article = Article(outlet=outlet, number=number, title=made, at=now)
        self.articles[item_id(outlet, f"url:{site.address}{article.path}")] = article

    def _change(self) -> None:
        """A headline is changed in place; it keeps its words."""
        item = self.chance.choice(tuple(self.articles)[-LISTED:])
        article = self.articles[item]
        self.articles[item] = replace(article, title=f"{article.title}, in a new turn {self.chance.randint(1, 10**6)}")
        self.changed.add(item)

    def _copy(self, now: datetime) -> None:
        """The same words at another outlet."""
        article = self.chance.choice(tuple(self.articles.values())[-LISTED:])
        others = [outlet for outlet in HEADLINES if outlet != article.outlet]
        self._publish(self.chance.choice(others), now, article.title)

    def _list(self, outlet: str, site: Site, filed: Collection[str]) -> None:
        if outlet == FLAKY and self.closed:
            self._shown_by[outlet] = frozenset()
            site.answer("/feed", headers={"Content-Type": "text/html"}, body="<html><body>Closed for repairs.</html>")
            return
        items = tuple(self._to_show(outlet, filed))
        body = rss([_entry(self.articles[item], site) for item in items])
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        self.listed[f"{outlet}/feed", etag] = self._shown_by[outlet] = frozenset(items)
        site.on("/feed", Answer(headers={"Content-Type": "application/rss+xml"}, body=body, etag=etag))

    def _to_show(self, outlet: str, filed: Collection[str]) -> Iterator[str]:
        """The newest first."""
        own = [item for item, article in self.articles.items() if article.outlet == outlet]
        newest = set(own[-LISTED:])
        yield from (item for item in reversed(own) if item in newest or item not in filed)


def _entry(article: Article, site: Site) -> dict[str, str]:
    url = site.url(article.path)
    published = article.at - timedelta(minutes=1)
    return {"title": article.title, "link": url, "guid": url, "pubDate": format_datetime(published)}
