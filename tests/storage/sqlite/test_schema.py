"""Migrations: all or nothing, and never over a newer program's store (F113)."""

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
