"""The real service, its page and all, under a clock on which both kinds of time run faster:
``python -m tests.rig.hurried FOLDER FACTOR``.

What takes it a minute takes FACTOR times less. SIGUSR1 makes the dispatcher's next look at the outbox one that never
ends, SIGUSR2 lets it end.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.load import load
from monitor import log
from monitor.cli import service as command
from monitor.cli.opened import store_of
from spiders.crawl import run


class HurriedClock:
    """Wall clock and machine's seconds go equally fast, so the pace between them is 1."""

    pace = 1.0

    def __init__(self, factor: float) -> None:
        self._factor, self._began, self._wall = factor, time.monotonic(), datetime.now(UTC)

    def now(self) -> datetime:
        return self._wall + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._factor

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._factor)


class StickyStore:
    """A store whose outbox can be made to keep whoever looks at it; everything else is the store's own."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.free = asyncio.Event()
        self.free.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def claim_messages(self, *args: Any, **more: Any) -> Any:
        await self.free.wait()
        return await self._store.claim_messages(*args, **more)


async def main(folder: Path, factor: float) -> int:
    """What `wirewatch run` does, with another clock and store."""
    config = load(folder)
    log.set_up(sys.stderr, json=False, level="DEBUG")
    log.keep_out(config.secret_values)
    store: Any = StickyStore(store_of(config, exclusive=True))
    command.SystemClock = lambda: HurriedClock(factor)  # type: ignore[assignment,misc]
    command.store_of = lambda *_args, **_more: store  # type: ignore[assignment]
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, store.free.clear)
    loop.add_signal_handler(signal.SIGUSR2, store.free.set)
    return await command.serve(config, folder)


if __name__ == "__main__":
    _, where, times = sys.argv
    sys.exit(run(lambda: main(Path(where), float(times))))
