"""A clock on which a day passes in a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta


class SpedUpClock:
    """`monitor.ports.Clock`: the wall begins at ``start`` when it is made and runs ``factor`` times as fast as the
    machine's; ``monotonic`` and ``sleep`` are the machine's own seconds, so limits and deadlines stay what they are."""

    def __init__(self, start: datetime, factor: float, *, real: Callable[[], float] = time.monotonic) -> None:
        if factor <= 0:
            raise ValueError("a clock runs forward: the factor must be above zero")
        self._start, self._factor, self._real = start, factor, real
        self._began = real()

    @property
    def pace(self) -> float:
        return self._factor

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(self._real() - self._began) * self._factor)

    def monotonic(self) -> float:
        return self._real()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the clock shows ``moment`` or later."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            await self.sleep(left / self._factor)
