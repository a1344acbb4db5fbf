"""Sources and hosts: their state, their rhythm, and the visits paid to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model.texts import TextLanguage


class Outcome(StrEnum):
    """What an answer turned out to be. Only the first two ever count as "no news"."""

    OK = "ok"
    UNCHANGED = "unchanged"
    DEGRADED = "degraded"  # entries read, damage noted
    BLOCKED = "blocked"  # an answer that is not what the source should give: challenge, consent, web page
    FAILED = "failed"  # try later
    GONE = "gone"  # 410: asked daily
    CLOSED = "closed"  # robots rules refuse: never polled, the rules are asked again daily


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What makes the next request conditional (RFC 9110, 13.1), byte for byte as the server wrote it."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    """BLAKE2b-128 of the decoded body, in hex: servers without validators are common."""


NO_VALIDATORS = Validators()
"""The next request asks for everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What a source usually gives, learnt from its good answers (`monitor.rhythm`)."""

    since: datetime
    """When it was first watched."""
    seen: datetime
    """The last answer that was learnt from."""
    last_new: datetime
    """When it last listed something that it had not listed before."""
    longest: timedelta = timedelta()
    """The longest silence ever seen between two answers that listed something new, in its own time, in which hours that
    usually bring little count little."""
    watched: float = 0.0
    """Hours between good answers, all of them."""
    slots: bytes = b""
    """New entries and hours watched in each hour of the week, by the outlet's clock; both fade within weeks."""
    listed: bytes = b""
    """Hashes of what the last answer listed, and of what it lacked of the one before."""
    usual: float = 0.0
    """How many entries it usually lists."""
    mix: tuple[float, ...] = ()
    """The shares of its entries by language, in the order of `TextLanguage`."""
    garbled: float = 0.0
    """The share of its answers whose letters had to be guessed or repaired."""
    short_polls: int = 0
    """Answers in a row that listed far fewer entries than usual."""
    foreign_polls: int = 0
    """Answers in a row with most entries in an unusual language, ``foreign``."""
    foreign: TextLanguage = "und"
    garbled_polls: int = 0
    """Answers in a row that were garbled though they usually are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What we remember of one source. ``id`` is ``outlet/source``."""

    id: str
    outlet: str
    url: str
    host: str
    """``scheme://name:port``, the port always written."""
    next_due: datetime
    validators: Validators = NO_VALIDATORS
    outcome: Outcome | None = None
    """Of the last answer; ``None`` before the first."""
    reason: str = ""
    """Why, in words for people; for *closed* the rule that closed it."""
    excerpt: str = ""
    """The first 200 characters of what last answered, kept while the outcome is not good."""
    status: int | None = None
    failures: int = 0
    """Answers in a row that were neither ok, unchanged nor degraded."""
    last_polled: datetime | None = None
    last_good: datetime | None = None
    last_plain: datetime | None = None
    """Last unconditional request that was answered whole."""
    baselined: datetime | None = None
    """When the first whole answer was filed; before that, entries are judged by the baseline."""
    moved_to: str | None = None
    moved_since: datetime | None = None
    alarm: str | None = None
    """Ids of the open episodes, separated by spaces: the desk was told of each, and will be told of its end."""
    entries: int | None = None
    """How many entries the last whole answer held."""
    late: timedelta = timedelta()
    """From when the last poll was due until it was answered."""
    rhythm: Rhythm | None = None
    """``None`` before it first listed something."""
    fence: int = 0
    """The fencing number of the visit that has it; 0 outside visits."""

    def episode(self, *kinds: str) -> str | None:
        """The id of the first open episode of these kinds; ids begin with their kind and a colon."""
        return next((each for each in (self.alarm or "").split() if each.partition(":")[0] in kinds), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsCopy:
    """A host's robots.txt as last asked (RFC 9309). ``text`` is the last good copy and may be older."""

    host: str
    asked: datetime
    status: int | None
    """HTTP status of the last asking; ``None``: unreachable."""
    text: str = ""
    good_at: datetime | None = None
    """When ``text`` was read; it serves for a day when the host stops answering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDue:
    """An article page waiting to be read, after its item was filed and matched on the headline."""

    item: str
    outlet: str
    url: str
    host: str
    attempts: int = 0
    """How often this reading was put off."""
    fence: int = 0
    """As `SourceState.fence`."""
    first_seen: datetime | None = None
    """The item's."""
    validators: Validators = NO_VALIDATORS
    """Of the page as it was last read."""
    read: datetime | None = None
    """When its text was last read; ``None``: never."""
    missing: datetime | None = None
    """Since when it has answered 404 each time; ``None``: it did not the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is due at one host: one lease, one report, requests one at a time.

    ``fence`` is the host's fencing number: a report with an older one is ignored.
    """

    host: str
    fence: int
    sources: tuple[SourceState, ...] = ()
    pages: tuple[PageDue, ...] = ()
    robots: RobotsCopy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    """How a visit ended; ``next_ok`` is when the host may be asked again (delay, Retry-After)."""

    host: str
    fence: int
    next_ok: datetime
    requests: int = 0
    failure: str = ""
    """Why the visit as a whole broke off, if it did."""
