"""Two items found to be one: the earlier stays, everything of the later one is re-pointed to it.

Alert keys are kept as they were written. Where both items had a row for the same watch, channel and state, a pending
one is suppressed as ``merged`` when the other was delivered or will be, so that no one is told twice; a row whose twin
is dead or suppressed stays due, because nobody was told by the twin.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from storage.rows import when
from storage.sqlite import hits, outbox, pages, reviews, stories, texts

_TWIN_TEXTS = """
SELECT gone.number, gone.id, kept.id AS twin FROM revisions AS gone
JOIN revisions AS kept ON kept.item = :kept AND kept.text_hash = gone.text_hash
WHERE gone.item = :gone
"""
_TWIN_ALERTS = """
SELECT own.number AS own, twin.number AS twin FROM alerts AS twin JOIN alerts AS own USING (watch, channel, state)
WHERE own.item = :kept AND twin.item = :gone
  AND own.condition IN ('pending', 'delivered') AND twin.condition IN ('pending', 'delivered')
"""
_STORIES = "SELECT id, story FROM items WHERE id IN (:kept, :gone)"
# A gathered message stays as it is, so its alert is told in any case.
_NEAREST_FIRST = """
SELECT alerts.number, alerts.id FROM alerts LEFT JOIN messages ON messages.number = alerts.message
WHERE alerts.number IN (:own, :twin)
ORDER BY alerts.condition = 'delivered' DESC, coalesce(messages.members, 1) > 1 DESC,
  coalesce(messages.attempts, 0) DESC, alerts.gather GLOB 'corroborated:*', alerts.due, alerts.number <> :own
"""
_UNREAD = "EXISTS (SELECT 1 FROM pages WHERE item = :gone AND read IS NULL)"
_REPOINT = (
    "UPDATE item_keys SET item = :kept WHERE item = :gone",
    "UPDATE merged_items SET item = :kept WHERE item = :gone",
    "UPDATE revisions SET item = :kept WHERE item = :gone",
    "UPDATE OR IGNORE matches SET item = :kept WHERE item = :gone",
    "DELETE FROM matches WHERE item = :gone",
    "UPDATE alerts SET item = :kept WHERE item = :gone",
    "UPDATE remarks SET item = :kept WHERE item = :gone",
    "UPDATE items SET origin = (SELECT origin FROM items WHERE id = :gone) WHERE id = :kept AND origin = ''",
    "UPDATE whereabouts SET item = :kept WHERE item = :gone",
    # One of its addresses is there: it is not withdrawn.
    "UPDATE items SET withdrawn = (SELECT withdrawn FROM items WHERE id = :gone) WHERE id = :kept AND withdrawn <> ''",
    # The page of the one that goes is read as a first one if it was not read yet: nobody has judged what it says.
    f"UPDATE items SET page_read = 0 WHERE id = :kept AND {_UNREAD}",  # noqa: S608 - a text of ours, as below
    "UPDATE pages SET read = NULL, etag = NULL, last_modified = NULL, body_hash = NULL, missing = NULL, attempts = 0,"  # noqa: S608
    f" due = min(due, (SELECT due FROM pages WHERE item = :gone)) WHERE item = :kept AND {_UNREAD}",
    "UPDATE OR IGNORE pages SET item = :kept WHERE item = :gone",
    "DELETE FROM pages WHERE item = :gone",
    "UPDATE items SET copy_of = :kept WHERE copy_of = :gone AND id <> :kept",
    "UPDATE items SET copy_of = NULL, copy_reason = '' WHERE id = :kept AND copy_of = :gone",
    "DELETE FROM search WHERE rowid = (SELECT number FROM items WHERE id = :gone)",
    "DELETE FROM items WHERE id = :gone",
    "INSERT INTO merged_items (id, item, merged) VALUES (:gone, :kept, :now)",
)


def merge(db: sqlite3.Connection, items: set[str], now: datetime) -> str:
    """Make one item of several; the id of the earliest, which stays."""
    found = db.execute(
        "SELECT id FROM items WHERE id IN (SELECT value FROM json_each(?)) ORDER BY first_seen, number",
        (json.dumps(sorted(items)),),
    )
    kept, *gone = (row["id"] for row in found)
    for item in gone:
        _absorb(db, kept, item, now)
    return str(kept)


def _absorb(db: sqlite3.Connection, kept: str, gone: str, now: datetime) -> None:
    at = {"kept": kept, "gone": gone, "now": when(now)}
    _share_texts(db, at)
    for pair in db.execute(_TWIN_ALERTS, at).fetchall():
        _tell_once(db, pair)
    hits.drop(db, gone)
    told = {row["id"]: row["story"] for row in db.execute(_STORIES, at)}
    for statement in _REPOINT:
        db.execute(statement, at)
    if told[gone] and told[kept] not in ("", told[gone]) and not stories.items_of(db, told[gone]):
        stories.absorb(db, told[gone], told[kept])
    pages.readdress(db, kept)
    hits.rebuild(db, kept)
    reviews.count(db, kept)
    row = db.execute("SELECT current FROM items WHERE id = ?", (kept,)).fetchone()
    texts.cap(db, kept, row["current"])


def _share_texts(db: sqlite3.Connection, at: dict[str, str]) -> None:
    """A text that both hold is kept once, under the id it has with the item that stays."""
    for row in db.execute(_TWIN_TEXTS, at).fetchall():
        names = {**at, "twin": row["twin"], "id": row["id"]}
        db.execute("UPDATE OR IGNORE matches SET revision = :twin WHERE item = :gone AND revision = :id", names)
        db.execute("DELETE FROM matches WHERE item = :gone AND revision = :id", names)
        db.execute("UPDATE alerts SET revision = :twin WHERE item = :gone AND revision = :id", names)
        db.execute("DELETE FROM revisions WHERE number = ?", (row["number"],))


def _tell_once(db: sqlite3.Connection, pair: sqlite3.Row) -> None:
    """Of two rows that would tell the same, the one that was sent or is nearest to it stays."""
    stays, goes = db.execute(_NEAREST_FIRST, {"own": pair["own"], "twin": pair["twin"]}).fetchall()
    if outbox.suppress(db, [goes["number"]], "merged"):
        outbox.hold_back_by(db, goes["id"], stays["id"])
