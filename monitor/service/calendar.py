"""The calendar: what is done at a time of day, in UTC. Each job runs once when its time was missed, however late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Job = Callable[[], Awaitable[None]]


class Calendar:
    """``jobs``: name → what is called when, as fields of a cron trigger (``{"hour": 3, "minute": 10}``)."""

    def __init__(self, jobs: Mapping[str, tuple[Job, Mapping[str, int | str]]]) -> None:
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler: Any = AsyncIOScheduler(timezone="UTC", job_defaults=defaults)
        for name, (job, times) in jobs.items():
            self._scheduler.add_job(job, "cron", id=name, **times)

    def begin(self) -> None:
        """From the event loop."""
        self._scheduler.start()

    def end(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def plan_anew(self) -> None:
        """The wall clock was set, or the machine slept. A clock set back would have each job wait longer by as much
        (seen: apscheduler#351); one set forward has missed what it runs now."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            sooner = job.trigger.get_next_fire_time(None, now)
            if sooner < job.next_run_time:
                self._scheduler.modify_job(job.id, next_run_time=sooner)
        if self._scheduler.running:
            self._scheduler.wakeup()
