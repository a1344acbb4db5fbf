"""When a row may leave: cooldown, digest and quiet hours, each by the rules of the channel and its watch. Pure.

Nothing is dropped here: a row that must wait is pending until its time, with the reason, and leaves with all that
waited with it. Local times are those of one zone; each is a single instant on every day, so that a daily digest goes
once a day on the two clock-change nights too (F117).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.model.fields import Severity, written
from config.model.settings import Channel, Quiet
from config.model.watches import Watch
from monitor.model.alerts import Alert, Held

DIGEST = "digest"
QUIET_HOURS = "quiet hours"
COOLDOWN = "cooldown:"
_GATHERED: frozenset[Severity] = frozenset({"low", "normal"})
"""High passes digests; critical passes everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told of the same story before: the alert of this watch on this channel that leaves last."""

    alert: Alert
    story: str
    """The item that the story's other items are copies of."""


def held(
    watch: Watch, channel: Channel | None, *, last: Told | None, pressing: bool, zone: ZoneInfo, now: datetime
) -> Held | None:
    """Why and until when a row of this watch waits on this channel; ``None``: it leaves now.

    ``pressing``: what changed may not wait for a cooldown (a number, a quote, a hedge, a denial).
    """
    if watch.severity == "critical":
        return None
    waits = None
    if last is not None and watch.cooldown is not None and not pressing:
        passes = last.alert.gather == DIGEST and watch.severity not in _GATHERED  # it was milder when that was found
        if last.alert.condition == "pending" and last.alert.due > now and not passes:
            return _joined(watch, watch.cooldown, last)
        waits = _cooling(watch, watch.cooldown, last, now)
    if channel is None:
        return waits
    if watch.severity in _GATHERED:
        waits = _digested(channel, waits, zone, now)
    return _hushed(channel.quiet, waits, zone, now) if channel.quiet is not None else waits


def _joined(watch: Watch, cooldown: timedelta, last: Told) -> Held:
    """With what waits already, when that leaves: the channel's digests and quiet hours were asked then."""
    return _held_back(watch, cooldown, last, last.alert.due, last.alert.gather)


def _cooling(watch: Watch, cooldown: timedelta, last: Told, now: datetime) -> Held | None:
    """Counted from when the story was last told: now at the earliest while its alert is on its way, and not from a time
    to come after the clock was set back."""
    until = min(last.alert.delivered or now, now) + cooldown
    return _held_back(watch, cooldown, last, until) if until > now else None


def _held_back(watch: Watch, cooldown: timedelta, last: Told, until: datetime, gather: str = "") -> Held:
    reason = f"cooldown of {written(cooldown)} after {last.alert.id}"
    return Held(until=until, gather=gather or f"{COOLDOWN}{watch.id}:{last.story}", reason=reason)


def _digested(channel: Channel, waits: Held | None, zone: ZoneInfo, now: datetime) -> Held | None:
    ready = waits.until if waits is not None else now
    if channel.digest is not None:
        return _longer(waits, interval_end(ready, channel.digest), DIGEST, f"digest every {written(channel.digest)}")
    if channel.digest_at is not None:
        return _longer(waits, next_at(channel.digest_at, zone, ready), DIGEST, f"digest at {channel.digest_at:%H:%M}")
    return waits


def _hushed(quiet: Quiet, waits: Held | None, zone: ZoneInfo, now: datetime) -> Held | None:
    until = quiet_until(quiet, zone, waits.until if waits is not None else now)
    if until is None:
        return waits
    return _longer(waits, until, QUIET_HOURS, f"quiet hours until {quiet.to:%H:%M}")


def _longer(waits: Held | None, until: datetime, gather: str, reason: str) -> Held:
    return Held(until=until, gather=gather, reason=reason if waits is None else f"{waits.reason}; {reason}")


# ------------------------------------------------------------------ times


def interval_end(at: datetime, length: timedelta) -> datetime:
    """The first multiple of ``length`` after ``at``, counted from midnight UTC of 1970-01-01."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + ((at - epoch) // length + 1) * length


def next_at(local: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The next moment after ``after`` at which a day's clock first reaches ``local``: one a day."""
    day = after.astimezone(zone).date()
    while (moment := _reached(day, local, zone)) <= after:
        day += timedelta(days=1)
    return moment


def quiet_until(quiet: Quiet, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the quiet hours end in which ``at`` lies; ``None``: it lies in none."""
    local = at.astimezone(zone)
    clock = local.time()
    over_midnight = quiet.since > quiet.to
    inside = (clock >= quiet.since or clock < quiet.to) if over_midnight else quiet.since <= clock < quiet.to
    if not inside:
        return None
    days = (local.date(), local.date() + timedelta(days=1))
    return min(end for day in days for fold in (0, 1) if (end := _reached(day, quiet.to, zone, fold)) > at)


def _reached(day: date, local: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    """When the day's clock shows ``local``; with ``fold`` 1 the second time, if a clock set back shows it twice. Where
    the clock leaps over it: the leap."""
    moment = _instant(day, local, zone, fold)
    if moment.astimezone(zone).time() == local:
        return moment
    return _leap(_instant(day, local, zone, 1), _instant(day, local, zone, 0), zone)


def _leap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second between two moments in which the clock is set forward."""
    offset = before.astimezone(zone).utcoffset()
    seconds = range(int((after - before).total_seconds()))
    passed = bisect_left(
        seconds, True, key=lambda second: (before + timedelta(seconds=second)).astimezone(zone).utcoffset() != offset
    )
    return before + timedelta(seconds=passed)


def _instant(day: date, local: time, zone: ZoneInfo, fold: int) -> datetime:
    """For a time that the clock leaps over: ``fold`` 0 lies after the leap, 1 before it."""
    return datetime.combine(day, local.replace(fold=fold), tzinfo=zone).astimezone(UTC)
