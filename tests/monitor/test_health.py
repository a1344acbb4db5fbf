"""The desk is told of trouble once, and told when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.model import Cadence
from monitor import health, schedule
from monitor.model import Alert, Answer, Entry, Outcome, SourceState

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STATE = SourceState(id="ap/news", outlet="ap", url="https://ap.example/s", host="https://ap.example:443", next_due=NOW)


def play(outcomes: list[Outcome], **more: object) -> list[str]:
    """Titles of the notices that a row of answers causes."""
    state, told, now = STATE, [], NOW
    for outcome in outcomes:
        now += timedelta(minutes=15)
        answer = Answer(
            source=state.id, outlet=state.outlet, url=state.url, final_url=state.url, at=now, outcome=outcome,
            reason="HTTP 503" if outcome is Outcome.FAILED else "",
            entries=(Entry(title="x"),) if outcome is Outcome.OK else (), **more,  # type: ignore[arg-type]
        )  # fmt: skip
        fresh, _held = schedule.after(state, answer, Cadence(), now=now, jitter=0.5)
        state, entries = health.episode(state, fresh, answer, now=now)
        told += [entry.title for entry in entries]
    return told


def test_f021_failing_is_told_once_after_three_and_its_end_once() -> None:
    told = play([Outcome.OK, *[Outcome.FAILED] * 9, Outcome.OK, Outcome.OK])
    assert told == ["ap/news does not answer", "ap/news is back"]


def test_two_failures_are_not_news() -> None:
    assert play([Outcome.OK, Outcome.FAILED, Outcome.FAILED, Outcome.OK]) == []


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.GONE, Outcome.CLOSED])
def test_blocked_gone_and_closed_are_told_at_once(outcome: Outcome) -> None:
    assert len(play([Outcome.OK, outcome, outcome])) == 1


def test_f015_blocked_that_turns_into_failed_is_one_episode() -> None:
    told = play([Outcome.BLOCKED, Outcome.FAILED, Outcome.FAILED, Outcome.FAILED, Outcome.FAILED, Outcome.OK])
    assert told == ["ap/news answers with something that is not its news", "ap/news is back"]


def test_f025_a_wish_of_more_than_an_hour_is_told_at_once() -> None:
    told = play([Outcome.FAILED], not_before=NOW + timedelta(hours=20))
    assert told == ["ap/news asks to be left alone until 2026-11-25 08:00 UTC"]


def test_f018_a_permanent_move_is_told_when_it_has_lasted_a_week_and_once() -> None:
    since, told = NOW, []
    for hours in range(0, 9 * 24, 6):
        now = NOW + timedelta(hours=hours)
        before = replace(
            STATE, last_polled=now - timedelta(hours=6), moved_to="https://new.example/", moved_since=since
        )
        told += health.moved(before, replace(before, last_polled=now), now=now)
    assert [entry.title for entry in told] == ["ap/news has moved for good"]
    assert "https://new.example/" in told[0].lead


def test_notices_of_two_episodes_are_two_items() -> None:
    first = health.notice("source", "ap/news", "t", "l", now=NOW)
    assert (
        first.guid
        != replace(first, guid=health.notice("source", "ap/news", "t", "l", now=NOW + timedelta(1)).guid).guid
    )


def dead(name: str, **more: Any) -> Alert:
    return Alert(
        id=name, key=f"talks|duty|{name}|new", watch="talks", channel="duty", item=name, revision="r", state="new",
        severity="high", condition="dead", reason="status 404", created=NOW, due=NOW, **more,
    )  # fmt: skip


def test_dead_letters_are_told_one_by_one_and_the_same_one_is_the_same_item() -> None:
    first, second = health.dead_letters([dead("a"), dead("b")], now=NOW)
    assert (first.title, "status 404" in first.lead) == ("Alert a could not be delivered to duty", True)
    (again,) = health.dead_letters([dead("a")], now=NOW + timedelta(hours=1))
    assert (again.guid, again.title, again.lead) == (first.guid, first.title, first.lead)
    (resent,) = health.dead_letters([dead("a", resent=NOW)], now=NOW)
    assert len({first.guid, second.guid, resent.guid}) == 3


def test_more_than_ten_dead_letters_at_once_are_one_notice_that_names_the_count() -> None:
    assert len(health.dead_letters([dead(f"d{n}") for n in range(10)], now=NOW)) == 10
    (notice,) = health.dead_letters([dead(f"d{n}") for n in range(11)], now=NOW)
    assert notice.title == "11 alerts could not be delivered to duty"
