"""A day on a fixed date, a clock that stands where it is put, and the shipped watch engine over the demo's watches."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from monitor.demo.day import Day, load

ON = date(2026, 11, 24)


class SetClock:
    """`monitor.ports.Clock` that a test moves by hand."""

    pace = 1.0

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here may wait")

    def at(self, hour: int, minute: int = 0) -> None:
        self.moment = datetime(ON.year, ON.month, ON.day, hour, minute, tzinfo=UTC)


@pytest.fixture
def day() -> Day:
    return load(ON)


@pytest.fixture
def clock(day: Day) -> SetClock:
    return SetClock(day.start)
