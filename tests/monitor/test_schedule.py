"""When to look again: every outcome has its rule, and no source is ever switched off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.outlets import Cadence
from monitor import schedule
from monitor.model.entries import Answer, Entry
from monitor.model.sources import Outcome, SourceState, Validators

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CADENCE = Cadence(every=timedelta(minutes=15))
STATE = SourceState(
    id="bbc/world", outlet="bbc", url="https://feeds.example/rss", host="https://feeds.example:443", next_due=NOW,
    validators=Validators(etag='"old"'),
)  # fmt: skip


def answer(outcome: Outcome, **more: object) -> Answer:
    values: dict[str, object] = {
        "source": STATE.id, "outlet": STATE.outlet, "url": STATE.url, "final_url": STATE.url, "at": NOW,
        "outcome": outcome, "validators": Validators(etag='"new"'),
    }  # fmt: skip
    return Answer(**{**values, **more})  # type: ignore[arg-type]


def after(outcome: Outcome, state: SourceState = STATE, **more: object) -> SourceState:
    return schedule.after(state, answer(outcome, **more), CADENCE, now=NOW, jitter=0.5)[0]


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNCHANGED, Outcome.DEGRADED])
def test_a_good_answer_is_asked_again_after_the_usual_interval(outcome: Outcome) -> None:
    new = after(outcome, replace(STATE, failures=4))
    assert new.next_due == NOW + timedelta(minutes=15)
    assert (new.failures, new.last_good, new.validators.etag) == (0, NOW, '"new"')


def test_f026_failures_slow_down_to_one_hour_and_never_stop() -> None:
    state, waits = STATE, []
    for _ in range(12):
        state = after(Outcome.FAILED, state)
        waits.append((state.next_due - NOW) / timedelta(minutes=1))
    assert waits[:3] == [15, 30, 60]
    assert set(waits[3:]) == {60}
    assert state.validators.etag == '"old"', "a failed answer moves no validator"


def test_f015_a_challenge_is_not_knocked_at_again_for_an_hour() -> None:
    assert after(Outcome.BLOCKED).next_due == NOW + timedelta(hours=1)


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.CLOSED])
def test_f022_gone_and_closed_sources_are_asked_daily(outcome: Outcome) -> None:
    assert after(outcome).next_due == NOW + timedelta(days=1)


def test_f023_a_servers_wish_is_kept() -> None:
    wish = NOW + timedelta(hours=3)
    assert after(Outcome.FAILED, not_before=wish).next_due == wish


def test_f025_a_wish_beyond_a_day_is_capped() -> None:
    assert after(Outcome.FAILED, not_before=NOW + timedelta(days=900)).next_due == NOW + timedelta(hours=24)


@pytest.mark.parametrize("read_as", [Outcome.OK, Outcome.DEGRADED])
def test_f046_an_emptied_feed_is_degraded_and_keeps_its_validators(read_as: Outcome) -> None:
    judged = schedule.judged(answer(read_as), replace(STATE, entries=30))
    assert judged.outcome is Outcome.DEGRADED
    assert "30" in judged.reason
    assert judged.validators == STATE.validators


def test_a_feed_that_was_always_empty_is_not_emptied() -> None:
    assert schedule.judged(answer(Outcome.OK), STATE).outcome is Outcome.OK


def test_the_state_for_held_back_entries_keeps_validators_and_the_first_poll() -> None:
    whole, held = schedule.after(STATE, answer(Outcome.OK, entries=(Entry(title="x"),)), CADENCE, now=NOW, jitter=0)
    assert (whole.baselined, held.baselined) == (NOW, None)
    assert held.validators == STATE.validators
    assert replace(held, validators=whole.validators, baselined=whole.baselined) == whole


def test_f066_an_empty_or_damaged_first_answer_does_not_use_up_the_baseline() -> None:
    one = (Entry(title="x"),)
    assert after(Outcome.OK, entries=()).baselined is None
    assert after(Outcome.DEGRADED, entries=one, validators=STATE.validators).baselined is None, "a cut answer"
    assert after(Outcome.DEGRADED, entries=one, held=True).baselined is None, "an entry could not be read"
    assert after(Outcome.DEGRADED, entries=one).baselined == NOW, "one bad byte: everything was read"


def test_entries_that_an_entry_could_not_be_read_of_move_no_validator() -> None:
    assert after(Outcome.DEGRADED, entries=(Entry(title="x"),), held=True).validators == STATE.validators


def test_entries_that_the_files_filters_leave_out_are_not_an_emptied_feed() -> None:
    assert schedule.judged(answer(Outcome.OK, listed=40), replace(STATE, entries=30)).outcome is Outcome.OK


def test_f018_a_permanent_redirect_remembers_since_when() -> None:
    first = after(Outcome.OK, moved_to="https://new.example/rss")
    later = NOW + timedelta(days=2)
    second = schedule.after(
        first, answer(Outcome.OK, moved_to="https://new.example/rss"), CADENCE, now=later, jitter=0.5
    )[0]
    assert second.moved_since == NOW
    assert after(Outcome.OK, second).moved_to is None


def test_f014_what_a_blocked_source_said_is_kept_while_it_says_nothing_more() -> None:
    blocked = after(Outcome.BLOCKED, excerpt="Just a moment...")
    silent = after(Outcome.FAILED, blocked)
    assert silent.excerpt == "Just a moment..."
    assert after(Outcome.FAILED, silent, excerpt="Service unavailable").excerpt == "Service unavailable"
    assert after(Outcome.OK, silent).excerpt == after(Outcome.DEGRADED, silent).excerpt == ""


def test_f119_how_late_a_poll_was_is_kept() -> None:
    assert after(Outcome.OK, replace(STATE, next_due=NOW - timedelta(minutes=7))).late == timedelta(minutes=7)
    assert after(Outcome.OK, replace(STATE, next_due=NOW + timedelta(minutes=7))).late == timedelta()


@given(
    outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=30),
    jitter=st.floats(min_value=0, max_value=1, exclude_max=True),
    wish=st.none() | st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=4000)),
)
def test_p8_whatever_happens_a_source_is_due_again_within_a_day_and_never_in_the_past(
    outcomes: list[Outcome], jitter: float, wish: timedelta | None
) -> None:
    state = STATE
    for outcome in outcomes:
        told = answer(outcome, not_before=None if wish is None else NOW + wish)
        state, _held = schedule.after(state, told, CADENCE, now=NOW, jitter=jitter)
        assert NOW < state.next_due <= NOW + timedelta(hours=26.5)
