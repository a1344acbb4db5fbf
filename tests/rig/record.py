"""What the promises are checked against: what receivers got, and what is true of the world and the configuration.

Both are kept apart from the service: receivers write down what reaches them, the driver of a run knows what it
published and when it killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.hook import Received, Say

OWN_WATCHES = ("wirewatch-notices", "wirewatch-canary")
"""What the service says of itself: told like news, and never due by anything that was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message as a receiver met it, in the order of arrival."""

    at: datetime
    """By the clock of the service."""
    channel: str
    key: str
    members: tuple[str, ...]
    """The keys of the alerts it tells."""
    life: int
    """Of the service: each start is one more."""
    taken: bool
    """The receiver has it, whatever it answered."""
    answered: bool
    """The receiver said that it has it."""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What must hold. What is left empty is not checked."""

    now: datetime
    due: frozenset[str] = frozenset()
    """Keys of the alert rows that are due by what was published and listed."""
    may: frozenset[str] = frozenset()
    """``watch|channel|item`` of rows that may follow besides, in whatever state (edits, escalations)."""
    speaks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Watch → the channels it speaks to."""
    recorded: frozenset[str] = frozenset()
    """Channels whose receivers write down what they get."""
    in_flight: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Life that was killed → the alerts that a receiver had and the store did not know as delivered."""
    at_once: int = 8
    """Messages that one channel may have under way."""
    articles: frozenset[str] | None = None
    """Ids of the items that may be in the store (the service's own are not among them); ``None``: any."""
    seen: frozenset[str] = frozenset()
    """Ids of the items that stood in an answer which is recorded as read."""
    listed: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """(source, ETag) → ids of the items in the answer that carried it."""
    sources: Mapping[str, timedelta] = field(default_factory=dict)
    """Sources that are configured → their longest interval."""
    born: datetime | None = None
    """When the present life of the service began; ``None``: the store is looked at between two lives."""
    sound: frozenset[str] = frozenset()
    """Channels whose receivers take everything."""
    prompt: timedelta = timedelta(minutes=2)
    """Within so long what may leave leaves them."""
    secrets: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    """Where a secret must not stand."""
    steady: bool = True
    """The service's clock was never set back, so that times can be compared."""
    trespasses: tuple[str, ...] = ()
    """Requests to addresses that nothing allows."""


def told_in(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of the alerts that a message's JSON tells."""
    if payload["kind"] == "alert":
        return (payload["key"],)
    return tuple(each["key"] for each in payload["alerts"])


def of_webhook(
    received: Iterable[Received], said: Iterable[Say], *, channel: str, life: int, ahead: timedelta = timedelta()
) -> list[Sent]:
    """What a webhook's receiver got, and answered, in one life of a service whose clock is ``ahead``."""
    return [
        Sent(
            at=each.at + ahead, channel=channel, key=each.key, members=told_in(each.json), life=life,
            taken=200 <= answer.status < 300, body=each.body.decode(),
            answered=200 <= answer.status < 300 and not (answer.close or answer.gate or answer.after or answer.drip),
        )
        for each, answer in zip(received, said, strict=True)
    ]  # fmt: skip


def written(sent: Sent) -> str:
    """One line of a receiver's file."""
    return json.dumps(
        {
            "at": sent.at.isoformat(), "channel": sent.channel, "key": sent.key, "members": sent.members,
            "life": sent.life, "taken": sent.taken, "answered": sent.answered, "body": sent.body,
        }
    )  # fmt: skip


def read(line: str) -> Sent:
    told = json.loads(line)
    return Sent(**{**told, "at": datetime.fromisoformat(told["at"]), "members": tuple(told["members"])})
