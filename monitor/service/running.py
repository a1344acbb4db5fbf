"""What the service knows of itself while it runs: one value that its parts share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from monitor.errors import StoreError
from monitor.ports import Clock

log = logging.getLogger(__name__)

QUIET = 15.0
"""Seconds without a failure after which the store is no trouble any more: on a full disk small writes still fit in."""


@dataclass(slots=True)
class Running:
    """Texts are sentences or empty. ``alarm`` hears of every failure of the store."""

    clock: Clock
    started: datetime
    alarm: Callable[[StoreError], None] = lambda error: None
    last_tick: datetime | None = None
    """When the schedule was last looked at with success."""
    refused: str = ""
    """What is wrong with the configuration on disk, while the last good one stays in force."""
    store_warnings: tuple[str, ...] = ()
    trouble: str = ""
    """Why the store fails at this moment."""
    failed: float | None = None
    """When it last did, in the machine's seconds."""
    unheard: str = ""
    """Why the outside did not take the last sign of life."""

    def troubled(self, error: StoreError) -> None:
        """The store failed; said once while it fails in the same way."""
        self.failed = self.clock.monotonic()
        self.alarm(error)
        if self.trouble != str(error):
            self.trouble = str(error)
            log.error("the store fails, watching pauses", extra={"error": str(error)})

    def ticked(self) -> None:
        """The schedule was looked at."""
        self.last_tick = self.clock.now()
        if self.failed is not None and self.clock.monotonic() - self.failed >= QUIET:
            self.failed, self.trouble = None, ""
            log.info("the store works again")

    def failed_since(self, moment: float) -> bool:
        return self.failed is not None and self.failed >= moment
