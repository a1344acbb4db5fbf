"""Tending: once a minute a look after what no claim and no filing sees.

What waits for other origins is asked about (its time may be over), rows of channels and watches that are not
configured any more end, critical alerts that nobody acknowledged are told on another channel, dead letters are told,
and the canary is looked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from config.model.settings import Settings
from monitor import canary, health
from monitor.alerts.dispatch import Dispatcher
from monitor.alerts.lane import GIVE_UP
from monitor.clock import rest
from monitor.desk import Desk
from monitor.errors import StoreError
from monitor.model.alerts import Alert, Escalation, Tended
from monitor.ports import Clock, Store
from monitor.service.canaries import Canaries
from monitor.service.channels import Channels

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds of the wall clock between two looks; dead letters of one look are told together when they are many."""


class Tending:
    """Each part is safe to repeat: whatever ended an alert, or us before it was told, stands in the store."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        clock: Clock,
        *,
        channels: Channels,
        dispatcher: Dispatcher,
        canaries: Canaries,
        failing: Callable[[StoreError], None],
    ) -> None:
        self._store, self._desk, self._channels = store, desk, channels
        self._dispatcher, self._canaries, self._clock = dispatcher, canaries, clock
        self._failing = failing
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look now: rows came to an end."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._woken.clear()
            try:
                await self.tend()
                await self._canaries.look()
                await self.tell_dead()
            except StoreError as error:
                self._failing(error)
                log.error("outbox not looked after", extra={"error": str(error)})
            await rest(self._clock, EVERY / self._clock.pace, stop, self._woken)

    async def tend(self) -> Tended:
        """By the configuration in force; also when it came into force."""
        if await self._desk.reconsider():
            self._dispatcher.wake()
        edition = self._desk.edition
        found = await self._store.tend(
            self._clock.now(),
            channels=tuple(self._channels.in_force),
            watches=tuple(edition.by_id),
            escalations=escalations(edition.config.settings),
            give_up=GIVE_UP,
        )
        if found != Tended():
            counts = {"buried": found.buried, "suppressed": found.suppressed, "escalated": found.escalated}
            log.warning("outbox looked after", extra=counts)
        if found.escalated:
            self._dispatcher.wake()
        return found

    async def tell_dead(self) -> int:
        """File notices of the dead letters that nobody was told of; how many there were."""
        dead = await self._store.untold_dead()
        news = [alert for alert in dead if not await self._untellable(alert)]
        if news:
            filed = await self._desk.tell(health.dead_letters(news, now=self._clock.now()))
            if filed.quarantined:
                return 0
        if dead:
            # A death between the two is told again, as the same items.
            await self._store.mark_told([alert.id for alert in dead])
        return len(news)

    async def _untellable(self, alert: Alert) -> bool:
        """A notice that cannot be told makes no notice: it stands on the page only. A canary is told as late."""
        if alert.watch == canary.NAME:
            return True
        watch = self._desk.edition.by_id.get(alert.watch)
        if watch is None or health.OUTLET not in watch.outlets:
            return False
        item = await self._store.item(alert.item)
        return item is None or item.outlet == health.OUTLET


def escalations(settings: Settings) -> tuple[Escalation, ...]:
    """The channels' rules."""
    return tuple(
        Escalation(channel=channel.id, to=channel.escalate_to, after=channel.escalate_after)
        for channel in settings.channel
        if channel.escalate_to is not None and channel.escalate_after is not None
    )
