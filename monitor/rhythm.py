"""A source's own rhythm: how much it gives in each hour of its week, and what is unusual for it. Pure.

From every good answer is learnt how many entries it lists that the answer before did not. The store decides what is
news; here counts what the source itself does, so that a feed whose articles another source always tells first is alive
all the same. Counts and hours watched are kept for each hour of the week by the outlet's clock and fade within weeks
(to 1/e in six), so nights, Sabbaths and holidays (`monitor.restdays`) need no rule of their own.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args
from zlib import crc32

from monitor.model.entries import Answer, Candidate
from monitor.model.sources import Outcome, Rhythm
from monitor.model.texts import TextLanguage
from monitor.restdays import HOURS, Week

LANGUAGES: tuple[TextLanguage, ...] = get_args(TextLanguage)
ENOUGH = 72.0
"""Hours watched before the rhythm bends the schedule or an answer can be called unusual."""
A_WEEK_AND_A_DAY = 192.0
"""Hours watched before a silence can be called one: every hour of the week was seen by then."""
MUST_HAVE_COME = -math.log(1e-4)
"""So many entries are expected before their absence is no chance: 1 in 10,000, were they independent. They are not, so
a silence must also be three times as long as any before it."""
LONGER = 3.0
_TOLD_GROWS = 1.5
FADE = 42.0
"""Days in which what was learnt fades to 1/e."""
A_LOOK_BACK = timedelta(days=60)
_HOUR, _DAY, _SOON = timedelta(hours=1), timedelta(days=1), timedelta(minutes=30)
_UNKNOWN = 1.0
"""Hours of unseen time that each slot is taken to have beside those it was watched for."""
_FEW, _SHORT, _SHORT_ENDS = 9.0, 1 / 3, 1 / 2
_A_SITEMAP_LISTS = timedelta(days=2)
_TEXTS, _RARE = 5, 0.25
_SETTLES = 7.0
"""Days in which the usual size and languages of a listing follow a lasting change."""
_GARBLED = ("charset guessed", "repaired: encoded", "damaged: encoded", "Hebrew in visual order")
_REMEMBERED = 64
_WEEK = struct.Struct(f"<{2 * HOURS}f")
"""Of a rhythm's slots: the entries of each hour of the week, the hours of each, and (`_SUMS`) of all."""
_SUMS = struct.Struct("<2f")
_CELL, _THREE = struct.Struct("<f"), struct.Struct("<3f")
_NOTHING = bytes(_WEEK.size + _SUMS.size)
_MOST = 255


# ------------------------------------------------------------------ learning


def learned(
    rhythm: Rhythm | None, answer: Answer, found: Sequence[Candidate], week: Week, *, now: datetime, told: bool = False
) -> Rhythm | None:
    """The rhythm after a good answer with the candidates ``found`` (none when it is unchanged). One that lists nothing
    at all teaches nothing.

    ``told``: the silence was told as trouble, so it does not set what silence is usual.
    """
    unchanged, size = answer.outcome is Outcome.UNCHANGED, _size(answer)
    if rhythm is None:
        return _begun(answer, found, now) if found else None
    if not unchanged and not size:
        return rhythm
    if unchanged and timedelta() <= now - rhythm.seen < _SOON and not _unusual(rhythm):
        return rhythm  # the next answer teaches as much: most polls cost nothing here
    gap = now - rhythm.seen
    listed, new = _compared(rhythm.listed, found)
    changes: dict[str, Any] = {"seen": now, "listed": listed}
    changes |= _week_after(rhythm, week, new, now)
    if new:
        changes |= {"last_new": now, "longest": _longest(rhythm, week, now, told)}
    weight = min(max(gap / _DAY, 0.0), 1.0) / _SETTLES
    if unchanged:
        changes |= _the_same_again(rhythm)
    else:
        changes |= _size_after(rhythm, size, weight, week, now)
        changes |= _languages_after(rhythm, found, weight)
        changes |= _letters_after(rhythm, answer, weight)
    return replace(rhythm, **changes)


def _begun(answer: Answer, found: Sequence[Candidate], now: datetime) -> Rhythm:
    """The first listing says what is usual, not how often something comes."""
    return Rhythm(
        since=now, seen=now, last_new=now, slots=_NOTHING, listed=_compared(b"", found)[0], usual=float(_size(answer)),
        mix=_shares(found), garbled=float(_is_garbled(answer)),
    )  # fmt: skip


def _compared(listed: bytes, found: Sequence[Candidate]) -> tuple[bytes, int]:
    """What is listed now, with some of what was before (a mirror's old copy makes nothing new, F32), and how much of it
    was not."""
    if not found:
        return listed, 0
    before = struct.unpack(f"<{len(listed) // 4}I", listed)
    known, here = set(before), dict.fromkeys(crc32(each.id.encode()) for each in found)
    gone = [each for each in before if each not in here][: min(len(here), _REMEMBERED)]
    return struct.pack(f"<{len(here) + len(gone)}I", *here, *gone), sum(each not in known for each in here)


def _week_after(rhythm: Rhythm, week: Week, new: int, now: datetime) -> dict[str, Any]:
    """What came is spread over the time since the last answer. After more than a day nobody can say when it came."""
    days = (now.date() - rhythm.seen.date()).days
    slots = bytearray(_faded(rhythm.slots, days) if days > 0 else rhythm.slots)
    hours = (now - rhythm.seen) / _HOUR
    if not 0 < hours <= 24:
        return {"slots": bytes(slots)}
    if new > 5:  # one burst, or a feed that renamed everything, does not make an hour busy for weeks
        new = min(new, 5 + round(4 * expected(rhythm, week, rhythm.seen, now)))
    for slot, part in week.pieces(rhythm.seen, now):
        for place, more in ((slot, new * part / hours), (HOURS + slot, part)):
            _CELL.pack_into(slots, 4 * place, _CELL.unpack_from(slots, 4 * place)[0] + more)
    came, watched = _SUMS.unpack_from(slots, _WEEK.size)
    _SUMS.pack_into(slots, _WEEK.size, came + new, watched + hours)
    return {"slots": bytes(slots), "watched": rhythm.watched + hours}


def _faded(slots: bytes, days: int) -> bytes:
    left = math.exp(-days / FADE)
    values = [value * left for value in _WEEK.unpack_from(slots)]
    return _WEEK.pack(*values) + _SUMS.pack(sum(values[:HOURS]), sum(values[HOURS:]))


def _longest(rhythm: Rhythm, week: Week, now: datetime, told: bool) -> timedelta:
    if rhythm.watched < ENOUGH:
        return timedelta()
    # After an outage of ours only the silence before it was seen.
    silence, _missing = _silence(rhythm, week, rhythm.last_new, now if now - rhythm.seen <= _DAY else rhythm.seen)
    return max(rhythm.longest, min(silence, rhythm.longest * _TOLD_GROWS) if told else silence)


# ------------------------------------------------------------------ what a listing is like


def _size(answer: Answer) -> int:
    return answer.listed or len(answer.entries)


def _size_after(rhythm: Rhythm, size: int, weight: float, week: Week, now: datetime) -> dict[str, Any]:
    usual = rhythm.usual + (size - rhythm.usual) * weight
    limit = rhythm.usual * (_SHORT_ENDS if rhythm.short_polls else _SHORT)
    short = size < limit and rhythm.usual >= _FEW and rhythm.watched >= ENOUGH
    if short:  # a news sitemap lists two days: after a holiday there are few
        short = size < limit * min(1.0, _share(rhythm, week, now - _A_SITEMAP_LISTS, now))
    return {"usual": usual, "short_polls": _count(rhythm.short_polls, goes_on=short)}


def _share(rhythm: Rhythm, week: Week, start: datetime, end: datetime) -> float:
    """How much was to be expected in a time, in parts of what comes in as long a time on average."""
    average = _mean(rhythm.slots) * ((end - start) / _HOUR)
    return expected(rhythm, week, start, end) / average if average else 1.0


def _languages_after(rhythm: Rhythm, found: Sequence[Candidate], weight: float) -> dict[str, Any]:
    if not found:
        return {}
    shares = _shares(found)
    if len(rhythm.mix) != len(shares):
        return {"mix": shares}
    mix = tuple(old + (new - old) * weight for old, new in zip(rhythm.mix, shares, strict=True))
    top = max(range(len(shares)), key=shares.__getitem__)
    foreign = (
        len(found) >= _TEXTS and shares[top] > 0.5 and rhythm.mix[top] < _RARE and rhythm.watched >= ENOUGH
    )  # fmt: skip
    return {
        "mix": mix,
        "foreign": LANGUAGES[top] if foreign else rhythm.foreign,
        "foreign_polls": _count(rhythm.foreign_polls, goes_on=foreign),
    }


def _shares(found: Sequence[Candidate]) -> tuple[float, ...]:
    counts = Counter(each.language for each in found)
    return tuple(counts[language] / len(found) if found else 0.0 for language in LANGUAGES)


def usual_language(rhythm: Rhythm) -> TextLanguage:
    """The language of most of what it lists."""
    return max(zip(rhythm.mix, LANGUAGES, strict=False), default=(0.0, "und"))[1]


def _letters_after(rhythm: Rhythm, answer: Answer, weight: float) -> dict[str, Any]:
    garbled = _is_garbled(answer)
    unusual = garbled and rhythm.garbled < 0.5 and rhythm.watched >= ENOUGH
    return {
        "garbled": rhythm.garbled + (garbled - rhythm.garbled) * weight,
        "garbled_polls": _count(rhythm.garbled_polls, goes_on=unusual),
    }


def _is_garbled(answer: Answer) -> bool:
    return any(mark.startswith(_GARBLED) for mark in answer.marks)


def _the_same_again(rhythm: Rhythm) -> dict[str, Any]:
    """What was unusual about the last listing still is."""
    if not _unusual(rhythm):
        return {}
    polls = (rhythm.short_polls, rhythm.foreign_polls, rhythm.garbled_polls)
    short, foreign, garbled = (_count(each, goes_on=each > 0) for each in polls)
    return {"short_polls": short, "foreign_polls": foreign, "garbled_polls": garbled}


def _unusual(rhythm: Rhythm) -> bool:
    return bool(rhythm.short_polls or rhythm.foreign_polls or rhythm.garbled_polls)


def _count(polls: int, *, goes_on: bool) -> int:
    return min(polls + 1, _MOST) if goes_on else 0


# ------------------------------------------------------------------ what is to be expected


def expected(rhythm: Rhythm, week: Week, start: datetime, end: datetime) -> float:
    """How many new entries are to be expected in a time.

    Each hour is smoothed with its neighbours and the source's overall mean, so that little history gives no extremes.
    """
    mean = _mean(rhythm.slots)
    return sum(_rate(rhythm.slots, slot, mean) * hours for slot, hours in week.pieces(start, end))


def silent(rhythm: Rhythm, week: Week, *, now: datetime) -> float | None:
    """How many new entries should have come since the last one, when their absence can be no chance; else ``None``.

    A silence is measured in the source's own time, in which an hour counts in full when it usually brings at least the
    mean, and a night or a Sabbath counts little: so a desk that stops on a Monday is missed on that day, however long
    its week-ends are. (Measured by the clock, with half as long again as any silence before: missed after two days,
    and more often in vain when a desk merely came to give less.)
    """
    start, limit = max(rhythm.last_new, now - A_LOOK_BACK), rhythm.longest * LONGER
    if rhythm.watched < A_WEEK_AND_A_DAY or now - start <= limit:  # its own time is never faster than the clock
        return None
    quiet, missing = _silence(rhythm, week, start, now)
    return missing if quiet > limit and missing >= MUST_HAVE_COME else None


def rests(rhythm: Rhythm, week: Week, *, now: datetime) -> bool:
    """So little was to be expected for two days that a news sitemap, which lists no more, may well be empty."""
    if rhythm.watched < A_WEEK_AND_A_DAY:
        return False
    _quiet, missing = _silence(rhythm, week, now - _A_SITEMAP_LISTS, now)
    return missing < MUST_HAVE_COME


def _silence(rhythm: Rhythm, week: Week, start: datetime, end: datetime) -> tuple[timedelta, float]:
    """A time in the source's own, and how many new entries it should have brought. What was little watched counts for
    little here: a Sabbath that was seen once is not taken for a working day."""
    mean, own, missing = _mean(rhythm.slots), 0.0, 0.0
    if not mean:
        return timedelta(), 0.0
    for slot, hours in week.pieces(start, end):
        rate = _rate(rhythm.slots, slot, 0.0)
        own += min(1.0, rate / mean) * hours
        missing += rate * hours
    return _HOUR * own, missing


def wait(rhythm: Rhythm, week: Week, *, now: datetime, every: timedelta, longest: timedelta) -> timedelta:
    """How long to wait for the next look, at most ``longest``; ``every`` while too little is known.

    Looks fall as the square root of what is expected: that makes the delay of all news together smallest for a number
    of looks, and over a week no more looks than one each ``every``. An hour with four times the mean is looked at twice
    as often, one with a quarter half as often.
    """
    if rhythm.watched < ENOUGH or not (mean := _mean(rhythm.slots)):
        return every
    left, gone = every / _HOUR, 0.0
    for slot, hours in week.pieces(now, now + longest):
        pace = math.sqrt(_rate(rhythm.slots, slot, mean) / mean)
        if left <= hours * pace:
            return _HOUR * (gone + left / pace)
        left -= hours * pace
        gone += hours
    return longest


def _mean(slots: bytes) -> float:
    """New entries an hour, over the whole week."""
    came, hours = _SUMS.unpack_from(slots, _WEEK.size)
    return came / hours if hours else 0.0


def _rate(slots: bytes, slot: int, prior: float) -> float:
    """New entries an hour in one slot and, half as much, its neighbours; ``prior`` is what is taken for unseen time."""
    if 0 < slot < HOURS - 1:
        came = _THREE.unpack_from(slots, 4 * (slot - 1))
        hours = _THREE.unpack_from(slots, 4 * (HOURS + slot - 1))
    else:  # the week is a circle
        near = ((slot - 1) % HOURS, slot, (slot + 1) % HOURS)
        came, hours = (tuple(_CELL.unpack_from(slots, 4 * (first + each))[0] for each in near) for first in (0, HOURS))
    watched = hours[1] + (hours[0] + hours[2]) / 2 + _UNKNOWN
    return float((came[1] + (came[0] + came[2]) / 2 + prior * _UNKNOWN) / watched)


__all__ = [
    "LANGUAGES", "expected", "learned", "rests", "silent", "usual_language", "wait",
]  # fmt: skip
