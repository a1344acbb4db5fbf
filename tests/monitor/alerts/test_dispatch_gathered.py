"""The dispatcher and what leaves together, and what befalls an alert while it is on its way."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from monitor.alerts.dispatch import LEASE, Counts
from monitor.errors import StoreUnusable
from monitor.model.alerts import Held
from monitor.model.items import Item
from monitor.model.messages import Delivery, Message
from tests.monitor.alerts.conftest import NOW
from tests.monitor.alerts.dispatching import LATER, SENT, Rig, sent

pytestmark = pytest.mark.anyio

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REFUSED = Delivery(verdict="refused", detail="status 404")


def digest(minutes: float) -> Held:
    return Held(until=NOW + minutes * MINUTE, gather="digest", reason="digest every 15m")


def keys_of(message: Message) -> list[str]:
    return [alert.key for alert in message.alerts]


# ------------------------------------------------------------------ digests


async def test_a_gathered_message_is_tried_again_unchanged_and_what_came_meanwhile_goes_with_the_next(rig: Rig) -> None:
    async def answer(message: Message) -> Delivery:
        return LATER if rig.clock.ticks < 200 else SENT

    channel = rig.scripted(answer)
    first = await rig.queue(3, severity="normal", held=digest(1))
    second = await rig.queue(2, first=10, severity="high", held=digest(2))
    dispatcher = rig.dispatcher()
    await rig.through(dispatcher, 400, step=5)
    tried = [(parcel.message.key, tuple(keys_of(parcel.message))) for parcel in channel.seen]
    assert Counter(tried).keys() == {(tried[0][0], tuple(first)), (tried[-1][0], tuple(second))}
    assert len(tried) > 4
    assert set(await rig.alerts(condition="delivered")) == {*first, *second}


async def test_a_gathered_message_counts_its_alerts_and_says_nothing_about_latency(rig: Rig) -> None:
    rig.scripted(sent)
    await rig.queue(4, severity="normal", held=digest(1))
    dispatcher = rig.dispatcher()
    rig.clock.advance(90)
    assert await dispatcher.drain() == Counts(sent=4)
    assert sum(dispatcher.latency.from_seen.counts) == 0
    await rig.queue(1, first=10)
    await dispatcher.drain()
    assert sum(dispatcher.latency.from_seen.counts) == 1


async def test_a_gathered_message_tells_the_items_that_are_held_and_is_dead_when_none_is(rig: Rig) -> None:
    class Without:
        """An archive that does not hold the first item any more."""

        def __init__(self, gone: set[str]) -> None:
            self.gone = gone

        async def item(self, item: str) -> Item | None:
            return None if item in self.gone else await rig.store.item(item)

        def __getattr__(self, name: str) -> Any:
            return getattr(rig.store, name)

    channel = rig.scripted(sent)
    keys = await rig.queue(3, severity="normal", held=digest(1))
    items = [key.split("|")[2] for key in keys]
    rig.clock.advance(60)
    assert await rig.dispatcher(archive=Without({items[0]})).drain() == Counts(sent=3)
    assert [telling.item.id for telling in channel.tellings] == items[1:]
    await rig.queue(2, first=10, severity="normal", held=digest(1))
    gone = {key.split("|")[2] for key in await rig.alerts(condition="pending")}
    assert await rig.dispatcher(archive=Without(gone)).drain() == Counts(dead=2)


async def test_a_channel_that_learns_to_name_fewer_gets_a_message_that_was_tried_as_it_is(rig: Rig) -> None:
    async def refuse_once(message: Message) -> Delivery:
        return LATER if message.attempts == 1 else SENT

    channel = rig.scripted(refuse_once, names=10)
    keys = await rig.queue(10, severity="normal", held=digest(1))
    dispatcher = rig.dispatcher()
    rig.clock.advance(60)
    await dispatcher.drain()
    channel.names = 3
    rig.clock.advance(60)
    await rig.queue(4, first=20, severity="normal", held=digest(1))
    await dispatcher.drain()
    rig.clock.advance(60)
    await dispatcher.drain()
    sizes = Counter(len(parcel.message.alerts) for parcel in channel.seen)
    assert sizes == {10: 2, 3: 2, 1: 2}, "each was tried twice"
    assert all(keys_of(parcel.message) == keys for parcel in channel.seen if len(parcel.message.alerts) == 10)


async def test_f123_a_gathered_message_is_given_up_when_its_youngest_alert_is_72_hours_late(rig: Rig) -> None:
    async def fail(message: Message) -> Delivery:
        return LATER

    rig.scripted(fail)
    rig.clock.at = NOW - 71 * HOUR
    old = await rig.queue(1, severity="normal", held=Held(until=rig.clock.at, gather="digest", reason="digest"))
    young = await rig.queue(1, first=10, severity="normal", held=digest(0))
    rig.clock.at = NOW
    dispatcher = rig.dispatcher()
    await rig.through(dispatcher, 2 * 3600, step=60)
    assert await rig.dead() == {}
    rig.clock.advance(70 * 3600)
    assert await dispatcher.drain() == Counts(dead=2)
    assert await rig.dead() == dict.fromkeys([*old, *young], "status 500")


# ------------------------------------------------------------------ on its way


async def test_p2_a_message_that_was_sent_and_not_recorded_before_a_crash_comes_again_with_its_key_and_alerts(
    rig: Rig,
) -> None:
    settle = rig.store.settle

    async def broken(*args: Any, **more: Any) -> bool:
        raise RuntimeError("killed")

    first = rig.scripted(sent)
    keys = await rig.queue(3, severity="normal", held=digest(1))
    rig.clock.advance(60)
    rig.store.settle = broken  # type: ignore[method-assign]
    await rig.dispatcher().drain()
    rig.store.settle = settle  # type: ignore[method-assign]
    await rig.queue(2, first=10, severity="normal", held=digest(1))
    again = rig.scripted(sent)
    rig.clock.advance(LEASE.total_seconds())
    await rig.dispatcher().drain()
    (told,) = first.seen
    following, repeated = sorted(again.seen, key=lambda parcel: len(parcel.message.alerts))
    assert (repeated.message.key, keys_of(repeated.message)) == (told.message.key, keys)
    assert len(following.message.alerts) == 2
    assert await rig.count("delivered") == 5


async def test_p2_a_sent_message_is_recorded_even_when_its_store_is_gone_for_good_once_it_is_back(rig: Rig) -> None:
    settle, tries = rig.store.settle, []

    async def gone(*args: Any, **more: Any) -> bool:
        tries.append(rig.clock.now())
        if len(tries) < 200:
            raise StoreUnusable("the disk is away")
        return await settle(*args, **more)

    channel = rig.scripted(sent)
    await rig.queue(3, severity="normal", held=digest(1))
    rig.clock.advance(60)
    rig.store.settle = gone  # type: ignore[method-assign]
    assert await rig.dispatcher().drain() == Counts(sent=3)
    assert len(channel.seen) == 1
    assert await rig.count("delivered") == 3


@pytest.mark.parametrize(
    ("delivery", "condition"), [(SENT, "delivered"), (LATER, "suppressed"), (REFUSED, "suppressed")]
)
async def test_f137_an_alert_that_is_muted_while_it_is_on_its_way_is_recorded_as_what_became_of_it(
    rig: Rig, delivery: Delivery, condition: str
) -> None:
    async def mute_then(message: Message) -> Delivery:
        await rig.store.mute("w0", NOW + HOUR, rig.clock.now())
        return delivery

    channel = rig.scripted(mute_then)
    await rig.queue(1)
    dispatcher = rig.dispatcher()
    await rig.through(dispatcher, 600, step=30)
    assert len(channel.seen) == 1
    assert await rig.count(condition) == 1
    assert dispatcher.counts == (Counts(sent=1) if delivery is SENT else Counts())


async def test_an_alert_that_is_asked_for_anew_while_it_is_on_its_way_is_sent_once_more_at_most(rig: Rig) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()

    async def hold(message: Message) -> Delivery:
        begun.set()
        await gate.wait()
        return SENT

    channel = rig.scripted(hold)
    (key,) = await rig.queue(1)
    dispatcher = rig.dispatcher()
    draining = asyncio.create_task(dispatcher.drain())
    await begun.wait()
    (alert,) = (await rig.alerts()).values()
    await rig.store.acknowledge([alert.id], rig.clock.now())
    assert await rig.store.resend([alert.id], rig.clock.now()) == (alert.id,)
    gate.set()
    await draining
    await rig.through(dispatcher, 120, step=10)
    assert await rig.count("delivered") == 1
    assert {parcel.message.key for parcel in channel.seen} == {key}
    assert len(channel.seen) <= 2


async def test_two_dispatchers_over_one_store_send_nothing_twice(rig: Rig) -> None:
    channel = rig.scripted(sent)
    keys = await rig.queue(200, watches=20)
    await rig.queue(100, first=1000, severity="normal", held=digest(0))
    counts = await asyncio.gather(*(rig.dispatcher().drain() for _ in range(3)))
    assert sum(each.sent for each in counts) == 300
    told = Counter(key for parcel in channel.seen for key in keys_of(parcel.message))
    assert set(told.values()) == {1}
    assert len(told) == 300
    assert set(told) >= set(keys)
