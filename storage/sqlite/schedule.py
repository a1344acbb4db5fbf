"""Sources, hosts, robots rules and article pages: what is due, as columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.model import RobotsCopy, SourceState, Visit, VisitReport
from storage import rows
from storage.rows import when

PAGES_A_VISIT = 10

_COLUMNS = (
    "id", "outlet", "url", "host", "next_due", "etag", "last_modified", "body_hash", "outcome", "reason", "excerpt",
    "status", "failures", "last_polled", "last_good", "last_plain", "baselined", "moved_to", "moved_since", "alarm",
    "entries",
)  # fmt: skip
_NAMES, _VALUES = ", ".join(_COLUMNS), ", ".join(f":{name}" for name in _COLUMNS)
_INSERT = f"INSERT INTO sources ({_NAMES}, told_url) VALUES ({_VALUES}, :url)"  # noqa: S608 - names of ours
_REPLACE = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
_SAVE = f"{_INSERT} ON CONFLICT (id) DO UPDATE SET {_REPLACE}"
# A new address starts afresh: nothing learnt of the old one holds, but its items are no first poll's.
_START_AFRESH = f"{_INSERT} ON CONFLICT (id) DO UPDATE SET {_REPLACE}, told_url = :url, baselined = sources.baselined"

_FREE_HOSTS = """
WITH waiting (host, due) AS (
  SELECT host, next_due FROM sources WHERE in_force AND next_due <= :now
  UNION ALL
  SELECT host, due FROM pages WHERE due <= :now
)
SELECT waiting.host FROM waiting LEFT JOIN hosts USING (host)
WHERE coalesce(leased_until, '') <= :now AND coalesce(next_ok, '') <= :now
GROUP BY waiting.host ORDER BY min(waiting.due), waiting.host LIMIT :hosts
"""
_LEASE = """
INSERT INTO hosts (host, fence, leased_until) VALUES (:host, 1, :until)
ON CONFLICT (host) DO UPDATE SET fence = fence + 1, leased_until = :until
RETURNING fence
"""


def register(db: sqlite3.Connection, sources: Sequence[SourceState]) -> None:
    db.execute("UPDATE sources SET in_force = 0")
    told = dict(db.execute("SELECT id, told_url FROM sources").fetchall())
    for state in sources:
        if told.get(state.id) != state.url:
            db.execute(_START_AFRESH, rows.source_columns(state))
    in_force = json.dumps([state.id for state in sources])
    db.execute("UPDATE sources SET in_force = 1 WHERE id IN (SELECT value FROM json_each(?))", (in_force,))


def claim(db: sqlite3.Connection, now: datetime, *, hosts: int, lease: timedelta) -> tuple[Visit, ...]:
    free = db.execute(_FREE_HOSTS, {"now": when(now), "hosts": hosts}).fetchall()
    return tuple(_visit(db, row["host"], now, now + lease) for row in free)


def _visit(db: sqlite3.Connection, host: str, now: datetime, until: datetime) -> Visit:
    at = {"host": host, "now": when(now), "until": when(until), "pages": PAGES_A_VISIT}
    fence = db.execute(_LEASE, at).fetchone()["fence"]
    sources = db.execute(
        "SELECT * FROM sources WHERE host = :host AND in_force AND next_due <= :now ORDER BY next_due, id", at
    )
    pages = db.execute("SELECT * FROM pages WHERE host = :host AND due <= :now ORDER BY due, item LIMIT :pages", at)
    return Visit(
        host=host,
        fence=fence,
        sources=tuple(map(rows.source, sources)),
        pages=tuple(map(rows.page, pages)),
        robots=robots(db, host),
    )


def release(db: sqlite3.Connection, report: VisitReport) -> None:
    db.execute(
        "UPDATE hosts SET leased_until = NULL, next_ok = ?, requests = requests + ?, failure = ?"
        " WHERE host = ? AND fence = ?",
        (when(report.next_ok), report.requests, rows.writable(report.failure), report.host, report.fence),
    )


def release_all(db: sqlite3.Connection) -> None:
    db.execute("UPDATE hosts SET leased_until = NULL WHERE leased_until IS NOT NULL")
    db.execute("UPDATE alerts SET leased_until = NULL WHERE condition = 'pending' AND leased_until IS NOT NULL")


_WAITING = (
    ("sources", "next_due"), ("hosts", "next_ok"), ("hosts", "leased_until"), ("pages", "due"), ("alerts", "due"),
    ("alerts", "leased_until"),
)  # fmt: skip


def set_back(db: sqlite3.Connection, now: datetime, by: timedelta) -> None:
    """Columns are wall time: what still waits at ``now`` moves with the clock."""
    for table, column in _WAITING:
        later = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} > ?", (when(now),)).fetchall()  # noqa: S608
        moved = [(when(rows.moment(row[1]) - by), row[0]) for row in later]
        db.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", moved)  # noqa: S608 - names of ours


def mark_due(db: sqlite3.Connection, sources: Sequence[str], now: datetime) -> int:
    wanted = json.dumps(list(sources))
    return db.execute(
        "UPDATE sources SET next_due = ? WHERE in_force AND id IN (SELECT value FROM json_each(?))",
        (when(now), wanted),
    ).rowcount


def save_source(db: sqlite3.Connection, state: SourceState) -> None:
    db.execute(_SAVE, rows.source_columns(state))


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


def settle_page(db: sqlite3.Connection, item: str, retry_at: datetime | None) -> None:
    """``item`` may be the id of one that was merged meanwhile."""
    merged = db.execute("SELECT item FROM merged_items WHERE id = ?", (item,)).fetchone()
    known = merged["item"] if merged else item
    if retry_at is None:
        db.execute("DELETE FROM pages WHERE item = ?", (known,))
    else:
        db.execute("UPDATE pages SET due = ?, attempts = attempts + 1 WHERE item = ?", (when(retry_at), known))
