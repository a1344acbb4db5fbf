"""What is refused instead of opened, and with which words (F110); one service a store (F142)."""

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
from monitor.model import Decision, Delivery, Validators
from storage import open_store, restore
from storage.sqlite import schema
from storage.sqlite.opening import connect, create
from storage.sqlite.store import SqliteStore
from storage.sqlite.upkeep import has_wal_reset_race
from storage.sqlite.writer import Writer
from tests.storage.desk import NOW, READ, SENT, candidate, claimed, decide, filing, quiet, source
from tests.storage.sqlite.files import PATIENCE, ROOT, begun, beside, contents, filer, kill_after, made, rows, said, url

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
