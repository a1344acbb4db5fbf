"""Alert rows: written inside a filing, claimed by lease with a fence, settled once."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from config.model import SEVERITIES
from monitor.alerts.policy import TOLD_WITH
from monitor.model import Alert, Condition, Delivery, NewAlert
from storage import rows
from storage.rows import when

# The second test is for items that were merged: their rows keep the keys they had under the old item's id.
_ADD = """
INSERT INTO alerts (id, key, watch, channel, item, revision, state, severity, rank, condition, reason, created, due)
SELECT :id, :key, :watch, :channel, :item, :revision, :state, :severity, :rank, :condition, :reason, :now, :now
WHERE NOT EXISTS (
  SELECT 1 FROM alerts WHERE item = :item AND watch = :watch AND channel = :channel AND state = :state
)
ON CONFLICT (key) DO NOTHING
"""
_READ = """
SELECT alerts.*, matches.spans, matches.clause, matches.undecided
FROM alerts LEFT JOIN matches USING (item, watch, revision)
"""
_CLAIM = """
UPDATE alerts SET fence = fence + 1, attempts = attempts + 1, leased_until = :until
WHERE number IN (
  SELECT number FROM alerts
  WHERE condition = 'pending' AND due <= :now AND coalesce(leased_until, '') <= :now
  ORDER BY rank DESC, created, number LIMIT :limit
)
RETURNING number
"""
# True whatever was decided about the row meanwhile (merged, buried): it has been sent, and never will be again.
_DELIVERED = """
UPDATE alerts SET condition = 'delivered', delivered = :now, reason = '', last_error = '', leased_until = NULL
WHERE id = :id AND fence = :fence AND condition <> 'delivered'
"""
_PUT_OFF = """
UPDATE alerts SET due = :due, last_error = :detail, leased_until = NULL
WHERE id = :id AND fence = :fence AND condition = 'pending'
"""
_BURIED = """
UPDATE alerts SET condition = 'dead', reason = :detail, last_error = :detail, leased_until = NULL
WHERE id = :id AND fence = :fence AND condition = 'pending'
"""
# Of the rows that an alert held back ("told with ALERT"; none is older than it) the first takes its turn, and holds
# back the others instead: the news is told, and told once.
_TURN_COMES = """
UPDATE alerts SET condition = 'pending', reason = '', due = :now, resent = :now
WHERE number = (
  SELECT held.number FROM alerts AS held JOIN alerts AS gone
    ON gone.id = :id AND held.watch = gone.watch AND held.channel = gone.channel AND held.created >= gone.created
  WHERE held.condition = 'suppressed' AND held.reason = :told_with || :id
  ORDER BY held.created, held.number LIMIT 1
)
RETURNING id
"""
_HELD_BACK_BY = """
UPDATE alerts SET reason = :told_with || :next
WHERE condition = 'suppressed' AND reason = :told_with || :id
  AND created >= (SELECT created FROM alerts WHERE id = :id)
"""


def alert_id(key: str) -> str:
    """Ten letters and digits that a person can read out, made from the key."""
    digest = blake2b(rows.writable(key).encode(), digest_size=7).digest()
    return base64.b32encode(digest).decode()[:10].lower()


def add(db: sqlite3.Connection, alert: NewAlert, revision: str, now: datetime) -> bool:
    """Write a row unless its key was ever written; whether it was."""
    values = {
        "id": alert_id(alert.key),
        "key": alert.key,
        "watch": alert.watch,
        "channel": alert.channel,
        "item": alert.item,
        "revision": revision,
        "state": alert.state,
        "severity": alert.severity,
        "rank": SEVERITIES.index(alert.severity),
        "condition": "suppressed" if alert.suppressed else "pending",
        "reason": alert.suppressed,
        "now": when(now),
    }
    return db.execute(_ADD, values).rowcount == 1


def told(db: sqlite3.Connection, items: Sequence[str]) -> Mapping[tuple[str, str], str]:
    found = db.execute(
        "SELECT watch, channel, id FROM alerts WHERE item IN (SELECT value FROM json_each(?))"
        " AND condition IN ('pending', 'delivered') ORDER BY created DESC, number DESC",
        (json.dumps(list(items)),),
    )
    return {(row["watch"], row["channel"]): row["id"] for row in found}  # the earliest comes last and stays


def claim_alerts(db: sqlite3.Connection, now: datetime, *, limit: int, lease: timedelta) -> tuple[Alert, ...]:
    claimed = db.execute(_CLAIM, {"now": when(now), "until": when(now + lease), "limit": limit}).fetchall()
    numbers = json.dumps([row["number"] for row in claimed])
    order = " WHERE number IN (SELECT value FROM json_each(?)) ORDER BY rank DESC, created, number"
    return tuple(map(rows.alert, db.execute(_READ + order, (numbers,))))


def settle(db: sqlite3.Connection, alert: Alert, delivery: Delivery, *, now: datetime, due: datetime | None) -> bool:
    if delivery.verdict == "sent":
        change = _DELIVERED
    elif delivery.verdict == "later" and due is not None:
        change = _PUT_OFF
    else:
        change = _BURIED
    at = {
        "id": alert.id,
        "fence": alert.fence,
        "now": when(now),
        "due": when(due),
        "detail": rows.writable(delivery.detail),
    }
    kept = db.execute(change, at).rowcount == 1
    if kept and change is _BURIED:
        _pass_on(db, alert.id, now)
    return kept


def _pass_on(db: sqlite3.Connection, gone: str, now: datetime) -> None:
    """A dead alert told nobody: a copy of its news that was held back because of it is told instead."""
    names = {"id": gone, "told_with": TOLD_WITH, "now": when(now)}
    following = db.execute(_TURN_COMES, names).fetchone()
    if following is not None:
        db.execute(_HELD_BACK_BY, {**names, "next": following["id"]})


def alerts(
    db: sqlite3.Connection, *, condition: Condition | None, watch: str | None, item: str | None, limit: int
) -> tuple[Alert, ...]:
    given = {"condition": condition, "watch": watch, "item": item}
    asked = [f"alerts.{name} = :{name}" for name, value in given.items() if value is not None]
    where = f" WHERE {' AND '.join(asked)}" if asked else ""
    found = db.execute(f"{_READ}{where} ORDER BY created DESC, number DESC LIMIT :limit", {**given, "limit": limit})
    return tuple(map(rows.alert, found))


def resend(db: sqlite3.Connection, alert: str, now: datetime) -> bool:
    """A new fence, so that an attempt that is still on its way cannot settle what was asked for anew."""
    return (
        db.execute(
            "UPDATE alerts SET condition = 'pending', reason = '', due = ?1, resent = ?1, attempts = 0,"
            " fence = fence + 1, leased_until = NULL, told = 0 WHERE id = ?2 AND condition IN ('dead', 'suppressed')",
            (when(now), alert),
        ).rowcount
        == 1
    )


def hurry(db: sqlite3.Connection, channel: str, now: datetime) -> int:
    return db.execute(
        "UPDATE alerts SET due = :now WHERE condition = 'pending' AND channel = :channel AND due > :now",
        {"now": when(now), "channel": channel},
    ).rowcount


def bury(db: sqlite3.Connection, channels: Sequence[str], now: datetime) -> int:
    """Each row says when, since dead letters are looked at much later."""
    return db.execute(
        "UPDATE alerts SET condition = 'dead', leased_until = NULL,"
        " reason = 'channel ' || channel || ' is not configured any more (' || :now || ')'"
        " WHERE condition = 'pending' AND channel NOT IN (SELECT value FROM json_each(:channels))",
        {"now": when(now), "channels": json.dumps(list(channels))},
    ).rowcount


def untold_dead(db: sqlite3.Connection) -> tuple[Alert, ...]:
    found = db.execute(f"{_READ} WHERE alerts.condition = 'dead' AND alerts.told = 0 ORDER BY alerts.number")
    return tuple(map(rows.alert, found))


def mark_told(db: sqlite3.Connection, alerts: Sequence[str]) -> None:
    db.execute(
        "UPDATE alerts SET told = 1 WHERE condition = 'dead' AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(alerts)),),
    )
