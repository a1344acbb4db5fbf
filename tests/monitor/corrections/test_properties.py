"""Whatever reviewers do, in whatever order: every item stands in one story, every id is found, and all goes back."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import load
from monitor.edition import edition
from monitor.errors import CannotCorrect
from monitor.model.stories import Correction
from monitor.stories.places import Places
from tests.monitor.corrections.room import FERRY, FERRY_AGAIN, STRIKE, STRIKE_AGAIN, Room, made

COMPILED = edition(load(None))
TEXTS = (FERRY, STRIKE, FERRY_AGAIN, STRIKE_AGAIN, FERRY + ", second ferry off Paphos damaged", STRIKE + " and hours")
OUTLETS = ("ap", "bbc", "haaretz-en", "guardian", "nbc", "ynetnews")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "split", "merge", "apart", "copy", "undo", "restart"]), st.integers(0, 10**6)
    ),
    max_size=14,
)


async def taken(room: Room, step: str, choice: random.Random, done: list[Correction]) -> None:
    """One step of somebody; what makes no sense is refused."""
    items = [each.id for each in await room.store.items(limit=100)]
    if step == "publish" or len(items) < 2:
        await room.publish(choice.choice(TEXTS), choice.choice(OUTLETS))
        return
    if step == "restart":
        await room.restart()
        return
    now, (first, second) = room.clock.at, [await room.item(each) for each in choice.sample(items, 2)]
    try:
        match step:
            case "split":
                held = await room.story(first)
                chosen = choice.sample([each.id for each in held.items], choice.randint(1, len(held.items)))
                done.append(await room.reviewer.split(held.id, chosen, by="dana", now=now))
            case "merge":
                done.append(await room.reviewer.merge_stories(first.story, second.story, by="dana", now=now))
            case "apart":
                done.append(await room.reviewer.keep_apart(first.story, second.story, by="dana", now=now))
            case "copy":
                of = None if choice.random() < 0.3 else second.id
                done.append(await room.reviewer.correct_copy(first.id, of, by="dana", now=now))
            case "undo":
                if done:
                    await room.undo(choice.choice(done))
    except CannotCorrect:
        return


async def stand(room: Room) -> dict[str, str]:
    """Item → story, after looking that all is as it must be."""
    items = await room.store.items(limit=100)
    for item in items:
        story = await room.store.story(item.story)
        assert story is not None
        assert story.id == item.story
        assert [each.id for each in story.items].count(item.id) == 1
        if item.copy_of is not None:
            assert (await room.item(item.copy_of)).copy_of is None
    return {item.id: item.story for item in items}


def in_memory(room: Room, items: dict[str, str]) -> dict[str, str | None]:
    places: Places = room.desk.deciding._places
    return {item: places._clusters.story_of(item) for item in items}


def run(steps: list[tuple[str, int]], check: Any) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            room = await made(Path(folder), COMPILED)
            try:
                await check(room, steps)
            finally:
                await room.reviewer.close()
                await room.store.close()

    asyncio.run(live())


@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_every_item_stands_in_one_story_every_id_is_found_and_the_service_sees_the_same(
    steps: list[tuple[str, int]],
) -> None:
    async def check(room: Room, steps: list[tuple[str, int]]) -> None:
        known: set[str] = set()
        done: list[Correction] = []
        for step, number in [("publish", 0), ("publish", 1), *steps]:
            await taken(room, step, random.Random(number), done)
            known |= set((await stand(room)).values()) | {each.other for each in done if each.other}
        for story in known:
            assert await room.store.story(story) is not None
        await room.publish("Museum of the harbour reopens in Nicosia today", "ap")
        now = await stand(room)
        assert in_memory(room, now) == now

    run(steps, check)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_corrections_that_are_taken_back_in_turn_leave_nothing_behind(steps: list[tuple[str, int]]) -> None:
    async def check(room: Room, steps: list[tuple[str, int]]) -> None:
        for text, outlet in zip(TEXTS, OUTLETS, strict=True):
            await room.publish(text, outlet)
        before = await everything(room)
        done: list[Correction] = []
        for step, number in steps:
            if step in ("split", "merge", "apart", "copy"):
                await taken(room, step, random.Random(number), done)
        for each in reversed(done):
            await room.undo(each)
        assert await everything(room) == before
        assert len(await room.store.corrections(limit=1000)) == 2 * len(done)

    run(steps, check)


async def everything(room: Room) -> Any:
    items = await room.store.items(limit=100)
    rulings = await room.store.rulings()
    return [(each.id, each.story, each.story_reason, each.story_score, each.copy_of, each.copy_by, each.copy_reason)
            for each in items], rulings.apart  # fmt: skip
