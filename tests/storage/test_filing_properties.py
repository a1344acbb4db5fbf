"""Whatever the order of answers, claims and deliveries: nothing lost (P1), nothing twice (P2), together or not (P3)."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model.filing import Change, Decision, Filed, Filing
from monitor.model.messages import Delivery
from monitor.ports import Ledger, Store
from monitor.stories import identity
from storage import open_store
from storage.sqlite.opening import connect
from tests.storage.desk import CHANNELS, NOW, assert_hits_are_the_matches, candidate, claimed, decide, filing

TITLES = ("Doha talks", "Doha deal", "Cairo and Doha", "Football", "Broken")

# Few keys and titles, so that entries meet: the same article, a known one under a new key, two that turn out to be one.
entries = st.builds(
    lambda title, keys, lead, body: candidate(title, keys=keys, lead=lead, body=body),
    st.sampled_from(TITLES),
    st.lists(st.sampled_from(["url:1", "url:2", "url:3", "guid:1", "guid:2", "title:x"]), max_size=3, unique=True),
    st.sampled_from(["", "A lead.", "In Cairo."]),
    st.sampled_from(["", "", "A body from Doha."]),
)
answers = st.builds(
    lambda own, source_id, minutes: filing(own, source_id=source_id, at=NOW + timedelta(minutes=minutes)),
    st.lists(entries, max_size=4),
    st.sampled_from(["bbc/main", "bbc/world"]),
    st.integers(0, 9000),
)
pages = st.builds(
    lambda own, item, minutes: filing([own], page_of=item, at=NOW + timedelta(minutes=minutes)),
    entries,
    st.sampled_from([identity.item_id("bbc", key) for key in ("url:1", "url:2", "guid:1")]),
    st.integers(0, 9000),
)
deliveries = st.sampled_from(["sent", "later", "refused", "lost"])
steps = st.lists(st.one_of(answers, pages, deliveries), min_size=1, max_size=10)


def judge(change: Change, ledger: Ledger) -> Decision:
    if change.candidate.entry.title == "Broken":
        raise ValueError("broken")
    return decide(change, ledger)


def fates(filed: Filed) -> int:
    return filed.new + filed.revised + filed.known + filed.merged + filed.quarantined


async def play(store: Store, path: Path, played: list[Any]) -> None:
    due = 0
    for step in played:
        if isinstance(step, Filing):
            filed = await store.file(step, judge)
            assert fates(filed) == len(step.candidates)
            broken = sum(each.entry.title == "Broken" for each in step.candidates)
            if step.answer.page_of:  # of an item that is not there, or read before: not judged
                assert filed.quarantined <= broken
            else:
                assert filed.quarantined == broken
            due += filed.alerts_due + filed.alerts_suppressed
        else:
            await deliver(store, step)
        await holds(store, path, due)


async def deliver(store: Store, verdict: str) -> None:
    later = NOW + timedelta(days=30)
    for message in await claimed(store, later, messages=1, lease=timedelta(0)):
        if verdict != "lost":
            delivery = Delivery(verdict=verdict)  # type: ignore[arg-type]
            assert await store.settle(message, delivery, now=later, due=later)


async def holds(store: Store, path: Path, due: int) -> None:
    counts = await store.count()
    assert counts["pending"] + counts["delivered"] + counts["dead"] + counts["suppressed"] == due
    with closing(connect(path, read_only=True)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = db.execute("SELECT item, watch, channel, state, condition FROM alerts").fetchall()
        matched = set(map(tuple, db.execute("SELECT DISTINCT item, watch FROM matches")))
        told = {(row["item"], row["watch"], row["channel"]) for row in rows}
        assert {(item, watch, channel) for item, watch in matched for channel in CHANNELS} == told
        # Two rows that tell the same may both have been sent before their items turned out to be one; none waits then.
        live = Counter(tuple(row)[:4] for row in rows if row["condition"] in ("pending", "delivered"))
        assert all(live[tuple(row)[:4]] == 1 for row in rows if row["condition"] == "pending")
        one = [row[0] for row in db.execute("SELECT number FROM items ORDER BY number")]
        assert one == [row[0] for row in db.execute("SELECT rowid FROM search ORDER BY rowid")]
        kept = db.execute(
            "SELECT count(*) FROM items WHERE current NOT IN (SELECT number FROM revisions WHERE item = items.id)"
            " OR revisions <> (SELECT count(*) FROM revisions WHERE item = items.id)"
        )
        assert kept.fetchone()[0] == 0
        assert_hits_are_the_matches(db)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_any_order_of_answers_and_deliveries_keeps_the_promises(played: list[Any]) -> None:
    async def body(path: Path) -> None:
        store = open_store(f"sqlite:///{path}", exclusive=True)
        try:
            await play(store, path, played)
        finally:
            await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(body(Path(folder) / "store.db"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(answers, min_size=1, max_size=5))
def test_an_answer_filed_again_brings_nothing_new(played: list[Filing]) -> None:
    """Also when others were filed in between, and when entries of one answer turn out to be one item."""

    async def body(path: Path) -> None:
        store = open_store(f"sqlite:///{path}", exclusive=True)
        try:
            for each in played * 2:
                await store.file(each, judge)
            before = await store.count()
            for each in played:
                filed = await store.file(each, judge)
                assert (filed.new, filed.revised, filed.merged) == (0, 0, 0)
                assert filed.quarantined == sum(one.entry.title == "Broken" for one in each.candidates)
                assert filed.alerts_due == filed.alerts_suppressed == 0
            assert await store.count() == before
        finally:
            await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(body(Path(folder) / "store.db"))
