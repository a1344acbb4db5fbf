"""What SQLite raises, as errors an operator can act on.

The line: what comes from the disk, the file or another process is translated; what comes from our own SQL or
values is a bug and passes through untouched.
"""

from __future__ import annotations

import sqlite3

from monitor.errors import StoreBusy, StoreError, StoreFull, StoreUnusable

_READS = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}


def translate(error: BaseException, store: str = "the store") -> StoreError | None:
    """The store error that an exception means; ``None`` for a bug."""
    if isinstance(error, StoreError):
        return error
    if not isinstance(error, sqlite3.Error):
        return None
    # Python's own complaints (a closed connection, a wrong number of values) carry no code: bugs.
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else _by_code(code, f"{store}: {error}")


def _by_code(code: int, what: str) -> StoreError | None:
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(f"{what}; another process is writing, nothing was changed: try again")
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"{what}; nothing of this change was kept: make space, work goes on by itself")
        # A disk that is full may also answer a write with "disk I/O error" (F108); only a failing read is damage.
        case sqlite3.SQLITE_IOERR if code not in _READS:
            return StoreFull(f"{what}; the disk is full or failing, nothing of this change was kept")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_IOERR:
            return StoreUnusable(f"{what}; the file is damaged: stop, then `wirewatch restore` the newest backup")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StoreUnusable(f"{what}; check that the file and its folder belong to this user and may be written")
        case _:
            return None
