"""The outbox of every store: rows become messages, messages are claimed, settled, and asked for again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from config.model.fields import SEVERITIES
from monitor.model.alerts import Tended
from monitor.model.filing import Change, Decision
from monitor.model.messages import Message, Room
from monitor.ports import Ledger, Store
from tests.storage.desk import (
    LATER,
    LEASE,
    NOW,
    REFUSED,
    SENT,
    candidate,
    claimed,
    decide,
    filing,
    queued,
    telling,
    until,
)

pytestmark = pytest.mark.anyio

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BOTH = ("desk", "duty")


async def messages_of(store: Store, *titles: str) -> tuple[Message, ...]:
    """The claimed messages of a row for each title on both channels."""
    await queued(store, *titles, channels=BOTH)
    return await claimed(store, NOW)


async def condition(store: Store, alert: str) -> tuple[str, str]:
    found = await store.alert(alert)
    assert found is not None
    return found.condition, found.reason


def ids(messages: tuple[Message, ...]) -> list[str]:
    return [alert.id for message in messages for alert in message.alerts]


# ------------------------------------------------------------------ claiming


async def test_a_row_that_leaves_alone_has_a_message_of_its_own_with_its_own_key(store: Store) -> None:
    (alert,) = await queued(store, "Doha")
    (message,) = await claimed(store, NOW)
    (told,) = message.alerts
    assert (told.id, told.message, told.attempts) == (alert, message.id, 1)
    assert (message.key, message.kind, message.channel, message.severity) == (told.key, "alert", "desk", "normal")
    assert (message.created, message.attempts, message.fence, message.taken) == (NOW, 1, 1, ())
    assert told.match is not None
    assert told.match.clause == "Doha"
    before = await store.alert("nobody")
    assert before is None


async def test_a_row_has_no_message_before_its_turn(store: Store) -> None:
    await queued(store, "Doha")
    (alert,) = await store.alerts()
    assert (alert.message, alert.attempts, alert.last_error) == ("", 0, "")


async def test_the_most_severe_alert_goes_first_then_the_oldest(store: Store) -> None:
    await store.file(filing([candidate("Doha one", keys=("url:1",))]), decide)
    await store.file(filing([candidate("Doha two", keys=("url:2",))], at=NOW + MINUTE), decide)
    await store.file(filing([candidate("Cairo", keys=("url:3",))], at=NOW + HOUR), decide)
    first = await claimed(store, NOW + HOUR, messages=2, channels=["desk"])
    assert [message.severity for message in first] == ["critical", "normal"]
    assert [message.alerts[0].created for message in first] == [NOW + HOUR, NOW]
    assert {(message.attempts, message.fence) for message in first} == {(1, 1)}
    rest = await claimed(store, NOW + HOUR, messages=2, channels=["desk"])
    assert [message.alerts[0].created for message in rest] == [NOW + MINUTE]


@pytest.mark.parametrize("seed", range(8))
async def test_tried_single_and_gathered_messages_share_one_order(store: Store, seed: int) -> None:
    """The most severe first, then the oldest, whatever a message is made of, and whichever was tried before."""
    chance, turn = Random(seed), NOW + HOUR
    kinds = [chance.choice(["tried", "alone", "digest", "cooldown:w:i"]) for _ in range(24)]
    for number, kind in enumerate(sorted(kinds, key=lambda kind: kind != "tried")):
        at = NOW + chance.randrange(3600) * SECOND
        held = until(turn, kind) if kind not in ("tried", "alone") else None
        severity = chance.choice(SEVERITIES)
        await queued(store, f"Doha {number}", at=at, watch=f"w{number}", severity=severity, held=held)
        if kind == "tried":
            (message,) = await claimed(store, at)
            await store.settle(message, LATER, now=at, due=turn)
    found: list[Message] = []
    while (more := await claimed(store, turn, messages=chance.randint(1, 5))) != ():
        found += more
    order = [(-SEVERITIES.index(each.severity), min(alert.created for alert in each.alerts)) for each in found]
    assert order == sorted(order)
    singles = [kind for kind in kinds if kind in ("tried", "alone")]
    assert len(found) == len(singles) + len(set(kinds) - {"tried", "alone"})
    assert len(ids(tuple(found))) == len(kinds)


async def test_a_channel_that_does_not_answer_is_asked_with_what_was_tried_least(store: Store) -> None:
    probe = {"desk": Room(messages=1, alerts=9, probing=True)}
    await queued(store, "Doha one", watch="w1", severity="critical")
    await queued(store, "Doha two", at=NOW + SECOND, watch="w2", severity="critical")
    asked = []
    for step in range(6):
        at = NOW + (step + 1) * MINUTE
        if step == 3:
            await queued(store, "Doha three", watch="w3", severity="low")
        (message,) = await store.claim_messages(at, rooms=probe, lease=LEASE)
        assert await store.settle(message, LATER, now=at, due=at)
        asked.append(message.alerts[0].watch)
    assert asked == ["w1", "w2", "w1", "w3", "w2", "w3"]
    assert [message.alerts[0].watch for message in await claimed(store, NOW + HOUR)] == ["w1", "w2", "w3"]


async def test_a_channel_gets_no_more_messages_than_it_has_room_for_and_no_other_channels(store: Store) -> None:
    await queued(store, *(f"Doha {n}" for n in range(5)), channels=("desk", "duty", "closed"))
    rooms = {"desk": Room(messages=2, alerts=9), "duty": Room(messages=1, alerts=9), "full": Room(messages=0, alerts=9)}
    found = await store.claim_messages(NOW, rooms=rooms, lease=LEASE)
    assert [message.channel for message in found] == ["desk", "desk", "duty"]
    assert await store.claim_messages(NOW, rooms={}, lease=LEASE) == ()


async def test_a_message_is_claimed_again_when_its_lease_ends_and_not_before(store: Store) -> None:
    await queued(store, "Doha")
    (first,) = await claimed(store, NOW)
    assert await claimed(store, NOW + LEASE - SECOND) == ()
    (again,) = await claimed(store, NOW + LEASE)
    assert (again.id, again.key, again.attempts, again.fence) == (first.id, first.key, 2, 2)
    assert ids((again,)) == ids((first,))


# ------------------------------------------------------------------ settling


async def test_attempts_are_settled_as_sent_later_or_dead(store: Store) -> None:
    sent, later, refused, tired = await messages_of(store, "Doha one", "Doha two")
    assert await store.settle(sent, SENT, now=NOW, due=None)
    assert await store.settle(later, LATER, now=NOW, due=NOW + HOUR)
    assert await store.settle(refused, REFUSED, now=NOW, due=NOW + HOUR)
    assert await store.settle(tired, LATER, now=NOW, due=None)
    found = {alert.message: alert for alert in await store.alerts()}
    assert (found[sent.id].condition, found[sent.id].delivered) == ("delivered", NOW)
    assert (found[later.id].condition, found[later.id].due, found[later.id].last_error) == ("pending", NOW, "why")
    for message in (refused, tired):
        assert (found[message.id].condition, found[message.id].reason) == ("dead", "why")
    assert await claimed(store, NOW + HOUR - SECOND) == ()
    (again,) = await claimed(store, NOW + HOUR)
    assert (again.id, again.attempts, again.fence) == (later.id, 2, 2)


async def test_who_of_a_channels_recipients_has_it_is_kept_with_the_message(store: Store) -> None:
    await queued(store, "Doha")
    for took in ("b", "a"):
        (message,) = await claimed(store, NOW)
        assert await store.settle(message, replace(LATER, taken=(took,)), now=NOW, due=NOW)
    (message,) = await claimed(store, NOW)
    assert message.taken == ("a", "b")


async def test_f115_an_attempt_that_outlived_its_lease_cannot_settle(store: Store) -> None:
    late, _ = await messages_of(store, "Doha")
    again = await claimed(store, NOW + LEASE)
    assert {message.fence for message in again} == {2}
    for delivery in (SENT, LATER, REFUSED):
        assert not await store.settle(late, delivery, now=NOW + LEASE, due=None)
    assert (await store.count())["pending"] == 2
    assert await store.settle(again[0], SENT, now=NOW + LEASE, due=None)
    assert not await store.settle(again[0], LATER, now=NOW + LEASE, due=NOW + DAY)
    assert not await store.settle(again[0], SENT, now=NOW + DAY, due=None)
    (delivered,) = await store.alerts(condition="delivered")
    assert delivered.delivered == NOW + LEASE


async def test_a_channel_that_answers_again_gets_its_waiting_messages_at_once(store: Store) -> None:
    for message in await messages_of(store, "Doha one", "Doha two"):
        await store.settle(message, LATER, now=NOW, due=NOW + HOUR)
    (held,) = await queued(store, "Doha three", held=until(NOW + HOUR))
    assert await store.hurry("desk", NOW + MINUTE) == 2
    found = await claimed(store, NOW + MINUTE)
    assert [message.channel for message in found] == ["desk", "desk"]
    assert held not in ids(found), "what was held back on purpose waits on"


async def test_the_oldest_row_that_waits_is_known_by_channel(store: Store) -> None:
    assert await store.oldest_due(NOW) == {}
    await queued(store, "Doha one", at=NOW - HOUR, channels=BOTH)
    await queued(store, "Doha two", at=NOW - 2 * HOUR, channels=("duty",), held=until(NOW + HOUR))
    desk, duty = await claimed(store, NOW)
    await store.settle(desk, SENT, now=NOW, due=None)
    await store.settle(duty, LATER, now=NOW, due=NOW + DAY)
    assert await store.oldest_due(NOW) == {"duty": NOW - HOUR}
    await queued(store, "Doha three", at=NOW - MINUTE)
    assert await store.oldest_due(NOW + HOUR) == {"desk": NOW - MINUTE, "duty": NOW - HOUR}


# ------------------------------------------------------------------ asked for again


async def test_dead_and_suppressed_alerts_are_sent_again_and_no_others(store: Store) -> None:
    dead, sent = await messages_of(store, "Doha")
    await store.settle(dead, REFUSED, now=NOW, due=None)
    await store.settle(sent, SENT, now=NOW, due=None)
    (silent,) = await queued(store, "Doha talks", suppressed="too old")
    (waits,) = await queued(store, "Doha waits", held=until(NOW + DAY))
    (gone,) = ids((dead,))
    at = NOW + HOUR
    assert set(await store.resend([gone, silent, waits, *ids((sent,)), "nobody"], at)) == {gone, silent}
    assert not await store.settle(dead, SENT, now=at, due=None)  # an attempt from before
    again = {message.alerts[0].id: message for message in await claimed(store, at)}
    assert set(again) == {gone, silent}
    assert (again[gone].id, again[gone].key, again[gone].attempts) == (dead.id, dead.key, 1)
    assert (again[gone].alerts[0].due, again[gone].alerts[0].reason) == (at, "")


async def test_a_dead_alert_that_is_sent_again_waits_for_no_digest(store: Store) -> None:
    (alert,) = await queued(store, "Doha", held=until(NOW + HOUR))
    await store.mute("doha", NOW + MINUTE, NOW)
    await store.resend([alert], NOW + 2 * MINUTE)
    (message,) = await claimed(store, NOW + 2 * MINUTE)
    assert (message.kind, ids((message,)), message.alerts[0].gather) == ("alert", [alert], "")


async def test_dead_letters_are_untold_until_they_are_marked_however_they_died(store: Store) -> None:
    one, two, three, four = await messages_of(store, "Doha one", "Doha two")
    assert await store.untold_dead() == ()
    await store.settle(one, REFUSED, now=NOW, due=None)
    await store.settle(two, LATER, now=NOW, due=None)
    await store.settle(three, SENT, now=NOW, due=None)
    await store.tend(NOW, channels=(), watches=["doha"], escalations=(), give_up=DAY)
    untold = {alert.message: alert for alert in await store.untold_dead()}
    assert set(untold) == {one.id, two.id, four.id}
    assert untold[one.id].reason == "why"
    await store.mark_told(ids((one, three, four)))
    assert [alert.message for alert in await store.untold_dead()] == [two.id]


async def test_a_dead_letter_that_is_sent_again_and_dies_again_is_untold_again(store: Store) -> None:
    message, other = await messages_of(store, "Doha")
    await store.settle(other, SENT, now=NOW, due=None)
    await store.settle(message, REFUSED, now=NOW, due=None)
    (alert,) = ids((message,))
    await store.mark_told([alert])
    await store.resend([alert], NOW + HOUR)
    assert await store.untold_dead() == ()
    (again,) = await claimed(store, NOW + HOUR)
    await store.settle(again, REFUSED, now=NOW + HOUR, due=None)
    (untold,) = await store.untold_dead()
    assert (untold.id, untold.due) == (alert, NOW + HOUR)


async def test_an_alert_that_is_asked_for_anew_while_it_is_on_its_way_is_not_settled_by_that_attempt(
    store: Store,
) -> None:
    (alert,) = await queued(store, "Doha")
    (on_its_way,) = await claimed(store, NOW)
    assert await store.acknowledge([alert], NOW) == (alert,)
    assert await store.resend([alert], NOW) == (alert,)
    assert not await store.settle(on_its_way, REFUSED, now=NOW, due=None)
    assert await condition(store, alert) == ("pending", "")
    (again,) = await claimed(store, NOW)
    assert again.key == on_its_way.key
    assert await store.settle(again, SENT, now=NOW, due=None)


# ------------------------------------------------------------------ told with


async def held_back_twice(store: Store) -> tuple[Message, list[str]]:
    """The desk's message of an alert, and the items of two copies whose rows are held back by it; the duty's too."""
    first, second = await messages_of(store, "Doha")
    told = {message.channel: message.alerts[0].id for message in (first, second)}

    def copied(change: Change, ledger: Ledger) -> Decision:
        made = decide(change, ledger)
        held = tuple(replace(each, suppressed=f"told with {told[each.channel]}") for each in made.alerts)
        return replace(made, alerts=held, copy_of=first.alerts[0].item, copy_reason="same words")

    copies = [candidate(f"Doha, copy {n}", keys=(f"url:copy{n}",)) for n in range(2)]
    for minutes, each in enumerate(copies, start=1):
        await store.file(filing([each], at=NOW + minutes * MINUTE), copied)
    return first, [each.id for each in copies]


async def test_when_an_alert_dies_the_first_copy_that_it_held_back_tells_its_news(store: Store) -> None:
    message, copies = await held_back_twice(store)
    at = NOW + 3 * MINUTE
    assert await store.settle(message, REFUSED, now=at, due=None)
    for item in copies:
        (due,) = await claimed(store, at)  # the other channel's is leased still
        (alert,) = due.alerts
        assert (alert.item, alert.channel, alert.due, alert.reason) == (item, message.channel, at, "")
        held = await store.alerts(condition="suppressed", limit=99)
        mine = [each.reason for each in held if each.channel == message.channel]
        assert mine == ([f"told with {alert.id}"] if item == copies[0] else [])
        assert len(held) - len(mine) == 2, "the other channel's rows are told with its own alert"
        assert await store.settle(due, LATER, now=at, due=None)
    assert await claimed(store, at) == ()


async def test_an_alert_that_waits_or_was_sent_keeps_what_it_holds_back(store: Store) -> None:
    message, _ = await held_back_twice(store)
    await store.settle(message, LATER, now=NOW + HOUR, due=NOW + 2 * HOUR)
    assert (await store.count())["suppressed"] == 4
    again = await claimed(store, NOW + 2 * HOUR, channels=["desk"])
    await store.settle(again[0], SENT, now=NOW + 2 * HOUR, due=None)
    assert (await store.count())["suppressed"] == 4


async def test_what_a_removed_channel_held_back_stays_held_back(store: Store) -> None:
    await held_back_twice(store)
    found = await store.tend(NOW + HOUR, channels=(), watches=["doha"], escalations=(), give_up=DAY)
    assert found == Tended(buried=2)
    assert (await store.count())["suppressed"] == 4


async def test_each_alert_of_a_message_that_dies_hands_on_what_it_held_back(store: Store) -> None:
    first, second = await queued(store, "Doha one", "Doha two", held=until(NOW + HOUR))
    (of_first,) = await queued(store, "Doha one, a copy", at=NOW + MINUTE, suppressed=f"told with {first}")
    (of_second,) = await queued(store, "Doha two, a copy", at=NOW + MINUTE, suppressed=f"told with {second}")
    (message,) = await claimed(store, NOW + HOUR)
    assert ids((message,)) == [first, second]
    await store.settle(message, REFUSED, now=NOW + HOUR, due=None)
    assert sorted(ids(await claimed(store, NOW + HOUR))) == sorted([of_first, of_second])


# ------------------------------------------------------------------ listings, and what a decision may look up


async def test_alerts_are_listed_newest_first_by_watch_channel_condition_and_item(store: Store) -> None:
    await store.file(filing([candidate("Doha", keys=("url:1",))]), decide)
    second = candidate("Cairo", keys=("url:2",))
    await store.file(filing([second], at=NOW + HOUR), decide)
    assert [alert.watch for alert in await store.alerts(limit=3)] == ["cairo", "cairo", "doha"]
    assert {alert.watch for alert in await store.alerts(watch="doha")} == {"doha"}
    assert {alert.item for alert in await store.alerts(item=second.id)} == {second.id}
    assert {alert.channel for alert in await store.alerts(channel="duty")} == {"duty"}
    assert await store.alerts(condition="dead") == ()


async def test_a_decision_sees_which_alert_of_a_story_leaves_last_and_who_is_muted(store: Store) -> None:
    (sent,) = await queued(store, "Doha one")
    (message,) = await claimed(store, NOW)
    await store.settle(message, SENT, now=NOW, due=None)
    (dead,) = await queued(store, "Doha two", at=NOW + MINUTE)
    (message,) = await claimed(store, NOW + MINUTE)
    await store.settle(message, REFUSED, now=NOW + MINUTE, due=None)
    await queued(store, "Doha three", at=NOW + 2 * MINUTE, suppressed="too old")
    (waits,) = await queued(store, "Doha four", at=NOW + 2 * MINUTE, held=until(NOW + HOUR), channels=("duty",))
    await queued(store, "Doha five", at=NOW + 3 * MINUTE, state="escalated", severity="critical")
    await store.mute("over", NOW + 4 * MINUTE, NOW)
    await store.mute("silent", NOW + DAY, NOW)
    items = [item.id for item in await store.items()]
    seen: dict[str, Any] = {}

    def look(change: Change, ledger: Ledger) -> Decision:
        seen["last"] = {key: alert.id for key, alert in ledger.last(items).items()}
        seen["none"] = ledger.last(["nobody"])
        seen["muted"] = set(ledger.muted())
        return Decision()

    await store.file(filing([candidate("Football", keys=("url:f",))], at=NOW + 5 * MINUTE), look)
    assert seen == {"last": {("doha", "desk"): sent, ("doha", "duty"): waits}, "none": {}, "muted": {"silent"}}
    assert dead not in seen["last"].values()


async def test_of_two_that_were_sent_the_last_is_the_one_that_arrived_last(store: Store) -> None:
    (slow,), (quick,) = await queued(store, "Doha one"), await queued(store, "Doha two", at=NOW + MINUTE)
    for message in await claimed(store, NOW + MINUTE):
        arrived = NOW + (HOUR if ids((message,)) == [slow] else MINUTE)
        await store.settle(message, SENT, now=arrived, due=None)
    items = [item.id for item in await store.items()]
    seen = []

    def look(change: Change, ledger: Ledger) -> Decision:
        seen.append({alert.id for alert in ledger.last(items).values()})
        return Decision()

    await store.file(filing([candidate("Football", keys=("url:f",))], at=NOW + 2 * HOUR), look)
    assert seen == [{slow}]
    assert quick != slow


async def test_a_row_is_written_once_whatever_a_second_decision_says_of_its_time(store: Store) -> None:
    each = candidate("Doha", keys=("url:a",))
    await store.file(filing([each]), telling(held=until(NOW + HOUR)))
    again = await store.file(filing([candidate("Doha deal", keys=("url:a",))]), telling())
    assert (again.revised, again.alerts_due + again.alerts_suppressed) == (1, 0)
    (alert,) = await store.alerts()
    assert (alert.due, alert.gather, alert.reason) == (NOW + HOUR, "digest", "digest at 13:00")
