"""The canaries: one is let out at start and each hour, and must come to its channel within five minutes.

What is out stands in the store, so an episode (canaries stay out → one comes again) is told once over restarts, too.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor import canary, health
from monitor.desk import Desk
from monitor.model.entries import Entry
from monitor.ports import Archive, Clock, Outbox
from monitor.stories.identity import candidates

log = logging.getLogger(__name__)

REMEMBERED = 100
"""Canaries looked through at start: those of four days, longer than an alert is tried."""


class Cage(Archive, Outbox, Protocol):
    """The parts of the store that canaries pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Out:
    """A canary that was let out: its item (``None``: it could not be filed), and since when, in the machine's
    seconds, it is waited for."""

    item: str | None
    since: float


class Canaries:
    """``arrived`` is when the last one came, by the wall clock."""

    def __init__(self, store: Cage, desk: Desk, clock: Clock) -> None:
        self._store, self._desk, self._clock = store, desk, clock
        self._out: list[_Out] = []
        """The oldest first; emptied when any of them comes."""
        self._next_by = clock.monotonic() + canary.MISSING
        self._told = ""
        """The episode that the desk was told of: the first canary of it that stayed out."""
        self.arrived: datetime | None = None

    @property
    def late(self) -> bool:
        """One stays out for longer than it should, or none was let out when it should have been."""
        now = self._clock.monotonic()
        return now > self._next_by or any(now - each.since > canary.LATE for each in self._out)

    async def recall(self) -> None:
        """What an earlier service let out, before the first of this one is."""
        now, found = self._clock.monotonic(), []
        for row in await self._store.alerts(watch=canary.NAME, limit=REMEMBERED):
            if row.condition == "delivered":
                self.arrived = row.delivered
                break
            found.append(_Out(item=row.item, since=now))
        self._out = found[::-1]

    async def let_out(self) -> None:
        """One more, the whole way of an answer. When it cannot be filed, `look` tries again."""
        self._next_by = self._clock.monotonic() + canary.MISSING
        since = self._clock.monotonic()
        if self._out and self._out[-1].item is None:
            since = self._out.pop().since
        try:
            item = await self._desk.file_canary()
        except Exception:  # that its way is broken is what a canary is to show
            log.exception("canary not filed")
            item = None
        self._out.append(_Out(item=item, since=since))

    async def look(self) -> None:
        """Whether one has come; tells the beginning and the end of an episode."""
        if self._out and self._out[-1].item is None:
            await self.let_out()
        for each in reversed(self._out):
            if each.item is not None and (came := await self._came(each.item)) is not None:
                self.arrived = came
                await self._tell_back()
                self._out = []
                return
        await self._tell_late()

    async def _came(self, item: str) -> datetime | None:
        rows = await self._store.alerts(item=item, watch=canary.NAME)
        return next((row.delivered for row in rows if row.condition == "delivered"), None)

    # ------------------------------------------------------------------ telling

    @property
    def _episode(self) -> str:
        """Named by the first canary that stayed out; the same after a restart."""
        first = next((each.item for each in self._out if each.item is not None), None)
        return first or f"after:{self.arrived.isoformat() if self.arrived else 'the start'}"

    async def _tell_late(self) -> None:
        if self.late and not self._told:
            await self._desk.tell((self._late_notice(self._episode),))
            self._told = self._episode

    def _late_notice(self, episode: str) -> Entry:
        channel = canary.channel(self._desk.edition.config.settings)
        return health.canary_late(episode, channel, last=self.arrived, now=self._clock.now())

    async def _tell_back(self) -> None:
        """Of an episode that this service or an earlier one told."""
        if not self._told and len(self._out) == 1:
            return  # the last one before it came too
        episode = self._told or self._episode
        late = candidates((self._late_notice(episode),), health.built_in_outlet(), None)[0].id
        if await self._store.item(late) is not None:
            await self._desk.tell((health.canary_back(episode, now=self._clock.now()),))
        self._told = ""
