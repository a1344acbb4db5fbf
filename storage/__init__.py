"""Everything that is kept, behind one connection string. All SQL is in this folder.

``sqlite:///wirewatch.db`` is relative to the configuration's folder, ``sqlite:////var/lib/wirewatch.db`` is absolute.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from monitor.errors import StoreUnusable
from monitor.ports import Progress, Store


def open_store(
    url: str,
    folder: Path | None = None,
    exclusive: bool = False,
    given_up: Callable[[], bool] = lambda: False,
) -> Store:
    """Open the store that ``url`` names, making it if the file is missing and its folder is there.

    ``exclusive`` is for the service: it takes the service lock, or raises `ServiceRunning` naming the process that has
    it. Everyone else opens without and writes in short transactions beside it. `StoreUnusable` says what is wrong with
    a file and what to do. A migration of a large store takes its time: ``given_up`` is asked meanwhile, and leaves the
    store as it was (`StoreUnusable`).
    """
    _only_sqlite(url)
    from storage.sqlite.opening import path_of  # noqa: PLC0415 - half a second of imports, not for `--help`
    from storage.sqlite.store import SqliteStore  # noqa: PLC0415

    return SqliteStore(path_of(url, folder), exclusive=exclusive, given_up=given_up)


def is_there(url: str, folder: Path | None = None) -> bool:
    """Whether something stands where ``url`` points; nothing is opened or made."""
    _only_sqlite(url)
    from storage.sqlite.opening import path_of  # noqa: PLC0415

    return path_of(url, folder).exists()


def restore(
    url: str,
    backup_file: Path,
    *,
    folder: Path | None = None,
    progress: Progress = lambda done, whole: None,
) -> Path | None:
    """Put a backup in the store's place; returns where the file that was there is kept.

    The backup is copied (``progress`` is told of that) and looked through whole first. `ServiceRunning` while a service
    holds the store, `StoreBusy` while another program has it open.
    """
    _only_sqlite(url)
    from storage.sqlite.opening import path_of  # noqa: PLC0415
    from storage.sqlite.restoring import restore as restore_file  # noqa: PLC0415

    return restore_file(path_of(url, folder), backup_file, progress)


def _only_sqlite(url: str) -> None:
    if not url.startswith("sqlite:"):
        kind = url.partition(":")[0]
        raise StoreUnusable(f"store address: {kind!r} stores are not known; write sqlite:///NAME.db")


__all__ = ["open_store", "restore"]
