"""Canaries go the whole way, are seen nowhere, and are missed when they stay out: told once, and their return once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.model.settings import Quiet
from config.model.watches import Watch
from monitor import canary
from monitor.errors import StoreFull
from monitor.model.items import Wanted
from monitor.model.messages import Delivery
from monitor.service.canaries import Canaries
from storage.sqlite.store import SqliteStore
from tests.monitor.service.conftest import START, WATCH, Make, Parts, channel, config
from tests.questions import searched

pytestmark = pytest.mark.anyio

LATE = "The hourly canary did not arrive at wirewatch-canary"
BACK = "The hourly canary arrives again"


async def notices(parts: Parts) -> list[str]:
    return [item.title for item in await parts.store.items(Wanted(outlet="wirewatch"), oldest_first=True)]


async def minute(parts: Parts, *, deliver: bool = True) -> None:
    """One minute of the service's life, as far as canaries see it."""
    parts.clock.later(60)
    if deliver:
        await parts.dispatcher.drain()
    await parts.canaries.look()


async def test_a_canary_goes_the_whole_way_and_no_list_search_count_or_channel_shows_it(parts: Make) -> None:
    everything = Watch(id="all", title="All", when="canary OR sings OR wirewatch OR doha")
    made = parts(config(channel("desk"), watches=(WATCH, everything)))
    await made.publish("Talks resume in Doha")
    await made.dispatcher.drain()
    before, counted, timed = await made.store.count(), made.dispatcher.counts, made.dispatcher.latency.from_seen
    await made.canaries.let_out()
    await minute(made)
    assert (made.dispatcher.counts, made.dispatcher.latency.from_seen) == (counted, timed)
    assert made.canaries.arrived == START + timedelta(minutes=1)
    assert not made.canaries.late
    (row,) = await made.store.alerts(watch=canary.NAME)
    assert (row.channel, row.condition, row.attempts) == (canary.NAME, "delivered", 1)
    (item,) = await made.store.items(Wanted(outlet=canary.NAME))
    assert await made.store.item(item.id) == item
    assert await made.store.count() == before
    assert [each.title for each in await made.store.items()] == ["Talks resume in Doha"]
    assert await searched(made.store, "canary") == []
    assert {each.watch for each in await made.store.alerts()} == {"talks", "all"}
    assert made.inboxes["desk"].titles == ["Talks resume in Doha"] * 2, "by its two watches; no canary"
    assert await notices(made) == []


async def test_nothing_that_holds_other_alerts_back_holds_a_canary(parts: Make) -> None:
    night = Quiet.model_validate({"from": "08:00", "to": "10:00"})
    made = parts(config(channel("desk", min_severity="high", quiet=night, digest="6h"), canary="desk"))
    for _ in range(3):
        await made.canaries.let_out()
        await minute(made)
        assert made.canaries.arrived == made.clock.wall
    assert len(made.inboxes["desk"].titles) == 3
    assert await made.store.alerts(watch=canary.NAME, condition="suppressed") == ()


async def test_two_canaries_are_no_copies_of_each_other_or_of_news(parts: Make) -> None:
    made = parts(config(channel("desk"), watches=(Watch(id="song", title="S", when="sings"),)))
    title = canary.entry(START).title
    await made.publish(title)
    await made.canaries.let_out()
    await minute(made)
    await made.publish(f"{title}, at noon")
    await made.canaries.let_out()
    await minute(made)
    assert [item.copy_of for item in await made.store.items(Wanted(outlet=canary.NAME))] == [None, None]
    assert await made.store.alerts(watch=canary.NAME, condition="suppressed") == ()


async def test_one_that_stays_out_is_late_after_five_minutes_and_told_once_with_its_end(parts: Make) -> None:
    made = parts(config(channel("desk")))
    await made.canaries.let_out()
    for _ in range(5):
        await minute(made, deliver=False)
        assert not made.canaries.late
    await minute(made, deliver=False)
    assert made.canaries.late
    for _ in range(3):
        await made.canaries.let_out()
        await minute(made, deliver=False)
    assert await notices(made) == [LATE]
    await minute(made)
    assert not made.canaries.late
    assert await notices(made) == [LATE, BACK]
    await made.dispatcher.drain()
    assert made.inboxes["desk"].titles == [LATE, BACK]
    await made.canaries.let_out()
    await minute(made)
    assert await notices(made) == [LATE, BACK]


async def test_an_episode_goes_on_over_a_restart_and_is_told_once(parts: Make, store: SqliteStore) -> None:
    made = parts(config(channel("desk")))
    await made.canaries.let_out()
    await made.dispatcher.drain()
    for _ in range(60):
        made.clock.later(60)
    await made.canaries.look()
    await made.canaries.let_out()
    for _ in range(7):
        await minute(made, deliver=False)
    assert await notices(made) == [LATE]
    made.canaries = Canaries(store, made.desk, made.clock)
    await made.canaries.recall()
    assert made.canaries.arrived == START
    assert not made.canaries.late, "a new service gives it five minutes again"
    await made.canaries.let_out()
    for _ in range(7):
        await minute(made, deliver=False)
    assert await notices(made) == [LATE]
    made.canaries = Canaries(store, made.desk, made.clock)
    await made.canaries.recall()
    await made.canaries.let_out()
    await minute(made)
    assert await notices(made) == [LATE, BACK]


async def test_a_restart_while_a_canary_is_on_its_way_is_no_episode(parts: Make, store: SqliteStore) -> None:
    made = parts(config(channel("desk")))
    await made.canaries.let_out()
    made.canaries = Canaries(store, made.desk, made.clock)
    await made.canaries.recall()
    await made.canaries.let_out()
    await minute(made)
    assert await notices(made) == []
    assert made.canaries.arrived == made.clock.wall


async def test_one_that_cannot_be_filed_is_tried_again_and_is_late_all_the_same(
    parts: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts(config(channel("desk")))
    filing = made.store.file

    async def full(*args: object) -> None:
        raise StoreFull("the disk is full")

    monkeypatch.setattr(made.store, "file", full)
    await made.canaries.let_out()
    for _ in range(5):
        await minute(made)
    made.clock.later(60)
    assert made.canaries.late
    with pytest.raises(StoreFull):
        await made.canaries.look()  # the notice cannot be filed either
    monkeypatch.setattr(made.store, "file", filing)
    await made.canaries.look()
    await minute(made)
    assert not made.canaries.late
    assert len(await made.store.items(Wanted(outlet=canary.NAME))) == 1


async def test_none_let_out_for_over_an_hour_is_late_too(parts: Make) -> None:
    made = parts(config(channel("desk")))
    await made.canaries.let_out()
    await minute(made)
    made.clock.later(canary.MISSING)
    assert made.canaries.late, "whatever lets them out has stopped"
    await made.canaries.look()
    assert await notices(made) == [LATE]
    await made.canaries.let_out()
    await minute(made)
    assert not made.canaries.late
    assert await notices(made) == [LATE, BACK]


async def test_a_channel_that_does_not_take_it_makes_it_late_and_no_dead_letter_of_its_own(parts: Make) -> None:
    made = parts(config(channel("desk"), channel("duty"), canary="duty", notify=["desk"]))
    made.inboxes["duty"].answer = Delivery(verdict="refused", detail="status 404")
    await made.canaries.let_out()
    for _ in range(6):
        await minute(made)
    await made.tending.tell_dead()
    assert await notices(made) == ["The hourly canary did not arrive at duty"]
    await made.dispatcher.drain()
    assert made.inboxes["desk"].titles == ["The hourly canary did not arrive at duty"]
    assert (await made.store.count())["dead"] == 0


async def test_old_canaries_are_forgotten_whole_and_news_is_not(parts: Make) -> None:
    made = parts(config(channel("desk")))
    (news,) = await made.publish("Talks resume in Doha")
    await made.canaries.let_out()
    await minute(made)
    made.clock.later(canary.KEPT.total_seconds())
    await made.canaries.let_out()
    assert await made.store.forget_canaries(made.clock.wall - canary.KEPT) == 1
    await minute(made)
    assert len(await made.store.items(Wanted(outlet=canary.NAME))) == 1, "the one of today"
    assert len(await made.store.alerts(watch=canary.NAME)) == 1
    assert await made.store.item(news) is not None
    assert await made.store.check() == ()


async def test_one_still_to_be_sent_is_not_forgotten(parts: Make) -> None:
    made = parts(config(channel("desk")))
    await made.canaries.let_out()
    made.clock.later(3 * canary.KEPT.total_seconds())
    assert await made.store.forget_canaries(made.clock.wall - canary.KEPT) == 0
    await minute(made)
    assert made.canaries.arrived == made.clock.wall
