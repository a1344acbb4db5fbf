"""An outlet's week: its own clock, its own days of rest."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from holidays import list_supported_countries
from hypothesis import given, settings
from hypothesis import strategies as st

from config.countries import WITH_HOLIDAYS
from config.load import load
from monitor.restdays import HOURS, Week, holidays_of, week_of

JERUSALEM = Week(ZoneInfo("Asia/Jerusalem"), "IL")
MON, TUE, FRI, SAT, SUN = 0, 1, 4, 5, 6


def kept_as(week: Week, text: str) -> tuple[int, int]:
    """Weekday and hour that a local moment counts as."""
    return divmod(week.slot(datetime.fromisoformat(text).replace(tzinfo=week.zone)), 24)


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-09-19T10:00", SAT),
        ("2026-09-20T10:00", SUN),  # Yom Kippur begins this evening
        ("2026-09-20T13:59", SUN),
        ("2026-09-20T14:00", FRI),
        ("2026-09-21T10:00", SAT),
        ("2026-09-21T20:00", SAT),
        ("2026-09-22T10:00", TUE),
        ("2026-09-11T15:00", FRI),
        ("2026-09-12T15:00", FRI),  # Rosh Hashanah: its second day begins this evening
        ("2026-09-13T15:00", SAT),
        ("2026-05-22T15:00", FRI),  # Shavuot on a Friday: the Sabbath begins this evening
        ("2026-05-22T10:00", SAT),
    ],
)
def test_a_holiday_is_kept_as_a_sabbath_and_its_eve_as_a_friday_afternoon(local: str, day: int) -> None:
    assert kept_as(JERUSALEM, local) == (day, int(local[11:13]))


@pytest.mark.parametrize(
    ("country", "zone", "local", "day"),
    [
        ("GB", "Europe/London", "2026-12-25T18:00", SUN),
        ("GB", "Europe/London", "2026-12-24T18:00", 3),
        ("QA", "Asia/Qatar", "2026-03-22T12:00", FRI),
        ("US", "America/New_York", "2026-11-26T12:00", SUN),
    ],
)
def test_elsewhere_a_holiday_is_kept_as_the_weekly_day_of_rest_there(
    country: str, zone: str, local: str, day: int
) -> None:
    assert kept_as(Week(ZoneInfo(zone), country), local)[0] == day


def test_an_outlets_week_is_that_of_its_file() -> None:
    knesset = load(None).outlets["knesset"]
    assert week_of(knesset) == JERUSALEM
    assert week_of(knesset.model_copy(update={"holidays": None})) == Week(ZoneInfo("Asia/Jerusalem"))


def test_without_a_country_no_holiday_is_kept() -> None:
    assert kept_as(Week(ZoneInfo("Asia/Jerusalem")), "2026-09-21T10:00") == (MON, 10)


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    length=st.timedeltas(timedelta(), timedelta(days=9)),
    zone=st.sampled_from(["Asia/Jerusalem", "Asia/Kathmandu", "Europe/London", "UTC"]),
)
@settings(max_examples=60)
def test_the_pieces_of_a_time_are_the_time(start: datetime, length: timedelta, zone: str) -> None:
    start = start.replace(tzinfo=UTC)
    pieces = list(Week(ZoneInfo(zone), "IL").pieces(start, start + length))
    assert sum(hours for _slot, hours in pieces) == pytest.approx(length / timedelta(hours=1))
    assert all(0 < hours <= 1 and 0 <= slot < HOURS for slot, hours in pieces)


def test_f117_the_nights_on_which_clocks_change_have_23_and_25_hours() -> None:
    week = Week(ZoneInfo("Asia/Jerusalem"))
    for day, hours in (("2026-03-27", 23), ("2026-10-25", 25)):
        start = datetime.fromisoformat(day).replace(tzinfo=week.zone)
        end = (start + timedelta(days=1)).astimezone(UTC)
        assert len(list(week.pieces(start.astimezone(UTC), end))) == hours


def test_the_countries_that_may_be_written_are_those_whose_holidays_are_known() -> None:
    assert list(WITH_HOLIDAYS) == sorted(list_supported_countries(include_aliases=False))
    assert datetime(2026, 9, 21).date() in holidays_of("IL", 2026)


def test_holidays_are_imported_only_when_they_are_asked_for() -> None:
    asked = (
        "import sys, monitor.cli, monitor.desk, config.load as load; load.load(None); print('holidays' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
