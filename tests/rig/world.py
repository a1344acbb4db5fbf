"""A world of 200 sources over a week, made of a seed: who publishes what and when, and what is due by it.

The same seed is the same world in every process, so the service's side serves it and the checker's side knows it.
Seconds are those of the world, counted from its beginning; articles are numbered within their outlet.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cached_property
from html import escape
from typing import Literal

from monitor.stories.identity import item_id

HOUR = 3600.0
DAY = 24 * HOUR
BURST = 60
BEFORE = 40 * HOUR
"""Of the past that a source lists when it is first asked."""
START = datetime(2026, 10, 21, 3, 0, tzinfo=UTC)
"""The week holds the night in which Jerusalem's clocks go back (F117)."""

CHANNELS: Mapping[str, str] = {
    "wire": 'min_severity = "low"',
    "digest": 'min_severity = "low"\ndigest = "2h"\nquiet = { from = "23:00", to = "06:00" }',
    "daily": 'min_severity = "low"\ndigest_at = "07:30"',
    "duty": 'min_severity = "high"\nescalate_to = "boss"\nescalate_after = "15m"',
    "boss": 'min_severity = "critical"',
    "hook": 'min_severity = "normal"',
}
"""Channel → its keys in the configuration, but for its address."""
SOUND = frozenset({"wire", "boss"})
"""Channels whose receivers take everything."""
WATCHES = """
[[watch]]
id = "envoys"
title = "Envoys on their way"
when = "envoys OR שליחים OR مبعوثون"
on = ["new", "edited"]
[[watch]]
id = "truce"
title = "A truce"
when = "truce OR הפוגה OR هدنة"
severity = "high"
cooldown = "30m"
on = ["new", "edited"]
[[watch]]
id = "siren"
title = "A siren"
when = "siren OR אזעקה OR صفارة"
severity = "critical"
[[watch]]
id = "harvest"
title = "The harvest"
when = "harvest OR קציר OR حصاد"
severity = "low"
[[watch]]
id = "doubt"
title = "A pattern that never ends"
when = '/(a|aa)+$/'
severity = "low"
notify = ["wire"]
"""
SPEAKS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("envoys", "truce", "siren", "harvest"), tuple(CHANNELS)),
    "doubt": ("wire",),
}
_SHARES = {"envoys": 0.08, "truce": 0.04, "siren": 0.006, "harvest": 0.04, "doubt": 0.0004}

Tongue = Literal["en", "he", "ar"]
_WORDS: Mapping[Tongue, Mapping[str, str]] = {
    "en": {"envoys": "Envoys", "truce": "Truce", "siren": "Siren", "harvest": "Harvest", "": "Council"},
    "he": {"envoys": "שליחים", "truce": "הפוגה", "siren": "אזעקה", "harvest": "קציר", "": "מועצה"},
    "ar": {"envoys": "مبعوثون", "truce": "هدنة", "siren": "صفارة", "harvest": "حصاد", "": "مجلس"},
}
_PATTERNS: Mapping[Tongue, tuple[str, ...]] = {
    "en": (
        "{word} reported near the river crossing, notice {n} of the day",
        "{word}: {n} questions about the road to the old harbour",
        "After {n} hours, {word} again on the agenda of the northern towns",
        "What {n} readers wrote to us about {word} and the price of bread",
        "{word} seen by {n} travellers between the two bridges",
    ),
    "he": (
        "{word} ליד מעבר הנהר, הודעה {n} של היום",
        "{word}: {n} שאלות על הדרך לנמל הישן",
        "מה כתבו לנו {n} קוראים על {word} ועל מחיר הלחם",
    ),
    "ar": (
        "{word} قرب معبر النهر، البلاغ {n} لهذا اليوم",
        "{word}: {n} أسئلة عن الطريق إلى الميناء القديم",
        "ماذا كتب لنا {n} من القراء عن {word} وسعر الخبز",
    ),
}
_HOSTILE = (
    "<script>alert(1)</script>", "{{7*7}} %s ${x}", "@everyone", "\u202e gnirts", "a\u200db", "=HYPERLINK(\"x\")",
    "[a](http://b.example)", "&amp;quot;",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    number: int
    at: float
    title: str
    watch: str
    """What it matches; empty: nothing."""
    edited_at: float = math.inf
    edited: str = ""
    burst: bool = False
    """One of sixty that were published at once."""
    dated: str = ""
    """``at``, as a feed writes it."""

    def reads(self, now: float) -> str:
        return self.edited if now >= self.edited_at else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One desk, on a host of its own."""

    name: str
    tongue: Tongue
    sources: tuple[str, ...]
    depth: int
    """How many entries its feeds list."""
    every: timedelta

    @property
    def host(self) -> str:
        return f"{self.name}.example"


@dataclass
class World:
    """``pace``: how much more is published in a second than in life, for a run of minutes."""

    seed: int
    sources: int = 200
    seconds: float = 7 * DAY
    pace: float = 1.0
    rate: float = 0.5
    """Articles an hour and outlet."""
    start: datetime = START
    _made: dict[str, list[Article]] = field(default_factory=dict, repr=False)

    @cached_property
    def outlets(self) -> Mapping[str, Outlet]:
        """One in ten has two sources."""
        made: dict[str, Outlet] = {}
        left = self.sources
        while left > 0:
            number = len(made)
            two = number % 10 == 9 and left > 1
            tongue: Tongue = "he" if number % 10 == 7 else "ar" if number % 10 == 8 else "en"
            every = timedelta(minutes=15 if number % 2 else 30) / self.pace
            name = f"n{number:03}"
            made[name] = Outlet(
                name=name, tongue=tongue, sources=("main", "brief") if two else ("main",), depth=20, every=every
            )  # fmt: skip
            left -= len(made[name].sources)
        return made

    @property
    def source_ids(self) -> list[str]:
        return [f"{name}/{source}" for name, outlet in self.outlets.items() for source in outlet.sources]

    @property
    def longest(self) -> timedelta:
        """The longest interval of a source that answers."""
        return timedelta(hours=1) / self.pace

    def at(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    def published(self, outlet: str, first: int, now: float) -> list[Article]:
        """What it has published so far, from that number on, the oldest first."""
        own = self._articles(outlet)
        return own[first : bisect_right(own, now, key=lambda article: article.at)]

    def listed(self, outlet: str, source: str, now: float) -> list[Article]:
        """The newest first; ``brief`` lists half of it."""
        own = self._articles(outlet)
        have = bisect_right(own, now, key=lambda article: article.at)
        depth = self.outlets[outlet].depth
        if any(article.burst for article in own[max(0, have - 80) : have : 20]):
            depth = 80
        newest = own[max(0, have - depth) : have][::-1]
        return newest[::2] if source == "brief" else newest

    def address(self, outlet: str, article: Article) -> str:
        return f"https://{self.outlets[outlet].host}/{article.number}"

    def item(self, outlet: str, number: int) -> str:
        return item_id(outlet, f"url:{self.outlets[outlet].host}/{number}")

    def due(self, outlet: str, articles: Iterable[Article]) -> frozenset[str]:
        """The keys of the rows that are due when these are first seen."""
        return frozenset(
            f"{article.watch}|{channel}|{self.item(outlet, article.number)}|new"
            for article in articles
            if article.watch
            for channel in SPEAKS[article.watch]
        )

    def _articles(self, outlet: str) -> list[Article]:
        if outlet not in self._made:
            self._made[outlet] = self._publish(outlet)
        return self._made[outlet]

    def _publish(self, outlet: str) -> list[Article]:
        """Everything the outlet publishes: a Poisson process, and once a burst of one watch."""
        chance = random.Random(f"{self.seed}/{outlet}")
        moments, now = [], -BEFORE / self.pace
        while (now := now - math.log(1 - chance.random()) * HOUR / (self.rate * self.pace)) < self.seconds:
            moments.append((now, ""))
        if chance.random() < 0.15:
            burst = chance.uniform(0, self.seconds)
            moments = sorted([*moments, *((burst + place * 0.5, "harvest") for place in range(BURST))])
        return [self._article(outlet, number, at, watch, chance) for number, (at, watch) in enumerate(moments)]

    def _article(self, outlet: str, number: int, at: float, watch: str, chance: random.Random) -> Article:
        burst, watch = bool(watch), watch or _drawn(chance)
        tongue = self.outlets[outlet].tongue
        unique = int(outlet[1:]) * 10_000 + number
        pattern = chance.choice(_PATTERNS[tongue])
        word = "a" * 60 + "!" if watch == "doubt" else _WORDS[tongue][watch]
        title = pattern.format(word=word, n=unique)
        if chance.random() < 0.02:
            title += f" {chance.choice(_HOSTILE)}"
        if chance.random() < 0.015 and (original := self._copied(outlet, at)) is not None:
            title, watch = original.title, original.watch
        edited_at, edited = math.inf, ""
        if chance.random() < 0.04:
            edited_at = at + chance.uniform(0.3, 6) * HOUR / self.pace
            edited = f"{title}, corrected to {unique + 1}"
        return Article(
            number=number, at=at, title=title, watch=watch, edited_at=edited_at, edited=edited,
            burst=burst, dated=format_datetime(self.at(at)),
        )  # fmt: skip

    def _copied(self, outlet: str, at: float) -> Article | None:
        """What the desk before this one in the same tongue published last."""
        tongue, before = self.outlets[outlet].tongue, None
        for name, other in self.outlets.items():
            if name == outlet:
                break
            before = name if other.tongue == tongue else before
        own = self._articles(before) if before is not None else []
        have = bisect_right(own, at, key=lambda article: article.at)
        return own[have - 1] if have else None


def _drawn(chance: random.Random) -> str:
    draw = chance.random()
    for watch, share in _SHARES.items():
        if draw < share:
            return watch
        draw -= share
    return ""


def rss(world: World, outlet: str, articles: Iterable[Article], now: float, *, guid: str = "") -> str:
    """The feed as it reads at ``now``; ``guid`` makes every guid another."""
    entries = "".join(
        f"<item><title>{escape(article.reads(now))}</title><link>{world.address(outlet, article)}</link>"
        f"<guid>{guid}{world.address(outlet, article)}</guid>"
        f"<pubDate>{article.dated}</pubDate></item>\n"
        for article in articles
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>{outlet}</title>\n'
        f"<link>https://{world.outlets[outlet].host}/</link>\n{entries}</channel></rss>"
    )
