"""What the desk is told about wirewatch itself: one notice when trouble begins, one when it ends.

A notice is an entry of the built-in outlet ``wirewatch``, matched by a built-in watch: it takes the same way as news
(same outbox, same keys), so it is told once, also across restarts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from config.model import Cadence, Outlet, Settings, Source, Watch
from monitor.model import Answer, Entry, Outcome, SourceState
from monitor.schedule import GOOD

OUTLET = "wirewatch"
FAILURES_BEFORE_ALARM = 3
LONG_WISH = timedelta(hours=1)

_SAID: dict[Outcome, str] = {
    Outcome.BLOCKED: "answers with something that is not its news",
    Outcome.FAILED: "does not answer",
    Outcome.GONE: "says that it is gone (410)",
    Outcome.CLOSED: "is closed by its publisher's robots rules",
    Outcome.DEGRADED: "is damaged",
}


def built_in_outlet() -> Outlet:
    """The outlet whose items are notices. It has no address that is ever polled."""
    return Outlet(
        id=OUTLET,
        name="wirewatch",
        home="https://wirewatch.invalid/",
        language="en",
        time_zone="UTC",
        access="feed",
        why="Notices of the service itself.",
        cadence=Cadence(),
        source=(Source(id="service", kind="feed", url="https://wirewatch.invalid/"),),
    )


def built_in_watch(settings: Settings) -> Watch:
    """Tells notices on the channels of ``service.notify``, or on every channel when none is named."""
    return Watch(
        id="wirewatch-notices",
        title="The service itself",
        when=f"outlet:{OUTLET}",
        outlets=(OUTLET,),
        severity="high",
        notify=settings.service.notify,
    )


def notice(kind: str, subject: str, title: str, lead: str, *, now: datetime) -> Entry:
    """One notice. ``kind`` and ``subject`` with the time make its identity: one item an episode."""
    return Entry(
        title=title,
        lead=lead,
        guid=f"{kind}:{subject}:{now.isoformat(timespec='seconds')}",
        published=now,
        language="en",
    )


def episode(
    before: SourceState, after: SourceState, answer: Answer, *, now: datetime
) -> tuple[SourceState, tuple[Entry, ...]]:
    """What to tell about a source after an answer, and its state with the open episode noted.

    Told at once: blocked, gone, closed, emptied, a server that asks for more than an hour. Told after three in a row:
    failed. Ended by the next good answer.
    """
    told: list[Entry] = []
    if answer.not_before is not None and answer.not_before - now > LONG_WISH and after.outcome not in GOOD:
        wish = _wish(after, answer.not_before, now)
        if before.alarm is None:
            return replace(after, alarm=wish.guid), (wish,)
    alarming = _alarming(after)
    if alarming and before.alarm is None:
        opened = _opened(after, now)
        told.append(opened)
        after = replace(after, alarm=opened.guid)
    elif not alarming and before.alarm is not None and after.outcome in GOOD:
        told.append(_ended(before, after, now))
        after = replace(after, alarm=None)
    return after, tuple(told)


def _alarming(state: SourceState) -> bool:
    if state.outcome is Outcome.DEGRADED:
        return state.reason.startswith("emptied")
    if state.outcome is Outcome.FAILED:
        return state.failures >= FAILURES_BEFORE_ALARM
    return state.outcome in (Outcome.BLOCKED, Outcome.GONE, Outcome.CLOSED)


def _opened(state: SourceState, now: datetime) -> Entry:
    said = _SAID[state.outcome or Outcome.FAILED]
    good = f"Last good answer: {state.last_good:%Y-%m-%d %H:%M} UTC." if state.last_good else "It never gave news."
    seen = f" It answered: {state.excerpt}" if state.excerpt else ""
    return notice(
        "source",
        state.id,
        f"{state.id} {said}",
        f"{state.reason}. {good} Asked again by itself from {state.next_due:%H:%M} UTC.{seen}",
        now=now,
    )


def _ended(before: SourceState, after: SourceState, now: datetime) -> Entry:
    since = before.last_good or now
    return notice(
        "source-back",
        after.id,
        f"{after.id} is back",
        f"It gave no news since {since:%Y-%m-%d %H:%M} UTC ({before.reason}).",
        now=now,
    )


def _wish(state: SourceState, until: datetime, now: datetime) -> Entry:
    return notice(
        "source-wish",
        state.id,
        f"{state.id} asks to be left alone until {until:%Y-%m-%d %H:%M} UTC",
        f"{state.reason}. No request goes to {state.host} before then.",
        now=now,
    )


def adopted(source: str, count: int, *, now: datetime) -> Entry:
    """A source that gave its known articles new addresses (F59)."""
    return notice(
        "adopted",
        source,
        f"{source} has changed the addresses of its articles",
        f"{count} articles under new addresses were recognised by their headlines; none is told again.",
        now=now,
    )


def dead_letter(alert: str, channel: str, watch: str, why: str, *, now: datetime) -> Entry:
    """An alert that cannot be delivered, to be told through the other channels."""
    return notice(
        "dead-letter",
        alert,
        f"An alert could not be delivered to {channel}",
        f"Alert {alert} of watch {watch}: {why}. See `wirewatch alerts list --state dead`; send it again with "
        f"`wirewatch alerts resend {alert}`.",
        now=now,
    )


def bad_reload(problems: Iterable[str], *, now: datetime) -> Entry:
    """A broken configuration on disk; the last good one stays in force."""
    lines = tuple(problems)
    return notice(
        "bad-reload",
        "configuration",
        "The new configuration is refused; the last good one stays in force",
        "; ".join(lines[:5]) + (f"; and {len(lines) - 5} more" if len(lines) > 5 else ""),
        now=now,
    )
