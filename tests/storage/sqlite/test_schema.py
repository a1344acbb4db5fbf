"""Migrations: all or nothing, and never over a newer program's store (F113)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from monitor.errors import StoreUnusable
from storage import open_store
from storage.sqlite import upkeep
from storage.sqlite.opening import connect, create
from storage.sqlite.store import SqliteStore
from tests.rig.disk import Disk
from tests.rig.recording import library
from tests.rig.storelife import STORE
from tests.storage.sqlite.files import ROOT, begun, beside, contents, made, rows, said, url
from tests.storage.sqlite.newer import NEWER

pytestmark = pytest.mark.anyio


Schema = Literal["old", "new"]


def schema_of(path: Path) -> Schema:
    """Wholly the one or wholly the other, by SQLite alone; the articles are all there."""
    copy = path.with_name("copy.db")
    for ending in ("", "-wal"):
        if beside(path, ending).exists():
            shutil.copyfile(beside(path, ending), beside(copy, ending))
    tables = {name for (name,) in rows(copy, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    known = {name for (name,) in rows(copy, "SELECT name FROM _sqlite_migrations")}
    columns = {name for (name,) in rows(copy, "SELECT name FROM pragma_table_info('items')")}
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
    assert len(rows(copy, "SELECT 1 FROM items")) == len(rows(copy, "SELECT 1 FROM search")) == 30
    new = ("numbers" in tables, "quarantine" not in tables, "numbered" in columns, *(each in known for each in NEWER))
    assert len(set(new)) == 1, new
    for ending in ("", "-wal", "-shm"):
        beside(copy, ending).unlink(missing_ok=True)
    return "new" if new[0] else "old"


async def test_f113_a_migration_killed_at_any_moment_is_whole_or_not_at_all(path: Path) -> None:
    await made(old := path.with_name("old.db"), articles=30)
    command = [sys.executable, "-m", "tests.storage.sqlite.newer", "kills", url(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:

        def opened(kill_after: float | None) -> Schema:
            for ending in ("", "-wal", "-shm", ".lock"):
                beside(path, ending).unlink(missing_ok=True)
            shutil.copyfile(old, path)
            child = begun(starter)
            if kill_after is not None:
                time.sleep(kill_after)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            assert said(starter) == "gone"
            return schema_of(path)

        started = time.monotonic()
        assert opened(None) == "new"
        takes = min(time.monotonic() - started, 1.0)
        found = [opened(takes * (turn / 12) ** 2) for turn in range(12)]
        assert starter.stdin is not None
        starter.stdin.close()
    assert "old" in found


@pytest.mark.skipif(library() is None, reason="this Python's SQLite hides its symbols: nothing to record")
async def test_f107_f113_a_power_cut_in_a_migration_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "life"
    folder.mkdir()
    await made(folder / STORE, articles=30)
    before = {name: (folder / name).read_bytes() for name in (STORE, f"{STORE}.lock")}
    subprocess.run([sys.executable, "-m", "tests.storage.sqlite.newer", "steps", str(folder)], cwd=ROOT, check=True)
    steps = pickle.loads(folder.with_suffix(".steps").read_bytes())
    chance, found = random.Random(107), Counter[Schema]()
    for number in range(60):
        cut = chance.randint(0, len(steps)) if number % 2 else chance.randint(len(steps) - 30, len(steps))
        (state := tmp_path / f"{number}").mkdir()
        for name, content in Disk(before).after(steps[:cut]).after_power_cut(chance).items():
            (state / name).write_bytes(content)
        found[kind := schema_of(state / STORE)] += 1
        assert kind == "new" or cut < len(steps), "the store was opened: its schema is on the disk"
        if kind == "old":
            store = open_store(url(state / STORE), exclusive=True)
            assert await store.check() == ()
            await store.close()
    assert min(found["old"], found["new"]) > 3, found


def test_f141_sigterm_in_a_migration_ends_it_in_order_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    """However long it takes."""
    create(path := tmp_path / "wirewatch.db")
    before = contents(path)
    (tmp_path / "wirewatch.toml").write_text('[web]\naddress = "127.0.0.1:0"\n', "utf-8")
    command = [sys.executable, "-m", "tests.storage.sqlite.newer", "run", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
        assert said(service) == "migrating"
        service.terminate()
        assert service.wait(10) == 0
        assert service.stderr is not None
        assert "Traceback" not in service.stderr.read()
    assert contents(path) == before
    store = SqliteStore(path, exclusive=True)  # the lock is free
    assert store.risks == upkeep.risks()
    asyncio.run(store.close())


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
    assert set(loose) == {"sqlite_schema", "sqlite_sequence", "_sqlite_migrations"}
