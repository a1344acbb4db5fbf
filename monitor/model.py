"""What wirewatch knows, as values: frozen, slotted, keyword-only. All times are aware and in UTC.

Unknown is ``None``, empty is empty, guessed is marked. The order below is the path of one item:
source → answer → entry → candidate → item and revision → match → alert → delivery.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from config.model import ChangeClass, Severity

TextLanguage = Literal["en", "he", "ar", "und"]
"""A text's own language; ``und``: no letters, or another language."""

Kind = Literal["article", "live", "opinion", "video"]


class Outcome(StrEnum):
    """What an answer turned out to be. Only the first two ever count as "no news"."""

    OK = "ok"
    UNCHANGED = "unchanged"
    DEGRADED = "degraded"  # entries read, damage noted
    BLOCKED = "blocked"  # an answer that is not what the source should give: challenge, consent, web page
    FAILED = "failed"  # try later
    GONE = "gone"  # 410: asked daily
    CLOSED = "closed"  # robots rules refuse: never polled, the rules are asked again daily


# ------------------------------------------------------------------ sources and hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What makes the next request conditional (RFC 9110, 13.1), byte for byte as the server wrote it."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    """BLAKE2b-128 of the decoded body, in hex: servers without validators are common."""


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
    validators: Validators = Validators()
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
    validators: Validators = Validators()
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


# ------------------------------------------------------------------ what the wire said


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
    validators: Validators = Validators()
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


# ------------------------------------------------------------------ what we hold


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
class StoryLink:
    """A story of another language that seems to tell the same event. Shown, never merged."""

    story: str
    score: float
    reason: str
    by: str = ""
    """The reviewer whose word it is; empty: it was found by what the stories share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The story of a new item, and what else that changed."""

    story: str
    score: float
    reason: str
    merges: tuple[str, ...] = ()
    """Stories that are part of it from now on; nothing is told again for it."""
    links: tuple[StoryLink, ...] = ()
    """All of the story's, as they are now."""


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
class Story:
    """An event that items of several outlets tell, in one language."""

    id: str
    items: tuple[Item, ...]
    """In the order in which we saw them."""
    links: tuple[StoryLink, ...] = ()


CorrectionKind = Literal["split", "merge", "apart", "link", "unlink", "origin", "copy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a reviewer decided about stories, an origin or a copy, against what was found. All are kept; to take one
    back is a correction too."""

    number: int
    at: datetime
    by: str
    """The reviewer's name."""
    kind: CorrectionKind
    story: str = ""
    """The story it is about, by the id it had then: the one that was split, or is part of ``other`` since."""
    other: str = ""
    """The other story: the new one of a split, the one that was merged into, kept apart, linked or not."""
    items: tuple[str, ...] = ()
    """The items that were moved by it; or the one whose origin or original it is, with those moved along."""
    value: str = ""
    """The origin, or the item that was copied; empty: its own."""
    undoes: int | None = None
    """The correction that it takes back; ``kind`` and the stories are those of that one."""
    undone: bool = False
    """Taken back since: it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulings:
    """What corrections mean for who places items: read from the store when there are new ones."""

    number: int
    """Of the newest correction; 0: there is none."""
    stories: Mapping[str, str] = field(default_factory=dict)
    """Items that were moved → the story each stands in now."""
    apart: tuple[tuple[str, str], ...] = ()
    """All pairs of stories that are not to be merged."""


Verdict = Literal["relevant", "noise", "later"]
Reviewed = Literal["unreviewed", "relevant", "noise", "later", "starred"]
"""What items can be asked for by their review."""


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


RemarkKind = Literal["verdict", "star", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One act of a reviewer. All are kept; of verdicts and stars the last counts, notes stand beside each other."""

    number: int
    item: str
    by: str
    """The reviewer's name."""
    at: datetime
    kind: RemarkKind
    value: str
    """A verdict or empty (taken back); ``yes`` or empty for a star; a note's text."""
    undone: bool = False
    """Taken back by undo: it counts as if it had not been said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What reviewers said of an item, as it counts now."""

    item: str
    verdict: Verdict | None = None
    starred: bool = False
    notes: tuple[Remark, ...] = ()
    """The oldest first."""
    by: str = ""
    """Whose verdict it is."""
    at: datetime | None = None
    """When the verdict was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many items of an outlet in a language were first seen in one stretch of time."""

    at: datetime
    """Its beginning."""
    outlet: str
    language: TextLanguage
    items: int
    matched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StorySize:
    """How much a story has gathered."""

    story: str
    items: int
    outlets: int
    linked: tuple[TextLanguage, ...] = ()
    """The languages of the stories linked to it."""


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


Condition = Literal["pending", "delivered", "dead", "suppressed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a row waits, and until when. Rows of one channel with the same ``gather`` leave in one message."""

    until: datetime
    gather: str
    """``digest``, ``quiet hours``, ``cooldown:WATCH:ITEM``, ``flood:WATCH``; ``corroborated:WATCH:STORY`` is never sent
    so: what waits for other origins is released or suppressed when its time comes (`Settled`)."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """One row to be written: this watch, this channel, this item, this state."""

    watch: str
    channel: str
    item: str
    state: str
    """``new``, ``completed``, ``edited:REVISION``, ``withdrawn``, ``corroborated``, ``escalated``."""
    severity: Severity
    suppressed: str = ""
    """Why it is not sent (``baseline``, ``too old``, ``told with ALERT``…); empty: it is due, now or when ``held``
    says."""
    held: Held | None = None

    @property
    def key(self) -> str:
        """The stable key every attempt carries; ids hold no ``|``."""
        return f"{self.watch}|{self.channel}|{self.item}|{self.state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of the outbox. ``id`` is a short stable name made from ``key``."""

    id: str
    key: str
    watch: str
    channel: str
    item: str
    revision: str
    state: str
    severity: Severity
    condition: Condition
    reason: str = ""
    """Why it is dead or suppressed, or what a pending one waits for."""
    created: datetime
    due: datetime
    """When it is meant to leave; giving up counts from here. Retries are its message's."""
    gather: str = ""
    """As `Held.gather`; empty: it leaves alone."""
    message: str = ""
    """The message that carries it; empty before its turn came."""
    attempts: int = 0
    """How often that message was tried, and what came of the last time."""
    last_error: str = ""
    delivered: datetime | None = None
    acknowledged: datetime | None = None
    match: Match | None = None


MessageKind = Literal["alert", "digest", "quiet hours", "cooldown", "flood"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent at once: one alert, or several that were gathered. Its members are frozen when it is first claimed,
    and every attempt carries the same key."""

    id: str
    key: str
    """Of its only alert; of several: ``gathered|CHANNEL|HASH OF THEIR KEYS``."""
    channel: str
    kind: MessageKind
    """Why its alerts were gathered; a message of one may have waited, too."""
    severity: Severity
    """The highest of its alerts."""
    alerts: tuple[Alert, ...]
    """The most severe first, then the oldest."""
    created: datetime
    attempts: int = 0
    fence: int = 0
    taken: tuple[str, ...] = ()
    """Which of the channel's recipients have it already (`Delivery.taken`)."""


class Piece(NamedTuple):
    """A run of original text of two that are compared."""

    kind: Literal["kept", "removed", "added"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A stretch of a text that an edit changed."""

    field: Literal["lead", "body"]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One alert with what is told by it."""

    alert: Alert
    item: Item
    """In the text that matched."""
    copies: tuple[Item, ...] = ()
    was: str = ""
    """The item's headline before the edit that the alert tells."""
    changed: tuple[ChangeClass, ...] = ()
    """What that edit changed."""
    edits: tuple[Edit, ...] = ()
    """And where, below the headline."""
    gone: Whereabouts | None = None
    """What showed that the page was taken down, where the alert is about that."""
    story: Story | None = None
    """The item's story as it is now."""
    linked: tuple[Story, ...] = ()
    """Stories of other languages that seem to tell the same."""
    event: tuple[Story, ...] = ()
    """All stories whose origins count together (`monitor.ports.Archive.event`), where the alert is about their
    number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message as a channel gets it: with everything its wording needs, in the order of its alerts."""

    message: Message
    tellings: tuple[Telling, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of one attempt to send.

    ``verdict``: *sent*; *later* (try again, not before ``retry_after`` from now when given);
    *refused* (the receiver will never take it: dead letter at once).
    """

    verdict: Literal["sent", "later", "refused"]
    detail: str = ""
    retry_after: timedelta | None = None
    taken: tuple[str, ...] = ()
    """With *later*: the recipients that have it, by names of the channel's own that are no secret. Any at all: the
    channel answered, and what failed is the message's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a channel can take now: so many messages, each of at most so many alerts."""

    messages: int
    alerts: int
    probing: bool = False
    """It does not answer, and one message asks whether it does again: the one that was tried least, so that one that
    always fails cannot ask for the others for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A channel's rule: critical alerts that nobody acknowledged within ``after`` are told on ``to``."""

    channel: str
    to: str
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What a look after the outbox found (`Outbox.tend`), in rows."""

    buried: int = 0
    """Of channels that are not configured any more, or undelivered for too long: dead letters now."""
    suppressed: int = 0
    """Of watches that are not configured any more."""
    escalated: int = 0


# ------------------------------------------------------------------ full-text search

SearchField = Literal["title", "text", "author", "url", "facts"]
"""Where terms are indexed: ``text`` is lead and body, ``facts`` outlet, source, language and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """One term, as `monitor.language.index` makes them: letters and digits only."""

    term: str
    fields: tuple[SearchField, ...]
    """Any of them."""
    begins: bool = False
    """Any term that begins so."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """All parts; of none: everything."""

    parts: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any part; of none: nothing."""

    parts: tuple[Sought, ...]


Sought = Indexed | AllOf | AnyOf
"""What the index is asked for. Everything and nothing stand alone, not as parts of others."""


# ------------------------------------------------------------------ filing


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
    validators: Validators = Validators()
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
class Waiting:
    """A row that waits until enough origins report its story, or waited in vain (*suppressed*)."""

    alert: Alert
    story: str
    """Its item's, as it is now."""
    copy_of: str
    """The item whose words its item has; itself where it is no copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A story that is told now, or when ``held`` says."""

    row: str
    """The id of the row that waited for it."""
    alert: NewAlert | None
    """The row that tells it in that one's place; ``None``, or where its key was written before: that one itself."""
    held: Held | None = None
    told_with: tuple[str, ...] = ()
    """The other rows that waited: this tells them too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What becomes of rows that wait for other origins; those that are not named wait on as they are."""

    releases: tuple[Release, ...] = ()
    told_with: Mapping[str, str] = field(default_factory=dict)
    """Row → the alert that has told its story."""
    over: Mapping[str, str] = field(default_factory=dict)
    """Row → why it is not told: its time is over."""
    waits: Mapping[str, str] = field(default_factory=dict)
    """Row → what it waits for."""


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
