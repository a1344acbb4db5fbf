"""A dispatcher over a real store: rows to send, channels that do as they are told, and time as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from monitor.alerts.dispatch import Counts, Dispatcher
from monitor.alerts.webhook import WebhookChannel
from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, Held, Telling
from monitor.model.filing import Change, Decision
from monitor.model.messages import Delivery, Message, Parcel, Room
from monitor.ports import Archive, Ledger
from storage.sqlite.store import SqliteStore
from tests.hook import Hook
from tests.storage.desk import candidate, filing, telling

if TYPE_CHECKING:
    from tests.monitor.alerts.conftest import SetClock

SENT, LATER = Delivery(verdict="sent"), Delivery(verdict="later", detail="status 500")


class Scripted:
    """A channel that does what a function says, and keeps what it was given."""

    def __init__(
        self, name: str, act: Callable[[Message], Awaitable[Delivery]], *, at_once: int = 8, names: int = 99
    ) -> None:
        self.id, self.at_once, self.names, self._act = name, at_once, names, act
        self.seen: list[Parcel] = []

    async def send(self, parcel: Parcel) -> Delivery:
        self.seen.append(parcel)
        return await self._act(parcel.message)

    async def close(self) -> None:
        return None

    @property
    def tellings(self) -> list[Telling]:
        return [telling for parcel in self.seen for telling in parcel.tellings]


async def sent(_message: Message) -> Delivery:
    return SENT


class Rig:
    """A store, channels and a dispatcher, with a clock that the test sets."""

    def __init__(self, store: SqliteStore, wording: Wording, clock: SetClock) -> None:
        self.store, self.clock, self.wording = store, clock, wording
        self.channels: dict[str, Any] = {}

    def dispatcher(self, clock: Any = None, archive: Archive | None = None) -> Dispatcher:
        return Dispatcher(
            self.store, archive or self.store, lambda: self.channels, clock or self.clock, Random(1)
        )  # fmt: skip

    def hook(self, hook: Hook, name: str = "hook", deadline: float = 20.0) -> None:
        self.channels[name] = WebhookChannel(
            name, hook.url, secret=None, wording=self.wording, clock=self.clock, deadline=deadline
        )

    def scripted(self, act: Callable[[Message], Awaitable[Delivery]], name: str = "hook", **more: int) -> Scripted:
        channel = self.channels[name] = Scripted(name, act, **more)
        return channel

    async def queue(
        self,
        count: int,
        *,
        channel: str = "hook",
        first: int = 0,
        watches: int | None = None,
        severity: str = "critical",
        title: str = "Deal",
        at: datetime | None = None,
        held: Held | None = None,
    ) -> list[str]:
        """File so many articles with a row each; the keys of these. Each has a watch of its own, or they take turns
        among ``watches``."""
        entries = [
            candidate(
                f"{title} {number} on {channel}",
                keys=(f"url:{channel}/{title}/{number}",),
                published=self.clock.now() - timedelta(days=1) + timedelta(seconds=number),
            )
            for number in range(first, first + count)
        ]
        own = {each.id: f"w{first + place % (watches or count)}" for place, each in enumerate(entries)}

        def judge(change: Change, ledger: Ledger) -> Decision:
            return telling((channel,), watch=own[change.item.id], severity=severity, held=held)(change, ledger)

        await self.store.file(filing(entries, at=at or self.clock.now()), judge)
        return [f"{watch}|{channel}|{item}|new" for item, watch in own.items()]

    async def alerts(self, **asked: Any) -> dict[str, Alert]:
        return {alert.key: alert for alert in await self.store.alerts(limit=99_999, **asked)}

    async def count(self, condition: str) -> int:
        return (await self.store.count())[condition]

    async def dead(self) -> dict[str, str]:
        """Key and reason of each dead letter."""
        return {key: alert.reason for key, alert in (await self.alerts(condition="dead")).items()}

    async def claimable(self, seconds: float = 0, channels: Collection[str] = ("hook",)) -> list[str]:
        """Keys of the alerts that a dispatcher could claim after so many seconds. It holds them no longer."""
        rooms = {name: Room(messages=999, alerts=999) for name in channels}
        at = self.clock.now() + timedelta(seconds=seconds)
        found = await self.store.claim_messages(at, rooms=rooms, lease=timedelta(microseconds=1))
        return [alert.key for message in found for alert in message.alerts]

    async def claimed_again(self, dispatcher: Dispatcher, count: int) -> asyncio.Task[Counts]:
        """The clock is set an hour forward: every lease has ended, and the dispatcher claims so many messages again."""
        before = {key: alert.attempts for key, alert in (await self.alerts()).items()}
        self.clock.at += timedelta(hours=1)
        draining = asyncio.create_task(dispatcher.drain())
        async with asyncio.timeout(10):
            while sum(alert.attempts > before[key] for key, alert in (await self.alerts()).items()) < count:
                await asyncio.sleep(0)
        return draining

    async def close(self) -> None:
        for channel in self.channels.values():
            await channel.close()
        await self.store.close()

    async def through(self, dispatcher: Dispatcher, seconds: float, step: float = 1.0) -> None:
        """That much time passes, and all that falls due in it is sent."""
        end = self.clock.ticks + seconds
        while self.clock.ticks < end:
            await dispatcher.drain()
            self.clock.advance(step)
        await dispatcher.drain()
