"""What a decision may look up, and what it leaves behind: matches, alert rows, the copy link, a page to read."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from monitor.errors import AddressRefused
from monitor.hosts import host_of
from monitor.model.alerts import Alert, Waiting
from monitor.model.filing import Change, Decision
from monitor.model.items import Item, Match
from monitor.model.stories import Rulings
from storage import rows
from storage.rows import when
from storage.sqlite import corroborating, hits, outbox, stories

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
        return stories.items_of(self._db, stories.current(self._db, story))

    def muted(self) -> Collection[str]:
        return outbox.muted(self._db, self._now)

    def rulings(self, after: int) -> Rulings | None:
        return stories.rulings(self._db, after)

    def event(self, stories: Sequence[str], linked: Sequence[str] = (), *, language: str = "") -> tuple[str, ...]:
        return corroborating.event(self._db, stories, linked, language)

    def told_of(self, stories: Sequence[str]) -> Mapping[tuple[str, str], str]:
        return corroborating.told_of(self._db, stories)

    def items_of(self, stories: Sequence[str]) -> tuple[Item, ...]:
        return corroborating.items_of(self._db, stories)

    def waiting(self, stories: Sequence[str] | None = None) -> tuple[Waiting, ...]:
        return corroborating.waiting(self._db, stories)

    def _resolved(self, items: Sequence[str]) -> list[str]:
        return [found for item in items if (found := resolve(self._db, item)) is not None]


def resolve(db: sqlite3.Connection, item: str) -> str | None:
    """The id an item has now: its own, or that of the item it was merged into."""
    found = db.execute(
        "SELECT id FROM items WHERE id = :item UNION ALL SELECT item FROM merged_items WHERE id = :item",
        {"item": item},
    ).fetchone()
    return None if found is None else str(found["id"])


def resolved(db: sqlite3.Connection, items: Sequence[str]) -> dict[str, str]:
    """Each id that is known → the id its item has now, as `resolve`."""
    found = db.execute(
        "SELECT asked.value AS asked, coalesce(items.id, merged_items.item) AS item FROM json_each(?) AS asked"
        " LEFT JOIN items ON items.id = asked.value LEFT JOIN merged_items ON merged_items.id = asked.value",
        (json.dumps(list(items)),),
    )
    return {row["asked"]: row["item"] for row in found if row["item"] is not None}


def write(db: sqlite3.Connection, change: Change, decision: Decision, now: datetime) -> tuple[int, int]:
    """Write a decision with its change; how many alert rows became due, and how many are suppressed."""
    item, revision = change.item, change.revision.id
    for match in decision.matches:
        db.execute(_MATCH, _match_columns(match, item.id, revision, now))
    hits.add(db, item.id, (match.watch for match in decision.matches))
    if decision.classes:
        db.execute("UPDATE revisions SET classes = ? WHERE id = ?", (json.dumps(decision.classes), revision))
    if decision.origins:
        db.execute("UPDATE items SET origins = ? WHERE id = ?", (rows.origins_json(decision.origins), item.id))
    if decision.placed is not None:
        stories.put(db, item.id, decision.placed)
    if decision.copy_of is not None:
        _link_copy(db, item.id, decision.copy_of, decision.copy_reason)
    if decision.copied_by is not None:
        _link_later(db, decision.copied_by, item.id, decision.copy_reason)
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
    if db.execute("SELECT 1 FROM items WHERE id = ? AND copy_by <> ''", (item,)).fetchone() is not None:
        return  # a reviewer said whose words they are
    db.execute(
        "UPDATE items SET copy_of = :root, copy_reason = CASE id WHEN :item THEN :reason ELSE copy_reason END"
        " WHERE id = :item OR copy_of = :item",
        {"root": root[0], "item": item, "reason": rows.writable(reason)},
    )


def _link_later(db: sqlite3.Connection, later: str, item: str, reason: str) -> None:
    """An item seen later is a copy of this one, unless it is one of another's already."""
    name = resolve(db, later)
    if db.execute("SELECT 1 FROM items WHERE id = ? AND copy_of IS NULL", (name,)).fetchone():
        _link_copy(db, str(name), item, reason)


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
