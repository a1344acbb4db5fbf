"""Whose reporting an article is, by what its text says: an agency's, another outlet's, an official statement's, or its
outlet's own.

*credit*: the text is the source's copy. *cite*: it repeats what the source reported. *statement*: it tells what an
official body said. ``docs/origins.md`` says how each is recognised, and what cannot be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from config.model import OriginTables, Relation
from monitor.language.normalise import fold, offsets
from monitor.stories.attribution import Patterns, Said, clusters
from monitor.stories.credits import Credited, CreditWords, byline, closing, dateline
from monitor.stories.sourcenames import Group, Line, Names, Source, SourceKind, table_words

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
    signs: tuple[tuple[re.Pattern[str], Source], ...]
    via: frozenset[str]

    @classmethod
    def of(cls, tables: OriginTables) -> Sources:
        """Takes some milliseconds."""
        names = Names.of(tables)
        signs = tuple(
            (_signature(phrase), names.sources[name])
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
    groups = sources.names.groups(line)
    named = next((group for group in groups if group.first == 0 and _is_whole(line, group, sources)), None)
    source = named.source if named else _unnamed(line, sources)
    evidence = Evidence(field="publisher", start=0, end=len(text.publisher), pattern="publisher")
    return Origin(id=source.id, kind=source.kind, relation="own", evidence=evidence)


def _is_whole(line: Line, group: Group, sources: Sources) -> bool:
    behind = group.last + 1
    return behind >= len(line.tokens) or line.tokens[behind].norm in sources.via


def _unnamed(line: Line, sources: Sources) -> Source:
    """A publisher that no table names, under an id made of its words."""
    norms = [token.norm for token in line.tokens]
    end = next((place for place, norm in enumerate(norms) if place and norm in sources.via), len(norms))
    return sources.names.of_outlet("-".join(norms[:end]) or "unknown")


# ------------------------------------------------------------------ what the text says


class _Place(NamedTuple):
    """A line of a field: its number, where it begins in the field, and its text."""

    number: int
    start: int
    text: str


def _found(text: OriginText, sources: Sources) -> Iterator[Origin]:
    for part, credit in enumerate((text.author, *text.credits)):
        field: Field = "credit" if part else "author"
        for found in _in_byline(credit, sources):
            yield _origin(
                found.group.source, _copied(found.group), field, _Place(0, 0, credit), found, max(0, part - 1)
            )
    yield from _in_text("title", text.title, sources)
    yield from _in_text("lead", text.lead, sources)
    yield from _in_text("body", text.body, sources)


def _in_byline(text: str, sources: Sources) -> Iterator[Credited]:
    folded = fold(text)
    if folded and sources.names.in_text(folded):
        line = Line(folded)
        yield from byline(line, sources.names.groups(line), sources.credits.photo)


def _in_text(field: Field, text: str, sources: Sources) -> Iterator[Origin]:
    folded = fold(text)
    yield from _signed(field, text, folded, sources)
    if not sources.names.in_text(folded):
        return
    places = list(_places(text))
    full = [place.number for place in places if place.text.strip()]
    for place, said in zip(places, folded.split("\n"), strict=True):
        if not sources.names.in_text(said):
            continue
        line = Line(said)
        groups = sources.names.groups(line)
        for told in sources.patterns.said(line, groups):
            yield _origin(told.source, told.relation, field, place, told)
        if field == "title":
            for found in _headline(line, groups, sources):
                relation: Relation = "statement" if found.group.source.kind == "body" else "cite"
                yield _origin(found.group.source, relation, field, place, found)
            continue
        for found in _credited(line, groups, sources, full, place.number):
            yield _origin(found.group.source, _copied(found.group), field, place, found)


def _places(text: str) -> Iterator[_Place]:
    start = 0
    for number, line in enumerate(text.split("\n")):
        yield _Place(number, start, line)
        start += len(line) + 1


def _credited(line: Line, groups: list[Group], sources: Sources, full: list[int], number: int) -> Iterator[Credited]:
    if number in full[:_OPENING_LINES]:
        yield from dateline(line, groups, sources.credits)
    if number in full[-_CLOSING_LINES:]:
        yield from closing(line, groups, sources.credits, last=number == full[-1])


def _headline(line: Line, groups: list[Group], sources: Sources) -> Iterator[Credited]:
    """``Reuters: …`` and ``… - Axios``, ``…: AP``."""
    for joined in clusters(line, groups):
        first, last = joined[0], joined[-1]
        behind = line.between(last.last)
        before = line.between(first.first - 1) if first.first else ""
        begins = first.first == 0 and ":" in behind and first.vouched
        ends = last.last == len(line.tokens) - 1 and re.search(r"\s-\s|:", before) is not None
        pictured = first.first > 0 and line.tokens[first.first - 1].norm in sources.credits.photo
        if (begins or ends) and not pictured:
            for group in joined if begins else filter(lambda each: each.vouched or _is_latin(line, each), joined):
                yield Credited(group, "headline", line.tokens[first.first].start, line.tokens[last.last].end)


def _is_latin(line: Line, group: Group) -> bool:
    """Written with the capitals its name demands, which is enough behind a headline's mark."""
    return line.tokens[group.begin].raw[0] < "\u0370"


def _copied(group: Group) -> Relation:
    """An agency's name at a text's beginning or end says that it is its copy; an outlet's, that it tells its report."""
    return "credit" if group.source.kind == "agency" else "cite"


def _signed(field: Field, text: str, folded: str, sources: Sources) -> Iterator[Origin]:
    """Copy that ends as an agency's does, without naming it: ``Reporting by …; Editing by …``."""
    if field == "title" or len(folded) < 2:
        return
    tail = max(0, len(folded) - _TAIL)
    for sign, source in sources.signs:
        found = sign.search(folded.casefold() if len(folded) < _TAIL else folded[tail:].casefold())
        if found:
            yield _origin(
                source,
                "credit",
                field,
                _Place(0, 0, text),
                Said(source, "credit", "signed", tail + found.start(), tail + found.end()),
            )
            return


def _signature(phrase: str) -> re.Pattern[str]:
    parts = (r"\s+".join(map(re.escape, fold(part).casefold().split())) for part in phrase.split("…"))
    return re.compile(rf"(?<!\w)(?:{rf'(?s:.{{1,{_SIGNED}}}?)'.join(parts)})(?!\w)")


def _origin(
    source: Source, relation: Relation, field: Field, place: _Place, told: Said | Credited, part: int = 0
) -> Origin:
    back = offsets(place.text)
    start, end = place.start + back.starts[told.start], place.start + back.ends[told.end - 1]
    evidence = Evidence(field=field, start=start, end=end, pattern=told.pattern, part=part)
    aside = relation != "credit" and field == "body" and start > OPENING
    return Origin(id=source.id, kind=source.kind, relation=relation, evidence=evidence, aside=aside)
