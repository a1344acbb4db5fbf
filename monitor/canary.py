"""The canary: a made-up item that goes the whole way of news each hour, so that a way that is broken is noticed.

It is an item of a built-in outlet, matched by a built-in watch, filed, and sent to ``service.canary``, or to a channel
that ends inside the service. It stands in no list, search or count, and is forgotten after two days.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from config.model.outlets import Outlet, Source
from config.model.settings import Channel, Settings
from config.model.watches import Watch
from monitor.model.entries import Entry
from monitor.model.messages import Delivery, Parcel

NAME = "wirewatch-canary"
"""Of its outlet, its watch and its own channel; no operator may use it (``config/crosscheck.py``)."""
SOURCE = f"{NAME}/hourly"
LATE = 300.0
"""Seconds of the machine in which one must have arrived."""
MISSING = 70 * 60.0
"""Seconds of the machine after which the next one is overdue: whatever lets them out has stopped."""
KEPT = timedelta(days=2)


def built_in_outlet() -> Outlet:
    """The outlet whose items are canaries. It has no address that is ever polled."""
    return Outlet(
        id=NAME,
        name="wirewatch canary",
        home="https://wirewatch.invalid/canary",
        language="en",
        time_zone="UTC",
        access="feed",
        why="Shows that the way from an item to a channel is whole.",
        source=(Source(id="hourly", kind="feed", url="https://wirewatch.invalid/canary"),),
    )


def built_in_watch(settings: Settings) -> Watch:
    """Finds canaries by a word, as any watch finds its news. Nobody is woken by one, so its severity is low; that a
    channel takes no low ones does not stop it (`takers`)."""
    return Watch(
        id=NAME,
        title="The hourly canary",
        when='"canary sings"',
        outlets=(NAME,),
        severity="low",
        notify=(channel(settings),),
    )


def channel(settings: Settings) -> str:
    """Where the canary goes."""
    return settings.service.canary or NAME


def takers(settings: Settings) -> tuple[Channel, ...]:
    """The canary's channel as the policy is told of it: without what holds other alerts back (the lowest severity it
    takes, quiet hours, digests), since a canary that waits shows nothing."""
    return (Channel(id=channel(settings), url="page", min_severity="low"),)


def entry(now: datetime) -> Entry:
    """One canary: another item at each moment."""
    at = now.isoformat(timespec="milliseconds")
    return Entry(
        title=f"The canary sings at {now:%H:%M} UTC: wirewatch finds, files and delivers",
        lead="This message comes each hour and needs nobody. When it stays out, look at /health.",
        guid=f"canary:{at}",
        published=now,
        language="en",
    )


class CanaryChannel:
    """Where the canary ends when no channel is named for it: what arrives here has come the whole way."""

    id = NAME
    at_once = 1
    names = 1

    async def send(self, parcel: Parcel) -> Delivery:
        return Delivery(verdict="sent")

    async def close(self) -> None:
        return None
