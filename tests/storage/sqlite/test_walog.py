"""The log that a killed service leaves: missed, half written, damaged (F110)."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.errors import StoreUnusable
from storage import open_store
from storage.sqlite import walog
from tests.storage.sqlite.files import beside, kill_after, url

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


async def test_f110_another_program_that_looks_after_a_kill_tidies_up_and_the_service_starts(path: Path) -> None:
    kill_after(path, 5)
    with closing(sqlite3.connect(path)) as shell:
        (filed,) = shell.execute("SELECT count(*) FROM items").fetchone()
    assert not beside(path, "-wal").exists(), "SQLite brings the log home when the last one closes"
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] == filed >= 5
    await store.close()


async def test_f110_a_log_that_was_taken_away_is_missed_though_an_earlier_one_came_home(path: Path) -> None:
    kill_after(path, 5)
    with closing(sqlite3.connect(path)) as shell:
        shell.execute("SELECT count(*) FROM items")
    kill_after(path, 5)
    beside(path, "-wal").unlink()
    with pytest.raises(StoreUnusable, match=r"store\.db-wal.*is gone"):
        open_store(url(path), exclusive=True)


async def test_f110_a_number_that_cannot_be_read_is_no_reason_to_trust(path: Path) -> None:
    kill_after(path, 5)
    with closing(sqlite3.connect(path)) as shell:
        shell.execute("SELECT count(*) FROM items")
    noted = beside(path, ".lock")
    noted.write_bytes(noted.read_bytes()[:128])
    with pytest.raises(StoreUnusable, match=r"store\.db-wal.*is gone"):
        open_store(url(path), exclusive=True)


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


# ------------------------------------------------------------------ damage that no crash explains


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a service leaves that was killed after a dozen answers: the store with its log and its lock."""
    path = tmp_path_factory.mktemp("left") / "store.db"
    kill_after(path, 12)
    return path


def as_left(left: Path, path: Path, log: bytes) -> Path:
    """The same, but for its log."""
    for ending in ("", ".lock"):
        shutil.copyfile(beside(left, ending), beside(path, ending))
    beside(path, "-wal").write_bytes(log)
    return path


async def held(path: Path) -> int:
    """How many articles a service finds; everything it holds is whole."""
    store = open_store(url(path), exclusive=True)
    counts = await store.count()
    assert [each for each in await store.check() if "damaged" in each] == []
    assert (counts["matches"], counts["pending"] + counts["delivered"]) == (counts["items"], 2 * counts["items"])
    await store.close()
    return counts["items"]


async def test_f110_a_log_cut_anywhere_is_read_as_far_as_it_is_whole(left: Path, tmp_path: Path) -> None:
    log, chance = beside(left, "-wal").read_bytes(), random.Random(110)
    cuts = sorted({0, 1, 31, 32, 33, 56, len(log), *(chance.randrange(len(log)) for _ in range(20))})
    found = []
    for cut in cuts:
        (folder := tmp_path / str(cut)).mkdir()
        found.append(await held(as_left(left, folder / "store.db", log[:cut])))
    assert found == sorted(found)
    assert (found[0], found[-1] >= 12) == (0, True)


@pytest.mark.parametrize("exclusive", [True, False])
async def test_f110_a_log_that_is_damaged_in_its_middle_is_refused(
    left: Path, path: Path, tmp_path: Path, exclusive: bool
) -> None:
    """SQLite would read up to there, and what was acknowledged after it would be gone without a word."""
    log, chance = beside(left, "-wal").read_bytes(), random.Random(111)
    header, frames = range(32), [chance.randrange(32, len(log) // 2) for _ in range(20)]
    for place in (*header, *frames):
        damaged = bytearray(log)
        damaged[place] ^= 0x10
        as_left(left, path, bytes(damaged))
        with pytest.raises(StoreUnusable, match=r"store\.db-wal.*is damaged.*delete store\.db\.lock"):
            open_store(url(path), exclusive=exclusive)
        assert beside(path, "-wal").read_bytes() == damaged, "left alone"
    beside(path, ".lock").unlink()
    assert await held(path) < 12, "as the advice says: what can be read"


async def test_f110_rests_of_an_earlier_round_and_of_the_last_transaction_are_no_damage(left: Path, path: Path) -> None:
    log = beside(left, "-wal").read_bytes()
    frame = 24 + 4096
    older = bytearray(log[-3 * frame :])
    for start in range(0, len(older), frame):
        older[start + 8 : start + 16] = b"otherold"
    for tail in (bytes(older), b"\xa5" * 9000, log[-frame:]):
        assert not walog.damaged(beside(as_left(left, path, log + tail), "-wal"), seconds=10)
        assert await held(path) >= 12
