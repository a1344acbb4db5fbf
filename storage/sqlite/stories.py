"""Stories: which items tell one event, kept with each item; merges re-point, and an old id still finds its story.

What reviewers ruled about two stories stands beside what was found, and counts when a story is read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from monitor.model.stories import Placed, Rulings, Story, StoryLink, StorySize
from monitor.model.texts import TextLanguage
from storage import rows
from storage.rows import when
from storage.sqlite.texts import ITEM

# Walked from the newest item back, and no further than it takes: an item that no later one of its story follows is
# its story's newest.
_NEWEST = """
SELECT own.story FROM items AS own INDEXED BY items_first_seen
WHERE own.story <> '' AND own.first_seen >= coalesce(:since, '')
  AND (:language IS NULL OR own.language = :language)
  AND NOT EXISTS (
    SELECT 1 FROM items AS later
    WHERE later.story = own.story AND later.story <> '' AND (:language IS NULL OR later.language = :language)
      AND (later.first_seen, later.number) > (own.first_seen, own.number)
  )
  AND (:outlets < 2 OR :outlets <= (
    SELECT count(DISTINCT outlet) FROM items AS member
    WHERE member.story = own.story AND member.story <> '' AND (:language IS NULL OR member.language = :language)
  ))
  AND (:watch IS NULL OR EXISTS (
    SELECT 1 FROM items AS member JOIN hits USING (first_seen, number)
    WHERE member.story = own.story AND member.story <> '' AND hits.watch = :watch
  ))
ORDER BY own.first_seen DESC, own.number DESC LIMIT :limit
"""

_SIZES = """
SELECT story, count(*) AS items, count(DISTINCT outlet) AS outlets FROM items
WHERE story <> '' AND story IN (SELECT value FROM json_each(?)) GROUP BY story
"""
_LINKED = """
SELECT DISTINCT story, (SELECT language FROM items WHERE items.story = other LIMIT 1) AS language
FROM links WHERE story IN (SELECT value FROM json_each(?)) ORDER BY story, language
"""


_UNLINK = (
    "DELETE FROM story_links WHERE other = :story AND story IN (SELECT other FROM story_links WHERE story = :story)",
    "DELETE FROM story_links WHERE story = :story",
)
_ABSORB = (
    "UPDATE merged_stories SET story = :into WHERE story = :gone",
    "INSERT OR REPLACE INTO merged_stories (id, story) VALUES (:gone, :into)",
    "DELETE FROM story_rulings WHERE (story, other) IN (VALUES (:gone, :into), (:into, :gone))",
    "UPDATE story_rulings SET story = :into WHERE story = :gone",
    "UPDATE story_rulings SET other = :into WHERE other = :gone",
)
_MOVED = """
SELECT DISTINCT items.id, items.story FROM corrections, json_each(corrections.items) AS moved
JOIN items ON items.id = moved.value
WHERE corrections.number > ? AND corrections.kind IN ('split', 'merge', 'copy')
"""


def current(db: sqlite3.Connection, name: str) -> str:
    """The id that a story has now: its own, or that of the story it is part of."""
    merged = db.execute("SELECT story FROM merged_stories WHERE id = ?", (name,)).fetchone()
    return merged["story"] if merged else name


def put(db: sqlite3.Connection, item: str, placed: Placed) -> None:
    story = current(db, placed.story)
    db.execute(
        "UPDATE items SET story = ?, story_reason = ?, story_score = ? WHERE id = ?",
        (story, rows.writable(placed.reason), placed.score, item),
    )
    for gone in placed.merges:
        db.execute("UPDATE items SET story = ? WHERE story = ?", (story, gone))
        absorb(db, gone, story)
    _unlink(db, story)
    for link in placed.links:
        for one, other in ((story, link.story), (link.story, story)):
            db.execute(
                "INSERT OR REPLACE INTO story_links (story, other, score, reason) VALUES (?, ?, ?, ?)",
                (one, other, link.score, rows.writable(link.reason)),
            )


def absorb(db: sqlite3.Connection, gone: str, into: str) -> None:
    """A story without items of its own any more is part of another: whoever names it means that one."""
    _unlink(db, gone)
    for statement in _ABSORB:
        db.execute(statement, {"gone": gone, "into": into})


def _unlink(db: sqlite3.Connection, story: str) -> None:
    for statement in _UNLINK:
        db.execute(statement, {"story": story})


def rulings(db: sqlite3.Connection, after: int) -> Rulings | None:
    """What corrections with a higher number mean for who places items."""
    number = newest_correction(db)
    if number <= after:
        return None
    moved = {row["id"]: row["story"] for row in db.execute(_MOVED, (after,))}
    return Rulings(number=number, stories=moved, apart=_apart(db))


def standing(db: sqlite3.Connection) -> Rulings:
    """What holds now. The number is read first: what comes in between is read again later."""
    number = newest_correction(db)
    return Rulings(number=number, apart=_apart(db))


def newest_correction(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(number), 0) FROM corrections").fetchone()[0])


def _apart(db: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
    found = db.execute("SELECT DISTINCT story, other FROM story_rulings WHERE ruling = 'apart' AND story < other")
    return tuple((row["story"], row["other"]) for row in found)


def items_of(db: sqlite3.Connection, name: str) -> tuple[str, ...]:
    found = db.execute("SELECT id FROM items WHERE story = ? AND story <> '' ORDER BY first_seen", (name,))
    return tuple(row["id"] for row in found)


def sizes(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, StorySize]:
    asked = (json.dumps(sorted(set(names))),)
    linked: dict[str, list[TextLanguage]] = {}
    for row in db.execute(_LINKED, asked):
        if row["language"] is not None:
            linked.setdefault(row["story"], []).append(row["language"])
    return {
        row["story"]: StorySize(
            story=row["story"], items=row["items"], outlets=row["outlets"], linked=tuple(linked.get(row["story"], ()))
        )
        for row in db.execute(_SIZES, asked)
    }


def story(db: sqlite3.Connection, name: str) -> Story | None:
    now = current(db, name)
    held = db.execute(f"{ITEM} WHERE story = ? AND story <> '' ORDER BY first_seen, items.number", (now,)).fetchall()
    if not held:
        return None
    links = db.execute("SELECT * FROM links WHERE story = ? ORDER BY score DESC, other", (now,))
    return Story(
        id=now,
        items=tuple(map(rows.item, held)),
        links=tuple(
            StoryLink(story=row["other"], score=row["score"], reason=row["reason"], by=row["by"]) for row in links
        ),
    )


def stories(
    db: sqlite3.Connection,
    *,
    limit: int,
    language: str | None,
    watch: str | None,
    since: datetime | None,
    outlets: int,
) -> tuple[Story, ...]:
    asked = {"limit": limit, "language": language, "watch": watch, "since": when(since), "outlets": outlets}
    names = [row["story"] for row in db.execute(_NEWEST, asked)]
    found = (story(db, name) for name in names)
    return tuple(each for each in found if each is not None)
