"""The sped-up clock shows a day in a minute and leaves deadlines alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from monitor.demo.clock import SpedUpClock

START = datetime(2026, 11, 24, 4, tzinfo=UTC)


def test_the_wall_clock_stands_until_it_is_begun_and_then_runs_as_the_factor_says() -> None:
    real = [100.0]
    clock = SpedUpClock(START, 960, real=lambda: real[0])
    real[0] += 7
    assert clock.now() == START
    clock.begin()
    real[0] += 1.5
    assert clock.now() == START + timedelta(minutes=24)
    assert clock.pace == 960


def test_deadlines_and_sleeps_are_the_machines_own() -> None:
    async def slept() -> tuple[float, datetime]:
        clock = SpedUpClock(START, 36_000)
        clock.begin()
        before = clock.monotonic()
        await clock.sleep(0.1)
        return clock.monotonic() - before, clock.now()

    seconds, now = asyncio.run(slept())
    assert seconds >= 0.1
    assert now >= START + timedelta(hours=1)


def test_sleeping_until_a_moment_never_wakes_before_it() -> None:
    async def woke() -> datetime:
        clock = SpedUpClock(START, 36_000)
        clock.begin()
        await clock.sleep_until(START + timedelta(minutes=30))
        await clock.sleep_until(START)  # in the past: at once
        return clock.now()

    assert asyncio.run(woke()) >= START + timedelta(minutes=30)


@pytest.mark.parametrize("factor", [0, -1])
def test_a_clock_that_does_not_run_forward_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="forward"):
        SpedUpClock(START, factor)
