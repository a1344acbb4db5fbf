"""Names of sources in a line of text: agencies, outlets and official bodies, with everything attached in front.

Every name is looked for by the one of its words that is rarest: most lines hold none of these words, and are not looked
at further.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from config.model.origins import OriginName, OriginTables, OriginWords, WordsName
from monitor.language.forms import ARABIC_PREFIXES, HEBREW_PREFIXES
from monitor.language.normalise import fold
from monitor.stories.lines import REMEMBERED, WORD, Line, attached, is_in, norm_of

SourceKind = Literal["agency", "outlet", "body"]

_CLOSE = frozenset(" \"'")
_DATES = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december",
})  # fmt: skip
"""Capitalised without being a name."""
_FURTHEST = 5
"""Describing words on one side of a name, at most."""


class Source(NamedTuple):
    """Whose reporting something may be."""

    id: str
    """``reuters``, ``axios``, ``statement:idf``."""
    kind: SourceKind


class Group(NamedTuple):
    """A source named in a line: words ``first`` to ``last`` with what describes it, ``begin`` to ``end`` without."""

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
    """As written: its first capital is demanded (but for "The"), and those of an acronym; empty where there is none."""
    source: Source | None
    """``None``: something else, which only looks like a source."""
    beside: frozenset[str] | None
    """Words of which one must stand beside it; ``None``: needs none."""
    key: int = 0
    """Which of its words it is looked for by: the one that fewest names have."""


Hints = dict[str, tuple[_Form, ...]]
"""Words as written, and the names that are looked for by them."""


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Single words as they are compared."""
    return frozenset(norm for text in texts for norm in Line(fold(text)).norms())


def table_words(tables: OriginTables, name: WordsName) -> frozenset[str]:
    """The words of ``[words.NAME]`` as they are compared."""
    told = tables.words.get(name, OriginWords())
    return words_of((*told.en, *told.he, *told.ar))


@dataclass(frozen=True, slots=True)
class Names:
    """The names in force, by one word of each."""

    by_word: Mapping[str, tuple[_Form, ...]]
    sources: Mapping[str, Source]
    """Ids of outlets of ours → the sources they are."""
    before: frozenset[str]
    """Words that may describe a name in front of it."""
    behind: frozenset[str]
    """And behind it."""
    _known: Hints = field(default_factory=dict)
    """What was worked out before: a word as written → names that are looked for by it."""

    @classmethod
    def of(cls, tables: OriginTables) -> Names:
        """Made once for a configuration."""
        forms: dict[tuple[tuple[str, ...], tuple[str, ...]], _Form] = {}
        sources: dict[str, Source] = {}
        for source, name in _sources(tables):
            sources |= dict.fromkeys((source.id.removeprefix("statement:"), *name.outlets), source)
            forms |= {(form.words, form.raws): form for form in _forms(source, name)}
        describing = table_words(tables, "describing")
        by_word: dict[str, tuple[_Form, ...]] = {}
        for form in _keyed(forms.values(), describing):
            word = form.words[form.key]
            by_word[word] = (*by_word.get(word, ()), form)
        return cls(by_word, sources, describing, describing - table_words(tables, "officials"))

    def of_outlet(self, outlet: str) -> Source:
        """The source that an outlet of ours is; one that no table names is its own."""
        return self.sources.get(outlet) or Source(outlet, "outlet")

    def hints(self, folded: str) -> Hints:
        """The words of a text, as written, by which names may be found in it."""
        known = self._known
        found: Hints = {}
        for raw in set(WORD.findall(folded)):
            forms = known.get(raw)
            if forms is None:
                forms = self._looked_for(raw)
            if forms:
                found[raw] = forms
        return found

    def groups(self, line: Line, hints: Hints) -> list[Group]:
        """The names in a line, in order; of names that overlap, the first, and of those the longest. ``hints`` are
        those of the text that it is a line of."""
        found: list[Group] = []
        free = 0
        for start, prefix, form in sorted(_stand(line, hints), key=lambda each: (each[0], -len(each[2].words))):
            if start < free:
                continue
            free = start + len(form.words)
            group = self._group(line, start, prefix, form)
            if group and not _is_compound(line, group):
                found.append(group)
        return found

    def _looked_for(self, raw: str) -> tuple[_Form, ...]:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        ways = attached(norm_of(raw))
        found = tuple(form for _, rest in ways for form in self.by_word.get(rest, ()) if _shaped(raw, form, form.key))
        self._known[raw] = found
        return found

    def _group(self, line: Line, begin: int, prefix: str, form: _Form) -> Group | None:
        if form.source is None:
            return None
        end = begin + len(form.words) - 1
        first, prefix = self._reach_back(line, begin, prefix)
        last = end
        while last - end < _FURTHEST and self._describes(line, last + 1) and _is_near(line.between(last)):
            last += 1
        vouched = form.beside is None or _vouched(line, begin, end, form.beside)
        return Group(form.source, begin, end, first, last, prefix, vouched)

    def _reach_back(self, line: Line, begin: int, prefix: str) -> tuple[int, str]:
        """Over describing words in front, and over particles that stand apart (``ל-CNN``)."""
        first = begin
        while prefix in ("", "ה", "ال") and first and begin - first < _FURTHEST and _is_near(line.between(first - 1)):
            norm = line.norm(first - 1)
            if norm in HEBREW_PREFIXES or norm in ARABIC_PREFIXES:
                return first - 1, norm
            way = next(((part, rest) for part, rest in attached(norm) if rest in self.before), None)
            if way is None:
                break
            first, prefix = first - 1, way[0]
        return first, prefix

    def _describes(self, line: Line, index: int) -> bool:
        return index < len(line) and is_in(line.norm(index), self.behind)


# ------------------------------------------------------------------ reading


def _stand(line: Line, hints: Hints) -> Iterator[tuple[int, str, _Form]]:
    """Names that stand in a line: from which word, and with which particles before them."""
    for index, raw in enumerate(line.raws):
        for form in hints.get(raw, ()):
            start = index - form.key
            prefix = _stands(line, start, form)
            if prefix is not None:
                yield start, prefix, form


def _shaped(raw: str, form: _Form, index: int) -> bool:
    """Whether a word has the capitals that the name demands."""
    if not form.raws:
        return True
    wanted = form.raws[index]
    if len(wanted) > 1 and wanted.isupper():
        return raw.removesuffix("'s").isupper()
    first = next((place for place, each in enumerate(form.raws) if each[0].isupper() and each != "The"), None)
    return index != first or raw[0].isupper()


def _stands(line: Line, start: int, form: _Form) -> str | None:
    """The particles before a name that stands from this word; ``None`` where it does not stand."""
    if start < 0 or start + len(form.words) > len(line):
        return None
    for place in range(1, len(form.words)):
        index = start + place
        if not is_in(line.norm(index), (form.words[place],)) or not _shaped(line.raws[index], form, place):
            return None
        if line.ends(index - 1) or "," in line.between(index - 1):
            return None
    if not _shaped(line.raws[start], form, 0):
        return None
    return next((prefix for prefix, rest in attached(line.norm(start)) if rest == form.words[0]), None)


def _is_compound(line: Line, group: Group) -> bool:
    """A part of a longer word: ``pro-Hamas``, ``White House-brokered``."""
    begin, end = group.begin, group.end
    if end + 1 < len(line) and line.between(end) == "-" and _is_latin(line, end + 1):
        return True
    return begin > 0 and line.between(begin - 1) == "-" and _is_latin(line, begin - 1)


def _vouched(line: Line, begin: int, end: int, beside: frozenset[str]) -> bool:
    """Whether quotation marks or a word beside it say that this is the name."""
    if _quoted(line, begin, end):
        return True
    after = end + 1
    capital = after < len(line) and line.between(end) == " " and line.raws[after][0].isupper()
    if capital and _is_latin(line, end) and line.norm(after) not in beside | _DATES:
        return False
    return any(0 <= index < len(line) and is_in(line.norm(index), beside) for index in (begin - 1, after))


def _is_latin(line: Line, index: int) -> bool:
    return line.raws[index][0] < "\u0370"


def _quoted(line: Line, begin: int, end: int) -> bool:
    norm, start = line.norm(begin), line.starts[begin]
    inside = any(prefix and norm[len(prefix)] in "\"'" for prefix, _ in attached(norm))
    opened = inside or line.folded[max(0, start - 1) : start] in ('"', "'")
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
        line = Line(fold(text))
        if not len(line):
            continue
        raws = tuple(line.raws)
        cased = any(raw[0].isupper() for raw in raws)
        yield _Form(tuple(line.norms()), raws if cased else (), owner, needed)


def _keyed(forms: Collection[_Form], common: Collection[str]) -> Iterator[_Form]:
    """The forms with their keys: no number, no short word or one in small letters, none that describes, and one that
    few have."""
    counts = Counter(word for form in forms for word in form.words)
    for form in forms:
        raws = form.raws or form.words
        small = [raw[0].isdigit() or (raw.islower() if form.raws else len(raw) < 4) for raw in raws]
        rare = [
            (small[place], word in common, counts[word], -len(word), place) for place, word in enumerate(form.words)
        ]
        yield form._replace(key=min(rare)[-1])
