"""Rows of the outbox: one for each watch, channel, item and state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from config.model.fields import ChangeClass, Severity
from monitor.model.items import Item, Match, Whereabouts
from monitor.model.stories import Story

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

    @property
    def cause(self) -> str:
        """Its state, or that of the alert of a later text that nobody acknowledged, which it tells again."""
        return self.state.removeprefix("escalated:")


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
