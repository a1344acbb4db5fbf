"""The dispatcher: takes due rows from the outbox, sends each as one message, records what came of it.

    due row → leased → its channel's lane → sent → settled (delivered · later · dead)

At least once, always with the row's own key: a row is settled once, and a settlement that comes after its lease was
lost to another process is ignored by the store (fence). A row whose lease ended while it is under way here (the clock
was set forward, the store was busy for long) is claimed again and not sent again. Channels do not wait for each
other (P6).
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

from monitor.alerts.lane import GIVE_UP, QUEUE, Lane, Leased, backoff
from monitor.errors import StoreError
from monitor.model import Alert, Delivery, Item
from monitor.ports import Archive, Channel, Clock, Outbox

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
SEND_LIMIT = 30.0
"""A channel ends by itself after 20 s; this holds when it does not."""
STALE = 25.0
"""A row that waited longer in its lane goes back to the store: its lease must outlive the send."""
IDLE = 1.0
SETTLE_TRIES = 3
SETTLE_PAUSE = 10
"""Seconds between two tries at most."""
OVERFLOW = 64
OVERFLOW_WAIT = timedelta(seconds=60)
GRACE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the rows of one drain."""

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
        self._under_way: dict[str, int] = {}
        """Alert id → its newest fence, from the claim until something is recorded of it."""
        self._turn = asyncio.Lock()
        """Claiming and recording take turns: a row claimed again must be known as such before its send is recorded
        with an older fence."""
        self._known: dict[str, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stirred = asyncio.Event()
        self.counts = Counts()

    @property
    def down(self) -> tuple[str, ...]:
        """Channels that do not answer now, for the page and ``/health`` (F132)."""
        return tuple(sorted(name for name, lane in self._lanes.items() if lane.down))

    def wake(self) -> None:
        """Something was filed: look now. From the event loop only."""
        self._stirred.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then what is on its way gets `GRACE` seconds, and leases of unsent rows are given back."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                self._stirred.clear()
                try:
                    claimed = await self._step()
                except StoreError as error:
                    log.error("outbox not readable", extra={"error": str(error)})
                    claimed = 0
                if not claimed or self._room() < QUEUE // 4:
                    await self._pause(stopping, IDLE if not claimed else IDLE / 4)
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
        """Claim what fits, start what may leave; the number of rows claimed."""
        room = self._room()
        # A lane that stays full must not hide the rows of others behind its own: then more are taken than it holds.
        limit = room if room >= QUEUE // 4 else OVERFLOW
        async with self._turn:
            rows = await self._outbox.claim_alerts(self._clock.now(), limit=limit, lease=LEASE * self._clock.pace)
            fresh = [alert for alert in rows if alert.id not in self._under_way]
            self._under_way |= {alert.id: alert.fence for alert in rows}
        at = self._clock.monotonic()
        try:
            while fresh:
                await self._place(Leased(alert=fresh.pop(0), at=at))
        finally:
            for alert in fresh:  # after a failure they are claimed again when their lease ends
                self._under_way.pop(alert.id, None)
        for name in tuple(self._lanes):
            await self._start(name)
        if len(rows) < limit:
            await self._recall()
        return len(rows)

    def _room(self) -> int:
        return min((lane.room for lane in self._lanes.values()), default=QUEUE)

    async def _place(self, leased: Leased) -> None:
        name = leased.alert.channel
        channel = self._channels().get(name)
        if channel is None:
            await self._settle(leased.alert, Delivery(verdict="refused", detail="channel removed"), None)
            return
        lane = self._lanes.setdefault(name, Lane())
        if self._known.get(name) is not channel:
            self._known[name] = channel
            lane.renew()
        if lane.room <= 0:
            lane.overflowed = True
            await self._put_off(leased.alert, OVERFLOW_WAIT, "waiting: many alerts at once")
            return
        lane.add(leased)

    async def _recall(self) -> None:
        """Nothing else is due: rows that were too many before may come."""
        for name, lane in self._lanes.items():
            if lane.overflowed and lane.room > QUEUE // 2 and not lane.shut_for(self._clock.monotonic()):
                lane.overflowed = False
                await self._outbox.hurry(name, self._clock.now())
                self.wake()

    # ------------------------------------------------------------------ sending

    async def _start(self, name: str) -> None:
        lane, channel = self._lanes[name], self._channels().get(name)
        now = self._clock.monotonic()
        for leased in [each for each in lane.waiting if channel is None or now - each.at > STALE]:
            lane.waiting.remove(leased)
            await self._put_off(leased.alert, timedelta(), "waiting for its turn")
        if channel is None:
            return
        while leased_next := lane.next_to_send(now, channel.at_once):
            task = asyncio.create_task(
                self._send(lane, channel, leased_next.alert), name=f"send {leased_next.alert.id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        await self._shut(lane)

    async def _shut(self, lane: Lane) -> None:
        """Its rows go back to the store. Looked at anew for each: an answer may open the lane meanwhile."""
        while lane.waiting and (seconds := lane.shut_for(self._clock.monotonic())):
            alert = lane.waiting.pop(0).alert
            lane.put_off = True
            wait = timedelta(seconds=seconds)
            if lane.down:
                wait = max(wait, backoff(alert.attempts, self._random.random()))
            await self._put_off(alert, wait, "waiting for the channel to answer")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease runs out and the row is sent again, with the same key.
            log.error("alert not recorded", extra={"task": task.get_name(), "error": repr(error)})
        self.wake()

    async def _send(self, lane: Lane, channel: Channel, alert: Alert) -> None:
        delivery = Delivery(verdict="later", detail="interrupted")
        try:
            with self._let_go_on_failure(alert):
                delivery = await self._delivery(channel, alert)
        finally:
            lane.sending -= 1
        now, draw = self._clock.monotonic(), self._random.random()
        back = lane.answered(alert, delivery, now, draw)
        due = None
        if delivery.verdict == "later" and self._clock.now() - (alert.resent or alert.created) < GIVE_UP:
            due = self._clock.now() + lane.wait_of(alert, delivery, now, draw)
        await self._settle(alert, delivery, due)
        if back:
            await self._outbox.hurry(alert.channel, self._clock.now())

    async def _delivery(self, channel: Channel, alert: Alert) -> Delivery:
        item, was = await self._article(alert)
        if item is None:
            return Delivery(verdict="refused", detail="the item is not held any more")
        original = await self._archive.item(item.copy_of) if item.copy_of else None
        copies = (original,) if original is not None else ()
        try:
            async with asyncio.timeout(SEND_LIMIT):
                return await channel.send(alert, item, copies=copies, was=was)
        except TimeoutError:
            return Delivery(verdict="later", detail=f"no end within {SEND_LIMIT:g} s")
        except Exception as error:  # noqa: BLE001  # one channel's bug must not end the others
            # Frames only: the error's own text may hold an address (P12).
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error(
                "channel failed", extra={"channel": channel.id, "error": type(error).__name__, "frames": frames}
            )  # fmt: skip
            return Delivery(verdict="later", detail=f"fault in the channel: {type(error).__name__}")

    async def _article(self, alert: Alert) -> tuple[Item | None, str]:
        """The item in the text that matched, so that a message is the same at each attempt; for an edit also the
        headline before it."""
        item = await self._archive.item(alert.item)
        edited = alert.state.startswith("edited:")
        if item is None or (item.revision == alert.revision and not edited):
            return item, ""
        kept = await self._archive.revisions(item.id)
        place = next((place for place, each in enumerate(kept) if each.id == alert.revision), None)
        if place is None:
            return item, ""
        then = kept[place]
        before = kept[place - 1].title if place and edited else ""
        if item.revision != then.id:
            item = replace(item, revision=then.id, title=then.title, lead=then.lead, body=then.body)
        return item, before if before != item.title else ""

    # ------------------------------------------------------------------ recording

    async def _put_off(self, alert: Alert, wait: timedelta, why: str) -> None:
        due = self._clock.now() + wait
        with self._let_go_on_failure(alert):
            await self._record(alert, Delivery(verdict="later", detail=why), due)

    async def _settle(self, alert: Alert, delivery: Delivery, due: datetime | None) -> None:
        with self._let_go_on_failure(alert):
            kept = await self._persistently(alert, delivery, due)
        dead = delivery.verdict == "refused" or (delivery.verdict == "later" and due is None)
        fields = {"alert": alert.id, "channel": alert.channel, "verdict": delivery.verdict, "detail": delivery.detail}
        log.log(
            logging.WARNING if dead else logging.INFO, "alert settled" if kept else "alert settled late", extra=fields
        )
        if kept:
            self._count(delivery, dead)

    async def _persistently(self, alert: Alert, delivery: Delivery, due: datetime | None) -> bool:
        """Tries again when the store is busy: for as long as it takes when the row was sent, since a sent row that is
        not recorded is sent twice; a few times when it was not."""
        tries = 0
        while True:
            try:
                return await self._record(alert, delivery, due)
            except StoreError as error:
                tries += 1
                if delivery.verdict != "sent" and tries >= SETTLE_TRIES:
                    raise
                log.warning("alert not recorded yet", extra={"alert": alert.id, "error": str(error), "tries": tries})
                await self._clock.sleep(min(tries, SETTLE_PAUSE))

    async def _record(self, alert: Alert, delivery: Delivery, due: datetime | None) -> bool:
        """With the newest fence that this process holds."""
        async with self._turn:
            leased = replace(alert, fence=self._under_way.get(alert.id, alert.fence))
            kept = await self._outbox.settle(leased, delivery, now=self._clock.now(), due=due)
            self._under_way.pop(alert.id, None)
            return kept

    @contextmanager
    def _let_go_on_failure(self, alert: Alert) -> Iterator[None]:
        """The row is claimed again when its lease ends, and sent then."""
        try:
            yield
        except BaseException:
            self._under_way.pop(alert.id, None)
            raise

    def _count(self, delivery: Delivery, dead: bool) -> None:
        counts = self.counts
        if dead:
            self.counts = replace(counts, dead=counts.dead + 1)
        elif delivery.verdict == "sent":
            self.counts = replace(counts, sent=counts.sent + 1)
        else:
            self.counts = replace(counts, later=counts.later + 1)

    # ------------------------------------------------------------------ waiting and ending

    async def _pause(self, stopping: asyncio.Future[Literal[True]], seconds: float) -> None:
        """Until something stirs, or stops us, or the time is over."""
        stirred = asyncio.ensure_future(self._stirred.wait())
        slept = asyncio.ensure_future(self._clock.sleep(seconds))
        await asyncio.wait((stopping, stirred, slept), return_when=asyncio.FIRST_COMPLETED)
        for each in (stirred, slept):
            each.cancel()

    async def _end(self) -> None:
        """Whoever is cut off keeps its lease until it ends: whether it was taken is not known."""
        waiting = [leased.alert for lane in self._lanes.values() for leased in lane.waiting]
        for lane in self._lanes.values():
            lane.waiting.clear()
        try:
            for alert in waiting:
                await self._put_off(alert, timedelta(), "given back at the end")
        except StoreError as error:  # their leases end by themselves; what is on its way matters more
            log.warning("alerts not given back", extra={"error": str(error)})
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
