"""What a text says by the words of `config.model.lexicon.Claims` and of the concepts that are names: hedges and so on.

Phrases are found in their forms by the rules of `monitor.language.forms`, with everything attached in front, so that
the lists stay short: ``מכחיש`` finds ``שמכחיש``, ``ينفي`` finds ``وينفي``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Literal, NamedTuple

from config.model.lexicon import Claims, ClaimWords, Concept
from monitor.language.forms import BARE, HEBREW_PREFIXES, LOOSE, STRICT, readings
from monitor.model.texts import TextLanguage
from monitor.stories.figures import Figure, figures
from monitor.stories.numberwords import is_weak, meaning
from monitor.stories.units import Unit, cut
from monitor.watches.terms import Form, How, Slot, Terms

GAP = 3
"""Words that ``…`` stands for, at most."""
_REMEMBERED = 16384
_STOP = re.compile("[.!?؟…;؛:]")
"""What no phrase reaches over."""
_CAPITALS = re.compile(r"[A-Z]{2,4}")
_LONGEST_CAPITALS = 4

Subject = Literal["hedge", "denial", "name"]


class Said(NamedTuple):
    """Units ``first`` to before ``last`` say this; ``name`` is the table's or the concept's."""

    subject: Subject
    name: str
    first: int
    last: int
    weak: bool = False
    """A form with another common meaning."""


class Stretch(NamedTuple):
    """Where a text hedges or denies, in letters, and by which table."""

    start: int
    end: int
    name: str


class _Phrase(NamedTuple):
    subject: Subject
    name: str
    parts: tuple[Form, ...]
    unless: bool = False
    before_number: bool = False
    weak: bool = False


class _Begun(NamedTuple):
    """Phrases that one word may begin: those of one word, or with anything behind it; others by what may be second."""

    any_second: tuple[_Phrase, ...]
    by_second: Mapping[str, tuple[_Phrase, ...]]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases in force, by the keywords and capitals that their first words may be, and letters that are attached
    to numbers."""

    by_key: Mapping[str, tuple[_Phrase, ...]] = field(repr=False)
    by_capitals: Mapping[str, tuple[_Phrase, ...]] = field(repr=False)
    attached: Mapping[str, str]
    _begun: dict[str, _Begun] = field(default_factory=dict, repr=False)
    """What was worked out before: a word and the phrases that may begin with it."""

    @classmethod
    def of(cls, claims: Claims, concepts: Mapping[str, Concept]) -> Phrases:
        """Made once for a configuration: it takes some ten milliseconds."""
        keys: dict[str, list[_Phrase]] = {}
        capitals: dict[str, list[_Phrase]] = {}
        attached: dict[str, str] = {}
        for phrase in (*_claims(claims), *_names(concepts)):
            first = phrase.parts[0][0]
            for key in first.keys:
                (capitals if first.kind == "capital" else keys).setdefault(key, []).append(phrase)
            if phrase.before_number and len(first.keys[0]) == 1:
                attached[first.keys[0]] = phrase.name
        return cls(
            {key: tuple(dict.fromkeys(found)) for key, found in keys.items()},
            {key: tuple(dict.fromkeys(found)) for key, found in capitals.items()},
            attached,
        )

    def said(self, text: str, units: Sequence[Unit], numbers: Sequence[Figure]) -> list[Said]:
        """Everything that ``units`` of ``text`` say, in order; ``numbers`` are their figures."""
        before = {figure.first for figure in numbers if figure.kind == "number"}
        dates = {place for figure in numbers if figure.kind == "date" for place in range(figure.first, figure.last)}
        hits: list[Said] = []
        spared: list[Said] = []
        for index, unit in enumerate(units):
            for phrase in self._beginning(text, units, index):
                end = _end(text, units, index, phrase.parts)
                if not end or (phrase.before_number and not _number_follows(units, end, before)):
                    continue
                if end > index + 1 and _STOP.search(text, unit.end, units[end - 1].start):
                    continue
                said = Said(phrase.subject, phrase.name, index, end, phrase.weak)
                (spared if phrase.unless else hits).append(said)
            if index in before and self.attached:
                hits += self._attached(units, index)
        hits = [hit for hit in hits if not any(_covers(each, hit) for each in spared)]
        return [hit for hit in _longest(hits) if not dates.issuperset(range(hit.first, hit.last))]

    def _beginning(self, text: str, units: Sequence[Unit], index: int) -> Sequence[_Phrase]:
        """Phrases whose first word stands here, and whose second may."""
        unit = units[index]
        begun = self._begun.get(unit.norm) or self._begun_by(unit.norm)
        phrases = begun.any_second
        if begun.by_second and index + 1 < len(units):
            more = [begun.by_second[key] for key in _told(units[index + 1].norm) if key in begun.by_second]
            phrases = tuple(dict.fromkeys(chain(phrases, *more))) if more else phrases
        if len(unit.norm) <= _LONGEST_CAPITALS and text[unit.start].isupper():
            phrases = (*phrases, *self.by_capitals.get(_capitals(text, unit), ()))
        return phrases

    def _begun_by(self, norm: str) -> _Begun:
        if len(self._begun) >= _REMEMBERED:
            self._begun.clear()
        any_second: dict[_Phrase, None] = {}
        by_second: dict[str, dict[_Phrase, None]] = {}
        for key, ways in _told(norm).items():
            for phrase in self.by_key.get(key, ()):
                first, *more = phrase.parts[0]
                if not any(map(first.takes, ways)):
                    continue
                if not more or more[0].kind != "word":
                    any_second[phrase] = None
                    continue
                for second in more[0].keys:
                    by_second.setdefault(second, {})[phrase] = None
        begun = _Begun(tuple(any_second), {key: tuple(phrases) for key, phrases in by_second.items()})
        self._begun[norm] = begun
        return begun

    def _attached(self, units: Sequence[Unit], index: int) -> Iterator[Said]:
        """A letter that belongs to the number: ``כ־20``, ``שכ־20``, ``כ20``, ``כשלושים``."""
        before = units[index - 1].norm if index else ""
        if before in HEBREW_PREFIXES and len(before) > 1 and before[-1] in self.attached:
            yield Said("hedge", self.attached[before[-1]], index - 1, index)
        rest = units[index].norm.removeprefix("ו")
        name = self.attached.get(rest[0])
        if (
            name
            and len(rest) > 1
            and (rest[1].isdigit() or (len(rest) > 3 and meaning(rest[1:]) and not is_weak(rest[1:])))
        ):
            yield Said("hedge", name, index, index + 1)


def hedged(text: str, language: TextLanguage, phrases: Phrases) -> tuple[Stretch, ...]:
    """Where a text hedges. A text in another language than ours hedges nowhere."""
    return _stretches("hedge", text, language, phrases)


def denied(text: str, language: TextLanguage, phrases: Phrases) -> tuple[Stretch, ...]:
    """Where a text tells of a denial. A text in another language than ours denies nowhere."""
    return _stretches("denial", text, language, phrases)


def _stretches(subject: Subject, text: str, language: TextLanguage, phrases: Phrases) -> tuple[Stretch, ...]:
    if language == "und":
        return ()
    units = cut(text)
    found = phrases.said(text, units, figures(text, units))
    return tuple(
        Stretch(units[said.first].start, units[said.last - 1].end, said.name)
        for said in found if said.subject == subject
    )  # fmt: skip


# ------------------------------------------------------------------ finding


def _end(text: str, units: Sequence[Unit], index: int, parts: tuple[Form, ...]) -> int:
    """Behind which unit a phrase ends whose first word is at ``index``; 0 when it does not stand there."""
    end = _run(text, units, index + 1, parts[0][1:]) if len(parts[0]) > 1 else index + 1
    for part in parts[1:]:
        if not end:
            return 0
        starts = range(end, min(end + GAP + 1, len(units)))
        end = next((found for start in starts if (found := _run(text, units, start, part))), 0)
    return end


def _run(text: str, units: Sequence[Unit], start: int, slots: Form) -> int:
    end = start + len(slots)
    if end > len(units):
        return 0
    for slot, unit in zip(slots, units[start:end], strict=True):
        if not _takes(slot, text, unit):
            return 0
    return end


def _takes(slot: Slot, text: str, unit: Unit) -> bool:
    if slot.kind == "capital":
        return _capitals(text, unit) in slot.keys
    told = _told(unit.norm)
    if slot.kind == "prefix":
        return any(key.startswith(slot.keys[0]) and slot.takes(how) for key, ways in told.items() for how in ways)
    return any(key in told and any(map(slot.takes, told[key])) for key in slot.keys)


@lru_cache(maxsize=_REMEMBERED)
def _told(norm: str) -> Mapping[str, tuple[int, ...]]:
    """The keywords that a word may be a form of, each with the ways it may be read so."""
    keys, ways = readings(norm)
    return {key: tuple(way for other, way in zip(keys, ways, strict=True) if other == key) for key in keys}


def _capitals(text: str, unit: Unit) -> str:
    found = _CAPITALS.match(text, unit.start, unit.end) if text[unit.start].isupper() else None
    return found[0] if found and len(found[0]) == len(unit.norm) else ""


def _number_follows(units: Sequence[Unit], index: int, numbers: set[int]) -> bool:
    """Directly, or behind one letter (``קרוב ל־20``)."""
    return index in numbers or (index < len(units) and len(units[index].norm) == 1 and index + 1 in numbers)


def _covers(spared: Said, hit: Said) -> bool:
    same = (spared.subject, spared.name) == (hit.subject, hit.name)
    return same and spared.first <= hit.first and hit.last <= spared.last


def _longest(hits: Iterable[Said]) -> list[Said]:
    """Of hits of one table that overlap, the longest."""
    kept: list[Said] = []
    for hit in sorted(hits, key=lambda hit: (hit.first - hit.last, hit.first, hit.weak)):
        if not any(hit[:2] == other[:2] and hit.first < other.last and other.first < hit.last for other in kept):
            kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.first, hit.last))


# ------------------------------------------------------------------ making


def _claims(claims: Claims) -> Iterator[_Phrase]:
    terms = Terms({})
    tables: tuple[tuple[Subject, Mapping[str, ClaimWords]], ...] = (
        ("hedge", claims.hedges),
        ("denial", claims.denials),
    )
    for subject, named in tables:
        for name, words in named.items():
            spared = [form for forms in words.unless.values() for form in forms]
            told = [*((form, False) for form in (*words.en, *words.he, *words.ar)), *((form, True) for form in spared)]
            for form, unless in told:
                if parts := _parts(form, terms):
                    yield _Phrase(subject, name, parts, unless, words.before_number and not unless)


def _parts(form: str, terms: Terms) -> tuple[Form, ...]:
    """A phrase as written, cut at its gaps; a word with alternatives is one slot that takes any of them."""
    how: How = "name" if form.startswith("=") else "word"
    parts: list[list[Slot]] = [[]]
    for word in form.removeprefix("=").split():
        if word == "…":
            parts.append([])
        else:
            parts[-1] += _slots(word, terms, how)
    alone = len(parts) == 1 and len(parts[0]) == 1
    mask = BARE | STRICT if alone and min(map(len, parts[0][0].keys)) < 3 else BARE | STRICT | LOOSE
    return tuple(
        tuple(slot._replace(mask=BARE if slot.kind == "prefix" else mask) for slot in part) for part in parts if part
    )


def _slots(word: str, terms: Terms, how: How) -> tuple[Slot, ...]:
    made = [
        atom.forms[0] for each in word.split("|")
        if (atom := terms.atom(each.rstrip("*"), how, prefix=each.endswith("*")))
    ]  # fmt: skip
    if len(made) < 2:
        return made[0] if made else ()
    return (made[0][0]._replace(keys=tuple(key for form in made for key in form[0].keys)),)


def _names(concepts: Mapping[str, Concept]) -> Iterator[_Phrase]:
    terms = Terms(concepts)
    for name, concept in concepts.items():
        if concept.kind == "name":
            atom = terms.concept(name)
            sure = set(atom.strong_forms)
            yield from (_Phrase("name", name, (form,), weak=form not in sure) for form in atom.all_forms)
