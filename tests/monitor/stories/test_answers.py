"""One answer of each outlet in its real shape: what is kept of it, shown of it and known by it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.load import shipped
from monitor.entries import normalise
from monitor.model.entries import Entry
from monitor.stories.identity import candidates

ANSWERS = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))
WIRE = ("title", "lead", "url", "guid", "publisher", "language")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_every_outlet_that_ships_has_its_answer() -> None:
    assert set(ANSWERS) == {path.stem for path in (shipped() / "outlets").glob("*.toml")}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_the_outlet_becomes_the_items_it_holds(outlet_named, name) -> None:
    outlet = outlet_named(name)
    (source,) = [each for each in outlet.source if each.id == ANSWERS[name]["source"]]
    told = ANSWERS[name]["entries"]
    wire = [Entry(**{key: each[key] for key in WIRE if key in each}) for each in told]
    kept = [normalise(each, outlet, source, NOW) for each in wire]
    assert [each is None for each in kept] == [each.get("left_out", False) for each in told]
    found = candidates([each for each in kept if each is not None], outlet, source)
    wanted = [each for each in told if not each.get("left_out")]
    assert [each.keys[0] for each in found] == [each["key"] for each in wanted]
    assert [each.entry.url for each in found] == [each.get("shown", each["url"]) for each in wanted]
    assert [each.entry.title for each in found] == [each.get("told", each["title"]) for each in wanted]
    assert [each.entry.kind for each in found] == [each.get("kind", "article") for each in wanted]
    assert not any(each.weak_key for each in found)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_outlets_own_links_are_its_own(outlet_named, name) -> None:
    """A headline edited under its link is the same item, whatever else the entry says."""
    outlet = outlet_named(name)
    for each in ANSWERS[name]["entries"]:
        if not each.get("left_out") and "shown" not in each:
            one, other = (
                set(candidates([Entry(title=title, url=each["url"], guid=guid)], outlet, None)[0].keys)
                for title, guid in (("Before", "guid-before"), ("After", "guid-after"))
            )
            assert one & other
