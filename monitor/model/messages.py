"""What carries alerts to a channel, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from config.model.fields import Severity
from monitor.model.alerts import Alert, Telling

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
