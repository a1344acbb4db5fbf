"""Corrections: what reviewers decide about stories, origins and copies, and what it takes to go back on it.

A correction changes the rows of its items at once and is kept with what stood there before. Rulings on two stories
(apart, linked, unlinked) stand in a table of their own, beside what is found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from monitor.errors import CannotCorrect, UnknownName
from monitor.model.items import Reported
from monitor.model.stories import Correction, CorrectionKind
from monitor.stories.clusters import split_id
from storage import rows
from storage.rows import when
from storage.sqlite import stories
from storage.sqlite.decisions import resolve

T = TypeVar("T")
PairKind = Literal["apart", "link", "unlink"]

_RULINGS: dict[PairKind, str] = {"apart": "apart", "link": "linked", "unlink": "unlinked"}
ALL = """
SELECT corrections.*, EXISTS (SELECT 1 FROM corrections AS back WHERE back.undoes = corrections.number) AS undone
FROM corrections
"""
_OF_STORY = """
WHERE :story IS NULL OR story IN (SELECT value FROM json_each(:names)) OR other IN (SELECT value FROM json_each(:names))
  OR EXISTS (SELECT 1 FROM json_each(corrections.items) AS own JOIN items ON items.id = own.value
             WHERE items.story = :story)
ORDER BY number DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Whose word a correction is, and when it was given."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a correction changed, as it was."""

    places: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    """Item → its story, why it stood there, and how surely."""
    gone: dict[str, list[str]] = field(default_factory=dict)
    """Stories that lost their last item → the older ids that found them."""
    rulings: list[tuple[str, str, int, str]] = field(default_factory=list)
    """Those that named the stories that are gone."""
    copies: dict[str, tuple[str | None, str, str]] = field(default_factory=dict)
    """Item → its original, why, and by whose word."""
    origin: str = ""


def by_itself(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """The work in a transaction that it shares with nothing else."""

    def run(db: sqlite3.Connection) -> T:
        db.execute("BEGIN IMMEDIATE")
        try:
            done = work(db)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return done

    return run


# ------------------------------------------------------------------ stories


def split(db: sqlite3.Connection, story: str, items: Sequence[str], said: Said) -> Correction:
    old = _story(db, story)
    moved = _items(db, items)
    held = set(stories.items_of(db, old))
    if strays := [item for item in moved if item not in held]:
        raise CannotCorrect(f"{strays[0]} does not stand in {old}.")
    if not moved or len(moved) == len(held):
        raise CannotCorrect(f"Name some of the items of {old}, not all: they become a story, and the rest stays.")
    new = split_id(old, stories.newest_correction(db) + 1)
    done = _moved(db, "split", said, items=moved, story=old, other=new)
    _rule(db, done, "apart")
    return done


def merge(db: sqlite3.Connection, story: str, into: str, said: Said) -> Correction:
    gone, stays = _pair(db, story, into)
    one, other = _language(db, gone), _language(db, stays)
    if one != other:
        raise CannotCorrect(f"{gone} ({one}) and {stays} ({other}) are of two languages: link them.")
    return _moved(db, "merge", said, items=stories.items_of(db, gone), story=gone, other=stays)


def rule(db: sqlite3.Connection, kind: PairKind, one: str, other: str, said: Said) -> Correction:
    """Two stories are kept apart, linked or not linked."""
    one, other = _pair(db, one, other)
    alike = _language(db, one) == _language(db, other)
    if kind != "apart" and alike:
        raise CannotCorrect(f"{one} and {other} are of one language: merge them, or keep them apart.")
    if kind == "apart" and not alike:
        raise CannotCorrect(
            f"{one} and {other} are of two languages and never merged; unlink them, if they are linked."
        )
    if _ruled(db, one, other, kind) == _RULINGS[kind]:
        raise CannotCorrect(f"{one} and {other} are {_RULINGS[kind]} by a reviewer's word already.")
    done = kept(db, kind, said, story=one, other=other)
    _rule(db, done, _RULINGS[kind])
    return done


def _ruled(db: sqlite3.Connection, one: str, other: str, kind: PairKind) -> str | None:
    found = db.execute(
        "SELECT ruling FROM story_rulings WHERE story = ? AND other = ? AND (ruling = 'apart') = (? = 'apart')"
        " ORDER BY correction DESC LIMIT 1",
        (one, other, kind),
    ).fetchone()
    return None if found is None else str(found["ruling"])


def _rule(db: sqlite3.Connection, done: Correction, ruling: str) -> None:
    for one, other in ((done.story, done.other), (done.other, done.story)):
        db.execute("INSERT INTO story_rulings VALUES (?, ?, ?, ?)", (one, other, done.number, ruling))


# ------------------------------------------------------------------ origins and copies


def set_origin(db: sqlite3.Connection, item: str, origin: Reported | None, said: Said) -> Correction:
    (name,) = _items(db, [item])
    row = db.execute("SELECT origins, origin FROM items WHERE id = ?", (name,)).fetchone()
    own = next(iter(rows.origins_of(row["origins"])), None)
    if own is None:
        raise CannotCorrect(f"{name} is no news of an outlet: nobody reported it.")
    word = replace(own if origin is None or origin.id == own.id else origin, by=said.by)
    if any(held.id == word.id for held in rows.origins_of(row["origin"] or "[]")):
        raise CannotCorrect(f"{name} goes back to {word.id} by a reviewer's word already.")
    value = "" if word.id == own.id else word.id
    done = kept(db, "origin", said, items=[name], value=value, before=Before(origin=row["origin"]))
    db.execute("UPDATE items SET origin = ? WHERE id = ?", (rows.origins_json((word,)), name))
    return done


def set_copy(db: sqlite3.Connection, item: str, of: str | None, said: Said) -> Correction:
    (name,) = _items(db, [item])
    if of is None:
        return _uncopied(db, name, said)
    (original,) = _items(db, [of])
    own, other = _copied(db, name), _copied(db, original)
    turned = other["root"] == name  # the one was taken for the other's copy
    if name == original or (own["root"] == other["root"] and not turned):
        raise CannotCorrect(f"{name} and {original} are taken for the same words already.")
    if "" in (own["story"], other["story"]) or own["language"] != other["language"]:
        raise CannotCorrect(f"{name} and {original} are not news of one language: one cannot have the other's words.")
    top, to = original if turned else other["root"], other["story"]
    copies = db.execute("SELECT id, story FROM items WHERE id = ?1 OR copy_of = ?1 ORDER BY id <> ?1, id", (name,))
    stood = {row["id"]: row["story"] for row in copies}
    moves = [each for each, story in stood.items() if story != to]
    names = {"story": own["story"], "other": to} if moves else {"story": "", "other": ""}
    done = _moved(db, "copy", said, items=moves, copies=list(stood), value=top, **names)
    db.execute(
        "UPDATE items SET copy_of = ? WHERE id IN (SELECT value FROM json_each(?))", (top, json.dumps(list(stood)))
    )
    if turned:
        db.execute("UPDATE items SET copy_of = NULL, copy_reason = '', copy_by = ? WHERE id = ?", (done.by, top))
    db.execute("UPDATE items SET copy_reason = ?, copy_by = ? WHERE id = ?", (f"{done.by} says so", done.by, name))
    return done


def _uncopied(db: sqlite3.Connection, item: str, said: Said) -> Correction:
    if _copied(db, item)["root"] == item:
        raise CannotCorrect(f"{item} is not taken for a copy.")
    done = kept(db, "copy", said, items=[item], before=Before(copies=_copies(db, [item])))
    db.execute("UPDATE items SET copy_of = NULL, copy_reason = '', copy_by = ? WHERE id = ?", (done.by, item))
    return done


def _copied(db: sqlite3.Connection, item: str) -> Any:
    return db.execute(
        "SELECT coalesce(copy_of, id) AS root, story, language FROM items WHERE id = ?", (item,)
    ).fetchone()


# ------------------------------------------------------------------ writing and reading


def listed(db: sqlite3.Connection, story: str | None, limit: int) -> tuple[Correction, ...]:
    asked: dict[str, Any] = {"story": None, "names": "[]", "limit": limit}
    if story is not None:
        now = stories.current(db, story)
        asked |= {"story": now, "names": json.dumps([now, *_older_names(db, now)])}
    return tuple(map(rows.correction, db.execute(ALL + _OF_STORY, asked)))


def _moved(
    db: sqlite3.Connection, kind: CorrectionKind, said: Said, *, items: Sequence[str], story: str, other: str,
    copies: Sequence[str] = (), value: str = "",
) -> Correction:  # fmt: skip
    """Items now stand in ``other``; the stories that they leave are part of it when nothing is left of them."""
    places = _places(db, items)
    left = {place[0] for place in places.values()}
    gone = {name: _older_names(db, name) for name in left if not set(stories.items_of(db, name)) - set(items)}
    before = Before(places=places, gone=gone, rulings=_naming(db, gone), copies=_copies(db, copies))
    changed = tuple(dict.fromkeys((*copies, *items)))
    done = kept(db, kind, said, story=story, other=other, items=changed, value=value, before=before)
    put(db, items, other, said)
    let_go(db, gone, other)
    return done


def put(db: sqlite3.Connection, items: Collection[str], story: str, said: Said) -> None:
    db.execute(
        "UPDATE items SET story = ?, story_reason = ?, story_score = 1 WHERE id IN (SELECT value FROM json_each(?))",
        (story, f"moved here by {said.by}", json.dumps(list(items))),
    )


def let_go(db: sqlite3.Connection, names: Collection[str], into: str) -> None:
    for name in names:
        if name != into and not stories.items_of(db, name):
            stories.absorb(db, name, into)


def kept(
    db: sqlite3.Connection, kind: CorrectionKind, said: Said, *, story: str = "", other: str = "",
    items: Sequence[str] = (), value: str = "", before: Before | None = None, undoes: int | None = None,
) -> Correction:  # fmt: skip
    done = Correction(
        number=stories.newest_correction(db) + 1, at=said.at, by=said.by, kind=kind, story=story, other=other,
        items=tuple(items), value=value, undoes=undoes,
    )  # fmt: skip
    was = before or Before()
    db.execute(
        "INSERT INTO corrections (number, at, by, kind, story, other, items, value, before, undoes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            done.number, when(said.at), said.by, kind, story, other, json.dumps(done.items), value,
            rows.plain_json({name: getattr(was, name) for name in Before.__slots__}), undoes,
        ),
    )  # fmt: skip
    return done


def _places(db: sqlite3.Connection, items: Sequence[str]) -> dict[str, tuple[str, str, float]]:
    found = db.execute(
        "SELECT id, story, story_reason, story_score FROM items WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(items)),),
    )
    return {row["id"]: (row["story"], row["story_reason"], row["story_score"]) for row in found}


def _copies(db: sqlite3.Connection, items: Sequence[str]) -> dict[str, tuple[str | None, str, str]]:
    found = db.execute(
        "SELECT id, copy_of, copy_reason, copy_by FROM items WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(items)),),
    )
    return {row["id"]: (row["copy_of"], row["copy_reason"], row["copy_by"]) for row in found}


def _naming(db: sqlite3.Connection, names: Collection[str]) -> list[tuple[str, str, int, str]]:
    found = db.execute(
        "SELECT story, other, correction, ruling FROM story_rulings"
        " WHERE story IN (SELECT value FROM json_each(:names)) OR other IN (SELECT value FROM json_each(:names))",
        {"names": json.dumps(list(names))},
    )
    return [(row["story"], row["other"], row["correction"], row["ruling"]) for row in found]


def _older_names(db: sqlite3.Connection, story: str) -> list[str]:
    return [row["id"] for row in db.execute("SELECT id FROM merged_stories WHERE story = ?", (story,))]


# ------------------------------------------------------------------ what is named


def _story(db: sqlite3.Connection, name: str) -> str:
    now = stories.current(db, name)
    if not stories.items_of(db, now):
        raise UnknownName(f"No story is called {name}.")
    return now


def _pair(db: sqlite3.Connection, one: str, other: str) -> tuple[str, str]:
    first, second = _story(db, one), _story(db, other)
    if first == second:
        raise CannotCorrect(f"{one} and {other} are one story; split it, if they are two.")
    return first, second


def _language(db: sqlite3.Connection, story: str) -> str:
    found = db.execute("SELECT language FROM items WHERE story = ? ORDER BY first_seen LIMIT 1", (story,)).fetchone()
    return str(found["language"])


def _items(db: sqlite3.Connection, names: Sequence[str]) -> list[str]:
    """The items that are meant, each once."""
    found: dict[str, None] = {}
    for name in names:
        item = resolve(db, name)
        if item is None:
            raise UnknownName(f"No item is called {name}.")
        found[item] = None
    return list(found)
