"""Whose reporting an article is, by what its text says: an agency's, another outlet's, an official statement's, or its
outlet's own.

*credit*: the text is the source's copy. *cite*: it repeats what the source reported. *statement*: it tells what an
official body said. ``docs/origins.md`` says how each is recognised, and what cannot be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from config.model.origins import OriginTables, Relation
from monitor.language.normalise import fold, offsets
from monitor.stories.attribution import Patterns, Said
from monitor.stories.credits import Credit, CreditWords, byline, closing, dateline, headline
from monitor.stories.lines import Line
from monitor.stories.sourcenames import Group, Names, Source, SourceKind, table_words

OPENING = 800
"""Letters of the body in which a text says whose reporting it is, about 130 words. What is named further on is often
told in passing."""
_OPENING_LINES = 3
"""Lines in which a dateline may stand: below a headline or a caption."""
_CLOSING_LINES = 3
_TAIL = 700
"""Letters at the end of a text in which its copy is signed."""
_SIGNED = 300
"""Letters that ``…`` stands for in a signature, at most: about forty words."""

Field = Literal["title", "lead", "body", "author", "credit", "publisher"]
_TEXTS: tuple[Field, ...] = ("title", "lead", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginText:
    """What is known of an article's text, plain, with lines as they were."""

    title: str
    lead: str = ""
    body: str = ""
    author: str = ""
    outlet: str
    """The id of the outlet it was read at."""
    publisher: str = ""
    """Who an aggregator says published it; empty: the outlet."""
    credits: tuple[str, ...] = ()
    """What the page's data names as its credit or source organisation, one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a text says it: offsets into the original text of the field, and the name of the pattern."""

    field: Field
    start: int
    end: int
    pattern: str
    part: int = 0
    """Which of the credits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A source, what the text says of it, and where."""

    id: str
    """``reuters``, ``axios``, ``statement:idf``; an outlet that no table names has its own id."""
    kind: SourceKind
    relation: Relation | Literal["own"]
    evidence: Evidence | None = None
    """``None``: nothing says otherwise than that it is the outlet's own."""
    aside: bool = False
    """Named further down than the opening: listed, not taken for the whole text's origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Whose reporting one article is. ``found`` holds each source and relation once, credits first, then in the order
    of reading."""

    own: Origin
    found: tuple[Origin, ...] = ()

    @property
    def whose(self) -> Origin:
        """The one that counts: a credit, else what the opening names first, else the outlet's own."""
        return next((origin for origin in self.found if not origin.aside), self.own)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that ``origins.toml`` says, made ready; made once for a configuration."""

    names: Names
    patterns: Patterns
    credits: CreditWords
    signs: tuple[tuple[str, re.Pattern[str], Source], ...]
    """How copy is signed: what it begins with, the whole, and whose it is."""
    via: frozenset[str]

    @classmethod
    def of(cls, tables: OriginTables) -> Sources:
        """Takes some milliseconds."""
        names = Names.of(tables)
        signs = tuple(
            (*_signature(phrase), names.sources[name])
            for name, told in (*tables.agencies.items(), *tables.outlets.items()) for phrase in told.signs
        )  # fmt: skip
        return cls(names, Patterns.of(tables), CreditWords.of(tables), signs, table_words(tables, "via"))


def origins(text: OriginText, sources: Sources) -> Origins:
    """Whose reporting an article is. Names of the article's own outlet are never another's."""
    own = _own(text, sources)
    kept: dict[tuple[str, str], Origin] = {}
    for origin in sorted(_found(text, sources), key=_rank):
        if origin.id != own.id:
            kept.setdefault((origin.id, origin.relation), origin)
    return Origins(own=own, found=tuple(kept.values()))


def _rank(origin: Origin) -> tuple[bool, bool, int, int]:
    assert origin.evidence
    field = origin.evidence.field
    place = _TEXTS.index(field) if field in _TEXTS else -1
    return origin.relation != "credit", origin.aside, place, origin.evidence.start


# ------------------------------------------------------------------ the article's own


def _own(text: OriginText, sources: Sources) -> Origin:
    """Its outlet, or whom the aggregator names as the publisher (``Reuters``, ``The Times of Israel on MSN``)."""
    if not text.publisher.strip():
        source = sources.names.of_outlet(text.outlet)
        return Origin(id=source.id, kind=source.kind, relation="own")
    line = Line(fold(text.publisher))
    groups = sources.names.groups(line, sources.names.hints(line.folded))
    named = next((group for group in groups if group.first == 0 and _is_whole(line, group, sources)), None)
    source = named.source if named else _unnamed(line, sources)
    evidence = Evidence(field="publisher", start=0, end=len(text.publisher), pattern="publisher")
    return Origin(id=source.id, kind=source.kind, relation="own", evidence=evidence)


def _is_whole(line: Line, group: Group, sources: Sources) -> bool:
    behind = group.last + 1
    return behind >= len(line) or line.norm(behind) in sources.via


def _unnamed(line: Line, sources: Sources) -> Source:
    """A publisher that no table names, under an id made of its words."""
    norms = list(line.norms())
    end = next((place for place, norm in enumerate(norms) if place and norm in sources.via), len(norms))
    return sources.names.of_outlet("-".join(norms[:end]) or "unknown")


# ------------------------------------------------------------------ what the text says


class _Place(NamedTuple):
    """A line of a field, and where it begins in it."""

    field: Field
    text: str
    start: int = 0
    part: int = 0


def _found(text: OriginText, sources: Sources) -> Iterator[Origin]:
    yield from _in_byline(_Place("author", text.author), sources)
    for part, credit in enumerate(text.credits):
        yield from _in_byline(_Place("credit", credit, part=part), sources)
    yield from _in_text("title", text.title, sources)
    yield from _in_text("lead", text.lead, sources)
    yield from _in_text("body", text.body, sources)


def _in_byline(place: _Place, sources: Sources) -> Iterator[Origin]:
    folded = fold(place.text)
    hints = sources.names.hints(folded)
    if hints:
        line = Line(folded)
        for found in byline(line, sources.names.groups(line, hints), sources.credits.photo):
            yield _credited(place, found)


def _in_text(field: Field, text: str, sources: Sources) -> Iterator[Origin]:
    folded = fold(text)
    if field != "title":
        yield from _signed(_Place(field, text), folded, sources)
    hints = sources.names.hints(folded)
    if not hints:
        return
    places = list(_places(field, text))
    full = [number for number, place in enumerate(places) if place.text.strip()]
    for number, (place, said) in enumerate(zip(places, folded.split("\n"), strict=True)):
        if any(hint in said for hint in hints):
            line = Line(said)
            yield from _in_line(place, line, sources.names.groups(line, hints), sources, _edges(number, full))


def _places(field: Field, text: str) -> Iterator[_Place]:
    start = 0
    for line in text.split("\n"):
        yield _Place(field, line, start)
        start += len(line) + 1


class _Edges(NamedTuple):
    """Whether a line stands at the beginning or the end of its text."""

    opens: bool
    closes: bool
    last: bool


def _edges(number: int, full: list[int]) -> _Edges:
    return _Edges(number in full[:_OPENING_LINES], number in full[-_CLOSING_LINES:], number == full[-1])


def _in_line(place: _Place, line: Line, groups: Sequence[Group], sources: Sources, edges: _Edges) -> Iterator[Origin]:
    for said in sources.patterns.said(line, groups):
        yield _origin(said.source, said.relation, place, said)
    if place.field == "title":
        for found in headline(line, groups, sources.credits):
            stated = found.group.source.kind == "body"
            yield _origin(found.group.source, "statement" if stated else "cite", place, found)
        return
    if edges.opens:
        yield from (_credited(place, found) for found in dateline(line, groups, sources.credits))
    if edges.closes:
        yield from (_credited(place, found) for found in closing(line, groups, sources.credits, last=edges.last))


def _signed(place: _Place, folded: str, sources: Sources) -> Iterator[Origin]:
    """Copy that ends as an agency's does, without naming it: ``Reporting by …; Editing by …``."""
    start = max(0, len(folded) - _TAIL)
    tail = folded[start:].casefold()
    for begin, sign, source in sources.signs:
        found = sign.search(tail) if begin in tail else None
        if found:
            yield _origin(
                source, "credit", place, Said(source, "credit", "signed", start + found.start(), start + found.end())
            )
            return


def _signature(phrase: str) -> tuple[str, re.Pattern[str]]:
    words = [fold(part).casefold().split() for part in phrase.split("…")]
    parts = (r"\s+".join(map(re.escape, part)) for part in words)
    return words[0][0], re.compile(rf"(?<!\w)(?:{rf'(?s:.{{1,{_SIGNED}}}?)'.join(parts)})(?!\w)")


def _credited(place: _Place, found: Credit) -> Origin:
    """An agency's name at a text's edge says that it is its copy; an outlet's, that it repeats its report."""
    source = found.group.source
    return _origin(source, "credit" if source.kind == "agency" else "cite", place, found)


def _origin(source: Source, relation: Relation, place: _Place, told: Said | Credit) -> Origin:
    back = offsets(place.text)
    start, end = place.start + back.starts[told.start], place.start + back.ends[told.end - 1]
    evidence = Evidence(field=place.field, start=start, end=end, pattern=told.pattern, part=place.part)
    aside = relation != "credit" and place.field == "body" and start > OPENING
    return Origin(id=source.id, kind=source.kind, relation=relation, evidence=evidence, aside=aside)
