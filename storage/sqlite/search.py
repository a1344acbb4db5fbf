"""Full-text search: items that may hold what is sought, in the order in which they are listed.

Candidates are numbered first, a few and then more, since most searches end early; their texts are read in portions.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from monitor.model.items import Item, Spot, Wanted
from monitor.model.sought import AllOf, AnyOf, Indexed, Sought
from storage import rows
from storage.sqlite import listing
from storage.sqlite.readers import Readers
from storage.sqlite.texts import ITEM

PORTION = 64
"""Items of which the texts are read at once."""
_FIRST = 256
"""Candidates numbered at first; then eight times as many each time."""
_FEW = 2_000
"""Up to so many are sorted; of more, the listing's own order is read and the others are passed over."""

_NOTHING = AnyOf(())
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
_FOUND = "SELECT rowid FROM search WHERE search MATCH :words"
_BY_NUMBER = f"{ITEM} WHERE items.number IN (SELECT value FROM json_each(?))"  # noqa: S608


async def portions(
    readers: Readers, sought: Sought, wanted: Wanted, *, most: int, after: Spot | None
) -> AsyncGenerator[tuple[Item, ...], None]:
    """The newest ``most`` candidates behind a spot, newest first."""
    if sought == _NOTHING:
        return
    size = _FIRST
    while most > 0:
        asked = min(size, most)
        numbers = await readers.read(partial(_numbers, sought=sought, wanted=wanted, limit=asked, after=after))
        for start in range(0, len(numbers), PORTION):
            items = await readers.read(partial(_items, numbers=numbers[start : start + PORTION]))
            if items:
                yield items
                after = Spot(items[-1].first_seen, items[-1].id)
        if len(numbers) < asked:
            return
        most, size = most - asked, size * 8


def _numbers(db: sqlite3.Connection, sought: Sought, wanted: Wanted, limit: int, after: Spot | None) -> list[int]:
    words = _words(sought)
    few = bool(words) and db.execute(_COUNT, (words, _FEW + 1)).fetchone()[0] <= _FEW
    asked = listing.query(wanted, found=few)
    found = ("search MATCH :words" if few else f"{asked.by}.number IN ({_FOUND})") if words else "true"
    beyond, spot = listing.behind(asked, after)
    numbers = db.execute(
        f"SELECT {asked.by}.number FROM {asked.source} WHERE {asked.where} AND {found} AND {beyond}"  # noqa: S608
        f" ORDER BY {asked.by}.first_seen DESC, {asked.by}.number DESC LIMIT :limit",
        {**asked.values, **spot, "words": words, "limit": limit},
    )
    return [row[0] for row in numbers]


def _items(db: sqlite3.Connection, numbers: Sequence[int]) -> tuple[Item, ...]:
    """In this order; those that are gone meanwhile are missing."""
    found = {row["number"]: row for row in db.execute(_BY_NUMBER, (json.dumps(numbers),))}
    return tuple(rows.item(found[number]) for number in numbers if number in found)


def _words(sought: Sought) -> str:
    """In FTS5's own language; empty: everything. Terms are quoted, so nothing in them is a word of it."""
    if isinstance(sought, Indexed):
        return f'{{{" ".join(sought.fields)}}} : "{sought.term}"{" *" if sought.begins else ""}'
    joined = " AND " if isinstance(sought, AllOf) else " OR "
    return f"({joined.join(map(_words, sought.parts))})" if sought.parts else ""
