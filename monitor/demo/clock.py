"""A clock on which a day passes in a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta


class SpedUpClock:
    """`monitor.ports.Clock`: the wall clock stands at ``start`` until `begin`, then runs ``factor`` times as fast
    as the machine's; ``monotonic`` and ``sleep`` are the machine's own seconds, so deadlines stay what they are."""

    def __init__(self, start: datetime, factor: float, *, real: Callable[[], float] = time.monotonic) -> None:
        if factor <= 0:
            raise ValueError("a clock runs forward: the factor must be above zero")
        self._start, self._factor, self._real = start, factor, real
        self._began: float | None = None

    @property
    def pace(self) -> float:
        return self._factor

    def begin(self) -> None:
        """Let it run. What is done before costs no time of the day: a slow machine loses no news."""
        self._began = self._real()

    def now(self) -> datetime:
        seconds = 0.0 if self._began is None else self._real() - self._began
        return self._start + timedelta(seconds=seconds * self._factor)

    def monotonic(self) -> float:
        return self._real()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the clock shows ``moment`` or later."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            await self.sleep(left / self._factor)
