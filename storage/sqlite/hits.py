"""``hits``: what each watch found, one row for each item, with the item's columns that a review page filters by.

Kept in line with ``matches`` and ``items`` by whoever writes those: a filing, a merge, a review, forgetting.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

ANY = "*"
"""The watch that stands for all: an item that any watch matched has a row under it."""

_ADD = """
INSERT OR IGNORE INTO hits (watch, first_seen, number, outlet, language, verdict, starred)
SELECT :watch, first_seen, number, outlet, language, verdict, starred FROM items WHERE id = :item
"""
_WATCHES = "SELECT DISTINCT watch FROM matches WHERE item = ?"
_CARRY = """
UPDATE hits SET language = :language, verdict = :verdict, starred = :starred
WHERE watch = :watch AND first_seen = :first_seen AND number = :number
"""
_DROP = "DELETE FROM hits WHERE watch = :watch AND first_seen = :first_seen AND number = :number"
_ITEM = "SELECT first_seen, number, language, verdict, starred FROM items WHERE id = ?"


def add(db: sqlite3.Connection, item: str, watches: Iterable[str]) -> None:
    """These watches matched an item, perhaps again."""
    named = dict.fromkeys(watches)
    for watch in (*named, ANY) if named else ():
        db.execute(_ADD, {"watch": watch, "item": item})


def carry(db: sqlite3.Connection, item: str) -> None:
    """The item's own columns changed."""
    _each(db, item, _CARRY)


def drop(db: sqlite3.Connection, item: str) -> None:
    """The item goes; its matches are still there."""
    _each(db, item, _DROP)


def rebuild(db: sqlite3.Connection, item: str) -> None:
    """The item took over the matches of another."""
    add(db, item, [row["watch"] for row in db.execute(_WATCHES, (item,)).fetchall()])
    carry(db, item)


def _each(db: sqlite3.Connection, item: str, statement: str) -> None:
    row = db.execute(_ITEM, (item,)).fetchone()
    watches = [each["watch"] for each in db.execute(_WATCHES, (item,)).fetchall()]
    for watch in (*watches, ANY) if watches else ():
        db.execute(statement, {**dict(row), "watch": watch})
