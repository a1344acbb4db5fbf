"""The commands of a reviewer: what they do, what they say, and that every decision can be read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from tests.monitor.corrections.room import DRAFT, FERRY, FERRY_AGAIN, STRIKE, Room

pytestmark = pytest.mark.anyio


async def run(room: Room, *args: str, code: int = 0) -> str:
    command = ["--config", str(room.folder), "stories", *args]
    result = await asyncio.to_thread(CliRunner().invoke, cli, command)
    assert result.exit_code == code, result.output
    return result.output


async def row(room: Room, story: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await run(room, "show", story, "--json"))
    return told


async def test_a_split_says_what_it_did_and_how_to_take_it_back(room: Room) -> None:
    first, second = await room.publish(FERRY), await room.publish(FERRY_AGAIN, "bbc")
    said = await run(room, "split", first.id, second.id, "--by", "dana")  # an item's id stands for its story
    new = (await room.item(second)).story
    assert said == f"split 1 item off {first.story}: {new}. `wirewatch stories undo 1` takes it back.\n"
    assert "moved here by dana" in await run(room, "show", new)
    assert "BBC News (moved here by dana)" in await run(room, "timeline", new)
    assert await run(room, "undo", "1", "--by", "omar") == "took back 1.\n"
    assert (await room.item(second)).story == first.story
    listed = await run(room, "corrections")
    assert "taken back" in listed
    assert "omar" in listed
    told = [json.loads(line) for line in (await run(room, "corrections", "--json")).splitlines()]
    assert [(each["number"], each["kind"], each["undoes"], each["undone"]) for each in told] == [
        (2, "split", 1, False), (1, "split", None, True),
    ]  # fmt: skip


async def test_every_item_says_how_surely_it_stands_there_why_and_who_says_otherwise(room: Room) -> None:
    first, second = await room.publish(FERRY), await room.publish(FERRY_AGAIN, "bbc")
    strike = await room.publish(STRIKE, "guardian")
    await run(room, "merge", strike.story, first.story, "--by", "dana")
    await run(room, "origin", second.id, "axios", "--by", "dana")
    told = await row(room, first.story)
    members = {each["item"]: each for each in told["members"]}
    assert (members[first.id]["score"], members[first.id]["why"]) == (1, "the first to tell it")
    assert 0.25 <= members[second.id]["score"] < 1
    assert members[second.id]["why"].startswith("shares ")
    assert members[second.id]["corrected"] == ["goes back to axios, says dana"]
    assert "Axios" in members[second.id]["goes_back_to"]
    assert members[strike.id]["why"] == "moved here by dana"
    assert [each["kind"] for each in told["corrections"]] == ["origin", "merge"]
    assert await row(room, strike.story) == told


async def test_links_say_whose_word_they_are(room: Room) -> None:
    english, hebrew = await room.publish(FERRY), await room.publish(DRAFT["he"], "haaretz-he")
    await run(room, "link", english.story, hebrew.story, "--by", "dana")
    (link,) = (await row(room, english.story))["links"]
    assert (link["story"], link["reason"], link["by"]) == (hebrew.story, "dana says so", "dana")
    assert "dana says so" in await run(room, "show", english.story)
    await run(room, "unlink", hebrew.id, english.id, "--by", "dana")
    assert (await row(room, english.story))["links"] == []


async def test_copies_and_own_reporting_are_told_in_the_timeline(room: Room) -> None:
    first, copy = await room.publish(FERRY), await room.publish(FERRY, "bbc")
    await run(room, "copy", copy.id, "--none", "--by", "dana")
    await run(room, "origin", copy.id, "own", "--by", "dana")
    timeline = await run(room, "timeline", first.story)
    assert "BBC News (is no copy, says dana)" in timeline
    assert "BBC News (is its outlet's own reporting, says dana)" in timeline
    await run(room, "copy", copy.id, first.id, "--by", "omar")
    assert (await room.item(copy)).copy_of == first.id
    told = json.loads(await run(room, "timeline", first.story, "--format", "json"))
    assert [each["why"] for each in told["moments"] if each["what"] == "corrected"][-1].endswith("says omar")


async def test_apart_is_said_and_listed_of_its_story(room: Room) -> None:
    ferry, strike = await room.publish(FERRY), await room.publish(STRIKE, "bbc")
    other = await room.publish(DRAFT["en"], "guardian")
    said = await run(room, "apart", ferry.story, strike.story, "--by", "dana")
    assert f"keeps {ferry.story} and {strike.story} apart" in said
    assert strike.story in await run(room, "corrections", "--story", ferry.id)
    assert await run(room, "corrections", "--story", other.id) == "Nothing was corrected.\n"


async def test_by_is_the_login_name_unless_it_is_given(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    item = await room.publish(FERRY)
    monkeypatch.setenv("LOGNAME", "noor")
    await run(room, "origin", item.id, "axios")
    assert [each.by for each in await room.store.corrections()] == ["noor"]
    assert "say who you are" in await run(room, "origin", item.id, "own", "--by", " ", code=2)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("split", "STORY", "ITEM"), 1, "not all"),
        (("split", "nothing", "ITEM"), 1, "No story or item is called nothing"),
        (("merge", "STORY", "ITEM"), 1, "are one story"),
        (("origin", "ITEM", "axois"), 1, 'did you mean "axios"'),
        (("origin", "nobody", "axios"), 1, "No item is called nobody"),
        (("copy", "ITEM"), 2, "give the item that it has the words of, or --none"),
        (("copy", "ITEM", "--none"), 1, "is not taken for a copy"),
        (("undo", "7"), 1, "There is no correction 7"),
    ],
)
async def test_what_cannot_be_done_is_said_plainly(room: Room, args: tuple[str, ...], code: int, words: str) -> None:
    item = await room.publish(FERRY)
    named = [{"STORY": item.story, "ITEM": item.id}.get(each, each) for each in args]
    assert words in await run(room, *named, "--by", "dana", code=code)
    assert await room.store.corrections() == ()


@pytest.mark.parametrize("name", ["split", "merge", "apart", "link", "unlink", "origin", "copy", "corrections", "undo"])
async def test_every_command_explains_itself(room: Room, name: str) -> None:
    said = await run(room, name, "--help")
    assert name == "corrections" or "your login name" in said
    assert len(said.splitlines()) > 6
