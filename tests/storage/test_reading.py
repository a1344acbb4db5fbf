"""What every store answers: the ledger inside a filing, lists and counts; and what it forgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model.alerts import Tended
from monitor.model.filing import Change, Decision
from monitor.model.items import Wanted
from monitor.model.sources import Outcome
from monitor.ports import Ledger, Store
from tests.questions import searched
from tests.storage.desk import (
    LATER,
    NOW,
    READ,
    REFUSED,
    SENT,
    candidate,
    claimed,
    decide,
    filing,
    quiet,
    rows_due,
    source,
)

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


# ------------------------------------------------------------------ copies and the ledger


async def test_the_ledger_knows_the_group_of_copies_and_what_was_told(store: Store) -> None:
    original, copy, second = (candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(3))
    seen: dict[str, object] = {}

    def of(copy_of: str | None) -> object:
        def judge(change: Change, ledger: Ledger) -> Decision:
            if copy_of:
                seen["copies"] = ledger.copies(copy_of)
                seen["told"] = ledger.told([copy_of, *ledger.copies(copy_of)])
                seen["exists"] = (ledger.exists(copy_of), ledger.exists("nobody"))
            return replace(decide(change, ledger), copy_of=copy_of, copy_reason="same words" if copy_of else "")

        return judge

    await store.file(filing([original]), of(None))  # type: ignore[arg-type]
    await store.file(filing([copy], at=NOW + MINUTE), of(original.id))  # type: ignore[arg-type]
    await store.file(filing([second], at=NOW + HOUR), of(copy.id))  # type: ignore[arg-type]
    told = {alert.channel: alert.id for alert in await store.alerts(item=original.id)}
    assert seen["copies"] == (original.id,)
    assert seen["told"] == {("doha", "desk"): told["desk"], ("doha", "duty"): told["duty"]}
    assert seen["exists"] == (True, False)
    items = {item.id: item for item in await store.items()}
    assert items[copy.id].copy_of == items[second.id].copy_of == original.id
    assert items[copy.id].copy_reason == "same words"


async def test_a_copy_of_an_item_that_is_gone_is_filed_without_the_link(store: Store) -> None:
    def judge(change: Change, ledger: Ledger) -> Decision:
        return replace(decide(change, ledger), copy_of="nobody", copy_reason="same words")

    filed = await store.file(filing([candidate(keys=("url:a",))]), judge)
    assert (filed.new, filed.alerts_due) == (1, 2)
    assert (await store.items())[0].copy_of is None


# ------------------------------------------------------------------ reading


async def test_unchanged_names_what_holds_no_new_text(store: Store) -> None:
    held = candidate("Held", keys=("url:a",), lead="Lead")
    await store.file(filing([held]), quiet)
    untold_lead = candidate("Held", keys=("url:a",))
    edited = candidate("Edited", keys=("url:a",))
    with_body = candidate("Held", keys=("url:a",), lead="Lead", body="First body")
    unknown = candidate("Unknown", keys=("url:z",))
    assert await store.unchanged("bbc", [held]) == {held.id}
    assert await store.unchanged("bbc", [untold_lead]) == {held.id}
    assert await store.unchanged("ap", [held]) == frozenset()
    for each in (edited, with_body, unknown):
        assert await store.unchanged("bbc", [each]) == frozenset()


async def test_items_are_filtered_by_outlet_language_watch_and_time(store: Store) -> None:
    await store.file(filing([candidate("Doha talks", keys=("url:a",))]), decide)
    hebrew = replace(candidate("שיחות", keys=("url:b",), outlet="ap"), language="he")
    await store.file(filing([hebrew], source_id="ap/main", at=NOW + HOUR), decide)
    assert [item.outlet for item in await store.items()] == ["ap", "bbc"]
    assert [item.outlet for item in await store.items(Wanted(outlet="bbc"))] == ["bbc"]
    assert [item.outlet for item in await store.items(Wanted(language="he"))] == ["ap"]
    assert [item.outlet for item in await store.items(Wanted(watch="doha"))] == ["bbc"]
    assert [item.outlet for item in await store.items(Wanted(since=NOW + HOUR))] == ["ap"]
    assert [item.outlet for item in await store.items(Wanted(before=NOW + HOUR))] == ["bbc"]
    assert [item.outlet for item in await store.items(oldest_first=True, limit=1)] == ["bbc"]
    assert await store.item("nobody") is None


async def test_counts_name_every_kind_and_condition(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    assert await store.count() == {
        "items": 1, "revisions": 1, "matches": 1, "quarantined": 0, "sources": 1,
        "pending": 2, "delivered": 0, "dead": 0, "suppressed": 0,
    }  # fmt: skip


async def test_p1_every_row_is_in_one_condition_through_its_whole_life(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(4)]
    await store.file(filing(entries), decide)
    for message, delivery in zip(await claimed(store, NOW, messages=3), (SENT, LATER, REFUSED) * 2, strict=True):
        await store.settle(message, delivery, now=NOW, due=NOW + HOUR)
        assert await rows_due(store) == 8
    found = await store.tend(NOW, channels=["desk"], watches=["doha"], escalations=(), give_up=DAY)
    assert found == Tended(buried=2)
    assert await rows_due(store) == 8


# ------------------------------------------------------------------ retention


async def test_prune_removes_bodies_then_revisions_then_identity(store: Store) -> None:
    old = candidate("Doha talks", keys=("url:a",), body="An old text about fishermen", html="<p>x</p>")
    await store.file(filing([old]), decide)
    await store.file(filing([candidate("Doha deal", keys=("url:a",))], at=NOW + MINUTE), decide)
    for message in await claimed(store, NOW + HOUR):
        await store.settle(message, SENT, now=NOW, due=None)
    fresh = candidate("Fresh", keys=("url:b",), body="A text about sailors")
    await store.file(filing([fresh], at=NOW + 10 * DAY), decide)
    never = NOW - 400 * DAY

    assert await store.prune(bodies_before=NOW + DAY, revisions_before=never, identity_before=never) == 2
    item = await store.item(old.id)
    assert item is not None
    assert (item.title, item.body, item.html) == ("Doha deal", "", "")
    assert await searched(store, "fishermen") == []
    assert len(await searched(store, "Doha")) == len(await searched(store, "sailors")) == 1

    assert await store.prune(bodies_before=never, revisions_before=NOW + DAY, identity_before=never) == 1
    assert [text.title for text in await store.revisions(old.id)] == ["Doha deal"]

    # The item, and the messages that told it.
    assert await store.prune(bodies_before=never, revisions_before=never, identity_before=NOW + DAY) == 1 + 2
    assert await store.item(old.id) is None
    assert await searched(store, "Doha") == []
    assert (await rows_due(store), (await store.count())["matches"]) == (0, 0)
    assert await store.check() == ()


async def test_an_item_that_its_source_still_lists_is_never_forgotten(store: Store) -> None:
    each = candidate(keys=("url:a",))
    await store.register([source()], pages_of=READ)
    await store.file(filing([each]), quiet)
    for day in range(1, 9):
        await store.file(filing(at=NOW + day * DAY, outcome=Outcome.UNCHANGED), quiet)
    late = NOW + 8 * DAY
    assert await store.prune(bodies_before=late, revisions_before=late, identity_before=late) == 0
    assert (await store.file(filing([each], at=late), decide)).known == 1


async def test_an_alert_that_waits_keeps_its_item(store: Store) -> None:
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    await store.file(filing([candidate("Other", keys=("url:b",))], at=NOW + 20 * DAY), quiet)
    late = NOW + 10 * DAY
    await store.prune(bodies_before=late, revisions_before=late, identity_before=late)
    assert (await store.count())["pending"] == 2
