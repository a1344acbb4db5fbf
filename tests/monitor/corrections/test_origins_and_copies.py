"""Whose reporting an item is and whose words it has, by a reviewer's word: for it, its story, and what comes later."""

from __future__ import annotations

import pytest

from monitor.errors import CannotCorrect, UnknownName
from monitor.model.items import Item, Reported
from monitor.stories.reported import by_word, roots_of, whose
from monitor.stories.roots import Root
from tests.monitor.corrections.room import DRAFT, FERRY, FERRY_AGAIN, STRIKE, Room

pytestmark = pytest.mark.anyio


async def roots(room: Room, item: Item) -> dict[str, Root]:
    return dict(roots_of((await room.story(item)).items))


def source(room: Room, name: str) -> Reported:
    return by_word(name, room.desk.edition.sources, room.desk.edition.config.outlets)


@pytest.mark.parametrize(
    ("name", "relation"), [("axios", "cite"), ("reuters", "credit"), ("statement:idf", "statement"), ("bbc", "cite")]
)
async def test_an_item_goes_back_to_whom_a_reviewer_names(room: Room, name: str, relation: str) -> None:
    item = await room.publish(FERRY, "guardian", lead="The ferry ran aground, according to the Times of Israel.")
    assert (await roots(room, item))[item.id].id == "times-of-israel"
    done = await room.reviewer.correct_origin(item.id, source(room, name), by="dana", now=room.clock.at)
    assert done.value == name
    root = (await roots(room, item))[item.id]
    assert (root.id, root.how) == (name, relation)
    counts = whose(await room.item(item))
    assert counts is not None
    assert (counts.id, counts.by) == (name, "dana")
    await room.undo(done)
    assert (await roots(room, item))[item.id].id == "times-of-israel"


async def test_a_corrected_origin_outlives_later_texts_and_a_restart_and_is_taken_back_to_what_is_found_now(
    room: Room,
) -> None:
    item = await room.publish(FERRY, "guardian", lead="The ferry ran aground, according to the Times of Israel.")
    done = await room.reviewer.correct_origin(item.id, None, by="dana", now=room.clock.at)
    assert done.value == ""
    await room.restart()
    edited = await room.edit(1, FERRY, "guardian", lead="The ferry ran aground, Haaretz reported, and nobody was hurt.")
    root = (await roots(room, edited))[edited.id]
    assert (root.id, root.how) == ("guardian", "own")
    assert [each.id for each in edited.origins if each.aside] == ["haaretz"]
    await room.undo(done)
    assert (await roots(room, item))[item.id].id == "haaretz"


async def test_copies_share_a_corrected_origin_whatever_they_credit_themselves(room: Room) -> None:
    first = await room.publish(FERRY, "guardian")
    copy = await room.publish(FERRY, "bbc", lead="LIMASSOL (Reuters) - The ferry ran aground in strong winds.")
    assert copy.copy_of == first.id
    assert {root.id for root in (await roots(room, first)).values()} == {"reuters"}
    await room.reviewer.correct_origin(first.id, source(room, "axios"), by="dana", now=room.clock.at)
    assert {root.id for root in (await roots(room, first)).values()} == {"axios"}
    await room.reviewer.correct_origin(first.id, None, by="dana", now=room.clock.at)
    assert {root.id for root in (await roots(room, first)).values()} == {"guardian"}


async def test_words_that_are_a_copys_own_make_the_first_one_the_copy_of_its_outlet(room: Room) -> None:
    first, copy = await room.publish(FERRY, "guardian"), await room.publish(FERRY, "bbc")
    await room.reviewer.correct_origin(copy.id, None, by="dana", now=room.clock.at)
    found = await roots(room, first)
    assert {root.id for root in found.values()} == {"bbc"}
    assert (found[first.id].how, found[copy.id].how) == ("copy", "own")


async def test_what_is_said_twice_or_of_nobody_is_refused(room: Room) -> None:
    item = await room.publish(FERRY, "guardian")
    await room.reviewer.correct_origin(item.id, source(room, "axios"), by="dana", now=room.clock.at)
    with pytest.raises(CannotCorrect, match="already"):
        await room.reviewer.correct_origin(item.id, source(room, "axios"), by="omar", now=room.clock.at)
    with pytest.raises(UnknownName):
        await room.reviewer.correct_origin("nobody", None, by="omar", now=room.clock.at)
    with pytest.raises(UnknownName, match='did you mean "axios"'):
        source(room, "axois")


# ------------------------------------------------------------------ copies


async def test_an_item_that_is_no_copy_is_a_voice_of_its_own_and_is_not_taken_for_one_again(room: Room) -> None:
    first, copy = await room.publish(FERRY, "guardian"), await room.publish(FERRY, "bbc")
    assert len({root.id for root in (await roots(room, first)).values()}) == 1
    done = await room.reviewer.correct_copy(copy.id, None, by="dana", now=room.clock.at)
    assert len({root.id for root in (await roots(room, first)).values()}) == 2
    body = "The ferry left the harbour before dawn and struck the rocks below the lighthouse in strong winds. " * 6
    await room.edit(1, FERRY, "guardian", lead=body)
    held = await room.edit(2, FERRY, "bbc", lead=body)
    assert (held.copy_of, held.copy_by) == (None, "dana")
    await room.undo(done)
    held = await room.item(copy)
    assert (held.copy_of, held.copy_by) == (first.id, "")


async def test_a_copy_by_a_reviewers_word_stands_in_its_originals_story_with_its_own_copies(room: Room) -> None:
    ferry = await room.publish(FERRY, "guardian")
    strike, again = await room.publish(STRIKE, "bbc"), await room.publish(STRIKE, "nbc")
    assert again.copy_of == strike.id
    done = await room.reviewer.correct_copy(strike.id, ferry.id, by="dana", now=room.clock.at)
    assert set(done.items) == {strike.id, again.id}
    for each in (strike, again):
        held = await room.item(each)
        assert (held.story, held.copy_of) == (ferry.story, ferry.id)
    assert (await room.item(strike)).copy_reason == "dana says so"
    found = await room.store.story(strike.story)
    assert found is not None
    assert found.id == ferry.story
    later = await room.publish(STRIKE, "haaretz-en")
    assert (later.story, later.copy_of) == (ferry.story, ferry.id)
    await room.undo(done)
    assert ((await room.item(strike)).story, (await room.item(again)).copy_of) == (strike.story, strike.id)


async def test_the_copy_may_turn_out_to_be_the_original(room: Room) -> None:
    first, copy = await room.publish(FERRY, "guardian"), await room.publish(FERRY, "bbc")
    third = await room.publish(FERRY, "nbc")
    done = await room.reviewer.correct_copy(first.id, copy.id, by="dana", now=room.clock.at)
    assert [(await room.item(each)).copy_of for each in (first, copy, third)] == [copy.id, None, copy.id]
    await room.undo(done)
    assert [(await room.item(each)).copy_of for each in (first, copy, third)] == [None, first.id, first.id]


async def test_a_copy_of_itself_of_its_original_or_of_another_language_is_refused(room: Room) -> None:
    first, copy = await room.publish(FERRY, "guardian"), await room.publish(FERRY, "bbc")
    hebrew = await room.publish(DRAFT["he"], "haaretz-he")
    for item, of in ((first, first), (copy, first), (hebrew, first), (first, None)):
        with pytest.raises(CannotCorrect):
            await room.reviewer.correct_copy(item.id, of and of.id, by="dana", now=room.clock.at)
    assert await room.store.corrections() == ()


async def test_the_origin_of_an_item_that_is_found_to_be_another_one_is_kept(room: Room) -> None:
    first, second = await room.publish(FERRY, "guardian"), await room.publish(FERRY_AGAIN, "guardian")
    await room.reviewer.correct_origin(second.id, source(room, "axios"), by="dana", now=room.clock.at)
    assert first.id != second.id
    merged = await room.both(1, 2, FERRY_AGAIN, "guardian")
    assert merged.id == first.id
    counts = whose(merged)
    assert counts is not None
    assert (counts.id, counts.by) == ("axios", "dana")
