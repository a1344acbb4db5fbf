"""What we hold: items, their texts, and what watches found in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from config.model.fields import ChangeClass
from monitor.model.reviews import Reviewed
from monitor.model.texts import Kind, TextLanguage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A source whose reporting an article is, or repeats (``docs/origins.md``)."""

    id: str
    """``reuters``, ``axios``, ``statement:idf``; an outlet that no table names has its own id."""
    kind: str
    """What the source is: an agency, an outlet, a body."""
    relation: Literal["own", "credit", "cite", "statement"]
    words: str = ""
    """What the text says that shows it."""
    pattern: str = ""
    aside: bool = False
    """Named in passing: listed, not taken for the whole text's origin."""
    by: str = ""
    """The reviewer whose word it is; empty: it was found in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One article as we hold it."""

    id: str
    outlet: str
    source: str
    url: str | None
    title: str
    lead: str
    language: TextLanguage
    kind: Kind
    author: str
    published: datetime
    published_assumed: bool
    first_seen: datetime
    revision: str
    """Id of the latest revision."""
    revisions: int = 1
    copy_of: str | None = None
    copy_reason: str = ""
    copy_by: str = ""
    """The reviewer whose word it is that it is a copy, or none; empty: it was found."""
    story: str = ""
    """The event that it tells with others; empty for notices."""
    story_reason: str = ""
    story_score: float = 0.0
    """As `Placed.score`; 1 where a reviewer put it there."""
    origins: tuple[Reported, ...] = ()
    """Its outlet's own first, then what its text says of others."""
    late: bool = False
    """Surfaced after younger items of its source were already known."""
    withdrawn: datetime | None = None
    """Since when its page has been gone; ``None``: it is there, or nobody looked."""
    marks: tuple[str, ...] = ()
    body: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What befell the address of an item.

    ``moved``: it has another one, told in ``words``; ``withdrawn``: its page says that it is gone; ``lost``: it leads
    to something else than the article, which may have moved or be gone; ``back``: it is there again.
    """

    item: str
    at: datetime
    what: Literal["moved", "withdrawn", "lost", "back"]
    words: str
    """What showed it: ``HTTP 404``, the addresses, where it led to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which items are asked for: every part that is given must hold. Made from an address, a feed's or an export's."""

    outlet: str | None = None
    language: str | None = None
    watch: str | None = None
    """Only what this watch matched; ``*``: what any did, without notices of the service unless their outlet is asked
    for."""
    story: str | None = None
    review: Reviewed | None = None
    since: datetime | None = None
    """By first-seen time, inclusive."""
    before: datetime | None = None
    """Exclusive."""


EVERYTHING = Wanted()


class Spot(NamedTuple):
    """Where an item stands in the order of first-seen times. Items of one answer share theirs."""

    first_seen: datetime
    item: str
    """Its id. When it is gone, all items of that time come once more: nothing is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What a watch found on one day, by the review of it."""

    watch: str
    day: str
    """``2026-11-24``, in the zone asked for."""
    items: int
    relevant: int
    noise: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One text of an item. ``id`` is made from item and content; at most 24 are kept."""

    id: str
    item: str
    seen: datetime
    title: str
    lead: str
    body: str
    text_hash: str
    classes: tuple[ChangeClass, ...] = ()
    """What the edit to this text changed; of the first text, and of one that came with the article's page, nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a watch's words stand: offsets into the original text of one field."""

    field: Literal["title", "lead", "body", "author", "url"]
    start: int
    end: int
    term: str
    """The word, phrase or concept of the query that is found here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A watch found in an item's revision, with the spans that made it."""

    watch: str
    spans: tuple[Span, ...] = ()
    clause: str = ""
    """The part of the query that made the hit, as written."""
    undecided: str = ""
    """A part that ran out of time: told with a mark, never taken as no match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A match as it is kept: which text of its item it was found in."""

    match: Match
    revision: str
    """The text that the spans stand in; it may be gone."""
    found: datetime
