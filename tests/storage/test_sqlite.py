"""SQLite's own hard edges: kills, full disks, locks, damaged files, backups, two services."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ServiceRunning, StoreBusy, StoreError, StoreFull, StoreUnusable
from monitor.model import Decision, Validators
from storage import open_store, restore
from storage.sqlite import schema
from storage.sqlite.opening import connect, create
from storage.sqlite.store import SqliteStore
from storage.sqlite.upkeep import has_wal_reset_race
from storage.sqlite.writer import Writer
from tests.storage.desk import NOW, READ, SENT, candidate, claimed, decide, filing, quiet, source

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path, anyio_backend: str) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(path, exclusive=True, patience=0.2)
    yield opened
    await opened.close()


async def made(path: Path, articles: int = 3) -> None:
    """A store with some articles, closed."""
    store = open_store(f"sqlite:///{path}", exclusive=True)
    await store.file(filing([candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(articles)]), decide)
    await store.close()


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


# ------------------------------------------------------------------ the writer


@contextlib.contextmanager
def writing(path: Path) -> Iterator[tuple[Writer, list[str]]]:
    """A writer on a bare table, and the statements it ran."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, up INTEGER REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
        ran: list[str] = []
        db.set_trace_callback(ran.append)
        writer = Writer(db, "test")
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


# ------------------------------------------------------------------ kills


async def test_f106_a_process_killed_at_any_moment_leaves_whole_filings_only(path: Path) -> None:
    chance = random.Random(106)
    command = [sys.executable, "-m", "tests.storage.filer", url(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdin is not None
        assert starter.stdout is not None
        for _ in range(30):
            starter.stdin.write("\n")
            starter.stdin.flush()
            child = int(starter.stdout.readline())
            acknowledged = -1
            for _ in range(chance.randrange(12)):
                acknowledged = int(starter.stdout.readline())
            await asyncio.sleep(chance.random() / 100)
            os.kill(child, signal.SIGKILL)
            while (line := starter.stdout.readline().strip()) != "gone":
                acknowledged = int(line)
            if path.exists():
                whole(path, acknowledged)
        starter.stdin.close()
    with closing(connect(path)) as db:
        assert db.execute("SELECT count(*) FROM items").fetchone()[0] > 30


def whole(path: Path, acknowledged: int) -> None:
    """Integrity, P1 and P3, looked at without our own code. The log is copied too: nothing is repaired on the way."""
    copy = path.with_name("copy.db")
    for ending in ("", "-wal"):
        if beside(path, ending).exists():
            shutil.copyfile(beside(path, ending), beside(copy, ending))
    with closing(sqlite3.connect(copy)) as db:

        def one(sql: str) -> Any:
            return db.execute(sql).fetchone()[0]

        assert one("PRAGMA integrity_check") == "ok"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        items = one("SELECT count(*) FROM items")
        assert items > acknowledged
        assert one("SELECT count(*) FROM matches") == items
        assert one("SELECT count(*) FROM alerts") == 2 * items
        assert one("SELECT count(*) FROM search") == items
        etag = one("SELECT max(CAST(etag AS INTEGER)) FROM sources")
        assert etag is None if items == 0 else etag == items - 1
    for ending in ("", "-wal", "-shm"):
        beside(copy, ending).unlink(missing_ok=True)


# ------------------------------------------------------------------ full disks, locks


async def test_f108_a_full_disk_keeps_what_was_committed_and_moves_no_validator(store: SqliteStore, path: Path) -> None:
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = [candidate(f"Doha {n}", keys=(f"url:{n}",), body="word " * 2000) for n in range(50)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (beside(path, "-wal").stat().st_size + 8192, limit[1]))
    try:
        for _ in range(2):
            with pytest.raises(StoreFull):
                await store.file(filing(large, etag='"2"'), decide)
        assert (await store.count())["items"] == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    (state,) = await store.sources()
    assert state.validators == Validators(etag='"1"')
    assert (await store.file(filing(large, etag='"2"'), decide)).new == 50  # goes on by itself


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


async def test_f109_a_lock_that_is_held_too_long_is_busy_and_nothing_is_lost(store: SqliteStore, path: Path) -> None:
    each = filing([candidate(keys=("url:a",))])
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = await asyncio.gather(*(store.file(each, decide) for _ in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreBusy}
        assert await store.items() == ()
        other.execute("ROLLBACK")
    assert (await store.file(each, decide)).new == 1


async def test_f109_a_lock_that_ends_in_time_is_waited_for(path: Path) -> None:
    store = SqliteStore(path, exclusive=True)
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        filed = asyncio.ensure_future(store.file(filing([candidate(keys=("url:a",))]), decide))
        await asyncio.sleep(0.05)
        assert not filed.done()
        other.execute("COMMIT")
        assert (await filed).new == 1
    await store.close()


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


# ------------------------------------------------------------------ files that are refused


async def test_f110_a_missing_file_is_made_whole_but_never_its_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="no folder"):
        open_store("sqlite:///nowhere/store.db", folder=tmp_path, exclusive=True)
    store = open_store("sqlite:///store.db", folder=tmp_path)
    await store.close()
    assert (tmp_path / "store.db").stat().st_size > 0
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    "address", ["postgresql://localhost/x", "sqlite://", "sqlite:///", "sqlite:///:memory:", "x.db"]
)
def test_addresses_that_name_no_file_are_refused(address: str) -> None:
    with pytest.raises(StoreUnusable, match="sqlite:///"):
        open_store(address)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(20), b"<rss/>" * 100])
@pytest.mark.parametrize("exclusive", [True, False])
def test_f110_what_is_no_database_is_refused_and_left_alone(path: Path, content: bytes, exclusive: bool) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match="wirewatch restore"):
        open_store(url(path), exclusive=exclusive)
    assert path.read_bytes() == content


def test_f110_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreUnusable, match="not a store of wirewatch"):
        open_store(url(path))
    with closing(sqlite3.connect(path)) as db:
        assert [row[0] for row in db.execute("SELECT name FROM sqlite_master")] == ["theirs"]


async def test_f110_a_file_cut_short_is_refused_with_the_newest_backup_named(path: Path) -> None:
    await made(path)
    store = open_store(url(path))
    await store.backup(str(path.with_name("older.db")))
    await store.backup(str(path.with_name("newer.db")))
    await store.close()
    os.utime(path.with_name("older.db"), (1, 1))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreUnusable, match=r"cut short.*wirewatch restore .*newer\.db"):
        open_store(url(path))


async def test_f110_overwritten_pages_are_found_before_a_service_starts(path: Path) -> None:
    await made(path, 200)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 3 * 4096))
    with pytest.raises(StoreUnusable, match="damaged"):
        open_store(url(path), exclusive=True)


async def test_f110_damage_that_is_met_at_work_is_named(path: Path) -> None:
    await made(path, 200)
    store = open_store(url(path))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 3 * 4096))
    with pytest.raises(StoreUnusable, match="damaged"):
        await store.items()
    with contextlib.suppress(StoreUnusable):
        assert any("damaged" in each for each in await store.check())
    await store.close()


def kill_after(path: Path, articles: int) -> None:
    """A service that files some articles and is killed."""
    command = [sys.executable, "-m", "tests.storage.filer", url(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdin is not None
        assert starter.stdout is not None
        starter.stdin.write("\n")
        starter.stdin.flush()
        child = int(starter.stdout.readline())
        for _ in range(articles):
            starter.stdout.readline()
        os.kill(child, signal.SIGKILL)
        starter.stdin.close()
        starter.stdout.read()


async def test_f110_a_log_that_was_taken_away_is_missed(path: Path) -> None:
    kill_after(path, 5)
    wal = beside(path, "-wal")
    kept = wal.read_bytes()
    wal.unlink()
    for exclusive in (True, False):
        with pytest.raises(StoreUnusable, match=r"store\.db-wal.*is gone"):
            open_store(url(path), exclusive=exclusive)
    wal.write_bytes(kept)
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] >= 5
    await store.close()
    assert not wal.exists()
    store = open_store(url(path), exclusive=True)  # now it ended well
    await store.close()


async def test_f110_a_command_after_a_kill_tidies_up_so_that_the_service_starts(path: Path) -> None:
    kill_after(path, 5)
    command = open_store(url(path))
    assert (await command.count())["items"] >= 5
    await command.close()
    assert not beside(path, "-wal").exists()
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] >= 5
    await store.close()


async def test_f110_a_half_written_log_gives_up_its_last_transaction_only(path: Path) -> None:
    kill_after(path, 5)
    wal = beside(path, "-wal")
    os.truncate(wal, wal.stat().st_size - 100)
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] >= 4
    assert [each for each in await store.check() if "damaged" in each] == []
    await store.close()


def test_f110_a_log_without_its_file_is_refused(path: Path) -> None:
    beside(path, "-wal").write_bytes(b"x" * 100)
    with pytest.raises(StoreUnusable, match="missing"):
        open_store(url(path), exclusive=True)
    assert not path.exists()


@contextlib.contextmanager
def as_nobody(*given: Path) -> Iterator[None]:
    """As a user who may not write here: root is above permissions, so it steps down for a moment."""
    modes = {each: each.stat().st_mode for each in given}
    for each in given:
        each.chmod(0o555 if each.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for each, mode in modes.items():
            each.chmod(mode)


async def test_f110_a_file_that_may_not_be_written_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, whose parents another user may not enter
        path = Path(folder) / "store.db"
        await made(path)
        with as_nobody(path, path.parent), pytest.raises(StoreUnusable, match="may this user"):
            open_store(url(path), exclusive=True)
        with as_nobody(path, path.parent), pytest.raises(StoreUnusable, match="belong to this user"):
            open_store(url(path))
        with as_nobody(path.parent), pytest.raises(StoreUnusable, match="may this user"):
            open_store(url(path.with_name("new.db")))


@pytest.mark.parametrize(
    ("version", "raced"),
    [
        ((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 6), False), ((3, 44, 5), True),
        ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False),
    ],
)  # fmt: skip
def test_f111_versions_inside_the_wal_reset_range_are_known(version: tuple[int, ...], raced: bool) -> None:
    assert has_wal_reset_race(version) is raced


async def test_f111_such_a_version_is_warned_of_and_used(store: SqliteStore) -> None:
    assert await store.check() == ()
    assert bool(store.risks) is has_wal_reset_race(sqlite3.sqlite_version_info)


async def test_f111_only_the_service_makes_checkpoints(store: SqliteStore, path: Path) -> None:
    beside_it = SqliteStore(path)
    asked = "PRAGMA wal_autocheckpoint"
    assert await store._writer.alone(lambda db: db.execute(asked).fetchone()[0]) == 1000
    assert await beside_it._writer.alone(lambda db: db.execute(asked).fetchone()[0]) == 0
    await beside_it.close()


def ask(sql: str, db: sqlite3.Connection) -> Any:
    return db.execute(sql).fetchone()[0]


async def test_the_writer_waits_for_the_disk_at_each_commit(store: SqliteStore) -> None:
    for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
        asked = f"PRAGMA {pragma}"
        assert await store._writer.alone(partial(ask, asked)) == value


# ------------------------------------------------------------------ backups


async def test_f112_a_backup_made_while_filing_goes_on_is_whole_and_restores(store: SqliteStore, path: Path) -> None:
    await store.register([source()], pages_of=READ)
    target = path.with_name("backup.db")
    filings = [filing([candidate(f"Doha {n}", keys=(f"url:{n}",))]) for n in range(60)]
    for each in filings[:20]:
        await store.file(each, decide)
    await asyncio.gather(store.backup(str(target)), *(store.file(each, decide) for each in filings[20:]))
    await store.close()
    kept = restore(url(path), target)
    assert kept is not None
    assert kept.exists()
    restored = open_store(url(path), exclusive=True)
    counts = await restored.count()
    assert 20 <= counts["items"] <= 60
    assert counts["pending"] == 2 * counts["items"]
    assert await restored.check() == ()
    await restored.close()
    set_aside = open_store(url(kept))
    assert (await set_aside.count())["items"] == 60
    await set_aside.close()


async def test_f066_after_a_restore_what_came_since_is_new_and_only_that(store: SqliteStore, path: Path) -> None:
    before, since = candidate("Doha talks", keys=("url:a",)), candidate("Doha deal", keys=("url:b",))
    await store.register([source()], pages_of=READ)
    await store.file(filing([before], etag='"1"'), decide)
    for message in await claimed(store, NOW):
        await store.settle(message, SENT, now=NOW, due=None)
    await store.backup(str(path.with_name("backup.db")))
    await store.file(filing([since, before], etag='"2"'), decide)
    lost = {alert.key for alert in await store.alerts(condition="pending")}
    await store.close()
    restore(url(path), path.with_name("backup.db"))
    restored = open_store(url(path), exclusive=True)
    (state,) = await restored.sources()
    assert (state.validators, state.baselined) == (Validators(etag='"1"'), NOW)
    filed = await restored.file(filing([since, before], etag='"2"'), decide)
    assert (filed.new, filed.known, filed.alerts_due) == (1, 1, 2)
    assert {alert.key for alert in await restored.alerts(condition="pending")} == lost
    await restored.close()


async def test_f112_a_backup_never_overwrites(store: SqliteStore, path: Path) -> None:
    target = path.with_name("backup.db")
    target.write_bytes(b"")
    for name in (target, path, path.parent):
        with pytest.raises(StoreError, match=r"exists"):
            await store.backup(str(name))
    assert target.read_bytes() == b""
    with pytest.raises(StoreError, match="no folder"):
        await store.backup(str(path.parent / "nowhere" / "backup.db"))


async def test_f112_the_rest_of_a_broken_off_backup_is_replaced(store: SqliteStore, path: Path) -> None:
    target = path.with_name("backup.db")
    beside(target, ".part").write_bytes(b"half")
    await store.backup(str(target))
    assert not beside(target, ".part").exists()
    with closing(sqlite3.connect(target)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


ODD_NAMES = [
    "", ".", "..", "../b.db", "../../etc/b.db", "a/../b.db", "/tmp/../b.db", "/..", "a/..", "./../b.db", "..\\b.db",
    "a\\b.db", "C:\\b.db", "\\\\host\\b.db", "%2e%2e/b.db", "%2e%2e%2fb.db", "..%2fb.db", "b%00.db", "b.db%0a",
    "b\0.db", "\0", "b.db\0.txt", "b\n.db", "b\r.db", "b\t.db", "b\x7f.db", "\x1b[31m.db", "~/b.db", "~root/b.db",
    "b*.db", "b?.db", "b|.db", "b;.db", "b`.db", "b$.db", "b'.db", 'b".db', "-b.db", ".b.db", "b.db/", "file:b.db",
    "b" * 300,
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_f148_odd_names_for_a_backup_are_refused(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError):
        await store.backup(name)
    assert sorted(tmp_path.rglob("*")) == before


async def test_a_restore_is_refused_while_a_service_lives(store: SqliteStore, path: Path) -> None:
    target = path.with_name("backup.db")
    await store.backup(str(target))
    with pytest.raises(ServiceRunning):
        restore(url(path), target)


async def test_a_backup_that_is_damaged_or_foreign_replaces_nothing(path: Path) -> None:
    await made(path, 100)
    before = path.read_bytes()
    damaged = path.with_name("damaged.db")
    shutil.copyfile(path, damaged)
    with damaged.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 40_000)
    foreign = path.with_name("foreign.db")
    foreign.write_text("not a database")
    for bad in (damaged, foreign, path.with_name("nothing.db"), path):
        with pytest.raises(StoreError):
            restore(url(path), bad)
    assert path.read_bytes() == before
    assert not [each for each in path.parent.iterdir() if "restoring" in each.name or "replaced" in each.name]


async def test_after_a_restore_over_a_killed_service_the_next_one_starts(path: Path) -> None:
    await made(path)
    store = open_store(url(path))
    await store.backup(str(path.with_name("backup.db")))
    await store.close()
    kill_after(path, 2)
    restore(url(path), path.with_name("backup.db"))
    restored = open_store(url(path), exclusive=True)
    assert (await restored.count())["items"] == 3
    await restored.close()


async def test_a_backup_restores_where_no_store_is(path: Path, tmp_path: Path) -> None:
    await made(path)
    store = open_store(url(path))
    await store.backup(str(tmp_path / "backup.db"))
    await store.close()
    assert restore("sqlite:///other.db", tmp_path / "backup.db", folder=tmp_path) is None
    other = open_store("sqlite:///other.db", folder=tmp_path, exclusive=True)
    assert (await other.count())["items"] == 3
    await other.close()


# ------------------------------------------------------------------ schema


def test_f113_an_interrupted_migration_leaves_the_store_as_it_was(path: Path) -> None:
    create(path)
    script = f"""
import os, signal
from pathlib import Path
from storage.sqlite import schema
from storage.sqlite.opening import connect

@schema.migrations(name="9998 one")
def one(db):
    db.execute("CREATE TABLE one (x)")

@schema.migrations(name="9999 two")
def two(db):
    db.execute("DROP TABLE quarantine")
    os.kill(os.getpid(), signal.SIGKILL)

schema.migrate(connect(Path({str(path)!r})))
"""
    died = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    with closing(connect(path)) as db:
        assert not schema.pending(db)
        assert not schema.unknown(db)
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    assert "quarantine" in tables
    assert "one" not in tables
    with closing(connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


async def test_f113_a_schema_newer_than_the_program_is_refused(path: Path) -> None:
    await made(path)
    with closing(connect(path)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('wirewatch', '9999 later', '')"
        )
    for exclusive in (True, False):
        with pytest.raises(StoreUnusable, match=r"newer wirewatch.*9999 later"):
            open_store(url(path), exclusive=exclusive)


async def test_f113_a_pending_migration_waits_for_the_service_to_stop(store: SqliteStore, path: Path) -> None:
    with closing(connect(path)) as db:
        db.execute("DELETE FROM _sqlite_migrations")
    with pytest.raises(StoreUnusable, match="older wirewatch is running"):
        open_store(url(path))


def test_every_table_is_strict_and_every_item_column_is_filled(path: Path) -> None:
    create(path)
    with closing(connect(path)) as db:
        loose = [
            row["name"]
            for row in db.execute("PRAGMA table_list")
            if row["schema"] == "main" and row["type"] == "table" and not row["strict"]
        ]
    assert set(loose) == {"sqlite_schema", "_sqlite_migrations"}


# ------------------------------------------------------------------ one service


async def test_f142_a_second_service_is_refused_and_commands_work_beside(store: SqliteStore, path: Path) -> None:
    with pytest.raises(ServiceRunning, match=rf"process {os.getpid()}, started \d{{4}}-"):
        open_store(url(path), exclusive=True)
    command = open_store(url(path))
    await command.register([source()], pages_of=READ)
    await command.close()
    assert len(await store.sources()) == 1
    with pytest.raises(ServiceRunning):
        open_store(url(path), exclusive=True)
    await store.close()
    second = open_store(url(path), exclusive=True)
    assert len(await second.sources()) == 1
    await second.close()


async def test_a_closed_store_is_one_file_and_opens_in_other_programs(path: Path) -> None:
    await made(path)
    assert not beside(path, "-wal").exists()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        titles = [row[0] for row in db.execute("SELECT title FROM items ORDER BY first_seen DESC")]
        seen = db.execute("SELECT DISTINCT date(first_seen) FROM items").fetchall()
    assert titles == ["Doha 0", "Doha 1", "Doha 2"]
    assert seen == [("2026-11-24",)]


async def test_a_long_prune_lets_filing_in_between(store: SqliteStore) -> None:
    old = [candidate(f"Doha {n}", keys=(f"url:{n}",), body="text") for n in range(450)]
    await store.file(filing(old), quiet)
    day = NOW + timedelta(days=1)
    pruned = asyncio.ensure_future(store.prune(bodies_before=day, revisions_before=NOW, identity_before=NOW))
    filed = await store.file(filing([candidate("Doha now", keys=("url:now",))], at=day), decide)
    assert filed.new == 1
    assert await pruned == 450
