"""Reading in processes that are killed from outside when their time is up (F55): one hostile body costs itself only.

A signal inside a process waits for native code; a kill does not. Workers are spawned, not forked: the parent
runs Twisted's reactor and threads, and a fork would inherit their locks.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from pebble import ProcessExpired, ProcessPool

from monitor.model.sources import Outcome
from spiders.readers import Reading, ReadTask, read

MEMORY = 1 << 30
TASKS = 2_000
"""Bodies after which a worker is renewed, so that what a native parser leaks is given back."""
START = 30.0
"""Seconds in which a free worker must begin; without it a slow start would count against the body."""
_LOOK = 0.05
_TRIES = 3
RESULT = 64 * 1024 * 1024
"""Characters of one result: the readers cut far below it, so only a fault in them gets here."""

_log = logging.getLogger(__name__)


class Workers:
    """``count`` processes that read bodies, each under a time limit and a memory limit.

    Made outside or inside an event loop; `read` belongs to one loop. `close` leaves no worker behind, and a
    worker whose parent was killed ends by itself.
    """

    def __init__(self, count: int = 2, *, limit: float = 10.0) -> None:
        self._count = count
        self._limit = limit
        self._free = asyncio.Semaphore(count)
        self._pending: dict[Future[Reading], ProcessPool] = {}
        self._leaving: list[threading.Thread] = []
        self._closed = False
        self._pool = self._made()

    async def read(self, task: ReadTask) -> Reading:
        """Read one body. Never raises for what a body does to its worker: that is a *failed* reading with the reason.

        The time counts from when a worker has begun, on the loop's monotonic clock (pebble's own limit follows
        the wall clock, which may be set).
        """
        async with self._free:
            for _ in range(_TRIES):
                if (reading := await self._once(task)) is not None:
                    return reading
                _log.info("reading again after the workers were renewed", extra={"url": task.url})
            return _failed(f"the workers ended before reading, {_TRIES} times", task)

    def close(self) -> None:
        """Stop at once; what is being read is given up as *failed*."""
        self._closed = True
        self._leave(self._pool)
        for thread in self._leaving:
            thread.join()

    async def _once(self, task: ReadTask) -> Reading | None:
        """One try; ``None`` when the workers ended for another reason and this body must be read again."""
        if self._closed:
            return _failed("the workers are closed", task)
        try:
            pool, future = self._scheduled(task)
        except OSError as error:  # the process table is full, or no descriptor is free (F144)
            return _failed(f"no worker can be started: {error.strerror or type(error).__name__}", task)
        self._pending[future] = pool
        coming = asyncio.wrap_future(future)
        try:
            if not await _begun(future, coming):  # a worker is free, and yet nothing begins: the pool is stuck
                self._renew(pool)
                return _failed(f"no worker began to read within {START:g} s", task)
            done, _ = await asyncio.wait({coming}, timeout=self._limit)
            if not done:
                return _failed(f"reading took longer than {self._limit:g} s and was stopped", task)
            if coming.cancelled():
                return _failed("the workers are closed", task) if self._closed else None
            return self._outcome(coming, pool, task)
        finally:
            self._pending.pop(future, None)
            future.cancel()

    def _scheduled(self, task: ReadTask) -> tuple[ProcessPool, Future[Reading]]:
        """Give the task to the pool, or to a new one: pebble's breaks for good when an idle worker is killed."""
        if not self._pool.active:
            self._renew(self._pool)
        return self._pool, self._pool.schedule(_read, args=[task])

    def _outcome(self, coming: asyncio.Future[Reading], pool: ProcessPool, task: ReadTask) -> Reading | None:
        try:
            return coming.result()
        except ProcessExpired as error:
            self._renew(pool)
            return _failed(f"the worker died while reading (exit code {error.exitcode})", task)
        except BrokenProcessPool:  # nothing was being read when they ended, so this body is not to blame
            self._renew(pool)
            return None
        except MemoryError:
            return _failed(f"reading needed more than {MEMORY >> 20} MiB", task)
        except Exception as error:  # noqa: BLE001 (a fault in a reader loses this answer, not the service)
            _log.exception("reading failed", extra={"url": task.url, "kind": task.kind})
            return _failed(f"reading failed: {type(error).__name__}: {str(error)[:200]}", task)

    def _made(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._count,
            max_tasks=TASKS,
            initializer=_prepare,
            initargs=(MEMORY,),
            context=multiprocessing.get_context("spawn"),
        )

    def _renew(self, pool: ProcessPool) -> None:
        """Replace a pool that lost a worker from outside: the dead one may hold the lock the others wait for."""
        if pool is not self._pool:
            return
        self._pool = self._made()
        self._leave(pool)

    def _leave(self, pool: ProcessPool) -> None:
        """Stop a pool in the background; whoever waits for it is told (pebble does not)."""
        for future in [future for future, its in self._pending.items() if its is pool]:
            future.cancel()
        pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates all but this
        thread = threading.Thread(target=pool.join, name="pool-leaving", daemon=True)
        thread.start()
        self._leaving = [leaving for leaving in self._leaving if leaving.is_alive()] + [thread]


async def _begun(future: Future[Reading], coming: asyncio.Future[Reading]) -> bool:
    """Wait until a worker has taken the task; a new worker needs half a second, much more on a busy machine."""
    for _ in range(int(START / _LOOK)):
        if future.running() or coming.done():
            return True
        await asyncio.wait({coming}, timeout=_LOOK)
    return False


def _failed(reason: str, task: ReadTask) -> Reading:
    start = " ".join(task.body[:400].decode("utf-8", "replace").split())
    return Reading(outcome=Outcome.FAILED, reason=reason, excerpt=start[:200])


# ------------------------------------------------------------------ inside a worker


def _prepare(memory: int) -> None:
    """Ctrl-C is the parent's business; memory has a limit; and without a parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _read(task: ReadTask) -> Reading:
    reading = read(task)
    size = sum(len(entry.title) + len(entry.lead) + len(entry.body) + len(entry.html) for entry in reading.entries)
    if size > RESULT:
        return Reading(outcome=Outcome.FAILED, reason=f"result larger than {RESULT:,} characters")
    return reading
