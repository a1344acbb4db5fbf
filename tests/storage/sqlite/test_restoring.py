"""A backup in the store's place: looked through first, and nothing is ever missing (F112)."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ServiceRunning, StoreBusy, StoreError, StoreUnusable
from monitor.model.sources import Validators
from storage import open_store, restore
from storage.sqlite.lock import ServiceLock
from storage.sqlite.store import SqliteStore
from tests.questions import searched
from tests.storage.desk import NOW, READ, SENT, candidate, claimed, decide, filing, source
from tests.storage.sqlite.files import beside, contents, kill_after, made, rows, said, url

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


async def backed_up(path: Path, articles: int = 3) -> Path:
    """A store that was closed, and its backup."""
    await made(path, articles)
    store = open_store(url(path))
    await store.backup(str(path.with_name("backup.db")))
    await store.close()
    return path.with_name("backup.db")


async def test_f112_a_restored_store_is_the_store_that_was_backed_up_row_by_row(store: SqliteStore, path: Path) -> None:
    """The file alone is not: what was written last is in its log (measured: the copy lacked the table)."""
    await store.register([source()], pages_of=READ)
    for number in range(20):
        await store.file(filing([candidate(f"Doha {number}", keys=(f"url:{number}",), body="text")]), decide)
    for message in await claimed(store, NOW):
        await store.settle(message, SENT, now=NOW, due=None)
    before, backup, copied = contents(path), path.with_name("backup.db"), path.with_name("copied.db")
    await store.backup(str(backup))
    shutil.copyfile(path, copied)
    assert contents(backup) == before
    assert contents(copied)["items"] == []
    await store.file(filing([candidate("Doha later", keys=("url:later",))]), decide)
    await store.close()
    kept = restore(url(path), backup)
    assert kept is not None
    assert contents(path) == before
    assert len(contents(kept)["items"]) == 21
    restored = open_store(url(path), exclusive=True)
    assert (await restored.file(filing([candidate("Doha later", keys=("url:later",))]), decide)).new == 1
    assert [item.title for item in await searched(restored, "later")] == ["Doha later"]
    await restored.close()


async def test_a_backup_that_is_damaged_anywhere_replaces_nothing(path: Path) -> None:
    backup = await backed_up(path, articles=40)
    before, sound = contents(path), backup.read_bytes()
    for start in range(0, len(sound), 4096):
        backup.write_bytes(sound[:start] + b"\xa5" * 4096 + sound[start + 4096 :])
        with pytest.raises(StoreUnusable, match=r"this backup is damaged|not a backup"):
            restore(url(path), backup)
    backup.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(StoreUnusable, match="this backup is damaged"):
        restore(url(path), backup)
    nothing_was_changed(path, before)


async def test_what_is_no_backup_or_a_newer_programs_replaces_nothing(path: Path) -> None:
    newer = await backed_up(path)
    before = contents(path)
    with closing(sqlite3.connect(newer, isolation_level=None)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('wirewatch', '9999 x', '')"
        )
    with pytest.raises(StoreUnusable, match="made by a newer wirewatch"):
        restore(url(path), newer)
    foreign = path.with_name("foreign.db")
    foreign.write_text("not a database")
    for bad in (foreign, path.with_name("nothing.db"), path):
        with pytest.raises(StoreError):
            restore(url(path), bad)
    nothing_was_changed(path, before)


def nothing_was_changed(path: Path, before: dict[str, Any]) -> None:
    assert contents(path) == before
    assert not [each for each in path.parent.iterdir() if "restoring" in each.name or "replaced" in each.name]


READER = """
import sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
db.execute("SELECT count(*) FROM items").fetchone()
print("reads", flush=True)
sys.stdin.readline()
"""


async def test_a_restore_waits_until_no_other_program_has_the_store_open(path: Path) -> None:
    """It would take the new store's log for its own when it closes, by the name."""
    backup = await backed_up(path)
    before = contents(path)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert said(reader) == "reads"
        with pytest.raises(StoreBusy, match="another program has it open"):
            restore(url(path), backup)
        nothing_was_changed(path, before)
        assert reader.stdin is not None
        reader.stdin.close()
        reader.wait(10)
    assert restore(url(path), backup) is not None


async def test_what_a_restore_replaces_is_kept_with_its_log_and_can_be_restored(path: Path) -> None:
    backup = await backed_up(path)
    kill_after(path, 4)
    kept = restore(url(path), backup)
    assert kept is not None
    assert beside(kept, "-wal").exists()
    assert restore(url(path), kept) is not None
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] >= 7
    await store.close()


async def test_the_logs_of_the_store_before_never_touch_the_restored_one(path: Path) -> None:
    """A rollback journal as a power cut leaves it would be played back into whatever file has its name."""
    backup = await backed_up(path)
    for ending in ("-journal", "-wal"):
        beside(path, ending).write_bytes(b"of the store before")
    kept = restore(url(path), backup)
    assert kept is not None
    assert contents(path) == contents(backup)
    for ending in ("-journal", "-wal"):
        assert beside(kept, ending).read_bytes() == b"of the store before"


async def test_f107_a_restore_that_was_broken_off_is_said_and_put_right_by_the_same_command(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await backed_up(path)
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", raising(OSError(5, "Input/output error")))
        with pytest.raises(StoreError, match="could not be replaced"):
            restore(url(path), backup)
    for exclusive in (True, False):
        with pytest.raises(StoreUnusable, match=r"a restore was broken off.*wirewatch restore"):
            open_store(url(path), exclusive=exclusive)
    assert len(rows(path, "SELECT 1 FROM items")) == 3, "the store is never missing"
    assert restore(url(path), backup) is not None
    store = open_store(url(path), exclusive=True)
    assert (await store.count())["items"] == 3
    await store.close()


def raising(error: Exception) -> Callable[..., None]:
    def raise_it(*_args: object, **_more: object) -> None:
        raise error

    return raise_it


async def test_a_command_during_a_restore_is_told_to_wait(path: Path) -> None:
    await made(path)
    lock = ServiceLock(path)
    lock.take()
    lock.say("restoring")
    with pytest.raises(StoreUnusable, match="at this moment; try again"):
        open_store(url(path))
    lock.say("stopped")
    lock.drop()


async def test_a_backup_and_a_restore_tell_of_their_progress(path: Path) -> None:
    await made(path, articles=100, body="word " * 4000)
    told: dict[str, list[tuple[int, int]]] = {"backup": [], "restore": []}
    store = open_store(url(path))
    await store.backup(str(path.with_name("backup.db")), lambda *pair: told["backup"].append(pair))
    await store.close()
    restore(url(path), path.with_name("backup.db"), progress=lambda *pair: told["restore"].append(pair))
    for pairs in told.values():
        assert pairs == sorted(pairs)
        assert pairs[-1][0] == pairs[-1][1] > 0
        assert len({whole for _, whole in pairs}) == 1


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
