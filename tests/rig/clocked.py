"""The real service under a clock that stands where it is put: ``python -m tests.rig.clocked FOLDER NOW``.

One JSON command a line on standard input, one answer a line on standard output: ``{"at": NOW}`` sets the clock,
``{"reload": true}`` reads the configuration again, ``{"status": true}`` gives what ``/health`` says. The end of the
input stops the service in order. `tests.rig.running.Clocked` is the other side.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from config.load import load
from monitor import log
from monitor.alerts.channels import open_channels
from monitor.cli.opened import store_of
from monitor.service import Service
from monitor.web.app import health_of
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


async def obeyed(service: Service, clock: StandingClock, command: dict[str, Any]) -> Any:
    if "at" in command:
        clock.wall = datetime.fromisoformat(command["at"])
        for _ in range(2):  # the first may have begun before the clock was set
            service.running.last_tick = None
            while service.running.last_tick is None:
                await asyncio.sleep(0.005)
        return True
    if "reload" in command:
        return await service.reload()
    return health_of(await service.status())


async def commands(service: Service, clock: StandingClock, stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await obeyed(service, clock, json.loads(line))), flush=True)
    stop.set()


async def main(folder: Path, now: datetime) -> int:
    config = load(folder)
    log.set_up(sys.stderr, json=False, level="INFO")
    clock, stop = StandingClock(now), asyncio.Event()
    store = store_of(config, exclusive=True)
    try:
        service = Service(
            config, store, clock, randomness=random.Random(1), folder=folder, tick=0.02, workers=1,
            channels=lambda config: open_channels(config, clock=clock),
        )  # fmt: skip
        obeying = asyncio.create_task(commands(service, clock, stop))
        await service.run(stop)
        await obeying
    finally:
        await store.close()
    return 0


if __name__ == "__main__":
    _, where, at = sys.argv
    sys.exit(run(lambda: main(Path(where), datetime.fromisoformat(at))))
