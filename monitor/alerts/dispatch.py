"""The dispatcher: takes due messages from the outbox, sends each, records what came of it.

    rows whose turn has come → message, leased → sent → settled (delivered · later · dead)

Only what a channel can take at this moment is leased, and it is sent at once. At least once, always with the message's
own key: a message is settled once, and a settlement that comes after its lease was lost to another process is ignored
by the store (fence). A message whose lease ended while it is under way here (the clock was set forward, the store was
busy for long) is claimed again and not sent again. Channels do not wait for each other (P6).
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from config.model.fields import ChangeClass
from monitor import canary
from monitor.alerts import corroboration, policy
from monitor.alerts.edits import edits
from monitor.alerts.lane import GIVE_UP, Lane
from monitor.alerts.latency import Latency
from monitor.errors import StoreError
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item, Revision, Whereabouts
from monitor.model.messages import Delivery, Message, Parcel, Room
from monitor.model.stories import Story
from monitor.ports import Archive, Channel, Clock, Outbox

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
SEND_LIMIT = 30.0
"""A channel ends by itself after 20 s; this holds when it does not."""
IDLE = 1.0
SETTLE_TRIES = 3
SETTLE_PAUSE = 10
"""Seconds between two tries at most."""
GRACE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the alerts of news; canaries are not counted."""

    sent: int = 0
    later: int = 0
    dead: int = 0


class Dispatcher:
    """Everything runs on one event loop. ``channels`` is asked at each step: a reload shows at once."""

    def __init__(
        self,
        outbox: Outbox,
        archive: Archive,
        channels: Callable[[], Mapping[str, Channel]],
        clock: Clock,
        random: Random,
    ) -> None:
        self._outbox = outbox
        self._archive = archive
        self._channels = channels
        self._clock = clock
        self._random = random
        self._lanes: dict[str, Lane] = {}
        self._known: dict[str, Channel] = {}
        self._under_way: dict[str, int] = {}
        """Message id → its newest fence, from the claim until something is recorded of it."""
        self._turn = asyncio.Lock()
        """Claiming and recording take turns: a message claimed again must be known as such before its send is recorded
        with an older fence."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._stirred = asyncio.Event()
        self.counts = Counts()
        self.latency = Latency()
        self.looked: datetime | None = None
        """When the outbox was last looked at with success."""

    @property
    def down(self) -> tuple[str, ...]:
        """Channels that do not answer now, for the page and ``/health`` (F132)."""
        return tuple(sorted(name for name, lane in self._lanes.items() if lane.down))

    def wake(self) -> None:
        """Something was filed: look now. From the event loop only."""
        self._stirred.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then what is on its way gets `GRACE` seconds."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                self._stirred.clear()
                try:
                    await self._step()
                except StoreError as error:
                    log.error("outbox not readable", extra={"error": str(error)})
                await self._pause(stopping)
        finally:
            stopping.cancel()
            await self._end()

    async def drain(self) -> Counts:
        """Send everything that is due now, and what falls due meanwhile; say what came of it."""
        before = self.counts
        while await self._step() or self._tasks:
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        after = self.counts
        return Counts(
            sent=after.sent - before.sent, later=after.later - before.later, dead=after.dead - before.dead
        )  # fmt: skip

    # ------------------------------------------------------------------ claiming

    async def _step(self) -> int:
        """Claim what may leave and send it off; the number of messages."""
        channels = self._channels()
        rooms = self._rooms(channels)
        async with self._turn:
            claimed = await self._outbox.claim_messages(
                self._clock.now(), rooms=rooms, lease=LEASE * self._clock.pace
            )  # fmt: skip
            fresh = [message for message in claimed if message.id not in self._under_way]
            self._under_way |= {message.id: message.fence for message in claimed}
        self.looked = self._clock.now()
        for message in fresh:
            lane = self._lanes[message.channel]
            lane.left(self._clock.monotonic())
            task = asyncio.create_task(self._send(lane, channels[message.channel], message), name=message.id)
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        return len(fresh)

    def _rooms(self, channels: Mapping[str, Channel]) -> dict[str, Room]:
        now = self._clock.monotonic()
        rooms = {}
        for name, channel in channels.items():
            lane = self._lanes.setdefault(name, Lane())
            if self._known.get(name) is not channel:
                self._known[name] = channel
                lane.renew()
            if room := lane.room(now, channel.at_once):
                rooms[name] = Room(messages=room, alerts=channel.names, probing=lane.down)
        return rooms

    # ------------------------------------------------------------------ sending

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease runs out and the message is sent again, with the same key.
            log.error("message not recorded", extra={"task": task.get_name(), "error": repr(error)})
        self.wake()

    async def _send(self, lane: Lane, channel: Channel, message: Message) -> None:
        with self._let_go_on_failure(message):
            try:
                parcel = await self._parcel(message)
                delivery = await self._delivery(channel, parcel)
            finally:
                lane.sending -= 1
        now, draw = self._clock.monotonic(), self._random.random()
        back = lane.answered(message, delivery, now, draw)
        due = None
        if delivery.verdict == "later" and not self._too_late(message):
            due = self._clock.now() + lane.wait_of(message, delivery, now, draw)
        await self._settle(message, parcel, delivery, due)
        if back:
            await self._outbox.hurry(message.channel, self._clock.now())

    def _too_late(self, message: Message) -> bool:
        """All its alerts are: none dies of its neighbours' age."""
        return self._clock.now() - max(alert.due for alert in message.alerts) >= GIVE_UP

    async def _delivery(self, channel: Channel, parcel: Parcel) -> Delivery:
        if not parcel.tellings:
            return Delivery(verdict="refused", detail="the item is not held any more")
        try:
            async with asyncio.timeout(SEND_LIMIT):
                return await channel.send(parcel)
        except TimeoutError:
            return Delivery(verdict="later", detail=f"no end within {SEND_LIMIT:g} s")
        except Exception as error:  # noqa: BLE001  # one channel's bug must not end the others
            # Frames only: the error's own text may hold an address (P12).
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error(
                "channel failed", extra={"channel": channel.id, "error": type(error).__name__, "frames": frames}
            )  # fmt: skip
            return Delivery(verdict="later", detail=f"fault in the channel: {type(error).__name__}")

    async def _parcel(self, message: Message) -> Parcel:
        """With all alerts whose items are still held."""
        stories: dict[str, Story | None] = {}
        tellings = [await self._telling(alert, stories) for alert in message.alerts]
        return Parcel(message=message, tellings=tuple(each for each in tellings if each is not None))

    async def _telling(self, alert: Alert, stories: dict[str, Story | None]) -> Telling | None:
        """The item in the text that matched, so that a message is the same at each attempt; for an edit also what it
        changed; and its story (``stories``: those that other alerts of the message needed)."""
        item = await self._archive.item(alert.item)
        if item is None:
            return None
        before: Revision | None = None
        changed: tuple[ChangeClass, ...] = ()
        edited = alert.cause.startswith("edited:")
        if edited or item.revision != alert.revision:
            item, before, changed = await self._then(item, alert.revision)
        if not edited:
            before = None
        original = await self._archive.item(item.copy_of) if item.copy_of else None
        copies = (original,) if original is not None else ()
        story = await self._story(item.story, stories)
        linked = [await self._story(link.story, stories) for link in story.links] if story is not None else []
        counted = alert.state == corroboration.STATE and story is not None
        return Telling(
            story=story, linked=tuple(each for each in linked if each is not None),
            event=await self._archive.event(item.story) if counted else (),
            alert=alert, item=item, copies=copies,
            was=before.title if before is not None and before.title != item.title else "",
            changed=changed if edited else (), edits=edits(before, item) if before is not None else (),
            gone=await self._gone(alert),
        )  # fmt: skip

    async def _story(self, name: str, known: dict[str, Story | None]) -> Story | None:
        if name and name not in known:
            known[name] = await self._archive.story(name)
        return known.get(name)

    async def _gone(self, alert: Alert) -> Whereabouts | None:
        if alert.cause != policy.WITHDRAWN:
            return None
        told = await self._archive.whereabouts(alert.item)
        return next((each for each in reversed(told) if each.what == "withdrawn"), None)

    async def _then(self, item: Item, revision: str) -> tuple[Item, Revision | None, tuple[ChangeClass, ...]]:
        """The item as it read in that revision, the text before it, and what changed between them; as it is now when
        the revision is not kept."""
        kept = await self._archive.revisions(item.id)
        place = next((place for place, each in enumerate(kept) if each.id == revision), None)
        if place is None:
            return item, None, ()
        then = kept[place]
        before = kept[place - 1] if place else None
        if item.revision != then.id:
            item = replace(item, revision=then.id, title=then.title, lead=then.lead, body=then.body)
        return item, before, then.classes

    # ------------------------------------------------------------------ recording

    async def _settle(self, message: Message, parcel: Parcel, delivery: Delivery, due: datetime | None) -> None:
        with self._let_go_on_failure(message):
            kept = await self._persistently(message, delivery, due)
        dead = delivery.verdict == "refused" or (delivery.verdict == "later" and due is None)
        fields = {
            "message_id": message.id, "kind": message.kind, "alerts": [alert.id for alert in message.alerts],
            "channel": message.channel, "verdict": delivery.verdict, "detail": delivery.detail,
        }  # fmt: skip
        level = logging.WARNING if dead else logging.INFO
        log.log(level, "message settled" if kept else "message settled late", extra=fields)
        if kept and message.alerts[0].watch != canary.NAME:
            self._count(message, delivery, dead)
            if delivery.verdict == "sent":
                self._note_latency(parcel)

    async def _persistently(self, message: Message, delivery: Delivery, due: datetime | None) -> bool:
        """Tries again when the store is busy: for as long as it takes when the message was sent, since a sent message
        that is not recorded is sent twice; a few times when it was not."""
        tries = 0
        while True:
            try:
                return await self._record(message, delivery, due)
            except StoreError as error:
                tries += 1
                if delivery.verdict != "sent" and tries >= SETTLE_TRIES:
                    raise
                log.warning(
                    "message not recorded yet", extra={"message_id": message.id, "error": str(error), "tries": tries}
                )  # fmt: skip
                await self._clock.sleep(min(tries, SETTLE_PAUSE))

    async def _record(self, message: Message, delivery: Delivery, due: datetime | None) -> bool:
        """With the newest fence that this process holds."""
        async with self._turn:
            leased = replace(message, fence=self._under_way.get(message.id, message.fence))
            kept = await self._outbox.settle(leased, delivery, now=self._clock.now(), due=due)
            self._under_way.pop(message.id, None)
            return kept

    @contextmanager
    def _let_go_on_failure(self, message: Message) -> Iterator[None]:
        """The message is claimed again when its lease ends, and sent then."""
        try:
            yield
        except BaseException:
            self._under_way.pop(message.id, None)
            raise

    def _count(self, message: Message, delivery: Delivery, dead: bool) -> None:
        counts, alerts = self.counts, len(message.alerts)
        if dead:
            self.counts = replace(counts, dead=counts.dead + alerts)
        elif delivery.verdict == "sent":
            self.counts = replace(counts, sent=counts.sent + alerts)
        else:
            self.counts = replace(counts, later=counts.later + alerts)

    def _note_latency(self, parcel: Parcel) -> None:
        """Of what was not held back on purpose."""
        now = self._clock.now()
        for each in parcel.tellings:
            if not each.alert.gather:
                published = None if each.item.published_assumed else each.item.published
                self.latency.sent(each.item.first_seen, published, now)

    # ------------------------------------------------------------------ waiting and ending

    async def _pause(self, stopping: asyncio.Future[Literal[True]]) -> None:
        """Until something stirs, or stops us, or the time is over."""
        stirred = asyncio.ensure_future(self._stirred.wait())
        slept = asyncio.ensure_future(self._clock.sleep(IDLE))
        await asyncio.wait((stopping, stirred, slept), return_when=asyncio.FIRST_COMPLETED)
        for each in (stirred, slept):
            each.cancel()

    async def _end(self) -> None:
        """Whoever is cut off keeps its lease until it ends: whether it was taken is not known."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
