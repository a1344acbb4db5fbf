"""Items that are wanted: each filter reads one index in the order of the answer, and stops when it has enough.

Which index that is, is chosen here and not by SQLite, which knows no more of the data than we do: the one that leaves
least. What it does not hold in order it holds as a column, so that most of what does not fit is passed over without a
look at the item's own row.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from monitor import canary, health
from monitor.model.items import Item, Spot, Wanted
from storage import rows
from storage.rows import when
from storage.sqlite.hits import ANY
from storage.sqlite.texts import ITEM

_COLUMNS, _, _TEXT = ITEM.partition("FROM items JOIN revisions")
_HIT = "EXISTS (SELECT 1 FROM hits WHERE watch = :watch AND first_seen = items.first_seen AND number = items.number)"
_VERDICTS = ("relevant", "noise", "later")
_SPOT = "(:spot, coalesce((SELECT number FROM items AS spot WHERE id = :spot_item), :end))"
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """``source`` is read in order; ``by`` is the table whose columns the conditions name."""

    source: str
    by: str
    conditions: tuple[str, ...]
    values: dict[str, Any]

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions) or "true"


def items(
    db: sqlite3.Connection, wanted: Wanted, *, limit: int, oldest_first: bool, after: Spot | None = None
) -> tuple[Item, ...]:
    asked = query(wanted)
    direction = "" if oldest_first else " DESC"
    beyond, spot = behind(asked, after, oldest_first=oldest_first)
    found = db.execute(
        f"{_COLUMNS} FROM {asked.source} CROSS JOIN revisions {_TEXT} WHERE {asked.where} AND {beyond}"
        f" ORDER BY {asked.by}.first_seen{direction}, {asked.by}.number{direction} LIMIT :limit",
        {**asked.values, **spot, "limit": limit},
    )
    return tuple(map(rows.item, found))


def how_many(db: sqlite3.Connection, wanted: Wanted, at_most: int) -> int:
    asked = query(wanted)
    found: int = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {asked.source} WHERE {asked.where} LIMIT :limit)",  # noqa: S608
        {**asked.values, "limit": at_most},
    ).fetchone()[0]
    return found


def behind(asked: Query, after: Spot | None, *, oldest_first: bool = False) -> tuple[str, dict[str, Any]]:
    """What comes after a spot, as a condition with its values."""
    if after is None:
        return "true", {}
    compared, end = (">", -1) if oldest_first else ("<", _LAST)
    spot = {"spot": when(after.first_seen), "spot_item": after.item, "end": end}
    return f"({asked.by}.first_seen, {asked.by}.number) {compared} {_SPOT}", spot


def query(wanted: Wanted, *, found: bool = False) -> Query:
    """What is wanted as SQL; ``found``: of a few rows of ``search``, which are then read first, not in order."""
    source, by = ("search CROSS JOIN items ON items.number = search.rowid", "items") if found else _source(wanted)
    story = "coalesce((SELECT story FROM merged_stories WHERE id = :story), :story)"
    asked: dict[str, tuple[str, object]] = {
        f"items.story = {story} AND items.story <> ''": ("story", wanted.story),
        f"{by}.outlet = :outlet": ("outlet", wanted.outlet),
        f"{by}.language = :language": ("language", wanted.language),
        ("hits.watch = :watch" if by == "hits" else _HIT): ("watch", wanted.watch),
        f"{by}.first_seen >= :since": ("since", when(wanted.since)),
        f"{by}.first_seen < :before": ("before", when(wanted.before)),
    }
    conditions = [clause for clause, (_, value) in asked.items() if value is not None]
    if wanted.review is not None:
        conditions.append(_reviewed(wanted, by))
    if wanted.outlet is None:
        conditions.append(f"{by}.outlet <> :canaries")
        if wanted.watch == ANY:
            conditions.append(f"{by}.outlet <> :notices")
    values = dict(asked.values())
    return Query(
        source=source,
        by=by,
        conditions=tuple(conditions),
        values={**values, "review": wanted.review, "canaries": canary.NAME, "notices": health.OUTLET},
    )


def _source(wanted: Wanted) -> tuple[str, str]:
    """What is read in order. The first that is asked for leaves least."""
    if wanted.story is not None:
        index = "items_story"
    elif wanted.watch is not None:
        return "hits CROSS JOIN items ON items.number = hits.number", "hits"
    elif wanted.review in _VERDICTS:
        index = "items_verdict"
    elif wanted.review == "starred":
        index = "items_starred"
    elif wanted.outlet is not None:
        index = "items_outlet"
    elif wanted.language is not None:
        index = "items_language"
    else:
        index = "items_first_seen"
    return f"items INDEXED BY {index}", "items"


def _reviewed(wanted: Wanted, by: str) -> str:
    if wanted.review == "unreviewed":
        return f"{by}.verdict IS NULL"
    return f"{by}.starred" if wanted.review == "starred" else f"{by}.verdict = :review"
