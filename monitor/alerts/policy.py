"""Which alert rows a change makes. Pure: called inside the filing transaction, nothing is dropped in silence.

A watch speaks to the channels it names, or to every channel. Each of them gets one row for each match:
due now, or suppressed with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from config.model import SEVERITIES, Channel, Watch
from monitor.model import Change, Match, NewAlert

BASELINE = "baseline"
BELOW_SEVERITY = "below severity"
NOT_IN_ON = "not in on"
ONLY_BELOW_HEADLINE = "only the text below the headline changed"
TOO_OLD = "too old"
TOLD_WITH = "told with "
"""Followed by the id of the alert that told it, on the same channel to the same watch."""


def rows(
    change: Change,
    matches: Sequence[Match],
    *,
    watches: Mapping[str, Watch],
    channels: Sequence[Channel],
    baseline: datetime | None,
    told: Mapping[tuple[str, str], str],
    now: datetime,
) -> tuple[NewAlert, ...]:
    """One row for each match on each channel its watch speaks to.

    ``baseline``: on a source's first poll, what is dated before it (or not credibly dated) is not told; ``None``
    afterwards. ``told``: (watch, channel) → the alert that told a copy of this item. A match that is undecided makes
    the same rows as any other (P9). A first body makes no rows for watches that matched before: theirs exist.
    """
    made: list[NewAlert] = []
    for match in matches:
        if change.completed and not change.fresh and match.watch in change.matched_before:
            continue
        watch = watches[match.watch]
        quiet = _quiet(change, watch, baseline, now)
        for channel, takes in _spoken_to(watch, channels):
            made.append(
                NewAlert(
                    watch=watch.id,
                    channel=channel,
                    item=change.item.id,
                    state=_state(change),
                    severity=watch.severity,
                    suppressed=(BELOW_SEVERITY if not takes else quiet) or _already(change, told, watch.id, channel),
                )
            )
    return tuple(made)


def _state(change: Change) -> str:
    if change.fresh:
        return "new"
    return "completed" if change.completed else f"edited:{change.revision.id}"


def _spoken_to(watch: Watch, channels: Sequence[Channel]) -> Iterator[tuple[str, bool]]:
    """Channel ids, and whether each takes this watch's severity. A named channel that is not there any more takes
    everything: the dispatcher makes a dead letter of it, which is seen (F133)."""
    levels = {channel.id: SEVERITIES.index(channel.min_severity) for channel in channels}
    severity = SEVERITIES.index(watch.severity)
    for channel in dict.fromkeys(watch.notify or levels):
        yield channel, levels.get(channel, 0) <= severity


def _quiet(change: Change, watch: Watch, baseline: datetime | None, now: datetime) -> str:
    """Why this watch says nothing of this change on any channel; empty: it speaks."""
    item = change.item
    published = None if item.published_assumed else item.published
    edited = not change.fresh and not change.completed
    if edited and watch.id in change.matched_before:
        if "edited" not in watch.on:
            return NOT_IN_ON
        if not change.title_changed:
            return ONLY_BELOW_HEADLINE
    elif not edited and "new" not in watch.on:
        return NOT_IN_ON
    # A text that matches for the first time on an edit is told whatever ``on`` says (F70).
    if baseline is not None and (published is None or published < baseline):
        return BASELINE
    # An absurd date says nothing about age: then first seen counts (F82).
    if watch.max_age is not None and now - (published or item.first_seen) > watch.max_age:
        return TOO_OLD
    return ""


def _already(change: Change, told: Mapping[tuple[str, str], str], watch: str, channel: str) -> str:
    """The copy's alert, if it told this. A headline that changed since is another text than the copy's: told again."""
    if change.title_changed and not change.fresh and not change.completed:
        return ""
    alert = told.get((watch, channel))
    return f"{TOLD_WITH}{alert}" if alert else ""
