"""What a line says of the sources it names: that it is their copy, repeats their report, or tells their statement.

The patterns are data (``origins.toml``). A name is looked for first; only around one that stands there patterns are
tried, by the word directly before or behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from config.model.origins import OriginPattern, OriginTables, Relation
from monitor.language.normalise import fold
from monitor.stories.lines import Line, attached, is_in
from monitor.stories.sourcenames import Group, Source, table_words, words_of

GAP = 5
"""Words that ``…`` stands for, at most."""
_BRACKET = re.compile(r"[()\[\]]")
_AND = frozenset(["and", "ו", "و"])


class Said(NamedTuple):
    """A source, what the line says of it, and between which letters of the folded line."""

    source: Source
    relation: Relation
    pattern: str
    start: int
    end: int


class _Gap(NamedTuple):
    """Up to five words, any."""


class _End(NamedTuple):
    """No word: the end of a sentence, or a colon."""

    colon: bool


_Part = frozenset[str] | _Gap | _End


class _Pattern(NamedTuple):
    name: str
    relation: Relation
    left: tuple[_Part, ...]
    """From the name outwards."""
    particles: tuple[str, ...]
    right: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns in force, by the word directly before the name, or directly behind it."""

    by_before: Mapping[str, tuple[_Pattern, ...]]
    by_behind: Mapping[str, tuple[_Pattern, ...]]
    apart: tuple[_Pattern, ...]
    """Those with ``…`` directly beside a name that has particles attached."""
    officials: frozenset[str]
    governing: frozenset[str]

    @classmethod
    def of(cls, tables: OriginTables) -> Patterns:
        """Made once for a configuration."""
        before: dict[str, list[_Pattern]] = {}
        behind: dict[str, list[_Pattern]] = {}
        apart: list[_Pattern] = []
        for pattern in (made for name, told in tables.patterns.items() for made in _patterns(name, told)):
            for index, near in ((before, pattern.left[:1]), (behind, pattern.right[:1])):
                if near and isinstance(near[0], frozenset):
                    for word in near[0]:
                        index.setdefault(word, []).append(pattern)
                    break
            else:
                apart.append(pattern)
        return cls(
            {word: tuple(found) for word, found in before.items()},
            {word: tuple(found) for word, found in behind.items()},
            tuple(apart),
            table_words(tables, "officials"),
            table_words(tables, "governing"),
        )

    def said(self, line: Line, groups: Sequence[Group]) -> Iterator[Said]:
        """Everything the line says of the sources in it. Sources joined by "and" share what is said of them."""
        for joined in clusters(line, groups):
            first, last = joined[0], joined[-1]
            for pattern in self._near(line, first, last):
                span = _match(line, pattern, first, last)
                if span is None:
                    continue
                start, end = line.starts[span[0]], line.stops[span[1]]
                for group in joined:
                    if self._is_meant(line, pattern, group, last):
                        yield Said(group.source, pattern.relation, pattern.name, start, end)

    def _near(self, line: Line, first: Group, last: Group) -> Iterator[_Pattern]:
        before, behind = first.first - 1, last.last + 1
        if before >= 0 and not line.ends(before) and not _BRACKET.search(line.between(before)):
            for _, rest in attached(line.norm(before)):
                yield from self.by_before.get(rest, ())
        if behind < len(line) and not line.ends(behind - 1) and not _BRACKET.search(line.between(behind - 1)):
            for _, rest in attached(line.norm(behind)):
                yield from self.by_behind.get(rest, ())
        if first.prefix:
            yield from self.apart

    def _is_meant(self, line: Line, pattern: _Pattern, group: Group, last: Group) -> bool:
        """Bodies state, all others are cited and credited; a name with another meaning must be vouched for."""
        if (pattern.relation == "statement") != (group.source.kind == "body"):
            return False
        if not group.vouched and pattern.relation != "credit":
            return False
        return pattern.relation != "statement" or not self._is_of_others(line, pattern, group, last)

    def _is_of_others(self, line: Line, pattern: _Pattern, group: Group, last: Group) -> bool:
        """``Hamas officials``, and where the body should be the subject, ``the ambassador to the UN said``."""
        before, behind = group.first - 1, last.last + 1
        near = behind < len(line) and not line.between(behind - 1).strip()
        if near and is_in(line.norm(behind), self.officials):
            return True
        subject = not pattern.left and before >= 0 and not line.between(before).strip()
        return subject and line.norm(before) in self.governing


def clusters(line: Line, groups: Sequence[Group]) -> list[list[Group]]:
    """Names of one kind that only "and" or a mark stands between."""
    found: list[list[Group]] = []
    for group in groups:
        if found and _joined(line, found[-1][-1], group):
            found[-1].append(group)
        else:
            found.append([group])
    return found


def _joined(line: Line, one: Group, other: Group) -> bool:
    if (one.source.kind == "body") != (other.source.kind == "body"):
        return False
    words = range(one.last + 1, other.first)
    gap = line.folded[line.stops[one.last] : line.starts[min(other.first, other.begin)]]
    if other.first <= one.last:
        return True
    if any(mark in gap for mark in ".;:()") or len(words) > 1 or any(line.norm(word) not in _AND for word in words):
        return False
    attached_and = other.prefix.startswith(("ו", "و"))
    return bool(words) or attached_and or any(mark in gap for mark in ",/+&")


# ------------------------------------------------------------------ matching


def _match(line: Line, pattern: _Pattern, first: Group, last: Group) -> tuple[int, int] | None:
    """The words from first to last that the pattern covers, the name included."""
    if not _attached_right(first.prefix, pattern.particles):
        return None
    start = _leftwards(line, pattern.left, first.first - 1)
    end = _rightwards(line, pattern.right, last.last + 1)
    return None if start is None or end is None else (start, end)


def _attached_right(prefix: str, wanted: tuple[str, ...]) -> bool:
    """Whether what is attached to the name is what the pattern asks for: no preposition, or this one."""
    bare = prefix[:-1] if prefix.endswith("ה") else prefix.removesuffix("ال")
    if prefix.endswith("لل"):
        bare = prefix[:-1]
    if wanted:
        return bare.endswith(wanted)
    return not bare.endswith(("ב", "ל", "מ", "כ", "ب", "ل", "ك"))


def _leftwards(line: Line, parts: Sequence[_Part], index: int) -> int | None:
    """The first word that the parts cover, ``index`` being the one they begin behind."""
    for place, part in enumerate(parts):
        if isinstance(part, _Gap):
            rest = parts[place + 1 :]
            tries = (
                _leftwards(line, rest, index - skipped)
                for skipped in range(GAP + 1)
                if _runs(line, index - skipped, index + 1)
            )
            return next((found for found in tries if found is not None), None)
        if index < 0 or line.ends(index) or not isinstance(part, frozenset) or not is_in(line.norm(index), part):
            return None
        index -= 1
    return index + 1


def _rightwards(line: Line, parts: Sequence[_Part], index: int) -> int | None:
    """The last word that the parts cover, ``index`` being the one they begin at."""
    for place, part in enumerate(parts):
        if isinstance(part, _Gap):
            rest = parts[place + 1 :]
            tries = (
                _rightwards(line, rest, index + skipped)
                for skipped in range(GAP + 1)
                if _runs(line, index - 1, index + skipped - 1)
            )
            return next((found for found in tries if found is not None), None)
        if isinstance(part, _End):
            return index - 1 if (":" in line.between(index - 1) if part.colon else line.ends(index - 1)) else None
        if index >= len(line) or line.ends(index - 1) or not is_in(line.norm(index), part):
            return None
        index += 1
    return index - 1


def _runs(line: Line, start: int, end: int) -> bool:
    """Whether no sentence ends from this word to before that one, and both are in the line."""
    return start >= -1 and end < len(line) and not any(line.ends(place) for place in range(max(start, 0), end))


# ------------------------------------------------------------------ making


def _patterns(name: str, told: OriginPattern) -> Iterator[_Pattern]:
    for text in (*told.en, *told.he, *told.ar):
        before, _, behind = text.partition("@")
        *left, particles = before.split(" ")
        yield _Pattern(
            name,
            told.relation,
            tuple(map(_part, reversed([word for word in left if word]))),
            tuple(fold(each) for each in particles.split("|") if each),
            tuple(map(_part, behind.split())),
        )


def _part(word: str) -> _Part:
    if word == "…":
        return _Gap()
    if word in (".", ":"):
        return _End(colon=word == ":")
    return words_of(word.split("|"))
