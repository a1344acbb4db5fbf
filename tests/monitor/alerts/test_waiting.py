"""When a row may leave: once a local day, never in quiet hours, never later than they end (F117)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.model.settings import Channel, Quiet
from config.model.watches import Watch
from monitor.alerts.waiting import Told, held, interval_end, next_at, quiet_until
from monitor.model.alerts import Alert, Held

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
JERUSALEM, UTC_ZONE = ZoneInfo("Asia/Jerusalem"), ZoneInfo("UTC")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

ZONES = [
    "Asia/Jerusalem", "Europe/London", "America/New_York", "Asia/Qatar",
    "America/Sao_Paulo",  # until 2019 its clock leapt over midnight
    "Africa/Cairo",  # so does this one, since 2023
    "America/Nuuk",  # leaps over the last hour of a Saturday
    "Australia/Lord_Howe",  # by half an hour
    "UTC",
]  # fmt: skip
YEARS = {"America/Sao_Paulo": 2017, "Africa/Cairo": 2024, "America/Nuuk": 2024}
day_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
zones = st.sampled_from(ZONES)


Situation = tuple[ZoneInfo, datetime, time, time]


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """When the zone's clock is changed in its year."""
    zone, start = ZoneInfo(name), datetime(YEARS.get(name, 2026), 1, 1, tzinfo=UTC)
    hours = [start + n * HOUR for n in range(24 * 365)]
    return tuple(
        later
        for earlier, later in pairwise(hours)
        if earlier.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset()
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """A zone, a moment of a year, and two times of day; often all near a change of the clock."""
    name = draw(zones)
    zone, near = ZoneInfo(name), draw(st.sampled_from(changes(name) or (datetime(2026, 6, 1, tzinfo=UTC),)))
    minutes = st.one_of(
        st.integers(-150, 150), st.integers(-36 * 60, 36 * 60), st.integers(-180, 180).map(lambda days: days * 1440)
    )
    at = near + draw(minutes) * MINUTE + draw(st.sampled_from([0, 1, 10**6])) * timedelta(microseconds=1)
    times = st.one_of(st.integers(-90, 60).map(lambda away: (shown(near, zone) + away * MINUTE).time()), day_times)
    return zone, at, draw(times), draw(times)


def shown(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows, as a bare time."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def passes(at: datetime, local: time, zone: ZoneInfo) -> bool:
    """Whether in the minute that ends at ``at`` the clock came to show ``local``, or leapt over it."""
    before, after = shown(at - MINUTE, zone), shown(at, zone)
    wanted = (datetime.combine(day, local) for day in {before.date(), after.date()})
    return after.time() == local or any(before < each <= after for each in wanted)


def first_passing(after: datetime, local: time, zone: ZoneInfo) -> datetime:
    """By looking at the clock each minute."""
    at = after.replace(second=0, microsecond=0) + MINUTE
    while not passes(at, local, zone):
        at += MINUTE
    return at


# ------------------------------------------------------------------ once a day


@given(situations())
def test_the_next_time_of_day_is_strictly_later_and_within_a_day(told: Situation) -> None:
    zone, after, local, _ = told
    found = next_at(local, zone, after)
    assert found.tzinfo is UTC
    assert after < found <= after + DAY + 2 * HOUR
    assert passes(found, local, zone)


@given(situations(), st.integers(0, 3000))
def test_whatever_is_later_leaves_no_sooner(told: Situation, minutes: int) -> None:
    zone, first, local, _ = told
    second = first + minutes * MINUTE
    assert next_at(local, zone, first) <= next_at(local, zone, second)


@pytest.mark.parametrize("name", ZONES)
@given(local=day_times)
def test_f117_every_day_of_a_year_has_exactly_one_moment(name: str, local: time) -> None:
    zone, year = ZoneInfo(name), YEARS.get(name, 2026)
    at = datetime(year, 1, 1, tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1)
    end = datetime(year + 1, 1, 1, tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1)
    found = []
    while (at := next_at(local, zone, at)) <= end:
        found.append(at)
    assert len(found) == (datetime(year + 1, 1, 1) - datetime(year, 1, 1)).days
    if name == "America/Nuuk" and local >= time(23):  # the day whose last hour is leapt over ends without it
        return
    assert len({shown(each, zone).date() for each in found}) == len(found)


@pytest.mark.parametrize(
    ("day", "local", "moments_utc"),
    [
        ("2026-03-27", "01:59", ["2026-03-26T23:59"]),
        ("2026-03-27", "02:00", ["2026-03-27T00:00"]),  # the clock shows 03:00
        ("2026-03-27", "02:30", ["2026-03-27T00:00"]),  # leapt over: at the leap
        ("2026-03-27", "03:00", ["2026-03-27T00:00"]),
        ("2026-03-27", "07:30", ["2026-03-27T04:30"]),
        ("2026-10-25", "00:30", ["2026-10-24T21:30"]),
        ("2026-10-25", "01:00", ["2026-10-24T22:00"]),  # shown twice: the first time
        ("2026-10-25", "01:30", ["2026-10-24T22:30"]),
        ("2026-10-25", "02:00", ["2026-10-25T00:00"]),  # when it was to be shown first, it showed 01:00 again
        ("2026-10-25", "07:30", ["2026-10-25T05:30"]),
    ],
)  # fmt: skip
def test_f117_digest_goes_once_on_both_clock_change_nights(day: str, local: str, moments_utc: list[str]) -> None:
    first = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=JERUSALEM).astimezone(UTC)
    at, found = first - timedelta(microseconds=1), []
    while (at := next_at(time.fromisoformat(local), JERUSALEM, at)) < first + 23 * HOUR:
        found.append(f"{at:%Y-%m-%dT%H:%M}")
    assert found == moments_utc


# ------------------------------------------------------------------ quiet hours


def inside(quiet: Quiet, at: datetime, zone: ZoneInfo) -> bool:
    clock = shown(at, zone).time()
    if quiet.since < quiet.to:
        return quiet.since <= clock < quiet.to
    return clock >= quiet.since or clock < quiet.to


@given(situations())
def test_f117_nobody_is_let_out_in_quiet_hours_and_nobody_waits_longer(told: Situation) -> None:
    zone, at, since, to = told
    # A leap over all the time that is not quiet ends in quiet hours.
    assume((datetime.combine(NOW, since) - datetime.combine(NOW, to)) % DAY >= HOUR)
    quiet = Quiet.model_validate({"from": since, "to": to})
    until = quiet_until(quiet, zone, at)
    if not inside(quiet, at, zone):
        assert until is None
        return
    assert until is not None
    assert until.tzinfo is UTC
    assert not inside(quiet, until, zone)
    assert until == first_passing(at, quiet.to, zone)
    assert until <= at + DAY + HOUR


@pytest.mark.parametrize(
    ("at", "since", "to", "until"),
    [
        ("2026-03-26T23:30", "23:00", "02:30", "2026-03-27T00:00"),  # 01:30; at 02:00 the clock leaps over the end
        ("2026-03-27T00:00", "23:00", "02:30", None),  # 03:00
        ("2026-03-26T23:30", "02:30", "06:00", None),
        ("2026-03-27T00:00", "02:30", "06:00", "2026-03-27T03:00"),  # the clock leapt into them
        ("2026-03-26T22:00", "23:00", "06:00", "2026-03-27T03:00"),
        ("2026-10-24T21:30", "23:00", "06:00", "2026-10-25T04:00"),
        ("2026-10-24T22:15", "23:00", "01:30", "2026-10-24T22:30"),  # 01:15, the first time
        ("2026-10-24T22:45", "23:00", "01:30", None),  # 01:45, the first time
        ("2026-10-24T23:15", "23:00", "01:30", "2026-10-24T23:30"),  # 01:15, the second time
        ("2026-10-24T22:45", "01:30", "06:00", "2026-10-25T04:00"),
        ("2026-10-24T23:15", "01:30", "06:00", None),
    ],
)  # fmt: skip
def test_f117_quiet_hours_over_both_clock_change_nights(at: str, since: str, to: str, until: str | None) -> None:
    quiet = Quiet.model_validate({"from": since, "to": to})
    found = quiet_until(quiet, JERUSALEM, datetime.fromisoformat(f"{at}+00:00"))
    assert (found and f"{found:%Y-%m-%dT%H:%M}") == until


# ------------------------------------------------------------------ digests


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 10**6))
def test_a_digest_leaves_at_the_next_multiple_of_its_length(naive: datetime, seconds: int) -> None:
    at, length = naive.replace(tzinfo=UTC), timedelta(seconds=seconds)
    end = interval_end(at, length)
    assert at < end <= at + length
    assert (end - datetime(1970, 1, 1, tzinfo=UTC)) % length == timedelta()


def test_digests_of_an_hour_leave_on_the_hour() -> None:
    assert interval_end(NOW, HOUR) == NOW + HOUR
    assert interval_end(NOW + MINUTE, HOUR) == NOW + HOUR


# ------------------------------------------------------------------ a row


def watch(**more: Any) -> Watch:
    return Watch.model_validate({"id": "deal", "title": "deal", "when": "deal", **more})


def channel(**more: Any) -> Channel:
    return Channel.model_validate({"id": "desk", "url": "page", **more})


def told(
    due: datetime, *, gather: str = "", delivered: datetime | None = None, condition: Any = "pending", story: str = "i1"
) -> Told:
    alert = Alert(
        id="a1", key="k", watch="deal", channel="desk", item="i1", revision="r1", state="new", severity="normal",
        condition="delivered" if delivered else condition, created=due, due=due, gather=gather, delivered=delivered,
    )  # fmt: skip
    return Told(alert=alert, story=story)


def wait(
    watch_: Watch, channel_: Channel | None, *, last: Told | None = None, pressing: bool = False, now: datetime = NOW
) -> Held | None:
    return held(watch_, channel_, last=last, pressing=pressing, zone=UTC_ZONE, now=now)


NIGHT = {"from": "23:00", "to": "06:00"}
AT_NIGHT = NOW.replace(hour=23, minute=30)
MORNING = AT_NIGHT.replace(hour=6, minute=0) + DAY


@pytest.mark.parametrize(
    ("severity", "rules", "now", "until", "gather"),
    [
        ("normal", {}, NOW, None, ""),
        ("low", {"digest": "15m"}, NOW, NOW + 15 * MINUTE, "digest"),
        ("normal", {"digest": "15m"}, NOW + MINUTE, NOW + 15 * MINUTE, "digest"),
        ("high", {"digest": "15m"}, NOW, None, ""),
        ("critical", {"digest": "15m"}, NOW, None, ""),
        ("normal", {"digest_at": "07:30"}, NOW, NOW + 19.5 * HOUR, "digest"),
        ("normal", {"digest_at": "12:00"}, NOW, NOW + DAY, "digest"),
        ("high", {"digest_at": "07:30"}, NOW, None, ""),
        ("low", {"quiet": NIGHT}, NOW, None, ""),
        ("low", {"quiet": NIGHT}, AT_NIGHT, MORNING, "quiet hours"),
        ("high", {"quiet": NIGHT}, AT_NIGHT, MORNING, "quiet hours"),
        ("critical", {"quiet": NIGHT}, AT_NIGHT, None, ""),
        ("normal", {"quiet": NIGHT, "digest": "1h"}, AT_NIGHT, MORNING, "quiet hours"),
        ("normal", {"quiet": NIGHT, "digest": "1h"}, NOW.replace(hour=22, minute=30), MORNING, "quiet hours"),
        ("normal", {"quiet": NIGHT, "digest_at": "07:30"}, AT_NIGHT, MORNING + 1.5 * HOUR, "digest"),
        ("normal", {"quiet": NIGHT, "digest_at": "03:00"}, AT_NIGHT, MORNING, "quiet hours"),
    ],
)
def test_high_passes_digests_and_critical_passes_everything(
    severity: str, rules: dict[str, Any], now: datetime, until: datetime | None, gather: str
) -> None:
    found = wait(watch(severity=severity), channel(**rules), now=now)
    assert (found and found.until, found.gather if found else "") == (until, gather)


def test_a_row_says_why_it_waits() -> None:
    reasons: dict[str, tuple[datetime, Told | None, dict[str, Any]]] = {
        "digest every 15m": (NOW, None, {"digest": "15m"}),
        "digest at 07:30": (NOW, None, {"digest_at": "07:30"}),
        "quiet hours until 06:00": (AT_NIGHT, None, {"quiet": NIGHT}),
        "cooldown of 30m after a1": (NOW, told(NOW, delivered=NOW), {}),
        "cooldown of 30m after a1; digest every 1h; quiet hours until 06:00": (
            NOW.replace(hour=22), told(NOW, delivered=NOW.replace(hour=22)), {"quiet": NIGHT, "digest": "1h"},
        ),
    }  # fmt: skip
    for reason, (now, last, rules) in reasons.items():
        found = wait(watch(cooldown="30m"), channel(**rules), last=last, now=now)
        assert found is not None
        assert found.reason == reason


# ------------------------------------------------------------------ cooldown

COOL = {"cooldown": "30m"}


@pytest.mark.parametrize("channel_", [channel(), None], ids=["a channel", "a channel that is gone"])
def test_a_story_that_was_told_waits_for_its_cooldown(channel_: Channel | None) -> None:
    told_before = told(NOW - 10 * MINUTE, delivered=NOW - 9 * MINUTE)
    found = wait(watch(**COOL), channel_, last=told_before)
    assert found is not None
    assert (found.until, found.gather) == (NOW + 21 * MINUTE, "cooldown:deal:i1"), "counted from when it was sent"
    assert wait(watch(**COOL), channel_, last=None) is None
    assert wait(watch(), channel_, last=told_before) is None
    assert wait(watch(**COOL), channel_, last=told_before, pressing=True) is None
    assert wait(watch(severity="critical", **COOL), channel_, last=told_before) is None
    assert wait(watch(**COOL), channel_, last=told(NOW - HOUR, delivered=NOW - 30 * MINUTE)) is None


def test_a_story_whose_alert_is_still_on_its_way_waits_for_a_whole_cooldown() -> None:
    """The channel may have been down for hours: it is told now at the earliest."""
    found = wait(watch(**COOL), channel(), last=told(NOW - 2 * HOUR))
    assert found is not None
    assert (found.until, found.gather) == (NOW + 30 * MINUTE, "cooldown:deal:i1")


def test_f116_a_cooldown_is_no_longer_when_the_clock_was_set_back() -> None:
    found = wait(watch(**COOL), channel(), last=told(NOW - MINUTE, delivered=NOW + 5 * HOUR))
    assert found is not None
    assert found.until == NOW + 30 * MINUTE


@pytest.mark.parametrize(
    ("severity", "gather", "until", "rules"),
    [
        ("low", "digest", NOW + 15 * MINUTE, {"digest": "15m"}),
        ("low", "digest", MORNING + 1.5 * HOUR, {"digest_at": "07:30"}),
        *(
            (severity, *waiting)
            for severity in ("low", "high")
            for waiting in (
                ("cooldown:deal:i0", NOW + 20 * MINUTE, {}),
                ("quiet hours", MORNING, {"quiet": NIGHT}),
                ("flood:deal", NOW + timedelta(seconds=30), {}),
                ("quiet hours", MORNING, {"quiet": NIGHT, "digest_at": "07:30"}),
            )
        ),
    ],
)
def test_a_row_joins_what_waits_of_its_story_already(
    severity: str, gather: str, until: datetime, rules: dict[str, Any]
) -> None:
    found = wait(watch(severity=severity, **COOL), channel(**rules), last=told(until, gather=gather))
    assert found is not None
    assert (found.until, found.gather) == (until, gather)


def test_a_row_that_passes_digests_joins_none_that_a_milder_one_waits_for() -> None:
    waiting = told(MORNING + 1.5 * HOUR, gather="digest")
    found = wait(watch(severity="high", **COOL), channel(digest_at="07:30"), last=waiting)
    assert found is not None
    assert (found.until, found.gather) == (NOW + 30 * MINUTE, "cooldown:deal:i1")


def test_after_its_cooldown_a_row_waits_for_the_digest_and_the_end_of_quiet_hours() -> None:
    last = told(NOW - 10 * MINUTE, delivered=NOW - 10 * MINUTE)
    found = wait(watch(**COOL), channel(digest="15m"), last=last)
    assert found is not None
    assert (found.until, found.gather) == (NOW + 30 * MINUTE, "digest")
    late = replace(last.alert, due=AT_NIGHT - 40 * MINUTE, delivered=AT_NIGHT - 40 * MINUTE)
    found = wait(
        watch(severity="high", **COOL),
        channel(quiet=NIGHT),
        last=Told(alert=late, story="i1"),
        now=AT_NIGHT - 31 * MINUTE,
    )
    assert found is not None
    assert (found.until, found.gather) == (MORNING, "quiet hours")
