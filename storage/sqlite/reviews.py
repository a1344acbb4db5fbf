"""What reviewers said: every act of theirs is kept, and what counts of it stands with the item and its ``hits``.

All of one call is one job of the writer, so two reviewers at once are one after the other: the later one's verdict
counts, the earlier one's is kept. The columns of ``items`` and ``hits`` are made anew from all remarks each time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.model.reviews import Remark, RemarkKind, Review, Verdict
from storage import rows
from storage.rows import when
from storage.sqlite.decisions import resolve, resolved
from storage.sqlite.hits import carry

_VERDICTS: Mapping[str, Verdict | None] = {"relevant": "relevant", "noise": "noise", "later": "later", "": None}
_STARS = ("yes", "")
_ADD = """
INSERT INTO remarks (item, reviewer, at, kind, value) VALUES (:item, :by, :at, :kind, :value) RETURNING *
"""
_UNDO = "UPDATE remarks SET undone = 1 WHERE number = ? AND reviewer = ? AND NOT undone RETURNING *"


def remark(
    db: sqlite3.Connection, items: Sequence[str], *, by: str, kind: RemarkKind, value: str, now: datetime
) -> tuple[Remark, ...]:
    _checked(by, kind, value)
    said = {"by": rows.writable(by), "kind": kind, "value": rows.writable(value), "at": when(now)}
    named = dict.fromkeys(resolved(db, items).values())
    written = tuple(rows.remark(db.execute(_ADD, {**said, "item": item}).fetchone()) for item in named)
    for item in named:
        count(db, item)
    return written


def _checked(by: str, kind: RemarkKind, value: str) -> None:
    if not by.strip():
        raise ValueError("a remark needs the reviewer's name")
    if kind == "note":
        if not value.strip():
            raise ValueError("a note needs a text")
    elif value not in (_VERDICTS if kind == "verdict" else _STARS):
        raise ValueError(f"{value!r} is no {kind}")


def undo(db: sqlite3.Connection, remarks: Sequence[int], *, by: str) -> tuple[Remark, ...]:
    found = (db.execute(_UNDO, (number, rows.writable(by))).fetchone() for number in dict.fromkeys(remarks))
    undone = tuple(rows.remark(row) for row in found if row is not None)
    for item in dict.fromkeys(each.item for each in undone):
        count(db, item)
    return undone


def reviews(db: sqlite3.Connection, items: Sequence[str]) -> Mapping[str, Review]:
    """By the ids asked for, also those of items that were merged."""
    named = resolved(db, items)
    found = db.execute(
        "SELECT * FROM remarks WHERE item IN (SELECT value FROM json_each(?)) AND NOT undone ORDER BY number",
        (json.dumps(list(named.values())),),
    )
    held: dict[str, list[Remark]] = {}
    for row in found:
        held.setdefault(row["item"], []).append(rows.remark(row))
    counted = {item: counting(item, said) for item, said in held.items()}
    return {
        asked: replace(review, item=asked)
        for asked, item in named.items()
        if (review := counted.get(item)) is not None and review != Review(item=item)
    }


def remarks(db: sqlite3.Connection, item: str) -> tuple[Remark, ...]:
    found = db.execute("SELECT * FROM remarks WHERE item = ? ORDER BY number", (resolve(db, item),))
    return tuple(map(rows.remark, found))


def counting(item: str, remarks: Iterable[Remark]) -> Review:
    """What counts of all that was said of an item, in the order in which it was said."""
    review = Review(item=item)
    for each in remarks:
        if each.undone:
            continue
        match each.kind:
            case "verdict":
                verdict = _VERDICTS[each.value]
                review = replace(
                    review, verdict=verdict, by=each.by if verdict else "", at=each.at if verdict else None
                )
            case "star":
                review = replace(review, starred=each.value == "yes")
            case "note":
                review = replace(review, notes=(*review.notes, each))
    return review


def count(db: sqlite3.Connection, item: str) -> None:
    """Bring what stands with an item in line with its remarks."""
    review = counting(item, remarks(db, item))
    db.execute(
        "UPDATE items SET verdict = ?, starred = ?, noted = ? WHERE id = ?",
        (review.verdict, review.starred, len(review.notes), item),
    )
    carry(db, item)
