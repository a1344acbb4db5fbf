"""Names of sources in a line of text: agencies, outlets and official bodies, with everything attached in front.

A text is first asked whether any of its words may begin a name at all: in most lines none does, and nothing more is
done with them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from config.model import OriginName, OriginTables, OriginWords, WordsName
from monitor.language.forms import ARABIC_PREFIXES, HEBREW_PREFIXES, is_arabic, is_hebrew
from monitor.language.normalise import fold

SourceKind = Literal["agency", "outlet", "body"]

_TOKEN = re.compile(r"""\w+(?:["']\w+)*""")
_BREAK = re.compile(r"""[!?؟۔…;]|\.(?=[\s"')\]]|$)""")
_CLOSE = frozenset(" \"'")
_DATES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep sept oct nov "
    "dec".split()
)
"""Capitalised without being a name."""
_REMEMBERED = 16384
_FURTHEST = 5
"""Describing words on one side of a name, at most."""


class Source(NamedTuple):
    """Whose reporting something may be."""

    id: str
    """``reuters``, ``axios``, ``statement:idf``."""
    kind: SourceKind


class Token(NamedTuple):
    """A word of a line; offsets into the folded line."""

    raw: str
    norm: str
    start: int
    end: int


class Line:
    """One line of a text, folded."""

    def __init__(self, folded: str) -> None:
        self.folded = folded

    @cached_property
    def tokens(self) -> list[Token]:
        return [Token(found[0], _norm(found[0]), found.start(), found.end()) for found in _TOKEN.finditer(self.folded)]

    def between(self, index: int) -> str:
        """What stands between this token and the next; behind the last, the rest of the line."""
        end = self.tokens[index + 1].start if index + 1 < len(self.tokens) else len(self.folded)
        return self.folded[self.tokens[index].end : end]

    def ends(self, index: int) -> bool:
        """Whether a sentence ends behind this token. A stop behind a single letter is an abbreviation's (U.S.)."""
        if index + 1 >= len(self.tokens):
            return True
        found = _BREAK.search(self.between(index))
        return found is not None and not (found[0] == "." and len(self.tokens[index].raw) == 1)


class Group(NamedTuple):
    """A source named in a line: tokens ``first`` to ``last`` with describing words, ``begin`` to ``end`` without."""

    source: Source
    begin: int
    end: int
    first: int
    last: int
    prefix: str
    """The particles attached in front of ``first``."""
    vouched: bool
    """Not a name with another meaning that nothing beside it speaks for."""


class _Form(NamedTuple):
    words: tuple[str, ...]
    raws: tuple[str, ...]
    """As written: the first capital is demanded (Foreign ministry), and those of an acronym; empty where there is none."""
    source: Source | None
    """``None``: something else, which only looks like a source."""
    beside: frozenset[str] | None
    """Words of which one must stand beside it; ``None``: needs none."""


@lru_cache(maxsize=_REMEMBERED)
def attached(norm: str) -> tuple[tuple[str, str], ...]:
    """Ways to read a word as attached particles and a rest; the first has none. ``للجزيرة`` has its article back."""
    prefixes, longest = _prefixes(norm)
    found = [("", norm)]
    for length in range(1, min(longest, len(norm) - 2) + 1):
        prefix = norm[:length]
        if prefix in prefixes:
            rest = norm[length:].lstrip("\"'")
            found.append((prefix, rest))
            if prefix.endswith("لل"):
                found.append((prefix, "ال" + rest))
    return tuple(found)


def _prefixes(norm: str) -> tuple[Collection[str], int]:
    if is_hebrew(norm):
        return HEBREW_PREFIXES, 6
    return (ARABIC_PREFIXES, 4) if is_arabic(norm) else ((), 0)


def is_in(norm: str, words: Collection[str]) -> bool:
    """Whether a word, or what remains of it without particles, is one of these."""
    return norm in words or (norm >= "\u0590" and any(rest in words for _, rest in attached(norm)))


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Single words as they are compared."""
    return frozenset(token.norm for text in texts for token in Line(fold(text)).tokens)


def table_words(tables: OriginTables, name: WordsName) -> frozenset[str]:
    """The words of ``[words.NAME]`` as they are compared."""
    told = tables.words.get(name, OriginWords())
    return words_of((*told.en, *told.he, *told.ar))


def _norm(raw: str) -> str:
    norm = raw.casefold()
    return norm[:-2] if norm.endswith("'s") and norm[0] < "\u0370" else norm


@dataclass(frozen=True, slots=True)
class Names:
    """The names in force, by the words they begin with."""

    by_word: Mapping[str, tuple[_Form, ...]]
    sources: Mapping[str, Source]
    """Ids of outlets of ours → the sources they are."""
    before: frozenset[str]
    """Words that may describe a name in front of it."""
    behind: frozenset[str]
    """And behind it."""
    _begun: dict[str, tuple[tuple[str, _Form], ...]] = field(default_factory=dict)
    """What was worked out before: a word as written → names that may begin with it, and the particles before them."""

    @classmethod
    def of(cls, tables: OriginTables) -> Names:
        """Made once for a configuration."""
        forms: dict[tuple[str, ...], dict[tuple[str, ...], _Form]] = {}
        sources: dict[str, Source] = {}
        for source, name in _sources(tables):
            for our in (source.id.removeprefix("statement:"), *name.outlets):
                sources[our] = source
            for form in _forms(source, name):
                forms.setdefault(form.words, {})[form.raws] = form
        by_word: dict[str, list[_Form]] = {}
        for same in forms.values():
            for form in same.values():
                by_word.setdefault(form.words[0], []).append(form)
        describing = table_words(tables, "describing")
        behind = describing - table_words(tables, "officials")
        return cls({word: tuple(found) for word, found in by_word.items()}, sources, describing, behind)

    def of_outlet(self, outlet: str) -> Source:
        """The source that an outlet of ours is; one that no table names is its own."""
        return self.sources.get(outlet) or Source(outlet, "outlet")

    def in_text(self, folded: str) -> bool:
        """Whether any word may begin a name."""
        begun = self._begun
        return any(begun[raw] if raw in begun else self._begin(raw) for raw in set(_TOKEN.findall(folded)))

    def groups(self, line: Line) -> list[Group]:
        """The names in a line, in order; of names that begin with the same word, the longest."""
        found: list[Group] = []
        index = 0
        while index < len(line.tokens):
            named = self._longest(line, index)
            if named is None:
                index += 1
                continue
            prefix, form = named
            end = index + len(form.words) - 1
            if form.source and not _is_compound(line, index, end):
                found.append(self._group(line, index, end, prefix, form, form.source))
            index = end + 1
        return found

    def _begin(self, raw: str) -> tuple[tuple[str, _Form], ...]:
        if len(self._begun) >= _REMEMBERED:
            self._begun.clear()
        begun = tuple(
            (prefix, form) for prefix, rest in attached(_norm(raw)) for form in self.by_word.get(rest, ())
            if _shaped(raw, form, 0)
        )  # fmt: skip
        self._begun[raw] = begun
        return begun

    def _longest(self, line: Line, index: int) -> tuple[str, _Form] | None:
        raw = line.tokens[index].raw
        begun = self._begun[raw] if raw in self._begun else self._begin(raw)
        best: tuple[str, _Form] | None = None
        for prefix, form in begun:
            longer = best is None or len(form.words) > len(best[1].words)
            if longer and (len(form.words) == 1 or _stands(line, index, form)):
                best = (prefix, form)
        return best

    def _group(self, line: Line, begin: int, end: int, prefix: str, form: _Form, source: Source) -> Group:
        first, prefix = self._reach_back(line, begin, prefix)
        last = end
        while last - end < _FURTHEST and self._describes(line, last + 1) and _is_near(line.between(last)):
            last += 1
        return Group(
            source, begin, end, first, last, prefix, form.beside is None or _vouched(line, begin, end, form.beside)
        )

    def _reach_back(self, line: Line, begin: int, prefix: str) -> tuple[int, str]:
        """Over describing words in front, and over particles that stand apart (``ל-CNN``)."""
        first = begin
        while prefix in ("", "ה", "ال") and first and begin - first < _FURTHEST and _is_near(line.between(first - 1)):
            norm = line.tokens[first - 1].norm
            if norm in HEBREW_PREFIXES or norm in ARABIC_PREFIXES:
                return first - 1, norm
            way = next(((part, rest) for part, rest in attached(norm) if rest in self.before), None)
            if way is None:
                break
            first, prefix = first - 1, way[0]
        return first, prefix

    def _describes(self, line: Line, index: int) -> bool:
        return index < len(line.tokens) and is_in(line.tokens[index].norm, self.behind)


# ------------------------------------------------------------------ reading


def _shaped(raw: str, form: _Form, index: int) -> bool:
    """Whether a word has the capitals that the name demands."""
    if not form.raws:
        return True
    wanted = form.raws[index]
    if len(wanted) > 1 and wanted.isupper():
        return raw.removesuffix("'s").isupper()
    if not wanted[0].isupper() or any(earlier[0].isupper() for earlier in form.raws[:index]):
        return True
    return raw[0].isupper()


def _stands(line: Line, index: int, form: _Form) -> bool:
    tokens = line.tokens[index + 1 : index + len(form.words)]
    if len(tokens) < len(form.words) - 1:
        return False
    for place, token in enumerate(tokens, 1):
        if not is_in(token.norm, (form.words[place],)) or not _shaped(token.raw, form, place):
            return False
        if line.ends(index + place - 1) or "," in line.between(index + place - 1):
            return False
    return True


def _is_compound(line: Line, begin: int, end: int) -> bool:
    """A part of a longer word: ``pro-Hamas``, ``White House-brokered``."""
    tokens = line.tokens
    if end + 1 < len(tokens) and line.between(end) == "-" and tokens[end + 1].raw[0] < "\u0370":
        return True
    return begin > 0 and line.between(begin - 1) == "-" and tokens[begin - 1].raw[0] < "\u0370"


def _vouched(line: Line, begin: int, end: int, beside: frozenset[str]) -> bool:
    """Whether quotation marks or a word beside it say that this is the name."""
    tokens = line.tokens
    if _quoted(line, begin, end):
        return True
    after = tokens[end + 1] if end + 1 < len(tokens) else None
    if after and after.raw[0].isupper() and line.between(end) == " " and tokens[end].raw[0] < "\u0370":
        if after.norm not in _DATES and after.norm not in beside:
            return False
    before = tokens[begin - 1] if begin else None
    return any(token is not None and is_in(token.norm, beside) for token in (before, after))


def _quoted(line: Line, begin: int, end: int) -> bool:
    token = line.tokens[begin]
    inside = any(prefix and token.norm[len(prefix)] in "\"'" for prefix, _ in attached(token.norm))
    opened = inside or line.folded[max(0, token.start - 1) : token.start] in ('"', "'")
    return opened and line.between(end)[:1] in ('"', "'")


def _is_near(gap: str) -> bool:
    """Only spaces, quotation marks and a dash between two words of one name."""
    return set(gap.replace("-", " ", 1)) <= _CLOSE


# ------------------------------------------------------------------ making


def _sources(tables: OriginTables) -> Iterator[tuple[Source, OriginName]]:
    for name, told in tables.agencies.items():
        yield Source(name, "agency"), told
    for name, told in tables.outlets.items():
        yield Source(name, "outlet"), told
    for name, told in tables.bodies.items():
        yield Source(f"statement:{name}", "body"), told


def _forms(source: Source, name: OriginName) -> Iterator[_Form]:
    beside = words_of(word for words in name.beside.values() for word in words)
    told: list[tuple[str, Source | None, frozenset[str] | None]] = [
        *((text, source, None) for text in (*name.en, *name.he, *name.ar)),
        *((text, source, beside) for texts in name.weak.values() for text in texts),
        *((text, None, None) for texts in name.unless.values() for text in texts),
    ]
    for text, owner, needed in told:
        tokens = Line(fold(text)).tokens
        if not tokens:
            continue
        raws = tuple(token.raw for token in tokens)
        cased = any(raw[0].isupper() for raw in raws)
        yield _Form(tuple(token.norm for token in tokens), raws if cased else (), owner, needed)
