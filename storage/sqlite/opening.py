"""Opening a store's file: what is looked at first, and what is refused with words (F110, F113).

A store is never started empty in silence. A missing file is created whole, in one step; anything that is there but
is not a whole store of ours, or was made by a newer program, is refused.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from config.model.settings import store_path
from monitor.errors import StoreError, StoreUnusable
from storage.sqlite import schema, walog
from storage.sqlite.errors import translate
from storage.sqlite.lock import ServiceLock
from storage.sqlite.writer import COMMITS

PATIENCE = 10.0
"""Seconds that a writer waits for another process's lock before `StoreBusy`."""
CHECK_SECONDS = 2.0
"""How long a service looks for damage before it starts; a larger file is checked whole by `check`."""

_MAGIC = b"SQLite format 3\0"
_STEPS_BETWEEN_LOOKS = 100_000  # of SQLite's machine: some milliseconds
_WAL_LIMIT = 64 * 1024 * 1024


def path_of(url: str, folder: Path | None = None) -> Path:
    """The file that a store's address names: ``sqlite:///relative.db`` (to ``folder``) or ``sqlite:////absolute.db``."""
    path = store_path(url, folder)
    if path is None:
        raise StoreUnusable(f"store address {url!r}: write sqlite:///NAME.db, or sqlite:////WHOLE/PATH/NAME.db")
    return path


def connect(path: Path, *, read_only: bool = False, patience: float = PATIENCE) -> sqlite3.Connection:
    """A connection that may move between threads and begins no transaction by itself."""
    mode = "ro" if read_only else "rw"
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    db.row_factory = sqlite3.Row
    if read_only:
        db.execute("PRAGMA query_only = ON")
    return db


def open_writer(
    path: Path, lock: ServiceLock, *, patience: float = PATIENCE, given_up: Callable[[], bool] = lambda: False
) -> sqlite3.Connection:
    """The writing connection of a sound store at this program's schema. With the lock held it does the checkpoints."""
    if lock.note("restoring"):
        raise StoreUnusable(
            f"{path}: a restore was broken off; put it right with the same command once more: {_restore(path)}"
            if lock.held or not _service_lives(lock)
            else f"{path}: a backup is being put in its place at this moment; try again when that is done"
        )
    if not path.exists():
        if lock.note("running") or lock.note("stopped"):
            raise StoreUnusable(
                f"{path}: the file is missing, though a service worked on it: bring it back, {_restore(path)}, or "
                f"delete {lock.path.name} to begin with an empty store"
            )
        create(path)
    inspect(path, lock)
    try:
        db = connect(path, patience=patience)
        try:
            return _prepared(db, path, lock, given_up)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise _told(error, path) from error


def create(path: Path) -> None:
    """An empty store at ``path``, linked into place when it is whole, so that nobody ever meets half of one."""
    if not path.parent.is_dir():
        raise StoreUnusable(f"{path}: there is no folder {path.parent}; make it, or correct the store's address")
    if (wal := beside(path, "-wal")).exists():
        raise StoreUnusable(f"{path}: the file is missing but {wal.name} is there: bring it back, {_restore(path)}")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            new = Path(folder) / path.name
            db = sqlite3.connect(new, isolation_level=None)
            try:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
                db.execute("PRAGMA journal_mode = WAL")
                schema.migrate(db)
            finally:
                db.close()
            os.link(new, path)
        flush_folder(path.parent)
    except FileExistsError:
        return  # another process made it at the same moment: as good as ours
    except OSError as error:
        raise StoreUnusable(f"{path}: cannot be created ({error.strerror}); may this user write there?") from error
    except sqlite3.Error as error:
        raise _told(error, path) from error


def inspect(path: Path, lock: ServiceLock) -> None:
    """Refuse what is not a whole store of ours, before SQLite touches it."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
        size = path.stat().st_size
    except OSError as error:
        raise StoreUnusable(f"{path}: cannot be read ({error.strerror})") from error
    if not os.access(path, os.W_OK, effective_ids=True):  # SQLite would open it all the same, to fail at each write
        raise StoreUnusable(f"{path}: may not be written; check that the file and its folder belong to this user")
    wal = beside(path, "-wal")
    logged = wal.exists() and wal.stat().st_size > 0
    if not header:
        raise StoreUnusable(f"{path}: the file is empty, it was a store or never became one: {_restore(path)}")
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise StoreUnusable(f"{path}: not a SQLite database: {_restore(path)}")
    if int.from_bytes(header[68:72]) != schema.APPLICATION_ID and not logged:
        raise StoreUnusable(f"{path}: a SQLite database, but not a store of wirewatch; correct the store's address")
    page = int.from_bytes(header[16:18])
    whole = int.from_bytes(header[28:32]) * (65536 if page == 1 else page)
    if size < whole and not logged:  # with a log beside it the file may lag behind its own header
        raise StoreUnusable(f"{path}: cut short, {size} of {whole} bytes are there: {_restore(path)}")
    if lock.note("running") and (lock.held or not _service_lives(lock)):
        _look_at_log(path, wal, lock, commits=int.from_bytes(header[60:64]))


def _look_at_log(path: Path, wal: Path, lock: ServiceLock, *, commits: int) -> None:
    """The last service was killed: its log holds its latest changes, all that were acknowledged. ``commits``: the
    number of the last one in the main file."""
    if not wal.exists():
        if lock.commits is not None and (commits - lock.commits) % COMMITS < COMMITS // 2:
            return  # another program closed the store since, and SQLite brought the log home
        what = f"gone: bring it back, {_restore(path)}, or delete {lock.path.name} to go on without those changes"
    elif walog.damaged(wal, CHECK_SECONDS):
        what = f"damaged: {_restore(path)}, or delete {lock.path.name} to go on with those that can be read"
    else:
        return
    raise StoreUnusable(
        f"{path}: the last service was killed and {wal.name}, which holds its latest changes, is {what}"
    )


def _service_lives(lock: ServiceLock) -> bool:
    if not lock.try_take():
        return True
    lock.drop()
    return False


def _prepared(
    db: sqlite3.Connection, path: Path, lock: ServiceLock, given_up: Callable[[], bool]
) -> sqlite3.Connection:
    db.execute("PRAGMA foreign_keys = ON")
    if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StoreUnusable(f"{path}: this file system cannot hold the store (no write-ahead log); use a local disk")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -32768")
    db.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
    # Only the service's writer makes checkpoints while it lives: two at once are what the WAL-reset race needs (F111).
    db.execute(f"PRAGMA wal_autocheckpoint = {1000 if lock.held else 0}")
    if newer := schema.unknown(db):
        raise StoreUnusable(
            f"{path}: made by a newer wirewatch (it knows {', '.join(newer)}); use that version, or {_restore(path)}"
        )
    if schema.pending(db):
        _migrate(db, path, lock, given_up)
    if lock.held:
        _look_for_damage(db, path)
        # A transaction that writes nothing: a file or folder we may not write is found now, not at the first answer.
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
        flush_folder(path.parent)
        lock.say("running", commits=db.execute("PRAGMA user_version").fetchone()[0])
    return db


def _migrate(db: sqlite3.Connection, path: Path, lock: ServiceLock, given_up: Callable[[], bool]) -> None:
    mine = lock.held
    if not mine and not lock.try_take():
        raise StoreUnusable(f"{path}: an older wirewatch is running on it; stop that service, then try again")
    db.set_progress_handler(given_up, _STEPS_BETWEEN_LOOKS)
    try:
        schema.migrate(db)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise StoreUnusable(f"{path}: bringing it to this version was broken off; it is as it was") from None
    finally:
        db.set_progress_handler(None, 0)
        if not mine:
            lock.drop()


def _look_for_damage(db: sqlite3.Connection, path: Path) -> None:
    until = time.monotonic() + CHECK_SECONDS
    db.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        found = "ok"
    finally:
        db.set_progress_handler(None, 0)
    if found != "ok":
        raise StoreUnusable(f"{path}: the file is damaged ({found.splitlines()[-1]}): {_restore(path)}")


def _told(error: sqlite3.Error, path: Path) -> Exception:
    translated = translate(error, str(path))
    if isinstance(translated, StoreUnusable) and "damaged" in str(translated):
        return StoreUnusable(f"{path}: the file is damaged ({error}): {_restore(path)}")
    # "no such table: …" and the like: the file is SQLite's, but what we keep in it is not there.
    return translated if isinstance(translated, StoreError) else error


def _restore(path: Path) -> str:
    """What to do, with the newest backup beside the store if there is one."""
    backups = [each for each in path.parent.glob("[!.]*") if _may_be_backup(each, path) and is_ours(each)]
    newest = max(backups, key=lambda each: each.stat().st_mtime, default=None)
    return f"restore a backup: `wirewatch restore {newest or 'FILE'}`"


def _may_be_backup(file: Path, store: Path) -> bool:
    """Not the store itself, nor what a restore put aside, nor half a backup."""
    return file != store and file.suffix != ".part" and not file.name.startswith(f"{store.name}.replaced-")


def is_ours(path: Path) -> bool:
    """Whether a file says of itself that it is a store of ours (or a backup of one)."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError:
        return False
    return header.startswith(_MAGIC) and int.from_bytes(header[68:72]) == schema.APPLICATION_ID


def beside(path: Path, ending: str) -> Path:
    """The file that SQLite keeps next to a database: ``-wal``, ``-shm``, ``-journal``."""
    return path.with_name(path.name + ending)


def flush_folder(folder: Path) -> None:
    """Bring names made or changed in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
