"""Which alert rows a change makes. Pure: called inside the filing transaction, nothing is dropped in silence.

A watch speaks to the channels it names, or to every channel. Each of them gets one row for each match:
due now, held until its time (``waiting.py``), or suppressed with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from config.model.fields import SEVERITIES, ChangeClass
from config.model.settings import Channel
from config.model.watches import Watch
from monitor.alerts import corroboration
from monitor.alerts.waiting import Told, held
from monitor.model.alerts import Held, NewAlert
from monitor.model.filing import Change
from monitor.model.items import Match

BASELINE = "baseline"
BELOW_SEVERITY = "below severity"
MUTED = "muted"
NOT_IN_ON = "not in on"
NOT_IN_EDITED = "not in edited: "
"""Followed by what changed."""
PRESSING: frozenset[ChangeClass] = frozenset({"number", "quote", "hedge", "denial"})
"""Changes that do not wait for a cooldown."""
TOO_OLD = "too old"
WITHDRAWN: Literal["withdrawn"] = "withdrawn"
TOLD_WITH = "told with "
"""Followed by the id of the alert that told it, on the same channel to the same watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything beside the change that decides about its rows, at one moment."""

    watches: Mapping[str, Watch]
    channels: Sequence[Channel]
    zone: ZoneInfo
    now: datetime
    baseline: datetime | None = None
    """On a source's first poll, what is dated before it (or not credibly dated) is not told; ``None`` afterwards."""
    told: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(watch, channel) → the alert that told a copy of this item."""
    last: Mapping[tuple[str, str], Told] = field(default_factory=dict)
    """(watch, channel) → what was told last of the same story: for watches with a cooldown."""
    story: str = ""
    """What the item tells; empty: it is a notice."""
    corroborated: Collection[tuple[str, str]] = ()
    """(watch, channel) on which the story was told because enough origins report it."""
    muted: Collection[str] = ()
    changed: tuple[ChangeClass, ...] = ()
    """What an edit changed."""


def rows(change: Change, matches: Sequence[Match], setting: Setting) -> tuple[NewAlert, ...]:
    """One row for each match on each channel its watch speaks to.

    A match that is undecided makes the same rows as any other (P9). A first body makes no rows for watches that
    matched before: theirs exist.
    """
    made: list[NewAlert] = []
    for match in matches:
        if change.completed and not change.fresh and match.watch in change.matched_before:
            continue
        watch = setting.watches[match.watch]
        pressing = not PRESSING.isdisjoint(setting.changed)
        silent = _silent(change, watch, setting)
        for name, channel, takes in _spoken_to(watch, setting.channels):
            suppressed = (BELOW_SEVERITY if not takes else silent) or _already(change, setting.told, watch.id, name)
            waits = None
            if not suppressed:
                waits = _corroborating(watch, name, setting) or held(
                    watch, channel, last=setting.last.get((watch.id, name)), pressing=pressing,
                    zone=setting.zone, now=setting.now,
                )  # fmt: skip
            made.append(
                NewAlert(
                    watch=watch.id,
                    channel=name,
                    item=change.item.id,
                    state=_state(change),
                    severity=watch.severity,
                    suppressed=suppressed,
                    held=waits,
                )
            )
    return tuple(made)


def withdrawn(change: Change, setting: Setting) -> tuple[NewAlert, ...]:
    """Rows for an item whose page was taken down: for each watch and channel that told of it (``setting.told``: of the
    item itself), and for no other. They wait for no cooldown."""
    channels = {channel.id: channel for channel in setting.channels}
    made: list[NewAlert] = []
    for name, on in sorted(setting.told):
        watch, channel = setting.watches.get(name), channels.get(on)
        if watch is None or channel is None:
            continue
        silent = NOT_IN_ON if WITHDRAWN not in watch.on else MUTED if name in setting.muted else ""
        waits = None
        if not silent:
            waits = held(watch, channel, last=None, pressing=True, zone=setting.zone, now=setting.now)
        made.append(
            NewAlert(
                watch=name, channel=on, item=change.item.id, state=WITHDRAWN, severity=watch.severity,
                suppressed=silent, held=waits,
            )
        )  # fmt: skip
    return tuple(made)


def _state(change: Change) -> str:
    if change.fresh:
        return "new"
    return "completed" if change.completed else f"edited:{change.revision.id}"


def _spoken_to(watch: Watch, channels: Sequence[Channel]) -> Iterator[tuple[str, Channel | None, bool]]:
    """Channels by id, and whether each takes this watch's severity. A named channel that is not there any more takes
    everything: a look after the outbox makes a dead letter of it, which is seen (F133)."""
    known = {channel.id: channel for channel in channels}
    severity = SEVERITIES.index(watch.severity)
    for name in dict.fromkeys(watch.notify or known):
        channel = known.get(name)
        yield name, channel, channel is None or SEVERITIES.index(channel.min_severity) <= severity


def _silent(change: Change, watch: Watch, setting: Setting) -> str:
    """Why this watch says nothing of this change on any channel; empty: it speaks."""
    item = change.item
    published = None if item.published_assumed else item.published
    edited = not change.fresh and not change.completed
    if edited and watch.id in change.matched_before:
        if "edited" not in watch.on:
            return NOT_IN_ON
        if set(watch.edited).isdisjoint(setting.changed):
            return NOT_IN_EDITED + ", ".join(setting.changed)
    elif not edited and "new" not in watch.on:
        return NOT_IN_ON
    # A text that matches for the first time on an edit is told whatever ``on`` says (F70).
    if setting.baseline is not None and (published is None or published < setting.baseline):
        return BASELINE
    # An absurd date says nothing about age: then first seen counts (F82).
    if watch.max_age is not None and setting.now - (published or item.first_seen) > watch.max_age:
        return TOO_OLD
    return MUTED if watch.id in setting.muted else ""


def _corroborating(watch: Watch, channel: str, setting: Setting) -> Held | None:
    """Every row waits first: whether the item itself completes the number is asked when it stands in its story. A
    notice has no story and waits for nobody."""
    if watch.corroborated is None or not setting.story or (watch.id, channel) in setting.corroborated:
        return None
    return corroboration.wait(watch, watch.corroborated, setting.story, setting.now)


def _already(change: Change, told: Mapping[tuple[str, str], str], watch: str, channel: str) -> str:
    """The copy's alert, if it told this. What an edit changed is another text than the copy's: told again."""
    edited = not change.fresh and not change.completed
    if edited and (change.title_changed or watch in change.matched_before):
        return ""
    alert = told.get((watch, channel))
    return f"{TOLD_WITH}{alert}" if alert else ""
