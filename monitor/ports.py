"""The seams: what the core asks of a store, a channel and a clock.

Store methods are asynchronous and may be called from the event loop only. Each raises `StoreBusy`,
`StoreFull` or `StoreUnusable` when the store itself fails, and then nothing of the call is kept.
A store is chosen by URL (``storage.open_store``); its contract tests run over every implementation.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from monitor.model.alerts import Alert, Condition, Escalation, Settled, Tended, Waiting
from monitor.model.entries import Candidate
from monitor.model.filing import Change, Decision, Filed, Filing
from monitor.model.items import EVERYTHING, Hits, Item, Matched, Reported, Revision, Spot, Wanted, Whereabouts
from monitor.model.messages import Delivery, Message, Parcel, Room
from monitor.model.reviews import Remark, RemarkKind, Review, Tally
from monitor.model.sought import Sought
from monitor.model.sources import PageDue, RobotsCopy, SourceState, Visit, VisitReport
from monitor.model.stories import Correction, Rulings, Story, StorySize

Progress = Callable[[int, int], None]
"""Told of long work, so much done of about so much; from a thread of the store's."""


class Clock(Protocol):
    """Time, so that tests and the demo can set it.

    ``now`` is the wall clock, which may be set or sped up; ``monotonic`` and ``sleep`` count the machine's own seconds,
    and never go back: limits and deadlines are made of them.
    """

    @property
    def pace(self) -> float:
        """Seconds of the wall clock in one of the machine's: 1, but for a demo that plays a day in a minute. Leases
        stand in the store in wall time, so they are multiplied by it."""
        ...

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Schedule(Protocol):
    """What is due, as columns. Called by the heartbeat."""

    async def register(self, sources: Sequence[SourceState], pages_of: Mapping[str, int]) -> None:
        """The sources in force. New ones are added as given, known ones keep their state; one whose ``url``
        changed starts afresh but keeps its baseline; others are set aside with their history, not polled.
        ``pages_of``: the outlets whose article pages are read → how many of them an hour; the queued pages of all
        others are forgotten."""
        ...

    async def claim(self, now: datetime, *, hosts: int, lease: timedelta) -> tuple[Visit, ...]:
        """Lease at most ``hosts`` hosts that have something due and may be asked now. A host is held by one
        visit until `release` or until the lease ends; `fence` grows with each claim. Sources come with the time from
        which they could be asked as their ``next_due``: a host's wish to be left alone makes nobody late. At most 10
        pages a visit, and no more of an outlet within any hour than it was registered with: a page counts when it is
        handed out. Pages that were never read come first, and a third of an hour's pages is kept for them."""
        ...

    async def release(self, report: VisitReport) -> None:
        """Give a host back. A report with an old fence changes nothing."""
        ...

    async def release_all(self) -> None:
        """Give every lease back: at start, when the service lock shows that no other service lives."""
        ...

    async def set_back(self, now: datetime, by: timedelta) -> None:
        """The wall clock was set back by ``by`` and says ``now``: whatever waits (sources, hosts, pages, alerts,
        leases) waits as long as it would have, not ``by`` longer (F116)."""
        ...

    async def spread(self, now: datetime, *, at_once: int, over: timedelta) -> int:
        """After a time in which nothing was asked (F118): the sources of the ``at_once`` hosts that are overdue longest
        are due now, those of the others evenly within ``over``. How many hosts were overdue."""
        ...

    async def mark_due(self, sources: Sequence[str], now: datetime) -> int:
        """Make sources due now, and say how many there were."""
        ...

    async def sources(self) -> tuple[SourceState, ...]:
        """All sources in force, by id."""
        ...

    async def robots(self, host: str) -> RobotsCopy | None: ...

    async def keep_robots(self, copy: RobotsCopy) -> None: ...

    async def settle_page(self, item: str, *, retry_at: datetime | None) -> None:
        """Take an article page from the queue, or put it off: no answer of it could be filed."""
        ...


class Ledger(Protocol):
    """What a decision may look up inside the filing transaction."""

    def exists(self, item: str) -> bool: ...

    def copies(self, item: str) -> tuple[str, ...]:
        """The item's group: the original and all its copies, without ``item`` itself."""
        ...

    def told(self, items: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """(watch, channel) → id of the earliest alert of these items that is pending or delivered, or *corroborated*
        and told the story of one of them. What waits for other origins may never be told and is not among them."""
        ...

    def story_of(self, story: str) -> tuple[str, ...]:
        """The items of a story."""
        ...

    def last(self, items: Sequence[str]) -> Mapping[tuple[str, str], Alert]:
        """(watch, channel) → the alert of these items that was delivered last, or is pending and leaves later. Without
        what waits for other origins."""
        ...

    def muted(self) -> Collection[str]:
        """Watches that are muted now."""
        ...

    def event(self, stories: Sequence[str], linked: Sequence[str] = (), *, language: str = "") -> tuple[str, ...]:
        """The stories whose origins count together: these, those of other languages linked to them, and those linked
        to one of them in a language that none of them has. ``linked`` and ``language``: of these stories, what the
        store does not know yet."""
        ...

    def told_of(self, stories: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """(watch, channel) → id of the first alert *corroborated* of these stories that is pending or delivered."""
        ...

    def items_of(self, stories: Sequence[str]) -> tuple[Item, ...]:
        """The items of these stories without their texts below the lead, in the order in which we saw them."""
        ...

    def waiting(self, stories: Sequence[str] | None = None) -> tuple[Waiting, ...]:
        """Rows of these stories that wait for other origins, or waited in vain, the oldest first. ``None``: all that
        still wait."""
        ...

    def rulings(self, after: int) -> Rulings | None:
        """What corrections since the one of this number mean; ``None``: there was none."""
        ...


class Decide(Protocol):
    """Called inside the transaction, in order, once for each candidate that is new or has a new text.
    It must not block: no look-ups but the ledger's."""

    def __call__(self, change: Change, ledger: Ledger, /) -> Decision: ...


class Settle(Protocol):
    """Called inside the transaction that changed this story, or with ``None`` about all that wait for other origins.
    As `Decide`."""

    def __call__(self, story: str | None, ledger: Ledger, /) -> Settled: ...


class Archive(Protocol):
    """Items, revisions, matches."""

    async def unchanged(self, outlet: str, candidates: Sequence[Candidate]) -> frozenset[str]:
        """Ids of those candidates whose latest text we hold already: a saving, not a promise."""
        ...

    async def file(self, filing: Filing, decide: Decide, settle: Settle | None = None) -> Filed:
        """All of one answer in one transaction: items, revisions, matches, alert rows, article pages to read, and
        last the source's state. What is new is decided by the unique key in the insert. A candidate that fails is
        rolled back alone, kept in quarantine with its reason, and then ``filing.held`` is written, not ``after``;
        neither is when another visit has the host since (``filing.fence``) or the source has another address.
        The first reading of an item's article page is always decided, with ``completed``, another one only if the page
        has another text (`monitor.stories.prose`); the item keeps the headline and lead it has. A page that cannot be
        filed three times leaves the queue. An item whose page is withdrawn is marked and decided once, with
        ``withdrawn``; it is unmarked when its page is there again, or a source lists it with a new text. What a change
        means for rows that wait for other origins is asked (``settle``) once it is written, with its item's story."""
        ...

    async def item(self, item: str) -> Item | None: ...

    async def items(
        self, wanted: Wanted = EVERYTHING, *, limit: int = 50, oldest_first: bool = False, after: Spot | None = None
    ) -> tuple[Item, ...]:
        """Newest first by first-seen time; ``after``: what comes after this spot in that order. Canaries
        (`monitor.canary`) are left out, as in `holding` and `count`, unless their outlet is asked for."""
        ...

    async def how_many(self, wanted: Wanted = EVERYTHING, *, at_most: int) -> int:
        """How many items are wanted; counting stops at ``at_most``."""
        ...

    async def matches(self, items: Sequence[str]) -> Mapping[str, tuple[Matched, ...]]:
        """Item → by watch, what it matches: in its current text, or in the latest one that the watch was found in.
        Items that nothing matched are missing; one that was merged into another stands under the id it was asked by."""
        ...

    def holding(
        self, sought: Sought, wanted: Wanted = EVERYTHING, *, most: int, after: Spot | None = None
    ) -> AsyncGenerator[tuple[Item, ...], None]:
        """The newest ``most`` items whose index entries hold what is sought, as `items` lists them, in portions: the
        candidates of a search (`monitor.watches.search`)."""
        ...

    async def revisions(self, item: str) -> tuple[Revision, ...]:
        """Oldest first."""
        ...

    async def whereabouts(self, item: str) -> tuple[Whereabouts, ...]:
        """What befell the item's address, the oldest first."""
        ...

    async def reconsider(self, settle: Settle, now: datetime) -> int:
        """Ask about all rows that wait for other origins: their time passes, corrections and another configuration
        change what is decided. How many rows it changed, but for what they wait for."""
        ...

    async def story(self, story: str) -> Story | None:
        """Also by the id of a story that was merged into it."""
        ...

    async def event(self, story: str) -> tuple[Story, ...]:
        """A story, and after it those whose origins count with its own (`Ledger.event`)."""
        ...

    async def stories(
        self,
        *,
        limit: int = 50,
        language: str | None = None,
        watch: str | None = None,
        since: datetime | None = None,
        outlets: int = 1,
    ) -> tuple[Story, ...]:
        """Those that were told last first; with at least so many outlets, and of a watch only those that have an item
        it matched."""
        ...

    async def story_sizes(self, names: Sequence[str], /) -> Mapping[str, StorySize]:
        """Those of these stories that are held."""
        ...

    async def count(self) -> Mapping[str, int]:
        """``items``, ``revisions``, ``matches``, ``quarantined``, ``sources``, and alerts by condition."""
        ...

    async def prune(self, *, bodies_before: datetime, revisions_before: datetime, identity_before: datetime) -> int:
        """Remove old texts; identity and alert keys go only before ``identity_before``."""
        ...

    async def forget_canaries(self, before: datetime) -> int:
        """Remove the canaries filed before, with all that is theirs, but for those that are still to be sent."""
        ...


class Outbox(Protocol):
    """Alert rows on their way out, and the messages that carry them."""

    async def claim_messages(
        self, now: datetime, *, rooms: Mapping[str, Room], lease: timedelta
    ) -> tuple[Message, ...]:
        """Lease what is due on the channels that have room, most severe first, then oldest; on one that is only probed
        first what was tried least.

        A row whose turn comes gets its message: alone, or with all due rows of its ``gather``. More than ten messages
        of a watch on a channel within five minutes, each of one alert or of one story's follow-ups, are a flood: the
        next rows wait half a minute and leave together. ``fence`` and ``attempts`` of a message grow with each claim.
        """
        ...

    async def settle(self, message: Message, delivery: Delivery, *, now: datetime, due: datetime | None) -> bool:
        """Record one attempt, for all alerts of the message. *sent* → delivered; *later* with ``due`` → pending until
        then; *later* without, and *refused* → dead. False, and nothing changes, when the message was claimed again
        since (older fence).

        A row that dies has told nobody: the first of the rows suppressed as *told with* it becomes due, and the others
        are *told with* that one."""
        ...

    async def alerts(
        self,
        *,
        condition: Condition | None = None,
        watch: str | None = None,
        channel: str | None = None,
        item: str | None = None,
        message: str | None = None,
        since: datetime | None = None,
        changes: bool = False,
        limit: int = 50,
    ) -> tuple[Alert, ...]:
        """Newest first; ``since``: made then or later, ``changes``: not of items that were simply new. Of canaries only
        when their watch, channel or item is asked for."""
        ...

    async def alerts_of(self, items: Sequence[str]) -> Mapping[str, tuple[Alert, ...]]:
        """Item → all its rows, newest first; items without any are missing, and merged ones as in `matches`."""
        ...

    async def alert(self, alert: str) -> Alert | None: ...

    async def oldest_due(self, now: datetime) -> Mapping[str, datetime]:
        """Channel → since when the row has been due that waits longest there; a channel where none waits is missing."""
        ...

    async def resend(self, alerts: Sequence[str], now: datetime) -> tuple[str, ...]:
        """Make dead or suppressed alerts due now, alone and under their old keys; the ids of those that were."""
        ...

    async def acknowledge(self, alerts: Sequence[str], now: datetime) -> tuple[str, ...]:
        """Somebody has seen to these alerts: nothing of the same watch and item is escalated, and what is still
        waiting to leave alone is suppressed. The ids that exist; those acknowledged before keep their time."""
        ...

    async def mute(self, watch: str, until: datetime | None, now: datetime) -> int:
        """Suppress what the watch says until then, on every channel, and its rows that wait to leave; how many those
        were. ``None``: it speaks again."""
        ...

    async def muted(self, now: datetime) -> Mapping[str, datetime]:
        """Watch → until when it is muted."""
        ...

    async def hurry(self, channel: str, now: datetime) -> int:
        """Make a channel's backed-off messages due: it answers again."""
        ...

    async def tend(
        self,
        now: datetime,
        *,
        channels: Collection[str],
        watches: Collection[str],
        escalations: Sequence[Escalation],
        give_up: timedelta,
    ) -> Tended:
        """Look after what no claim sees: pending rows of channels that are not configured (any more), and of messages
        that are ``give_up`` late, become dead letters; those of watches that are not, suppressed; critical alerts that
        nobody acknowledged in time get a row *escalated* on another channel."""
        ...

    async def untold_dead(self) -> tuple[Alert, ...]:
        """Dead letters that the desk was not told of (`mark_told`), the oldest first."""
        ...

    async def mark_told(self, alerts: Sequence[str]) -> None:
        """The desk was told of these dead letters. One that is sent again and dies again is untold."""
        ...


class Reviews(Protocol):
    """What reviewers said of items, and the counts that a review page shows."""

    async def remark(
        self, items: Sequence[str], *, by: str, kind: RemarkKind, value: str, now: datetime
    ) -> tuple[Remark, ...]:
        """Write one remark for each of these items that exists, in one transaction; what was written. An item that was
        merged into another is that other. ``ValueError`` for a value that is none of the kind's (`Remark.value`), a
        note without a text, and a remark without a name."""
        ...

    async def undo(self, remarks: Sequence[int], *, by: str) -> tuple[Remark, ...]:
        """Take back remarks of this reviewer; those that were. What counted before them counts again."""
        ...

    async def reviews(self, items: Sequence[str]) -> Mapping[str, Review]:
        """Item → what counts now; items of which nothing was said are missing."""
        ...

    async def remarks(self, item: str) -> tuple[Remark, ...]:
        """All that was said of an item, the oldest first, with what was taken back."""
        ...

    async def tallies(
        self, *, since: datetime, before: datetime, step: timedelta, watch: str | None = None
    ) -> tuple[Tally, ...]:
        """Counts of items by stretches of ``step`` from ``since`` on; stretches without any are left out. Whole days go
        by the calendar of ``since``'s own zone: one in which the clock changes has 23 or 25 hours. With a watch
        (``*``: any) only what it matched."""
        ...

    async def hits(self, *, since: datetime, zone: ZoneInfo) -> tuple[Hits, ...]:
        """What each watch found on each day of the zone, the oldest first; days without anything are left out. An item
        counts on the day it was first seen, however many of its texts the watch found."""
        ...


class Corrections(Protocol):
    """What reviewers decided about stories, origins and copies, against what was found.

    Each holds for what comes later, too; alerts are never touched by one. A story may be named by an id that it had
    before it was merged, an item by one that it had. Each is one transaction that shares its commit with no other: who
    learns of a correction inside a filing (`Ledger.rulings`) can rely on it.

    `UnknownName` for what names nothing, `CannotCorrect` for what makes no sense or holds already: nothing changed.
    """

    async def split(self, story: str, items: Sequence[str], *, by: str, now: datetime) -> Correction:
        """These items of the story tell another event: they are a new story (``other``), never merged with the rest by
        itself. Not all of its items."""
        ...

    async def merge_stories(self, story: str, into: str, *, by: str, now: datetime) -> Correction:
        """Two stories of one language are one: ``into``, which both ids find."""
        ...

    async def keep_apart(self, one: str, other: str, *, by: str, now: datetime) -> Correction:
        """Two stories of one language tell two events and are never merged by themselves."""
        ...

    async def link_stories(self, one: str, other: str, *, by: str, now: datetime) -> Correction:
        """Two stories of different languages tell one event."""
        ...

    async def unlink_stories(self, one: str, other: str, *, by: str, now: datetime) -> Correction:
        """Two stories of different languages do not tell one event: they are never linked again by themselves."""
        ...

    async def correct_origin(self, item: str, origin: Reported | None, *, by: str, now: datetime) -> Correction:
        """Whose reporting an item is (`monitor.stories.reported.by_word`); ``None``: its outlet's own. It counts for
        every later text of the item."""
        ...

    async def correct_copy(self, item: str, of: str | None, *, by: str, now: datetime) -> Correction:
        """An item has the words of another of its language, and then stands in that one's story with its own copies; or
        is no copy, and stays where it is."""
        ...

    async def undo_correction(self, number: int, *, by: str, now: datetime) -> Correction:
        """Take a correction back; the one that does it. Items that were moved return, where they still stand where it
        put them; items that came to a split-off story since go with them, those that came to a merged one stay."""
        ...

    async def corrections(self, *, story: str | None = None, limit: int = 50) -> tuple[Correction, ...]:
        """The newest first; of a story, those that name it, an id it had, or an item that stands in it."""
        ...

    async def rulings(self) -> Rulings:
        """What holds now, to begin with: without ``stories``, which the items themselves tell."""
        ...


class Store(Schedule, Archive, Outbox, Reviews, Corrections, Protocol):
    """Everything that is kept, behind one connection string."""

    async def backup(self, path: str, progress: Progress = lambda done, whole: None) -> None:
        """A whole, consistent copy at ``path`` while the service goes on; refuses to overwrite."""
        ...

    async def pulse(self, now: datetime) -> None:
        """Write something small, and only that: an error shows that nothing can be written."""
        ...

    async def check(self) -> tuple[str, ...]:
        """What is wrong with the store, in words; empty when nothing is."""
        ...

    @property
    def risks(self) -> tuple[str, ...]:
        """What is not wrong and may go wrong one day, in words: said at start."""
        ...

    def give_up_sooner(self) -> None:
        """The service stops: from now on nobody waits for another program longer than a moment."""
        ...

    async def close(self) -> None: ...


class Channel(Protocol):
    """Where alerts go. ``send`` never raises for what a receiver does and ends within its deadline (20 s).

    ``at_once``: how many messages may be on their way to it at a time. ``names``: how many alerts one message can name.
    """

    id: str
    at_once: int
    names: int

    async def send(self, parcel: Parcel) -> Delivery:
        """One message; its key goes with it so that the receiver can drop a repeat."""
        ...

    async def close(self) -> None: ...


__all__ = [
    "Archive", "Channel", "Clock", "Corrections", "Decide", "Ledger", "Outbox", "PageDue", "Progress", "Reviews",
    "Schedule", "Store",
]  # fmt: skip
