"""The service lock: one service a store, and a note of how the last one ended.

``FILE.lock`` is held with ``flock`` (the system lets go of it when the process dies, however it dies) and names its
holder. It says ``running`` until everything is in the main file, then ``stopped``. While a backup is put in the store's
place it says ``restoring``.

A service that was killed leaves a ``-wal`` file behind. ``running`` without one means that another program has brought
the log home since, as SQLite does when the last one closes the store; or that somebody took the latest changes away
(F110). The number of the last commit tells which: it stands in the store with the commit itself (`Writer`), and here.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from monitor.errors import ServiceRunning, StoreFull, StoreUnusable

log = logging.getLogger(__name__)

State = Literal["running", "stopped", "restoring"]
_NOTE, _NUMBER = 128, 10
"""Bytes of the note, and of the number after it, in digits."""
_PATIENCE = 0.5  # another command may hold the lock for an instant while it closes


class ServiceLock:
    """Not held until `take` says so; `drop` may be called twice."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.path = store.with_name(store.name + ".lock")
        self._file: int | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def take(self) -> None:
        """Take the lock; `ServiceRunning` names the process that has it."""
        until = time.monotonic() + _PATIENCE
        while not self.try_take():
            if time.monotonic() > until:
                raise ServiceRunning(self._who())
            time.sleep(0.02)

    def try_take(self) -> bool:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreUnusable(
                f"{self.path}: cannot be opened ({error.strerror}); may this user write there?"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def note(self, state: State) -> bool:
        """Whether this was the last that a holder said. ``running`` while nobody holds it: it never got to say that it
        had stopped."""
        return self._note().get("state") == state

    def say(self, state: State, *, commits: int = 0) -> None:
        """Write to disk how things stand, with who we are, and the number of the last commit. Only the holder may."""
        assert self._file is not None
        note = {"pid": os.getpid(), "started": datetime.now(UTC).isoformat(timespec="seconds"), "state": state}
        try:
            os.pwrite(self._file, json.dumps(note).encode().ljust(_NOTE) + _digits(commits), 0)
            os.fsync(self._file)
        except OSError as error:
            raise StoreFull(
                f"{self.path}: cannot be written ({error.strerror}); the disk is full or failing"
            ) from error

    def committed(self, number: int) -> None:
        """The number of the holder's last commit. It is not waited for: what a killed process wrote stands there, and
        what a power cut leaves is an earlier number at worst."""
        assert self._file is not None
        try:
            os.pwrite(self._file, _digits(number), _NOTE)
        except OSError as error:
            log.warning("the number of a commit could not be noted", extra={"error": str(error)})

    @property
    def commits(self) -> int | None:
        """The last that was noted; ``None``: it cannot be read."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(self.path.read_bytes()[_NOTE : _NOTE + _NUMBER])
        return None

    def _note(self) -> Mapping[str, Any]:
        # Empty, half written, or whatever a disk shows after a power cut (then not even text): a service died before
        # it began; it cannot have changed anything.
        with contextlib.suppress(FileNotFoundError, ValueError):
            note = json.loads(self.path.read_bytes()[:_NOTE])
            if isinstance(note, dict):
                return note
        return {}

    def _who(self) -> str:
        note = self._note()
        return (
            f"{self.store}: another service holds this store: process {note.get('pid', 'unknown')}, "
            f"started {note.get('started', 'at an unknown time')}; stop it first"
        )


def _digits(number: int) -> bytes:
    return b"%0*d" % (_NUMBER, number)
