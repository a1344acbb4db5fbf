"""A source's rhythm: learnt from what it lists, and what follows for the next look and for its silence."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.model.outlets import Cadence
from monitor import rhythm, schedule
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.sources import Outcome, Rhythm, SourceState
from monitor.restdays import Week
from tests.rig.weeks import HOUR, JERUSALEM, START, Feed, Polled, israeli_desk, published

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
UTC_WEEK = Week(ZoneInfo("UTC"))
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
COARSE = Cadence(every=timedelta(minutes=30), min=timedelta(minutes=10), max=timedelta(hours=2))


def around_the_clock(_moment: datetime) -> float:
    return 3.0


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JERUSALEM).astimezone(UTC)


# ------------------------------------------------------------------ weeks


@pytest.mark.parametrize("seed", range(3))
def test_p7_ten_weeks_with_nights_sabbaths_and_the_high_holidays_raise_no_alarm(seed: int) -> None:
    feed = Feed(published(START, weeks=10, rate=israeli_desk, seed=seed))
    polled = Polled(feed, cadence=COARSE).until(START + 10 * WEEK)
    assert polled.told == []
    assert len(polled.seen) == len(feed.moments) - sum(each > polled.polls[-1] for each in feed.moments)


@pytest.mark.parametrize(
    ("stops", "noticed"),
    [
        ("2026-09-07T11:00", timedelta(hours=12)),  # a Monday
        ("2026-09-10T11:00", timedelta(hours=12)),  # a Thursday
        ("2026-09-11T13:00", timedelta(days=3)),  # a Friday: a Sabbath follows, and two days of Rosh Hashanah
        ("2026-09-20T12:00", timedelta(days=2)),  # the eve of Yom Kippur
        ("2026-09-25T16:00", timedelta(days=2)),  # the eve of Sukkot, which is a Sabbath
    ],
)
def test_p7_a_feed_that_stops_is_noticed_whenever_it_stops(stops: str, noticed: timedelta) -> None:
    at = local(stops)
    moments = [each for each in published(START, weeks=9, rate=israeli_desk, seed=1) if each < at]
    polled = Polled(Feed(moments), cadence=COARSE).until(at + 9 * DAY)
    assert polled.told == ["herald/feed gives nothing new"]
    (entry,) = polled.notices
    assert entry.published is not None
    assert entry.published - at < noticed


def test_p7_a_wire_that_never_rests_is_noticed_within_hours() -> None:
    at = START + 5 * WEEK
    moments = [each for each in published(START, weeks=6, rate=around_the_clock, seed=4) if each < at]
    polled = Polled(Feed(moments), cadence=COARSE, holidays=None).until(at + DAY)
    assert polled.told == ["herald/feed gives nothing new"]
    assert polled.notices[0].published is not None
    assert polled.notices[0].published - at < timedelta(hours=12)


def test_p7_silence_is_told_once_and_its_end_once() -> None:
    at = START + 5 * WEEK
    moments = published(START, weeks=8, rate=around_the_clock, seed=4)
    moments = [each for each in moments if not at < each < at + 5 * DAY]
    polled = Polled(Feed(moments), cadence=COARSE, holidays=None).until(at + 8 * DAY)
    assert polled.told == ["herald/feed gives nothing new", "herald/feed gives news again"]
    learnt = polled.state.rhythm
    assert learnt is not None
    assert learnt.longest < DAY, "a silence that was told as trouble does not set what silence is usual"


@pytest.mark.parametrize("seed", range(3))
def test_a_desk_that_comes_to_give_a_quarter_of_its_news_is_not_called_silent(seed: int) -> None:
    calm, chance = START + 4 * WEEK, random.Random(seed)
    moments = published(START, weeks=7, rate=israeli_desk, seed=seed)
    moments = [each for each in moments if each < calm or chance.random() < 0.25]
    assert Polled(Feed(moments), cadence=COARSE).until(START + 7 * WEEK).told == []


@given(seed=st.integers(0, 10_000), rate=st.floats(0.05, 4), night=st.floats(0, 1), week_end=st.floats(0, 1))
@settings(max_examples=12, deadline=None)
def test_a_desk_that_keeps_its_week_is_never_called_silent(
    seed: int, rate: float, night: float, week_end: float
) -> None:
    def habits(moment: datetime) -> float:
        at = moment.astimezone(JERUSALEM)
        return rate * (night if at.hour < 7 else 1.0) * (week_end if at.weekday() in (4, 5) else 1.0)

    feed = Feed(published(START, weeks=5, rate=habits, seed=seed))
    assert Polled(feed, cadence=COARSE, holidays=None, seed=seed).until(START + 5 * WEEK).told == []


@pytest.mark.parametrize("rate", [israeli_desk, around_the_clock])
def test_a_bent_schedule_hardly_asks_more_often_and_sees_news_no_later(rate: Callable[[datetime], float]) -> None:
    feed = Feed(published(START, weeks=6, rate=rate, seed=2))
    learnt, end = START + 3 * WEEK, START + 6 * WEEK
    bent, even = (Polled(feed, adaptive=adaptive).until(end) for adaptive in (True, False))
    asked = [sum(each > learnt for each in polled.polls) for polled in (bent, even)]
    assert asked[0] <= asked[1] * 1.02
    first, second = (statistics.fmean(each / HOUR for each in polled.delays(learnt)) for polled in (bent, even))
    assert first <= second * 1.02
    if rate is israeli_desk:
        assert asked[0] < asked[1] * 0.97
        assert first < second * 0.9


def test_nothing_is_asked_sooner_than_min_or_later_than_max() -> None:
    feed = Feed(published(START, weeks=5, rate=israeli_desk, seed=3))
    polled = Polled(feed).until(START + 5 * WEEK)
    waits = {later - sooner for sooner, later in zip(polled.polls, polled.polls[1:], strict=False)}
    assert polled.cadence.min <= min(waits)
    assert max(waits) <= polled.cadence.max
    assert min(waits) < timedelta(minutes=8) < timedelta(minutes=25) < max(waits), "it is bent"


# ------------------------------------------------------------------ one look


def candidate(name: str) -> Candidate:
    return Candidate(id=name, entry=Entry(title=name), keys=(name,), text_hash="", language="en")


def answer(outcome: Outcome = Outcome.OK, names: str = "", **more: object) -> Answer:
    told: dict[str, object] = {
        "source": "ap/news", "outlet": "ap", "url": "https://ap.example/", "final_url": "https://ap.example/",
        "at": MONDAY, "outcome": outcome, "entries": tuple(Entry(title=name) for name in names), **more,
    }  # fmt: skip
    return Answer(**told)  # type: ignore[arg-type]


def listing(known: Rhythm | None, names: str, now: datetime, **more: object) -> Rhythm:
    learnt = rhythm.learned(known, answer(names=names, **more), [candidate(name) for name in names], UTC_WEEK, now=now)
    assert learnt is not None
    return learnt


def hourly(weeks: float, busy: Callable[[datetime], int] = lambda _at: 1) -> Rhythm:
    """Asked each hour; ``busy``: how many entries are new each time."""
    learnt, number = listing(None, "abc", MONDAY), 0
    for hour in range(1, round(weeks * 168) + 1):
        now, new = MONDAY + hour * HOUR, busy(MONDAY + hour * HOUR)
        found = [candidate(str(each)) for each in range(number, number + new)]
        number += new
        outcome = Outcome.OK if new else Outcome.UNCHANGED
        told = answer(outcome, "x" * new)
        grown = rhythm.learned(learnt, told, found, UTC_WEEK, now=now)
        assert grown is not None
        learnt = grown
    return learnt


def interval(
    learnt: Rhythm | None, now: datetime, cadence: Cadence = COARSE, outcome: Outcome = Outcome.UNCHANGED
) -> float:
    """Minutes until the next look."""
    state = SourceState(
        id="ap/news", outlet="ap", url="https://ap.example/", host="https://ap.example:443", next_due=now
    )
    after, _held = schedule.after(state, answer(outcome), cadence, now=now, jitter=0.5, learnt=learnt, week=UTC_WEEK)
    return (after.next_due - now) / timedelta(minutes=1)


def test_before_three_days_were_watched_the_interval_is_every() -> None:
    learnt = hourly(3 / 7 - 1 / 168, lambda at: 3 if at.hour < 12 else 0)
    assert {interval(learnt, MONDAY + 3 * DAY + hour * HOUR) for hour in range(24)} == {30.0}
    assert interval(None, MONDAY) == 30.0


def test_a_busy_hour_is_looked_at_more_often_and_a_silent_one_less() -> None:
    learnt = hourly(4, lambda at: 4 if 8 <= at.hour < 12 else 0)
    noon = MONDAY + 4 * WEEK
    assert interval(learnt, noon + 9 * HOUR) < 15
    assert interval(learnt, noon + 20 * HOUR) > 60
    assert interval(learnt, noon + 7.5 * HOUR) < 45, "a quiet look ends where the busy hours begin"


def test_a_source_that_gives_little_is_silent_only_when_its_silence_is_no_chance() -> None:
    """One entry a day, each at nine: ten days without are no chance, five might be."""
    learnt = hourly(8, lambda at: 1 if at.hour == 9 else 0)
    since = learnt.last_new
    assert rhythm.silent(learnt, UTC_WEEK, now=since + 5 * DAY) is None
    missing = rhythm.silent(learnt, UTC_WEEK, now=since + 14 * DAY)
    assert missing is not None
    assert 9.21 < missing < 14


def test_after_something_new_the_next_look_comes_within_every() -> None:
    learnt = hourly(4, lambda at: 4 if 8 <= at.hour < 12 else 0)
    night = MONDAY + 4 * WEEK + 22 * HOUR
    assert interval(replace(learnt, last_new=night), night, outcome=Outcome.OK) == 30.0


@given(
    hour=st.integers(0, 167), jitter=st.floats(0, 0.999), seed=st.integers(0, 50),
    cadence=st.lists(st.integers(1, 720), min_size=3, max_size=3).map(sorted),
)  # fmt: skip
@settings(max_examples=60)
def test_whatever_was_learnt_the_interval_keeps_within_the_cadence(
    hour: int, jitter: float, seed: int, cadence: list[int]
) -> None:
    least, every, most = (timedelta(minutes=each) for each in cadence)
    now, told = MONDAY + 3 * WEEK + hour * HOUR, Cadence(min=least, every=every, max=most)
    state = SourceState(
        id="ap/news", outlet="ap", url="https://ap.example/", host="https://ap.example:443", next_due=now
    )
    after, _held = schedule.after(
        state, answer(Outcome.UNCHANGED), told, now=now, jitter=jitter, learnt=_learnt(seed), week=UTC_WEEK
    )
    assert min(least, every * 0.9) <= after.next_due - now <= max(most, every * 1.1)


_LEARNT: dict[int, Rhythm] = {}


def _learnt(seed: int) -> Rhythm:
    """A fortnight of a source that gives now much, now little."""
    if seed not in _LEARNT:
        chance = random.Random(seed)
        _LEARNT[seed] = hourly(2, lambda _at: chance.choice([0, 0, 0, 1, 1, 7]))
    return _LEARNT[seed]


def test_f032_a_mirror_with_an_old_copy_lists_nothing_new() -> None:
    learnt = listing(listing(None, "abcde", MONDAY), "bcdef", MONDAY + HOUR)
    assert learnt.last_new == MONDAY + HOUR
    for hour in range(2, 8):
        learnt = listing(learnt, "abcde" if hour % 2 else "bcdef", MONDAY + hour * HOUR)
    assert learnt.last_new == MONDAY + HOUR


def test_f059_a_feed_that_renames_everything_makes_no_hour_busy() -> None:
    learnt = hourly(2)
    found = [candidate(f"renamed {number}") for number in range(200)]
    renamed = rhythm.learned(learnt, answer(names="x" * 200), found, UTC_WEEK, now=MONDAY + 2 * WEEK + HOUR)
    assert renamed is not None
    assert rhythm.expected(renamed, UTC_WEEK, MONDAY + 3 * WEEK, MONDAY + 3 * WEEK + HOUR) < 5


def test_f002_what_came_during_an_outage_is_learnt_of_no_hour() -> None:
    learnt = hourly(2)
    back = listing(learnt, "vwxyz", MONDAY + 2 * WEEK + 30 * HOUR)
    assert back.watched == learnt.watched
    day = (MONDAY + 3 * WEEK, MONDAY + 3 * WEEK + DAY)
    assert rhythm.expected(back, UTC_WEEK, *day) <= rhythm.expected(learnt, UTC_WEEK, *day)
    assert back.longest == learnt.longest, "nobody saw how long it was silent"
    assert rhythm.silent(back, UTC_WEEK, now=back.seen) is None


def test_f116_a_clock_that_is_set_back_teaches_nothing() -> None:
    learnt = hourly(2)
    assert listing(learnt, "vwxyz", learnt.seen - 3 * HOUR).watched == learnt.watched


def test_what_was_learnt_fades_within_weeks() -> None:
    learnt = hourly(4, lambda at: 4 if at.hour == 9 else 0)

    def at_nine(known: Rhythm, now: datetime) -> float:
        day = now.replace(hour=9)
        return rhythm.expected(known, UTC_WEEK, day, day + HOUR)

    before = at_nine(learnt, learnt.seen)
    now = learnt.seen
    for hour in range(1, 8 * 168):
        grown = rhythm.learned(learnt, answer(Outcome.UNCHANGED), (), UTC_WEEK, now=now + hour * HOUR)
        assert grown is not None
        learnt = grown
    assert at_nine(learnt, learnt.seen) < before / 2


def test_a_first_answer_without_entries_teaches_nothing() -> None:
    assert rhythm.learned(None, answer(), (), UTC_WEEK, now=MONDAY) is None
    assert rhythm.learned(None, answer(Outcome.UNCHANGED), (), UTC_WEEK, now=MONDAY) is None
