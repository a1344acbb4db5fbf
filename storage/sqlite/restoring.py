"""Putting a backup in the store's place. What was there is kept aside, never deleted.

Whatever ends it (a kill, a power cut) leaves the store as it was, the backup in its place, or the note ``restoring`` in
the service lock: then `opening` refuses, and the same command once more puts all right.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import StoreBusy, StoreError, StoreUnusable
from monitor.ports import Progress
from storage.sqlite import schema
from storage.sqlite.errors import translate
from storage.sqlite.lock import ServiceLock
from storage.sqlite.opening import beside, connect, flush_folder, is_ours

_PAGES_AT_ONCE = 4096
# Every connection to a store in WAL mode holds a shared lock on these bytes (SQLite's os_unix.c).
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_LOGS = ("-journal", "-wal")
"""Files beside a store that change it when it is opened next: they belong to it alone."""


def restore(store: Path, backup: Path, progress: Progress) -> Path | None:
    """Replace ``store`` by a copy of ``backup``, which is looked through whole before anything is touched.

    ``progress`` is told how many pages of how many are copied; looking through them takes about as long again. Returns
    where the store before it is kept. `ServiceRunning` while a service lives, `StoreBusy` while another program has the
    store open.
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
        with _open_nowhere_else(store):
            pass  # said now rather than after the copying, during which others may read
        copy = _whole_copy(store, backup, progress)
        with _open_nowhere_else(store):
            return _put_in_place(store, copy, lock)
    except OSError as error:
        raise StoreError(f"{store}: could not be replaced ({error.strerror})") from error
    finally:
        lock.drop()


@contextlib.contextmanager
def _open_nowhere_else(store: Path) -> Iterator[None]:
    """A program that has the old file open would remove or fill the log of the new one, which has the same name."""
    if not store.exists():
        yield
        return
    with store.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except (BlockingIOError, PermissionError):
            raise StoreBusy(f"{store}: another program has it open; close that first, then restore") from None
        yield


# ------------------------------------------------------------------ the copy


def _whole_copy(store: Path, backup: Path, progress: Progress) -> Path:
    """The backup's content in a sound file beside the store, on the disk."""
    copy = store.with_name(f".{store.name}.restoring")
    _remove(copy)  # of a restore that was broken off
    try:
        found, newer = _copied(backup, copy, progress)
    except sqlite3.Error as error:
        _remove(copy)
        if not isinstance(translated := translate(error, f"{copy}"), StoreError):
            raise
        if not isinstance(translated, StoreUnusable):
            raise translated from error
        found, newer = str(error), ()
    if found != "ok" or newer:
        _remove(copy)
        what = f"damaged ({found.splitlines()[-1]})" if found != "ok" else "made by a newer wirewatch"
        raise StoreUnusable(f"{backup}: this backup is {what}; nothing was changed, take another one")
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    return copy


def _copied(backup: Path, copy: Path, progress: Progress) -> tuple[str, tuple[str, ...]]:
    """What the look through the copy found ("ok"), and which of its migrations are unknown here."""
    with closing(_source(backup)) as source, closing(sqlite3.connect(copy)) as db:
        source.backup(db, pages=_PAGES_AT_ONCE, progress=lambda _, left, whole: progress(whole - left, whole))
    with closing(connect(copy)) as db:
        return db.execute("PRAGMA integrity_check(1)").fetchone()[0], schema.unknown(db)


def _source(backup: Path) -> sqlite3.Connection:
    """A store that was kept aside has a log, which is part of it; a plain backup may lie where nobody can write."""
    logged = any(beside(backup, ending).exists() for ending in _LOGS)
    mode = "mode=ro" if logged else "mode=ro&immutable=1"
    return sqlite3.connect(f"{backup.absolute().as_uri()}?{mode}", uri=True)


def _remove(copy: Path) -> None:
    for ending in ("", *_LOGS, "-shm"):
        beside(copy, ending).unlink(missing_ok=True)


# ------------------------------------------------------------------ the exchange


def _put_in_place(store: Path, copy: Path, lock: ServiceLock) -> Path | None:
    flush_folder(store.parent)  # the lock's own name before its note
    lock.say("restoring")
    kept = _put_aside(store)
    flush_folder(store.parent)
    copy.replace(store)
    flush_folder(store.parent)
    lock.say("stopped")
    return kept


def _put_aside(store: Path) -> Path | None:
    """Give the store another name as well, so that it is never missing, and let its logs, which hold its latest
    changes, go with it; the shared-memory file is rebuilt anyway."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    kept = store.with_name(f"{store.name}.replaced-{now}")
    if store.exists():
        os.link(store, kept)
    for ending in _LOGS:
        if (log := beside(store, ending)).exists():
            log.rename(beside(kept, ending))
    beside(store, "-shm").unlink(missing_ok=True)
    return kept if kept.exists() else None
