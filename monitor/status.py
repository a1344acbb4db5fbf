"""How the service is, as one value: what ``/health``, ``/metrics``, the page and ``wirewatch health`` show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from monitor import signs
from monitor.alerts.latency import Histogram
from monitor.model.sources import Outcome, SourceState

TICK_LIMIT = timedelta(seconds=30)
"""The heartbeat looks at the schedule each second, and the dispatcher at the outbox; half a minute without is not
well."""
LATE_LIMIT = timedelta(minutes=10)
ALERT_LIMIT = timedelta(minutes=10)
"""An alert that has been due for longer is stuck; one tried again has been due since its first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One look at the service. ``problems`` are sentences; empty means well."""

    started: datetime
    now: datetime
    last_tick: datetime | None
    looked: datetime | None
    """When the dispatcher last looked at the outbox with success."""
    crawler_alive: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[SourceState, ...] = ()
    problems: tuple[str, ...] = ()
    channels: Mapping[str, bool] = field(default_factory=dict)
    """Configured channel → whether it answers."""
    nobody_told: bool = False
    """Every channel that could tell anybody fails (F132)."""
    oldest_due: Mapping[str, datetime] = field(default_factory=dict)
    """Channel → since when the alert waits that has been due longest there."""
    canary_late: bool = False
    canary: datetime | None = None
    """When the last canary arrived."""
    messages: Mapping[str, int] = field(default_factory=dict)
    """``sent``, ``later`` and ``dead``: what came of alerts since the start."""
    from_seen: Histogram = field(default_factory=Histogram)
    from_published: Histogram = field(default_factory=Histogram)
    """How long alerts took from the moment we had them, and from the publisher's time."""
    pace: float = 1.0
    """Seconds of ``now`` in one of the machine's (`Clock.pace`): the limits are the machine's."""

    @property
    def state(self) -> Literal["ok", "degraded", "failing"]:
        """``failing``: nothing is watched now, or nobody can be told; ``degraded``: something is not, or an alert is
        stuck."""
        if self.failure:
            return "failing"
        return "degraded" if self.problems else "ok"

    @property
    def failure(self) -> str:
        """Why nothing is watched now or nobody can be told, and what to do; empty while neither is so."""
        if not_looked := self._not_looked("schedule", self.last_tick):
            return not_looked
        if not self.crawler_alive:
            return "The crawler has stopped, so no source is asked. Look at the log and restart the service."
        if not_looked := self._not_looked("outbox", self.looked):
            return not_looked
        if self.nobody_told:
            return "No channel answers, so nobody is told. Look at the network and at the channels' addresses."
        return ""

    @property
    def unfit(self) -> str:
        """Why a dead-man switch outside must not hear that all is well; empty: it may."""
        return self.failure or (CANARY_LATE if self.canary_late else "")

    def _not_looked(self, what: str, at: datetime | None) -> str:
        if at is None:
            return f"The service has not looked at its {what} yet. If this stays, look at its log."
        if self.now - at > TICK_LIMIT * self.pace:
            return f"The {what} was last looked at {at:%Y-%m-%d %H:%M:%S} UTC. Restart the service."
        return ""

    @property
    def lateness(self) -> timedelta:
        """How long the most overdue source has been waiting; zero when none is."""
        return max((self.now - each.next_due for each in self.sources if each.next_due < self.now), default=timedelta())

    @property
    def oldest_wait(self) -> timedelta:
        """How long the alert has been due that waits longest; zero when none waits."""
        return max((self.now - due for due in self.oldest_due.values()), default=timedelta())


CANARY_LATE = "The hourly canary did not arrive: alerts may be stuck between a match and a channel. Look at the log."


def _trouble(state: SourceState) -> Iterator[str]:
    """A source's open episodes, a line each."""
    lines = signs.words(state)
    if len(lines) < len((state.alarm or "").split()):
        yield f"{state.id}: {state.outcome}: {state.reason}"
    yield from (f"{state.id} {line}" for line in lines)


def problems(seen: Status, *, store: Sequence[str], refused: str, more: Sequence[str] = ()) -> tuple[str, ...]:
    """What is not well, in sentences for the desk, the worst first. ``store``: what is wrong with it; ``refused``: why
    the configuration on disk is; ``more``: said last."""
    said: list[str] = []
    bad = [each for each in seen.sources if each.alarm and each.outcome is not Outcome.CLOSED]
    if seen.canary_late:
        said.append(CANARY_LATE)
    if seen.sources and len(bad) == len(seen.sources):
        said.append("No source gives news: look at the network first.")
    said += [line for each in bad for line in _trouble(each)]
    said += [
        f"{each.id} has waited {_minutes(seen.now - each.next_due)} min to be asked."
        for each in seen.sources
        if seen.now - each.next_due > LATE_LIMIT * seen.pace
    ]
    said += [
        f"Channel {name} does not answer: its alerts wait and are tried again."
        for name, answers in seen.channels.items()
        if not answers
    ]
    said += [
        f"An alert has waited {_minutes(seen.now - due)} min for channel {name}."
        for name, due in seen.oldest_due.items()
        if seen.now - due > ALERT_LIMIT * seen.pace
    ]
    if dead := seen.counts.get("dead", 0):
        said.append(f"{dead} alert(s) could not be delivered: wirewatch alerts list --state dead")
    if held := seen.counts.get("quarantined", 0):
        said.append(f"{held} entr{'y' if held == 1 else 'ies'} could not be filed and wait in quarantine.")
    if refused:
        said.append(f"The configuration on disk is refused: {refused}")
    return (*said, *store, *more)


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)
