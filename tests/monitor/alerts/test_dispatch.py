"""The dispatcher over a real store with real receivers on loopback: nothing lost, no channel in another's way."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.dispatch import Counts
from monitor.alerts.lane import FIRST_WAIT, LONGEST_WAIT, backoff
from monitor.clock import SystemClock
from monitor.errors import StoreBusy
from monitor.model.alerts import Tended
from monitor.model.items import Item
from monitor.model.messages import Delivery, Message
from tests.hook import NEVER, Hook, Say
from tests.monitor.alerts.conftest import NOW, SetClock
from tests.monitor.alerts.dispatching import LATER, SENT, Rig, Scripted, sent
from tests.storage.desk import candidate, claimed, filing, quiet, telling

pytestmark = pytest.mark.anyio


async def test_what_is_due_is_sent_once_and_settled(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        keys = await rig.queue(100)
        assert await rig.dispatcher().drain() == Counts(sent=100)
    assert hook.keys == Counter(keys)
    assert await rig.count("delivered") == 100


# ------------------------------------------------------------------ channels that are down


async def test_f122_a_channel_down_for_an_hour_delivers_everything_within_two_minutes_of_its_return(rig: Rig) -> None:
    async def answer(message: Message) -> Delivery:
        return LATER if rig.clock.ticks < 3600 else SENT

    hook, good = rig.scripted(answer), rig.scripted(sent, "good")
    keys = await rig.queue(1000, watches=100)
    dispatcher = rig.dispatcher()
    for minute in range(60):
        (other,) = await rig.queue(1, channel="good", first=minute)
        await dispatcher.drain()
        assert good.seen[-1].message.key == other, "the good channel's are sent at once"
        await rig.through(dispatcher, 55, step=5)
        assert dispatcher.down == ("hook",)
        rig.clock.advance(5)
    asked = len(hook.seen)
    hook.seen.clear()
    await rig.through(dispatcher, 120)
    assert dispatcher.down == ()
    assert asked <= 60 + 4 + 8, "more than one message a minute, the first steps and the first burst aside"
    assert await rig.count("delivered") == 1060
    assert Counter(parcel.message.key for parcel in hook.seen) == Counter(keys)
    assert len(good.seen) == 60


async def test_f122_a_single_alert_for_a_channel_that_is_down_is_tried_each_minute(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        hook.then = 500
        await rig.queue(1)
        dispatcher = rig.dispatcher()
        await rig.through(dispatcher, 3600, step=5)
        asked = len(hook.received)
        hook.then = 200
        await rig.through(dispatcher, 65)
    assert 50 <= asked <= 70
    assert await rig.count("delivered") == 1


@pytest.mark.parametrize("poisoned", [1, 2])
async def test_f122_messages_that_always_fail_do_not_keep_a_channel_down_for_the_others(
    rig: Rig, poisoned: int
) -> None:
    """The oldest and most severe are what a channel that is down would be asked with for ever."""
    async with Hook() as hook:
        rig.hook(hook)
        bad = await rig.queue(poisoned, severity="critical")
        good = await rig.queue(20, first=10, severity="normal")
        hook.then = 500
        dispatcher = rig.dispatcher()
        await rig.through(dispatcher, 600, step=5)
        hook.then = 200
        hook.judge = lambda got: 500 if got.key in bad else None
        await rig.through(dispatcher, 120)
        delivered = await rig.alerts(condition="delivered")
        assert set(delivered) == set(good)
        for number in range(20):
            (late,) = await rig.queue(1, first=100 + number, severity="low")
            await rig.through(dispatcher, 60, step=5)
            assert (await rig.alerts(condition="delivered")).keys() >= {late}


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_f123_back_off_grows_from_five_seconds_to_ten_minutes(attempts: int, draw: float) -> None:
    wait = backoff(attempts, draw)
    assert FIRST_WAIT <= wait <= LONGEST_WAIT
    assert backoff(attempts + 1, draw) >= wait
    assert backoff(12, draw) >= LONGEST_WAIT * 0.75


async def test_f123_after_72_hours_an_alert_is_a_dead_letter(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        hook.then = 500
        (key,) = await rig.queue(1, at=NOW - timedelta(hours=71, minutes=59))
        dispatcher = rig.dispatcher()
        await rig.through(dispatcher, 50, step=5)
        assert await rig.count("pending") == 1
        await rig.through(dispatcher, 120, step=5)
        assert await rig.dead() == {key: "status 500"}


async def test_f124_a_wish_to_wait_holds_the_whole_channel_and_the_most_severe_goes_first(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        hook.answers = [Say(429, {"Retry-After": "90"})]
        await rig.queue(1)
        dispatcher = rig.dispatcher()
        await dispatcher.drain()
        await rig.queue(3, first=10, severity="low")
        await rig.queue(1, first=20, severity="critical")
        rig.channels["hook"].at_once = 1
        await rig.through(dispatcher, 89)
        assert len(hook.received) == 1
        await rig.through(dispatcher, 3)
    said = [got.json["severity"] for got in hook.received[1:]]
    assert said == ["critical", "critical", "low", "low", "low"]


async def test_f125_one_alert_that_is_refused_dies_alone_at_once(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        (bad,) = await rig.queue(1)
        await rig.queue(5, first=1)
        hook.judge = lambda got: 404 if got.key == bad else None
        assert await rig.dispatcher().drain() == Counts(sent=5, dead=1)
        assert await rig.dead() == {bad: "status 404"}


async def test_f125_one_alert_that_always_fails_holds_up_nobody_and_backs_off(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        (bad,) = await rig.queue(1)
        hook.judge = lambda got: 500 if got.key == bad else None
        dispatcher = rig.dispatcher()
        for number in range(120):
            await rig.queue(1, first=1 + number)
            await dispatcher.drain()
            assert await rig.count("delivered") == number + 1
            rig.clock.advance(60)
        assert hook.keys[bad] < 30


async def test_f126_a_message_that_was_taken_without_an_answer_comes_again_with_its_key(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook, deadline=0.3)
        hook.answers = [NEVER]
        (key,) = await rig.queue(1)
        dispatcher = rig.dispatcher()
        await dispatcher.drain()
        await rig.through(dispatcher, 10)
    assert hook.repeats == {key: 1}
    assert await rig.count("delivered") == 1


async def test_f128_a_failing_channel_repeats_nothing_on_the_good_one(rig: Rig) -> None:
    async with Hook() as bad, Hook() as good:
        rig.hook(bad, "bad")
        rig.hook(good, "good")
        bad.then = 500
        await rig.queue(5, channel="bad")
        await rig.queue(5, channel="good")
        await rig.through(rig.dispatcher(), 120, step=5)
    assert (len(good.received), good.repeats) == (5, {})
    assert (await rig.count("delivered"), await rig.count("pending")) == (5, 5)


async def test_p6_a_channel_that_hangs_with_a_thousand_alerts_leaves_the_others_free(rig: Rig) -> None:
    async def hang(message: Message) -> Delivery:
        await hung.wait()
        return SENT

    async def count(message: Message) -> Delivery:
        if len(free.seen) == 20:
            done.set()
        return SENT

    hung, done, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    hanging, free = rig.scripted(hang, "hung"), rig.scripted(count, "free")
    await rig.queue(1000, channel="hung", watches=100)
    await rig.queue(20, channel="free", first=2000, severity="low")
    task = asyncio.create_task(rig.dispatcher().run(stop))
    async with asyncio.timeout(20):
        await done.wait()
    assert len(hanging.seen) == 8
    hung.set()
    stop.set()
    await task


async def test_f133_alerts_of_a_removed_channel_become_dead_letters(rig: Rig) -> None:
    async def back_off(message: Message) -> Delivery:
        del rig.channels["hook"]
        return LATER

    rig.scripted(back_off, at_once=1)
    await rig.queue(2)
    await rig.queue(1, channel="gone")
    assert await rig.dispatcher().drain() == Counts(later=1), "nobody sends to a channel that is not there"
    names: dict[str, Any] = {"channels": (), "watches": ["w0", "w1"], "give_up": timedelta(hours=72)}
    assert await rig.store.tend(rig.clock.now(), escalations=(), **names) == Tended(buried=3)
    dead = (await rig.dead()).values()
    assert len(dead) == 3
    assert all("is not configured any more" in reason for reason in dead)


# ------------------------------------------------------------------ leases and clocks


async def test_f115_a_settlement_after_the_lease_was_lost_changes_nothing(rig: Rig) -> None:
    async def slow(message: Message) -> Delivery:
        rig.clock.advance(120)
        (taken_over,) = await claimed(rig.store, rig.clock.now(), channels=["hook"])  # another process has it now
        assert taken_over.key == message.key
        return Delivery(verdict="refused", detail="late")

    rig.scripted(slow)
    await rig.queue(1)
    assert await rig.dispatcher().drain() == Counts()
    assert (await rig.dead(), await rig.count("pending")) == ({}, 1)


async def test_p2_f116_a_clock_set_forward_during_a_slow_send_repeats_nothing(rig: Rig) -> None:
    async with Hook() as hook:
        rig.hook(hook)
        gate = asyncio.Event()
        hook.then = Say(gate=gate)
        await rig.queue(5)  # fewer than leave at once: there is room to claim them again
        dispatcher = rig.dispatcher()
        draining = asyncio.create_task(dispatcher.drain())
        await hook.wait_for(5)
        others = [await rig.claimed_again(dispatcher, 3) for _ in range(3)]
        await rig.queue(5, first=10)
        gate.set()
        counts = [await each for each in (draining, *others)]
    assert (len(hook.received), hook.repeats) == (10, {})
    assert counts[0] == Counts(sent=10)
    assert await rig.count("delivered") == 10


async def test_p2_f116_a_clock_set_forward_puts_off_a_row_that_failed_meanwhile(rig: Rig) -> None:
    async def fails(message: Message) -> Delivery:
        others.append(await rig.claimed_again(dispatcher, 1))
        return LATER

    others: list[asyncio.Task[Counts]] = []
    channel = rig.scripted(fails)
    dispatcher = rig.dispatcher()
    (key,) = await rig.queue(1)
    assert await dispatcher.drain() == Counts(later=1)
    await asyncio.gather(*others)
    assert len(channel.seen) == 1
    assert await rig.claimable() == []
    assert await rig.claimable(FIRST_WAIT.total_seconds()) == [key], "it waits, and nobody has it"


async def test_p2_a_row_that_is_sent_while_the_store_is_busy_for_minutes_is_sent_once(rig: Rig) -> None:
    settle, refused = rig.store.settle, []

    async def busy(*args: Any, **more: Any) -> bool:
        refused.append(rig.clock.now())
        raise StoreBusy("locked")

    async with Hook() as hook:
        rig.hook(hook)
        rig.store.settle = busy  # type: ignore[method-assign]
        await rig.queue(3)
        dispatcher = rig.dispatcher()
        draining = asyncio.create_task(dispatcher.drain())
        await hook.wait_for(3)
        while not refused or rig.clock.now() - refused[0] < timedelta(minutes=5):
            await asyncio.sleep(0)
        other = await rig.claimed_again(dispatcher, 3)
        rig.store.settle = settle  # type: ignore[method-assign]
        counts = await draining
        await other
    assert (len(hook.received), hook.repeats, counts) == (3, {}, Counts(sent=3))
    assert await rig.count("delivered") == 3


@pytest.mark.parametrize("fault", ["the archive", "recording a failure"])
async def test_a_row_that_the_store_failed_is_claimed_again_and_sent(rig: Rig, fault: str) -> None:
    read, settle, failures = rig.store.item, rig.store.settle, [StoreBusy("locked")] * 3

    async def unreadable(item: str) -> Item | None:
        if failures:
            raise failures.pop()
        return await read(item)

    async def unwritable(*args: Any, **more: Any) -> bool:
        if failures:
            raise failures.pop()
        return await settle(*args, **more)

    async def answer(message: Message) -> Delivery:
        return LATER if failures else SENT

    rig.scripted(answer)
    if fault == "the archive":
        rig.store.item = unreadable  # type: ignore[method-assign]
    else:
        rig.store.settle = unwritable  # type: ignore[method-assign]
    await rig.queue(1)
    await rig.through(rig.dispatcher(), 300, step=10)
    assert failures == []
    assert await rig.count("delivered") == 1


async def test_a_busy_store_is_asked_again_before_a_sent_row_is_given_up(rig: Rig) -> None:
    settle, refusals = rig.store.settle, [StoreBusy("locked"), StoreBusy("locked")]

    async def busy(*args: Any, **more: Any) -> bool:
        if refusals:
            raise refusals.pop()
        return await settle(*args, **more)

    rig.store.settle = busy  # type: ignore[method-assign]
    rig.scripted(sent)
    await rig.queue(1)
    assert await rig.dispatcher().drain() == Counts(sent=1)


async def test_a_dispatcher_outlives_an_outbox_that_cannot_be_read(rig: Rig) -> None:
    claim, failures = rig.store.claim_messages, [StoreBusy("locked")] * 3

    async def unreadable(*args: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await claim(*args, **more)

    async def stop_then(message: Message) -> Delivery:
        stop.set()
        return SENT

    stop = asyncio.Event()
    rig.scripted(stop_then)
    rig.store.claim_messages = unreadable  # type: ignore[method-assign]
    await rig.queue(1)
    async with asyncio.timeout(10):
        await rig.dispatcher().run(stop)
    assert await rig.count("delivered") == 1


# ------------------------------------------------------------------ waking and ending


async def test_f141_stop_gives_back_what_was_not_sent_and_records_what_was(rig: Rig) -> None:
    stop, begun = asyncio.Event(), asyncio.Event()

    async def short(message: Message) -> Delivery:
        begun.set()
        await stop.wait()
        return SENT

    rig.scripted(short, at_once=2)
    rig.clock.at = datetime.now(UTC)
    await rig.queue(10)
    task = asyncio.create_task(rig.dispatcher(SystemClock()).run(stop))
    await begun.wait()
    stop.set()
    async with asyncio.timeout(10):
        await task
    assert (await rig.count("delivered"), await rig.count("pending")) == (2, 8)
    assert len(await rig.claimable(1)) == 8, "nobody has them"


async def test_f141_what_is_cut_off_at_the_end_keeps_its_lease_and_comes_again_with_its_key(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    async def hang(message: Message) -> Delivery:
        begun.set()
        await asyncio.Event().wait()
        return SENT

    monkeypatch.setattr("monitor.alerts.dispatch.GRACE", 0.05)
    rig.scripted(hang)
    (key,) = await rig.queue(1)
    task = asyncio.create_task(rig.dispatcher().run(stop))
    await begun.wait()
    stop.set()
    async with asyncio.timeout(10):
        await task
    rig.clock.at = NOW
    assert await rig.claimable(30) == [], "whether it was taken is not known"
    rig.clock.advance(600)
    again = rig.scripted(sent)
    assert await rig.dispatcher().drain() == Counts(sent=1)
    assert [parcel.message.key for parcel in again.seen] == [key]


async def test_an_alert_leaves_at_once_when_the_dispatcher_is_woken(rig: Rig) -> None:
    stop, idle = asyncio.Event(), asyncio.Event()

    class Waiting(SetClock):
        async def sleep(self, seconds: float) -> None:
            idle.set()
            await asyncio.Event().wait()

    async with Hook() as hook:
        rig.hook(hook)
        dispatcher = rig.dispatcher(Waiting())
        task = asyncio.create_task(dispatcher.run(stop))
        await idle.wait()
        await rig.queue(1)
        dispatcher.wake()
        await hook.wait_for(1)
        stop.set()
        await task
    assert await rig.count("delivered") == 1


# ------------------------------------------------------------------ what is sent


async def test_a_bug_in_a_channel_is_logged_without_its_words_and_the_row_waits(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "https://hooks.example/" + "canary"

    async def broken(message: Message) -> Delivery:
        raise RuntimeError(secret)

    rig.scripted(broken)
    await rig.queue(1)
    assert await rig.dispatcher().drain() == Counts(later=1)
    record = next(record for record in caplog.records if record.message == "channel failed")
    assert record.__dict__["error"] == "RuntimeError"
    assert "canary" not in repr(record.__dict__)


@pytest.mark.parametrize("state", ["edited:r2", "escalated:edited:r2"])
async def test_an_edit_is_told_in_its_own_text_with_the_headline_before_it(rig: Rig, state: str) -> None:
    judges = {
        "Talks go on": quiet,
        "Deal reached": telling(("hook",), state=state),
        "Deal denied": quiet,
    }
    for minutes, (title, judge) in enumerate(judges.items()):
        await rig.store.file(
            filing([candidate(title, keys=("url:a",))], at=NOW + timedelta(minutes=minutes)), judge
        )  # fmt: skip
    channel = rig.scripted(sent)
    rig.clock.advance(600)
    await rig.dispatcher().drain()
    (told,) = channel.tellings
    assert (told.item.title, told.was) == ("Deal reached", "Talks go on")
    assert told.item.revision == told.alert.revision
    (now_held,) = await rig.store.items()
    assert now_held.title == "Deal denied"


async def test_an_alert_whose_item_is_gone_is_a_dead_letter(rig: Rig) -> None:
    rig.scripted(sent)
    (key,) = await rig.queue(1)
    assert await rig.dispatcher(archive=Without(rig)).drain() == Counts(dead=1)
    assert await rig.dead() == {key: "the item is not held any more"}


class Without:
    """An archive that does not hold some items any more."""

    def __init__(self, rig: Rig, *kept: str) -> None:
        self._store, self._kept = rig.store, kept

    async def item(self, item: str) -> Item | None:
        return await self._store.item(item) if item in self._kept else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.parametrize("seed", range(5))
async def test_p1_whatever_the_answers_every_row_ends_in_one_condition_and_none_is_sent_after_delivered(
    rig: Rig, seed: int
) -> None:
    draw = Random(seed)
    delivered: set[str] = set()

    async def any_answer(message: Message) -> Delivery:
        keys = {alert.key for alert in message.alerts}
        assert not keys & delivered
        await asyncio.sleep(0)
        answer = draw.choice(
            [SENT, SENT, LATER, Delivery(verdict="refused"), replace(LATER, retry_after=timedelta(seconds=30))]
        )
        if answer.verdict == "sent":
            delivered.update(keys)
        return answer

    for name in ("a", "b", "c"):
        rig.channels[name] = Scripted(name, any_answer)
        await rig.queue(40, channel=name)
        await rig.queue(60, channel=name, first=1000, watches=2)  # these two are a flood
    dispatcher = rig.dispatcher()
    for _ in range(100):
        await rig.through(dispatcher, 60, step=10)
        if not await rig.count("pending"):
            break
    assert await rig.count("delivered") + await rig.count("dead") == 300
    assert set(await rig.alerts(condition="delivered")) == delivered
