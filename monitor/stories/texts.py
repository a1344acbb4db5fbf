"""Texts of the last 48 hours by their runs of words: of which item of another outlet a text is a copy, or a part.

Two texts are one where seven in ten words of each stand in runs of the other, at their beginnings half of them: a
footer that two sites have in common, or a long background, makes no copy. A paragraph that an outlet has printed three
times is its standing text and is not read. A text whose larger part stands in an earlier item's is that item's
reporting.

Of each text the lowest tenth or so of its runs, as numbers, lead to it (a text with 8 % of its words changed is missed
twice in a thousand); what is found is then compared by all runs. Deterministic.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from zlib import crc32

from monitor.model.filing import Paragraph
from monitor.model.items import Reported
from monitor.stories.runs import FEWEST, RUN, words_in

SAME = 0.7
"""Of each text's words, in runs of the other."""
_BEGUN, _BEGINNING = 10, 24
"""Of so many words at the beginning."""
LARGER = 0.5
"""Of a text's words, in runs of an earlier one: its larger part is that one's."""
_STANDING = 3
"""Texts of one outlet with the same paragraph, before it is not read any more."""
_LEAST, _ONE_IN = 10, 8
"""Runs that lead to a text: the lowest ten, or all in the lowest eighth of numbers."""
_LOW = -(2**63) + 2**64 // _ONE_IN
_HELD = 32
"""Texts that a run leads to, the earliest."""
_COMPARED = 16
_GAP = array("q", [0] * (RUN - 1))
"""Between paragraphs, so that a run's place is its first word's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An item whose text is told."""

    item: str
    outlet: str
    language: str
    numbers: frozenset[str]
    """Of its headline."""
    seen: datetime
    source: Reported | None = None
    """Whose reporting its text is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Another outlet's item whose text this one repeats."""

    of: Told
    mine: float
    """The share of this text's words that stand in the other's runs."""
    same: bool
    """The texts are one; otherwise this one's larger part is the other's."""


@dataclass(frozen=True, slots=True)
class _Text:
    of: Told
    runs: array[int]
    numbers: frozenset[str]
    low: tuple[int, ...]
    standing: tuple[int, ...]
    """Hashes of the paragraphs."""


class TextIndex:
    """Not for several threads at once."""

    def __init__(self, *, window: timedelta) -> None:
        self._window = window
        self._texts: dict[int, _Text] = {}
        self._places: defaultdict[str, dict[int, tuple[int, ...]]] = defaultdict(dict)
        self._printed: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._ages: list[tuple[datetime, int]] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, told: Told, paragraphs: Sequence[Paragraph], *, exists: Callable[[str], bool]) -> tuple[Alike, ...]:
        """What a text repeats, the earliest first; the text is remembered."""
        self._forget(told.seen)
        text = self._read(told, paragraphs)
        if text is None:
            return ()
        found = tuple(each for each in self._alike(text) if exists(each.of.item))
        self._hold(text)
        return found

    def add(self, told: Told, paragraphs: Sequence[Paragraph]) -> None:
        """Remember a text, as `take` does."""
        self._forget(told.seen)
        if (text := self._read(told, paragraphs)) is not None:
            self._hold(text)

    # ---------------------------------------------------------------- inside

    def _read(self, told: Told, paragraphs: Sequence[Paragraph]) -> _Text | None:
        if not paragraphs:
            return None
        hashes = tuple(crc32(each.runs) for each in paragraphs)
        printed = self._printed[told.outlet]
        kept = [
            each for each, hashed in zip(paragraphs, hashes, strict=True) if printed.get(hashed, 0) < _STANDING
        ]  # fmt: skip
        readable = sum(map(words_in, kept)) >= FEWEST
        runs = _joined(kept if readable else ())
        numbers = frozenset[str]().union(*(each.numbers for each in kept))
        return _Text(told, runs, numbers, _low(runs), hashes)

    def _hold(self, text: _Text) -> None:
        place, self._next = self._next, self._next + 1
        self._texts[place] = text
        self._printed[text.of.outlet].update(text.standing)
        places = self._places[text.of.language]
        for run in text.low:
            held = places.get(run, ())
            if len(held) < _HELD:
                places[run] = (*held, place)
        heappush(self._ages, (text.of.seen, place))

    def _alike(self, text: _Text) -> list[Alike]:
        candidates = self._candidates(text)
        mine, found = set(text.runs) if candidates else set(), dict[str, Alike]()
        for other in candidates:
            if (alike := _compared(text, mine, other)) is not None:
                best = found.get(alike.of.item)
                if best is None or (alike.same, alike.mine) > (best.same, best.mine):
                    found[alike.of.item] = alike
        return sorted(found.values(), key=lambda each: (each.of.seen, each.of.item))

    def _candidates(self, text: _Text) -> Sequence[_Text]:
        places = self._places[text.of.language]
        shared: dict[int, int] = {}
        for run in text.low:
            for place in places.get(run, ()):
                shared[place] = shared.get(place, 0) + 1
        near = [(-count, place) for place, count in shared.items() if self._may_be(text, self._texts[place])]
        return [self._texts[place] for _, place in sorted(near)[:_COMPARED]]

    def _may_be(self, text: _Text, other: _Text) -> bool:
        return other.of.outlet != text.of.outlet and abs(text.of.seen - other.of.seen) <= self._window

    def _forget(self, now: datetime) -> None:
        while self._ages and now - self._ages[0][0] > self._window:
            _, place = heappop(self._ages)
            text = self._texts.pop(place)
            places, printed = self._places[text.of.language], self._printed[text.of.outlet]
            for run in text.low:
                held = tuple(each for each in places.get(run, ()) if each != place)
                if held:
                    places[run] = held
                else:
                    places.pop(run, None)
            printed.subtract(text.standing)
            for hashed in text.standing:
                if printed[hashed] <= 0:
                    del printed[hashed]


def _joined(paragraphs: Sequence[Paragraph]) -> array[int]:
    if len(paragraphs) == 1:
        return paragraphs[0].runs
    runs = array("q")
    for each in paragraphs:
        runs += each.runs + _GAP
    return runs[: -len(_GAP)] if runs else runs


def _low(runs: array[int]) -> tuple[int, ...]:
    """The runs that lead to a text: the same ones in all texts that hold them."""
    distinct = set(runs)
    if len(runs) <= _LEAST * _ONE_IN:
        return tuple(sorted(distinct)[:_LEAST])
    return tuple(run for run in distinct if run < _LOW)


def _compared(text: _Text, mine: set[int], other: _Text) -> Alike | None:
    theirs = set(other.runs)
    shared, begun = _covered(text.runs, theirs)
    share = shared / (len(text.runs) + RUN - 1)
    if share < LARGER:
        return None
    back, back_begun = _covered(other.runs, mine)
    same = (
        min(share, back / (len(other.runs) + RUN - 1)) >= SAME
        and min(begun, back_begun) >= _BEGUN
        and _numbers_agree(text, other)
    )
    return Alike(of=other.of, mine=share, same=same)


def _covered(runs: array[int], other: set[int]) -> tuple[int, int]:
    """Words that stand in a run of the other text: all, and those from runs at the beginning."""
    covered = begun = end = 0
    for place, run in enumerate(runs):
        if run in other and run:
            covered += RUN if place >= end else place + RUN - end
            end = place + RUN
            if end <= _BEGINNING:
                begun = covered
    return covered, begun


def _numbers_agree(one: _Text, other: _Text) -> bool:
    """A changed number is news. Headlines say the same numbers; one may leave some out where no number of the texts
    was changed."""
    if one.of.numbers == other.of.numbers:
        return True
    return _within(one.of.numbers, other.of.numbers) and _within(one.numbers, other.numbers)


def _within(one: frozenset[str], other: frozenset[str]) -> bool:
    return one <= other or other <= one
