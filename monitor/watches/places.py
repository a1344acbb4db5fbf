"""Places in a text, and which pairs of them are near each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from monitor.watches.query import Near


class Place(NamedTuple):
    """Tokens ``start`` up to ``end``; ``parts`` are the words in it that were asked for, with their terms."""

    start: int
    end: int
    parts: tuple[tuple[int, int, str], ...]


def within(left: Sequence[Place], right: Sequence[Place], node: Near) -> Iterator[Place]:
    """Pairs at most ``reach`` words apart; neighbours are one word apart."""
    starts = [place.start for place in right]
    by_end = sorted(right, key=lambda place: place.end)
    ends = [place.end for place in by_end]
    for a in left:
        for b in right[bisect_left(starts, a.end) : bisect_right(starts, a.end + node.reach - 1)]:
            yield Place(a.start, b.end, a.parts + b.parts)
        if not node.ordered:
            for b in by_end[bisect_left(ends, a.start - node.reach + 1) : bisect_right(ends, a.start)]:
                yield Place(b.start, a.end, b.parts + a.parts)


def together(left: Sequence[Place], right: Sequence[Place], numbers: Sequence[int]) -> Iterator[Place]:
    """Pairs that lie in one sentence or paragraph as a whole."""
    by_number: dict[int, list[Place]] = {}
    for b in right:
        if numbers[b.start] == numbers[b.end - 1]:
            by_number.setdefault(numbers[b.start], []).append(b)
    for a in left:
        if numbers[a.start] != numbers[a.end - 1]:
            continue
        for b in by_number.get(numbers[a.start], ()):
            if b.start >= a.end:
                yield Place(a.start, b.end, a.parts + b.parts)
            elif b.end <= a.start:
                yield Place(b.start, a.end, b.parts + a.parts)
