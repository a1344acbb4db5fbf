"""Putting a backup in the store's place. What was there is kept aside, never deleted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import StoreError, StoreUnusable
from storage.sqlite import schema
from storage.sqlite.lock import ServiceLock
from storage.sqlite.opening import connect, flush_folder, is_ours


def restore(store: Path, backup: Path) -> Path | None:
    """Replace ``store`` by a copy of ``backup``, which is looked through whole before anything is touched.

    Returns where the store before it is kept. `ServiceRunning` while a service lives.
    """
    if not backup.is_file() or not is_ours(backup):
        raise StoreUnusable(f"{backup}: not a backup of a wirewatch store")
    if store.exists() and store.samefile(backup):
        raise StoreError(f"{backup}: this is the store itself")
    if not store.parent.is_dir():
        raise StoreUnusable(f"{store}: there is no folder {store.parent}; make it, or correct the store's address")
    lock = ServiceLock(store)
    lock.take()
    try:
        copy = store.with_name(f".{store.name}.restoring")
        shutil.copyfile(backup, copy)
        _look_through(copy, backup)
        kept = _put_aside(store)
        copy.replace(store)
        flush_folder(store.parent)
        lock.say("stopped")
    finally:
        lock.drop()
    return kept


def _look_through(copy: Path, backup: Path) -> None:
    try:
        with closing(connect(copy)) as db:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            newer = schema.unknown(db)
    except sqlite3.DatabaseError as error:
        found, newer = str(error), ()
    if found != "ok" or newer:
        copy.unlink()
        what = f"damaged ({found.splitlines()[-1]})" if found != "ok" else "made by a newer wirewatch"
        raise StoreUnusable(f"{backup}: this backup is {what}; nothing was changed, take another one")
    with copy.open("rb") as file:
        os.fsync(file.fileno())


def _put_aside(store: Path) -> Path | None:
    """Move the store away with its log, which holds its latest changes; the shared-memory file is rebuilt anyway."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    kept = store.with_name(f"{store.name}.replaced-{now}")
    store.with_name(store.name + "-shm").unlink(missing_ok=True)
    for ending in ("-wal", ""):
        if (old := store.with_name(store.name + ending)).exists():
            old.rename(kept.with_name(kept.name + ending))
    return kept if kept.exists() else None
