"""Floods (F136): a watch that fires on everything leaves ten single messages, and then some that name all the rest."""

from __future__ import annotations

from collections import Counter

import pytest

from monitor.model.messages import Delivery, Message
from tests.monitor.alerts.conftest import NOW
from tests.monitor.alerts.dispatching import SENT, Rig

pytestmark = pytest.mark.anyio


class Log:
    """What left, and when."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.left: list[tuple[float, Message]] = []

    async def __call__(self, message: Message) -> Delivery:
        self.left.append((self.rig.clock.ticks, message))
        return SENT

    @property
    def told(self) -> Counter[str]:
        return Counter(alert.key for _, message in self.left for alert in message.alerts)


async def test_f136_of_ten_thousand_matches_at_once_ten_leave_alone_and_the_rest_is_named_in_gathered_messages(
    rig: Rig,
) -> None:
    log = Log(rig)
    rig.scripted(log, names=500)
    keys = await rig.queue(10_000, watches=1, severity="high")
    others = await rig.queue(5, first=20_000, severity="low")
    await rig.through(rig.dispatcher(), 60, step=5)

    assert log.told == Counter([*keys, *others])
    assert await rig.count("delivered") == 10_005
    flooded = Counter(message.kind for _, message in log.left if message.alerts[0].watch == "w0")
    assert flooded == {"alert": 10, "flood": 20}
    assert {at for at, message in log.left if message.kind == "alert"} == {0}, "no other watch waits for it"
    assert {at for at, message in log.left if message.kind == "flood"} == {30}


async def test_f136_a_watch_that_goes_on_firing_leaves_ten_single_messages_in_any_five_minutes(rig: Rig) -> None:
    log, keys = Log(rig), []
    rig.scripted(log)
    dispatcher = rig.dispatcher()
    for number in range(180):  # one in ten seconds, for half an hour
        keys += await rig.queue(1, severity="high", title=f"More {number}")
        await rig.through(dispatcher, 10, step=5)
    await rig.through(dispatcher, 30, step=5)
    assert log.told == Counter(keys)
    alone = [at for at, message in log.left if message.kind == "alert"]
    assert max(sum(start <= at < start + 300 for at in alone) for start in alone) == 10
    assert len(alone) == 60
    assert max(at - (alert.created - NOW).total_seconds() for at, message in log.left for alert in message.alerts) <= 35
