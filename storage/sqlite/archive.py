"""Reading what was filed: items, revisions, counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from monitor import canary
from monitor.model.entries import Candidate
from monitor.model.items import Item, Matched, Revision
from storage import rows
from storage.sqlite.decisions import resolve, resolved
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
_MATCHES = """
SELECT matches.* FROM (SELECT DISTINCT value AS item FROM json_each(?)) AS asked
CROSS JOIN matches ON matches.item = asked.item
CROSS JOIN items ON items.id = matches.item
CROSS JOIN revisions ON revisions.number = items.current
ORDER BY matches.watch, revisions.id = matches.revision, matches.found
"""
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


def revisions(db: sqlite3.Connection, name: str) -> tuple[Revision, ...]:
    found = db.execute("SELECT * FROM revisions WHERE item = ? ORDER BY seen, number", (resolve(db, name),))
    return tuple(map(rows.revision, found))


def matches(db: sqlite3.Connection, items: Sequence[str]) -> Mapping[str, tuple[Matched, ...]]:
    named = resolved(db, items)
    held: dict[str, dict[str, Matched]] = {}
    for row in db.execute(_MATCHES, (json.dumps(list(named.values())),)):
        held.setdefault(row["item"], {})[row["watch"]] = rows.matched(row)  # the best comes last and stays
    return {asked: tuple(held[item].values()) for asked, item in named.items() if item in held}


def count(db: sqlite3.Connection) -> Mapping[str, int]:
    """Every condition is named, also when no alert is in it."""
    own = (canary.SOURCE,)
    counts: dict[str, int] = {name: db.execute(sql).fetchone()[0] for name, sql in _TABLES.items()}
    for name, sql in _CANARIES.items():
        counts[name] -= db.execute(sql, own).fetchone()[0]
    found = dict(db.execute(_ALERTS).fetchall())
    canaries = dict(db.execute(_CANARY_ALERTS, own).fetchall())
    return counts | {name: found.get(name, 0) - canaries.get(name, 0) for name in _CONDITIONS}
