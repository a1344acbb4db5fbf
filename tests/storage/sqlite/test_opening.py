"""What is refused instead of opened, and with which words (F110); one service a store (F142)."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.errors import ServiceRunning, StoreUnusable
from storage import open_store
from storage.sqlite.store import SqliteStore
from tests.storage.desk import READ, source
from tests.storage.sqlite.files import ROOT, beside, made, said, url

pytestmark = pytest.mark.anyio


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


async def test_f110_any_page_that_was_overwritten_keeps_a_service_from_starting(path: Path) -> None:
    await made(path, articles=40, body="word " * 1500)
    sound = path.read_bytes()
    for start in range(0, len(sound), 4096):
        path.write_bytes(sound[:start] + b"\xa5" * 4096 + sound[start + 4096 :])
        with pytest.raises(StoreUnusable, match=r"damaged|not a SQLite database"):
            open_store(url(path), exclusive=True)
    path.write_bytes(sound)
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] == 40
    await store.close()


async def test_f110_damage_is_told_with_the_newest_backup(path: Path) -> None:
    """Of a store's neighbours only whole copies made by `backup` are one."""
    await made(path, articles=40)
    store = open_store(url(path), exclusive=True)
    await store.backup(str(path.with_name("backup.db")))
    await store.close()
    for younger in ("store.db.replaced-20261124T120000.000000Z", ".store.db.restoring", "next.db.part"):
        shutil.copyfile(path, path.with_name(younger))
    os.utime(path.with_name("backup.db"), (1, 1))
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 40_000)
    with pytest.raises(StoreUnusable, match=r"damaged.*`wirewatch restore \S*/backup\.db`"):
        open_store(url(path), exclusive=True)


async def test_f110_damage_that_is_met_at_work_is_named(path: Path) -> None:
    await made(path, 200)
    store = open_store(url(path))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 3 * 4096))
    with pytest.raises(StoreUnusable, match="damaged"):
        await store.items()
    assert any("damaged" in each for each in await store.check())
    await store.close()


@pytest.mark.parametrize("exclusive", [True, False])
async def test_f110_a_store_that_is_gone_is_missed_and_never_begun_anew_in_silence(path: Path, exclusive: bool) -> None:
    await made(path)
    store = open_store(url(path))
    await store.backup(str(path.with_name("backup.db")))
    await store.close()
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(StoreUnusable, match=r"is missing.*bring it back.*delete store\.db\.lock"):
        open_store(url(path), exclusive=exclusive)
    assert not path.exists()
    beside(path, ".lock").unlink()
    anew = open_store(url(path), exclusive=exclusive)
    assert (await anew.count())["items"] == 0
    await anew.close()


@pytest.mark.parametrize("exclusive", [True, False])
def test_f110_what_is_no_file_is_refused(path: Path, exclusive: bool) -> None:
    path.symlink_to(path.with_name("nothing.db"))
    with pytest.raises(StoreUnusable, match="cannot be read"):
        open_store(url(path), exclusive=exclusive)
    assert not path.exists()
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreUnusable, match="cannot be read"):
        open_store(url(path), exclusive=exclusive)


@contextlib.contextmanager
def as_nobody(*given: Path, mode: int = 0o444) -> Iterator[None]:
    """As a user who may not write here: root is above permissions, so it steps down for a moment."""
    modes = {each: each.stat().st_mode for each in given}
    for each in given:
        each.chmod(0o555 if each.is_dir() else mode)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for each, before in modes.items():
            each.chmod(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Not tmp_path, whose parents another user may not enter; everybody may write here."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("folder_too", [True, False])
async def test_f110_a_file_that_may_not_be_written_is_refused(
    open_folder: Path, exclusive: bool, folder_too: bool
) -> None:
    path = open_folder / "store.db"
    await made(path)
    beside(path, ".lock").chmod(0o666)
    before = path.read_bytes()
    locked = (path, open_folder) if folder_too else (path,)
    with as_nobody(*locked), pytest.raises(StoreUnusable, match=r"may this user|to this user"):
        open_store(url(path), exclusive=exclusive)
    assert path.read_bytes() == before
    store = open_store(url(path), exclusive=exclusive)
    assert (await store.count())["items"] == 3
    await store.close()


@pytest.mark.parametrize("exclusive", [True, False])
async def test_f110_a_file_of_another_owner_is_refused(open_folder: Path, exclusive: bool) -> None:
    path = open_folder / "store.db"
    await made(path)
    beside(path, ".lock").chmod(0o666)
    with as_nobody(path, mode=0), pytest.raises(StoreUnusable, match="cannot be read"):
        open_store(url(path), exclusive=exclusive)


async def test_f110_a_folder_or_a_lock_that_may_not_be_written_is_refused(open_folder: Path) -> None:
    path = open_folder / "store.db"
    with as_nobody(open_folder), pytest.raises(StoreUnusable, match="may this user"):
        open_store(url(path))
    await made(path)
    path.chmod(0o666)
    beside(path, ".lock").chmod(0o666)
    with as_nobody(open_folder), pytest.raises(StoreUnusable, match="to this user"):
        open_store(url(path), exclusive=True)
    with as_nobody(beside(path, ".lock")), pytest.raises(StoreUnusable, match=r"store\.db\.lock: cannot be opened"):
        open_store(url(path), exclusive=True)


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


STARTER = """
import sys
from monitor.errors import ServiceRunning
from storage import open_store
sys.stdin.readline()
try:
    store = open_store(sys.argv[1], exclusive=True)
except ServiceRunning as error:
    print(error, flush=True)
else:
    print("holds", flush=True)
sys.stdin.readline()
"""


def test_f142_of_many_services_that_start_at_once_one_holds_the_store_and_the_others_name_it(path: Path) -> None:
    """On a store that is not there yet, either."""
    with contextlib.ExitStack() as stack:
        command = [sys.executable, "-c", STARTER, url(path)]
        started = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]
        for each in started:
            assert each.stdin is not None
            each.stdin.write("now\n")
            each.stdin.flush()
        answers = {each.pid: said(each) for each in started}
    holders = [pid for pid, answer in answers.items() if answer == "holds"]
    assert len(holders) == 1, answers
    refused = [answer for answer in answers.values() if answer != "holds"]
    assert all(f"process {holders[0]}" in answer or "process unknown" in answer for answer in refused), answers


async def test_a_closed_store_is_one_file_and_opens_in_other_programs(path: Path) -> None:
    await made(path)
    assert not beside(path, "-wal").exists()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        titles = [row[0] for row in db.execute("SELECT title FROM items ORDER BY first_seen DESC")]
        seen = db.execute("SELECT DISTINCT date(first_seen) FROM items").fetchall()
    assert titles == ["Doha 0", "Doha 1", "Doha 2"]
    assert seen == [("2026-11-24",)]
