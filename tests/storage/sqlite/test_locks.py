"""Another process holds the lock for a short time, a long time, or not at all (F109)."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreBusy, StoreUnusable
from monitor.model.sources import Validators, VisitReport
from storage.sqlite.store import SqliteStore
from tests.storage.desk import NOW, READ, SENT, candidate, claimed, decide, filing, source
from tests.storage.sqlite.files import said

pytestmark = pytest.mark.anyio


HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
db.execute("COMMIT")
"""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[Callable[[], None]]:
    """Another process holds the lock until it is told to let go, or the block ends."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert said(holder) == "held"

        def let_go() -> None:
            assert holder.stdin is not None
            holder.stdin.close()
            assert holder.wait(10) == 0

        try:
            yield let_go
        finally:
            let_go()


async def test_f109_a_lock_that_outlasts_all_patience_is_busy_each_time_and_nothing_is_lost(
    store: SqliteStore, path: Path
) -> None:
    """Several times as long as a writer waits: each attempt ends by itself, and readers go on."""
    await store.register([source()], pages_of=READ)
    filings = [filing([candidate(f"Doha {n}", keys=(f"url:{n}",))], etag=str(n)) for n in range(20)]
    with locked(path):
        for _ in range(3):
            outcomes = await asyncio.gather(*(store.file(each, decide) for each in filings), return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StoreBusy}
            assert await store.items() == ()
            assert [state.validators for state in await store.sources()] == [Validators()]
    assert [filed.new for filed in await asyncio.gather(*(store.file(each, decide) for each in filings))] == [1] * 20
    counts = await store.count()
    assert (counts["items"], counts["pending"]) == (20, 40)


async def test_f109_a_lock_that_ends_in_time_is_waited_for(path: Path) -> None:
    store = SqliteStore(path, exclusive=True)
    with locked(path) as let_go:
        filed = asyncio.ensure_future(store.file(filing([candidate(keys=("url:a",))]), decide))
        assert await store.items() == ()
        assert not filed.done()
        let_go()
        assert (await filed).new == 1
    await store.close()


async def test_f109_a_read_never_turns_into_a_write(store: SqliteStore) -> None:
    """Such a transaction fails at once under another writer, however long it would wait: readers may not write."""
    with pytest.raises(StoreUnusable, match="readonly"):
        await store._readers.read(lambda db: db.execute("DELETE FROM sources"))


async def test_f109_every_writing_transaction_begins_immediate(store: SqliteStore) -> None:
    ran: list[str] = []
    store._db.set_trace_callback(lambda statement: ran.append(statement.strip()))
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    for visit in await store.claim(NOW, hosts=9, lease=timedelta(minutes=1)):
        await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW))
    for message in await claimed(store, NOW):
        await store.settle(message, SENT, now=NOW, due=None)
    await store.prune(bodies_before=NOW, revisions_before=NOW, identity_before=NOW)
    begun = [statement for statement in ran if statement.startswith("BEGIN")]
    changed = [place for place, statement in enumerate(ran) if statement.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert (set(begun), len(begun) > 5, len(changed) > 20) == ({"BEGIN IMMEDIATE"}, True, True)
    for place in changed:
        before = [each for each in ran[:place] if each.startswith(("BEGIN", "COMMIT"))]
        assert before[-1] == "BEGIN IMMEDIATE", ran[place]
