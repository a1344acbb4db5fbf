"""A backup in the store's place: looked through first, and nothing is ever missing (F112)."""

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


async def test_a_backup_restores_where_no_store_is(path: Path, tmp_path: Path) -> None:
    await made(path)
    store = open_store(url(path))
    await store.backup(str(tmp_path / "backup.db"))
    await store.close()
    assert restore("sqlite:///other.db", tmp_path / "backup.db", folder=tmp_path) is None
    other = open_store("sqlite:///other.db", folder=tmp_path, exclusive=True)
    assert (await other.count())["items"] == 3
    await other.close()


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
