"""The machine's own clock, as the core asks for it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from monitor.ports import Clock


class SystemClock:
    """`monitor.ports.Clock` over the machine's wall and monotonic clocks."""

    pace = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def rest(clock: Clock, seconds: float, *events: asyncio.Event) -> None:
    """Wait for so many of the machine's seconds, or until one of the events is set."""
    waits = {asyncio.create_task(wait) for wait in (clock.sleep(seconds), *(event.wait() for event in events))}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
