"""A source that answers and is not well: told once when it begins and once when it ends, also across restarts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from config.model.outlets import Cadence
from monitor import rhythm, schedule, signs
from monitor.health import began
from monitor.model.entries import Answer
from monitor.model.sources import Outcome, SourceState
from monitor.status import Status, problems
from storage import rows
from tests.rig.weeks import START, Feed, Polled, israeli_desk, published

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
COARSE = Cadence(every=timedelta(minutes=30), min=timedelta(minutes=10), max=timedelta(hours=2))
MONDAY = START + 5 * WEEK + timedelta(hours=10)
BEFORE = published(START, weeks=7, rate=israeli_desk, seed=1)


class Kept(Polled):
    """The state goes through a row of the store before each poll, as a restart would have it."""

    def poll(self, now: datetime) -> None:
        self.state = rows.source(rows.source_columns(self.state))
        super().poll(now)


@pytest.fixture
def polled() -> Polled:
    """Watched for five weeks, until a Monday morning."""
    return Kept(Feed(list(BEFORE)), cadence=COARSE).until(MONDAY)


def stops(polled: Polled) -> None:
    polled.feed.moments = [each for each in BEFORE if each < MONDAY]


# ------------------------------------------------------------------ silent


def test_p7_silence_is_told_once_and_its_end_once_over_restarts(polled: Polled) -> None:
    stops(polled)
    polled.until(MONDAY + 4 * DAY)
    assert polled.told == ["herald/feed gives nothing new"]
    (silent,) = polled.notices
    assert "new entries were to be expected" in silent.lead
    assert polled.state.episode("silent") == silent.guid
    assert signs.words(polled.state) == (f"gives nothing new (since {began(silent.guid):%Y-%m-%d %H:%M} UTC)",)
    polled.feed.moments = [*polled.feed.moments, MONDAY + 4 * DAY]
    polled.until(MONDAY + 5 * DAY)
    assert polled.told == ["herald/feed gives nothing new", "herald/feed gives news again"]
    assert polled.state.alarm is None


def test_f030_before_a_silence_is_told_the_source_is_asked_without_a_condition(polled: Polled) -> None:
    polled.feed.stuck = MONDAY
    polled.until(MONDAY + 5 * DAY)
    assert polled.told == [], "each day's plain request brings what the conditions hid"
    stops(polled)
    polled.until(MONDAY + 11 * DAY)
    assert polled.told == ["herald/feed gives nothing new"]
    told = polled.notices[0].published
    assert told in polled.plain, "it was asked plainly when it was told"
    before = polled.plain[polled.plain.index(told) - 1]
    assert told - before < 0.9 * DAY, "and not by the daily request"


def test_f030_a_stuck_304_that_hides_news_ends_as_soon_as_it_is_doubted(polled: Polled) -> None:
    polled.feed.stuck = polled.state.next_due
    learnt = polled.state.rhythm
    assert learnt is not None
    # It was never quiet for more than some hours, and the daily plain request was just made.
    polled.state = replace(polled.state, last_plain=MONDAY, rhythm=replace(learnt, longest=timedelta(hours=2)))
    polled.until(MONDAY + timedelta(hours=8))
    plain = [each for each in polled.plain if each > MONDAY]
    assert plain
    assert plain[0] - MONDAY < timedelta(hours=7)
    assert polled.told == []
    assert polled.state.rhythm is not None
    assert polled.state.rhythm.last_new == plain[-1]


# ------------------------------------------------------------------ shrunk


def test_a_listing_that_shrinks_is_told_after_three_polls_and_its_end_once(polled: Polled) -> None:
    polled.feed.shown = 8
    for _poll in range(2):
        polled.poll(polled.state.next_due)
    assert polled.told == []
    polled.poll(polled.state.next_due)
    assert polled.told == ["herald/feed lists far less than usual"]
    assert "It lists 8 entries and usually about 2" in polled.notices[0].lead
    polled.until(MONDAY + DAY)
    assert len(polled.told) == 1
    polled.feed.shown = None
    polled.until(MONDAY + 2 * DAY)
    assert polled.told[1:] == ["herald/feed lists as much as usual again"]


def test_a_listing_that_is_short_and_unchanged_is_short_at_every_poll(polled: Polled) -> None:
    stops(polled)
    polled.feed.shown = 8
    now = polled.state.next_due
    for minutes in (0, 5, 10):
        assert polled.told == []
        polled.poll(now + timedelta(minutes=minutes))
    assert polled.told == ["herald/feed lists far less than usual"]


def test_a_listing_that_stays_small_becomes_usual(polled: Polled) -> None:
    polled.feed.shown = 8
    polled.until(MONDAY + 2 * WEEK)
    assert polled.told == ["herald/feed lists far less than usual", "herald/feed lists as much as usual again"]
    assert "8 entries" in polled.notices[1].lead


def test_a_sitemap_of_two_days_that_is_short_after_a_sabbath_has_not_shrunk() -> None:
    moments = published(START, weeks=7, rate=lambda at: israeli_desk(at) / 4, seed=2)

    class Sitemap(Feed):
        def listed(self, now: datetime) -> tuple[int, ...]:
            return tuple(n for n in super().listed(now) if self.moments[n] > now - 2 * DAY)

    polled = Polled(Sitemap(moments, depth=1000), cadence=COARSE).until(START + 7 * WEEK)
    sizes = [len(polled.feed.listed(each)) for each in polled.polls]
    assert min(sizes[500:]) == 0 < 20 < sum(sizes) / len(sizes), "after Rosh Hashanah there were none"
    assert polled.told == []
    learnt, emptied = polled.state.rhythm, polled.polls[len(sizes) - sizes[::-1].index(0) - 1]
    assert learnt is not None
    assert rhythm.rests(learnt, polled.week, now=emptied), "so it is not called emptied either"
    assert not rhythm.rests(learnt, polled.week, now=emptied + 3 * DAY)


# ------------------------------------------------------------------ language and letters


def test_a_feed_that_turns_to_another_language_is_told_after_two_polls_and_its_end_once(polled: Polled) -> None:
    polled.feed.language = "en"
    polled.poll(polled.state.next_due)
    assert polled.told == []
    polled.poll(polled.state.next_due)
    assert polled.told == ["herald/feed has changed its language"]
    assert "in English; they are usually in Hebrew" in polled.notices[0].lead
    polled.until(MONDAY + DAY)
    assert len(polled.told) == 1
    polled.feed.language = "he"
    polled.until(MONDAY + 2 * DAY)
    assert polled.told[1:] == ["herald/feed is in its usual language again"]


@pytest.mark.parametrize("mark", ["charset guessed: windows-1255", "repaired: encoded twice"])
def test_a_feed_whose_letters_must_be_guessed_is_told_after_two_polls_and_its_end_once(
    polled: Polled, mark: str
) -> None:
    polled.feed.marks = (mark,)
    polled.poll(polled.state.next_due)
    assert polled.told == []
    polled.poll(polled.state.next_due)
    assert polled.told == ["herald/feed has changed its letters' encoding"]
    assert mark in polled.notices[0].lead
    polled.until(MONDAY + DAY)
    polled.feed.marks = ()
    polled.until(MONDAY + 2 * DAY)
    assert polled.told[1:] == ["herald/feed is read as usual again"]


def test_f037_one_bad_byte_is_no_change_of_encoding(polled: Polled) -> None:
    polled.feed.marks = ("invalid bytes in UTF-8",)
    polled.until(MONDAY + DAY)
    assert polled.told == []


def test_a_feed_that_was_always_guessed_is_not_told_for_it() -> None:
    feed = Feed(list(BEFORE), marks=("charset guessed: windows-1255",))
    assert Polled(feed, cadence=COARSE).until(START + 2 * WEEK).told == []


# ------------------------------------------------------------------ together


SPOILS: list[Callable[[Feed], None]] = [
    lambda feed: setattr(feed, "shown", 8),
    lambda feed: setattr(feed, "language", "en"),
    lambda feed: setattr(feed, "marks", ("repaired: encoded twice",)),
]


def test_several_episodes_are_open_at_once_and_each_ends_by_itself(polled: Polled) -> None:
    for spoil in SPOILS:
        spoil(polled.feed)
    polled.until(MONDAY + DAY)
    assert len(polled.told) == 3
    assert [polled.state.episode(kind) is None for kind in ("shrunk", "foreign", "garbled", "silent")] == [
        False, False, False, True,
    ]  # fmt: skip
    polled.feed.language = "he"
    polled.until(MONDAY + 2 * DAY)
    assert polled.told[3:] == ["herald/feed is in its usual language again"]
    assert polled.state.episode("shrunk") is not None


def test_what_is_open_stands_among_the_problems_of_the_service(polled: Polled) -> None:
    polled.feed.shown = 8
    polled.until(MONDAY + DAY)
    emptied = "source:herald/feed:2026-09-07T10:00:00+00:00"
    twice = replace(polled.state, alarm=f"{polled.state.alarm} {emptied}", outcome=Outcome.DEGRADED, reason="emptied")
    since = f"{began(polled.notices[0].guid or ''):%Y-%m-%d %H:%M} UTC"
    shrunk = f"herald/feed lists far less than usual (since {since})"
    for state, lines in ((polled.state, [shrunk]), (twice, ["herald/feed: degraded: emptied", shrunk])):
        seen = Status(started=START, now=START, last_tick=START, looked=START, crawler_alive=True, sources=(state,))
        assert [line for line in problems(seen, store=(), refused="") if line.startswith("herald/")] == lines


def test_a_query_that_finds_little_or_in_another_language_is_a_query(polled: Polled) -> None:
    polled.feed.shown, polled.feed.language = 8, "en"
    before = polled.state
    for _poll in range(3):
        polled.poll(polled.state.next_due)
    after = replace(polled.state, alarm=None)
    told = _asked(polled, after)
    state, entries = signs.episodes(before, after, told, polled.week, query=True, now=after.next_due)
    assert (state, entries) == (after, ())


def test_no_sign_is_told_of_a_source_that_is_in_trouble_as_a_whole(polled: Polled) -> None:
    polled.feed.shown = 8
    polled.until(MONDAY + DAY)
    emptied = replace(polled.state, alarm="source:herald/feed:2026-09-07T10:00:00+00:00")
    told = _asked(polled, emptied)
    assert signs.episodes(emptied, emptied, told, polled.week, query=False, now=MONDAY + DAY) == (emptied, ())


def test_a_bad_answer_says_nothing_of_the_signs(polled: Polled) -> None:
    polled.feed.shown = 8
    polled.until(MONDAY + DAY)
    failed = replace(polled.state, outcome=Outcome.FAILED)
    told = replace(_asked(polled, failed), outcome=Outcome.FAILED)
    assert signs.episodes(polled.state, failed, told, polled.week, query=False, now=MONDAY + DAY) == (failed, ())


def _asked(polled: Polled, state: SourceState) -> Answer:
    return Answer(
        source=state.id, outlet=state.outlet, url=state.url, final_url=state.url, at=state.next_due, outcome=Outcome.OK
    )


def test_an_alarm_keeps_the_schedule_as_it_is(polled: Polled) -> None:
    """A silent source is not asked plainly at each poll: the daily plain one is enough once it was told."""
    stops(polled)
    polled.until(MONDAY + 4 * DAY)
    assert polled.state.episode(schedule.SILENT) is not None
    known = len(polled.plain)
    polled.until(MONDAY + 8 * DAY)
    assert len(polled.plain) - known <= 5
