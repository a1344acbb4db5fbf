"""What the desk is told about wirewatch itself: one notice when trouble begins, one when it ends.

A notice is an entry of the built-in outlet ``wirewatch``, matched by a built-in watch: it takes the same way as news
(same outbox, same keys), so it is told once, also across restarts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from config.model.outlets import Cadence, Outlet, Source
from config.model.settings import Settings
from config.model.watches import Watch
from monitor.model.alerts import Alert
from monitor.model.entries import Answer, Entry
from monitor.model.sources import Outcome, SourceState
from monitor.schedule import GOOD

OUTLET = "wirewatch"
FAILURES_BEFORE_ALARM = 3
LONG_WISH = timedelta(hours=1)
MOVED_FOR_GOOD = timedelta(days=7)
DEAD_ONE_BY_ONE = 10
"""Dead letters at a time that are told one by one; more are told in one notice."""
NETWORK_FROM = 3
"""Fewer sources without any answer say nothing about the network."""
_NETWORK = "network"
_TROUBLE = ("source", "source-wish", _NETWORK)
"""The kinds of episodes that a good answer ends."""
LONG_SLEEP = timedelta(hours=1)

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


def opened(state: SourceState, entry: Entry) -> SourceState:
    """The state with the episode that a notice tells of."""
    return replace(state, alarm=f"{state.alarm or ''} {entry.guid}".strip())


def closed(state: SourceState, *kinds: str) -> SourceState:
    """The state without its open episodes of these kinds."""
    left = [each for each in (state.alarm or "").split() if each.partition(":")[0] not in kinds]
    return replace(state, alarm=" ".join(left) or None)


def began(episode: str) -> datetime:
    """When an episode was told, by its id (to the second)."""
    return datetime.fromisoformat(episode.split(":", 2)[2])


def episode(
    before: SourceState, after: SourceState, answer: Answer, *, now: datetime
) -> tuple[SourceState, tuple[Entry, ...]]:
    """What to tell about a source that does not give its news, and its state with the open episode noted.

    Told at once: blocked, gone, closed, emptied, a server that asks for more than an hour. Told after three in a row:
    failed. Ended by the next good answer. A network that was out is back with any answer at all, even a bad one; what
    is wrong with that is then an episode of its own.
    """
    told: list[Entry] = []
    out = after.episode(_NETWORK)
    if out is not None and not _silent(after):
        told.append(_network_back(out, now))
        after = replace(closed(after, _NETWORK), failures=min(after.failures, 1))
    known = after.episode(*_TROUBLE)
    if known is None and (begun := _begun(after, answer, now)) is not None:
        told.append(begun)
        after = opened(after, begun)
    elif known is not None and after.outcome in GOOD and not _alarming(after):
        told.append(_ended(before, after, now))
        after = closed(after, *_TROUBLE)
    return after, tuple(told)


def _begun(state: SourceState, answer: Answer, now: datetime) -> Entry | None:
    if answer.not_before is not None and answer.not_before - now > LONG_WISH and state.outcome not in GOOD:
        return _wish(state, answer.not_before, now)
    return _opened(state, now) if _alarming(state) else None


def shared(
    state: SourceState, entries: tuple[Entry, ...], sources: Iterable[SourceState], *, now: datetime
) -> tuple[SourceState, tuple[Entry, ...]]:
    """The same, but one notice for a network that is out instead of one for each source (F2).

    It is out when nobody asked since this source last answered gave any answer at all, not even a bad one. A source
    that was in trouble of its own before stays in that, and needs none of the network's.
    """
    asked = [each for each in sources if _asked_since(each, state.last_good)]
    if len(asked) < NETWORK_FROM or not all(_silent(each) for each in asked):
        return state, entries
    alone = closed(state, "source", "source-wish")
    known = next((out for each in asked if (out := each.episode(_NETWORK)) is not None), None)
    if known is not None:
        return replace(alone, alarm=f"{alone.alarm or ''} {known}".strip()), ()
    begun = notice(
        _NETWORK, "all", "No source answers: the network is out, it seems",
        f"{len(asked)} sources were asked in vain. Each is asked again by itself.", now=now,
    )  # fmt: skip
    return opened(alone, begun), (begun,)


def left_behind(state: SourceState, sources: Iterable[SourceState]) -> SourceState:
    """A source that does not answer though others do since the network was out: from here on its failures are its own,
    and are counted anew."""
    out = state.episode(_NETWORK)
    others = [each for each in sources if each.id != state.id]
    if out is None or not any(_asked_since(each, began(out)) and not _silent(each) for each in others):
        return state
    return replace(closed(state, _NETWORK), failures=1)


def _asked_since(state: SourceState, since: datetime | None) -> bool:
    """A source that is closed is not asked: its robots rules are known without the network."""
    if state.last_polled is None or state.outcome is Outcome.CLOSED:
        return False
    return since is None or state.last_polled > since


def _silent(state: SourceState) -> bool:
    return state.outcome is Outcome.FAILED and state.status is None


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


def _network_back(out: str, now: datetime) -> Entry:
    """The same item whichever source answers first: told once."""
    back = notice("network-back", "all", "The network is back", "Sources answer again.", now=now)
    return replace(back, guid=f"network-back:{out}")


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


def moved(before: SourceState, after: SourceState, *, now: datetime) -> tuple[Entry, ...]:
    """A permanent redirect that has led to the same feed for a week (F18): a person should write the new address into
    the outlet's file. Told at the poll that completes the week; the redirect is followed all the while."""
    since, polled = after.moved_since, before.last_polled
    if since is None or polled is None or not polled - since < MOVED_FOR_GOOD <= now - since:
        return ()
    return (
        notice(
            "moved",
            after.id,
            f"{after.id} has moved for good",
            f"{after.url} has led to {after.moved_to} for a week. It is followed each time; write the new address into "
            "the outlet's file.",
            now=now,
        ),
    )


def gap(source: str, count: int, sitemaps: Sequence[str], *, now: datetime) -> Entry:
    """More was published between two polls than the source lists (F58); told once a day."""
    asked = f"What is missing may stand in {', '.join(sitemaps)}, asked now. " if sitemaps else ""
    entry = notice(
        "gap",
        source,
        f"{source} may have published more than it lists",
        f"All {count} entries were new since the last poll, so others may have come and gone between. {asked}It is "
        "asked again sooner; a shorter `every` in the outlet's file would help.",
        now=now,
    )
    return replace(entry, guid=f"gap:{source}:{now:%Y-%m-%d}")


def late(before: SourceState, after: SourceState, every: timedelta, *, now: datetime) -> tuple[Entry, ...]:
    """A source whose polls end later than the next is due, twice in a row (F120); told once a day."""
    if min(before.late, after.late) <= every:
        return ()
    entry = notice(
        "late",
        after.id,
        f"{after.id} cannot be asked as often as its file says",
        f"Its last two polls ended {_minutes(before.late)} and {_minutes(after.late)} minutes after they were due; it "
        f"is to be asked every {_minutes(every)}. Its host has many sources, asks for long delays, or is slow.",
        now=now,
    )
    return (replace(entry, guid=f"late:{after.id}:{now:%Y-%m-%d}"),)


def _minutes(length: timedelta) -> str:
    return f"{length / timedelta(minutes=1):.0f}"


def slept(gone: timedelta, *, now: datetime) -> tuple[Entry, ...]:
    """The machine slept, or its clock was set forward (F118): one notice of what was not watched, if it was long."""
    if gone < LONG_SLEEP:
        return ()
    return (
        notice(
            "slept",
            "service",
            f"Nothing was watched for {gone / timedelta(hours=1):.1f} hours",
            f"The machine slept, or its clock was set forward, between {now - gone:%Y-%m-%d %H:%M} and {now:%H:%M} "
            "UTC. Every source is asked within a minute; what it still lists of that time is told.",
            now=now,
        ),
    )


def dead_letters(dead: Sequence[Alert], *, now: datetime) -> tuple[Entry, ...]:
    """Alerts that cannot be delivered, to be told through the other channels: one notice each, or one of all when
    there are many. Told again (the process died before it was recorded) each is the same item; one that was sent again
    and died again is another."""
    if len(dead) > DEAD_ONE_BY_ONE:
        return (_many_dead(dead, now),)
    return tuple(_dead(alert, now) for alert in dead)


def _dead(alert: Alert, now: datetime) -> Entry:
    said = notice(
        "dead-letter",
        alert.id,
        f"Alert {alert.id} could not be delivered to {alert.channel}",
        f"Watch {alert.watch}: {alert.reason}. See `wirewatch alerts list --state dead`; send it again with "
        f"`wirewatch alerts resend {alert.id}`.",
        now=now,
    )
    return replace(said, guid=f"dead-letter:{_death(alert)}")


def _many_dead(dead: Sequence[Alert], now: datetime) -> Entry:
    channels = ", ".join(sorted({alert.channel for alert in dead}))
    said = notice(
        "dead-letters",
        dead[0].id,
        f"{len(dead)} alerts could not be delivered to {channels}",
        f"The first is {dead[0].id} of watch {dead[0].watch}: {dead[0].reason}. See `wirewatch alerts list --state "
        "dead`; send one again with `wirewatch alerts resend ALERT`.",
        now=now,
    )
    return replace(said, guid=f"dead-letters:{_death(dead[0])}")


def _death(alert: Alert) -> str:
    """One that was sent again, or whose turn came later, is due at another time."""
    return f"{alert.id}:{alert.due.isoformat(timespec='seconds')}"


def canary_late(first: str, channel: str, *, last: datetime | None, now: datetime) -> Entry:
    """The hourly canary stays out. ``first``: the episode, named by the first that did."""
    seen = f"The last one came at {last:%Y-%m-%d %H:%M} UTC." if last is not None else "None has come yet."
    said = notice(
        "canary-late",
        first,
        f"The hourly canary did not arrive at {channel}",
        f"{seen} Alerts may be stuck on the way from a match to a channel: look at /health and at the log.",
        now=now,
    )
    return replace(said, guid=f"canary-late:{first}")


def canary_back(first: str, *, now: datetime) -> Entry:
    back = notice("canary-back", first, "The hourly canary arrives again", "Alerts go out as they should.", now=now)
    return replace(back, guid=f"canary-back:{first}")


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
