"""Looking after the outbox: rows that no claim will ever see, and critical alerts that nobody acknowledged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from monitor.model.alerts import Escalation, NewAlert, Tended
from storage.rows import when
from storage.sqlite import outbox

ESCALATED = "escalated"
_AT_MOST_LATE = timedelta(days=1)
"""An alert that is later than this is history: a rule written today does not fire on it."""

# Each row says when, since dead letters are looked at much later.
_OF_NO_CHANNEL = """
UPDATE alerts SET condition = 'dead',
  reason = 'channel ' || channel || ' is not configured any more (' || :now || ')'
WHERE condition = 'pending' AND channel NOT IN (SELECT value FROM json_each(:channels))
"""
# A gathered message is given up whole: it stays as it is while any of its alerts is not too late.
_TOO_LATE = """
UPDATE alerts SET condition = 'dead', reason = 'not delivered in ' || :hours || ' hours' || coalesce(
  (SELECT ': ' || last_error FROM messages WHERE number = alerts.message AND last_error <> ''), '')
WHERE condition = 'pending' AND due <= :too_late AND gather NOT GLOB 'corroborated:*'
  AND NOT EXISTS (SELECT 1 FROM alerts AS other WHERE other.message = alerts.message AND other.due > :too_late)
  AND NOT EXISTS (SELECT 1 FROM messages WHERE number = alerts.message AND leased_until > :now)
RETURNING id
"""
# Also one that is on its way: if it arrives, it is delivered.
_WITHOUT_ALERTS = """
UPDATE messages SET condition = 'dead' WHERE condition = 'pending'
  AND NOT EXISTS (SELECT 1 FROM alerts WHERE message = messages.number AND condition = 'pending')
"""
_OF_NO_WATCH = """
SELECT number FROM alerts WHERE condition = 'pending' AND watch NOT IN (SELECT value FROM json_each(:watches))
"""
_UNACKNOWLEDGED = """
SELECT watch, item, state, revision, severity FROM alerts AS own
WHERE channel = :channel AND rank = 3 AND acknowledged IS NULL AND created > :oldest AND due <= :late
  AND state NOT GLOB 'escalated*' AND condition IN ('pending', 'delivered', 'dead') AND gather NOT GLOB 'corroborated:*'
  AND NOT EXISTS (SELECT 1 FROM mutes WHERE mutes.watch = own.watch AND until > :now)
  AND NOT EXISTS (
    SELECT 1 FROM alerts AS other WHERE other.item = own.item AND other.watch = own.watch
    AND (other.acknowledged >= own.created
      OR (other.state GLOB 'escalated*' AND other.channel = :to AND other.created >= own.created))
  )
ORDER BY number
"""


def tend(
    db: sqlite3.Connection,
    now: datetime,
    *,
    channels: Collection[str],
    watches: Collection[str],
    escalations: Sequence[Escalation],
    give_up: timedelta,
) -> Tended:
    at = {
        "now": when(now),
        "channels": json.dumps(sorted(channels)),
        "watches": json.dumps(sorted(watches)),
        "too_late": when(now - give_up),
        "hours": round(give_up.total_seconds() / 3600),
    }
    of_no_channel = db.execute(_OF_NO_CHANNEL, at).rowcount
    too_late = [row["id"] for row in db.execute(_TOO_LATE, at).fetchall()]
    db.execute(_WITHOUT_ALERTS)
    outbox.pass_on(db, too_late, now)
    unwatched = [row["number"] for row in db.execute(_OF_NO_WATCH, at)]
    return Tended(
        buried=of_no_channel + len(too_late),
        suppressed=outbox.suppress(db, unwatched, "watch removed"),
        escalated=sum(_escalate(db, rule, now) for rule in escalations),
    )


def _escalate(db: sqlite3.Connection, rule: Escalation, now: datetime) -> int:
    at = {
        "channel": rule.channel,
        "to": rule.to,
        "now": when(now),
        "late": when(now - rule.after),
        "oldest": when(now - rule.after - _AT_MOST_LATE),
    }
    count = 0
    # Of several that nobody acknowledged the newest: it tells how the item reads now.
    newest = {(row["watch"], row["item"]): row for row in db.execute(_UNACKNOWLEDGED, at)}
    for row in newest.values():
        told = NewAlert(
            watch=row["watch"], channel=rule.to, item=row["item"], severity=row["severity"],
            state=ESCALATED if row["state"] == "new" else f"{ESCALATED}:{row['state']}",
        )  # fmt: skip
        count += outbox.add(db, told, row["revision"], now)
    return count
