"""The one writer: a thread that runs jobs in the order they came, many to a commit.

A commit waits for the disk (341 a second with ``synchronous=FULL``, measured), so jobs that wait meanwhile share the
next one. A job is told of success only after the commit that holds it; a job that fails is undone alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from monitor.errors import StoreUnusable
from storage.sqlite.errors import translate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

TURN = 0.25
"""Seconds for which SQLite itself waits for another program's lock; patience is made of such turns."""
HURRIED = 1.0
"""Patience of a service that stops, in seconds."""
COMMITS = 1 << 31
"""Numbers of commits; then they begin anew."""
MOST_JOBS = 256
LONGEST_SECONDS = 0.05
"""One commit takes no more jobs and gathers no longer than this: the first job in it waits for the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    job: _Job
    value: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the writing connection; `write` and `alone` are called from an event loop, `close` from anywhere."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        store: str,
        *,
        patience: float,
        committed: Callable[[int], None] = lambda number: None,
    ) -> None:
        """``patience``: seconds that a transaction waits for another program. ``committed`` hears the number of each
        commit that changed anything; it stands in the main file's header as the user version."""
        self._db, self._store, self._patience, self._committed = connection, store, patience, committed
        self._wait(min(patience, TURN))
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._next: _Job | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction and return its value once that is committed."""
        return await self._queue(work, alone=False)

    async def alone(self, work: Work[T]) -> T:
        """Run ``work`` between transactions: checkpoints, handing pages back to the file system."""
        return await self._queue(work, alone=True)

    async def _queue(self, work: Work[T], *, alone: bool) -> T:
        if self._stopping:
            raise StoreUnusable(f"{self._store}: closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work=work, future=future, alone=alone))
        return await future

    def give_up_sooner(self) -> None:
        """Nobody waits for another program any longer than `HURRIED`, who waits now included."""
        self._patience = min(self._patience, HURRIED)

    def close(self) -> None:
        """Finish what is queued, then end the thread; the connection stays open for its owner to close."""
        self._stopping = True
        self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (job := self._take()) is not None:
            if job.alone:
                self._wait(self._patience)
                self._tell([self._run(job)])
                self._wait(min(self._patience, TURN))
            else:
                self._tell(self._commit_together(job))

    def _take(self) -> _Job | None:
        job, self._next = self._next, None
        return job or self._jobs.get()

    def _ready(self) -> _Job | None:
        """The next job that may join the open transaction, if one waits."""
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return None
        if job is None:
            self._jobs.put(None)
        elif job.alone:
            self._next, job = job, None
        return job

    def _commit_together(self, first: _Job) -> list[_Done]:
        started = time.monotonic()
        taken: list[_Job] = []
        done: list[_Done] = []
        job: _Job | None = first
        try:
            self._begin()
            changes = self._db.total_changes
            while job is not None:
                taken.append(job)
                done.append(self._run_in_savepoint(job))
                if not self._db.in_transaction:  # SQLite undid all of it: a full disk may do that
                    return self._all_failed(taken, done, done[-1].error)
                full = len(done) >= MOST_JOBS or time.monotonic() - started > LONGEST_SECONDS
                job = None if full else self._ready()
            self._commit(changes)
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            # Nobody waits his own ten seconds for the same lock: what was queued meanwhile fails with the first.
            return self._all_failed(taken or [first, *iter(self._ready, None)], done, error)
        return done

    def _begin(self) -> None:
        """The transaction, when no other program writes any more."""
        began = time.monotonic()
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() - began >= self._patience:
                    raise
            else:
                return

    def _commit(self, changes: int) -> None:
        if self._db.total_changes == changes:
            self._db.execute("COMMIT")
            return
        number = (self._db.execute("PRAGMA user_version").fetchone()[0] + 1) % COMMITS
        self._db.execute(f"PRAGMA user_version = {number}")
        self._db.execute("COMMIT")
        self._committed(number)

    def _wait(self, seconds: float) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def _run_in_savepoint(self, job: _Job) -> _Done:
        self._db.execute("SAVEPOINT job")
        done = self._run(job)
        if self._db.in_transaction:
            if done.error is not None:
                self._db.execute("ROLLBACK TO job")
            self._db.execute("RELEASE job")
        return done

    def _run(self, job: _Job) -> _Done:
        if job.future.cancelled():
            return _Done(job=job)
        try:
            return _Done(job=job, value=job.work(self._db))
        except BaseException as error:  # noqa: BLE001 - handed to whoever awaits the job: this thread must live on
            return _Done(job=job, error=self._translated(error))

    def _all_failed(self, taken: list[_Job], done: list[_Done], error: BaseException | None) -> list[_Done]:
        """A commit that failed failed everyone in it; a job that had failed before keeps its own reason."""
        reason = self._translated(error) if error else StoreUnusable(f"{self._store}: a job ended the transaction")
        own = [each for each in done if each.error is not None]
        return own + [_Done(job=job, error=reason) for job in taken if all(each.job is not job for each in own)]

    def _translated(self, error: BaseException) -> BaseException:
        translated = translate(error, self._store)
        if translated is None or translated is error:
            return error
        translated.__cause__ = error
        return translated

    def _tell(self, done: list[_Done]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Done]] = defaultdict(list)
        for each in done:
            by_loop[each.job.future.get_loop()].append(each)
        for loop, jobs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, jobs)
            except RuntimeError:  # the loop is closed: nobody waits for the answer any more
                continue


def _settle(done: list[_Done]) -> None:
    for each in done:
        if each.job.future.done():
            continue
        if each.error is not None:
            each.job.future.set_exception(each.error)
        else:
            each.job.future.set_result(each.value)
