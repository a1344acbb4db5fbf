"""Readers: a few threads, each with its own read-only connection, so that a read never waits for the writer."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from monitor.errors import StoreUnusable
from storage.sqlite.errors import translate

T = TypeVar("T")


class Readers:
    """Each job sees one snapshot, however many statements it runs."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], store: str, *, threads: int = 3) -> None:
        self._connect, self._store = connect, store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._own = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreUnusable(f"{self._store}: closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, work)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            db = self._connection()
            db.execute("BEGIN")
            try:
                return work(db)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        except sqlite3.Error as error:
            translated = translate(error, self._store)
            if translated is None:
                raise
            raise translated from error

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._own, "db"):
            self._own.db = self._connect()
            self._open.append(self._own.db)
        db: sqlite3.Connection = self._own.db
        return db

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown()
        for db in self._open:
            db.close()
