"""Taking a correction back: what it moved returns, what it ruled ends, what stood there before stands again."""

from __future__ import annotations

import json
import sqlite3

from monitor.errors import CannotCorrect, UnknownName
from monitor.model.stories import Correction
from storage import rows
from storage.sqlite import stories
from storage.sqlite.corrections import ALL, Before, Said, kept, let_go, put
from storage.sqlite.decisions import resolve

# What moved items, and what changed the same thing of an item, must be taken back in turn.
_LATER = """
SELECT number, by FROM corrections
WHERE number > :number AND undoes IS NULL
  AND NOT EXISTS (SELECT 1 FROM corrections AS back WHERE back.undoes = corrections.number)
  AND (kind = :kind OR :moves AND kind IN ('split', 'merge', 'copy') AND story <> '')
  AND (:moves AND (story IN (:story, :other) OR other IN (:story, :other))
       OR EXISTS (SELECT 1 FROM json_each(corrections.items) AS own JOIN json_each(:items) AS ours USING (value)))
ORDER BY number DESC LIMIT 1
"""


def undo(db: sqlite3.Connection, number: int, said: Said) -> Correction:
    row = db.execute(f"{ALL} WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise UnknownName(f"There is no correction {number}.")
    told, before = rows.correction(row), Before(**json.loads(row["before"]))
    if told.undoes is not None:
        raise CannotCorrect(f"{number} takes back {told.undoes}: to have that again, correct it anew.")
    if told.undone:
        raise CannotCorrect(f"{number} was taken back already.")
    _nothing_later(db, told)
    db.execute("DELETE FROM story_rulings WHERE correction = ?", (number,))
    moved = _back(db, told, before, said)
    for item, (copy_of, reason, by) in before.copies.items():
        original = resolve(db, copy_of) if copy_of else None
        db.execute(
            "UPDATE items SET copy_of = ?, copy_reason = ?, copy_by = ? WHERE id = ?", (original, reason, by, item)
        )
    if told.kind == "origin":
        db.execute("UPDATE items SET origin = ? WHERE id = ?", (before.origin, resolve(db, told.items[0])))
    return kept(
        db, told.kind, said, story=told.story, other=told.other, items=moved or told.items, value=told.value,
        undoes=number,
    )  # fmt: skip


def _nothing_later(db: sqlite3.Connection, told: Correction) -> None:
    asked = {
        "number": told.number, "kind": told.kind, "items": json.dumps(told.items), "story": told.story,
        "other": told.other, "moves": told.story != "" and told.kind in ("split", "merge", "copy"),
    }  # fmt: skip
    if told.items and (later := db.execute(_LATER, asked).fetchone()) is not None:
        raise CannotCorrect(
            f"{told.number} cannot be taken back while {later['number']}, by {later['by']}, stands: it came after it"
            " and changed the same."
        )


def _back(db: sqlite3.Connection, told: Correction, before: Before, said: Said) -> list[str]:
    """Move items back to where they were; those that were moved."""
    if not before.places:
        return []
    stands = stories.current(db, told.other)
    held = stories.items_of(db, stands)
    back = [item for item in held if item in before.places]
    if not back:
        raise CannotCorrect(f"Nothing that {told.number} moved stands in {stands} any more.")
    _revive(db, {before.places[item][0] for item in back}, before)
    came = [item for item in held if item not in before.places] if told.kind == "split" and stands == told.other else []
    put(db, came, stories.current(db, told.story), said)
    for item in back:
        story, reason, score = before.places[item]
        db.execute(
            "UPDATE items SET story = ?, story_reason = ?, story_score = ? WHERE id = ?",
            (stories.current(db, story), reason, score, item),
        )
    let_go(db, [stands], stories.current(db, told.story))
    _rulings_back(db, before)
    return back + came


def _revive(db: sqlite3.Connection, names: set[str], before: Before) -> None:
    """Stories that were gone are found by their own ids again, and by those that found them before."""
    for name in names & before.gone.keys():
        db.execute("DELETE FROM merged_stories WHERE id = ?", (name,))
        older = json.dumps(before.gone[name])
        db.execute("UPDATE merged_stories SET story = ? WHERE id IN (SELECT value FROM json_each(?))", (name, older))


def _rulings_back(db: sqlite3.Connection, before: Before) -> None:
    """Rulings on a story that is there again are its own, but for those that were taken back."""
    for _, _, correction, _ in before.rulings:
        db.execute("DELETE FROM story_rulings WHERE correction = ?", (correction,))
    for story, other, correction, ruling in before.rulings:
        undone = db.execute("SELECT 1 FROM corrections WHERE undoes = ?", (correction,)).fetchone()
        one, two = stories.current(db, story), stories.current(db, other)
        if undone is None and one != two:
            db.execute("INSERT INTO story_rulings VALUES (?, ?, ?, ?)", (one, two, correction, ruling))
