"""The one writer: many jobs to a commit, each job all or nothing, and every transaction immediate (F109)."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreUnusable
from monitor.model.filing import Decision
from storage import open_store
from storage.sqlite.store import SqliteStore
from storage.sqlite.writer import Writer
from tests.storage.desk import candidate, decide, filing
from tests.storage.sqlite.files import url

pytestmark = pytest.mark.anyio


@contextlib.contextmanager
def writing(path: Path) -> Iterator[tuple[Writer, list[str]]]:
    """A writer on a bare table, and the statements it ran."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, up INTEGER REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
        ran: list[str] = []
        db.set_trace_callback(ran.append)
        writer = Writer(db, "test", patience=10)
        try:
            yield writer, ran
        finally:
            writer.close()


def put(number: int, up: int | None = None) -> Callable[[sqlite3.Connection], int]:
    def job(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO t VALUES (?, ?)", (number, up))
        return number

    return job


async def together(writer: Writer, *jobs: Callable[[sqlite3.Connection], int]) -> list[int | BaseException]:
    """Run jobs in one commit: they wait while another holds the writer."""
    go = threading.Event()
    held = asyncio.ensure_future(writer.alone(lambda _db: go.wait(10)))
    waiting = [asyncio.ensure_future(writer.write(job)) for job in jobs]
    await asyncio.sleep(0)
    go.set()
    await held
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_jobs_that_wait_share_one_commit(path: Path) -> None:
    with writing(path) as (writer, ran):
        assert await together(writer, *map(put, range(20))) == list(range(20))
        assert ran.count("COMMIT") == 1


async def test_a_job_that_fails_is_undone_alone(path: Path) -> None:
    def half(db: sqlite3.Connection) -> int:
        put(7)(db)
        raise ValueError("no")

    with writing(path) as (writer, ran):
        first, failed, last = await together(writer, put(1), half, put(2))
        assert (first, str(failed), last) == (1, "no", 2)
        assert ran.count("COMMIT") == 1
        assert await writer.write(lambda db: [row[0] for row in db.execute("SELECT n FROM t")]) == [1, 2]


async def test_a_commit_that_fails_fails_every_job_in_it_and_the_next_one_works(path: Path) -> None:
    with writing(path) as (writer, _):
        outcomes = await together(writer, put(1), put(2, up=99), put(3))
        assert [type(each) for each in outcomes] == [sqlite3.IntegrityError] * 3
        assert await writer.write(put(4)) == 4
        assert await writer.write(lambda db: [row[0] for row in db.execute("SELECT n FROM t")]) == [4]


async def test_a_job_that_ends_the_transaction_fails_its_neighbours_too(path: Path) -> None:
    def torn(db: sqlite3.Connection) -> int:
        db.execute("ROLLBACK")
        return 0

    with writing(path) as (writer, _):
        outcomes = await together(writer, put(1), torn)
        assert [type(each) for each in outcomes] == [StoreUnusable] * 2
        assert await writer.write(put(5)) == 5


async def test_a_caller_that_gave_up_waiting_is_skipped(path: Path) -> None:
    with writing(path) as (writer, _):
        go = threading.Event()
        held = asyncio.ensure_future(writer.alone(lambda _db: go.wait(10)))
        given_up = asyncio.ensure_future(writer.write(put(1)))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        go.set()
        await held
        assert await writer.write(lambda db: db.execute("SELECT count(*) FROM t").fetchone()[0]) == 0


async def test_reads_do_not_wait_for_the_writer(store: SqliteStore) -> None:
    go, inside = threading.Event(), threading.Event()

    def slow(_change: object, _ledger: object) -> Decision:
        inside.set()
        go.wait(10)
        return Decision()

    filed = asyncio.ensure_future(store.file(filing([candidate(keys=("url:a",))]), slow))
    await asyncio.to_thread(inside.wait, 10)
    assert await store.items() == ()
    assert (await store.count())["items"] == 0
    go.set()
    assert (await filed).new == 1
    assert len(await store.items()) == 1


async def test_a_closed_store_says_so(path: Path) -> None:
    store = open_store(url(path))
    await store.close()
    await store.close()
    for asked in (store.count(), store.release_all(), store.items()):
        with pytest.raises(StoreUnusable, match="closed"):
            await asked


def ask(sql: str, db: sqlite3.Connection) -> Any:
    return db.execute(sql).fetchone()[0]


async def test_the_writer_waits_for_the_disk_at_each_commit(store: SqliteStore) -> None:
    for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
        asked = f"PRAGMA {pragma}"
        assert await store._writer.alone(partial(ask, asked)) == value


async def test_f109_commands_write_beside_the_service(store: SqliteStore, path: Path) -> None:
    beside_it = SqliteStore(path)
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(40)]
    filings = [filing([each]) for each in entries]
    await asyncio.gather(
        *(store.file(each, decide) for each in filings), *(beside_it.file(each, decide) for each in filings)
    )
    await beside_it.close()
    counts = await store.count()
    assert (counts["items"], counts["pending"]) == (40, 80)
