"""Signs of trouble in a source that answers: it gives nothing new, far less than usual, or what it usually does not.

Each is an episode (`monitor.health`): told once when it begins and once when it ends, also across restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.health import began, closed, notice, opened
from monitor.model.entries import Answer, Entry
from monitor.model.sources import Rhythm, SourceState
from monitor.restdays import Week
from monitor.rhythm import silent, usual_language
from monitor.schedule import GOOD, SILENT, asked_plainly

SHORT_POLLS = 3
FOREIGN_POLLS = GARBLED_POLLS = 2
_NAMES = {"en": "English", "he": "Hebrew", "ar": "Arabic", "und": "no language that is known here"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A source after a good answer, with what the signs are read from."""

    state: SourceState
    rhythm: Rhythm
    answer: Answer
    week: Week
    before: SourceState
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    kind: str
    begins: Callable[[Seen], str]
    """Why it begins now, in words; empty: it does not."""
    ends: Callable[[Seen, datetime], str]
    """How it ended, when it began at that time; empty: it goes on."""
    title: str
    end: str
    query: bool = False
    """An aggregator's query can show it too: what it finds is not one outlet's own list."""


def episodes(
    before: SourceState, after: SourceState, answer: Answer, week: Week, *, query: bool, now: datetime
) -> tuple[SourceState, tuple[Entry, ...]]:
    """What to tell of the signs after an answer, and the state with the open episodes noted. Only a good answer says
    anything, and no sign is told while the source is in trouble as a whole (emptied). ``query``: the source is an
    aggregator's query."""
    if after.rhythm is None or after.outcome not in GOOD:
        return after, ()
    seen = Seen(state=after, rhythm=after.rhythm, answer=answer, week=week, before=before, now=now)
    told: list[Entry] = []
    well = after.episode("source") is None
    for sign in _SIGNS:
        known = after.episode(sign.kind)
        if known is not None and (ended := sign.ends(seen, began(known))):
            told.append(notice(f"{sign.kind}-end", after.id, f"{after.id} {sign.end}", ended, now=now))
            after = closed(after, sign.kind)
        elif known is None and well and (sign.query or not query) and (why := sign.begins(seen)):
            begun = notice(sign.kind, after.id, f"{after.id} {sign.title}", why, now=now)
            told.append(begun)
            after = opened(after, begun)
    return after, tuple(told)


def words(state: SourceState) -> tuple[str, ...]:
    """The open episodes of these kinds, as parts of a sentence about the source."""
    return tuple(f"{sign.title} (since {began(known):%Y-%m-%d %H:%M} UTC)" for sign in _SIGNS
                 if (known := state.episode(sign.kind)) is not None)  # fmt: skip


# ------------------------------------------------------------------ silent


def _falls_silent(seen: Seen) -> str:
    rhythm = seen.rhythm
    if not asked_plainly(seen.answer):
        return ""  # the schedule has it asked without a condition first (F30)
    missing = silent(rhythm, seen.week, now=seen.now)
    if missing is None:
        return ""
    quiet = seen.now - rhythm.last_new
    return (
        f"It answers, and lists nothing new since {rhythm.last_new:%Y-%m-%d %H:%M} UTC: {_hours(quiet)} hours, in "
        f"which about {missing:.0f} new entries were to be expected. It was never quiet for nearly so long, its usual "
        "nights and days of rest left out."
    )


def _speaks_again(seen: Seen, since: datetime) -> str:
    if seen.rhythm.last_new <= since:
        return ""
    quiet_from = seen.before.rhythm.last_new if seen.before.rhythm is not None else since
    return f"It lists new entries. It had listed none since {quiet_from:%Y-%m-%d %H:%M} UTC."


# ------------------------------------------------------------------ shrunk, other language, other letters


def _shrinks(seen: Seen) -> str:
    if seen.rhythm.short_polls < SHORT_POLLS:
        return ""
    return (
        f"It lists {seen.state.entries} entries and usually about {seen.rhythm.usual:.0f}, in {SHORT_POLLS} answers "
        "in a row. What it leaves out is not seen."
    )


def _grows_again(seen: Seen, _since: datetime) -> str:
    return "" if seen.rhythm.short_polls else f"It lists {seen.state.entries} entries, which is usual for it now."


def _turns_foreign(seen: Seen) -> str:
    if seen.rhythm.foreign_polls < FOREIGN_POLLS:
        return ""
    usual, now = _NAMES[usual_language(seen.rhythm)], _NAMES[seen.rhythm.foreign]
    return f"Most of its texts are in {now}; they are usually in {usual}. Watches in {usual} find nothing in them."


def _turns_back(seen: Seen, _since: datetime) -> str:
    language = _NAMES[usual_language(seen.rhythm)]
    return "" if seen.rhythm.foreign_polls else f"Its texts are in {language}, as is usual for it now."


def _turns_garbled(seen: Seen) -> str:
    if seen.rhythm.garbled_polls < GARBLED_POLLS:
        return ""
    reason = seen.state.reason or seen.before.reason
    return f"Its letters have to be guessed or repaired, which is not usual for it: {reason}. Watches may miss words."


def _turns_legible(seen: Seen, _since: datetime) -> str:
    return "" if seen.rhythm.garbled_polls else "Its letters are read as is usual for it now."


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):.1f}".removesuffix(".0")


_SIGNS = (
    _Sign(kind=SILENT, begins=_falls_silent, ends=_speaks_again, title="gives nothing new", end="gives news again",
          query=True),
    _Sign(kind="shrunk", begins=_shrinks, ends=_grows_again, title="lists far less than usual",
          end="lists as much as usual again"),
    _Sign(kind="foreign", begins=_turns_foreign, ends=_turns_back, title="has changed its language",
          end="is in its usual language again"),
    _Sign(kind="garbled", begins=_turns_garbled, ends=_turns_legible, title="has changed its letters' encoding",
          end="is read as usual again"),
)  # fmt: skip
