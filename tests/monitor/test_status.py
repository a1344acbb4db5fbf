"""The state is the worst that is true; what is not well is said in sentences, and why the outside hears nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.model.sources import Outcome, SourceState
from monitor.status import ALERT_LIMIT, CANARY_LATE, LATE_LIMIT, TICK_LIMIT, Status, problems

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WELL = Status(started=NOW - timedelta(hours=1), now=NOW, last_tick=NOW, looked=NOW, crawler_alive=True)


def source(name: str, *, due: datetime = NOW, outcome: Outcome = Outcome.OK, alarm: str | None = None) -> SourceState:
    return SourceState(
        id=name, outlet="bbc", url="https://bbc.example/", host="https://bbc.example:443", next_due=due,
        outcome=outcome, reason="a reason", alarm=alarm,
    )  # fmt: skip


def said(seen: Status, *, store: tuple[str, ...] = (), refused: str = "", more: tuple[str, ...] = ()) -> Status:
    """With its problems worked out."""
    return replace(seen, problems=problems(seen, store=store, refused=refused, more=more))


def test_a_service_that_is_well_has_nothing_to_say() -> None:
    seen = said(replace(WELL, sources=(source("bbc/main"),), channels={"desk": True}, oldest_due={"desk": NOW}))
    assert (seen.state, seen.problems, seen.failure, seen.unfit) == ("ok", (), "", "")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"last_tick": None}, "has not looked at its schedule yet"),
        ({"last_tick": NOW - TICK_LIMIT - SECOND}, "The schedule was last looked at 2026-11-24 11:59:29 UTC"),
        ({"looked": None}, "has not looked at its outbox yet"),
        ({"looked": NOW - TICK_LIMIT - SECOND}, "The outbox was last looked at 2026-11-24 11:59:29 UTC"),
        ({"crawler_alive": False}, "The crawler has stopped"),
        ({"nobody_told": True}, "No channel answers, so nobody is told."),
    ],
)
def test_f134_where_nothing_is_watched_or_nobody_told_it_is_failing_and_the_outside_hears_nothing(
    change: dict[str, object], why: str
) -> None:
    seen = replace(WELL, **change)  # type: ignore[arg-type]
    assert seen.state == "failing"
    assert why in seen.failure
    assert seen.unfit == seen.failure


@pytest.mark.parametrize("name", ["last_tick", "looked"])
def test_a_look_within_its_limit_is_fresh_at_any_pace(name: str) -> None:
    assert replace(WELL, **{name: NOW - TICK_LIMIT}).failure == ""  # type: ignore[arg-type]
    assert replace(WELL, **{name: NOW - 9 * TICK_LIMIT}, pace=9.0).failure == ""  # type: ignore[arg-type]
    assert replace(WELL, **{name: NOW + TICK_LIMIT}).failure == "", "the clock was set back since"  # type: ignore[arg-type]


def test_a_canary_that_stays_out_degrades_and_keeps_the_outside_from_hearing() -> None:
    seen = said(replace(WELL, canary_late=True))
    assert (seen.state, seen.problems, seen.unfit) == ("degraded", (CANARY_LATE,), CANARY_LATE)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"channels": {"desk": True, "duty": False}},
         "Channel duty does not answer: its alerts wait and are tried again."),
        ({"counts": {"dead": 2}}, "2 alert(s) could not be delivered: wirewatch alerts list --state dead"),
        ({"counts": {"quarantined": 1}}, "1 entry could not be filed and wait in quarantine."),
        ({"sources": (source("bbc/main", outcome=Outcome.BLOCKED, alarm="source:1"), source("kan/main"))},
         "bbc/main: blocked: a reason"),
        ({"sources": (source("bbc/main", due=NOW - timedelta(minutes=25)),)},
         "bbc/main has waited 25 min to be asked."),
        ({"oldest_due": {"desk": NOW - timedelta(minutes=11), "duty": NOW - ALERT_LIMIT}},
         "An alert has waited 11 min for channel desk."),
    ],
)  # fmt: skip
def test_each_trouble_has_one_sentence_and_degrades(change: dict[str, object], problem: str) -> None:
    seen = said(replace(WELL, **change))  # type: ignore[arg-type]
    assert (seen.problems, seen.state, seen.unfit) == ((problem,), "degraded", "")


def test_store_trouble_a_refused_save_and_what_the_outside_did_not_take_are_said_as_told() -> None:
    seen = said(WELL, store=("The disk is full.",), refused="wirewatch.toml:3:1: unknown key", more=("Not heard.",))
    assert seen.problems == (
        "The configuration on disk is refused: wirewatch.toml:3:1: unknown key", "The disk is full.", "Not heard.",
    )  # fmt: skip


def test_limits_are_the_machines_where_a_day_is_played_in_a_minute() -> None:
    late = {"sources": (source("bbc/main", due=NOW - 2 * LATE_LIMIT),), "oldest_due": {"desk": NOW - 2 * ALERT_LIMIT}}
    assert len(said(replace(WELL, **late)).problems) == 2  # type: ignore[arg-type]
    assert said(replace(WELL, **late, pace=3.0)).problems == ()  # type: ignore[arg-type]


def test_when_no_source_gives_news_the_network_is_named_first() -> None:
    sources = tuple(source(f"bbc/{n}", outcome=Outcome.FAILED, alarm=f"source:{n}") for n in range(3))
    assert said(replace(WELL, sources=sources)).problems[0] == "No source gives news: look at the network first."


def test_a_source_closed_by_its_publisher_is_no_trouble_of_ours() -> None:
    closed = source("bbc/main", outcome=Outcome.CLOSED, alarm="source:1")
    assert said(replace(WELL, sources=(closed,))).state == "ok"


def test_the_oldest_wait_is_the_longest_of_any_channel() -> None:
    assert WELL.oldest_wait == timedelta()
    seen = replace(WELL, oldest_due={"desk": NOW - 2 * SECOND, "duty": NOW - 9 * SECOND})
    assert seen.oldest_wait == 9 * SECOND
