"""What the wire said: answers, their entries, and each entry ready to be filed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model.sources import NO_VALIDATORS, Outcome, Validators
from monitor.model.texts import Kind, TextLanguage


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article in one answer, as the wire told it, cleaned but not yet judged.

    Texts are plain (no markup, no control characters); paragraphs are separated by a blank line.
    """

    title: str
    lead: str = ""
    body: str = ""
    """The whole text, where the wire carries it (article pages, some feeds)."""
    html: str = ""
    """The fullest text as sanitised markup (allow-list of ``readers/text.py``), for display only."""
    url: str | None = None
    """Absolute http(s) address; ``None`` when the wire gave none that may be followed."""
    canonical: str | None = None
    """What the article page itself calls its address."""
    post: bool = False
    """One post of the live page that was read, with an address of its own."""
    guid: str | None = None
    author: str = ""
    credits: tuple[str, ...] = ()
    """What the page's data names as the text's credit or source organisation, one by one; no credits of pictures."""
    publisher: str = ""
    """Who the wire says published it (an aggregator's source element); empty: the outlet."""
    published: datetime | None = None
    """``None``: missing or not credible; the item then takes first-seen time, marked assumed."""
    published_text: str = ""
    """The date as written, kept when it could not be read."""
    updated: datetime | None = None
    language: str | None = None
    """As declared by the wire, not yet checked against the script."""
    kind: Kind = "article"
    tags: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    """Damage and guesses: ``"title cut"``, ``"repaired: encoded twice"``, ``"date assumed"``…"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response to one request, with what it turned out to be and the entries read from it."""

    source: str
    """``outlet/source``; for an article page ``outlet/page``."""
    outlet: str
    url: str
    final_url: str
    at: datetime
    outcome: Outcome
    reason: str = ""
    excerpt: str = ""
    status: int | None = None
    conditional: bool = False
    """The request carried validators."""
    validators: Validators = NO_VALIDATORS
    not_before: datetime | None = None
    """The server's wish (Retry-After, capped at 24 h), for the whole host."""
    moved_to: str | None = None
    """Target of a permanent redirect (301, 308), followed this time."""
    entries: tuple[Entry, ...] = ()
    listed: int = 0
    """How many entries it held before the source's filters (``only``, ``skip``, ``languages``)."""
    held: bool = False
    """An entry could not be read: the source's validators must not move."""
    marks: tuple[str, ...] = ()
    page_of: str | None = None
    """The item whose article page this is."""
    size: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry ready for filing: its keys, strongest first, and the hash of its text.

    ``id`` is made from outlet and first key, so it is the same after a restore.
    """

    id: str
    entry: Entry
    keys: tuple[str, ...]
    text_hash: str
    language: TextLanguage
    weak_key: bool = False
    """Identified by title and outlet only: the same item only within 48 h."""
