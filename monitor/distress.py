"""When the store fails no notice can be filed, so the desk is told past it, straight through the channels (F108).

An episode begins when the store fails and ends with the next write that it takes. One that lasts longer than a minute
is told, once on each channel, and so is its end. It lives in this process alone: nothing of it can be kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor import health
from monitor.clock import rest
from monitor.errors import StoreError
from monitor.model.alerts import Alert, Telling
from monitor.model.entries import Entry
from monitor.model.items import Item
from monitor.model.messages import Delivery, Message, Parcel
from monitor.ports import Channel, Clock
from monitor.stories.identity import candidates, item_id, revision_id

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds of the machine: a shorter failure is nobody's business."""
EVERY = 5.0
QUIET = 15.0
"""Seconds without a failure before a write that succeeds ends an episode: on a full disk small ones may still fit."""
AGAIN = 60.0
"""Seconds between two attempts on a channel that did not take it."""
ATTEMPTS = 60
SEND_LIMIT = 30.0
"""A channel ends by itself within its deadline (20 s); one that does not is let go of."""
_WATCH = "wirewatch-notices"


@dataclass(slots=True)
class Episode:
    """One failure of the store; ``since`` and ``ended_at`` are wall time, all other times the machine's seconds."""

    since: datetime
    began: float
    latest: float
    """When it was last seen to fail."""
    why: str
    ended_at: datetime | None = None
    told: set[str] = field(default_factory=set)
    """Channels that took the beginning."""
    ended: set[str] = field(default_factory=set)
    """Channels that took the end."""
    attempts: dict[str, list[float]] = field(default_factory=dict)
    """Channel → when it was tried in vain."""

    def begin(self) -> Entry:
        return health.notice(
            "store", "service", "The store fails: nothing is filed, and no alert of news can leave",
            f"Since {self.since:%Y-%m-%d %H:%M} UTC: {self.why}. Watching pauses and goes on by itself when the store "
            "can be written again; what its sources list then is told.",
            now=self.since,
        )  # fmt: skip

    def end(self) -> Entry:
        """Its identity is the beginning's: one end an episode."""
        assert self.ended_at is not None
        return health.notice(
            "store-back", "service", "The store works again",
            f"It could not be written from {self.since:%Y-%m-%d %H:%M} to {self.ended_at:%H:%M} UTC. Watching goes on.",
            now=self.since,
        )  # fmt: skip

    def due(self, channel: str, now: float) -> Entry | None:
        """What is to be said on a channel at this moment."""
        if self.ended_at is None:
            wanted = channel not in self.told and now - self.began >= PATIENCE
        else:
            wanted = channel in self.told - self.ended
        tried = self.attempts.get(channel, [])
        if not wanted or len(tried) >= ATTEMPTS or (tried and now - tried[-1] < AGAIN):
            return None
        return self.begin() if self.ended_at is None else self.end()

    def took(self, channel: str) -> None:
        (self.told if self.ended_at is None else self.ended).add(channel)
        self.attempts.pop(channel, None)

    def refused(self, channel: str, now: float, *, for_good: bool) -> None:
        self.attempts.setdefault(channel, []).extend([now] * (ATTEMPTS if for_good else 1))

    @property
    def over(self) -> bool:
        """Nobody is left to be told of its end."""
        left = self.told - self.ended
        return self.ended_at is not None and all(len(self.attempts.get(each, ())) >= ATTEMPTS for each in left)


class Distress:
    """``channels``: those that notices go to, as in force at each moment; ``write``: a small write to the store, which
    raises `StoreError`. While an episode is open `run` tries it: that nothing fails where nothing is written says
    nothing, so whoever reports failures need not know when they end."""

    def __init__(
        self, channels: Callable[[], Mapping[str, Channel]], write: Callable[[], Awaitable[None]], clock: Clock
    ) -> None:
        self._channels, self._write, self._clock = channels, write, clock
        self._open: Episode | None = None
        self._ended: list[Episode] = []

    def failing(self, error: StoreError) -> None:
        """The store failed just now; cheap, and may be said as often as it fails."""
        now = self._clock.monotonic()
        if self._open is None:
            self._open = Episode(since=self._clock.now(), began=now, latest=now, why=str(error))
        self._open.latest, self._open.why = now, str(error)

    def well(self) -> None:
        """A write was committed just now."""
        if self._open is not None and self._quiet(self._open):
            self._open.ended_at = self._clock.now()
            self._open.attempts.clear()
            self._ended.append(self._open)
            self._open = None

    def _quiet(self, episode: Episode) -> bool:
        return self._clock.monotonic() - episode.latest >= QUIET

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.look()
            await rest(self._clock, EVERY, stop)

    async def look(self) -> None:
        """Try the store if it failed, and tell what is due to be told."""
        if self._open is not None and self._quiet(self._open):
            try:
                await self._write()
            except StoreError as error:
                self.failing(error)
            else:
                self.well()
        for episode in (*self._ended, *((self._open,) if self._open is not None else ())):
            await self._tell(episode)
        self._ended = [each for each in self._ended if not each.over]

    async def _tell(self, episode: Episode) -> None:
        now = self._clock.monotonic()
        due = {
            name: (channel, entry)
            for name, channel in self._channels().items() if (entry := episode.due(name, now)) is not None
        }  # fmt: skip
        answers = await asyncio.gather(*(_sent(channel, entry, self._clock.now()) for channel, entry in due.values()))
        for name, answer in zip(due, answers, strict=True):
            if answer.verdict == "sent":
                episode.took(name)
            else:
                episode.refused(name, now, for_good=answer.verdict == "refused")
            log.warning("told past the store", extra={"channel": name, "verdict": answer.verdict})


async def _sent(channel: Channel, entry: Entry, now: datetime) -> Delivery:
    try:
        async with asyncio.timeout(SEND_LIMIT):
            return await channel.send(parcel(entry, channel.id, now))
    except Exception:  # a channel's fault must not end the telling on the others
        log.exception("channel broke", extra={"channel": channel.id})
        return Delivery(verdict="later", detail="the channel broke")


def parcel(entry: Entry, channel: str, now: datetime) -> Parcel:
    """A message of one notice, made without the store, with the ids and the key that the store would give it."""
    (known,) = candidates((entry,), health.built_in_outlet(), None)
    item = Item(
        id=known.id, outlet=health.OUTLET, source=f"{health.OUTLET}/service", url=None, title=entry.title,
        lead=entry.lead, language="en", kind="article", author="", published=entry.published or now,
        published_assumed=False, first_seen=now, revision=revision_id(known.id, known.text_hash),
    )  # fmt: skip
    key = f"{_WATCH}|{channel}|{item.id}|new"
    alert = Alert(
        id=item_id(channel, key)[:10], key=key, watch=_WATCH, channel=channel, item=item.id, revision=item.revision,
        state="new", severity="high", condition="pending", created=now, due=now,
    )  # fmt: skip
    message = Message(
        id=f"m{alert.id}", key=key, channel=channel, kind="alert", severity=alert.severity, alerts=(alert,),
        created=now, attempts=1,
    )  # fmt: skip
    return Parcel(message=message, tellings=(Telling(alert=alert, item=item),))
