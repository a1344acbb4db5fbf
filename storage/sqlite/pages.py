"""Article pages: what an answer leaves of one, and what befell the addresses of items."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.errors import AddressRefused
from monitor.hosts import host_of
from monitor.model.filing import PageAfter
from monitor.model.items import Whereabouts
from storage import rows
from storage.rows import when

_KEEP = """
UPDATE pages SET due = :due, attempts = :attempts, read = :read, missing = :missing, etag = :etag,
  last_modified = :last_modified, body_hash = :body_hash
WHERE item = :item AND (:attempts > 0 OR :read IS NULL OR EXISTS (SELECT 1 FROM matches WHERE matches.item = :item))
"""

_OUTAGE = 2
"""Pages of a host that are missing beside one, from which it is the host that fails."""
_MOST_MOVES = 5
"""An address that is another one at every poll (F67) is no news."""


# ------------------------------------------------------------------ the queue


def attempts(db: sqlite3.Connection, item: str) -> int:
    """How often an item's page was put off."""
    row = db.execute("SELECT attempts FROM pages WHERE item = ?", (_now_called(db, item),)).fetchone()
    return row["attempts"] if row else 0


def settle(db: sqlite3.Connection, item: str, retry_at: datetime | None) -> None:
    """Put a page off, or take it from the queue."""
    known = _now_called(db, item)
    if retry_at is None:
        db.execute("DELETE FROM pages WHERE item = ?", (known,))
    else:
        db.execute("UPDATE pages SET due = ?, attempts = attempts + 1 WHERE item = ?", (when(retry_at), known))


def keep(db: sqlite3.Connection, item: str, page: PageAfter) -> None:
    """Remember a page until it is asked again; one that nobody watches, or that is not asked again, is forgotten."""
    kept = 0
    if page.again is not None:
        values = {
            "item": item,
            "due": when(page.again),
            "attempts": page.attempts,
            "read": when(page.read),
            "missing": when(page.missing),
            "etag": page.validators.etag,
            "last_modified": page.validators.last_modified,
            "body_hash": page.validators.body_hash,
        }
        kept = db.execute(_KEEP, values).rowcount
    if not kept:
        settle(db, item, None)


def asked_at(db: sqlite3.Connection, item: str) -> str | None:
    """The address at which an item's page is asked; ``None``: it is not in the queue."""
    row = db.execute("SELECT url FROM pages WHERE item = ?", (_now_called(db, item),)).fetchone()
    return str(row["url"]) if row else None


def readdress(db: sqlite3.Connection, item: str) -> None:
    """Ask an item's page at the item's own address, anew, where another's was left by a merge."""
    row = db.execute(
        "SELECT items.url FROM items JOIN pages ON pages.item = items.id"
        " WHERE items.id = ? AND items.url IS NOT NULL AND items.url <> pages.url",
        (item,),
    ).fetchone()
    if row is None:
        return
    try:
        host = host_of(row["url"])
    except AddressRefused:
        return
    db.execute(
        "UPDATE pages SET url = ?, host = ?, etag = NULL, last_modified = NULL, body_hash = NULL, missing = NULL,"
        " attempts = 0 WHERE item = ?",
        (row["url"], host, item),
    )


def is_outage(db: sqlite3.Connection, item: str, since: datetime) -> bool:
    """Other pages of its host are missing, too, and none was read since: the host fails, the article is not gone."""
    row = db.execute(
        "SELECT count(*) FILTER (WHERE missing IS NOT NULL) AS missing, max(read) AS read FROM pages"
        " WHERE host = (SELECT host FROM pages WHERE item = :item) AND item <> :item",
        {"item": _now_called(db, item)},
    ).fetchone()
    return bool(row["missing"] >= _OUTAGE and (row["read"] is None or row["read"] < when(since)))


def _now_called(db: sqlite3.Connection, item: str) -> str:
    """``item`` may be the id of one that was merged meanwhile."""
    merged = db.execute("SELECT item FROM merged_items WHERE id = ?", (item,)).fetchone()
    return merged["item"] if merged else item


# ------------------------------------------------------------------ where articles went


def whereabouts(db: sqlite3.Connection, item: str) -> tuple[Whereabouts, ...]:
    found = db.execute("SELECT * FROM whereabouts WHERE item = ? ORDER BY number", (_now_called(db, item),))
    return tuple(map(rows.whereabouts, found))


def moved(db: sqlite3.Connection, item: str, url: str, at: datetime) -> bool:
    """The article stands at another address now, and is shown and asked there; False when it is known to."""
    old = db.execute("SELECT url FROM items WHERE id = ?", (item,)).fetchone()["url"]
    if old == url:
        return False
    try:
        host = host_of(url)
    except AddressRefused:
        return False
    db.execute("UPDATE items SET url = ? WHERE id = ?", (url, item))
    db.execute(
        "UPDATE pages SET url = ?, host = ?, etag = NULL, last_modified = NULL, body_hash = NULL,"
        " missing = NULL, attempts = 0 WHERE item = ?",
        (url, host, item),
    )
    told = db.execute("SELECT count(*) FROM whereabouts WHERE item = ? AND what = 'moved'", (item,)).fetchone()[0]
    if told < _MOST_MOVES:
        _told(db, item, at, "moved", f"{old} → {url}" if old else url)
    return True


def withdraw(db: sqlite3.Connection, item: str, since: datetime, words: str) -> bool:
    """Mark the item; whether it was not before."""
    fresh = db.execute(
        "UPDATE items SET withdrawn = ? WHERE id = ? AND withdrawn IS NULL", (when(since), item)
    ).rowcount  # fmt: skip
    if fresh:
        _told(db, item, since, "withdrawn", words)
    return bool(fresh)


def lost(db: sqlite3.Connection, item: str, at: datetime, words: str) -> None:
    """Its address leads elsewhere: said once."""
    if _last(db, item) not in ("lost", "withdrawn"):
        _told(db, item, at, "lost", words)


def back(db: sqlite3.Connection, item: str, at: datetime, words: str) -> None:
    """The article is there: worth saying only when it was not."""
    if _last(db, item) in ("lost", "withdrawn"):
        db.execute("UPDATE items SET withdrawn = NULL WHERE id = ?", (item,))
        _told(db, item, at, "back", words)


def _last(db: sqlite3.Connection, item: str) -> str:
    """Whether it is there, as last said."""
    row = db.execute(
        "SELECT what FROM whereabouts WHERE item = ? AND what <> 'moved' ORDER BY number DESC LIMIT 1", (item,)
    ).fetchone()
    return row["what"] if row else ""


def _told(db: sqlite3.Connection, item: str, at: datetime, what: str, words: str) -> None:
    db.execute(
        "INSERT INTO whereabouts (item, at, what, words) VALUES (?, ?, ?, ?)",
        (item, when(at), what, rows.writable(words)),
    )
