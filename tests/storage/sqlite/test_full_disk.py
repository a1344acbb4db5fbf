"""A disk that fills up: nothing acknowledged is lost, nothing is half, and work goes on by itself (F108)."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import StoreFull
from monitor.model.filing import Filing
from monitor.model.sources import Validators
from storage import open_store
from storage.sqlite.store import SqliteStore
from tests.storage.desk import READ, candidate, decide, filing, source
from tests.storage.sqlite.files import beside, contents, made, url

pytestmark = pytest.mark.anyio


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """A disk on which no file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def large(number: int, articles: int = 1) -> Filing:
    """An answer of long articles, all new."""
    entries = [
        candidate(f"Doha {number}-{n}", keys=(f"url:{number}-{n}",), body="word " * 2000) for n in range(articles)
    ]
    return filing(entries, etag=f'"{number}"')


@pytest.mark.parametrize("room", [0, 24, 32, 4096, 8192, 50_000, 150_000])
async def test_f108_a_full_disk_keeps_what_was_committed_and_moves_no_validator(
    store: SqliteStore, path: Path, room: int
) -> None:
    """Wherever in the writing of an answer the disk is full."""
    await store.register([source()], pages_of=READ)
    await store.file(large(1), decide)
    answer = large(2, articles=50)
    with no_file_beyond(beside(path, "-wal").stat().st_size + room):
        for _ in range(2):
            with pytest.raises(StoreFull):
                await store.file(answer, decide)
        assert (await store.count())["items"] == 1, "what was filed can still be read"
        (state,) = await store.sources()
        assert state.validators == Validators(etag='"1"')
    assert (await store.file(answer, decide)).new == 50, "goes on by itself"
    (state,) = await store.sources()
    assert state.validators == Validators(etag='"2"')
    assert await store.check() == ()


async def test_f108_what_the_log_still_takes_is_kept_though_the_file_cannot_grow(path: Path) -> None:
    """The log has room that the file has not: commits go through, and none of them may be lost over a restart."""
    await made(path, articles=60, body="word " * 2000)
    store = SqliteStore(path, exclusive=True)
    with no_file_beyond(path.stat().st_size):
        filed = await filed_until_full(store)
        await store.close()
    assert filed > 3
    assert beside(path, "-wal").stat().st_size > 0, "it could not be emptied"
    again = SqliteStore(path, exclusive=True)
    assert (await again.count())["items"] == 60 + filed
    assert (await again.file(large(filed), decide)).new == 1
    assert await again.check() == ()
    await again.close()
    assert not beside(path, "-wal").exists()


async def filed_until_full(store: SqliteStore) -> int:
    """How many answers the store took."""
    for number in range(1000):
        try:
            await store.file(large(number), decide)
        except StoreFull:
            return number
    raise AssertionError("it never filled up")


@pytest.mark.parametrize("size", [0, 64, 4096, 100_000])
async def test_f108_a_start_on_a_full_disk_says_so_and_leaves_the_store_as_it_was(path: Path, size: int) -> None:
    with no_file_beyond(size), pytest.raises(StoreFull, match="disk is full"):
        open_store(url(path), exclusive=True)
    assert not path.exists(), "nothing half made"
    await made(path)
    before = contents(path)
    with no_file_beyond(min(size, 4096)), pytest.raises(StoreFull, match="disk is full"):
        open_store(url(path), exclusive=True)
    assert contents(path) == before
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] == 3
    await store.close()


async def test_f108_a_backup_that_finds_no_room_leaves_nothing(store: SqliteStore, path: Path) -> None:
    await store.file(large(1, articles=50), decide)
    with no_file_beyond(100_000), pytest.raises(StoreFull, match="backup to"):
        await store.backup(str(path.with_name("backup.db")))
    assert sorted(each.name for each in path.parent.glob("backup*")) == []


async def test_f108_a_file_at_its_page_limit_is_full_too(store: SqliteStore) -> None:
    pages = await store._writer.alone(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store._writer.alone(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 5}").fetchall())
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",), body="word " * 2000) for n in range(50)]
    outcomes = await asyncio.gather(
        store.file(filing(entries), decide), store.register([source()], pages_of=READ), return_exceptions=True
    )
    assert isinstance(outcomes[0], StoreFull)
    assert (await store.count())["items"] == 0
    await store._writer.alone(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchall())
    assert (await store.file(filing(entries), decide)).new == 50
