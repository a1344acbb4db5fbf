"""Two texts side by side: sentences first, then the words of those that are no longer the same.

Bounded on any text: equal beginnings and ends cost next to nothing, and what would take long to compare word by word is
taken as replaced whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from monitor.model.alerts import Piece
from monitor.stories.units import Unit, cut

PAIRS = 40_000
"""Equal pairs of units (of sentences) that are compared at most; beyond it the stretch is taken as replaced whole."""
CELLS = 2_500
"""Sentences before times sentences after that are weighed against each other, in one stretch."""
ALIKE = 0.4
"""Units in common of all units, from which one sentence is another version of the other (Dice)."""

NEAR = 160
"""Letters around what differs in a long sentence; what is further away is left alone."""

Region = tuple[int, int, int, int]
"""Units before, from and to, and units after, from and to, that differ."""


@dataclass(frozen=True, slots=True)
class Side:
    """A sentence in one of the two texts: where it begins there, and its units, counted from its own beginning."""

    text: str
    start: int
    units: list[Unit]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions of a sentence, or one that only one of the texts has."""

    before: Side | None
    after: Side | None
    regions: tuple[Region, ...] = ()
    """Where the units of the two differ."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``pieces`` give back both texts whole; ``pairs`` are the sentences that are not the same to the letter."""

    pieces: tuple[Piece, ...]
    pairs: tuple[Pair, ...]


def compare(before: str, after: str, *, whole: bool = False) -> Comparison:
    """The two texts side by side; ``whole``: as one sentence each, as a headline is."""
    if before == after:
        return Comparison((Piece("kept", before),) if before else (), ())
    old, new = ([before], [after]) if whole else (_sentences(before), _sentences(after))
    pieces: list[Piece] = []
    pairs: list[Pair] = []
    old_starts, new_starts = _starts(old), _starts(new)
    for i1, i2, j1, j2 in [(0, 1, 0, 1)] if whole else _blocks(old, new):
        if i1 == i2 and j1 == j2:
            continue
        if old[i1:i2] == new[j1:j2]:
            pieces.append(Piece("kept", "".join(old[i1:i2])))
            continue
        head = tail = 0
        sides: Iterable[tuple[Side | None, Side | None]]
        if i2 - i1 == j2 - j1 == 1:
            head, tail = _far(old[i1], new[j1])
            sides = [(_side(old[i1], old_starts[i1], head, tail), _side(new[j1], new_starts[j1], head, tail))]
        else:
            sides = _aligned(_sides(old, old_starts, i1, i2), _sides(new, new_starts, j1, j2))
        pieces.append(Piece("kept", old[i1][:head] if head else ""))
        for one, other in sides:
            pair = _paired(one, other)
            pairs.append(pair)
            pieces += _pieces(pair)
        pieces.append(Piece("kept", old[i1][-tail:] if tail else ""))
    return Comparison(tuple(_merged(pieces)), tuple(pairs))


def middles(before: str, after: str) -> tuple[str, str]:
    """The two texts without what they begin and end with alike, from one space to another."""
    head, tail = _ends(before, after, 0)
    return before[head : len(before) - tail], after[head : len(after) - tail]


def _ends(old: str, new: str, near: int) -> tuple[int, int]:
    """How many letters are alike at the beginning and at the end, but for those that are near to what differs; both
    ends lie at a space."""
    head = _common(old, new)
    most = min(len(old), len(new)) - head
    tail = bisect_left(range(most), True, key=lambda length: old[-1 - length :] != new[-1 - length :])
    head, tail = max(0, head - near), max(0, tail - near)
    while head and not old[head - 1].isspace():
        head -= 1
    while tail and not old[len(old) - tail].isspace():
        tail -= 1
    return head, tail


def _side(text: str, start: int, head: int = 0, tail: int = 0) -> Side:
    text = text[head : len(text) - tail]
    return Side(text, start + head, cut(text))


def _far(old: str, new: str) -> tuple[int, int]:
    """How many letters at the beginning and at the end are alike in both, and too far from what differs to matter."""
    return _ends(old, new, NEAR) if min(len(old), len(new)) > 4 * NEAR else (0, 0)


def _sides(texts: Sequence[str], starts: Sequence[int], first: int, last: int) -> list[Side]:
    return [_side(texts[index], starts[index]) for index in range(first, last)]


def _paired(one: Side | None, other: Side | None) -> Pair:
    if one is None or other is None:
        return Pair(one, other)
    old, new = [unit.norm for unit in one.units], [unit.norm for unit in other.units]
    regions: list[Region] = []
    for region in _blocks(old, new):
        i1, i2, j1, j2 = region
        if old[i1:i2] == new[j1:j2]:
            continue
        last = regions[-1] if regions else None
        if last and (last[1], last[3]) == (i1, j1):
            regions[-1] = (last[0], i2, last[2], j2)
        else:
            regions.append(region)
    return Pair(one, other, tuple(regions))


# ------------------------------------------------------------------ sentences

# A full stop ends no sentence behind an initial or a title, nor before a small Latin letter (as in the tokens module).
_END = re.compile(
    r"""(?:(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|Lt))(?<!\b(?:Mrs|Gen|Sen|Rep|Gov|Col|Maj))\.(?!\s+[a-z])|[!?؟۔…])"""
    r"""["'”’»״)\]]*\s+|\n\s*"""
)


def _sentences(text: str) -> list[str]:
    """The sentences of a text with the space behind each; a new line ends one, too."""
    found: list[str] = []
    at = 0
    for end in _END.finditer(text):
        found.append(text[at : end.end()])
        at = end.end()
    if at < len(text):
        found.append(text[at:])
    return found


def _starts(texts: Sequence[str]) -> list[int]:
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text)
    return starts


def _aligned(old: list[Side], new: list[Side]) -> Iterable[tuple[Side | None, Side | None]]:
    """Which sentence became which, in the order of the text."""
    partner = _partners(old, new)
    done = 0
    for index, side in enumerate(old):
        place = partner.get(index)
        if place is None:
            yield side, None
            continue
        for added in new[done:place]:
            yield None, added
        yield side, new[place]
        done = place + 1
    for added in new[done:]:
        yield None, added


def _partners(old: list[Side], new: list[Side]) -> dict[int, int]:
    if not old or not new or len(old) * len(new) > CELLS:
        return {}
    bags = [Counter(unit.norm for unit in side.units) for side in new]
    alike = [[_alike(Counter(unit.norm for unit in side.units), bag) for bag in bags] for side in old]
    # The best total likeness of pairs in order: best[i][j] looks at the sentences from i and from j on.
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            together = alike[i][j] + best[i + 1][j + 1] if alike[i][j] else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], together)
    return _left_alone(_traced(alike, best), len(old), len(new))


def _traced(alike: list[list[float]], best: list[list[float]]) -> dict[int, int]:
    partner: dict[int, int] = {}
    i = j = 0
    while i < len(alike) and j < len(alike[0]):
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            partner[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return partner


def _left_alone(partner: dict[int, int], old: int, new: int) -> dict[int, int]:
    """Between two pairs, a sentence that went and one that came became each other when they are the only ones there."""
    edges = [(-1, -1), *sorted(partner.items()), (old, new)]
    for (i1, j1), (i2, j2) in pairwise(edges):
        if i2 - i1 == 2 and j2 - j1 == 2:
            partner[i1 + 1] = j1 + 1
    return partner


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """How sure it is that one is the other: 0 when it is not. Squared, so that one sentence that is the same counts
    more than two that are somewhat alike."""
    total = one.total() + other.total()
    share = 2 * (one & other).total() / total if total else 1.0
    return share * share if share >= ALIKE else 0.0


# ------------------------------------------------------------------ blocks and pieces


def _blocks(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[Region]:
    """Stretches that are equal or differ, in order; together they are both sequences whole."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    yield 0, head, 0, head
    end_i, end_j = len(old) - tail, len(new) - tail
    middle_old, middle_new = old[head:end_i], new[head:end_j]
    if set(middle_old).isdisjoint(middle_new) or _cost(middle_old, middle_new) > PAIRS:
        yield head, end_i, head, end_j
    else:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        for _, i1, i2, j1, j2 in matcher.get_opcodes():
            yield head + i1, head + i2, head + j1, head + j2
    yield end_i, len(old), end_j, len(new)


def _common(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """How many begin alike."""
    most = min(len(old), len(new))
    if not most or old[0] != new[0]:
        return 0
    if old[:most] == new[:most]:
        return most
    return bisect_left(range(most), True, key=lambda length: old[: length + 1] != new[: length + 1])


def _cost(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """How many equal pairs there are to look at, again and again, at most."""
    if len(old) * len(new) <= PAIRS:
        return 0
    counts = Counter(new)
    return sum(counts[each] for each in old)


def _pieces(pair: Pair) -> Iterator[Piece]:
    if pair.before is None or pair.after is None:
        side = pair.before or pair.after
        if side is not None:
            yield Piece("removed" if pair.before else "added", side.text)
        return
    old, new = pair.before, pair.after
    at_i = at_j = i = j = 0
    for i1, i2, j1, j2 in (*pair.regions, (len(old.units), 0, len(new.units), 0)):
        if i < i1:
            start_i, start_j, end_i, end_j = (
                old.units[i].start,
                new.units[j].start,
                old.units[i1 - 1].end,
                new.units[j1 - 1].end,
            )
            yield from _change(old.text[at_i:start_i], new.text[at_j:start_j])
            if old.text[start_i:end_i] == new.text[start_j:end_j]:
                yield Piece("kept", old.text[start_i:end_i])
            else:
                yield from _same_words(old, new, range(i, i1), range(j, j1))
            at_i, at_j = end_i, end_j
        i, j = i2, j2
    yield from _change(old.text[at_i:], new.text[at_j:])


def _same_words(old: Side, new: Side, old_units: range, new_units: range) -> Iterator[Piece]:
    """Units that are the same words, one by one: some are spelled otherwise, or what stands between them differs."""
    at_i, at_j = old.units[old_units[0]].start, new.units[new_units[0]].start
    for i, j in zip(old_units, new_units, strict=True):
        one, other = old.units[i], new.units[j]
        yield from _change(old.text[at_i : one.start], new.text[at_j : other.start])
        yield from _change(old.text[one.start : one.end], new.text[other.start : other.end])
        at_i, at_j = one.end, other.end


def _change(old: str, new: str) -> Iterator[Piece]:
    if old == new:
        yield Piece("kept", old)
        return
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head] and old[head].isspace():
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail] and old[-1 - tail].isspace():
        tail += 1
    yield Piece("kept", old[:head])
    yield Piece("removed", old[head : len(old) - tail])
    yield Piece("added", new[head : len(new) - tail])
    yield Piece("kept", old[len(old) - tail :])


def _merged(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind are one piece; of removed and added ones between kept ones, the removed come first."""
    runs: dict[str, list[str]] = {"removed": [], "added": []}
    kept: list[str] = []
    for piece in pieces:
        if not piece.text:
            continue
        if piece.kind == "kept":
            if any(runs.values()):
                yield from _flushed(kept, runs)
                kept = []
                runs = {"removed": [], "added": []}
            kept.append(piece.text)
        else:
            runs[piece.kind].append(piece.text)
    yield from _flushed(kept, runs)


def _flushed(kept: list[str], runs: dict[str, list[str]]) -> Iterator[Piece]:
    if kept:
        yield Piece("kept", "".join(kept))
    for kind in ("removed", "added"):
        if runs[kind]:
            yield Piece(kind, "".join(runs[kind]))
