"""Reviewers in another process correct while the service files: nobody is lost, and the two agree in the end."""

from __future__ import annotations

import asyncio

import pytest

from monitor.errors import CannotCorrect, UnknownName
from monitor.stories.places import Places
from tests.monitor.corrections.room import DRAFT, FERRY, FERRY_AGAIN, STRIKE, STRIKE_AGAIN, Room

pytestmark = pytest.mark.anyio
TEXTS = (FERRY, STRIKE, FERRY_AGAIN, STRIKE_AGAIN)
OUTLETS = ("ap", "bbc", "guardian", "nbc")


async def corrected(room: Room, over: asyncio.Event) -> int:
    """Merge and split whatever there is, again and again; how often it was done."""
    done = 0
    while not over.is_set():
        items = await room.reviewer.items(limit=100)
        if len(items) < 2:
            continue
        one, other = items[0], items[-1]
        try:
            if one.story == other.story:
                await room.reviewer.split(one.story, [one.id], by="dana", now=room.clock.at)
            else:
                await room.reviewer.merge_stories(one.story, other.story, by="dana", now=room.clock.at)
        except (CannotCorrect, UnknownName):  # the service filed something in between
            continue
        done += 1
    return done


async def published(room: Room, over: asyncio.Event) -> None:
    for number in range(24):
        await room.publish(f"{TEXTS[number % 4]} {number}", OUTLETS[number % 3])
    over.set()


async def test_corrections_between_filings_are_all_heeded_and_nothing_is_lost(room: Room) -> None:
    over = asyncio.Event()
    done, _ = await asyncio.gather(corrected(room, over), published(room, over))
    assert done > 0
    await room.publish("Museum of the harbour reopens in Nicosia today")
    items = await room.store.items(limit=100)
    assert len(items) == 25
    places: Places = room.desk.deciding._places
    assert {each.id: places._clusters.story_of(each.id) for each in items} == {each.id: each.story for each in items}
    told = [await room.store.story(name) for name in {each.story for each in items}]
    assert sorted(item.id for story in told if story for item in story.items) == sorted(each.id for each in items)
    assert len(await room.store.corrections(limit=10_000)) == done


async def test_two_reviewers_who_merge_the_same_stories_do_it_once(room: Room) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    both = await asyncio.gather(
        room.reviewer.merge_stories(strike.story, ferry.story, by="dana", now=room.clock.at),
        room.store.merge_stories(strike.story, ferry.story, by="omar", now=room.clock.at),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in sorted(both, key=lambda each: type(each).__name__)] == [
        "CannotCorrect", "Correction",
    ]  # fmt: skip
    assert len(await room.store.corrections()) == 1


async def test_corrections_are_listed_of_a_story_by_any_id_it_had_and_of_its_items(room: Room) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    hebrew = await room.publish(DRAFT["he"], "haaretz-he")
    merged = await room.merge(strike, ferry)
    origin = await room.reviewer.correct_origin(strike.id, None, by="omar", now=room.clock.at)
    other = await room.reviewer.correct_origin(hebrew.id, None, by="omar", now=room.clock.at)
    for name in (ferry.story, strike.story):
        assert [each.number for each in await room.store.corrections(story=name)] == [origin.number, merged.number]
    assert [each.number for each in await room.store.corrections(limit=1)] == [other.number]
    back = await room.undo(merged)
    told = {each.number: each for each in await room.store.corrections()}
    assert told[merged.number].undone
    assert (told[back.number].undoes, told[back.number].by) == (merged.number, "omar")
    for number in (merged.number, back.number):
        with pytest.raises(CannotCorrect):
            await room.reviewer.undo_correction(number, by="dana", now=room.clock.at)
    with pytest.raises(UnknownName):
        await room.reviewer.undo_correction(99, by="dana", now=room.clock.at)


async def test_rulings_of_stories_that_were_forgotten_go_and_what_was_said_stays(room: Room) -> None:
    one = await room.publish("Museum of the harbour reopens in Nicosia today")
    other = await room.publish(DRAFT["en"], "bbc")
    await room.reviewer.keep_apart(one.story, other.story, by="dana", now=room.clock.at)
    assert (await room.store.rulings()).apart
    last = [await room.publish(text, outlet, later=5000) for text, outlet in ((FERRY, "ap"), (STRIKE, "bbc"))]
    end = last[0].first_seen
    await room.store.prune(bodies_before=end, revisions_before=end, identity_before=end)
    assert {each.id for each in await room.store.items()} == {each.id for each in last}
    assert (await room.store.rulings()).apart == ()
    assert len(await room.store.corrections()) == 1
