"""A day of one event, filed by the real desk: stories, origins, what an edit changed, and what the watch was told."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.alerts.dispatch import Dispatcher
from monitor.cli import cli
from monitor.model import Alert
from monitor.stories.reported import roots_of, whose
from storage import open_store
from tests.monitor.newsroom import NOON, Mouth, Newsroom, desk_over, entry, open_newsroom

WATCH = """
[[watch]]
id = "deal"
title = "A deal"
when = "@hostage OR @doha"
on = ["new", "edited"]
severity = "high"
cooldown = "3h"
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def newsroom(tmp_path: Path) -> Any:
    room = open_newsroom(tmp_path, WATCH)
    yield room
    await room.store.close()


AP = "Mediators in Doha hand both sides a draft to release 50 hostages in phases"


async def a_day(newsroom: Newsroom) -> None:
    await newsroom.files("ap/world", entry(1, AP, "DOHA (AP) — Mediators handed both sides a draft on Tuesday."))
    await newsroom.later(5)
    await newsroom.files(
        "bbc/world", entry(2, AP, "The draft was handed over on Tuesday, the Associated Press reported.")
    )
    await newsroom.files(
        "haaretz-en/main",
        entry(3, "Draft Handed to Sides in Doha Would Release 50 Hostages in Phases", "Mediators say."),
    )
    await newsroom.later(10)
    await newsroom.files("haaretz-he/main", entry(4, "המתווכות בדוחא מסרו טיוטה: 50 חטופים ישוחררו בפעימות"))
    await newsroom.files("aljazeera-ar/news", entry(5, "الوسطاء في الدوحة يسلمون مسودة للإفراج عن 50 رهينة على مراحل"))
    await newsroom.later(30)
    await newsroom.files(
        "ap/world",
        entry(1, AP.replace("50", "45"), "DOHA (AP) — Mediators handed both sides a draft on Tuesday."),
    )
    await newsroom.later(30)
    await newsroom.files(
        "haaretz-en/main", entry(6, "Officials deny draft handed in Doha would release hostages in phases")
    )


@pytest.mark.anyio
async def test_a_day_has_one_story_in_english_with_its_voices_and_its_links(newsroom: Newsroom) -> None:
    await a_day(newsroom)
    items = await newsroom.items()
    english = [each for each in items.values() if each.language == "en"]
    assert len({each.story for each in english}) == 1, {each.title: each.story_reason for each in english}
    roots = roots_of(english)
    taken = next(each for each in english if each.outlet == "bbc")
    assert roots[taken.id].id == "ap"
    assert {root.id for root in roots.values()} == {"ap", "haaretz"}
    own = whose(taken)
    assert own is not None
    assert own.relation == "cite"
    assert "Associated Press" in own.words
    story = await newsroom.store.story(english[0].story)
    languages = {(await newsroom.store.story(link.story)).items[0].language for link in story.links}
    assert languages == {"he", "ar"}
    assert all(link.reason for link in story.links)


@pytest.mark.anyio
async def test_a_number_that_changes_passes_the_cooldown_and_what_else_is_told_leaves_together(
    newsroom: Newsroom,
) -> None:
    await a_day(newsroom)
    rows: Sequence[Alert] = await newsroom.store.alerts(watch="deal", limit=50)
    by_title = {(await newsroom.store.item(row.item)).title + row.state[:6]: row for row in rows}
    edited = next(row for row in rows if row.state.startswith("edited:"))
    assert (edited.condition, edited.gather) == ("pending", "")
    revisions = await newsroom.store.revisions(edited.item)
    assert revisions[-1].classes == ("number",)
    first = by_title[f"{AP.replace('50', '45')}new"]
    assert (first.condition, first.gather) == ("pending", "")
    held = [row for row in rows if row.gather.startswith("cooldown:deal:")]
    assert {(await newsroom.store.item(row.item)).outlet for row in held} == {"haaretz-en"}
    assert len({(row.gather, row.due) for row in held}) == 1
    copy = next(row for row in rows if row.condition == "suppressed")
    assert copy.reason == f"told with {first.id}"


@pytest.mark.anyio
async def test_an_alert_knows_its_story_and_every_row_is_told_once(newsroom: Newsroom) -> None:
    await a_day(newsroom)
    mouth = Mouth()
    dispatcher = Dispatcher(
        newsroom.store, newsroom.store, lambda: {"desk": mouth}, newsroom.clock, random.Random(1)
    )  # fmt: skip
    await dispatcher.drain()
    await newsroom.later(24 * 60)
    await dispatcher.drain()
    kinds = [parcel.message.kind for parcel in mouth.parcels]
    assert kinds.count("cooldown") == 1
    told = [alert.key for parcel in mouth.parcels for alert in parcel.message.alerts]
    assert len(told) == len(set(told))
    counts = await newsroom.store.count()
    assert (counts["pending"], counts["delivered"]) == (0, len(told))
    ap = next(each for parcel in mouth.parcels for each in parcel.tellings if each.item.outlet == "ap")
    assert ap.story is not None
    assert {each.outlet for each in ap.story.items} == {"ap", "bbc", "haaretz-en"}
    assert {story.items[0].language for story in ap.linked} == {"he", "ar"}


@pytest.mark.anyio
async def test_the_order_in_which_an_answer_lists_decides_nothing(newsroom: Newsroom, tmp_path: Path) -> None:
    titles = [AP, AP.replace("50", "45"), "Draft handed to sides in Doha would release 50 hostages in phases",
              "Rail timetable changes next week", "New rail timetable: what changes next week"]  # fmt: skip
    entries = [replace(entry(n, title), published=NOON - timedelta(minutes=n)) for n, title in enumerate(titles)]
    groupings = set()
    for turn, seed in enumerate((1, 2, 3)):
        store = open_store(f"sqlite:///{tmp_path}/order{turn}.db")
        room = replace(newsroom, store=store, desk=desk_over(store, newsroom.clock, newsroom.folder))
        random.Random(seed).shuffle(entries)
        await room.files("bbc/world", *entries)
        groupings.add(frozenset((each.title, each.story) for each in (await room.items()).values()))
        await store.close()
    assert len(groupings) == 1


@pytest.mark.anyio
async def test_stories_are_known_again_after_a_restart(newsroom: Newsroom) -> None:
    await newsroom.files("ap/world", entry(1, AP))
    again = desk_over(newsroom.store, newsroom.clock, newsroom.folder)
    await again.remember(newsroom.store)
    newsroom.desk = again
    await newsroom.later(20)
    await newsroom.files("bbc/world", entry(2, "Draft handed to sides in Doha would release 50 hostages in phases"))
    assert len({each.story for each in (await newsroom.items()).values()}) == 1


def run(newsroom: Newsroom, *args: str) -> Result:
    result = CliRunner().invoke(cli, ["--config", str(newsroom.folder), "stories", *args])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.anyio
async def test_a_timeline_reads_like_a_note_in_four_forms(newsroom: Newsroom) -> None:
    await a_day(newsroom)
    listed = await asyncio.to_thread(run, newsroom, "list", "--json")
    row = json.loads(listed.output.splitlines()[0])
    assert (row["outlets"], row["origins"], len(row["links"])) == (3, 2, 2)
    text = (await asyncio.to_thread(run, newsroom, "timeline", row["id"])).output
    assert "AP tells it first" in text
    assert "BBC News has the same words" in text
    assert "AP changes number" in text
    assert "[denies]" in text
    assert "(he) seems to tell the same" in text
    markdown = (await asyncio.to_thread(run, newsroom, "timeline", row["id"], "--format", "markdown")).output
    assert markdown.startswith("# ")
    told = json.loads((await asyncio.to_thread(run, newsroom, "timeline", row["id"], "--format", "json")).output)
    assert [each["what"] for each in told["moments"]][:2] == ["first", "copy"]
    table = (await asyncio.to_thread(run, newsroom, "timeline", row["id"], "--format", "csv")).output
    assert len(table.splitlines()) == len(told["moments"]) + 1
    shown = (await asyncio.to_thread(run, newsroom, "show", row["id"])).output
    assert "It seems also in:" in shown
