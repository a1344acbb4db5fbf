"""Rows that wait for other origins, in the store: which stories count together, and what becomes of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.model.alerts import Held, NewAlert, Release, Settled
from monitor.model.filing import Change, Decision
from monitor.model.items import Match
from monitor.model.stories import Placed, StoryLink
from monitor.model.texts import TextLanguage
from monitor.ports import Ledger
from storage.sqlite.store import SqliteStore
from tests.storage.desk import NOW, candidate, filing

UNTIL = NOW + timedelta(minutes=90)
WAITS = Held(until=UNTIL, gather="corroborated:doha:s1", reason="waits for 3 origins, has 1 (bbc)")


async def file_in(
    store: SqliteStore, title: str, story: str, *, links: Sequence[str] = (), language: TextLanguage = "en",
    keys: Sequence[str] = (), held: Held | None = WAITS, **more: Any,
) -> str:  # fmt: skip
    """An item of this story, with a row that waits; its id."""
    entry = replace(candidate(title, keys=tuple(keys) or (f"url:{title}",)), language=language)

    def judge(change: Change, ledger: Ledger) -> Decision:
        state = "new" if change.fresh else f"edited:{change.revision.id}"
        row = NewAlert(
            watch="doha", channel="desk", item=change.item.id, state=state, severity="normal", held=held
        )  # fmt: skip
        told = tuple(StoryLink(story=each, score=0.5, reason="shares 50") for each in links)
        placed = Placed(story=story, score=1.0, reason="", links=told) if change.fresh else None
        return Decision(matches=(Match(watch="doha"),), alerts=(row,), placed=placed)

    await store.file(filing([entry], at=NOW), judge, more.get("settle"))
    return entry.id


async def conditions(store: SqliteStore) -> Mapping[str, tuple[str, str]]:
    """State and the beginning of its item's title → condition and reason."""
    found = await store.alerts(limit=99)
    items = {row.item: await store.item(row.item) for row in found}
    return {
        f"{row.state.partition(':')[0]} {item.title if (item := items[row.item]) else '?'}": (row.condition, row.reason)
        for row in found
    }


async def event(store: SqliteStore, *stories: str, **more: Any) -> tuple[str, ...]:
    found: list[tuple[str, ...]] = []

    def ask(story: str | None, ledger: Ledger) -> Settled:
        found.append(ledger.event(stories, **more))
        return Settled()

    await store.reconsider(ask, NOW)
    return found[0]


# ------------------------------------------------------------------ what counts together


@pytest.mark.anyio
async def test_linked_stories_count_together_and_one_more_link_to_the_third_language(store: SqliteStore) -> None:
    await file_in(store, "Talks", "en1")
    await file_in(store, "שיחות", "he1", links=["en1"], language="he")
    await file_in(store, "محادثات", "ar1", links=["en1"], language="ar")
    await file_in(store, "Other talks", "en2", links=["he1"])
    assert await event(store, "en1") == ("ar1", "en1", "he1")
    assert await event(store, "ar1") == ("ar1", "en1", "he1"), "the Hebrew one by way of the English one"
    assert await event(store, "en2") == ("en2", "he1"), "not another English one by way of the Hebrew one"
    assert [each.id for each in await store.event("ar1")] == ["ar1", "en1", "he1"]
    assert await store.event("nothing") == ()


@pytest.mark.anyio
async def test_what_the_store_does_not_know_yet_counts_too(store: SqliteStore) -> None:
    await file_in(store, "שיחות", "he1", language="he")
    await file_in(store, "Other talks", "en2", links=["he1"])
    assert await event(store, "en1", linked=("he1",), language="en") == ("en1", "he1")
    assert await event(store, "ar1", linked=("he1",), language="ar") == ("ar1", "en2", "he1")


# ------------------------------------------------------------------ what becomes of rows


def telling(*, told_with: bool = True) -> Any:
    """The newest row tells the story."""

    def settle(story: str | None, ledger: Ledger) -> Settled:
        *others, last = (row.alert for row in ledger.waiting(None if story is None else (story,)))
        alert = NewAlert(
            watch=last.watch, channel=last.channel, item=last.item, state="corroborated", severity=last.severity
        )
        told = tuple(each.id for each in others) if told_with else ()
        return Settled(releases=(Release(row=last.id, alert=alert, told_with=told),))

    return settle


@pytest.mark.anyio
async def test_a_filing_says_how_many_rows_it_made_due_and_how_many_are_told_with_them(store: SqliteStore) -> None:
    await file_in(store, "Talks", "s1")
    entry = candidate("Talks in Doha", keys=("url:2",))

    def judge(change: Change, ledger: Ledger) -> Decision:
        row = NewAlert(
            watch="doha", channel="desk", item=change.item.id, state="new", severity="normal", held=WAITS
        )  # fmt: skip
        return Decision(
            matches=(Match(watch="doha"),), alerts=(row,), placed=Placed(story="s1", score=1.0, reason="")
        )  # fmt: skip

    filed = await store.file(filing([entry], at=NOW), judge, telling())
    assert (filed.alerts_due, filed.alerts_suppressed) == (2, 2), "one of them waited and was told with the other"
    found = await conditions(store)
    assert {name: condition for name, (condition, _) in found.items()} == {
        "new Talks": "suppressed", "new Talks in Doha": "suppressed", "corroborated Talks in Doha": "pending",
    }  # fmt: skip


@pytest.mark.anyio
async def test_a_row_whose_key_was_written_before_is_not_needed_for_the_story_to_be_told(store: SqliteStore) -> None:
    await file_in(store, "Talks", "s1")
    await store.reconsider(telling(), NOW)
    await store.mute("doha", NOW + timedelta(hours=1), NOW)
    await file_in(store, "Talks on", "s1", keys=["url:Talks"])
    assert await store.reconsider(telling(), NOW) == 1
    found = await conditions(store)
    assert found["edited Talks on"] == ("pending", "")
    assert found["corroborated Talks on"] == ("suppressed", "muted")


@pytest.mark.anyio
async def test_a_failing_settlement_is_its_entrys_own(store: SqliteStore) -> None:
    def settle(story: str | None, ledger: Ledger) -> Settled:
        raise ValueError("a fault")

    await file_in(store, "Talks", "s1", settle=settle)
    counts = await store.count()
    assert (counts["items"], counts["quarantined"], counts.get("pending", 0)) == (0, 1, 0)


@pytest.mark.anyio
async def test_two_items_that_are_one_wait_as_one(store: SqliteStore) -> None:
    await file_in(store, "Talks", "s1", keys=["url:1"])
    await file_in(store, "Talks in Doha", "s1", keys=["url:2"])
    await file_in(store, "Talks in Doha", "s1", keys=["url:1", "url:2"])
    found = await store.alerts(limit=99)
    assert sorted((row.condition, row.reason) for row in found if row.state == "new") == [
        ("pending", WAITS.reason), ("suppressed", "merged"),
    ]  # fmt: skip
    await store.reconsider(telling(), NOW)
    assert [row.state for row in await store.alerts(condition="pending")] == ["corroborated"]


@pytest.mark.anyio
async def test_what_is_over_stays_open_to_its_story_and_what_was_sent_by_hand_does_not(store: SqliteStore) -> None:
    await file_in(store, "Talks", "s1")
    await file_in(store, "Talks in Doha", "s1")
    rows = {row.id: row for row in await store.alerts(limit=9)}
    reason = "not corroborated: 1 of 3 origins within 90 min"
    assert await store.reconsider(lambda story, ledger: Settled(over=dict.fromkeys(rows, reason)), UNTIL) == 2
    sent, other = sorted(rows)
    await store.resend([sent], UNTIL)
    left: list[str] = []

    def look(story: str | None, ledger: Ledger) -> Settled:
        left.extend(row.alert.id for row in ledger.waiting(("s1",)))
        assert ledger.waiting() == ()
        return Settled(over={sent: "not corroborated: again"}, waits={other: "never"})

    assert await store.reconsider(look, UNTIL) == 0, "neither what is sent nor what is over waits"
    assert left == [other]
    assert {(row.condition, row.reason) for row in await store.alerts(limit=9)} == {
        ("pending", ""), ("suppressed", reason),
    }  # fmt: skip


@pytest.mark.anyio
async def test_nobody_was_told_by_what_waits_and_everybody_by_what_told_its_story(store: SqliteStore) -> None:
    first = await file_in(store, "Talks", "s1")
    second = await file_in(store, "Talks in Doha", "s1")
    seen: list[Any] = []

    def look(story: str | None, ledger: Ledger) -> Settled:
        seen.append((ledger.told((first,)), ledger.last((first, second)), ledger.told_of(("s1",))))
        return Settled()

    await store.reconsider(look, NOW)
    await store.reconsider(telling(), NOW)
    await store.reconsider(look, NOW)
    (alert,) = await store.alerts(condition="pending")
    assert seen[0] == ({}, {}, {})
    told, last, of = seen[1]
    assert told == of == {("doha", "desk"): alert.id}
    assert last["doha", "desk"].id == alert.id
