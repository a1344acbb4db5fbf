"""Rows that wait until enough origins report their story: what is asked about them, and what becomes of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from monitor.alerts.corroboration import STATE
from monitor.alerts.policy import TOLD_WITH
from monitor.model.alerts import Release, Settled, Waiting
from monitor.model.items import Item
from monitor.model.stories import Story
from storage import rows
from storage.rows import when
from storage.sqlite import outbox, stories

_EVENT = """
WITH named (story) AS (SELECT value FROM json_each(:stories)),
near (story) AS (
  SELECT story FROM named
  UNION SELECT value FROM json_each(:linked) WHERE NOT EXISTS (
    SELECT 1 FROM story_rulings JOIN named USING (story) WHERE other = value AND ruling = 'unlinked'
  )
  UNION SELECT other FROM links WHERE story IN (SELECT story FROM named)
),
spoken (language) AS (
  SELECT :language UNION SELECT language FROM items WHERE story IN (SELECT story FROM near)
)
SELECT story FROM near
UNION
SELECT other FROM links WHERE story IN (SELECT story FROM near)
  AND (SELECT language FROM items WHERE items.story = other LIMIT 1) NOT IN (SELECT language FROM spoken)
"""
# Where the row that told it died, one that was held back with it tells the story instead.
_TOLD = """
SELECT alerts.watch, alerts.channel, alerts.id FROM items JOIN alerts ON alerts.item = items.id
WHERE items.story IN (SELECT value FROM json_each(:stories))
  AND alerts.condition IN ('pending', 'delivered') AND alerts.gather NOT GLOB 'corroborated:*'
  AND (alerts.state = :state OR EXISTS (
    SELECT 1 FROM alerts AS dead JOIN items AS its ON its.id = dead.item
    WHERE its.story IN (SELECT value FROM json_each(:stories)) AND dead.state = :state AND dead.condition = 'dead'
      AND dead.watch = alerts.watch AND dead.channel = alerts.channel
  ))
ORDER BY alerts.created DESC, alerts.number DESC
"""
_ITEMS = """
SELECT items.*, '' AS revision, '' AS body, '' AS html FROM items
WHERE story IN (SELECT value FROM json_each(?)) ORDER BY first_seen, number
"""
_IN_VAIN = "alerts.condition = 'suppressed' AND alerts.reason GLOB 'not corroborated: *'"
_OPEN = f"alerts.message IS NULL AND (({outbox.WAITING}) OR ({_IN_VAIN}))"
_OF_STORIES = f"""
SELECT alerts.number, items.story, coalesce(items.copy_of, items.id) AS original
FROM items CROSS JOIN alerts ON alerts.item = items.id
WHERE items.story IN (SELECT value FROM json_each(?)) AND {_OPEN} ORDER BY alerts.number
"""  # noqa: S608 - texts of ours, as below
_OF_ALL = f"""
SELECT alerts.number, items.story, coalesce(items.copy_of, items.id) AS original
FROM alerts JOIN items ON items.id = alerts.item WHERE {outbox.WAITING} ORDER BY alerts.number
"""  # noqa: S608
_CLOSE = f"""
UPDATE alerts SET condition = 'suppressed', reason = :reason, gather = ''
WHERE id IN (SELECT value FROM json_each(:rows)) AND {_OPEN}
"""  # noqa: S608
_LET_GO = f"""
UPDATE alerts SET condition = 'pending', reason = :reason, due = :due, gather = :gather WHERE id = :row AND {_OPEN}
"""  # noqa: S608
_WAITS = f"UPDATE alerts SET reason = :reason WHERE id = :row AND reason <> :reason AND {outbox.WAITING}"  # noqa: S608


def event(
    db: sqlite3.Connection, names: Sequence[str], linked: Sequence[str] = (), language: str = ""
) -> tuple[str, ...]:
    now = {name: stories.current(db, name) for name in (*names, *linked)}
    asked = {
        "stories": json.dumps([now[name] for name in names]),
        "linked": json.dumps([now[name] for name in linked]),
        "language": language,
    }
    return tuple(sorted(row["story"] for row in db.execute(_EVENT, asked)))


def told_of(db: sqlite3.Connection, names: Sequence[str]) -> Mapping[tuple[str, str], str]:
    found = db.execute(_TOLD, {"stories": json.dumps(list(names)), "state": STATE})
    return {(row["watch"], row["channel"]): row["id"] for row in found}  # the first comes last and stays


def items_of(db: sqlite3.Connection, names: Sequence[str]) -> tuple[Item, ...]:
    return tuple(map(rows.item, db.execute(_ITEMS, (json.dumps(list(names)),))))


def waiting(db: sqlite3.Connection, names: Sequence[str] | None = None) -> tuple[Waiting, ...]:
    found = db.execute(_OF_ALL) if names is None else db.execute(_OF_STORIES, (json.dumps(list(names)),))
    places = {row["number"]: row for row in found}
    if not places:
        return ()
    read = f"{outbox.READ} WHERE alerts.number IN (SELECT value FROM json_each(?)) ORDER BY alerts.number"  # noqa: S608
    return tuple(
        Waiting(alert=rows.alert(row), story=places[row["number"]]["story"], copy_of=places[row["number"]]["original"])
        for row in db.execute(read, (json.dumps(list(places)),))
    )


def stories_of(db: sqlite3.Connection, name: str) -> tuple[Story, ...]:
    own = stories.story(db, name)
    if own is None:
        return ()
    others = (stories.story(db, each) for each in event(db, (own.id,)) if each != own.id)
    return (own, *(each for each in others if each is not None))


# ------------------------------------------------------------------ what becomes of them


def settle(db: sqlite3.Connection, settled: Settled, now: datetime) -> tuple[int, int]:
    """How many rows became due, and how many are suppressed (by this, or for another reason than before)."""
    closed = sum(_told_with(db, alert, (row,)) for row, alert in settled.told_with.items())
    closed += sum(_close(db, (row,), reason) for row, reason in settled.over.items())
    for row, reason in settled.waits.items():
        db.execute(_WAITS, {"row": row, "reason": reason})
    for release in settled.releases:
        closed += _release(db, release, now)
    return len(settled.releases), closed


def _release(db: sqlite3.Connection, release: Release, now: datetime) -> int:
    row, alert = release.row, release.alert
    if alert is not None:
        revision = db.execute("SELECT revision FROM alerts WHERE id = ?", (row,)).fetchone()["revision"]
        if outbox.add(db, alert, revision, now):
            return _told_with(db, outbox.alert_id(alert.key), (row, *release.told_with))
    held = release.held
    db.execute(
        _LET_GO,
        {
            "row": row, "reason": held.reason if held else "", "due": when(held.until if held else now),
            "gather": held.gather if held else "",
        },
    )  # fmt: skip
    return _told_with(db, row, release.told_with)


def _told_with(db: sqlite3.Connection, alert: str, told: Iterable[str]) -> int:
    return _close(db, told, f"{TOLD_WITH}{alert}")


def _close(db: sqlite3.Connection, closed: Iterable[str], reason: str) -> int:
    return db.execute(_CLOSE, {"rows": json.dumps(list(closed)), "reason": reason}).rowcount
