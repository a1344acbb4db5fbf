"""Stories: which items tell one event, kept with each item; merges re-point, and an old id still finds its story."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.model import Placed, Story, StoryLink
from storage import rows
from storage.rows import when
from storage.sqlite.texts import ITEM

_NEWEST = """
SELECT items.story FROM items
WHERE story <> '' AND (:language IS NULL OR language = :language)
GROUP BY items.story
HAVING max(first_seen) >= coalesce(:since, '') AND count(DISTINCT outlet) >= :outlets
  AND (:watch IS NULL OR sum(EXISTS (SELECT 1 FROM matches WHERE matches.item = items.id AND watch = :watch)))
ORDER BY max(first_seen) DESC LIMIT :limit
"""


def put(db: sqlite3.Connection, item: str, placed: Placed) -> None:
    db.execute(
        "UPDATE items SET story = ?, story_reason = ? WHERE id = ?",
        (placed.story, rows.writable(placed.reason), item),
    )
    for gone in placed.merges:
        db.execute("UPDATE items SET story = ? WHERE story = ?", (placed.story, gone))
        db.execute("UPDATE merged_stories SET story = ? WHERE story = ?", (placed.story, gone))
        db.execute("INSERT OR REPLACE INTO merged_stories (id, story) VALUES (?, ?)", (gone, placed.story))
        db.execute("DELETE FROM story_links WHERE story = ? OR other = ?", (gone, gone))
    db.execute("DELETE FROM story_links WHERE story = ? OR other = ?", (placed.story, placed.story))
    for link in placed.links:
        for one, other in ((placed.story, link.story), (link.story, placed.story)):
            db.execute(
                "INSERT OR REPLACE INTO story_links (story, other, score, reason) VALUES (?, ?, ?, ?)",
                (one, other, link.score, rows.writable(link.reason)),
            )


def items_of(db: sqlite3.Connection, name: str) -> tuple[str, ...]:
    found = db.execute("SELECT id FROM items WHERE story = ? AND story <> '' ORDER BY first_seen", (name,))
    return tuple(row["id"] for row in found)


def story(db: sqlite3.Connection, name: str) -> Story | None:
    merged = db.execute("SELECT story FROM merged_stories WHERE id = ?", (name,)).fetchone()
    current = merged["story"] if merged else name
    held = db.execute(
        f"{ITEM} WHERE story = ? AND story <> '' ORDER BY first_seen, items.number", (current,)
    ).fetchall()
    if not held:
        return None
    links = db.execute(
        "SELECT other, score, reason FROM story_links WHERE story = ? ORDER BY score DESC, other", (current,)
    )
    return Story(
        id=current,
        items=tuple(map(rows.item, held)),
        links=tuple(StoryLink(story=row["other"], score=row["score"], reason=row["reason"]) for row in links),
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
