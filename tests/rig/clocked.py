"""The real service under a clock that stands where it is put: ``python -m tests.rig.clocked FOLDER NOW``.

One JSON command a line on standard input, one answer a line on standard output: ``{"at": NOW}`` sets the clock,
``{"reload": N}`` reads the configuration again, N times at once, and ``{"status": true}`` gives what ``/health`` says.
``{"hold": NOW}`` sets the clock and makes the next filing that has something to decide wait, within its transaction,
for other watches to come into force: ``{"held": true}`` answers when it waits, ``{"crossed": true}`` whether they came
while it did. The end of the input stops the service in order. `tests.rig.running.Clocked` is the other side.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from config.load import load
from monitor import log
from monitor.alerts.channels import open_channels
from monitor.cli.opened import store_of
from monitor.service import Service
from monitor.web.probes import health_of
from spiders.crawl import run


class StandingClock:
    """A wall clock that stands where it is put; the machine's seconds are the machine's."""

    pace = 1.0

    def __init__(self, now: datetime) -> None:
        self.wall = now

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class HoldingStore:
    """A store that holds a filing up inside its transaction; everything else is the store's own."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.watches: Callable[[], object] = lambda: None
        self.hold, self.held, self.crossed = False, threading.Event(), False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def file(self, filing: Any, decide: Any, settle: Any = None) -> Any:
        before = self.watches()

        def held(change: Any, ledger: Any) -> Any:
            if self.hold:
                self.hold = False
                self.held.set()
                end = time.monotonic() + 20
                while self.watches() == before and time.monotonic() < end:
                    time.sleep(0.001)
                self.crossed = self.watches() != before
            return decide(change, ledger)

        return await self._store.file(filing, held, settle)


async def obeyed(service: Service, clock: StandingClock, store: HoldingStore, command: dict[str, Any]) -> Any:
    if "at" in command:
        clock.wall = datetime.fromisoformat(command["at"])
        for _ in range(2):  # the first may have begun before the clock was set
            service.running.last_tick = service.dispatcher.looked = None
            while service.running.last_tick is None or service.dispatcher.looked is None:
                service.dispatcher.wake()
                await asyncio.sleep(0.005)
        return True
    if "reload" in command:
        taken = await asyncio.gather(*(service.reload.now() for _ in range(command["reload"])))
        return all(taken)
    if "hold" in command:
        store.hold = True
        clock.wall = datetime.fromisoformat(command["hold"])
        return True
    if "held" in command:
        return await asyncio.to_thread(store.held.wait, 20)
    if "crossed" in command:
        return store.crossed
    return health_of(await service.status())


async def commands(service: Service, clock: StandingClock, store: HoldingStore, stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await obeyed(service, clock, store, json.loads(line))), flush=True)
    stop.set()


async def unheard(stop: asyncio.Event) -> None:
    """Saves are not listened for: each reading is asked for, so that a test knows when there is one."""
    await stop.wait()


async def main(folder: Path, now: datetime) -> int:
    config = load(folder)
    log.set_up(sys.stderr, json=False, level="INFO")
    clock, stop = StandingClock(now), asyncio.Event()
    store = store_of(config, exclusive=True)
    holding: Any = HoldingStore(store)
    try:
        service = Service(
            config, holding, clock, randomness=random.Random(1), folder=folder, tick=0.02, workers=1,
            channels=lambda config: open_channels(config, clock=clock),
        )  # fmt: skip
        service.reload.on_save = unheard  # type: ignore[method-assign]
        holding.watches = lambda: set(service.desk.edition.by_id)
        obeying = asyncio.create_task(commands(service, clock, holding, stop))
        await service.run(stop)
        await obeying
    finally:
        await store.close()
    return 0


if __name__ == "__main__":
    _, where, at = sys.argv
    sys.exit(run(lambda: main(Path(where), datetime.fromisoformat(at))))
