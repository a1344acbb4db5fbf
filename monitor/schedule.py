"""When to look again: what an answer was decides the source's next state. Pure; the time is an argument.

A source is never switched off by itself (faults.md P8): our own back-off ends at one hour, a server's wish at 24 hours,
*gone* and *closed* sources are asked daily.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.model.outlets import Cadence
from monitor import rhythm
from monitor.model.entries import Answer
from monitor.model.sources import Outcome, Rhythm, SourceState
from monitor.restdays import Week

BACK_OFF_LIMIT = timedelta(hours=1)
WISH_LIMIT = timedelta(hours=24)
DAILY = timedelta(hours=24)
GOOD = frozenset({Outcome.OK, Outcome.UNCHANGED, Outcome.DEGRADED})
SILENT = "silent"
"""The episode of a source that gives nothing new (`monitor.signs`)."""
_EARLIEST, _LATEST = 0.9, 1.1


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
    state: SourceState,
    answer: Answer,
    cadence: Cadence,
    *,
    now: datetime,
    jitter: float,
    learnt: Rhythm | None = None,
    week: Week | None = None,
) -> tuple[SourceState, SourceState]:
    """The state once everything in ``answer`` is filed, and the state to keep when an entry had to be held back.

    ``jitter`` is a number in [0, 1) that spreads sources by ±10 % of the interval, so that they do not march in step.
    ``learnt`` is the source's rhythm with this answer in it, ``week`` its outlet's: with both, the interval follows
    what is to be expected (`rhythm.wait`). A source that seems silent and said so to a conditional request is soon
    asked once more without a condition (F30).
    The second state differs only in its validators and its baseline: they stay, so that the next poll brings the entry
    again, and on a first poll judges it as the first.
    """
    good = answer.outcome in GOOD
    failures = 0 if good else state.failures + 1
    interval = _interval(answer.outcome, failures, cadence)
    doubted = False
    if good and learnt is not None and week is not None:
        interval = _bent(learnt, week, cadence, now)
        doubted = not asked_plainly(answer) and seems_silent(state, learnt, week, now=now)
    due = now + (cadence.min if doubted else interval) * (_EARLIEST + (_LATEST - _EARLIEST) * jitter)
    if answer.not_before is not None:
        due = max(due, min(answer.not_before, now + WISH_LIMIT))
    last_plain = now if good and not answer.conditional else state.last_plain
    moved_to = answer.moved_to if good else state.moved_to
    moves = answer.validators != state.validators  # an answer that lacks something moves none (P3)
    whole = good and bool(answer.entries or answer.listed) and moves and not answer.held
    new = replace(
        state,
        next_due=due,
        validators=answer.validators if good and not answer.held else state.validators,
        outcome=answer.outcome,
        reason=answer.reason,
        excerpt=_excerpt(state, answer),
        status=answer.status,
        failures=failures,
        last_polled=now,
        last_good=now if good else state.last_good,
        last_plain=None if doubted else last_plain,
        baselined=state.baselined or (now if whole else None),
        moved_to=moved_to,
        moved_since=None if moved_to is None else state.moved_since if moved_to == state.moved_to else now,
        entries=len(answer.entries) if answer.entries else state.entries,
        late=max(answer.at - state.next_due, timedelta()),
        rhythm=learnt if learnt is not None else state.rhythm,
    )
    return new, replace(new, validators=state.validators, baselined=state.baselined)


def asked_plainly(answer: Answer) -> bool:
    """What the answer says, it says by itself: no condition of ours let the server repeat "unchanged" (F30)."""
    return not answer.conditional or answer.outcome is not Outcome.UNCHANGED


def seems_silent(state: SourceState, learnt: Rhythm, week: Week, *, now: datetime) -> bool:
    """It is quiet for longer than chance allows, and nobody was told yet."""
    return state.episode(SILENT) is None and rhythm.silent(learnt, week, now=now) is not None


def _bent(learnt: Rhythm, week: Week, cadence: Cadence, now: datetime) -> timedelta:
    """Between the cadence's `min` and `max`, jitter included. News draws news: after something new came, a quiet hour
    is no reason to wait for longer than usual."""
    most = cadence.every if learnt.last_new == now else max(cadence.every, cadence.max / _LATEST)
    interval = rhythm.wait(learnt, week, now=now, every=cadence.every, longest=most)
    return max(interval, min(cadence.every, cadence.min / _EARLIEST))


def longest(cadence: Cadence, learnt: Rhythm | None) -> timedelta:
    """The longest interval that a source in order may have, but for its jitter."""
    return cadence.every if learnt is None or learnt.watched < rhythm.ENOUGH else max(cadence.every, cadence.max)


def _excerpt(state: SourceState, answer: Answer) -> str:
    if answer.outcome in (Outcome.OK, Outcome.UNCHANGED):
        return ""
    # A server that answers nothing at all takes nothing away from what it said before.
    return answer.excerpt if answer.excerpt or answer.outcome is Outcome.DEGRADED else state.excerpt


def _interval(outcome: Outcome, failures: int, cadence: Cadence) -> timedelta:
    if outcome in GOOD:
        return cadence.every
    if outcome in (Outcome.GONE, Outcome.CLOSED):
        return DAILY
    if outcome is Outcome.BLOCKED:  # a challenge is never answered with another knock
        return BACK_OFF_LIMIT
    return min(cadence.every * (1 << min(failures - 1, 10)), max(cadence.every, min(cadence.max, BACK_OFF_LIMIT)))
