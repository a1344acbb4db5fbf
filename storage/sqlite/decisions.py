"""What a decision may look up, and what it leaves behind: matches, alert rows, the copy link, a page to read."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from monitor.errors import AddressRefused
from monitor.hosts import host_of
from monitor.model import Alert, Change, Decision, Item, Match
from storage import rows
from storage.rows import when
from storage.sqlite import outbox, stories

log = logging.getLogger(__name__)

_GROUP = """
WITH own (id, root) AS (SELECT id, coalesce(copy_of, id) FROM items WHERE id = ?)
SELECT items.id FROM items JOIN own ON items.id = own.root WHERE items.id <> own.id
UNION ALL
SELECT items.id FROM items JOIN own ON items.copy_of = own.root WHERE items.id <> own.id
"""
# A text that is matched a second time (its first body came) is found by what it is now.
_MATCH = """
INSERT INTO matches (item, watch, revision, spans, clause, undecided, found)
VALUES (:item, :watch, :revision, :spans, :clause, :undecided, :found)
ON CONFLICT (item, watch, revision)
DO UPDATE SET spans = :spans, clause = :clause, undecided = :undecided
"""


class Ledger:
    """`monitor.ports.Ledger` on the open transaction."""

    def __init__(self, db: sqlite3.Connection, now: datetime) -> None:
        self._db = db
        self._now = now

    def exists(self, item: str) -> bool:
        return resolve(self._db, item) is not None

    def copies(self, item: str) -> tuple[str, ...]:
        found = self._db.execute(_GROUP, (resolve(self._db, item),))
        return tuple(row["id"] for row in found)

    def told(self, items: Sequence[str]) -> Mapping[tuple[str, str], str]:
        return outbox.told(self._db, self._resolved(items))

    def last(self, items: Sequence[str]) -> Mapping[tuple[str, str], Alert]:
        return outbox.last(self._db, self._resolved(items))

    def story_of(self, story: str) -> tuple[str, ...]:
        return stories.items_of(self._db, story)

    def muted(self) -> Collection[str]:
        return outbox.muted(self._db, self._now)

    def _resolved(self, items: Sequence[str]) -> list[str]:
        return [found for item in items if (found := resolve(self._db, item)) is not None]


def resolve(db: sqlite3.Connection, item: str) -> str | None:
    """The id an item has now: its own, or that of the item it was merged into."""
    found = db.execute(
        "SELECT id FROM items WHERE id = :item UNION ALL SELECT item FROM merged_items WHERE id = :item",
        {"item": item},
    ).fetchone()
    return None if found is None else str(found["id"])


def write(db: sqlite3.Connection, change: Change, decision: Decision, now: datetime) -> tuple[int, int]:
    """Write a decision with its change; how many alert rows became due, and how many are suppressed."""
    item, revision = change.item, change.revision.id
    for match in decision.matches:
        db.execute(_MATCH, _match_columns(match, item.id, revision, now))
    if decision.classes:
        db.execute("UPDATE revisions SET classes = ? WHERE id = ?", (json.dumps(decision.classes), revision))
    if decision.origins:
        db.execute("UPDATE items SET origins = ? WHERE id = ?", (rows.origins_json(decision.origins), item.id))
    if decision.placed is not None:
        stories.put(db, item.id, decision.placed)
    if decision.copy_of is not None:
        _link_copy(db, item.id, decision.copy_of, decision.copy_reason)
    if decision.read_page and item.url is not None:
        _queue_page(db, item, item.url, now)
    written = [alert for alert in decision.alerts if outbox.add(db, alert, revision, now)]
    due = sum(not alert.suppressed for alert in written)
    return due, len(written) - due


def _match_columns(match: Match, item: str, revision: str, now: datetime) -> dict[str, str]:
    return {
        "item": item,
        "watch": match.watch,
        "revision": revision,
        "spans": rows.spans_json(match.spans),
        "clause": rows.writable(match.clause),
        "undecided": rows.writable(match.undecided),
        "found": when(now),
    }


def _link_copy(db: sqlite3.Connection, item: str, copy_of: str, reason: str) -> None:
    """Copies point at the original itself, never at another copy. One that is gone is no original."""
    root = db.execute("SELECT coalesce(copy_of, id) FROM items WHERE id = ?", (resolve(db, copy_of),)).fetchone()
    if root is None or root[0] == item:
        return
    db.execute(
        "UPDATE items SET copy_of = :root, copy_reason = CASE id WHEN :item THEN :reason ELSE copy_reason END"
        " WHERE id = :item OR copy_of = :item",
        {"root": root[0], "item": item, "reason": rows.writable(reason)},
    )


def _queue_page(db: sqlite3.Connection, item: Item, url: str, now: datetime) -> None:
    try:
        host = host_of(url)
    except AddressRefused as refused:
        log.warning("article page not queued", extra={"item": item.id, "reason": str(refused)})
        return
    db.execute(
        "INSERT INTO pages (item, outlet, url, host, due) VALUES (?, ?, ?, ?, ?) ON CONFLICT (item) DO NOTHING",
        (item.id, item.outlet, url, host, when(now)),
    )
