"""A day of one event, filed by the real desk: stories, origins, what an edit changed, and what the watch was told."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.alerts.channels import wording_of
from monitor.alerts.dispatch import Dispatcher
from monitor.alerts.gathered import worded
from monitor.alerts.markup import PLAIN
from monitor.cli import cli
from monitor.model.alerts import Alert
from monitor.model.entries import Entry
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


# ------------------------------------------------------------------ the scripted day: exactly the expected alerts

BOTH = """
[[watch]]
id = "every"
title = "Every report"
when = "@hostage OR @doha"
on = ["new", "edited", "withdrawn"]
edited = ["number"]
severity = "high"

[[watch]]
id = "sure"
title = "Reported independently"
when = "@hostage OR @doha"
on = ["new", "edited", "withdrawn"]
edited = ["number"]
severity = "high"
corroborated = { origins = 3, within = "90m" }
"""
COPIES = ("bbc", "guardian", "nbc", "france24")
OWN = {
    "times-of-israel": "Doha mediators' draft to both sides: 50 hostages to be released in phases",
    "jerusalem-post": "Draft that mediators gave both sides in Doha would free 50 hostages in phases",
    "ynet": "המתווכות בדוחא מסרו טיוטה: 50 חטופים ישוחררו בפעימות",
    "aljazeera-ar": "الوسطاء في الدوحة يسلمون مسودة للإفراج عن 50 رهينة على مراحل",
}
DENIAL = "Officials deny draft handed in Doha would release hostages in phases"
PLACES = {outlet: place for place, outlet in enumerate(("ap", *COPIES, *OWN, "haaretz-en"), 1)}
"""Each outlet's article has one address, whatever the order in which they come."""

Told = set[tuple[str, str, str, str]]


def tells(outlet: str, title: str, **more: Any) -> tuple[str, Entry]:
    return f"{outlet}/main", entry(PLACES[outlet], title, **more)


async def scripted(room: Newsroom, own: Sequence[str], copies: Sequence[str] = COPIES) -> None:
    """AP's text and four copies; then the own reports of the outlets in ``own`` in their order, within one poll; then
    AP changes a number, another outlet denies, and The Times of Israel takes its report down."""
    await room.files(*tells("ap", AP, lead="DOHA (AP) — Mediators handed both sides a draft on Tuesday."))
    await room.later(5)
    for outlet in copies:
        await room.files(*tells(outlet, AP))
    await room.later(15)
    for outlet in own:
        await room.files(*tells(outlet, OWN[outlet]))
    await room.later(30)
    await room.files(
        *tells("ap", AP.replace("50", "45"), lead="DOHA (AP) — Mediators handed both sides a draft on Tuesday.")
    )
    await room.later(30)
    await room.files(*tells("haaretz-en", DENIAL))
    await room.later(30)
    taken = (await room.items())[OWN["times-of-israel"]]
    await room.takes_down(taken)
    await room.desk.reconsider()


async def what_was_told(room: Newsroom) -> Told:
    """Watch, outlet, state, and what became of it; whatever is told with an alert names that alert's outlet."""
    rows = {row.id: row for row in await room.store.alerts(limit=99)}
    outlets = {row.item: (await room.store.item(row.item)).outlet for row in rows.values()}

    def fate(row: Alert) -> str:
        if not row.reason.startswith("told with "):
            return row.reason or row.condition
        teller = rows[row.reason.removeprefix("told with ")]
        return f"told with {outlets[teller.item]} {teller.state}"

    return {(row.watch, outlets[row.item], row.state.partition(":")[0], fate(row)) for row in rows.values()}


def expected(own: Sequence[str]) -> Told:
    """AP is one voice with its copies; the second own report makes three."""
    tells_it = own[1]
    waited = ["ap", *COPIES, *own[:2]]
    alone = {(watch, *row) for watch in ("every", "sure") for row in (
        ("ap", "edited", "pending"), ("haaretz-en", "new", "pending"), ("times-of-israel", "withdrawn", "pending"),
        *((outlet, "new", "pending") for outlet in own[2:]),
    )}  # fmt: skip
    return alone | {
        ("sure", tells_it, "corroborated", "pending"),
        *(("sure", outlet, "new", f"told with {tells_it} corroborated") for outlet in waited),
        *(("every", outlet, "new", "told with ap new") for outlet in COPIES),
        *(("every", outlet, "new", "pending") for outlet in ("ap", *own[:2])),
    }


@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(own=st.permutations(sorted(OWN)), copies=st.permutations(COPIES))
def test_the_scripted_day_tells_exactly_what_is_expected_in_any_order_inside_a_poll(
    own: list[str], copies: list[str]
) -> None:
    async def play(folder: str) -> Told:
        room = open_newsroom(Path(folder), BOTH)
        try:
            await scripted(room, own, copies)
            return await what_was_told(room)
        finally:
            await room.store.close()

    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(play(folder)) == expected(own)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(listed=st.permutations(range(4)))
def test_the_order_in_which_one_answer_lists_a_story_changes_no_alert(listed: list[int]) -> None:
    """An aggregator lists reports of four publishers at once."""
    english = [AP, OWN["times-of-israel"], OWN["jerusalem-post"], DENIAL]
    publishers = ["AP", "The Times of Israel", "The Jerusalem Post", "Haaretz"]
    entries = [
        replace(
            entry(place, english[place], publisher=publishers[place]), published=NOON - timedelta(minutes=9 - place)
        )
        for place in range(4)
    ]

    async def play(folder: str) -> Told:
        room = open_newsroom(Path(folder), BOTH)
        try:
            await room.files("bbc/main", *(entries[place] for place in listed))
            items = {item.id: item.title for item in (await room.items()).values()}
            return {
                (row.watch, items[row.item], row.state, row.reason) for row in await room.store.alerts(limit=99)
            }  # fmt: skip
        finally:
            await room.store.close()

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        found = asyncio.run(play(folder))
        assert {title for _, title, state, _ in found if state == "corroborated"} == {OWN["jerusalem-post"]}
        listed = [0, 1, 2, 3]
        assert found == asyncio.run(play(other))


@pytest.mark.anyio
async def test_the_scripted_day_leaves_in_words_that_say_who_reports_it(tmp_path: Path) -> None:
    room = open_newsroom(tmp_path, BOTH)
    try:
        await scripted(room, ["ynet", "aljazeera-ar", "times-of-israel", "jerusalem-post"])
        mouth = Mouth()
        await Dispatcher(
            room.store, room.store, lambda: {"desk": mouth}, room.clock, random.Random(1)
        ).drain()  # fmt: skip
        wording = wording_of(room.desk.edition.config)
        (told,) = [parcel for parcel in mouth.parcels if parcel.message.alerts[0].state == "corroborated"]
        text = worded(told, wording).text(PLAIN).replace("\u2068", "").replace("\u2069", "")
        line = next(each for each in text.split("\n") if each.startswith("Reported by 5"))
        assert line.startswith("Reported by 5 origins: AP (also ")
        for name in ("by copy), ", "ynet", "Al Jazeera", "The Jerusalem Post", "Haaretz"):
            assert name in line
        assert "Times of Israel" not in line, "it was taken down"
        denial = next(
            each for parcel in mouth.parcels for each in parcel.tellings if each.item.title == DENIAL
        )  # fmt: skip
        assert denial.alert.state == "new"
    finally:
        await room.store.close()
