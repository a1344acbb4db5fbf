"""Corrections from the page: the story as it was corrected, who did it, and taking it back."""

from __future__ import annotations

import re

import pytest

from monitor.model.stories import Placed
from tests.monitor.web.desk import Desk, get, post

pytestmark = pytest.mark.anyio


async def story(desk: Desk) -> tuple[str, list[str]]:
    """One story with three items."""
    items = [
        await desk.file(
            f"Talks {number} in Doha", age=9 - number, placed=Placed(story="s1", score=1.0, reason="shares doha")
        )
        for number in range(3)
    ]
    return "s1", items


async def test_items_are_split_off_and_the_split_is_taken_back(desk: Desk) -> None:
    name, items = await story(desk)
    done = await post(desk, f"/stories/{name}/split", {"item": items[2]})
    assert done.status == 303
    page = await get(desk, done.headers["location"])
    assert "Talks 2 in Doha" in page.text
    assert "Talks 0 in Doha" not in page.text
    [told] = await desk.store.corrections()
    assert (told.kind, told.by, told.items) == ("split", "here", (items[2],))
    old = (await get(desk, f"/stories/{name}")).text
    assert "take back" in old
    done = await post(desk, "/corrections/undo", {"number": str(told.number), "back": name})
    assert done.status == 303
    held = await desk.store.story(name)
    assert held is not None
    assert [item.id for item in held.items] == items


async def test_what_makes_no_sense_is_refused_in_words_and_changes_nothing(desk: Desk) -> None:
    name, items = await story(desk)
    for path, said in (
        (f"/stories/{name}/split", {"item": ""}),
        (f"/stories/{name}/merge", {"into": "https://127.0.0.1:8737/stories/nothing"}),
        (f"/items/{items[0]}/origin", {"origin": "<b>nobody</b>"}),
    ):
        got = await post(desk, path, said)
        assert got.status == 409, path
        assert "Nothing was changed." in got.text
        assert "<b>nobody" not in got.text
    assert await desk.store.corrections() == ()


async def test_an_origin_is_corrected_and_the_page_says_so(desk: Desk) -> None:
    _name, items = await story(desk)
    item = items[1]
    assert (await post(desk, f"/items/{item}/origin", {"origin": ""})).status == 303
    [told] = await desk.store.corrections()
    assert told.kind == "origin"
    assert re.search(r"Own reporting of <bdi>BBC News</bdi>", (await get(desk, f"/items/{item}")).text)
