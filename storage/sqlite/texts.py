"""An item's texts: its revisions, which of them is current, and its terms in full-text search."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from monitor.language.index import index_facts, index_text
from monitor.model.items import Item, Revision
from storage import rows
from storage.rows import when

MOST_REVISIONS = 24

Terms = tuple[str, str, str, str, str]
"""Of each column of ``search``."""

ITEM = """
SELECT items.*, revisions.id AS revision, revisions.body, revisions.html, revisions.source AS told_by
FROM items JOIN revisions ON revisions.number = items.current
"""
"""Items with their current text, ready for `rows.item`."""

_KEEP_BODY = """
UPDATE revisions SET body = now_body, html = now_html
FROM (
  SELECT body AS now_body, html AS now_html FROM revisions
  WHERE number = (SELECT current FROM items WHERE id = :item)
)
WHERE number = :revision AND body = ''
"""
_DROPPED = """
SELECT number, id FROM revisions WHERE item = :item AND number <> :current
  AND number <> (SELECT number FROM revisions WHERE item = :item ORDER BY seen, number LIMIT 1)
ORDER BY seen DESC, number DESC LIMIT -1 OFFSET :kept
"""
# A counter in a text makes an edit of every poll: what was held back of a dropped text goes with it.
_DROP_HELD_BACK = "DELETE FROM alerts WHERE item = :item AND state = :state AND condition = 'suppressed'"
# What a dropped text matched goes with it, unless an alert tells it or it is all we know of that watch and item.
_DROP_MATCHES = """
DELETE FROM matches WHERE item = :item AND revision = :revision
  AND NOT EXISTS (
    SELECT 1 FROM alerts
    WHERE alerts.item = :item AND alerts.watch = matches.watch AND alerts.revision = :revision
  )
  AND EXISTS (
    SELECT 1 FROM matches AS other
    WHERE other.item = :item AND other.watch = matches.watch AND other.revision <> :revision
  )
"""


def insert(db: sqlite3.Connection, revision: Revision, *, source: str, updated: str | None, html: str) -> int:
    """Keep one more text of an item; its number."""
    number = db.execute(
        "INSERT INTO revisions (id, item, seen, source, updated, title, lead, body, html, text_hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            revision.id, revision.item, when(revision.seen), source, updated, revision.title, revision.lead,
            revision.body, html, revision.text_hash,
        ),
    ).lastrowid  # fmt: skip
    assert number is not None
    return number


def cap(db: sqlite3.Connection, item: str, current: int) -> int:
    """Keep the first text, the current one and the newest others, 24 in all (F71); how many there are now."""
    asked = {"item": item, "current": current, "kept": MOST_REVISIONS - 2}
    dropped = db.execute(_DROPPED, asked).fetchall()
    for row in dropped:
        db.execute("DELETE FROM revisions WHERE number = ?", (row["number"],))
        db.execute(_DROP_HELD_BACK, {"item": item, "state": f"edited:{row['id']}"})
        db.execute(_DROP_MATCHES, {"item": item, "revision": row["id"]})
    count: int = db.execute(
        "UPDATE items SET revisions = (SELECT count(*) FROM revisions WHERE item = :item) WHERE id = :item"
        " RETURNING revisions",
        asked,
    ).fetchone()["revisions"]
    return count


def make_current(db: sqlite3.Connection, item: str, revision: int, source: str) -> None:
    """A source went back to a text it had told before. A body that came since stays: the source takes none away."""
    db.execute(_KEEP_BODY, {"item": item, "revision": revision})
    db.execute("UPDATE revisions SET source = ? WHERE number = ?", (source, revision))
    db.execute(
        "UPDATE items SET current = number_, title = title_, lead = lead_"
        " FROM (SELECT number AS number_, title AS title_, lead AS lead_ FROM revisions WHERE number = ?) WHERE id = ?",
        (revision, item),
    )


def terms(item: Item) -> Terms:
    """What an item is found by."""
    return (
        index_text(item.title),
        index_text(item.lead, item.body),
        index_text(item.author),
        index_text(item.url or ""),
        index_facts(outlet=item.outlet, source=item.source, language=item.language, kind=item.kind),
    )


def current_terms(db: sqlite3.Connection, item: str) -> tuple[int, Terms]:
    """An item's number, and what it is found by as it is now."""
    row = db.execute(f"{ITEM} WHERE items.id = ?", (item,)).fetchone()
    return row["number"], terms(rows.item(row))


def index(db: sqlite3.Connection, found_by: Mapping[int, Terms]) -> None:
    """Put items into the index, or put them anew.

    Call it outside savepoints, and keep each statement to one row: FTS5 writes all it has gathered to the disk at the
    end of each savepoint, and SQLite sets one around a statement of many rows (150 µs an item, measured).
    """
    if not found_by:
        return
    numbers = (json.dumps(list(found_by)),)
    # Some may have been merged since.
    there = db.execute("SELECT number FROM items WHERE number IN (SELECT value FROM json_each(?))", numbers)
    indexed = db.execute("SELECT rowid FROM search WHERE rowid IN (SELECT value FROM json_each(?))", numbers)
    db.executemany("DELETE FROM search WHERE rowid = ?", [(row["rowid"],) for row in indexed.fetchall()])
    db.executemany(
        "INSERT INTO search (rowid, title, text, author, url, facts) VALUES (?, ?, ?, ?, ?, ?)",
        [(row["number"], *found_by[row["number"]]) for row in there.fetchall()],
    )
