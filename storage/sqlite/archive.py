"""Reading what was filed: items, revisions, search, counts."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor import canary
from monitor.model import Candidate, Item, Revision
from storage import rows
from storage.rows import when
from storage.sqlite.decisions import resolve
from storage.sqlite.texts import ITEM

# One row per candidate key: [candidate id, text hash, has body, key]. A text among those kept was matched when it came.
_UNCHANGED = """
SELECT DISTINCT json_extract(asked.value, '$[0]') AS id
FROM json_each(:asked) AS asked
JOIN item_keys ON item_keys.outlet = :outlet AND item_keys.key = json_extract(asked.value, '$[3]')
JOIN items ON items.id = item_keys.item
JOIN revisions AS held ON held.number = items.current
WHERE (NOT json_extract(asked.value, '$[2]') OR held.body <> '')
  AND EXISTS (
    SELECT 1 FROM revisions
    WHERE revisions.item = items.id
      AND substr(revisions.text_hash, 1, length(json_extract(asked.value, '$[1]'))) = json_extract(asked.value, '$[1]')
  )
"""
# A title finds more surely what an item is about than a word in its body.
_SEARCH = f"""
{ITEM} JOIN search ON search.rowid = items.number
WHERE search MATCH :words AND items.source <> :canaries
ORDER BY bm25(search, 4.0, 1.0), items.first_seen DESC LIMIT :limit
"""
_CUT = re.compile(r"[^0-9A-Za-z\x80-\U0010ffff]+")
# Of a table that has them, canaries (a few dozen) are counted by themselves: a count of a whole table is read off an
# index, one with a condition is not.
_TABLES = {
    "items": "SELECT count(*) FROM items",
    "revisions": "SELECT count(*) FROM revisions",
    "matches": "SELECT count(*) FROM matches",
    "quarantined": "SELECT count(*) FROM quarantine WHERE filed IS NULL",
    "sources": "SELECT count(*) FROM sources WHERE in_force",
}
_CANARIES = {
    "items": "SELECT count(*) FROM items WHERE source = ?",
    "revisions": "SELECT count(*) FROM revisions WHERE item IN (SELECT id FROM items WHERE source = ?)",
    "matches": "SELECT count(*) FROM matches WHERE item IN (SELECT id FROM items WHERE source = ?)",
}
_ALERTS = "SELECT condition, count(*) FROM alerts GROUP BY condition"
_CANARY_ALERTS = """
SELECT condition, count(*) FROM alerts WHERE item IN (SELECT id FROM items WHERE source = ?) GROUP BY condition
"""
_CONDITIONS = ("pending", "delivered", "dead", "suppressed")


def unchanged(db: sqlite3.Connection, outlet: str, candidates: Sequence[Candidate]) -> frozenset[str]:
    asked = [[each.id, each.text_hash, bool(each.entry.body), key] for each in candidates for key in each.keys]
    found = db.execute(_UNCHANGED, {"asked": rows.plain_json(asked), "outlet": outlet})
    return frozenset(row["id"] for row in found)


def item(db: sqlite3.Connection, name: str) -> Item | None:
    """Also by the id of an item that was merged into it."""
    row = db.execute(f"{ITEM} WHERE items.id = ?", (resolve(db, name),)).fetchone()
    return None if row is None else rows.item(row)


def items(
    db: sqlite3.Connection,
    *,
    limit: int,
    outlet: str | None,
    language: str | None,
    watch: str | None,
    since: datetime | None,
    before: datetime | None,
    oldest_first: bool,
) -> tuple[Item, ...]:
    asked = {
        "items.outlet = :outlet": outlet,
        "items.language = :language": language,
        "items.id IN (SELECT item FROM matches WHERE watch = :watch)": watch,
        "items.first_seen >= :since": since,
        "items.first_seen < :before": before,
    }
    chosen = [clause for clause, value in asked.items() if value is not None]
    if outlet is None:
        chosen.append("items.source <> :canaries")
    where = " AND ".join(chosen) or "true"
    order = "items.first_seen, items.number" if oldest_first else "items.first_seen DESC, items.number DESC"
    found = db.execute(
        f"{ITEM} WHERE {where} ORDER BY {order} LIMIT :limit",
        {
            "limit": limit,
            "canaries": canary.SOURCE,
            "outlet": outlet,
            "language": language,
            "watch": watch,
            "since": when(since),
            "before": when(before),
        },
    )
    return tuple(map(rows.item, found))


def search(db: sqlite3.Connection, terms: Sequence[str], limit: int) -> tuple[Item, ...]:
    """Each term is cut as the index's tokeniser cuts, and quoted: nothing in it is a word of FTS5's query language."""
    words = [word for term in terms for word in _CUT.split(rows.writable(term)) if word]
    if not words:
        return ()
    asked = {"words": " AND ".join(f'"{word}"' for word in words), "canaries": canary.SOURCE, "limit": limit}
    return tuple(map(rows.item, db.execute(_SEARCH, asked)))


def revisions(db: sqlite3.Connection, name: str) -> tuple[Revision, ...]:
    found = db.execute("SELECT * FROM revisions WHERE item = ? ORDER BY seen, number", (resolve(db, name),))
    return tuple(map(rows.revision, found))


def count(db: sqlite3.Connection) -> Mapping[str, int]:
    """Every condition is named, also when no alert is in it."""
    own = (canary.SOURCE,)
    counts: dict[str, int] = {name: db.execute(sql).fetchone()[0] for name, sql in _TABLES.items()}
    for name, sql in _CANARIES.items():
        counts[name] -= db.execute(sql, own).fetchone()[0]
    found = dict(db.execute(_ALERTS).fetchall())
    canaries = dict(db.execute(_CANARY_ALERTS, own).fetchall())
    return counts | {name: found.get(name, 0) - canaries.get(name, 0) for name in _CONDITIONS}
