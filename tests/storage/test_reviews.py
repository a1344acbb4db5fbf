"""What reviewers say: all of it is kept, the last verdict counts, and nothing of two at once is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.model.items import Item, Wanted
from monitor.model.reviews import Remark, RemarkKind, Review, Reviewed
from monitor.ports import Store
from storage import open_store
from storage.sqlite.opening import connect
from tests.storage.desk import NOW, SENT, assert_hits_are_the_matches, candidate, claimed, decide, filing
from tests.storage.reviewer import ROUNDS

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEVER = NOW - 400 * DAY


async def filed(store: Store, *titles: str) -> list[str]:
    """An item for each title, a minute apart; their ids."""
    entries = [candidate(title, keys=(f"url:{title}",)) for title in titles]
    for place, each in enumerate(entries):
        await store.file(filing([each], at=NOW + place * MINUTE), decide)
    return [each.id for each in entries]


async def said(
    store: Store, item: str, value: str, *, by: str = "Noa", kind: RemarkKind = "verdict", at: timedelta = HOUR
) -> Remark:
    (written,) = await store.remark([item], by=by, kind=kind, value=value, now=NOW + at)
    return written


async def counts(store: Store, item: str) -> Review | None:
    return (await store.reviews([item])).get(item)


async def listed(store: Store, **wanted: Any) -> list[str]:
    return [item.title for item in await store.items(Wanted(**wanted))]


# ------------------------------------------------------------------ saying


async def test_a_remark_is_written_for_each_item_that_exists(store: Store) -> None:
    one, two = await filed(store, "Doha", "Cairo")
    written = await store.remark([two, "gone", one, two], by="Noa", kind="verdict", value="relevant", now=NOW)
    assert [each.item for each in written] == [two, one]
    assert written[0] == Remark(
        number=written[0].number, item=two, by="Noa", at=NOW, kind="verdict", value="relevant", undone=False
    )
    assert await store.remarks(one) == written[1:]
    assert await store.reviews([one, "gone"]) == {one: Review(item=one, verdict="relevant", by="Noa", at=NOW)}
    assert await store.remarks("gone") == ()


async def test_of_verdicts_and_stars_the_last_one_counts_whoever_gave_it_and_all_are_kept(store: Store) -> None:
    (item,) = await filed(store, "Doha")
    await said(store, item, "relevant")
    await said(store, item, "yes", kind="star")
    await said(store, item, "noise", by="Sami", at=2 * HOUR)
    await said(store, item, "", by="Sami", kind="star")
    assert await counts(store, item) == Review(item=item, verdict="noise", by="Sami", at=NOW + 2 * HOUR)
    assert [(each.by, each.value) for each in await store.remarks(item)] == [
        ("Noa", "relevant"), ("Noa", "yes"), ("Sami", "noise"), ("Sami", ""),
    ]  # fmt: skip


async def test_the_last_is_the_last_that_was_said_though_the_clock_was_set_back(store: Store) -> None:
    (item,) = await filed(store, "Doha")
    await said(store, item, "relevant", at=2 * HOUR)
    await said(store, item, "noise", by="Sami", at=HOUR)
    assert (await store.reviews([item]))[item].verdict == "noise"


async def test_a_verdict_that_is_taken_back_leaves_the_item_unreviewed(store: Store) -> None:
    (item,) = await filed(store, "Doha")
    await said(store, item, "later")
    await said(store, item, "", by="Sami")
    assert await counts(store, item) is None
    assert await listed(store, review="unreviewed") == ["Doha"]


async def test_notes_stand_beside_each_other(store: Store) -> None:
    (item,) = await filed(store, "Doha")
    first = await said(store, item, "Ask the desk \ud800", kind="note")
    second = await said(store, item, "שאלתי", kind="note", by="Sami")
    review = await counts(store, item)
    assert review is not None
    assert review.notes == (first, second)
    assert (first.value, review.verdict) == ("Ask the desk \ufffd", None)


@pytest.mark.parametrize(
    ("kind", "value", "by"),
    [("verdict", "maybe", "Noa"), ("star", "no", "Noa"), ("note", " \n", "Noa"), ("verdict", "noise", " ")],
)
async def test_what_is_no_remark_is_refused(store: Store, kind: RemarkKind, value: str, by: str) -> None:
    (item,) = await filed(store, "Doha")
    with pytest.raises(ValueError, match=r"no verdict|no star|needs"):
        await store.remark([item], by=by, kind=kind, value=value, now=NOW)
    assert await store.remarks(item) == ()


# ------------------------------------------------------------------ undoing


async def test_undo_takes_back_only_ones_own_and_what_counted_before_counts_again(store: Store) -> None:
    (item,) = await filed(store, "Doha")
    first, second = await said(store, item, "relevant"), await said(store, item, "noise", by="Sami")
    assert await store.undo([second.number], by="Noa") == ()
    assert await listed(store, review="noise") == ["Doha"]
    assert await store.undo([second.number, second.number, 999], by="Sami") == (replace(second, undone=True),)
    assert await counts(store, item) == Review(item=item, verdict="relevant", by="Noa", at=first.at)
    assert await store.undo([second.number], by="Sami") == ()
    assert [each.undone for each in await store.remarks(item)] == [False, True]
    await store.undo([first.number], by="Noa")
    assert await counts(store, item) is None
    assert await listed(store, review="relevant") == []


async def test_undoing_an_earlier_verdict_leaves_the_later_one(store: Store) -> None:
    (item,) = await filed(store, "Doha")
    first, second = await said(store, item, "relevant"), await said(store, item, "noise", by="Sami")
    await store.undo([first.number], by="Noa")
    assert await counts(store, item) == Review(item=item, verdict="noise", by="Sami", at=second.at)


async def test_a_number_is_never_given_twice(store: Store) -> None:
    """Or an undo that was long on its way would take back something else."""
    (item,) = await filed(store, "Football")
    first = await said(store, item, "noise")
    await store.file(filing([candidate("Chess", keys=("url:b",))], at=NOW + 10 * DAY), decide)
    await store.prune(bodies_before=NEVER, revisions_before=NEVER, identity_before=NOW + DAY)
    assert await store.item(item) is None
    (other,) = [each.id for each in await store.items()]
    assert (await said(store, other, "noise")).number > first.number
    assert await store.undo([first.number], by="Noa") == ()


# ------------------------------------------------------------------ asking for items


async def test_items_are_asked_for_by_their_review(store: Store) -> None:
    items = await filed(store, "Football", "Doha one", "Doha two", "Doha three", "Cairo")
    for item, verdict in zip(items, ("relevant", "relevant", "noise", "later"), strict=False):
        await said(store, item, verdict)
    await said(store, items[2], "yes", kind="star")
    await said(store, items[4], "A note is no verdict", kind="note")
    expected: dict[Reviewed, list[str]] = {
        "unreviewed": ["Cairo"],
        "relevant": ["Doha one", "Football"],
        "noise": ["Doha two"],
        "later": ["Doha three"],
        "starred": ["Doha two"],
    }
    for review in get_args(Reviewed):
        assert await listed(store, review=review) == expected[review]
        assert await store.how_many(Wanted(review=review), at_most=9) == len(expected[review])
        matched = [title for title in expected[review] if title != "Football"]
        assert await listed(store, review=review, watch="*") == matched
        assert await listed(store, review=review, watch="doha") == [title for title in matched if "Doha" in title]
        assert await listed(store, review=review, outlet="bbc") == expected[review]
        assert await listed(store, review=review, language="en") == expected[review]
    assert await listed(store, watch="*") == ["Cairo", "Doha three", "Doha two", "Doha one"]
    assert await listed(store, watch="*", since=NOW + 2 * MINUTE, before=NOW + 4 * MINUTE) == ["Doha three", "Doha two"]
    oldest = await store.items(Wanted(watch="*"), limit=1, oldest_first=True)
    assert [item.title for item in oldest] == ["Doha one"]
    assert await store.how_many(at_most=3) == 3


async def test_a_watch_that_finds_a_reviewed_item_later_finds_it_reviewed(store: Store) -> None:
    (item,) = await filed(store, "Doha talks")
    await said(store, item, "noise")
    edited = candidate("Doha and Cairo talks", keys=("url:Doha talks",))
    await store.file(filing([edited], at=NOW + HOUR), decide)
    assert await listed(store, watch="cairo", review="noise") == ["Doha and Cairo talks"]
    assert await listed(store, watch="cairo", review="unreviewed") == []


async def test_an_item_whose_language_turns_out_another_is_found_under_it(store: Store) -> None:
    await filed(store, "Doha")
    edited = replace(candidate("דוחא Doha", keys=("url:Doha",)), language="he")
    await store.file(filing([edited], at=NOW + HOUR), decide)
    assert await listed(store, watch="doha", language="he") == ["דוחא Doha"]
    assert await listed(store, watch="doha", language="en") == []


async def test_a_merged_item_takes_its_remarks_along(store: Store) -> None:
    first, second = candidate("Doha talks", keys=("url:a",)), candidate("Doha talks", keys=("guid:b",))
    for place, each in enumerate((first, second)):
        await store.file(filing([each], at=NOW + place * HOUR), decide)
    verdict = await said(store, first.id, "relevant")
    starred = await said(store, second.id, "yes", kind="star")
    noise = await said(store, second.id, "noise", by="Sami")
    both = candidate("Doha talks", keys=("url:a", "guid:b"))
    assert (await store.file(filing([both], at=NOW + 2 * HOUR), decide)).merged == 1
    kept = Review(item=first.id, verdict="noise", starred=True, by="Sami", at=noise.at)
    assert await store.reviews([first.id, second.id]) == {first.id: kept, second.id: replace(kept, item=second.id)}
    assert [each.number for each in await store.remarks(second.id)] == [verdict.number, starred.number, noise.number]
    assert await listed(store, review="noise", watch="doha") == await listed(store, review="starred") == ["Doha talks"]
    later = await said(store, second.id, "later")  # under its old id
    assert later.item == first.id
    assert await store.check() == ()


async def test_a_merged_item_takes_along_what_watches_found_in_the_other(store: Store) -> None:
    first, second = candidate("Doha talks", keys=("url:a",)), candidate("Cairo talks", keys=("guid:b",))
    for each in (first, second):
        await store.file(filing([each]), decide)
    await said(store, first.id, "noise")
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    for watch in ("doha", "cairo", "*"):
        assert [item.id for item in await store.items(Wanted(watch=watch, review="noise"))] == [first.id]
        assert await store.how_many(Wanted(watch=watch), at_most=9) == 1


# ------------------------------------------------------------------ keeping


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [("verdict", "relevant", True), ("verdict", "later", True), ("verdict", "noise", False), ("star", "yes", True),
     ("note", "Ask the desk", True)],
)  # fmt: skip
async def test_what_a_reviewer_marked_keeps_its_texts(store: Store, kind: RemarkKind, value: str, kept: bool) -> None:
    each = candidate("Talks in Doha", keys=("url:a",), body="What fishermen say", html="<p>What fishermen say</p>")
    await store.file(filing([each]), decide)
    await store.file(filing([candidate("A deal in Doha", keys=("url:a",))], at=NOW + MINUTE), decide)
    for message in await claimed(store, NOW + HOUR):
        await store.settle(message, SENT, now=NOW, due=None)
    await said(store, each.id, value, kind=kind)
    late = NOW + 500 * DAY
    await store.file(filing([candidate("Football", keys=("url:b",))], at=late + DAY), decide)
    await store.prune(bodies_before=late, revisions_before=late, identity_before=late)
    texts = [(text.title, text.body) for text in await store.revisions(each.id)]
    body = "What fishermen say"
    assert texts == ([("Talks in Doha", body), ("A deal in Doha", body)] if kept else [])
    assert len(await store.remarks(each.id)) == kept
    assert await listed(store, watch="doha") == ["A deal in Doha"] * kept
    assert len(await store.hits(since=NOW - DAY, zone=ZoneInfo("UTC"))) == kept
    assert await store.check() == ()


async def test_a_backup_holds_the_reviews(store: Store, tmp_path: Path) -> None:
    (item,) = await filed(store, "Doha")
    await said(store, item, "relevant")
    await said(store, item, "Ask the desk", kind="note")
    await store.backup(str(tmp_path / "copy.db"))
    copy = open_store(f"sqlite:///{tmp_path}/copy.db")
    try:
        assert await copy.reviews([item]) == await store.reviews([item])
        assert await listed(copy, review="relevant", watch="*") == ["Doha"]
        assert await copy.check() == ()
    finally:
        await copy.close()


# ------------------------------------------------------------------ two at once


async def test_f150_two_reviewers_at_once_lose_nothing_and_the_last_verdict_counts(store: Store) -> None:
    items = await filed(store, *(f"Doha {number}" for number in range(5)))

    async def reviewing(name: str) -> list[Remark]:
        written: list[Remark] = []
        for verdict in ("relevant", "noise", "later") * 5:
            written += await store.remark(items, by=name, kind="verdict", value=verdict, now=NOW)
        return written

    mine, theirs = await asyncio.gather(reviewing("Noa"), reviewing("Sami"))
    await assert_all_kept(store, items, [*mine, *theirs])


async def test_f150_two_processes_that_review_at_once_lose_nothing(store: Store, store_url: str) -> None:
    items = await filed(store, *(f"Doha {number}" for number in range(5)))
    command = [sys.executable, "-m", "tests.storage.reviewer", store_url]
    both = [
        subprocess.Popen([*command, name, *items], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("Noa", "Sami")
    ]
    for each in both:
        assert each.stdout is not None
        assert await asyncio.to_thread(each.stdout.readline) == "ready\n"
    mine = await store.remark(items, by="Ruth", kind="verdict", value="later", now=NOW)
    for each in both:
        await asyncio.to_thread(each.communicate, "\n")
        assert each.returncode == 0
    remarks = [each for item in items for each in await store.remarks(item)]
    assert len(remarks) == len(items) * (2 * ROUNDS * 3 + 1)
    for name in ("Noa", "Sami"):
        for item in items:
            own = [each.value for each in remarks if (each.by, each.item) == (name, item)]
            assert own == [word for turn in range(ROUNDS) for word in ("relevant", f"{name} {turn}", "noise")]
    await assert_all_kept(store, items, [*mine, *(each for each in remarks if each.by != "Ruth")])


async def assert_all_kept(store: Store, items: Sequence[str], written: Sequence[Remark]) -> None:
    reviews = await store.reviews(items)
    for item in items:
        own = sorted((each for each in written if each.item == item), key=lambda each: each.number)
        assert list(await store.remarks(item)) == own
        last = [each for each in own if each.kind == "verdict"][-1]
        assert (reviews[item].verdict, reviews[item].by) == (last.value, last.by)


# ------------------------------------------------------------------ against a model


class Reviewing(RuleBasedStateMachine):
    """Two reviewers and three items, one of which no watch found."""

    who = st.sampled_from(["Noa", "Sami"])
    which = st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True)

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.db"
        self.loop = asyncio.Runner()
        self.remarks: list[Remark] = []

    @initialize()
    def open(self) -> None:
        self.store = self.loop.run(opened(self.path))
        self.items = self.loop.run(filed(self.store, "Doha", "Cairo", "Football"))

    @rule(which=which, by=who, verdict=st.sampled_from(["relevant", "noise", "later", ""]))
    def judge(self, which: list[int], by: str, verdict: str) -> None:
        self.say(which, by, "verdict", verdict)

    @rule(which=which, by=who, star=st.sampled_from(["yes", ""]))
    def star(self, which: list[int], by: str, star: str) -> None:
        self.say(which, by, "star", star)

    @rule(which=which, by=who)
    def note(self, which: list[int], by: str) -> None:
        self.say(which, by, "note", "a note")

    @rule(numbers=st.lists(st.integers(0, 12), max_size=3), by=who)
    def undo(self, numbers: list[int], by: str) -> None:
        undone = self.loop.run(self.store.undo(numbers, by=by))
        own = [each.number for each in self.remarks if each.number in numbers and each.by == by and not each.undone]
        assert sorted(each.number for each in undone) == own
        self.remarks = [replace(each, undone=each.undone or each.number in own) for each in self.remarks]

    def say(self, which: list[int], by: str, kind: RemarkKind, value: str) -> None:
        named = [self.items[place] for place in which]
        self.remarks += self.loop.run(self.store.remark(named, by=by, kind=kind, value=value, now=NOW))

    @invariant()
    def what_counts_is_the_last_of_each(self) -> None:
        reviews, found = self.loop.run(self.asked())
        for item in self.items:
            own = [each for each in self.remarks if each.item == item and not each.undone]
            verdicts = [each for each in own if each.kind == "verdict"]
            stars = [each.value == "yes" for each in own if each.kind == "star"]
            review = reviews.get(item, Review(item=item))
            assert (review.verdict or "") == (verdicts[-1].value if verdicts else "")
            assert review.starred == (stars[-1] if stars else False)
            assert review.notes == tuple(each for each in own if each.kind == "note")
            told = {name for name, items in found.items() if item in {each.id for each in items}}
            expected = {review.verdict or "unreviewed"} | ({"starred"} if review.starred else set())
            assert told == expected | ({f"matched {name}" for name in expected} if item != self.items[2] else set())
        with closing(connect(self.path, read_only=True)) as db:
            assert_hits_are_the_matches(db)

    async def asked(self) -> tuple[dict[str, Review], dict[str, tuple[Item, ...]]]:
        reviews = dict(await self.store.reviews(self.items))
        found = {name: await self.store.items(Wanted(review=name)) for name in get_args(Reviewed)}
        matched = {
            f"matched {name}": await self.store.items(Wanted(review=name, watch="*")) for name in get_args(Reviewed)
        }
        return reviews, found | matched

    def teardown(self) -> None:
        self.loop.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()


async def opened(path: Path) -> Store:
    return open_store(f"sqlite:///{path}", exclusive=True)


TestAnyOrderOfRemarksAndUndosCountsTheLast = Reviewing.TestCase
TestAnyOrderOfRemarksAndUndosCountsTheLast.settings = settings(
    max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
