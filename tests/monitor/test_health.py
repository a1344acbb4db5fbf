"""The desk is told of trouble once, and told when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.model.outlets import Cadence
from monitor import health, schedule
from monitor.model.alerts import Alert
from monitor.model.entries import Answer, Entry
from monitor.model.sources import Outcome, SourceState

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


# ------------------------------------------------------------------ the network


def failed(name: str, polls: int = 3, at: datetime = NOW, **more: Any) -> SourceState:
    state = replace(STATE, id=name, outcome=Outcome.FAILED, failures=polls, last_polled=at, reason="name not found")
    return replace(state, **more)


def opened(state: SourceState, sources: list[SourceState]) -> tuple[SourceState, list[str]]:
    own, entries = health.episode(replace(state, failures=2), state, _answer(Outcome.FAILED), now=NOW)
    told, shown = health.shared(own, entries, sources, now=NOW)
    return told, [each.title for each in shown]


def _answer(outcome: Outcome) -> Answer:
    return Answer(source="o0/x", outlet="ap", url="u", final_url="u", at=NOW, outcome=outcome)


def test_f002_a_source_that_was_in_trouble_before_keeps_its_own_and_the_others_share_one() -> None:
    blocked = failed("b/x", alarm="source:b/x:2026-11-20T10:00:00+00:00")
    others = [failed(f"o{number}/x") for number in range(4)]
    first, told = opened(others[0], [blocked, *others])
    assert told == ["No source answers: the network is out, it seems"]
    second, more = opened(others[1], [blocked, first, *others[1:]])
    assert (second.alarm, more) == (first.alarm, [])
    good = replace(blocked, outcome=Outcome.OK, failures=0, last_good=NOW)
    back, said = health.episode(blocked, good, _answer(Outcome.OK), now=NOW)
    assert (back.alarm, [each.title for each in said]) == (None, ["b/x is back"])


def test_f002_a_source_that_is_closed_is_no_sign_of_a_network() -> None:
    closed = replace(STATE, id="c/x", outcome=Outcome.CLOSED, last_polled=NOW, alarm="source:c/x:2026-11-20T10:00:00")
    others = [failed(f"o{number}/x") for number in range(4)]
    assert opened(others[0], [closed, *others])[1] == ["No source answers: the network is out, it seems"]


def test_f002_silence_that_was_told_before_the_outage_stays_told() -> None:
    silent = "silent:o0/x:2026-11-20T10:00:00+00:00"
    others = [failed("o0/x", alarm=silent), *(failed(f"o{number}/x") for number in range(1, 4))]
    first, _told = opened(others[0], others)
    assert (first.episode("silent"), first.episode("source")) == (silent, None)
    assert first.episode("network") is not None
    good = replace(first, outcome=Outcome.UNCHANGED, failures=0)
    back, said = health.episode(first, good, _answer(Outcome.UNCHANGED), now=NOW)
    assert (back.alarm, [each.title for each in said]) == (silent, ["The network is back"])


def test_f002_a_source_that_stays_away_when_the_network_is_back_is_told_by_itself() -> None:
    later = NOW + timedelta(hours=2)
    out = opened(failed("o0/x"), [failed(f"o{number}/x") for number in range(4)])[0]
    away = replace(out, failures=8, last_polled=later)
    others = [failed(f"o{number}/x", at=later) for number in range(1, 4)]
    assert health.left_behind(away, [away, *others]) == away, "nobody else answers either"
    others[1] = replace(others[1], outcome=Outcome.OK, last_good=later)
    alone = health.left_behind(away, [away, *others])
    assert (alone.alarm, alone.failures) == (None, 1)
    third = replace(alone, failures=3, last_polled=later)
    told, entries = health.episode(replace(alone, failures=2), third, _answer(Outcome.FAILED), now=later)
    assert health.shared(told, entries, [told, *others], now=later) == (told, entries)
    assert [each.title for each in entries] == ["o0/x does not answer"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.BLOCKED])
def test_f002_a_bad_answer_ends_the_networks_episode_and_is_one_of_its_own(outcome: Outcome) -> None:
    out = opened(failed("o0/x"), [failed(f"o{number}/x") for number in range(4)])[0]
    bad = replace(out, outcome=outcome, status=503, failures=9)
    state, said = health.episode(out, bad, _answer(outcome), now=NOW)
    own = [] if outcome is Outcome.FAILED else ["o0/x answers with something that is not its news"]
    assert [each.title for each in said] == ["The network is back", *own]
    assert state.failures == 1
    _again, more = health.episode(replace(out, id="o1/x"), replace(bad, id="o1/x"), _answer(outcome), now=NOW)
    assert more[0].guid == said[0].guid, "whoever answers first: one item"


# ------------------------------------------------------------------ late, asleep


def test_f120_polls_that_take_longer_than_their_interval_are_told_when_it_happens_twice_and_once_a_day() -> None:
    every, late = timedelta(minutes=10), replace(STATE, late=timedelta(minutes=14))
    assert health.late(STATE, late, every, now=NOW) == ()
    assert health.late(late, STATE, every, now=NOW) == ()
    (told,) = health.late(late, replace(late, late=timedelta(minutes=25)), every, now=NOW)
    assert told.title == "ap/news cannot be asked as often as its file says"
    assert "14 and 25 minutes" in told.lead
    (again,) = health.late(late, late, every, now=NOW + timedelta(hours=3))
    (next_day,) = health.late(late, late, every, now=NOW + timedelta(days=1))
    assert again.guid == told.guid != next_day.guid


def test_f118_a_long_sleep_is_one_note_and_a_short_one_none() -> None:
    assert health.slept(timedelta(minutes=59), now=NOW) == ()
    (note,) = health.slept(timedelta(hours=6), now=NOW)
    assert note.title == "Nothing was watched for 6.0 hours"
    assert "between 2026-11-24 06:00 and 12:00 UTC" in note.lead


def test_f022_a_source_that_is_gone_is_told_once_and_its_return_once() -> None:
    assert play([Outcome.OK, Outcome.GONE, Outcome.GONE, Outcome.GONE, Outcome.OK, Outcome.OK]) == [
        "ap/news says that it is gone (410)", "ap/news is back",
    ]  # fmt: skip


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


def dead(name: str, due: datetime = NOW) -> Alert:
    return Alert(
        id=name, key=f"talks|duty|{name}|new", watch="talks", channel="duty", item=name, revision="r", state="new",
        severity="high", condition="dead", reason="status 404", created=NOW, due=due,
    )  # fmt: skip


def test_dead_letters_are_told_one_by_one_and_the_same_one_is_the_same_item() -> None:
    first, second = health.dead_letters([dead("a"), dead("b")], now=NOW)
    assert (first.title, "status 404" in first.lead) == ("Alert a could not be delivered to duty", True)
    (again,) = health.dead_letters([dead("a")], now=NOW + timedelta(hours=1))
    assert (again.guid, again.title, again.lead) == (first.guid, first.title, first.lead)
    (resent,) = health.dead_letters([dead("a", due=NOW + timedelta(hours=3))], now=NOW)
    assert len({first.guid, second.guid, resent.guid}) == 3


def test_more_than_ten_dead_letters_at_once_are_one_notice_that_names_the_count() -> None:
    assert len(health.dead_letters([dead(f"d{n}") for n in range(10)], now=NOW)) == 10
    (notice,) = health.dead_letters([dead(f"d{n}") for n in range(11)], now=NOW)
    assert notice.title == "11 alerts could not be delivered to duty"
