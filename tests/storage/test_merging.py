"""Two items that are found to be one, in every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model.alerts import NewAlert
from monitor.model.entries import Candidate
from monitor.model.filing import Change, Decision
from monitor.ports import Ledger, Store
from tests.questions import searched
from tests.storage.desk import (
    LATER,
    NOW,
    REFUSED,
    SENT,
    candidate,
    claimed,
    decide,
    filing,
    only_item,
)

pytestmark = pytest.mark.anyio

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def merged(store: Store) -> tuple[Candidate, Candidate]:
    """Two items, then an entry that carries a key of each."""
    first = candidate("Doha talks", keys=("url:a",))
    second = candidate("Doha talks", keys=("guid:b",))
    await store.file(filing([first]), decide)
    await store.file(filing([second], at=NOW + HOUR), decide)
    return first, second


async def test_two_items_found_to_be_one_are_merged_into_the_earlier(store: Store) -> None:
    first, second = await merged(store)
    both = candidate("Doha talks", keys=("url:a", "guid:b", "url:c"))
    filed = await store.file(filing([both], at=NOW + 2 * HOUR), decide)
    assert (filed.merged, filed.known, filed.alerts_due) == (1, 0, 0)
    (item,) = await store.items()
    assert item.id == first.id
    assert await store.item(second.id) == item  # its links still work
    assert (await store.file(filing([candidate("Doha talks", keys=("url:c",))]), decide)).known == 1
    assert len(await searched(store, "Doha")) == 1


async def test_a_merged_twin_that_waits_is_suppressed_and_keys_stay_as_they_were(store: Store) -> None:
    first, second = await merged(store)
    keys = {alert.key for alert in await store.alerts()}
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    alerts = await store.alerts(item=first.id)
    assert {alert.key for alert in alerts} == keys
    assert {(alert.condition, alert.reason) for alert in alerts if second.id in alert.key} == {("suppressed", "merged")}
    assert {alert.condition for alert in alerts if first.id in alert.key} == {"pending"}


async def test_of_two_merged_twins_the_one_that_was_sent_stays(store: Store) -> None:
    _, second = await merged(store)
    for message in await claimed(store, NOW + HOUR):
        if message.alerts[0].item == second.id:
            assert await store.settle(message, SENT, now=NOW + HOUR, due=None)
        else:
            assert await store.settle(message, LATER, now=NOW + HOUR, due=NOW + 2 * HOUR)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    assert {alert.condition for alert in await store.alerts()} == {"delivered", "suppressed"}
    assert await claimed(store, NOW + DAY) == ()


async def test_a_merged_twin_whose_other_was_never_told_stays_due(store: Store) -> None:
    first, second = await merged(store)
    for message in await claimed(store, NOW):
        assert message.alerts[0].item == first.id
        await store.settle(message, REFUSED, now=NOW, due=None)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    due = await claimed(store, NOW + DAY)
    assert [second.id in message.key for message in due] == [True, True]


async def test_a_send_under_way_while_its_item_is_merged_is_recorded(store: Store) -> None:
    await merged(store)
    under_way = await claimed(store, NOW + HOUR)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    for message in under_way:
        assert await store.settle(message, SENT, now=NOW + HOUR, due=None)
    assert {alert.condition for alert in await store.alerts()} == {"delivered"}


async def test_after_a_merge_the_same_state_is_not_told_again(store: Store) -> None:
    first, _ = await merged(store)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)

    def insist(change: Change, _ledger: Ledger) -> Decision:
        row = NewAlert(watch="doha", channel="desk", item=change.item.id, state="new", severity="normal")
        return Decision(alerts=(row,))

    filed = await store.file(filing([candidate("Doha deal", keys=("url:a",))]), insist)
    assert (filed.revised, filed.alerts_due) == (1, 0)
    assert first.id == await only_item(store)
