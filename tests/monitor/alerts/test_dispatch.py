"""The dispatcher with real receivers on loopback: nothing lost, no channel in another's way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.dispatch import Counts, Dispatcher
from monitor.alerts.lane import FIRST_WAIT, LONGEST_WAIT, backoff
from monitor.alerts.webhook import WebhookChannel
from monitor.alerts.wording import Wording
from monitor.clock import SystemClock
from monitor.errors import StoreBusy
from monitor.model import Alert, Delivery, Item, Revision
from tests.fakestore import FakeStore
from tests.hook import NEVER, Hook, Say
from tests.monitor.alerts.conftest import NOW, SetClock

SENT, LATER = Delivery(verdict="sent"), Delivery(verdict="later", detail="status 500")


class Scripted:
    """A channel that does what a function says."""

    def __init__(self, name: str, act: Callable[[Alert], Awaitable[Delivery]], at_once: int = 8) -> None:
        self.id, self.at_once, self._act = name, at_once, act
        self.seen: list[tuple[str, Item, str]] = []

    async def send(self, alert: Alert, item: Item, *, copies: Sequence[Item] = (), was: str = "") -> Delivery:
        self.seen.append((alert.key, item, was))
        return await self._act(alert)

    async def close(self) -> None:
        return None


@pytest.fixture
def rig(item: Item, make_alert: Callable[..., Alert], wording: Wording, clock: SetClock) -> Rig:
    return Rig(item, make_alert, wording, clock)


class Rig:
    """A store, channels and a dispatcher, with a clock that the test sets."""

    def __init__(self, item: Item, make_alert: Callable[..., Alert], wording: Wording, clock: SetClock) -> None:
        self.store, self.clock, self.wording, self._item, self._make = FakeStore(), clock, wording, item, make_alert
        self.channels: dict[str, Any] = {}

    @property
    def dead(self) -> list[tuple[str, str]]:
        """Id and reason of each dead letter."""
        return [(row.id, row.reason) for row in self.store.rows.values() if row.condition == "dead"]

    def dispatcher(self, clock: Any = None) -> Dispatcher:
        store: Any = self.store
        return Dispatcher(store, store, lambda: self.channels, clock or self.clock, Random(1))

    def hook(self, hook: Hook, name: str = "hook", deadline: float = 20.0) -> None:
        self.channels[name] = WebhookChannel(
            name, hook.url, secret=None, wording=self.wording, clock=self.clock, deadline=deadline
        )

    def queue(self, count: int, *, channel: str = "hook", first: int = 0, **more: Any) -> list[Alert]:
        made = []
        for number in range(first, first + count):
            item = replace(self._item, id=f"{number:016x}")
            alert = self._make(item, channel=channel, **more)
            self.store.add(alert, item)
            made.append(alert)
        return made

    async def claimed_again(self, dispatcher: Dispatcher) -> asyncio.Task[Counts]:
        """The clock is set an hour forward: every lease has ended, and the dispatcher claims all rows again."""
        fences = {row.id: row.fence for row in self.store.rows.values()}
        self.clock.at += timedelta(hours=1)
        draining = asyncio.create_task(dispatcher.drain())
        async with asyncio.timeout(10):
            while any(row.fence == fences[row.id] for row in self.store.rows.values()):
                await asyncio.sleep(0)
        return draining

    async def close(self) -> None:
        for channel in self.channels.values():
            await channel.close()

    async def through(self, dispatcher: Dispatcher, seconds: float, step: float = 1.0) -> None:
        """That much time passes, and all that falls due in it is sent."""
        end = self.clock.ticks + seconds
        while self.clock.ticks < end:
            await dispatcher.drain()
            self.clock.advance(step)
        await dispatcher.drain()


def test_what_is_due_is_sent_once_and_settled(rig: Rig) -> None:
    async def scenario() -> tuple[Counts, Hook]:
        async with Hook() as hook:
            rig.hook(hook)
            rig.queue(100)
            counts = await rig.dispatcher().drain()
            await rig.close()
            return counts, hook

    counts, hook = asyncio.run(scenario())
    assert counts == Counts(sent=100)
    assert rig.store.count("delivered") == len(hook.keys) == 100
    assert hook.repeats == {}


def test_f122_a_channel_down_for_an_hour_delivers_everything_within_two_minutes_of_its_return(rig: Rig) -> None:
    async def scenario() -> tuple[int, Hook]:
        async with Hook() as hook, Hook() as good:
            rig.hook(hook)
            rig.hook(good, "good")
            hook.then = 503
            rig.queue(1000)
            dispatcher = rig.dispatcher()
            await rig.through(dispatcher, 1800, step=5)
            rig.queue(1, channel="good", first=5000)
            await dispatcher.drain()
            assert len(good.received) == 1
            assert dispatcher.down == ("hook",)
            await rig.through(dispatcher, 1800, step=5)
            asked = len(hook.received)
            hook.received.clear()
            hook.then = 200
            await rig.through(dispatcher, 120)
            assert dispatcher.down == ()
            await rig.close()
            return asked, hook

    asked, hook = asyncio.run(scenario())
    assert asked <= 60 + 4 + 8, "more than one message a minute, the first steps and the first burst aside"
    assert rig.store.count("delivered") == 1001
    assert len(hook.keys) == len(hook.received) == 1000


def test_f122_a_single_alert_for_a_channel_that_is_down_is_tried_each_minute(rig: Rig) -> None:
    async def scenario() -> int:
        async with Hook() as hook:
            rig.hook(hook)
            hook.then = 500
            rig.queue(1)
            dispatcher = rig.dispatcher()
            await rig.through(dispatcher, 3600, step=5)
            asked = len(hook.received)
            hook.then = 200
            await rig.through(dispatcher, 65)
            await rig.close()
            return asked

    assert 50 <= asyncio.run(scenario()) <= 70
    assert rig.store.count("delivered") == 1


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_f123_back_off_grows_from_five_seconds_to_ten_minutes(attempts: int, draw: float) -> None:
    wait = backoff(attempts, draw)
    assert FIRST_WAIT <= wait <= LONGEST_WAIT
    assert backoff(attempts + 1, draw) >= wait
    assert backoff(12, draw) >= LONGEST_WAIT * 0.75


def test_f123_after_72_hours_an_alert_is_a_dead_letter(rig: Rig) -> None:
    async def scenario() -> None:
        async with Hook() as hook:
            rig.hook(hook)
            hook.then = 500
            (alert,) = rig.queue(1, created=NOW - timedelta(hours=71, minutes=59))
            dispatcher = rig.dispatcher()
            await rig.through(dispatcher, 50, step=5)
            assert rig.store.count("pending") == 1
            await rig.through(dispatcher, 120, step=5)
            assert rig.dead == [(alert.id, "status 500")]
            await rig.close()

    asyncio.run(scenario())
    assert rig.store.count("dead") == 1


def test_f124_a_wish_to_wait_holds_the_whole_channel_and_the_most_severe_goes_first(rig: Rig) -> None:
    async def scenario() -> list[str]:
        async with Hook() as hook:
            rig.hook(hook)
            hook.answers = [Say(429, {"Retry-After": "90"})]
            rig.queue(1)
            dispatcher = rig.dispatcher()
            await dispatcher.drain()
            rig.queue(3, first=10, severity="low")
            rig.queue(1, first=20, severity="critical")
            rig.channels["hook"].at_once = 1
            await rig.through(dispatcher, 89)
            assert len(hook.received) == 1
            await rig.through(dispatcher, 3)
            await rig.close()
            return [got.json["severity"] for got in hook.received[1:]]

    assert asyncio.run(scenario()) == ["critical", "critical", "low", "low", "low"]


def test_f125_one_alert_that_is_refused_dies_alone_at_once(rig: Rig) -> None:
    async def scenario() -> None:
        async with Hook() as hook:
            rig.hook(hook)
            bad = rig.queue(1)[0]
            rig.queue(5, first=1)
            hook.judge = lambda got: 404 if got.key == bad.key else None
            counts = await rig.dispatcher().drain()
            assert counts == Counts(sent=5, dead=1)
            assert rig.dead == [(bad.id, "status 404")]
            await rig.close()

    asyncio.run(scenario())


def test_f125_one_alert_that_always_fails_holds_up_nobody_and_backs_off(rig: Rig) -> None:
    async def scenario() -> None:
        async with Hook() as hook:
            rig.hook(hook)
            bad = rig.queue(1)[0]
            hook.judge = lambda got: 500 if got.key == bad.key else None
            dispatcher = rig.dispatcher()
            for number in range(120):
                rig.queue(1, first=1 + number)
                await dispatcher.drain()
                assert rig.store.count("delivered") == number + 1
                rig.clock.advance(60)
            assert hook.keys[bad.key] < 30
            await rig.close()

    asyncio.run(scenario())


def test_f126_a_message_that_was_taken_without_an_answer_comes_again_with_its_key(rig: Rig) -> None:
    async def scenario() -> Hook:
        async with Hook() as hook:
            rig.hook(hook, deadline=0.3)
            hook.answers = [NEVER]
            rig.queue(1)
            dispatcher = rig.dispatcher()
            await dispatcher.drain()
            await rig.through(dispatcher, 10)
            await rig.close()
            return hook

    hook = asyncio.run(scenario())
    assert list(hook.repeats.values()) == [1]
    assert rig.store.count("delivered") == 1


def test_f128_a_failing_channel_repeats_nothing_on_the_good_one(rig: Rig) -> None:
    async def scenario() -> Hook:
        async with Hook() as bad, Hook() as good:
            rig.hook(bad, "bad")
            rig.hook(good, "good")
            bad.then = 500
            rig.queue(5, channel="bad")
            rig.queue(5, channel="good")
            await rig.through(rig.dispatcher(), 120, step=5)
            await rig.close()
            return good

    assert asyncio.run(scenario()).repeats == {}
    assert (rig.store.count("delivered"), rig.store.count("pending")) == (5, 5)


def test_p6_a_channel_that_hangs_with_a_thousand_alerts_leaves_the_others_free(rig: Rig) -> None:
    async def scenario() -> None:
        hung = asyncio.Event()

        async def hang(alert: Alert) -> Delivery:
            await hung.wait()
            return SENT

        async def sent(alert: Alert) -> Delivery:
            if len(free.seen) == 20:
                done.set()
            return SENT

        done, stop = asyncio.Event(), asyncio.Event()
        free = Scripted("free", sent)
        rig.channels |= {"hung": Scripted("hung", hang), "free": free}
        rig.queue(1000, channel="hung")
        rig.queue(20, channel="free", first=2000, severity="low")
        task = asyncio.create_task(rig.dispatcher().run(stop))
        async with asyncio.timeout(20):
            await done.wait()
        assert len(rig.channels["hung"].seen) == 8
        hung.set()
        stop.set()
        await task

    asyncio.run(scenario())


def test_f133_alerts_of_a_removed_channel_become_dead_letters(rig: Rig) -> None:
    async def scenario() -> None:
        rig.queue(2, channel="gone")
        counts = await rig.dispatcher().drain()
        assert counts == Counts(dead=2)

    asyncio.run(scenario())
    assert {detail for _, detail in rig.dead} == {"channel removed"}


def test_f115_a_settlement_after_the_lease_was_lost_changes_nothing(rig: Rig) -> None:
    async def slow(alert: Alert) -> Delivery:
        rig.clock.advance(120)
        await rig.store.claim_alerts(rig.clock.now(), limit=1, lease=timedelta(seconds=60))
        return Delivery(verdict="refused", detail="late")

    async def scenario() -> Counts:
        rig.channels["hook"] = Scripted("hook", slow)
        rig.queue(1)
        return await rig.dispatcher().drain()

    assert asyncio.run(scenario()) == Counts()
    assert rig.dead == []
    assert rig.store.count("pending") == 1


def test_p2_f116_a_clock_set_forward_during_a_slow_send_repeats_nothing(rig: Rig) -> None:
    async def scenario() -> tuple[Counts, Hook]:
        async with Hook() as hook:
            rig.hook(hook)
            gate = asyncio.Event()
            hook.then = Say(gate=gate)
            rig.queue(10)  # more than leave at once: some wait in their lane
            dispatcher = rig.dispatcher()
            draining = asyncio.create_task(dispatcher.drain())
            await hook.wait_for(8)
            others = [await rig.claimed_again(dispatcher) for _ in range(3)]
            gate.set()
            counts = await draining
            await asyncio.gather(*others)
            await rig.close()
            return counts, hook

    counts, hook = asyncio.run(scenario())
    assert (len(hook.received), hook.repeats) == (10, {})
    assert counts == Counts(sent=10)
    assert rig.store.count("delivered") == 10


def test_p2_f116_a_clock_set_forward_puts_off_a_row_that_failed_meanwhile(rig: Rig) -> None:
    async def fails(alert: Alert) -> Delivery:
        others.append(await rig.claimed_again(dispatcher))
        return LATER

    async def scenario() -> Counts:
        rig.channels["hook"] = Scripted("hook", fails)
        rig.queue(1)
        counts = await dispatcher.drain()
        await asyncio.gather(*others)
        return counts

    others: list[asyncio.Task[Counts]] = []
    dispatcher = rig.dispatcher()
    assert asyncio.run(scenario()) == Counts(later=1)
    (row,) = rig.store.rows.values()
    assert row.due > rig.clock.now()
    assert rig.store.leased == {}
    assert len(rig.channels["hook"].seen) == 1


def test_p2_a_row_that_is_sent_while_the_store_is_busy_for_minutes_is_sent_once(rig: Rig) -> None:
    settle, refused = rig.store.settle, []

    async def busy(*args: Any, **more: Any) -> bool:
        refused.append(rig.clock.now())
        raise StoreBusy("locked")

    async def scenario() -> tuple[Counts, Hook]:
        async with Hook() as hook:
            rig.hook(hook)
            rig.store.settle = busy  # type: ignore[method-assign]
            rig.queue(3)
            dispatcher = rig.dispatcher()
            draining = asyncio.create_task(dispatcher.drain())
            await hook.wait_for(3)
            while not refused or rig.clock.now() - refused[0] < timedelta(minutes=5):
                await asyncio.sleep(0)
            other = await rig.claimed_again(dispatcher)
            rig.store.settle = settle  # type: ignore[method-assign]
            counts = await draining
            await other
            await rig.close()
            return counts, hook

    counts, hook = asyncio.run(scenario())
    assert (len(hook.received), hook.repeats, counts) == (3, {}, Counts(sent=3))
    assert rig.store.count("delivered") == 3


@pytest.mark.parametrize("fault", ["the archive", "recording a failure"])
def test_a_row_that_the_store_failed_is_claimed_again_and_sent(rig: Rig, fault: str) -> None:
    item, settle, failures = rig.store.item, rig.store.settle, [StoreBusy("locked")] * 3

    async def unreadable(name: str) -> Item | None:
        if failures:
            raise failures.pop()
        return await item(name)

    async def unwritable(*args: Any, **more: Any) -> bool:
        if failures:
            raise failures.pop()
        return await settle(*args, **more)

    async def answer(alert: Alert) -> Delivery:
        return LATER if failures else SENT

    async def scenario() -> None:
        rig.channels["hook"] = Scripted("hook", answer)
        if fault == "the archive":
            rig.store.item = unreadable  # type: ignore[method-assign]
        else:
            rig.store.settle = unwritable  # type: ignore[method-assign]
        rig.queue(1)
        await rig.through(rig.dispatcher(), 300, step=10)

    asyncio.run(scenario())
    assert failures == []
    assert rig.store.count("delivered") == 1


def test_f141_stop_gives_back_what_was_not_sent_and_records_what_was(rig: Rig) -> None:
    async def scenario() -> None:
        stop, begun = asyncio.Event(), asyncio.Event()

        async def short(alert: Alert) -> Delivery:
            begun.set()
            await stop.wait()
            return SENT

        rig.channels["hook"] = Scripted("hook", short, at_once=2)
        rig.queue(10)
        task = asyncio.create_task(rig.dispatcher(SystemClock()).run(stop))
        await begun.wait()
        stop.set()
        async with asyncio.timeout(10):
            await task

    # The machine's clock is ahead of or behind the rows' dates; what matters is that all of them are due.
    asyncio.run(scenario())
    assert (rig.store.count("delivered"), rig.store.count("pending")) == (2, 8)
    assert rig.store.leased == {}


def test_an_alert_leaves_at_once_when_the_dispatcher_is_woken(rig: Rig) -> None:
    async def scenario() -> None:
        async with Hook() as hook:
            rig.hook(hook)
            stop, idle = asyncio.Event(), asyncio.Event()

            class Waiting(SetClock):
                async def sleep(self, seconds: float) -> None:
                    idle.set()
                    await asyncio.Event().wait()

            dispatcher = rig.dispatcher(Waiting())
            task = asyncio.create_task(dispatcher.run(stop))
            await idle.wait()
            rig.queue(1)
            dispatcher.wake()
            await hook.wait_for(1)
            stop.set()
            await task
            await rig.close()

    asyncio.run(scenario())
    assert rig.store.count("delivered") == 1


def test_a_bug_in_a_channel_is_logged_without_its_words_and_the_row_waits(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "https://hooks.example/" + "canary"

    async def broken(alert: Alert) -> Delivery:
        raise RuntimeError(secret)

    async def scenario() -> Counts:
        rig.channels["hook"] = Scripted("hook", broken)
        rig.queue(1)
        return await rig.dispatcher().drain()

    assert asyncio.run(scenario()) == Counts(later=1)
    record = next(record for record in caplog.records if record.message == "channel failed")
    assert record.error == "RuntimeError"
    assert "canary" not in repr(record.__dict__)


def test_a_busy_store_is_asked_again_before_a_sent_row_is_given_up(rig: Rig) -> None:
    settle, refusals = rig.store.settle, [StoreBusy("locked"), StoreBusy("locked")]

    async def busy(*args: Any, **more: Any) -> bool:
        if refusals:
            raise refusals.pop()
        return await settle(*args, **more)

    async def sent(alert: Alert) -> Delivery:
        return SENT

    async def scenario() -> Counts:
        rig.store.settle = busy  # type: ignore[method-assign]
        rig.channels["hook"] = Scripted("hook", sent)
        rig.queue(1)
        return await rig.dispatcher().drain()

    assert asyncio.run(scenario()) == Counts(sent=1)


def test_an_edit_is_told_in_its_own_text_with_the_headline_before_it(rig: Rig) -> None:
    async def sent(alert: Alert) -> Delivery:
        return SENT

    async def scenario() -> None:
        rig.channels["hook"] = Scripted("hook", sent)
        (alert,) = rig.queue(1, state="edited:r2", revision="r2")
        texts = [
            Revision(id=f"r{n}", item=alert.item, seen=NOW, title=title, lead="", body="", text_hash=title)
            for n, title in ((1, "Talks go on"), (2, "Deal reached"), (3, "Deal denied"))
        ]
        rig.store.texts[alert.item] = tuple(texts)
        rig.store.held[alert.item] = replace(rig.store.held[alert.item], title="Deal denied", revision="r3")
        await rig.dispatcher().drain()

    asyncio.run(scenario())
    ((_, item, was),) = rig.channels["hook"].seen
    assert (item.title, item.revision, was) == ("Deal reached", "r2", "Talks go on")


def test_an_alert_whose_item_is_gone_is_a_dead_letter(rig: Rig) -> None:
    async def sent(alert: Alert) -> Delivery:
        return SENT

    async def scenario() -> Counts:
        rig.channels["hook"] = Scripted("hook", sent)
        rig.queue(1)
        rig.store.held.clear()
        return await rig.dispatcher().drain()

    assert asyncio.run(scenario()) == Counts(dead=1)


@pytest.mark.parametrize("seed", range(5))
def test_p1_whatever_the_answers_every_row_ends_in_one_condition_and_none_is_sent_after_delivered(
    rig: Rig, seed: int
) -> None:
    draw = Random(seed)
    delivered: set[str] = set()

    async def any_answer(alert: Alert) -> Delivery:
        assert alert.key not in delivered
        await asyncio.sleep(0)
        answer = draw.choice(
            [SENT, SENT, LATER, Delivery(verdict="refused"), replace(LATER, retry_after=timedelta(seconds=30))]
        )
        if answer.verdict == "sent":
            delivered.add(alert.key)
        return answer

    async def scenario() -> None:
        rig.channels |= {name: Scripted(name, any_answer) for name in ("a", "b", "c")}
        for name in ("a", "b", "c"):
            rig.queue(100, channel=name)
        dispatcher = rig.dispatcher()
        for _ in range(400):
            await rig.through(dispatcher, 60, step=10)
            if not rig.store.count("pending"):
                break

    asyncio.run(scenario())
    assert rig.store.count("delivered") + rig.store.count("dead") == 300
    assert rig.store.count("delivered") == len(delivered)
    assert rig.store.leased == {}
