"""Rows that leave together, in every store: digests, the flood form, and messages whose alerts never change."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.model.messages import Message
from monitor.ports import Store
from tests.storage.desk import LATER, LEASE, NOW, REFUSED, SENT, claimed, queued, until

pytestmark = pytest.mark.anyio

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TURN = NOW + HOUR


def ids(message: Message) -> list[str]:
    return [alert.id for alert in message.alerts]


async def sent(store: Store, at: datetime, **rooms: Any) -> list[Message]:
    """All that is due, claimed portion by portion and sent."""
    found: list[Message] = []
    while more := await claimed(store, at, **rooms):
        for message in more:
            assert await store.settle(message, SENT, now=at, due=None)
        found += more
    return found


# ------------------------------------------------------------------ digests


async def test_rows_held_for_one_time_leave_in_one_message_the_most_severe_first_then_the_oldest(store: Store) -> None:
    late = await queued(store, "Doha late", at=NOW + MINUTE, watch="other", held=until(TURN))
    mild = await queued(store, "Doha one", "Doha two", held=until(TURN))
    high = await queued(store, "Doha high", at=NOW + 2 * MINUTE, severity="high", held=until(TURN))
    await queued(store, "Doha elsewhere", channels=("duty",), held=until(TURN))
    await queued(store, "Doha tomorrow", held=until(TURN + SECOND))
    assert await claimed(store, TURN - SECOND) == ()
    desk, duty = sorted(await claimed(store, TURN), key=lambda message: message.channel)
    assert (desk.kind, desk.severity, ids(desk)) == ("digest", "high", [*high, *mild, *late])
    assert (duty.kind, duty.severity, len(duty.alerts)) == ("digest", "normal", 1)
    assert {alert.message for alert in desk.alerts} == {desk.id}
    assert desk.key.startswith("gathered|desk|")
    assert desk.key != duty.key


@pytest.mark.parametrize("gather", ["digest", "quiet hours", "cooldown:doha:i1"])
async def test_a_gathered_message_of_one_says_why_it_waited_and_has_its_alerts_own_key(
    store: Store, gather: str
) -> None:
    await queued(store, "Doha", held=until(TURN, gather))
    (message,) = await claimed(store, TURN)
    assert (message.kind, message.key) == (gather.partition(":")[0], message.alerts[0].key)


async def test_rows_with_another_word_leave_apart(store: Store) -> None:
    for number, gather in enumerate(("digest", "quiet hours", "cooldown:doha:i1", "cooldown:doha:i2")):
        await queued(store, f"Doha {number}a", f"Doha {number}b", held=until(TURN, gather))
    found = await claimed(store, TURN)
    assert Counter(message.kind for message in found) == {"digest": 1, "quiet hours": 1, "cooldown": 2}
    assert {len(message.alerts) for message in found} == {2}


async def test_a_message_names_no_more_alerts_than_the_channel_can_and_the_rest_follow(store: Store) -> None:
    made = await queued(store, *(f"Doha {n}" for n in range(23)), held=until(TURN))
    found = await claimed(store, TURN, messages=2, alerts=7)
    assert [len(message.alerts) for message in found] == [7, 7]
    found += await claimed(store, TURN, alerts=7)
    assert [len(message.alerts) for message in found] == [7, 7, 7, 2]
    assert [each for message in found for each in ids(message)] == list(made)
    assert len({message.key for message in found}) == 4


async def test_a_message_is_tried_again_unchanged_and_rows_that_came_later_go_with_the_next(store: Store) -> None:
    first = await queued(store, "Doha one", "Doha two", held=until(TURN))
    (message,) = await claimed(store, TURN)
    later = await queued(store, "Doha three", at=TURN, held=until(TURN + MINUTE), severity="low")
    await store.settle(message, LATER, now=TURN, due=TURN + MINUTE)
    again, following = await claimed(store, TURN + MINUTE)
    assert (again.id, again.key, ids(again)) == (message.id, message.key, list(first))
    assert (again.attempts, again.fence, [alert.last_error for alert in again.alerts]) == (2, 2, ["why", "why"])
    assert ids(following) == list(later)
    lost, _ = await claimed(store, TURN + MINUTE + LEASE)
    assert (lost.key, ids(lost)) == (message.key, list(first))
    assert await store.settle(lost, SENT, now=TURN + DAY, due=None)
    assert [alert.id for alert in await store.alerts(condition="delivered")] == list(reversed(first))


async def test_all_alerts_of_a_message_are_settled_together(store: Store) -> None:
    made = await queued(store, "Doha one", "Doha two", "Doha three", held=until(TURN))
    (message,) = await claimed(store, TURN)
    assert await store.settle(message, REFUSED, now=TURN, due=None)
    dead = await store.alerts(condition="dead")
    assert {alert.id for alert in dead} == set(made)
    assert {alert.reason for alert in dead} == {"why"}
    assert {alert.message for alert in await store.untold_dead()} == {message.id}


async def test_one_alert_of_a_dead_message_can_be_sent_again_alone_and_the_others_stay_dead(store: Store) -> None:
    one, two = await queued(store, "Doha one", "Doha two", held=until(TURN))
    (message,) = await claimed(store, TURN)
    await store.settle(message, REFUSED, now=TURN, due=None)
    assert await store.resend([one], TURN) == (one,)
    (again,) = await claimed(store, TURN)
    assert (again.kind, ids(again), again.key) == ("alert", [one], again.alerts[0].key)
    assert await store.settle(again, SENT, now=TURN, due=None)
    conditions = {alert.id: alert.condition for alert in await store.alerts()}
    assert conditions == {one: "delivered", two: "dead"}


async def test_a_whole_dead_message_can_be_sent_again_and_what_comes_of_the_old_one_counts_no_more(
    store: Store,
) -> None:
    made = await queued(store, "Doha one", "Doha two", held=until(TURN))
    (old,) = await claimed(store, TURN)
    await store.tend(TURN, channels=["duty"], watches=["doha"], escalations=(), give_up=DAY)
    assert set(await store.resend(made, TURN)) == set(made)
    await store.settle(old, REFUSED, now=TURN, due=None)
    assert {alert.condition for alert in await store.alerts()} == {"pending"}
    assert [ids(message) for message in await claimed(store, TURN)] == [[each] for each in made]


# ------------------------------------------------------------------ floods


async def test_more_than_ten_single_messages_of_a_watch_in_five_minutes_are_a_flood(store: Store) -> None:
    made = await queued(store, *(f"Doha {n:02}" for n in range(25)))
    found = await claimed(store, NOW)
    assert [(message.kind, ids(message)) for message in found] == [("alert", [each]) for each in made[:10]]
    waiting = [alert for alert in await store.alerts(condition="pending") if not alert.message]
    assert {alert.id for alert in waiting} == set(made[10:])
    assert {(alert.gather, alert.due) for alert in waiting} == {("flood:doha", NOW + 30 * SECOND)}
    assert {alert.reason for alert in waiting} == {"more than 10 alerts of this watch in 5 minutes: gathered"}
    assert await claimed(store, NOW + 29 * SECOND) == ()
    (flood,) = await claimed(store, NOW + 30 * SECOND)
    assert (flood.kind, ids(flood)) == ("flood", list(made[10:]))


async def test_rows_that_come_while_a_flood_waits_join_it_and_those_after_wait_for_the_next(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(11)))
    await sent(store, NOW)
    await queued(store, "Doha join", at=NOW + 20 * SECOND)
    assert await sent(store, NOW + 20 * SECOND) == []
    (flood,) = await sent(store, NOW + 30 * SECOND)
    assert len(flood.alerts) == 2
    await queued(store, "Doha next", at=NOW + 31 * SECOND)
    assert await sent(store, NOW + 60 * SECOND) == [], "gathered when it was looked at, half a minute from then"
    (flood,) = await sent(store, NOW + 90 * SECOND)
    assert (flood.kind, len(flood.alerts), flood.key) == ("flood", 1, flood.alerts[0].key)


async def test_a_flood_ends_when_five_minutes_have_passed(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(11)))
    await sent(store, NOW)
    await sent(store, NOW + MINUTE)
    for minutes, kind in ((4, "flood"), (5, "alert")):
        await queued(store, f"Doha at {minutes}", at=NOW + minutes * MINUTE)
        found = [*await sent(store, NOW + minutes * MINUTE), *await sent(store, NOW + minutes * MINUTE + 30 * SECOND)]
        assert [message.kind for message in found] == [kind]


async def test_f116_a_clock_that_is_set_back_makes_no_flood_of_the_messages_before(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(10)))
    assert len(await sent(store, NOW)) == 10
    await store.set_back(NOW - HOUR, HOUR)
    await queued(store, "Doha after", at=NOW - HOUR)
    assert [message.kind for message in await sent(store, NOW - HOUR)] == ["alert"]


async def test_every_watch_and_channel_has_ten_of_its_own(store: Store) -> None:
    both = ("desk", "duty")
    for watch in ("doha", "cairo"):
        await queued(store, *(f"Doha {watch} {n:02}" for n in range(12)), watch=watch, channels=both)
    found = await sent(store, NOW)
    told = Counter((message.alerts[0].watch, message.channel) for message in found)
    assert told == {(watch, channel): 10 for watch in ("doha", "cairo") for channel in both}
    floods = await sent(store, NOW + 30 * SECOND)
    assert sorted((message.channel, message.kind, len(message.alerts)) for message in floods) == [
        ("desk", "flood", 2), ("desk", "flood", 2), ("duty", "flood", 2), ("duty", "flood", 2),
    ]  # fmt: skip
    assert {len({alert.watch for alert in message.alerts}) for message in floods} == {1}


async def test_a_flood_of_critical_alerts_waits_five_seconds(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(12)), severity="critical")
    assert len(await sent(store, NOW)) == 10
    assert await sent(store, NOW + 4 * SECOND) == []
    (flood,) = await sent(store, NOW + 5 * SECOND)
    assert (flood.severity, len(flood.alerts)) == ("critical", 2)


async def test_a_critical_alert_waits_for_no_slower_flood_of_its_watch(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(11)))
    await sent(store, NOW)
    (urgent,) = await queued(store, "Doha urgent", at=NOW + SECOND, severity="critical")
    assert await sent(store, NOW + SECOND) == []
    (flood,) = await sent(store, NOW + 6 * SECOND)
    assert ids(flood) == [urgent]


async def test_an_ordinary_alert_joins_a_critical_flood_that_leaves_sooner(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(11)), severity="critical")
    await sent(store, NOW)
    await queued(store, "Doha mild", at=NOW + SECOND)
    assert await sent(store, NOW + SECOND) == []
    (flood,) = await sent(store, NOW + 5 * SECOND)
    assert [alert.severity for alert in flood.alerts] == ["critical", "normal"]


async def test_a_watch_in_flood_keeps_no_other_watch_waiting(store: Store) -> None:
    await queued(store, *(f"Doha {n:03}" for n in range(200)), severity="critical")
    (other,) = await queued(store, "Cairo", watch="cairo", severity="low")
    found = await claimed(store, NOW)
    assert len(found) == 11
    assert ids(found[-1]) == [other]


async def test_what_was_gathered_on_purpose_counts_for_no_flood(store: Store) -> None:
    for number in range(12):
        await queued(store, f"Doha {number}", held=until(TURN, f"digest {number}"))
    await sent(store, TURN)
    await queued(store, *(f"Doha now {n}" for n in range(10)), at=TURN)
    assert {message.kind for message in await sent(store, TURN)} == {"alert"}


async def test_follow_ups_of_many_stories_of_a_watch_are_a_flood_too(store: Store) -> None:
    made: list[str] = []
    for story in range(14):
        held = until(TURN, f"cooldown:doha:i{story}")
        made += await queued(store, f"Doha {story}", f"Doha {story} again", held=held)
    other = await queued(store, "Cairo", watch="cairo", held=until(TURN, "cooldown:cairo:i1"))
    found = await sent(store, TURN)
    assert Counter((message.kind, message.alerts[0].watch) for message in found) == {
        ("cooldown", "doha"): 10, ("cooldown", "cairo"): 1,
    }  # fmt: skip
    single = await queued(store, "Doha now", at=TURN)
    assert await sent(store, TURN) == [], "these are single messages, too"
    (flood,) = await sent(store, TURN + 30 * SECOND)
    assert (flood.kind, len(flood.alerts)) == ("flood", 9)
    told = Counter(each for message in (*found, flood) for each in ids(message))
    assert told == Counter([*made, *other, *single])


@pytest.mark.parametrize("count", [9, 10, 11, 60])
async def test_p1_the_rows_of_a_flood_are_all_told_once(store: Store, count: int) -> None:
    made = await queued(store, *(f"Doha {n:02}" for n in range(count)))
    found, at = [], NOW
    while (await store.count())["pending"]:
        found += await sent(store, at, messages=3, alerts=20)
        at += 5 * SECOND
    told = Counter(each for message in found for each in ids(message))
    assert told == Counter(made)
    assert sum(message.kind == "alert" for message in found) == min(count, 10)
    assert at <= NOW + MINUTE
