"""What is done to alerts on their page: a card stands for all rows of its headline, whatever watch and channel."""

from __future__ import annotations

import pytest

from monitor.model.messages import Delivery
from tests.monitor.web.desk import NOW, Desk, get, post

pytestmark = pytest.mark.anyio


async def test_acknowledging_a_card_acknowledges_all_its_rows(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    done = await post(desk, "/alerts/acknowledge", {"card": f"{item}|new"})
    assert done.status == 303
    rows = await desk.store.alerts(item=item)
    assert len(rows) == 2
    assert all(row.acknowledged == NOW for row in rows)


async def test_a_card_of_which_one_channel_failed_is_sent_again_there_only(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    one, other = await desk.claimed()
    await desk.store.settle(one, Delivery(verdict="sent"), now=NOW, due=None)
    await desk.store.settle(other, Delivery(verdict="refused", detail="HTTP 410"), now=NOW, due=None)
    assert (await post(desk, "/alerts/resend", {"card": f"{item}|new", "condition": "dead"})).status == 303
    conditions = {row.channel: row.condition for row in await desk.store.alerts(item=item)}
    assert conditions == {one.channel: "delivered", other.channel: "pending"}


async def test_what_was_held_back_leaves_when_it_is_sent_from_there(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha", suppressed="baseline")
    await post(desk, "/alerts/resend", {"card": f"{item}|new", "condition": ""})
    assert {row.condition for row in await desk.store.alerts(item=item)} == {"suppressed"}
    await post(desk, "/alerts/resend", {"card": f"{item}|new", "condition": "suppressed"})
    assert {row.condition for row in await desk.store.alerts(item=item)} == {"pending"}


async def test_nothing_chosen_is_said_in_words(desk: Desk) -> None:
    for path in ("/alerts/acknowledge", "/alerts/resend"):
        got = await post(desk, path, {})
        assert got.status == 400
        assert "No alert was chosen." in got.text


async def test_filters_are_shown_and_kept(desk: Desk) -> None:
    await desk.file("Talks resume in Doha")
    text = (await get(desk, "/alerts?watch=doha&channel=duty")).text
    assert "Only of" in text
    assert 'href="/alerts?watch=doha&amp;channel=duty&amp;condition=dead"' in text
    assert "on its way to" in text
    assert "None." in (await get(desk, "/alerts?channel=nobody")).text


async def test_a_watch_that_is_not_there_is_not_muted(desk: Desk) -> None:
    assert (await post(desk, "/watches/nobody/mute", {"span": "1h"})).status == 404
    assert (await post(desk, "/watches/doha/mute", {"span": "1h"})).status == 303
    assert set(await desk.store.muted(NOW)) == {"doha"}
