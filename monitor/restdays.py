"""An outlet's week: which of its 168 hours a moment falls into, by the outlet's clock and its days of rest.

A public holiday counts as the weekly day of rest, and its eve as the eve of that day: what a desk does on Yom Kippur is
what it does on a Sabbath. The holidays are those of the package ``holidays``, imported when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.model.outlets import Outlet

if TYPE_CHECKING:
    from holidays import HolidayBase

HOURS = 168
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SUNDAY = 6
_REST = {"IL": 5}
"""The weekly day of rest where it is not Sunday, nor the first day of a weekend without a Sunday (Friday)."""
_EVES = {"IL": 14}
"""Where days of rest begin on the evening before: the hour at which work ends then."""


@dataclass(frozen=True, slots=True)
class Week:
    """The week of an outlet: its time zone, and the country whose holidays it keeps (``None``: it keeps none)."""

    zone: ZoneInfo
    country: str | None = None

    def slot(self, local: datetime) -> int:
        """The hour of the week, Monday's first is 0, of a moment in the outlet's own time."""
        if self.country is None:
            return local.weekday() * 24 + local.hour
        day, evening = _kept_as(local.date(), self.country)
        return (evening if local.hour >= _EVES.get(self.country, 24) else day) * 24 + local.hour

    def pieces(self, start: datetime, end: datetime) -> Iterator[tuple[int, float]]:
        """The slots from ``start`` to ``end`` in order, with the hours spent in each; none when ``end`` is earlier."""
        at = start
        while at < end:
            local = at.astimezone(self.zone)
            full = at + _HOUR - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            until = min(end, full)
            yield self.slot(local), (until - at) / _HOUR
            at = until


def week_of(outlet: Outlet) -> Week:
    return _week(outlet.time_zone, outlet.holidays)


@cache
def _week(zone: str, country: str | None) -> Week:
    return Week(ZoneInfo(zone), country)


def prepare(countries: Iterable[str], year: int) -> None:
    """Have the holidays around a year at hand. The first of all takes a second (it imports every country), so a service
    does this in a thread."""
    for country in countries:
        for each in (year - 1, year, year + 1):
            holidays_of(country, each)


@cache
def holidays_of(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166-1, two letters) in a year; estimated ones too."""
    return frozenset(_calendar(country, year))


@cache
def _rest_day(country: str) -> int:
    weekend = _calendar(country, None).weekend
    return _REST.get(country, _SUNDAY if _SUNDAY in weekend else min(weekend, default=_SUNDAY))


def _calendar(country: str, year: int | None) -> HolidayBase:
    from holidays import country_holidays  # noqa: PLC0415

    return country_holidays(country, years=year)


@lru_cache(maxsize=10_000)
def _kept_as(day: date, country: str) -> tuple[int, int]:
    """The weekdays that a day, and its evening, are kept as."""
    rest, tomorrow = _rest_day(country), day + _DAY
    kept = rest if day in holidays_of(country, day.year) else day.weekday()
    leaves = tomorrow.weekday() == rest or tomorrow in holidays_of(country, tomorrow.year)
    return kept, (rest - 1) % 7 if leaves else kept
