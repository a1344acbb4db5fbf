"""How the service is, as one value: what ``/health``, ``/metrics``, the page and ``wirewatch health`` show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.model import Outcome, SourceState

TICK_LIMIT = timedelta(seconds=30)
"""The heartbeat looks at the schedule each second; half a minute without is not well."""
LATE_LIMIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One look at the service. ``problems`` are sentences; empty means well."""

    started: datetime
    now: datetime
    last_tick: datetime | None
    crawler_alive: bool
    counts: Mapping[str, int]
    sources: tuple[SourceState, ...]
    problems: tuple[str, ...]
    pace: float = 1.0
    """Seconds of ``now`` in one of the machine's (`Clock.pace`): the limits are the machine's."""

    @property
    def state(self) -> Literal["ok", "degraded", "failing"]:
        """``failing``: nothing is watched now; ``degraded``: something is not, or an alert is stuck."""
        if self.failure:
            return "failing"
        return "degraded" if self.problems else "ok"

    @property
    def failure(self) -> str:
        """Why nothing is watched now, and what to do; empty while the service watches."""
        if self.last_tick is None:
            return "The service has not looked at its schedule yet. If this stays, look at its log."
        if self.now - self.last_tick > TICK_LIMIT * self.pace:
            return f"The schedule was last looked at {self.last_tick:%Y-%m-%d %H:%M:%S} UTC. Restart the service."
        if not self.crawler_alive:
            return "The crawler has stopped, so no source is asked. Look at the log and restart the service."
        return ""

    @property
    def lateness(self) -> timedelta:
        """How long the most overdue source has been waiting; zero when none is."""
        return max((self.now - each.next_due for each in self.sources if each.next_due < self.now), default=timedelta())


def problems(
    *,
    now: datetime,
    sources: Sequence[SourceState],
    counts: Mapping[str, int],
    store: Sequence[str],
    refused: str,
    down: Sequence[str],
    pace: float = 1.0,
) -> tuple[str, ...]:
    """What is not well, in sentences for the desk, the worst first."""
    said: list[str] = []
    bad = [each for each in sources if each.alarm is not None and each.outcome is not Outcome.CLOSED]
    if sources and len(bad) == len(sources):
        said.append("No source gives news: look at the network first.")
    said += [f"{each.id}: {each.outcome}: {each.reason}" for each in bad]
    said += [
        f"{each.id} has waited {(now - each.next_due) // timedelta(minutes=1)} min to be asked."
        for each in sources
        if now - each.next_due > LATE_LIMIT * pace
    ]
    said += [f"Channel {name} does not answer: its alerts wait and are tried again." for name in down]
    if dead := counts.get("dead", 0):
        said.append(f"{dead} alert(s) could not be delivered: wirewatch alerts list --state dead")
    if held := counts.get("quarantined", 0):
        said.append(f"{held} entr{'y' if held == 1 else 'ies'} could not be filed and wait in quarantine.")
    if refused:
        said.append(f"The configuration on disk is refused: {refused}")
    said += store
    return tuple(said)
