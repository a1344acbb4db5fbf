"""The log that a killed service leaves: missed, half written, damaged (F110)."""

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
