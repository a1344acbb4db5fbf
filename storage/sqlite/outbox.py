"""Alert rows: written inside a filing, and what befalls them besides being sent (``messages.py``)."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from config.model.fields import SEVERITIES
from monitor import canary
from monitor.alerts.policy import MUTED, TOLD_WITH
from monitor.model.alerts import Alert, Condition, NewAlert
from storage import rows
from storage.rows import when

# The second test is for items that were merged: their rows keep the keys they had under the old item's id.
_ADD = """
INSERT INTO alerts
  (id, key, watch, channel, item, revision, state, severity, rank, condition, reason, created, due, gather)
SELECT :id, :key, :watch, :channel, :item, :revision, :state, :severity, :rank, :condition, :reason, :now, :due, :gather
WHERE NOT EXISTS (
  SELECT 1 FROM alerts WHERE item = :item AND watch = :watch AND channel = :channel AND state = :state
)
ON CONFLICT (key) DO NOTHING
"""
READ = """
SELECT alerts.*, messages.id AS message_id, messages.attempts, messages.last_error,
  matches.spans, matches.clause, matches.undecided
FROM alerts LEFT JOIN messages ON messages.number = alerts.message
  LEFT JOIN matches ON matches.item = alerts.item AND matches.watch = alerts.watch
    AND matches.revision = alerts.revision
"""
WAITING = "alerts.condition = 'pending' AND alerts.gather GLOB 'corroborated:*'"
"""Rows that wait for other origins (`corroborating.py`): no claim takes them, and nobody was told by them."""
# What was gathered stays as it is; a message of one is dropped with its alert. One that is on its way at this moment
# is delivered all the same when it arrives.
_SUPPRESS = """
UPDATE alerts SET condition = 'suppressed', reason = :reason
WHERE number IN (SELECT value FROM json_each(:numbers)) AND condition = 'pending'
  AND (message IS NULL OR (SELECT members FROM messages WHERE number = alerts.message) = 1)
"""
_DROP = """
UPDATE messages SET condition = 'dropped' WHERE condition = 'pending' AND number IN (
  SELECT message FROM alerts WHERE condition = 'suppressed' AND number IN (SELECT value FROM json_each(:numbers))
)
"""
# Of the rows that an alert held back ("told with ALERT") the first takes its turn, and holds back the others instead:
# the news is told, and told once. The second test of the reason is the index's own.
_TURN_COMES = """
UPDATE alerts SET condition = 'pending', reason = '', due = :now
WHERE number = (
  SELECT number FROM alerts WHERE condition = 'suppressed' AND reason = :told_with || :id AND reason > 'told with '
  ORDER BY created, number LIMIT 1
)
RETURNING id
"""
_HELD_BACK_BY = """
UPDATE alerts SET reason = :told_with || :next
WHERE condition = 'suppressed' AND reason = :told_with || :id AND reason > 'told with '
"""
# By the two indexes of what is pending: rows whose turn has not come, and messages that are tried again.
_OLDEST_DUE = """
SELECT channel, min(due) AS due FROM (
  SELECT channel, due FROM alerts WHERE condition = 'pending' AND message IS NULL AND due <= :now
    AND gather NOT GLOB 'corroborated:*'
  UNION ALL
  SELECT alerts.channel, alerts.due FROM messages JOIN alerts ON alerts.message = messages.number
  WHERE messages.condition = 'pending' AND alerts.condition = 'pending' AND alerts.due <= :now
) GROUP BY channel ORDER BY channel
"""
# What waited for other origins was told by the alert that told its story.
_TOLD = f"""
SELECT alerts.watch, alerts.channel, coalesce(teller.id, alerts.id) AS id
FROM alerts LEFT JOIN alerts AS teller ON teller.id = substr(alerts.reason, 11) AND teller.state = 'corroborated'
  AND alerts.condition = 'suppressed' AND alerts.reason GLOB 'told with *'
WHERE alerts.item IN (SELECT value FROM json_each(?))
  AND (alerts.condition IN ('pending', 'delivered') OR teller.condition IN ('pending', 'delivered'))
  AND NOT ({WAITING})
ORDER BY alerts.created DESC, alerts.number DESC
"""  # noqa: S608 - a text of ours
_LAST = f"""
{READ}
WHERE alerts.item IN (SELECT value FROM json_each(?)) AND alerts.state NOT GLOB 'escalated*'
  AND alerts.condition IN ('pending', 'delivered') AND NOT ({WAITING})
ORDER BY coalesce(alerts.delivered, alerts.due), alerts.number
"""  # noqa: S608 - a text of ours
_RESEND = """
UPDATE alerts SET condition = 'pending', reason = '', due = :now, gather = '', message = NULL, told = 0
WHERE number = :number
"""
# A new fence, so that an attempt that is still on its way cannot settle what was asked for anew.
_LET_GO = "UPDATE messages SET fence = fence + 1, condition = 'dropped' WHERE number = :message AND members = 1"


def alert_id(key: str) -> str:
    """Ten letters and digits that a person can read out, made from the key."""
    digest = blake2b(rows.writable(key).encode(), digest_size=7).digest()
    return base64.b32encode(digest).decode()[:10].lower()


def add(db: sqlite3.Connection, alert: NewAlert, revision: str, now: datetime) -> bool:
    """Write a row unless its key was ever written; whether it was."""
    held = None if alert.suppressed else alert.held
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
        "reason": held.reason if held is not None else alert.suppressed,
        "now": when(now),
        "due": when(held.until if held is not None else now),
        "gather": held.gather if held is not None else "",
    }
    return db.execute(_ADD, values).rowcount == 1


# ------------------------------------------------------------------ looking


def told(db: sqlite3.Connection, items: Sequence[str]) -> Mapping[tuple[str, str], str]:
    found = db.execute(_TOLD, (json.dumps(list(items)),))
    return {(row["watch"], row["channel"]): row["id"] for row in found}  # the earliest comes last and stays


def last(db: sqlite3.Connection, items: Sequence[str]) -> Mapping[tuple[str, str], Alert]:
    found = db.execute(_LAST, (json.dumps(list(items)),))
    return {(row["watch"], row["channel"]): rows.alert(row) for row in found}


def members(db: sqlite3.Connection, message: int) -> tuple[Alert, ...]:
    order = " WHERE alerts.message = ? ORDER BY alerts.rank DESC, alerts.created, alerts.number"
    return tuple(map(rows.alert, db.execute(READ + order, (message,))))


def alerts(
    db: sqlite3.Connection,
    *,
    condition: Condition | None,
    watch: str | None,
    channel: str | None,
    item: str | None,
    message: str | None,
    since: datetime | None,
    changes: bool,
    limit: int,
) -> tuple[Alert, ...]:
    given = {"condition": condition, "watch": watch, "channel": channel, "item": item}
    asked = [f"alerts.{name} = :{name}" for name, value in given.items() if value is not None]
    if message is not None:
        asked.append("alerts.message = (SELECT number FROM messages WHERE id = :message)")
    if since is not None:
        asked.append("alerts.created >= :since")
    if changes:
        asked.append("alerts.state <> 'new'")
    if watch is channel is item is None:
        asked.append(f"alerts.watch <> '{canary.NAME}'")
    where = f" WHERE {' AND '.join(asked)}" if asked else ""
    order = " ORDER BY alerts.created DESC, alerts.number DESC LIMIT :limit"
    return tuple(
        map(
            rows.alert,
            db.execute(READ + where + order, {**given, "message": message, "since": when(since), "limit": limit}),
        )
    )


def alerts_of(db: sqlite3.Connection, items: Mapping[str, str]) -> Mapping[str, tuple[Alert, ...]]:
    """``items``: the ids asked for → those they have now."""
    where = " WHERE alerts.item IN (SELECT value FROM json_each(?)) ORDER BY alerts.created DESC, alerts.number DESC"
    found = db.execute(READ + where, (json.dumps(list(items.values())),))
    held: dict[str, list[Alert]] = {}
    for row in found:
        held.setdefault(row["item"], []).append(rows.alert(row))
    return {asked: tuple(held[item]) for asked, item in items.items() if item in held}


def alert(db: sqlite3.Connection, name: str) -> Alert | None:
    row = db.execute(f"{READ} WHERE alerts.id = ?", (name,)).fetchone()
    return None if row is None else rows.alert(row)


def untold_dead(db: sqlite3.Connection) -> tuple[Alert, ...]:
    found = db.execute(f"{READ} WHERE alerts.condition = 'dead' AND alerts.told = 0 ORDER BY alerts.number")
    return tuple(map(rows.alert, found))


def oldest_due(db: sqlite3.Connection, now: datetime) -> Mapping[str, datetime]:
    return {row["channel"]: rows.moment(row["due"]) for row in db.execute(_OLDEST_DUE, {"now": when(now)})}


# ------------------------------------------------------------------ sent, dead, suppressed, asked for again


def delivered(db: sqlite3.Connection, message: int, now: datetime) -> None:
    db.execute(
        "UPDATE alerts SET condition = 'delivered', delivered = ?, reason = ''"
        " WHERE message = ? AND condition <> 'delivered'",
        (when(now), message),
    )


def died(db: sqlite3.Connection, message: int, detail: str, now: datetime) -> None:
    gone = db.execute(
        "UPDATE alerts SET condition = 'dead', reason = ? WHERE message = ? AND condition = 'pending' RETURNING id",
        (rows.writable(detail), message),
    ).fetchall()
    pass_on(db, [row["id"] for row in gone], now)


def pass_on(db: sqlite3.Connection, gone: Iterable[str], now: datetime) -> None:
    """A dead alert told nobody: a copy of its news that was held back because of it is told instead."""
    for each in gone:
        following = db.execute(_TURN_COMES, {"id": each, "told_with": TOLD_WITH, "now": when(now)}).fetchone()
        if following is not None:
            hold_back_by(db, each, following["id"])


def hold_back_by(db: sqlite3.Connection, alert: str, other: str) -> None:
    """What an alert held back is told with another one."""
    db.execute(_HELD_BACK_BY, {"id": alert, "told_with": TOLD_WITH, "next": other})


def suppress(db: sqlite3.Connection, numbers: Sequence[int], reason: str) -> int:
    """Pending rows that need not be sent; how many those were."""
    if not numbers:
        return 0
    at = {"numbers": json.dumps(list(numbers)), "reason": reason}
    count = db.execute(_SUPPRESS, at).rowcount
    db.execute(_DROP, at)
    return count


def resend(db: sqlite3.Connection, alerts: Sequence[str], now: datetime) -> tuple[str, ...]:
    found = db.execute(
        "SELECT id, number, message FROM alerts WHERE condition IN ('dead', 'suppressed')"
        " AND id IN (SELECT value FROM json_each(?)) ORDER BY number",
        (json.dumps(list(alerts)),),
    ).fetchall()
    for row in found:
        at = {"number": row["number"], "message": row["message"], "now": when(now)}
        db.execute(_LET_GO, at)
        db.execute(_RESEND, at)
    return tuple(row["id"] for row in found)


def acknowledge(db: sqlite3.Connection, alerts: Sequence[str], now: datetime) -> tuple[str, ...]:
    named = {"ids": json.dumps(list(alerts)), "now": when(now)}
    known = db.execute(
        "UPDATE alerts SET acknowledged = coalesce(acknowledged, :now)"
        " WHERE id IN (SELECT value FROM json_each(:ids)) RETURNING id, number",
        named,
    ).fetchall()
    escalated = db.execute(
        "SELECT other.number FROM alerts AS own JOIN alerts AS other USING (watch, item)"
        " WHERE own.id IN (SELECT value FROM json_each(:ids)) AND other.state GLOB 'escalated*'",
        named,
    ).fetchall()
    suppress(db, [row["number"] for row in (*known, *escalated)], "acknowledged")
    return tuple(row["id"] for row in known)


# ------------------------------------------------------------------ mutes


def mute(db: sqlite3.Connection, watch: str, until: datetime | None, now: datetime) -> int:
    db.execute("DELETE FROM mutes WHERE watch = ? OR until <= ?", (watch, when(now)))
    if until is None:
        return 0
    db.execute("INSERT INTO mutes (watch, until) VALUES (?, ?)", (watch, when(until)))
    waiting = db.execute("SELECT number FROM alerts WHERE condition = 'pending' AND watch = ?", (watch,)).fetchall()
    return suppress(db, [row["number"] for row in waiting], MUTED)


def muted(db: sqlite3.Connection, now: datetime) -> Mapping[str, datetime]:
    found = db.execute("SELECT watch, until FROM mutes WHERE until > ? ORDER BY watch", (when(now),))
    return {row["watch"]: rows.moment(row["until"]) for row in found}


def mark_told(db: sqlite3.Connection, alerts: Sequence[str]) -> None:
    db.execute(
        "UPDATE alerts SET told = 1 WHERE condition = 'dead' AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(alerts)),),
    )
