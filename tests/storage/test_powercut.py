"""Power cuts (F107): whatever the disk kept of what was not synced, nothing acknowledged is lost, nothing is half."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import open_store
from tests.rig.disk import Disk
from tests.rig.powercut import Judge, Result, Truth, power_cuts
from tests.rig.recording import Named, Renamed, Sync, SyncFolder, Truncate, Write, library
from tests.rig.storelife import STORE, answers
from tests.storage.desk import decide

recordable = pytest.mark.skipif(library() is None, reason="this Python's SQLite hides its symbols: nothing to record")


@recordable
def test_f107_no_power_cut_loses_what_was_acknowledged_or_leaves_half_of_it() -> None:
    result = power_cuts(seed=107, states=160)
    assert result == Result(states=160, opened=160, lost=0, torn=0, corrupt=0), result.first


@recordable
def test_f107_the_same_cuts_show_what_the_store_waits_for_the_disk_for() -> None:
    """The rig is not blind: a log that is synced late loses what was acknowledged, one that never is damages too."""
    late = power_cuts(seed=107, states=30, synchronous="NORMAL")
    assert late.lost > 3, late
    never = power_cuts(seed=107, states=30, synchronous="OFF")
    assert (never.lost > 1, never.corrupt > 3) == (True, True), never


# ------------------------------------------------------------------ the judge


async def _filed(folder: Path, *numbers: int) -> Judge:
    known = answers(1)
    store = open_store(f"sqlite:///{folder / STORE}", exclusive=True)
    for number in numbers:
        await store.file(known[number], decide)
    await store.close()
    return Judge(known)


@pytest.mark.anyio
async def test_a_sound_store_is_judged_so(tmp_path: Path) -> None:
    judge = await _filed(tmp_path, *range(10))
    assert (await judge.judge(tmp_path, Truth(filed=set(range(10))))).wrong == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("damage", "torn", "lost"),
    [
        ("DELETE FROM matches WHERE watch = 'doha'", True, False),
        ("DELETE FROM alerts WHERE channel = 'duty'", True, False),
        ("DELETE FROM search WHERE rowid = 1", True, False),
        ("UPDATE sources SET etag = '8' WHERE id = 'bbc/main'", True, False),
        ("UPDATE sources SET etag = NULL WHERE id = 'ap/main'", True, False),
        ("UPDATE alerts SET condition = 'delivered' WHERE channel = 'desk'", False, True),
        ("SELECT 1", False, True),
    ],
)
async def test_half_a_filing_and_a_missing_one_are_seen(tmp_path: Path, damage: str, torn: bool, lost: bool) -> None:
    judge = await _filed(tmp_path, 0, 1, 2, 3)
    with closing(sqlite3.connect(tmp_path / STORE, isolation_level=None)) as db:
        pending = {row[0]: {"pending"} for row in db.execute("SELECT id FROM alerts WHERE channel = 'desk'")}
        db.execute(damage)
    acknowledged = {0, 1, 2, 3} if "SELECT" not in damage else {0, 1, 2, 3, 4}
    verdict = await judge.judge(tmp_path, Truth(filed=acknowledged, conditions=pending))
    assert (bool(verdict.torn), bool(verdict.lost), verdict.corrupt) == (torn, lost, [])


# ------------------------------------------------------------------ the disk


def found(*steps: Write | Truncate | Sync | Named | Renamed | SyncFolder) -> set[tuple[tuple[str, bytes], ...]]:
    """All states that many power cuts leave."""
    disk = Disk()
    for step in steps:
        disk.take(step)
    chance = random.Random(1)
    return {tuple(sorted(disk.after_power_cut(chance).items())) for _ in range(300)}


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    named = (Named("a", 1), SyncFolder("."))
    assert found(*named, Write(1, 0, b"old"), Sync(1)) == {(("a", b"old"),)}
    assert found(*named, Write(1, 0, b"old"), Sync(1), Write(1, 0, b"new")) == {(("a", b"old"),), (("a", b"new"),)}
    assert found(*named, Write(1, 0, b"old"), Sync(1), Truncate(1, 1)) == {(("a", b"old"),), (("a", b"o"),)}


def test_a_long_write_may_be_torn_at_its_sectors_only() -> None:
    states = found(Named("a", 1), SyncFolder("."), Write(1, 0, b"a" * 1024), Sync(1), Write(1, 0, b"b" * 1024))
    assert {dict(state)["a"] for state in states} == {
        first * 512 + second * 512 for first in (b"a", b"b") for second in (b"a", b"b")
    }  # fmt: skip


def test_names_reach_the_disk_in_their_order_and_surely_with_their_folder() -> None:
    change = (Named("a", 1), Sync(1), SyncFolder("."), Renamed("a", "b"), Named("c", 1))
    assert {tuple(name for name, _ in state) for state in found(*change)} == {("a",), ("b",), ("b", "c")}
    assert {tuple(name for name, _ in state) for state in found(*change, SyncFolder("."))} == {("b", "c")}
