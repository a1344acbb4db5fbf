"""How rows end without being sent, in every store: acknowledged, muted, merged, given up, of a watch or channel that is
gone (F137); and what nobody acknowledged is told on another channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.model.alerts import Escalation, Tended
from monitor.model.messages import Message
from monitor.ports import Store
from tests.storage.desk import (
    CHANNELS,
    LATER,
    LEASE,
    NOW,
    REFUSED,
    SENT,
    candidate,
    claimed,
    filing,
    queued,
    quiet,
    telling,
    until,
)

pytestmark = pytest.mark.anyio

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TURN = NOW + HOUR
GIVE_UP = timedelta(hours=72)
RULE = Escalation(channel="desk", to="duty", after=10 * MINUTE)


def ids(*messages: Message) -> list[str]:
    return [alert.id for message in messages for alert in message.alerts]


async def tended(store: Store, now: datetime, **more: Any) -> Tended:
    """A look after the outbox of a desk with all that the tests configure."""
    asked = {"channels": CHANNELS, "watches": ["doha", "cairo"], "escalations": (), "give_up": GIVE_UP, **more}
    return await store.tend(now, **asked)


async def conditions(store: Store) -> dict[str, tuple[str, str]]:
    return {alert.id: (alert.condition, alert.reason) for alert in await store.alerts(limit=999)}


# ------------------------------------------------------------------ suppressed while it waits (F137)


async def acknowledged(store: Store, alerts: list[str], now: datetime) -> str:
    assert sorted(await store.acknowledge(alerts, now)) == sorted(alerts)
    return "acknowledged"


async def muted(store: Store, alerts: list[str], now: datetime) -> str:
    await store.mute("doha", now + DAY, now)
    return "muted"


async def unwatched(store: Store, alerts: list[str], now: datetime) -> str:
    await tended(store, now, watches=["cairo"])
    return "watch removed"


Ending = Callable[[Store, list[str], datetime], Awaitable[str]]
each_ending = pytest.mark.parametrize("ended", [acknowledged, muted, unwatched])


@each_ending
async def test_f137_what_is_ended_while_it_is_queued_is_suppressed_with_the_reason_and_never_leaves(
    store: Store, ended: Ending
) -> None:
    now_due, held = await queued(store, "Doha"), await queued(store, "Doha held", held=until(TURN))
    (other,) = await queued(store, "Cairo", watch="cairo")
    reason = await ended(store, [*now_due, *held], NOW)
    after = await conditions(store)
    assert {after[each] for each in (*now_due, *held)} == {("suppressed", reason)}
    assert ids(*await claimed(store, TURN)) == [other]


@each_ending
async def test_f137_what_is_ended_between_two_attempts_is_not_tried_again(store: Store, ended: Ending) -> None:
    (alert,) = await queued(store, "Doha")
    (message,) = await claimed(store, NOW)
    await store.settle(message, LATER, now=NOW, due=TURN)
    reason = await ended(store, [alert], NOW + MINUTE)
    assert (await conditions(store))[alert] == ("suppressed", reason)
    assert await claimed(store, TURN) == ()
    assert await store.hurry("desk", TURN - SECOND) == 0


@each_ending
@pytest.mark.parametrize(("delivery", "taken"), [(SENT, True), (LATER, False), (REFUSED, False)])
async def test_f137_what_is_ended_while_it_is_on_its_way_is_delivered_if_it_arrives_and_else_suppressed(
    store: Store, ended: Ending, delivery: Any, taken: bool
) -> None:
    (alert,) = await queued(store, "Doha")
    (message,) = await claimed(store, NOW)
    reason = await ended(store, [alert], NOW)
    assert (await conditions(store))[alert] == ("suppressed", reason)
    assert await store.settle(message, delivery, now=NOW, due=TURN) is taken
    assert (await conditions(store))[alert] == (("delivered", "") if taken else ("suppressed", reason))
    assert await claimed(store, TURN + DAY) == ()
    assert await store.untold_dead() == ()


@each_ending
@pytest.mark.parametrize("under_way", [True, False], ids=["on its way", "between two attempts"])
async def test_f137_what_is_ended_in_a_gathered_message_leaves_with_it_unchanged(
    store: Store, ended: Ending, under_way: bool
) -> None:
    made = await queued(store, "Doha one", "Doha two", held=until(TURN))
    (message,) = await claimed(store, TURN)
    if not under_way:
        await store.settle(message, LATER, now=TURN, due=TURN)
    await ended(store, [made[0]], TURN)
    assert {condition for condition, _ in (await conditions(store)).values()} == {"pending"}
    (again,) = await claimed(store, TURN + LEASE)
    assert (again.key, ids(again)) == (message.key, list(made))
    assert await store.settle(again, SENT, now=TURN + LEASE, due=None)
    assert set((await conditions(store)).values()) == {("delivered", "")}


async def test_f137_rows_of_a_flood_are_muted_while_they_wait(store: Store) -> None:
    await queued(store, *(f"Doha {n:02}" for n in range(15)))
    for message in await claimed(store, NOW):
        await store.settle(message, SENT, now=NOW, due=None)
    assert await store.mute("doha", TURN, NOW + SECOND) == 5
    assert await claimed(store, NOW + MINUTE) == ()


# ------------------------------------------------------------------ acknowledged, muted


async def test_an_alert_is_acknowledged_once_and_keeps_its_condition_when_it_was_sent(store: Store) -> None:
    (alert,) = await queued(store, "Doha")
    (message,) = await claimed(store, NOW)
    await store.settle(message, SENT, now=NOW, due=None)
    for minutes in (1, 2):
        assert await store.acknowledge([alert, "nobody"], NOW + minutes * MINUTE) == (alert,)
    found = await store.alert(alert)
    assert found is not None
    assert (found.condition, found.acknowledged) == ("delivered", NOW + MINUTE)


async def test_an_alert_is_acknowledged_on_the_channel_that_it_names(store: Store) -> None:
    on_desk, on_duty = await queued(store, "Doha", channels=CHANNELS)
    await store.acknowledge([on_desk], NOW)
    assert ids(*await claimed(store, NOW)) == [on_duty]


async def test_a_mute_ends_by_itself_or_by_hand_and_the_last_word_counts(store: Store) -> None:
    await store.mute("doha", NOW + HOUR, NOW)
    await store.mute("cairo", NOW + DAY, NOW)
    assert await store.muted(NOW) == {"cairo": NOW + DAY, "doha": NOW + HOUR}
    assert await store.muted(NOW + HOUR) == {"cairo": NOW + DAY}
    await store.mute("doha", NOW + 2 * HOUR, NOW)
    assert await store.muted(NOW + HOUR) == {"cairo": NOW + DAY, "doha": NOW + 2 * HOUR}
    assert await store.mute("cairo", None, NOW) == 0
    assert set(await store.muted(NOW)) == {"doha"}


async def test_a_mute_silences_every_channel_and_no_other_watch_and_says_how_many_waited(store: Store) -> None:
    await queued(store, "Doha one", "Doha two", channels=CHANNELS)
    (other,) = await queued(store, "Cairo", watch="cairo")
    assert await store.mute("doha", TURN, NOW) == 4
    assert ids(*await claimed(store, NOW)) == [other]
    assert await store.mute("doha", None, NOW) == 0
    assert await claimed(store, NOW + MINUTE) == (), "what was muted stays so"


# ------------------------------------------------------------------ merged


def merging(title: str, *others: str) -> Any:
    """An answer that shows these articles to be one."""
    return filing([candidate(title, keys=tuple(f"url:{each}" for each in (title, *others)))], at=TURN)


async def test_f137_of_two_rows_that_turn_out_to_tell_the_same_the_one_that_leaves_sooner_stays(store: Store) -> None:
    (waits,) = await queued(store, "Doha one", held=until(TURN + DAY))
    (due,) = await queued(store, "Doha two", at=NOW + MINUTE)
    await store.file(merging("Doha one", "Doha two"), quiet)
    assert (await conditions(store))[waits] == ("suppressed", "merged")
    assert ids(*await claimed(store, TURN)) == [due]


async def test_f137_of_two_rows_that_are_one_the_one_in_a_gathered_message_stays(store: Store) -> None:
    gathered, _ = await queued(store, "Doha one", "Doha other", held=until(NOW))
    (message,) = await claimed(store, NOW)
    (alone,) = await queued(store, "Doha two", at=NOW + MINUTE)
    for minutes in (1, 2):  # tried more often than the other
        (single,) = await claimed(store, NOW + minutes * MINUTE)
        await store.settle(single, LATER, now=NOW, due=NOW)
    await store.file(merging("Doha one", "Doha two"), quiet)
    after = await conditions(store)
    assert (after[gathered], after[alone]) == (("pending", "digest at 12:00"), ("suppressed", "merged"))
    assert await store.settle(message, SENT, now=TURN, due=None)
    assert await claimed(store, TURN + DAY) == ()


async def test_what_was_told_with_a_row_that_is_merged_away_is_told_with_the_one_that_stays(store: Store) -> None:
    (first,) = await queued(store, "Doha one")
    (twin,) = await queued(store, "Doha two", at=NOW + MINUTE)
    (copy,) = await queued(store, "Doha two, a copy", at=NOW + 2 * MINUTE, suppressed=f"told with {twin}")
    await store.file(merging("Doha one", "Doha two"), quiet)
    after = await conditions(store)
    assert (after[twin], after[copy]) == (("suppressed", "merged"), ("suppressed", f"told with {first}"))
    (message,) = await claimed(store, TURN)
    await store.settle(message, REFUSED, now=TURN, due=None)
    assert ids(*await claimed(store, TURN)) == [copy]


# ------------------------------------------------------------------ given up, of a channel that is gone


async def test_rows_of_a_channel_that_is_gone_become_dead_letters(store: Store) -> None:
    due = await queued(store, "Doha one", "Doha two", channels=CHANNELS)
    held = await queued(store, "Doha three", channels=CHANNELS, held=until(TURN))
    assert await tended(store, NOW, channels=["desk", "other"]) == Tended(buried=3)
    dead = await store.alerts(condition="dead")
    assert {alert.id for alert in dead} == {due[1], due[3], held[1]}
    assert all("duty" in alert.reason for alert in dead)
    assert await tended(store, NOW, channels=["desk", "other"]) == Tended()


async def test_a_message_on_its_way_to_a_channel_that_is_gone_is_delivered_if_it_arrives(store: Store) -> None:
    for delivery, expected in ((SENT, "delivered"), (LATER, "dead")):
        (alert,) = await queued(store, f"Doha {expected}")
        (message,) = await claimed(store, NOW)
        assert (await tended(store, NOW, channels=["duty"])).buried == 1
        await store.settle(message, delivery, now=NOW, due=NOW)
        assert (await conditions(store))[alert][0] == expected
        assert await claimed(store, NOW + DAY) == (), "the channel is back, and the dead stay dead"


async def test_a_row_that_had_no_turn_for_72_hours_is_given_up(store: Store) -> None:
    (alert,) = await queued(store, "Doha")
    (held,) = await queued(store, "Doha held", held=until(NOW + DAY))
    assert await tended(store, NOW + GIVE_UP - SECOND) == Tended()
    assert await tended(store, NOW + GIVE_UP) == Tended(buried=1)
    assert (await conditions(store))[alert] == ("dead", "not delivered in 72 hours")
    assert ids(*await claimed(store, NOW + GIVE_UP)) == [held], "its time began when it was due"


async def test_a_row_that_was_tried_is_given_up_with_the_last_error_unless_it_is_on_its_way(store: Store) -> None:
    (alert,) = await queued(store, "Doha")
    (message,) = await claimed(store, NOW)
    await store.settle(message, LATER, now=NOW, due=NOW + GIVE_UP)
    (message,) = await claimed(store, NOW + GIVE_UP)
    assert await tended(store, NOW + GIVE_UP) == Tended()
    await store.settle(message, LATER, now=NOW + GIVE_UP, due=NOW + GIVE_UP + HOUR)
    assert await tended(store, NOW + GIVE_UP) == Tended(buried=1)
    assert (await conditions(store))[alert] == ("dead", "not delivered in 72 hours: why")
    assert await claimed(store, NOW + 2 * GIVE_UP) == ()


async def test_a_gathered_message_is_given_up_whole_when_all_its_alerts_are_late(store: Store) -> None:
    old = await queued(store, "Doha old", held=until(TURN))
    young = await queued(store, "Doha young", at=TURN, held=until(TURN + DAY))
    (message,) = await claimed(store, TURN + DAY)
    assert ids(message) == [*old, *young]
    await store.settle(message, LATER, now=TURN + DAY, due=TURN + 9 * DAY)
    assert await tended(store, TURN + GIVE_UP) == Tended()
    assert {condition for condition, _ in (await conditions(store)).values()} == {"pending"}
    assert await tended(store, TURN + DAY + GIVE_UP) == Tended(buried=2)
    assert {condition for condition, _ in (await conditions(store)).values()} == {"dead"}


async def test_what_a_row_that_is_given_up_held_back_is_told(store: Store) -> None:
    (alert,) = await queued(store, "Doha")
    copy, other = await queued(store, "Doha, a copy", "Doha, another", at=NOW + DAY, suppressed=f"told with {alert}")
    assert (await tended(store, NOW + GIVE_UP)).buried == 1
    after = await conditions(store)
    assert (after[copy], after[other]) == (("pending", ""), ("suppressed", f"told with {copy}"))
    assert ids(*await claimed(store, NOW + GIVE_UP)) == [copy]


# ------------------------------------------------------------------ escalated


async def critical(store: Store, title: str = "Doha", **row: Any) -> str:
    (alert,) = await queued(store, title, severity="critical", **row)
    return alert


async def test_a_critical_alert_that_nobody_acknowledged_is_told_on_the_other_channel_once(store: Store) -> None:
    alert = await critical(store)
    (message,) = await claimed(store, NOW)
    await store.settle(message, SENT, now=NOW, due=None)
    assert await tended(store, NOW + 10 * MINUTE - SECOND, escalations=[RULE]) == Tended()
    for minutes, count in ((10, 1), (11, 0), (30, 0)):
        assert await tended(store, NOW + minutes * MINUTE, escalations=[RULE]) == Tended(escalated=count)
    (message,) = await claimed(store, NOW + 10 * MINUTE)
    (told,) = message.alerts
    own = await store.alert(alert)
    assert own is not None
    assert (told.channel, told.state, told.severity, told.watch) == ("duty", "escalated", "critical", "doha")
    assert (told.item, told.revision, told.match) == (own.item, own.revision, own.match)
    assert (message.kind, message.key) == ("alert", told.key)
    assert told.key == f"doha|duty|{own.item}|escalated"


@pytest.mark.parametrize("verdict", [None, LATER, REFUSED], ids=["never tried", "tried", "dead"])
async def test_a_critical_alert_that_did_not_arrive_escalates_too(store: Store, verdict: Any) -> None:
    await critical(store)
    if verdict:
        (message,) = await claimed(store, NOW)
        await store.settle(message, verdict, now=NOW, due=NOW + DAY)
    assert (await tended(store, NOW + 10 * MINUTE, escalations=[RULE])).escalated == 1


async def test_what_was_acknowledged_muted_suppressed_mild_old_or_elsewhere_does_not_escalate(store: Store) -> None:
    acknowledged_one = await critical(store, "Doha acknowledged")
    await store.acknowledge([acknowledged_one], NOW)
    await critical(store, "Doha suppressed", suppressed="too old")
    await queued(store, "Doha mild", severity="high")
    await critical(store, "Doha old", at=NOW - DAY)
    await critical(store, "Doha elsewhere", channels=("duty",))
    (message, *_) = await claimed(store, NOW, channels=["desk"])
    await store.settle(message, SENT, now=NOW, due=None)
    sent_before = await critical(store, "Cairo", watch="cairo")
    (message, *_) = await claimed(store, NOW, channels=["desk"])
    assert ids(message) == [sent_before]
    await store.settle(message, SENT, now=NOW, due=None)
    await store.mute("cairo", TURN, NOW)
    assert await tended(store, NOW + 10 * MINUTE, escalations=[RULE]) == Tended()
    assert await tended(store, TURN, escalations=[RULE]) == Tended(escalated=1), "the mute is over"


async def test_a_later_text_that_nobody_acknowledged_escalates_again(store: Store) -> None:
    alert = await critical(store)
    assert (await tended(store, NOW + 10 * MINUTE, escalations=[RULE])).escalated == 1
    await store.acknowledge([alert], NOW + 11 * MINUTE)
    denied = filing([candidate("Doha denial", keys=("url:Doha",))], at=NOW + HOUR)
    await store.file(denied, telling(state="edited:r2", severity="critical"))
    for minutes, count in ((69, 0), (70, 1), (71, 0), (90, 0)):
        assert (await tended(store, NOW + minutes * MINUTE, escalations=[RULE])).escalated == count, minutes
    told = [each.state for each in await store.alerts(limit=9) if each.channel == "duty"]
    assert set(told) >= {"escalated", "escalated:edited:r2"}


async def test_a_rule_of_more_than_a_day_escalates_when_its_time_comes(store: Store) -> None:
    await critical(store)
    rule = Escalation(channel="desk", to="duty", after=3 * DAY)
    assert (await tended(store, NOW + 3 * DAY - MINUTE, escalations=[rule])).escalated == 0
    assert (await tended(store, NOW + 3 * DAY, escalations=[rule])).escalated == 1


async def test_acknowledging_any_row_of_a_story_ends_its_escalation_and_what_waits_of_it(store: Store) -> None:
    alert = await critical(store)
    assert (await tended(store, NOW + 10 * MINUTE, escalations=[RULE])).escalated == 1
    await store.acknowledge([alert], NOW + 11 * MINUTE)
    assert set((await conditions(store)).values()) == {("suppressed", "acknowledged")}
    assert await claimed(store, NOW + 11 * MINUTE) == ()


async def test_an_edit_of_what_was_acknowledged_does_not_escalate_and_an_escalation_escalates_no_further(
    store: Store,
) -> None:
    alert = await critical(store)
    edit = filing([candidate("Doha deal", keys=("url:Doha",))], at=NOW + MINUTE)
    await store.file(edit, telling(state="edited:r2", severity="critical"))
    rules = [RULE, Escalation(channel="duty", to="desk", after=MINUTE)]
    assert (await tended(store, NOW + 20 * MINUTE, escalations=rules)).escalated == 1, "two rows, one story"
    assert (await tended(store, TURN, escalations=rules)).escalated == 0
    await store.acknowledge([alert], TURN)
    again = filing([candidate("Doha denial", keys=("url:Doha",))], at=TURN)
    await store.file(again, telling(state="edited:r3", severity="critical"))
    assert (await tended(store, TURN + HOUR, escalations=rules)).escalated == 0


# ------------------------------------------------------------------ retention


async def test_messages_are_forgotten_with_their_alerts_and_not_before(store: Store) -> None:
    made = await queued(store, "Doha one", "Doha two", held=until(TURN))
    (message,) = await claimed(store, TURN)
    await store.settle(message, SENT, now=TURN, due=None)
    (waits,) = await queued(store, "Doha waits", held=until(NOW + 30 * DAY))
    never, late = NOW - 400 * DAY, NOW + 10 * DAY
    await store.file(filing([candidate("Fresh", keys=("url:fresh",))], at=late), quiet)
    assert await store.prune(bodies_before=never, revisions_before=never, identity_before=NOW) == 0
    assert await store.prune(bodies_before=never, revisions_before=never, identity_before=late) == 2 + 1
    assert [alert.id for alert in await store.alerts()] == [waits]
    assert [await store.alert(each) for each in made] == [None, None]
    assert ids(*await claimed(store, NOW + 30 * DAY)) == [waits]
    assert await store.check() == ()


async def test_a_message_whose_alerts_were_all_asked_for_anew_is_forgotten(store: Store) -> None:
    made = await queued(store, "Doha one", "Doha two", held=until(TURN))
    (message,) = await claimed(store, TURN)
    await store.settle(message, REFUSED, now=TURN, due=None)
    await store.resend(made, TURN)
    never = NOW - 400 * DAY
    assert await store.prune(bodies_before=never, revisions_before=never, identity_before=TURN) == 0
    assert await store.prune(bodies_before=never, revisions_before=never, identity_before=TURN + SECOND) == 1
    assert sorted(ids(*await claimed(store, TURN))) == sorted(made)
