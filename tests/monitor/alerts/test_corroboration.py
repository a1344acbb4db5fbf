"""Corroboration by itself: which origins lie within a stretch, and which rows wait for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.model.settings import Channel
from monitor.alerts import corroboration, policy
from monitor.alerts.corroboration import Report, most, reports
from monitor.model.alerts import Held
from monitor.model.items import Item, Match, Reported
from tests.monitor.alerts.conftest import NOW
from tests.monitor.alerts.test_policy import change, setting, watch

MINUTE = timedelta(minutes=1)
RULE = {"corroborated": {"origins": 3, "within": "90m"}}


@given(st.lists(st.integers(0, 400), max_size=9), st.integers(1, 200))
def test_the_most_origins_within_a_stretch_are_those_that_any_choice_of_them_finds(
    minutes: list[int], within: int
) -> None:
    told = [Report(f"o{place}", NOW + minute * MINUTE) for place, minute in enumerate(sorted(minutes))]
    fit = [
        chosen for size in range(len(told) + 1) for chosen in combinations(told, size)
        if not chosen or chosen[-1].first - chosen[0].first <= within * MINUTE
    ]  # fmt: skip
    best = most(told, within * MINUTE)
    assert len(best) == max(map(len, fit))
    assert tuple(best) in fit
    assert not any(len(other) == len(best) and other[-1].first > best[-1].first for other in fit if other)


def reported(item: Item, name: str, outlet: str, minutes: int, **more: Any) -> Item:
    own = Reported(id=outlet, kind="outlet", relation="own")
    seen = NOW + minutes * MINUTE
    return replace(item, id=name, outlet=outlet, first_seen=seen, published=seen, origins=(own,), **more)


def test_copies_and_repeats_count_once_from_when_the_first_was_seen(item: Item) -> None:
    first = reported(item, "i1", "axios", 10)
    copy = reported(item, "i2", "kan", 20, copy_of="i1")
    citing = reported(item, "i3", "bbc", 30)
    citing = replace(citing, origins=(*citing.origins, Reported(id="axios", kind="outlet", relation="cite")))
    other = reported(item, "i4", "cnn", 40)
    assert reports([other, citing, copy, first]) == (
        Report("axios", NOW + 10 * MINUTE), Report("cnn", NOW + 40 * MINUTE),
    )  # fmt: skip


def test_what_was_taken_down_is_no_report_and_those_that_repeat_it_are_still_one_voice(item: Item) -> None:
    gone = reported(item, "i1", "axios", 0, withdrawn=NOW)
    copies = [reported(item, f"i{n}", outlet, n, copy_of="i1") for n, outlet in ((2, "kan"), (3, "bbc"))]
    assert reports([gone]) == ()
    assert reports([gone, *copies]) == (Report("axios", NOW + 2 * MINUTE),)


# ------------------------------------------------------------------ policy


def waits(item: Item, **more: Any) -> list[tuple[str, Held | None]]:
    rule = {**RULE, **more.pop("watch", {})}
    at = setting(watch(**rule), **{"story": "s1", **more})
    return [(row.suppressed, row.held) for row in policy.rows(change(item), (Match(watch="deal"),), at)]


def test_every_row_waits_for_other_origins_whatever_its_severity(item: Item) -> None:
    for severity in ("high", "critical"):
        (_, held), (_, other) = waits(item, watch={"severity": severity})
        assert held == other
        assert held is not None
        assert (held.until, held.gather) == (NOW + 90 * MINUTE, "corroborated:deal:s1")
        assert held.reason == "waits for 3 origins, has 0"


def test_a_story_that_was_told_on_a_channel_follows_the_ordinary_rule_there(item: Item) -> None:
    (_, first), (_, second) = waits(item, corroborated={("deal", "low")})
    assert first is None
    assert second is not None


def test_what_is_suppressed_for_another_reason_does_not_wait(item: Item) -> None:
    assert waits(item, muted={"deal"}) == [("muted", None)] * 2
    assert waits(item, watch={"severity": "normal"})[1] == ("below severity", None)


def test_a_notice_has_no_story_and_is_told_at_once(item: Item) -> None:
    assert waits(item, story="") == [("", None)] * 2


def test_a_watch_without_the_condition_does_not_wait(item: Item) -> None:
    made = policy.rows(change(item), (Match(watch="deal"),), setting(watch(), story="s1"))
    assert [row.held for row in made] == [None, None]


def test_it_is_needed_only_where_a_watch_waits() -> None:
    assert not corroboration.needed([watch()])
    assert corroboration.needed([watch(), watch("sure", **RULE)])


def test_a_channel_that_gathers_gathers_nothing_that_waits_for_origins(item: Item) -> None:
    slow = Channel.model_validate({"id": "slow", "url": "page", "digest": "15m", "min_severity": "low"})
    ((_, held),) = waits(item, channels=(slow,), watch={"severity": "low"})
    assert held is not None
    assert held.gather == "corroborated:deal:s1"
