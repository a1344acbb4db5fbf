"""Copies: the same headline or the same text at another outlet, found at once in indexes of the last 48 hours.

The rule for headlines (measured on 750 headlines with seven kinds of edit each): the numbers agree, and the words are
the same by Jaccard 0.6 or more, or one headline of at least five words stands in the other by 0.9 or more. A changed
number is news, never a copy. Headlines of one or two words say too little and are nobody's copy. The rule for texts is
told in `monitor.stories.texts`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from heapq import heappop, heappush
from math import ceil

from monitor.language.tokens import norms
from monitor.model.filing import Change, Paragraph
from monitor.model.items import Item, Reported
from monitor.stories.gist import stem
from monitor.stories.reported import by_text, goes_back_to
from monitor.stories.runs import paragraphs, with_digits
from monitor.stories.stopwords import TURNS
from monitor.stories.texts import Alike, TextIndex, Told

WINDOW = timedelta(hours=48)
SAME = 0.6
"""Jaccard: words in common of all words."""
CONTAINED = 0.9
"""Containment: words in common of the shorter headline's."""
FEWEST_CONTAINED = 5
FEWEST = 3
_SURE_OF = 1e-9
_LENGTHS = (3, 5, 6, 8, 11, 15)
"""Headlines stand on shelves by their count of words, from one of these to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Whose headline or text it repeats, and why we think so."""

    of: str
    reason: str
    headline: str = ""
    """Of the item that it repeats, where only the headlines were compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """What an item repeats."""

    copy: Copy | None = None
    copied_by: Copy | None = None
    """An item seen later whose text is this one's: found when this one's text came last."""
    part_of: tuple[Reported, ...] | None = None
    """Whose reporting the larger part of the text is, since it stands in an earlier item's; ``None``: there was no text
    to compare."""


class Copies:
    """Headlines and texts together. Not for several threads at once."""

    def __init__(self, titles: TitleIndex, *, window: timedelta = WINDOW) -> None:
        self._titles = titles
        self._texts = TextIndex(window=window)

    def remember(self, item: Item) -> None:
        """An item of the last 48 hours, at start, the oldest first."""
        self._titles.add(item.id, item.outlet, item.language, item.title, item.first_seen)
        self._texts.add(_told(item, item.origins), () if item.kind == "live" else paragraphs(item.lead, item.body))

    def look(
        self, change: Change, text: tuple[Paragraph, ...], origins: Sequence[Reported], *, exists: Callable[[str], bool]
    ) -> Repeats:
        """What a new item repeats, or a new text of a known one. Headline and text are remembered: a headline once,
        texts as they come (the first body often comes later). An edited text is no copy, but may be a part."""
        item = change.item
        title = self._by_title(item, exists) if change.fresh else None
        if not text:
            return Repeats(copy=title)
        alike = self._texts.take(_told(item, origins), text, exists=exists)
        before = [each for each in alike if change.fresh or _key(each.of) < (item.first_seen, item.id)]
        after = [each for each in alike if each not in before]
        copy, copied_by = _first_same(before), _first_same(after)
        return Repeats(
            copy=(copy or title) if change.fresh or change.completed else None,
            copied_by=copied_by if change.completed else None,
            part_of=_larger_part(before),
        )

    def _by_title(self, item: Item, exists: Callable[[str], bool]) -> Copy | None:
        found = self._titles.find(item.outlet, item.language, item.title, item.first_seen, exists=exists)
        self._titles.add(item.id, item.outlet, item.language, item.title, item.first_seen)
        return found


def _told(item: Item, origins: Sequence[Reported]) -> Told:
    return Told(
        item=item.id, outlet=item.outlet, language=item.language, numbers=with_digits(norms(item.title)),
        seen=item.first_seen, source=goes_back_to(origins),
    )  # fmt: skip


def _key(told: Told) -> tuple[datetime, str]:
    return told.seen, told.item


def _first_same(found: Sequence[Alike]) -> Copy | None:
    same = next((each for each in found if each.same), None)
    if same is None:
        return None
    return Copy(of=same.of.item, reason=f"the same text: {same.mine:.0%} of its words in a row")


def _larger_part(found: Sequence[Alike]) -> tuple[Reported, ...]:
    most = max(found, key=lambda each: each.mine, default=None)
    if most is None or most.of.source is None:
        return ()
    return (by_text(most.of.source, most.mine, most.of.outlet),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Title:
    item: str
    outlet: str
    seen: datetime
    title: str
    tokens: frozenset[str]


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """Headlines of one language, with the same numbers and about equally many words."""

    titles: dict[int, _Title] = field(default_factory=dict)
    places: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class TitleIndex:
    """Headlines of the last 48 hours by their words. Not for several threads at once.

    ``tokenise`` gives a headline's words in compared form; numbers are the words with a digit in them.
    """

    def __init__(self, tokenise: Callable[[str], frozenset[str]], *, window: timedelta = WINDOW) -> None:
        self._tokenise = tokenise
        self._window = window
        self._shelves: dict[tuple[str, frozenset[str]], dict[int, _Shelf]] = {}
        self._ages: list[tuple[datetime, int, tuple[str, frozenset[str]], int]] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._ages)

    def add(self, item_id: str, outlet: str, language: str, title: str, seen: datetime) -> None:
        """Remember a headline. Those older than the window, counted from ``seen``, are forgotten."""
        tokens = self._tokenise(title)
        if len(tokens) < FEWEST:
            return
        room, size = (language, _numbers(tokens)), _shelf_of(len(tokens))
        shelf = self._shelves.setdefault(room, {}).setdefault(size, _Shelf())
        place, self._next = self._next, self._next + 1
        shelf.titles[place] = _Title(item=item_id, outlet=outlet, seen=seen, title=title, tokens=tokens)
        for token in tokens:
            shelf.places[token].add(place)
        heappush(self._ages, (seen, place, room, size))
        self._forget(seen)

    def find(
        self, outlet: str, language: str, title: str, seen: datetime, *, exists: Callable[[str], bool]
    ) -> Copy | None:
        """The earliest item of another outlet with the same headline, if ``exists`` says that it is still held."""
        self._forget(seen)
        tokens = self._tokenise(title)
        if len(tokens) < FEWEST:
            return None
        alike = [
            (other.seen, place, other, why)
            for shelf in self._shelves.get((language, _numbers(tokens)), {}).items()
            for place, other in _may_be_alike(tokens, *shelf)
            if other.outlet != outlet
            and abs(seen - other.seen) <= self._window
            and (why := _alike(tokens, other.tokens))
        ]
        for _, _, other, why in sorted(alike, key=lambda each: each[:2]):
            if exists(other.item):
                return Copy(of=other.item, reason=why, headline=other.title)
        return None

    def _forget(self, now: datetime) -> None:
        while self._ages and now - self._ages[0][0] > self._window:
            _, place, room, size = heappop(self._ages)
            shelf = self._shelves[room][size]
            for token in shelf.titles.pop(place).tokens:
                shelf.places[token].discard(place)
                if not shelf.places[token]:
                    del shelf.places[token]
            if not shelf.titles:
                del self._shelves[room][size]
            if not self._shelves[room]:
                del self._shelves[room]


def says_the_same(one: str, other: str) -> bool:
    """Whether headlines with most words in common tell the same: one of them may say more, but no word that turns the
    sense, and none says another word in place of the other's ("accepts", "rejects")."""
    words = [set(norms(title)) for title in (one, other)]
    if not TURNS.isdisjoint(words[0] ^ words[1]):
        return False
    stems = [{stem(word) for word in own} - {""} for own in words]
    return not (stems[0] - stems[1] and stems[1] - stems[0])


def _numbers(tokens: frozenset[str]) -> frozenset[str]:
    return frozenset(token for token in tokens if any(letter.isdigit() for letter in token))


def _may_be_alike(tokens: frozenset[str], size: int, shelf: _Shelf) -> list[tuple[int, _Title]]:
    """Headlines on the shelf that share one of the rarest words. Two that are alike have at least ``needed`` words in
    common, so the ``needed - 1`` most frequent ones, whose lists are long, are never looked up."""
    needed = _needed(len(tokens), size)
    lists = [shelf.places[token] for token in tokens if token in shelf.places]
    if len(lists) < needed:
        return []
    lists.sort(key=len)
    return [(place, shelf.titles[place]) for place in set().union(*lists[: len(lists) - needed + 1])]


def _shelf_of(size: int) -> int:
    return _LENGTHS[bisect_right(_LENGTHS, size) - 1]


@cache
def _needed(one: int, other: int) -> int:
    """How many words two headlines, one of ``one`` words and one of ``other`` or more on that shelf, have in common
    at least when they are alike: it never falls as ``other`` grows within a shelf."""
    # common >= SAME * (one + other - common), solved for common
    jaccard = ceil(SAME / (1 + SAME) * (one + other) - _SURE_OF)
    shorter = min(one, other)
    contained = ceil(CONTAINED * shorter - _SURE_OF) if shorter >= FEWEST_CONTAINED else jaccard
    return min(jaccard, contained)


def _alike(one: frozenset[str], other: frozenset[str]) -> str:
    """Why the two headlines are the same words; empty when they are not. Their numbers agree already."""
    common, together = len(one & other), len(one | other)
    if common >= SAME * together - _SURE_OF:
        return f"the same headline: {common} of {together} words"
    shorter = min(len(one), len(other))
    if shorter >= FEWEST_CONTAINED and common >= CONTAINED * shorter - _SURE_OF:
        return f"one headline within the other: {common} of {shorter} words"
    return ""
