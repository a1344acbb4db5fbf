"""Jobs at a time of day: planned anew when the clock was set, run late when their time was missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from monitor.service.calendar import Calendar

pytestmark = pytest.mark.anyio


class Job:
    def __init__(self) -> None:
        self.ran = asyncio.Event()
        self.times = 0

    async def run(self) -> None:
        self.times += 1
        self.ran.set()


@pytest.fixture
async def job(anyio_backend: str) -> Job:
    return Job()


@pytest.fixture
async def calendar(job: Job) -> AsyncIterator[Calendar]:
    """One job at half past each hour, so that a test is over before it is due."""
    half_an_hour_on = (datetime.now(UTC) + timedelta(minutes=30)).minute
    made = Calendar({"job": (job.run, {"minute": half_an_hour_on})})
    made.begin()
    yield made
    made.end()
    await asyncio.sleep(0)  # it ends at the loop's next turn


def due(calendar: Calendar) -> datetime:
    found: datetime = calendar._scheduler.get_job("job").next_run_time
    return found


def planned(calendar: Calendar, at: datetime) -> None:
    """As if the wall clock had been set since the job was planned: nobody is woken."""
    job = calendar._scheduler.get_job("job")
    job._modify(next_run_time=at)
    calendar._scheduler._lookup_jobstore("default").update_job(job)


async def test_f116_a_clock_set_back_by_a_day_keeps_no_job_waiting_for_it(calendar: Calendar, job: Job) -> None:
    planned(calendar, datetime.now(UTC) + timedelta(hours=25))
    calendar.plan_anew()
    assert due(calendar) - datetime.now(UTC) < timedelta(hours=1)
    assert job.times == 0


async def test_f118_what_was_missed_while_the_machine_slept_runs_once_on_waking(calendar: Calendar, job: Job) -> None:
    planned(calendar, datetime.now(UTC) - timedelta(hours=7))
    calendar.plan_anew()
    async with asyncio.timeout(20):
        await job.ran.wait()
    assert due(calendar) > datetime.now(UTC)
    assert job.times == 1


async def test_a_job_that_is_due_later_today_stays_when_the_clock_is_set_forward(calendar: Calendar, job: Job) -> None:
    before = due(calendar)
    calendar.plan_anew()
    assert due(calendar) == before
    assert job.times == 0
