"""SIGKILL at any moment: whole filings only (F106)."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.storage.sqlite.files import begun, beside, filer, rows, said

pytestmark = pytest.mark.anyio


async def test_f106_a_process_killed_at_any_moment_leaves_whole_filings_only(path: Path) -> None:
    chance = random.Random(106)
    with filer(path) as starter:
        for _ in range(30):
            child = begun(starter)
            acknowledged = -1
            for _ in range(chance.randrange(12)):
                acknowledged = int(said(starter))
            await asyncio.sleep(chance.random() / 100)
            os.kill(child, signal.SIGKILL)
            while (line := said(starter)) != "gone":
                acknowledged = int(line)
            if path.exists():
                whole(path, acknowledged)
    assert rows(path, "SELECT count(*) FROM items")[0][0] > 30


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
