"""What keeps a store healthy: removing what is old, whole copies while work goes on, and looking for damage.

Old rows are looked for by a reader and removed by the writer in small portions, so that filing goes on between them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path

from monitor import canary
from monitor.errors import StoreError, StoreUnusable
from monitor.ports import Progress
from storage.rows import when
from storage.sqlite import hits, texts
from storage.sqlite.errors import translate
from storage.sqlite.opening import connect, flush_folder

PORTION = 200
_STEPS_BETWEEN_LOOKS = 100_000  # of SQLite's machine: some milliseconds
_LITTLE_SPACE = 200 * 1024 * 1024
# An item that its source lists still is never forgotten, however old: it would come back as news. last_seen is
# written once a day, and "unchanged" answers name nobody.
_FORGOTTEN = """
SELECT items.id FROM items LEFT JOIN sources ON sources.id = items.source AND in_force
WHERE items.last_seen < :before AND NOT items.marked
  AND coalesce(julianday(items.last_seen) < julianday(sources.last_listed) - 1.1, true)
  AND NOT EXISTS (
    SELECT 1 FROM alerts WHERE alerts.item = items.id AND (condition = 'pending' OR created >= :before)
  )
"""
_OLD_CANARIES = """
SELECT id FROM items WHERE source = ? AND first_seen < ?
  AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.item = items.id AND condition = 'pending')
"""
_FORGET = (
    "UPDATE items SET copy_of = NULL, copy_reason = '' WHERE copy_of IN (SELECT value FROM json_each(:items))",
    "DELETE FROM search WHERE rowid IN (SELECT number FROM items WHERE id IN (SELECT value FROM json_each(:items)))",
    "DELETE FROM alerts WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM remarks WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM matches WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM pages WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM whereabouts WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM item_keys WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM merged_items WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM revisions WHERE item IN (SELECT value FROM json_each(:items))",
    "DELETE FROM items WHERE id IN (SELECT value FROM json_each(:items))",
)


# ------------------------------------------------------------------ retention


def old_bodies(db: sqlite3.Connection, before: datetime) -> list[int]:
    """Not those of items that a reviewer marked: their texts stay."""
    found = db.execute(
        "SELECT revisions.number FROM revisions JOIN items ON items.id = revisions.item"
        " WHERE revisions.seen < ? AND (body <> '' OR html <> '') AND NOT items.marked",
        (when(before),),
    )
    return [row["number"] for row in found]


def old_revisions(db: sqlite3.Connection, before: datetime) -> list[int]:
    """An item's current text is never among them, nor any text of an item that a reviewer marked."""
    found = db.execute(
        "SELECT revisions.number FROM revisions JOIN items ON items.id = revisions.item"
        " WHERE revisions.seen < ? AND revisions.number <> items.current AND NOT items.marked",
        (when(before),),
    )
    return [row["number"] for row in found]


def forgotten(db: sqlite3.Connection, before: datetime) -> list[str]:
    """Items not seen since ``before``, with no alert that is younger or still to be sent, and not marked by a
    reviewer."""
    return [row["id"] for row in db.execute(_FORGOTTEN, {"before": when(before)})]


def empty_bodies(db: sqlite3.Connection, numbers: list[int]) -> int:
    chosen = (json.dumps(numbers),)
    count = db.execute(
        "UPDATE revisions SET body = '', html = '' WHERE number IN (SELECT value FROM json_each(?))"
        " AND NOT (SELECT marked FROM items WHERE id = revisions.item)",
        chosen,
    ).rowcount
    shown = db.execute("SELECT id FROM items WHERE current IN (SELECT value FROM json_each(?))", chosen).fetchall()
    texts.index(db, dict(texts.current_terms(db, row["id"]) for row in shown))
    return count


def drop_revisions(db: sqlite3.Connection, numbers: list[int]) -> int:
    """Those that became current or were marked meanwhile stay."""
    gone = db.execute(
        "DELETE FROM revisions WHERE number IN (SELECT value FROM json_each(?))"
        " AND NOT (SELECT marked OR revisions.number = current FROM items WHERE id = revisions.item) RETURNING item",
        (json.dumps(numbers),),
    ).fetchall()
    db.execute(
        "UPDATE items SET revisions = (SELECT count(*) FROM revisions WHERE item = items.id)"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted({row["item"] for row in gone})),),
    )
    return len(gone)


def forget(db: sqlite3.Connection, items: list[str], before: datetime) -> int:
    """Remove items whole, with their keys and alerts. Those seen again meanwhile stay."""
    still = set(forgotten(db, before)).intersection(items)
    _remove(db, still)
    return len(still)


def forget_canaries(db: sqlite3.Connection, before: datetime) -> int:
    """There are two dozen a day: they go at once, and the messages that carried them."""
    old = {row["id"] for row in db.execute(_OLD_CANARIES, (canary.SOURCE, when(before)))}
    _remove(db, old)
    db.execute(
        "DELETE FROM messages WHERE watch = ? AND condition <> 'pending'"
        " AND NOT EXISTS (SELECT 1 FROM alerts WHERE message = messages.number)",
        (canary.NAME,),
    )
    return len(old)


def _remove(db: sqlite3.Connection, items: Collection[str]) -> None:
    for item in items:
        hits.drop(db, item)
    chosen = {"items": json.dumps(sorted(items))}
    for statement in _FORGET:
        db.execute(statement, chosen)


def forget_quarantine(db: sqlite3.Connection, before: datetime) -> int:
    return db.execute("DELETE FROM quarantine WHERE last < ?", (when(before),)).rowcount


def forget_messages(db: sqlite3.Connection, before: datetime) -> int:
    """Those whose alerts were forgotten with their items, or asked for again."""
    return db.execute(
        "DELETE FROM messages WHERE condition <> 'pending' AND created < ?"
        " AND NOT EXISTS (SELECT 1 FROM alerts WHERE message = messages.number)",
        (when(before),),
    ).rowcount


def pulse(db: sqlite3.Connection, now: datetime) -> None:
    """A row that changes: a statement that changes nothing would not reach the disk."""
    db.execute(
        "INSERT INTO pulse (number, at) VALUES (1, ?) ON CONFLICT (number) DO UPDATE SET at = excluded.at", (when(now),)
    )


def forget_stories(db: sqlite3.Connection) -> int:
    """Links, rulings and old ids of stories whose items were all forgotten. What reviewers did stays told."""
    held = "(SELECT DISTINCT story FROM items WHERE story <> '')"
    return sum(
        db.execute(statement).rowcount
        for statement in (
            f"DELETE FROM story_links WHERE story NOT IN {held} OR other NOT IN {held}",  # noqa: S608
            f"DELETE FROM story_rulings WHERE story NOT IN {held} OR other NOT IN {held}",  # noqa: S608
            f"DELETE FROM merged_stories WHERE story NOT IN {held}",  # noqa: S608
        )
    )


def give_back(db: sqlite3.Connection) -> None:
    """Hand free pages back to the file system, at most 64 MB at a time so that filing need not wait long."""
    db.execute("PRAGMA incremental_vacuum(16384)").fetchall()


# ------------------------------------------------------------------ whole copies


def backup(store: Path, path: str, progress: Progress, given_up: Callable[[], bool]) -> None:
    """Copy the store as it is at this moment to ``path``; a name that exists, or is none, is refused.

    ``progress`` is told of bytes; ``given_up`` is asked now and then, and ends the copying.
    """
    target = _target(path)
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)  # of a copy that was broken off
        try:
            _copy(store, part, progress, given_up)
            os.link(part, target)  # unlike a rename, this never replaces
        finally:
            part.unlink(missing_ok=True)
        flush_folder(target.parent)
    except FileExistsError:
        raise StoreError(f"{target}: exists already; a backup never overwrites, choose another name") from None
    except OSError as error:
        raise StoreError(f"{target}: the backup could not be written ({error.strerror})") from error
    except sqlite3.Error as error:
        raise translate(error, f"backup to {target}") or error from error


def _copy(store: Path, part: Path, progress: Progress, given_up: Callable[[], bool]) -> None:
    with closing(connect(store)) as db:
        pages, free, size = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        about = (pages - free) * size

        def watched() -> bool:
            progress(min(part.stat().st_size, about) if part.exists() else 0, about)
            return given_up()

        db.set_progress_handler(watched, _STEPS_BETWEEN_LOOKS)
        db.execute("VACUUM INTO ?", (str(part),))  # only what is in use, and each page of it was read and understood
        progress(about, about)
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _target(path: str) -> Path:
    """The file to write. Odd names are refused whole instead of being made to fit (F148)."""
    parts = path.replace("\\", "/").split("/")
    if not re.fullmatch(r"\w[\w.+ -]{0,199}", parts[-1]) or ".." in parts or re.search(r"[\\%~\x00-\x1f\x7f]", path):
        raise StoreError(
            f'{path!r}: not a name for a backup; letters, digits, spaces and . _ - + may stand in it, and no ".."'
        )
    target = Path(path)
    if not target.parent.is_dir():
        raise StoreError(f"{target}: there is no folder {target.parent}; make it first")
    if target.exists() or target.is_symlink():
        raise StoreError(f"{target}: exists already; a backup never overwrites, choose another name")
    return target


# ------------------------------------------------------------------ damage and risks


def check(db: sqlite3.Connection, store: Path) -> tuple[str, ...]:
    try:
        return _checked(db, store)
    except sqlite3.DatabaseError as error:  # too damaged to be looked through
        if not isinstance(translate(error), StoreUnusable):
            raise
        return (f"damaged: {error}; restore the newest backup",)


def _checked(db: sqlite3.Connection, store: Path) -> tuple[str, ...]:
    found = [row[0] for row in db.execute("PRAGMA quick_check(10)")]
    wrong = [f"damaged: {each}; restore the newest backup" for each in found if each != "ok"]
    if broken := db.execute("PRAGMA foreign_key_check").fetchall():
        wrong.append(
            f"{len(broken)} rows of {broken[0][0]} name something that is not there; restore the newest backup"
        )
    if (free := shutil.disk_usage(store.parent).free) < _LITTLE_SPACE:
        wrong.append(f"only {free // 1024 // 1024} MB are free on the disk of {store}")
    return tuple(wrong)


def risks() -> tuple[str, ...]:
    if not has_wal_reset_race(sqlite3.sqlite_version_info):
        return ()
    return (
        f"SQLite {sqlite3.sqlite_version} can damage a store when two processes write at the wrong moment (the "
        "WAL-reset race; 3.51.3, 3.50.7 and 3.44.6 are free of it): let no other program write to the store's file",
    )


def has_wal_reset_race(version: tuple[int, ...]) -> bool:
    """F111. The service's one writer and checkpointer avoids it; other programs on the same file may not."""
    return (3, 7, 0) <= version[:3] <= (3, 51, 2) and version[:3] not in {(3, 50, 7), (3, 44, 6)}
