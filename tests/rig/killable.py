"""The real service that kills itself (SIGKILL) at a named point: ``python -m tests.rig.killable FOLDER POINT NTH``.

Points: ``after_fetch`` (an answer was read, nothing filed), ``mid_file`` (inside the transaction), ``after_file``,
``after_claim`` (alerts leased), ``after_send`` (the receiver has it, nobody recorded it), ``after_mark``.
``none`` runs undisturbed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.load import load
from config.model import Config
from monitor.alerts.channels import open_channels
from monitor.cli.opened import store_of
from monitor.clock import SystemClock
from monitor.ports import Channel
from monitor.service import Service
from spiders.crawl import run

POINTS = ("after_fetch", "mid_file", "after_file", "after_claim", "after_send", "after_mark")


class Trap:
    """Kills this process the n-th time its point is passed."""

    def __init__(self, point: str, nth: int) -> None:
        self._point, self._left = point, nth

    def passing(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class TrappedStore:
    """A store whose calls pass the trap; everything else is the store's own."""

    def __init__(self, store: Any, trap: Trap) -> None:
        self._store, self._trap = store, trap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def file(self, filing: Any, decide: Any) -> Any:
        self._trap.passing("after_fetch")

        def trapped(change: Any, ledger: Any) -> Any:
            self._trap.passing("mid_file")
            return decide(change, ledger)

        filed = await self._store.file(filing, trapped)
        self._trap.passing("after_file")
        return filed

    async def claim_alerts(self, *args: Any, **more: Any) -> Any:
        claimed = await self._store.claim_alerts(*args, **more)
        if claimed:
            self._trap.passing("after_claim")
        return claimed

    async def settle(self, *args: Any, **more: Any) -> Any:
        self._trap.passing("after_send")
        settled = await self._store.settle(*args, **more)
        self._trap.passing("after_mark")
        return settled


async def main(folder: Path, trap: Trap) -> int:
    config = load(folder)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = store_of(config, exclusive=True)

    def channels(config: Config) -> Mapping[str, Channel]:
        return open_channels(config)

    trapped: Any = TrappedStore(store, trap)
    service = Service(
        config, trapped, SystemClock(), randomness=random.Random(1), tick=0.05, workers=1, channels=channels
    )  # fmt: skip
    try:
        await service.run(stop)
    finally:
        await store.close()
    return 0


if __name__ == "__main__":
    _, where, point, nth = sys.argv
    sys.exit(run(lambda: main(Path(where), Trap(point, int(nth)))))
