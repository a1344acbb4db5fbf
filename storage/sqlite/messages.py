"""Messages: made of alert rows whose turn has come, claimed by lease with a fence, settled once.

A channel's turn takes, most severe first, what is ready of three kinds: a message that was tried before, a row that
leaves alone, and rows that were held back to leave together. A message's alerts are frozen when it is made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.alerts.waiting import COOLDOWN
from monitor.model.messages import Delivery, Message, MessageKind, Room
from storage import rows
from storage.rows import when
from storage.sqlite import outbox

FLOOD = 10
FLOOD_WINDOW = timedelta(minutes=5)
FLOOD_WAIT = timedelta(seconds=30)
CRITICAL_FLOOD_WAIT = timedelta(seconds=5)
"""So many single messages of a watch on a channel in so long; the rows after them are gathered for so long."""
_CRITICAL = 3

_TRIED = """
SELECT number, attempts, rank, created FROM messages
WHERE channel = :channel AND condition = 'pending' AND due <= :now AND coalesce(leased_until, '') <= :now
ORDER BY rank DESC, created, number LIMIT 1
"""
_TRIED_LEAST = """
SELECT number, attempts, rank, created FROM messages
WHERE channel = :channel AND condition = 'pending' AND due <= :now AND coalesce(leased_until, '') <= :now
ORDER BY attempts, rank DESC, created, number LIMIT 1
"""
_ALONE = """
SELECT number, watch, 0 AS attempts, rank, created FROM alerts
WHERE channel = :channel AND condition = 'pending' AND message IS NULL AND gather = '' AND due <= :now
ORDER BY rank DESC, created, number LIMIT 1
"""
_TOGETHER = """
SELECT gather, 0 AS attempts, max(rank) AS rank, min(created) AS created FROM alerts
WHERE channel = :channel AND condition = 'pending' AND message IS NULL AND gather <> '' AND due <= :now
  AND gather NOT GLOB 'corroborated:*'
GROUP BY gather ORDER BY 3 DESC, 4 LIMIT 1
"""
_GATHERED = """
SELECT number, key, watch, rank FROM alerts
WHERE channel = :channel AND condition = 'pending' AND message IS NULL AND gather = :gather AND due <= :now
ORDER BY rank DESC, created, number LIMIT :limit
"""
# Single alerts, and the follow-ups of a story. None is of a time to come, unless the clock was set back since (F116).
_SINGLES = """
SELECT count(*) FROM messages
WHERE channel = :channel AND watch = :watch AND kind IN ('alert', 'cooldown') AND created > :since AND created <= :now
"""
# With those that wait already, if these leave sooner.
_FLOOD = """
UPDATE alerts SET gather = :gather, reason = :reason, due = min(:later, coalesce(
  (SELECT min(due) FROM alerts WHERE channel = :channel AND condition = 'pending' AND message IS NULL
   AND gather = :gather AND due > :now), :later))
WHERE channel = :channel AND watch = :watch AND condition = 'pending' AND message IS NULL AND due <= :now
  AND (gather = '' OR gather GLOB :cooldown)
"""
# A key that was used before: its alerts were asked for again.
_MAKE = """
INSERT INTO messages (id, key, channel, watch, members, kind, rank, condition, created, due)
VALUES (:id, :key, :channel, :watch, :members, :kind, :rank, 'pending', :now, :now)
ON CONFLICT (key) DO UPDATE SET kind = :kind, rank = :rank, condition = 'pending', created = :now, due = :now,
  attempts = 0, fence = fence + 1, leased_until = NULL, last_error = ''
RETURNING number
"""
_LEASE = """
UPDATE messages SET fence = fence + 1, attempts = attempts + 1, leased_until = :until WHERE number = :number
RETURNING *
"""
# What was sent is delivered whatever was decided about its alerts meanwhile (merged, muted, buried).
_SETTLE = """
UPDATE messages
SET condition = :condition, last_error = :detail, due = coalesce(:due, due), taken = :taken, leased_until = NULL
WHERE id = :id AND fence = :fence
  AND (condition = 'pending' OR (:condition = 'delivered' AND condition <> 'delivered'))
RETURNING number
"""


def claim(db: sqlite3.Connection, now: datetime, *, rooms: Mapping[str, Room], lease: timedelta) -> tuple[Message, ...]:
    return tuple(
        message for channel, room in rooms.items() for message in _Turn(db, channel, room, now).taken(now + lease)
    )


class _Turn:
    """One channel's turn within a claim."""

    def __init__(self, db: sqlite3.Connection, channel: str, room: Room, now: datetime) -> None:
        self.db, self.room, self.now = db, room, now
        self.at = {"channel": channel, "now": when(now)}

    def taken(self, until: datetime) -> Iterator[Message]:
        left = self.room.messages
        while left > 0 and (number := self._next()) is not None:
            left -= 1
            yield self._leased(number, until)

    def _next(self) -> int | None:
        """The message whose turn it is, made of rows when none that was tried before comes first."""
        tried = _TRIED_LEAST if self.room.probing else _TRIED
        while True:
            ready = [
                (found["attempts"] if self.room.probing else 0, -found["rank"], found["created"], make, found)
                for query, make in ((tried, self._tried), (_ALONE, self._alone), (_TOGETHER, self._together))
                if (found := self.db.execute(query, self.at).fetchone()) is not None
            ]
            if not ready:
                return None
            *_order, make, found = min(ready, key=lambda each: each[:3])
            if (number := make(found)) is not None:
                return number

    @staticmethod
    def _tried(found: sqlite3.Row) -> int:
        return int(found["number"])

    def _alone(self, found: sqlite3.Row) -> int | None:
        if self._flooded(found["watch"], found["rank"]):
            return None
        query = "SELECT number, key, watch, rank FROM alerts WHERE number = ?"
        return self._made("alert", self.db.execute(query, (found["number"],)).fetchall())

    def _together(self, found: sqlite3.Row) -> int | None:
        kind, _, rest = found["gather"].partition(":")
        if kind == "cooldown" and self._flooded(rest.partition(":")[0], found["rank"]):
            return None
        query = {**self.at, "gather": found["gather"], "limit": self.room.alerts}
        return self._made(kind, self.db.execute(_GATHERED, query).fetchall())

    def _flooded(self, watch: str, rank: int) -> bool:
        """Whether a watch has said enough for now in single messages: then its rows wait, to leave together."""
        at = {**self.at, "watch": watch}
        singles = self.db.execute(_SINGLES, {**at, "since": when(self.now - FLOOD_WINDOW)}).fetchone()[0]
        if singles < FLOOD:
            return False
        wait = CRITICAL_FLOOD_WAIT if rank == _CRITICAL else FLOOD_WAIT
        minutes = round(FLOOD_WINDOW.total_seconds() / 60)
        flood = {
            "gather": f"flood:{watch}",
            "reason": f"more than {FLOOD} alerts of this watch in {minutes} minutes: gathered",
            "later": when(self.now + wait),
            "cooldown": f"{COOLDOWN}*",
        }
        self.db.execute(_FLOOD, {**at, **flood})
        return True

    def _made(self, kind: MessageKind, members: list[sqlite3.Row]) -> int:
        keys, watches = [row["key"] for row in members], {row["watch"] for row in members}
        key = keys[0] if len(keys) == 1 else gathered_key(self.at["channel"], keys)
        made = self.db.execute(
            _MAKE,
            {
                **self.at,
                "id": f"m{outbox.alert_id(key)}",
                "key": key,
                "watch": watches.pop() if len(watches) == 1 else None,
                "members": len(members),
                "kind": kind,
                "rank": max(row["rank"] for row in members),
            },
        ).fetchone()["number"]
        self.db.execute(
            "UPDATE alerts SET message = ? WHERE number IN (SELECT value FROM json_each(?))",
            (made, json.dumps([row["number"] for row in members])),
        )
        return int(made)

    def _leased(self, number: int, until: datetime) -> Message:
        row = self.db.execute(_LEASE, {"number": number, "until": when(until)}).fetchone()
        return rows.message(row, outbox.members(self.db, number))


def gathered_key(channel: str, keys: list[str]) -> str:
    """The same alerts in any order have the same key."""
    digest = blake2b("\n".join(sorted(keys)).encode(errors="replace"), digest_size=10).hexdigest()
    return f"gathered|{channel}|{digest}"


def settle(
    db: sqlite3.Connection, message: Message, delivery: Delivery, *, now: datetime, due: datetime | None
) -> bool:
    if delivery.verdict == "sent":
        condition = "delivered"
    else:
        condition = "pending" if delivery.verdict == "later" and due is not None else "dead"
    settled = db.execute(
        _SETTLE,
        {
            "condition": condition,
            "detail": "" if condition == "delivered" else rows.writable(delivery.detail),
            "due": when(due),
            "taken": json.dumps(sorted({*message.taken, *delivery.taken})),
            "id": message.id,
            "fence": message.fence,
        },
    ).fetchone()
    if settled is None:
        return False
    if condition == "delivered":
        outbox.delivered(db, settled["number"], now)
    elif condition == "dead":
        outbox.died(db, settled["number"], delivery.detail, now)
    return True


def hurry(db: sqlite3.Connection, channel: str, now: datetime) -> int:
    return db.execute(
        "UPDATE messages SET due = :now WHERE condition = 'pending' AND channel = :channel AND due > :now",
        {"now": when(now), "channel": channel},
    ).rowcount
