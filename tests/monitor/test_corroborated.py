"""Watches that wait for other origins, filed by the real desk: what waits, what tells, and what is told with it."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.alerts.dispatch import Dispatcher
from monitor.model.alerts import Alert, Escalation
from monitor.model.messages import Delivery, Room
from tests.monitor.newsroom import NOON, SETTINGS, Mouth, Newsroom, desk_over, entry, open_newsroom
from tests.rig.account import reading
from tests.rig.promises import PROMISES
from tests.rig.record import Truth

WATCH = """
[[watch]]
id = "sure"
title = "Reported independently"
when = "@hostage OR @doha"
on = ["new", "edited", "withdrawn"]
severity = "high"
corroborated = { origins = 3, within = "90m" }
"""
DRAFT = "Mediators in Doha hand both sides a draft to release 50 hostages in phases"
WORDS = {
    "ap": DRAFT,
    "bbc": "Draft handed over in Doha: hostages would be released in phases, mediators say",
    "times-of-israel": "Doha mediators' draft to both sides: 50 hostages to be released in phases",
    "jerusalem-post": "Draft that mediators gave both sides in Doha would release hostages in phases",
    "france24": "In Doha, mediators present both sides with draft on release of hostages in phases",
}
NUMBERS = {outlet: number for number, outlet in enumerate(WORDS, 1)}

Open = Callable[..., Newsroom]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    rooms: list[Newsroom] = []

    def open_(watch: str = WATCH, settings: str = SETTINGS) -> Newsroom:
        rooms.append(open_newsroom(tmp_path, watch, settings))
        return rooms[-1]

    yield open_
    for room in rooms:
        await kept(room)
        await room.store.close()


async def kept(room: Newsroom) -> None:
    """Nothing is lost, nothing has a key of another, and every row has its match."""
    truth = Truth(now=room.clock.at, speaks={"sure": ("desk",)})
    with reading(room.folder / "wirewatch.db") as db:
        for promise in ("P1", "P2", "P3"):
            assert list(PROMISES[promise](db, (), truth)) == []


async def told(room: Newsroom, *outlets: str, after: float = 0) -> None:
    for outlet in outlets:
        await room.later(after)
        await room.files(f"{outlet}/main", entry(NUMBERS[outlet], WORDS[outlet]))


async def rows(room: Newsroom) -> dict[tuple[str, str], Alert]:
    """By outlet and state."""
    found = await room.store.alerts(watch="sure", limit=99)
    return {((await room.store.item(row.item)).outlet, row.state.partition(":")[0]): row for row in found}


async def sent(room: Newsroom) -> Mouth:
    mouth = Mouth()
    await Dispatcher(room.store, room.store, lambda: {"desk": mouth}, room.clock, random.Random(1)).drain()
    return mouth


def conditions(found: dict[tuple[str, str], Alert]) -> dict[tuple[str, str], str]:
    return {name: row.condition for name, row in found.items()}


# ------------------------------------------------------------------ waiting and telling


@pytest.mark.anyio
async def test_a_story_waits_and_says_what_for_and_no_claim_takes_it(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc")
    found = await rows(room)
    assert {row.reason for row in found.values()} == {"waits for 3 origins, has 2 (ap, bbc)"}
    assert {row.condition for row in found.values()} == {"pending"}
    assert found["ap", "new"].due == NOON + timedelta(minutes=90)
    late = NOON + timedelta(days=1)
    assert await room.store.claim_messages(
        late, rooms={"desk": Room(messages=9, alerts=9)}, lease=timedelta(minutes=1)
    ) == ()  # fmt: skip
    assert await room.store.oldest_due(late) == {}


@pytest.mark.anyio
async def test_the_item_that_completes_the_number_tells_the_story_once_and_those_that_waited_are_told_with_it(
    opened: Open,
) -> None:
    room = opened()
    await told(room, "ap", "bbc", "times-of-israel", after=10)
    found = await rows(room)
    told_by = found["times-of-israel", "corroborated"]
    assert (told_by.condition, told_by.gather) == ("pending", "")
    assert told_by.key == f"sure|desk|{told_by.item}|corroborated"
    others = [row for row in found.values() if row is not told_by]
    assert {(row.condition, row.reason, row.gather) for row in others} == {
        ("suppressed", f"told with {told_by.id}", "")
    }
    assert len(others) == 3
    await told(room, "jerusalem-post", "france24", after=10)
    found = await rows(room)
    assert sum(state == "corroborated" for _, state in found) == 1
    assert conditions(found)["jerusalem-post", "new"] == conditions(found)["france24", "new"] == "pending"
    assert len((await sent(room)).parcels) == 3, "what follows is told as ever"


@pytest.mark.anyio
async def test_what_follows_a_told_story_keeps_its_cooldown(opened: Open) -> None:
    room = opened(WATCH + 'cooldown = "1h"\n')
    await told(room, "ap", "bbc", "times-of-israel", "jerusalem-post")
    row = (await rows(room))["jerusalem-post", "new"]
    assert row.gather.startswith("cooldown:sure:")


@pytest.mark.anyio
async def test_when_its_time_is_over_a_row_is_closed_with_its_reason_and_can_be_sent_by_hand(opened: Open) -> None:
    room = opened()
    await told(room, "ap")
    await room.later(89)
    assert await room.desk.reconsider() == 0
    await room.later(1)
    assert await room.desk.reconsider() == 1
    row = (await rows(room))["ap", "new"]
    assert (row.condition, row.reason, row.gather) == (
        "suppressed", "not corroborated: 1 of 3 origins within 90 min", "",
    )  # fmt: skip
    assert await room.store.resend([row.id], room.clock.at) == (row.id,)
    assert [parcel.message.key for parcel in (await sent(room)).parcels] == [row.key]


@pytest.mark.anyio
async def test_the_stretch_slides_and_what_was_closed_before_is_told_with_the_story_in_the_end(opened: Open) -> None:
    room = opened()
    for outlet, minute in (("ap", 0), ("bbc", 80), ("times-of-israel", 160)):
        room.clock.at = NOON + timedelta(minutes=minute)
        await told(room, outlet)
        await room.desk.reconsider()
    found = await rows(room)
    assert found["ap", "new"].reason == "not corroborated: 2 of 3 origins within 90 min"
    assert found["bbc", "new"].reason == "waits for 3 origins, has 2 (bbc, times-of-israel)"
    await told(room, "france24")
    found = await rows(room)
    told_by = found["france24", "corroborated"]
    assert {row.reason for row in found.values()} == {"", f"told with {told_by.id}"}


@pytest.mark.anyio
async def test_an_item_that_the_watch_does_not_find_completes_the_number_and_the_newest_found_one_tells(
    opened: Open,
) -> None:
    room = opened(WATCH + 'outlets = ["ap", "bbc"]\n')
    await told(room, "ap", "bbc", "times-of-israel", after=5)
    found = await rows(room)
    assert conditions(found) == {
        ("ap", "new"): "suppressed", ("bbc", "new"): "suppressed", ("bbc", "corroborated"): "pending",
    }  # fmt: skip


@pytest.mark.anyio
async def test_after_a_restart_the_same_stories_wait_and_are_told(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", after=5)
    room.desk = desk_over(room.store, room.clock, room.folder)
    await room.desk.remember(room.store)
    await told(room, "times-of-israel", after=5)
    assert ("times-of-israel", "corroborated") in await rows(room)


# ------------------------------------------------------------------ copies and edits


@pytest.mark.anyio
async def test_a_copy_of_what_waits_waits_and_is_no_voice_and_one_that_comes_later_is_told_with_the_story(
    opened: Open,
) -> None:
    room = opened()
    await told(room, "ap", "bbc", after=1)
    await room.later(5)
    await room.files("guardian/main", entry(31, DRAFT))
    await room.files("nbc/main", entry(32, DRAFT))
    found = await rows(room)
    assert set(conditions(found).values()) == {"pending"}
    assert found["nbc", "new"].reason == "waits for 3 origins, has 2 (ap, bbc)"
    await told(room, "times-of-israel")
    await room.files("icrc/main", entry(33, DRAFT))
    found = await rows(room)
    told_by = found["times-of-israel", "corroborated"]
    assert {row.reason for row in found.values() if row is not told_by} == {f"told with {told_by.id}"}


@pytest.mark.anyio
async def test_an_edit_of_what_waits_waits_with_it_and_the_story_is_told_in_the_new_words(opened: Open) -> None:
    room = opened(WATCH + 'outlets = ["ap"]\n')
    await told(room, "ap", "bbc")
    await room.later(5)
    await room.files("ap/main", entry(NUMBERS["ap"], DRAFT.replace("50", "45")))
    found = await rows(room)
    assert conditions(found) == {("ap", "new"): "pending", ("ap", "edited"): "pending"}
    await told(room, "times-of-israel")
    (parcel,) = (await sent(room)).parcels
    assert [(each.alert.state, each.item.title) for each in parcel.tellings] == [
        ("corroborated", DRAFT.replace("50", "45"))
    ]


@pytest.mark.anyio
async def test_an_edit_after_the_story_was_told_is_told_at_once(opened: Open) -> None:
    room = opened(WATCH + 'cooldown = "1h"\n')
    await told(room, "ap", "bbc", "times-of-israel")
    await room.files("ap/main", entry(NUMBERS["ap"], DRAFT.replace("50", "45")))
    row = (await rows(room))["ap", "edited"]
    assert (row.condition, row.gather) == ("pending", "")


# ------------------------------------------------------------------ languages and corrections


@pytest.mark.anyio
async def test_origins_of_three_languages_count_together_and_what_is_linked_later_is_told_with_the_story(
    opened: Open,
) -> None:
    room = opened()
    await told(room, "ap", after=5)
    await room.files("ynet/main", entry(41, "המתווכות בדוחא מסרו טיוטה: 50 חטופים ישוחררו בפעימות"))
    assert (await rows(room))["ap", "new"].reason == "waits for 3 origins, has 2 (ap, ynet)"
    await room.files("aljazeera-ar/main", entry(42, "الوسطاء في الدوحة يسلمون مسودة للإفراج عن 50 رهينة على مراحل"))
    found = await rows(room)
    told_by = found["aljazeera-ar", "corroborated"]
    assert {name: row.reason for name, row in found.items() if row is not told_by} == dict.fromkeys(
        [("ap", "new"), ("ynet", "new"), ("aljazeera-ar", "new")], f"told with {told_by.id}"
    )
    (parcel,) = (await sent(room)).parcels
    assert {item.outlet for story in parcel.tellings[0].event for item in story.items} == {
        "ap", "ynet", "aljazeera-ar",
    }  # fmt: skip


async def changed(room: Newsroom, change: Callable[[sqlite3.Connection], object]) -> None:
    await room.store._writer.write(change)


@pytest.mark.anyio
async def test_an_origin_that_is_corrected_is_counted_at_the_next_look(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", after=1)
    await room.files("guardian/main", entry(31, DRAFT))  # taken for a copy of AP's
    assert await room.desk.reconsider() == 0
    await changed(room, lambda db: db.execute("UPDATE items SET copy_of = NULL WHERE outlet = 'guardian'"))
    assert await room.desk.reconsider() > 0
    found = await rows(room)
    assert [outlet for outlet, state in found if state == "corroborated"] == ["guardian"]


@pytest.mark.anyio
async def test_an_origin_that_is_corrected_away_is_missing_from_what_a_row_says(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", after=1)
    credit = json.dumps([
        {"id": "bbc", "kind": "outlet", "relation": "own"}, {"id": "ap", "kind": "agency", "relation": "credit"},
    ])  # fmt: skip
    await changed(room, lambda db: db.execute("UPDATE items SET origins = ? WHERE outlet = 'bbc'", (credit,)))
    await room.desk.reconsider()
    assert {row.reason for row in (await rows(room)).values()} == {"waits for 3 origins, has 1 (ap)"}


@pytest.mark.anyio
async def test_stories_that_become_one_are_counted_as_one(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", after=1)
    await room.files("guardian/main", entry(51, "Rail strike in Doha enters its second week, unions say"))
    other = (await rows(room))["guardian", "new"]
    assert other.reason == "waits for 3 origins, has 1 (guardian)"
    ap = await room.store.item((await rows(room))["ap", "new"].item)
    await changed(room, lambda db: db.execute("UPDATE items SET story = ? WHERE outlet = 'guardian'", (ap.story,)))
    await room.desk.reconsider()
    found = await rows(room)
    assert conditions(found)["guardian", "corroborated"] == "pending"
    assert sum(state == "corroborated" for _, state in found) == 1


# ------------------------------------------------------------------ channels, mutes, other configurations


@pytest.mark.anyio
async def test_the_row_that_tells_waits_for_the_digest_and_the_quiet_hours_of_its_channel(opened: Open) -> None:
    settings = '[service]\ntime_zone = "UTC"\n' + SETTINGS + 'digest = "1h"\nquiet = { from = "12:30", to = "18:00" }\n'
    room = opened(WATCH.replace('"high"', '"normal"'), settings)
    await told(room, "ap", "bbc", "times-of-israel")
    row = (await rows(room))["times-of-israel", "corroborated"]
    assert (row.gather, row.due) == ("quiet hours", NOON + timedelta(hours=6))
    await told(room, "france24")
    await room.later(6 * 60)
    (parcel,) = (await sent(room)).parcels
    assert sorted(alert.state for alert in parcel.message.alerts) == ["corroborated", "new"]


@pytest.mark.anyio
async def test_a_mute_closes_what_waits_and_the_story_is_told_by_what_comes_after_it(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc")
    await room.store.mute("sure", room.clock.at + timedelta(minutes=30), room.clock.at)
    await told(room, "times-of-israel")
    found = await rows(room)
    assert {row.reason for row in found.values()} == {"muted"}
    await told(room, "france24", after=31)
    assert ("france24", "corroborated") in await rows(room)


@pytest.mark.anyio
async def test_what_was_closed_before_a_mute_is_not_told_while_it_lasts(opened: Open) -> None:
    room = opened(WATCH + 'outlets = ["ap"]\n')
    await told(room, "ap")
    await room.later(91)
    await room.desk.reconsider()
    await room.store.mute("sure", room.clock.at + timedelta(hours=3), room.clock.at)
    await told(room, "bbc", "times-of-israel", "france24")
    assert list(await rows(room)) == [("ap", "new")]


@pytest.mark.anyio
async def test_a_watch_that_no_longer_waits_lets_go_of_what_waited_and_copies_are_told_with_it(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", after=1)
    await room.files("guardian/main", entry(31, DRAFT))
    (room.folder / "watches/beat.toml").write_text(WATCH.replace("corroborated =", "# corroborated ="))
    room.desk.edition = desk_over(room.store, room.clock, room.folder).edition
    assert await room.desk.reconsider() == 3
    found = await rows(room)
    assert found["ap", "new"].reason == f"told with {found['guardian', 'new'].id}"
    assert {parcel.message.key for parcel in (await sent(room)).parcels} == {
        found["guardian", "new"].key, found["bbc", "new"].key,
    }  # fmt: skip


@pytest.mark.anyio
async def test_a_watch_that_is_removed_leaves_what_waited_to_the_look_after_the_outbox(opened: Open) -> None:
    room = opened()
    await told(room, "ap")
    (room.folder / "watches/beat.toml").write_text(WATCH.replace("sure", "other"))
    room.desk.edition = desk_over(room.store, room.clock, room.folder).edition
    assert await room.desk.reconsider() == 0
    await room.store.tend(
        room.clock.at, channels=["desk"], watches=["other"], escalations=(), give_up=timedelta(hours=72)
    )  # fmt: skip
    assert [row.reason for row in (await rows(room)).values()] == ["watch removed"]


@pytest.mark.anyio
async def test_where_the_row_that_tells_dies_one_that_waited_is_told_instead(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", "times-of-israel", after=1)

    claimed = await room.store.claim_messages(
        room.clock.at, rooms={"desk": Room(messages=1, alerts=9)}, lease=timedelta(minutes=1)
    )  # fmt: skip
    await room.store.settle(claimed[0], Delivery(verdict="refused", detail="400"), now=room.clock.at, due=None)
    found = await rows(room)
    assert conditions(found)["times-of-israel", "corroborated"] == "dead"
    assert (found["ap", "new"].condition, found["ap", "new"].gather) == ("pending", "")
    assert found["bbc", "new"].reason == f"told with {found['ap', 'new'].id}"


@pytest.mark.anyio
async def test_a_story_whose_telling_row_died_and_that_was_told_by_another_is_not_told_once_more(opened: Open) -> None:
    room = opened()
    await told(room, "ap", "bbc", "times-of-israel", after=1)

    claimed = await room.store.claim_messages(
        room.clock.at, rooms={"desk": Room(messages=1, alerts=9)}, lease=timedelta(minutes=1)
    )  # fmt: skip
    await room.store.settle(claimed[0], Delivery(verdict="refused", detail="400"), now=room.clock.at, due=None)
    found = await rows(room)
    assert conditions(found)["times-of-israel", "corroborated"] == "dead"
    assert (found["ap", "new"].condition, found["ap", "new"].gather) == ("pending", "")
    assert found["bbc", "new"].reason == f"told with {found['ap', 'new'].id}"
    await told(room, "france24", after=1)
    assert ("france24", "corroborated") not in await rows(room)
    assert [row.state for row in (await rows(room)).values() if row.condition in ("pending", "delivered")].count(
        "corroborated"
    ) == 0


@pytest.mark.anyio
async def test_rows_that_wait_are_given_up_by_nobody_and_escalate_nothing(opened: Open) -> None:
    room = opened(WATCH.replace('"high"', '"critical"'))
    await told(room, "ap")
    await room.later(80 * 60)
    rule = Escalation(channel="desk", to="desk", after=timedelta(minutes=10))
    found = await room.store.tend(
        room.clock.at, channels=["desk"], watches=["sure"], escalations=[rule], give_up=timedelta(hours=72)
    )  # fmt: skip
    assert (found.buried, found.escalated) == (0, 0)
    assert await room.desk.reconsider() == 1
