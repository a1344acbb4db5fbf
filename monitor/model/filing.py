"""What is written in one transaction, and what it is decided on."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from config.model.fields import ChangeClass
from monitor.model.alerts import NewAlert
from monitor.model.entries import Answer, Candidate
from monitor.model.items import Item, Match, Reported, Revision
from monitor.model.sources import NO_VALIDATORS, SourceState, Validators
from monitor.model.stories import Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph as copies of a text are looked for (`monitor.stories.runs`)."""

    runs: array[int]
    """Each four words in a row as a number, in their order."""
    numbers: frozenset[str]
    """Its words with a digit in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAfter:
    """What is remembered of an article page after an answer, and what that answer says of the article."""

    again: datetime | None
    """When it is asked next; ``None``: not any more. What is not put off is read again only while a watch matches its
    item."""
    attempts: int = 0
    """As `PageDue.attempts`; 0: this reading is over."""
    validators: Validators = NO_VALIDATORS
    read: datetime | None = None
    missing: datetime | None = None
    fate: Literal["there", "withdrawn", "lost", "unknown"] = "unknown"
    since: datetime | None = None
    """Of *withdrawn*: when it was first seen to be gone."""
    words: str = ""
    """As `Whereabouts.words`."""
    moved_to: str = ""
    """The article's new address, to which the one that was asked leads for good."""
    led_on: bool = False
    """The answer came from another address than the article's."""
    asked: str = ""
    """Where the page was asked: the item may have another address by the time the answer is filed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One answer, ready to be filed in one transaction.

    ``after`` is the source's state once everything is filed (its validators included), ``held`` the
    state when an entry had to be quarantined: same next due, validators as before.
    For an article page both are ``None``, ``answer.page_of`` names the item, and ``page`` says what becomes of the
    page; without it the page is not asked again.
    """

    answer: Answer
    candidates: tuple[Candidate, ...]
    after: SourceState | None
    held: SourceState | None
    matches: Mapping[str, tuple[Match, ...]] = field(default_factory=dict)
    """Candidate id → what its text matches; a candidate that is missing here was known unchanged."""
    origins: Mapping[str, tuple[Reported, ...]] = field(default_factory=dict)
    """Candidate id → whose reporting its text is, for the same candidates."""
    texts: Mapping[str, tuple[Paragraph, ...]] = field(default_factory=dict)
    """Candidate id → its text as copies are looked for, for the same candidates, whatever of it is kept."""
    page: PageAfter | None = None
    fence: int | None = None
    """The fencing number of the visit that brought the answer. When its host has a newer one, another visit has been
    there since: the items are filed, the source's state is not. ``None``: no visit brought it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the store found while filing one candidate: a new item, or a new text of a known one."""

    item: Item
    revision: Revision
    candidate: Candidate
    fresh: bool
    """A new item; otherwise a new text."""
    completed: bool
    """The first reading of a known item's article page, or its first body (design: state ``completed``, never called
    an edit)."""
    before: Item | None = None
    """The item with the text it had until now; ``None``: it is new, or only its page was read."""
    withdrawn: bool = False
    """Its page was taken down: there is no new text, and ``candidate`` is the one that is held."""
    matched_before: frozenset[str] = frozenset()
    """Watches that matched an earlier revision of this item."""

    @property
    def title_changed(self) -> bool:
        return self.before is not None and self.before.title != self.item.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be written with a change."""

    matches: tuple[Match, ...] = ()
    alerts: tuple[NewAlert, ...] = ()
    classes: tuple[ChangeClass, ...] = ()
    """As `Revision.classes`."""
    copy_of: str | None = None
    copy_reason: str = ""
    copied_by: str | None = None
    """An item seen later whose text turns out to be this one's, now that this one's is read; ``copy_reason`` is why."""
    placed: Placed | None = None
    """A new item's story."""
    origins: tuple[Reported, ...] = ()
    """Whose reporting the text is; empty: what was known of the item stands."""
    read_page: bool = False
    """Queue the article page as a visit to its own host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The fates of one answer's candidates: their sum is the number of candidates."""

    new: int = 0
    revised: int = 0
    known: int = 0
    merged: int = 0
    quarantined: int = 0
    alerts_due: int = 0
    alerts_suppressed: int = 0
    adopted: int = 0
    """Entries taken for known items by their titles, because the source gave most articles new addresses (F59)."""
    overtaken: bool = False
    """The source's state was not written: a later visit's, or another address, stands."""
    items: tuple[str, ...] = ()
    """Ids of the new items."""
