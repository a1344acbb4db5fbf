"""Policy: each match on each channel its watch speaks to makes exactly one row, due or suppressed with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import SEVERITIES, Channel, Watch
from monitor.alerts import policy
from monitor.model import Candidate, Change, Entry, Item, Match, Revision
from tests.monitor.alerts.conftest import NOW

CHANNELS = (Channel(id="low", url="page", min_severity="low"), Channel(id="high", url="page", min_severity="high"))


def watch(name: str = "deal", **more: Any) -> Watch:
    return Watch(**{"id": name, "title": name, "when": "deal", "severity": "high", **more})


def change(item: Item, **more: Any) -> Change:
    told: dict[str, Any] = {"fresh": True, "completed": False, "title_changed": False, "matched_before": frozenset()}
    revision = Revision(id="r2", item=item.id, seen=NOW, title=item.title, lead="", body="", text_hash="h")
    candidate = Candidate(id=item.id, entry=Entry(title=item.title), keys=("url:x",), text_hash="h", language="en")
    return Change(item=item, revision=revision, candidate=candidate, **{**told, **more})


def rows(change_: Change, watch_: Watch, **more: Any) -> list[tuple[str, str, str]]:
    told: dict[str, Any] = {"baseline": None, "told": {}, "now": NOW, "channels": CHANNELS}
    made = policy.rows(change_, (Match(watch=watch_.id),), watches={watch_.id: watch_}, **{**told, **more})
    return [(row.channel, row.state, row.suppressed) for row in made]


EDIT = {"fresh": False, "title_changed": True}
BEFORE = {"matched_before": frozenset({"deal"})}


@pytest.mark.parametrize(
    ("changed", "watched", "state", "suppressed"),
    [
        ({}, {}, "new", ""),
        ({}, {"on": ("edited",)}, "new", "not in on"),
        ({"fresh": False, "completed": True}, {}, "completed", ""),
        ({"fresh": False, "completed": True}, {"on": ("edited",)}, "completed", "not in on"),
        (EDIT, {}, "edited:r2", ""),
        (EDIT, {"on": ("edited",)}, "edited:r2", ""),
        ({"fresh": False}, {}, "edited:r2", ""),
        ({**EDIT, **BEFORE}, {}, "edited:r2", "not in on"),
        ({**EDIT, **BEFORE}, {"on": ("new", "edited")}, "edited:r2", ""),
        (
            {"fresh": False, **BEFORE},
            {"on": ("new", "edited")},
            "edited:r2",
            "only the text below the headline changed",
        ),
    ],
)
def test_the_state_of_a_row_and_whether_the_watch_wants_it(
    item: Item, changed: dict[str, Any], watched: dict[str, Any], state: str, suppressed: str
) -> None:
    assert rows(change(item, **changed), watch(**watched)) == [("low", state, suppressed), ("high", state, suppressed)]


def test_a_first_body_makes_no_second_row_where_the_headline_matched(item: Item) -> None:
    assert rows(change(item, fresh=False, completed=True, **BEFORE), watch()) == []


def test_severity_decides_by_channel_and_a_named_channel_that_is_too_strict_says_so(item: Item) -> None:
    mild = watch(severity="normal")
    assert rows(change(item), mild) == [("low", "new", ""), ("high", "new", "below severity")]
    assert rows(change(item), watch(severity="normal", notify=("high",))) == [("high", "new", "below severity")]


def test_f133_a_named_channel_that_is_gone_still_gets_its_row(item: Item) -> None:
    assert rows(change(item), watch(notify=("gone", "low"))) == [("gone", "new", ""), ("low", "new", "")]


@pytest.mark.parametrize(
    ("published", "assumed", "suppressed"),
    [
        (NOW - timedelta(hours=3), False, "baseline"),
        (NOW - timedelta(hours=1), False, ""),
        (NOW, True, "baseline"),
        (NOW + timedelta(days=30_000), False, ""),
    ],
)
def test_f066_a_first_poll_tells_only_what_is_credibly_young(
    item: Item, published: Any, assumed: bool, suppressed: str
) -> None:
    dated = replace(item, published=published, published_assumed=assumed)
    assert rows(change(dated), watch(notify=("low",)), baseline=NOW - timedelta(hours=2)) == [
        ("low", "new", suppressed)
    ]


def test_f082_age_counts_from_first_seen_when_the_date_is_not_credible(item: Item) -> None:
    recent = watch(notify=("low",), max_age="2d")
    old = replace(item, published=NOW - timedelta(days=3))
    assert rows(change(old), recent) == [("low", "new", "too old")]
    assert rows(change(replace(old, published_assumed=True)), recent) == [("low", "new", "")]
    late = replace(old, published_assumed=True, first_seen=NOW - timedelta(days=3))
    assert rows(change(late), recent) == [("low", "new", "too old")]


def test_f069_a_copy_is_told_with_the_first_but_only_where_that_was_told(item: Item) -> None:
    told = {("deal", "low"): "a1"}
    assert rows(change(item), watch(), told=told) == [("low", "new", "told with a1"), ("high", "new", "")]
    assert rows(change(item), watch("other"), told=told) == [("low", "new", ""), ("high", "new", "")]


def test_a_copy_whose_headline_changed_is_another_text_and_is_told(item: Item) -> None:
    told = {("deal", "low"): "a1"}
    assert rows(change(item, **EDIT), watch(notify=("low",)), told=told) == [("low", "edited:r2", "")]


def test_p9_an_undecided_match_is_told(item: Item) -> None:
    match = Match(watch="deal", undecided="/a+b/")
    made = policy.rows(
        change(item), (match,), watches={"deal": watch()}, channels=CHANNELS[:1], baseline=None, told={}, now=NOW
    )
    assert [row.suppressed for row in made] == [""]


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    channels = [
        Channel(id=f"c{n}", url="page", min_severity=draw(st.sampled_from(SEVERITIES)))
        for n in range(draw(st.integers(0, 4)))
    ]
    ids = [channel.id for channel in channels]
    watches = [
        watch(
            f"w{n}",
            severity=draw(st.sampled_from(SEVERITIES)),
            on=draw(st.sampled_from([("new",), ("edited",), ("new", "edited")])),
            notify=tuple(draw(st.lists(st.sampled_from(ids), unique=True))) if ids else (),
            max_age=draw(st.sampled_from([None, "1h", "2d"])),
        )
        for n in range(draw(st.integers(0, 4)))
    ]
    return {
        "channels": channels,
        "watches": {each.id: each for each in watches},
        "baseline": draw(st.sampled_from([None, NOW - timedelta(hours=2)])),
        "told": {(each.id, name): "a1" for each in watches for name in ids if draw(st.booleans())},
        "fresh": draw(st.booleans()),
        "completed": draw(st.booleans()),
        "title_changed": draw(st.booleans()),
        "before": frozenset(each.id for each in watches if draw(st.booleans())),
        "age": draw(st.integers(-100, 100)),
        "assumed": draw(st.booleans()),
    }


@given(situations())
def test_p1_every_match_has_one_row_on_every_channel_due_or_suppressed_with_a_reason(told: dict[str, Any]) -> None:
    published = NOW - timedelta(hours=told["age"])
    item = Item(
        id="i1", outlet="bbc", source="bbc/world", url=None, title="deal", lead="", language="en", kind="article",
        author="", published=published, published_assumed=told["assumed"], first_seen=NOW, revision="r1",
    )  # fmt: skip
    fresh, completed = told["fresh"], told["completed"] and not told["fresh"]
    before = frozenset() if fresh else told["before"]
    changed = change(
        item, fresh=fresh, completed=completed, title_changed=told["title_changed"], matched_before=before
    )  # fmt: skip
    matches = [Match(watch=name) for name in told["watches"]]
    made = policy.rows(
        changed, matches, watches=told["watches"], channels=told["channels"], baseline=told["baseline"],
        told=told["told"], now=NOW,
    )  # fmt: skip
    wanted = [
        (name, channel)
        for name, each in told["watches"].items()
        if not (completed and name in before)
        for channel in (each.notify or [each.id for each in told["channels"]])
    ]
    assert [(row.watch, row.channel) for row in made] == wanted
    assert len({row.key for row in made}) == len(made)
    levels = {channel.id: SEVERITIES.index(channel.min_severity) for channel in told["channels"]}
    for row in made:
        if SEVERITIES.index(row.severity) < levels[row.channel]:
            assert row.suppressed == "below severity"
        else:
            assert row.suppressed in {
                "", "baseline", "not in on", "too old", "told with a1", "only the text below the headline changed"
            }  # fmt: skip
