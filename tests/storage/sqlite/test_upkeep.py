"""Backups while the service goes on (F112), checkpoints (F111), and pruning beside filing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreError
from storage.sqlite import upkeep
from storage.sqlite.opening import connect
from storage.sqlite.store import SqliteStore
from storage.sqlite.upkeep import has_wal_reset_race
from tests.storage.desk import NOW, candidate, decide, filing, quiet
from tests.storage.sqlite.files import beside

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


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


async def test_a_backup_that_is_given_up_leaves_nothing(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_STEPS_BETWEEN_LOOKS", 100)
    await store.file(filing([candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(50)]), decide)
    begun, go = threading.Event(), threading.Event()

    def watched(_done: int, _whole: int) -> None:
        begun.set()
        go.wait(10)

    copying = asyncio.ensure_future(store.backup(str(path.with_name("backup.db")), watched))
    await asyncio.to_thread(begun.wait, 10)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    go.set()
    async with asyncio.timeout(10):
        while list(path.parent.glob("backup*")):
            await asyncio.sleep(0.01)


async def test_a_long_prune_lets_filing_in_between(store: SqliteStore) -> None:
    old = [candidate(f"Doha {n}", keys=(f"url:{n}",), body="text") for n in range(450)]
    await store.file(filing(old), quiet)
    day = NOW + timedelta(days=1)
    pruned = asyncio.ensure_future(store.prune(bodies_before=day, revisions_before=NOW, identity_before=NOW))
    filed = await store.file(filing([candidate("Doha now", keys=("url:now",))], at=day), decide)
    assert filed.new == 1
    assert await pruned == 450


async def test_what_is_marked_while_old_texts_are_removed_keeps_them(store: SqliteStore, path: Path) -> None:
    """They are looked for first, and removed later: a reviewer may come in between."""
    each = candidate("Doha", keys=("url:a",), body="What fishermen say")
    await store.file(filing([each]), quiet)
    await store.file(filing([candidate("Cairo", keys=("url:a",))], at=NOW + DAY), quiet)
    late = NOW + 500 * DAY
    await store.file(filing([candidate("Other", keys=("url:b",))], at=late), quiet)
    with closing(connect(path)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        bodies, revisions = (look(db, late) for look in (upkeep.old_bodies, upkeep.old_revisions))
        items = upkeep.forgotten(db, late)
        assert (len(bodies), len(revisions), items) == (2, 1, [each.id])
        await store.remark([each.id], by="Noa", kind="verdict", value="later", now=late)
        assert upkeep.empty_bodies(db, bodies) == upkeep.drop_revisions(db, revisions) == 0
        assert upkeep.forget(db, items, late) == 0
    assert [text.body for text in await store.revisions(each.id)] == ["What fishermen say"] * 2
