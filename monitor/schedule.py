"""When to look again: what an answer was decides the source's next state. Pure; the time is an argument.

A source is never switched off by itself (faults.md P8): our own back-off ends at one hour, a server's wish at 24 hours,
*gone* and *closed* sources are asked daily.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.model import Cadence
from monitor.model import Answer, Outcome, SourceState

BACK_OFF_LIMIT = timedelta(hours=1)
WISH_LIMIT = timedelta(hours=24)
DAILY = timedelta(hours=24)
GOOD = frozenset({Outcome.OK, Outcome.UNCHANGED, Outcome.DEGRADED})


def judged(answer: Answer, state: SourceState) -> Answer:
    """An answer seen beside what the source used to give: a feed that was emptied is not "no news" (F46)."""
    # A reader calls a feed without items degraded; whether it ever had any is known here only.
    listed = answer.entries or answer.listed  # what a source's filters leave out was listed all the same
    if answer.outcome in (Outcome.OK, Outcome.DEGRADED) and not listed and state.entries:
        return replace(
            answer,
            outcome=Outcome.DEGRADED,
            reason=f"emptied: no entries, the last answer held {state.entries}",
            validators=state.validators,
        )
    return answer


def after(
    state: SourceState, answer: Answer, cadence: Cadence, *, now: datetime, jitter: float
) -> tuple[SourceState, SourceState]:
    """The state once everything in ``answer`` is filed, and the state to keep when an entry had to be held back.

    ``jitter`` is a number in [0, 1) that spreads sources by ±10 % of the interval, so that they do not march in step.
    The second state differs only in its validators and its baseline: they stay, so that the next poll brings the entry
    again, and on a first poll judges it as the first.
    """
    good = answer.outcome in GOOD
    failures = 0 if good else state.failures + 1
    due = now + _interval(answer.outcome, failures, cadence) * (0.9 + 0.2 * jitter)
    if answer.not_before is not None:
        due = max(due, min(answer.not_before, now + WISH_LIMIT))
    moved_to = answer.moved_to if good else state.moved_to
    moves = answer.validators != state.validators  # an answer that lacks something moves none (P3)
    whole = good and bool(answer.entries or answer.listed) and moves and not answer.held
    new = replace(
        state,
        next_due=due,
        validators=answer.validators if good and not answer.held else state.validators,
        outcome=answer.outcome,
        reason=answer.reason,
        excerpt="" if answer.outcome in (Outcome.OK, Outcome.UNCHANGED) else answer.excerpt,
        status=answer.status,
        failures=failures,
        last_polled=now,
        last_good=now if good else state.last_good,
        last_plain=now if good and not answer.conditional else state.last_plain,
        baselined=state.baselined or (now if whole else None),
        moved_to=moved_to,
        moved_since=None if moved_to is None else state.moved_since if moved_to == state.moved_to else now,
        entries=len(answer.entries) if answer.entries else state.entries,
    )
    return new, replace(new, validators=state.validators, baselined=state.baselined)


def _interval(outcome: Outcome, failures: int, cadence: Cadence) -> timedelta:
    if outcome in GOOD:
        return cadence.every
    if outcome in (Outcome.GONE, Outcome.CLOSED):
        return DAILY
    if outcome is Outcome.BLOCKED:  # a challenge is never answered with another knock
        return BACK_OFF_LIMIT
    return min(cadence.every * (1 << min(failures - 1, 10)), max(cadence.every, min(cadence.max, BACK_OFF_LIMIT)))
