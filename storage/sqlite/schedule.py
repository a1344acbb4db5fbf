"""Sources, hosts, robots rules and article pages: what is due, as columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.model.sources import RobotsCopy, SourceState, Visit, VisitReport
from storage import rows
from storage.rows import when

PAGES_A_VISIT = 10
_HOUR = timedelta(hours=1)

_COLUMNS = (
    "id", "outlet", "url", "host", "next_due", "etag", "last_modified", "body_hash", "outcome", "reason", "excerpt",
    "status", "failures", "last_polled", "last_good", "last_plain", "baselined", "moved_to", "moved_since", "alarm",
    "entries", "late", "last_new", "longest_silence", "rhythm",
)  # fmt: skip
_NAMES, _VALUES = ", ".join(_COLUMNS), ", ".join(f":{name}" for name in _COLUMNS)
_INSERT = f"INSERT INTO sources ({_NAMES}) VALUES ({_VALUES})"  # noqa: S608 - names of ours
_REPLACE = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
# What was learnt of one address says nothing of another: it may have changed while the answer was on its way (F140).
_SAVE = f"{_INSERT} ON CONFLICT (id) DO UPDATE SET {_REPLACE} WHERE url = excluded.url AND host = excluded.host"
# A new address starts afresh: nothing learnt of the old one holds, but its items are no first poll's.
_START_AFRESH = f"{_INSERT} ON CONFLICT (id) DO UPDATE SET {_REPLACE}, baselined = sources.baselined"

# How many pages of each outlet may be asked now: its cap, less those of the hour that ends now; and how many of these
# are kept for pages that were never read. Outlets whose pages are not read any more are not among them.
_ROOM = """
room (outlet, pages, kept) AS MATERIALIZED (
  SELECT outlet, hourly - (
    SELECT count(*) FROM page_visits WHERE page_visits.outlet = page_caps.outlet AND at > :hour_ago
  ), hourly / 3 FROM page_caps
)
"""
_FREE_HOSTS = f"""
WITH {_ROOM}, waiting (host, due) AS (
  SELECT host, next_due FROM sources WHERE in_force AND next_due <= :now
  UNION ALL
  SELECT host, due FROM pages JOIN room USING (outlet)
  WHERE due <= :now AND room.pages > CASE WHEN read IS NULL THEN 0 ELSE room.kept END
)
SELECT waiting.host FROM waiting LEFT JOIN hosts USING (host)
WHERE coalesce(leased_until, '') <= :now AND coalesce(next_ok, '') <= :now
GROUP BY waiting.host ORDER BY min(waiting.due), waiting.host LIMIT :hosts
"""  # noqa: S608 - a text of ours
_LEASE = """
INSERT INTO hosts (host, fence, leased_until) VALUES (:host, 1, :until)
ON CONFLICT (host) DO UPDATE SET fence = fence + 1, leased_until = :until
RETURNING fence, next_ok
"""
_PAGES = f"""
WITH {_ROOM}, waiting AS (
  SELECT pages.*, room.pages AS room, room.kept AS kept,
    row_number() OVER (PARTITION BY outlet ORDER BY read IS NOT NULL, due, item) AS place
  FROM pages JOIN room USING (outlet) WHERE host = :host AND due <= :now
)
SELECT waiting.*, items.first_seen FROM waiting JOIN items ON items.id = waiting.item
WHERE place <= CASE WHEN read IS NULL THEN room ELSE room - kept END
ORDER BY read IS NOT NULL, due, item LIMIT :pages
"""  # noqa: S608 - a text of ours


def register(db: sqlite3.Connection, sources: Sequence[SourceState], pages_of: Mapping[str, int]) -> None:
    db.execute("UPDATE sources SET in_force = 0")
    known = dict(db.execute("SELECT id, url FROM sources").fetchall())
    for state in sources:
        if known.get(state.id) != state.url:
            db.execute(_START_AFRESH, rows.source_columns(state))
    in_force = json.dumps([state.id for state in sources])
    db.execute("UPDATE sources SET in_force = 1 WHERE id IN (SELECT value FROM json_each(?))", (in_force,))
    db.execute("DELETE FROM page_caps")
    db.executemany("INSERT INTO page_caps (outlet, hourly) VALUES (?, ?)", pages_of.items())
    db.execute("DELETE FROM pages WHERE outlet NOT IN (SELECT outlet FROM page_caps)")


def claim(db: sqlite3.Connection, now: datetime, *, hosts: int, lease: timedelta) -> tuple[Visit, ...]:
    free = db.execute(_FREE_HOSTS, {"now": when(now), "hour_ago": when(now - _HOUR), "hosts": hosts}).fetchall()
    visits = (_visit(db, row["host"], now, now + lease) for row in free)
    return tuple(visit for visit in visits if visit is not None)


def _visit(db: sqlite3.Connection, host: str, now: datetime, until: datetime) -> Visit | None:
    """``None``, and no lease: another host's visit of this claim has just taken its outlet's last pages."""
    at = {"host": host, "now": when(now), "until": when(until), "hour_ago": when(now - _HOUR), "pages": PAGES_A_VISIT}
    sources = db.execute(
        "SELECT * FROM sources WHERE host = :host AND in_force AND next_due <= :now ORDER BY next_due, id", at
    ).fetchall()
    pages = db.execute(_PAGES, at).fetchall()
    if not sources and not pages:
        return None
    if pages:
        db.execute("DELETE FROM page_visits WHERE at <= :hour_ago", at)
        asked = [(row["outlet"], at["now"]) for row in pages]
        db.executemany("INSERT INTO page_visits (outlet, at) VALUES (?, ?)", asked)
    taken = db.execute(_LEASE, at).fetchone()
    fence = taken["fence"]
    return Visit(
        host=host,
        fence=fence,
        sources=tuple(_claimed(rows.source(row), fence, rows.moment(taken["next_ok"])) for row in sources),
        pages=tuple(replace(rows.page(row), fence=fence) for row in pages),
        robots=robots(db, host),
    )


def _claimed(state: SourceState, fence: int, next_ok: datetime | None) -> SourceState:
    """Nobody was late while the host wished to be left alone."""
    due = state.next_due if next_ok is None else max(state.next_due, next_ok)
    return replace(state, next_due=due, fence=fence)


def release(db: sqlite3.Connection, report: VisitReport) -> None:
    db.execute(
        "UPDATE hosts SET leased_until = NULL, next_ok = ? WHERE host = ? AND fence = ?",
        (when(report.next_ok), report.host, report.fence),
    )


def release_all(db: sqlite3.Connection) -> None:
    db.execute("UPDATE hosts SET leased_until = NULL WHERE leased_until IS NOT NULL")
    db.execute("UPDATE messages SET leased_until = NULL WHERE condition = 'pending' AND leased_until IS NOT NULL")


_WAITING = (
    ("sources", "next_due"), ("hosts", "next_ok"), ("hosts", "leased_until"), ("pages", "due"), ("alerts", "due"),
    ("messages", "due"), ("messages", "leased_until"),
)  # fmt: skip


def set_back(db: sqlite3.Connection, now: datetime, by: timedelta) -> None:
    """Columns are wall time: what still waits at ``now`` moves with the clock."""
    for table, column in _WAITING:
        later = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} > ?", (when(now),)).fetchall()  # noqa: S608
        _move(db, table, column, later, by)
    # These are past, and make pages wait: all of them move.
    _move(db, "page_visits", "at", db.execute("SELECT rowid, at FROM page_visits").fetchall(), by)


def _move(db: sqlite3.Connection, table: str, column: str, found: Sequence[sqlite3.Row], by: timedelta) -> None:
    moved = [(when(rows.moment(row[1]) - by), row[0]) for row in found]
    db.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", moved)  # noqa: S608 - names of ours


def spread(db: sqlite3.Connection, now: datetime, *, at_once: int, over: timedelta) -> int:
    overdue = db.execute(
        "SELECT host FROM sources WHERE in_force AND next_due <= ? GROUP BY host ORDER BY min(next_due), host",
        (when(now),),
    ).fetchall()
    step = over / max(len(overdue) - at_once, 1)
    db.executemany(
        "UPDATE sources SET next_due = ? WHERE host = ? AND in_force AND next_due <= ?",
        [(when(now + step * max(place - at_once + 1, 0)), row["host"], when(now)) for place, row in enumerate(overdue)],
    )
    return len(overdue)


def mark_due(db: sqlite3.Connection, sources: Sequence[str], now: datetime) -> int:
    wanted = json.dumps(list(sources))
    return db.execute(
        "UPDATE sources SET next_due = ? WHERE in_force AND id IN (SELECT value FROM json_each(?))",
        (when(now), wanted),
    ).rowcount


def save_source(db: sqlite3.Connection, state: SourceState, fence: int | None) -> bool:
    """Write what an answer taught of its source; False, and nothing, when another visit has its host since (an older
    ``fence``) or it has another address."""
    host = db.execute("SELECT fence FROM hosts WHERE host = ?", (state.host,)).fetchone()
    if fence is not None and host is not None and fence < host["fence"]:
        return False
    return db.execute(_SAVE, rows.source_columns(state)).rowcount > 0


def sources(db: sqlite3.Connection) -> tuple[SourceState, ...]:
    return tuple(map(rows.source, db.execute("SELECT * FROM sources WHERE in_force ORDER BY id")))


def robots(db: sqlite3.Connection, host: str) -> RobotsCopy | None:
    row = db.execute("SELECT * FROM robots WHERE host = ?", (host,)).fetchone()
    return None if row is None else rows.robots(row)


def keep_robots(db: sqlite3.Connection, copy: RobotsCopy) -> None:
    db.execute(
        "INSERT INTO robots (host, asked, status, text, good_at) VALUES (:host, :asked, :status, :text, :good_at)"
        " ON CONFLICT (host) DO UPDATE SET asked = :asked, status = :status, text = :text, good_at = :good_at",
        rows.robots_columns(copy),
    )
