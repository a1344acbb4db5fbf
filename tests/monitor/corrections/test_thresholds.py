"""``[stories]`` is taken into force with a configuration that is saved while the service runs."""

from __future__ import annotations

import pytest

from config.load import load
from monitor.edition import edition
from tests.monitor.corrections.room import DRAFT, FERRY, FERRY_AGAIN, Room

pytestmark = pytest.mark.anyio


async def save(room: Room, **settings: object) -> None:
    settings_ = load(room.folder).settings
    stories = settings_.stories.model_copy(update=settings)
    told = load(room.folder).model_copy(update={"settings": settings_.model_copy(update={"stories": stories})})
    room.desk.edition = edition(told)


async def test_items_join_and_stories_are_linked_by_the_thresholds_in_force(room: Room) -> None:
    await save(room, join=0.9, merge=0.9, link=1.3)
    first, second = await room.publish(FERRY), await room.publish(FERRY_AGAIN, "bbc")
    english, hebrew = await room.publish(DRAFT["en"]), await room.publish(DRAFT["he"], "haaretz-he")
    assert first.story != second.story
    assert (await room.story(english)).links == ()
    await save(room)
    third = await room.publish("Ferry aground off Limassol harbour: passengers evacuated", "guardian")
    assert third.story in {first.story, second.story}
    await room.publish("המתווכות בדוחא מסרו טיוטה לשחרור 50 חטופים", "haaretz-he")
    assert [each.story for each in (await room.story(english)).links] == [hebrew.story]
