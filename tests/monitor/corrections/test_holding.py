"""What a reviewer corrects holds for what comes later: while the service runs, and after it starts again."""

from __future__ import annotations

import pytest

from monitor.errors import CannotCorrect, UnknownName
from tests.monitor.corrections.room import DRAFT, FERRY, FERRY_AGAIN, STRIKE, STRIKE_AGAIN, Room

pytestmark = pytest.mark.anyio
PAPHOS = FERRY + ", second ferry off Paphos damaged"
each_life = pytest.mark.parametrize("restarted", [False, True], ids=["while it runs", "after a restart"])


@each_life
async def test_what_follows_items_that_were_split_off_joins_them_and_not_the_rest(room: Room, restarted: bool) -> None:
    first, second = await room.publish(FERRY), await room.publish(PAPHOS, "bbc")
    assert first.story == second.story
    done = await room.split(second)
    assert (done.kind, done.story, done.items, done.by) == ("split", first.story, (second.id,), "dana")
    if restarted:
        await room.restart()
    later, other = await room.publish(PAPHOS + " badly", "haaretz-en"), await room.publish(FERRY, "guardian")
    assert later.story == done.other
    assert other.story == first.story
    assert {each.id for each in (await room.story(second)).items} == {second.id, later.id}


@each_life
async def test_what_follows_a_merged_story_joins_the_one_it_is_part_of(room: Room, restarted: bool) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    assert ferry.story != strike.story
    await room.merge(strike, ferry)
    if restarted:
        await room.restart()
    later = await room.publish(STRIKE_AGAIN, "haaretz-en")
    assert later.story == ferry.story
    assert (await room.story(strike)).id == ferry.story
    found = await room.store.story(strike.story)
    assert found is not None
    assert found.id == ferry.story


@each_life
async def test_stories_that_are_kept_apart_are_not_merged_by_an_item_that_belongs_to_both(
    room: Room, restarted: bool
) -> None:
    first, second = await room.publish(FERRY), await room.publish(FERRY.replace("40", "41"), "bbc")
    done = await room.split(second)
    await room.undo(done)
    again = await room.split(second)
    if restarted:
        await room.restart()
    await room.publish(FERRY.replace("40", "42"), "haaretz-en")  # no copy: another number
    await room.publish(FERRY.replace("40", "43"), "guardian")
    assert (await room.story(first)).id == first.story
    assert (await room.story(second)).id == again.other != done.other


async def test_keeping_apart_is_asked_for_once_and_taken_back(room: Room) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    apart = await room.reviewer.keep_apart(ferry.story, strike.story, by="dana", now=room.clock.at)
    with pytest.raises(CannotCorrect, match="already"):
        await room.reviewer.keep_apart(strike.story, ferry.story, by="dana", now=room.clock.at)
    assert {frozenset(pair) for pair in (await room.store.rulings()).apart} == {frozenset((ferry.story, strike.story))}
    await room.undo(apart)
    assert (await room.store.rulings()).apart == ()


async def test_who_merges_what_was_kept_apart_is_obeyed_and_may_go_back(room: Room) -> None:
    first, second = await room.publish(FERRY), await room.publish(PAPHOS, "bbc")
    split = await room.split(second)
    merged = await room.merge(second, first)
    assert (await room.story(second)).id == first.story
    assert (await room.store.rulings()).apart == ()
    with pytest.raises(CannotCorrect, match=f"while {merged.number}, by dana, stands"):
        await room.undo(split)
    await room.undo(merged)
    assert (await room.story(second)).id == split.other
    assert {frozenset(pair) for pair in (await room.store.rulings()).apart} == {frozenset((first.story, split.other))}


@each_life
async def test_a_pair_that_was_unlinked_is_not_linked_again_until_that_is_taken_back(
    room: Room, restarted: bool
) -> None:
    english, hebrew = await room.publish(DRAFT["en"]), await room.publish(DRAFT["he"], "haaretz-he")
    (link,) = (await room.story(english)).links
    assert (link.story, link.by) == (hebrew.story, "")
    done = await room.reviewer.unlink_stories(english.story, hebrew.story, by="dana", now=room.clock.at)
    assert (await room.story(english)).links == (await room.story(hebrew)).links == ()
    if restarted:
        await room.restart()
    await room.publish("Draft handed to both sides in Doha would release 50 hostages in phases", "bbc")
    assert (await room.story(english)).links == (await room.story(hebrew)).links == ()
    await room.undo(done)
    assert [each.story for each in (await room.story(english)).links] == [hebrew.story]


async def test_a_link_by_a_reviewers_word_stays_and_says_whose_it_is(room: Room) -> None:
    english, hebrew = await room.publish(FERRY), await room.publish(DRAFT["he"], "haaretz-he")
    assert (await room.story(english)).links == ()
    done = await room.reviewer.link_stories(english.story, hebrew.story, by="dana", now=room.clock.at)
    await room.publish(FERRY_AGAIN, "bbc")
    (link,) = (await room.story(english)).links
    assert (link.story, link.reason, link.by) == (hebrew.story, "dana says so", "dana")
    assert [each.id for each in (await room.store.event(english.story))] == [english.story, hebrew.story]
    later = await room.reviewer.unlink_stories(hebrew.story, english.story, by="omar", now=room.clock.at)
    assert (await room.story(hebrew)).links == ()
    await room.undo(done)  # what came after it still counts
    assert (await room.story(hebrew)).links == ()
    await room.undo(later)
    assert (await room.story(hebrew)).links == ()


async def test_a_link_follows_a_story_into_another_and_back(room: Room) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    hebrew = await room.publish(DRAFT["he"], "haaretz-he")
    await room.reviewer.link_stories(strike.story, hebrew.story, by="dana", now=room.clock.at)
    merged = await room.merge(strike, ferry)
    assert [each.story for each in (await room.story(hebrew)).links] == [ferry.story]
    await room.undo(merged)
    assert [each.story for each in (await room.story(hebrew)).links] == [strike.story]
    assert (await room.story(ferry)).links == ()


async def test_nothing_is_told_again_because_of_a_correction(room: Room) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    before = await room.store.alerts(limit=100)
    assert len(before) == 2
    merged = await room.merge(strike, ferry)
    await room.undo(merged)
    await room.split(await room.publish(FERRY_AGAIN, "haaretz-en"))
    after = await room.store.alerts(limit=100)
    assert after[-2:] == before
    assert len(after) == 3


@pytest.mark.parametrize("wrong", ["all", "none", "stranger", "unknown item", "unknown story"])
async def test_a_split_that_makes_no_sense_is_refused_and_changes_nothing(room: Room, wrong: str) -> None:
    first, second = await room.publish(FERRY), await room.publish(FERRY_AGAIN, "bbc")
    stranger = await room.publish(STRIKE, "guardian")
    items = {"all": [first.id, second.id], "none": [], "stranger": [stranger.id], "unknown item": ["nobody"]}
    story = "nothing" if wrong == "unknown story" else first.story
    with pytest.raises(UnknownName if wrong.startswith("unknown") else CannotCorrect):
        await room.reviewer.split(story, items.get(wrong, [second.id]), by="dana", now=room.clock.at)
    assert await room.reviewer.corrections() == ()
    assert len((await room.story(first)).items) == 2


async def test_languages_are_linked_and_never_merged(room: Room) -> None:
    english, hebrew = await room.publish(DRAFT["en"]), await room.publish(DRAFT["he"], "haaretz-he")
    other = await room.publish(STRIKE, "bbc")
    with pytest.raises(CannotCorrect, match="two languages"):
        await room.merge(hebrew, english)
    with pytest.raises(CannotCorrect, match="two languages"):
        await room.reviewer.keep_apart(hebrew.story, english.story, by="dana", now=room.clock.at)
    with pytest.raises(CannotCorrect, match="one language"):
        await room.reviewer.link_stories(other.story, english.story, by="dana", now=room.clock.at)
    with pytest.raises(CannotCorrect, match="one story"):
        await room.merge(other, other)
