"""What an item is about, in terms that can be compared and counted.

A term is ``@concept`` where the lexicon knows the words, else a word without its endings and attached particles. It is
cut rather than parsed: two forms of one word must come out equal, and nobody reads the result (`Gist.words` is shown).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from config.model.lexicon import Concept
from monitor.language.forms import ARABIC_SHORT, HEBREW_SHORT, is_arabic, is_hebrew, readings
from monitor.language.tokens import Words
from monitor.model.texts import TextLanguage
from monitor.stories.stopwords import STOP
from monitor.watches.terms import Form, Slot, Terms

LEAD_WORDS = 40
"""Of the lead, the words that are read: what follows is background, alike in different events."""
_REMEMBERED = 65536
_AHEAD = 1024
_LEAD_LETTERS = LEAD_WORDS * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryItem:
    """An item as its story is looked for. ``published`` is when the event was told, ``seen`` when we learnt of it (the
    same where the date was assumed)."""

    id: str
    outlet: str
    language: TextLanguage
    title: str
    lead: str = ""
    published: datetime
    seen: datetime
    copy_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gist:
    """``title`` and ``lead``: terms in the order of the text, repeated as often as they stand there."""

    title: tuple[str, ...]
    lead: tuple[str, ...]
    words: Mapping[str, str]
    """Term → the word that it is of, normalised; of a concept of several words the first."""
    concepts: frozenset[str]
    parts: tuple[Words, Words]
    """Headline and beginning of the lead, in words."""


class _Named(NamedTuple):
    concept: str
    form: Form
    weak: bool


class _Known(NamedTuple):
    """A word: its term, and the forms of concepts that it may be, or begin."""

    term: str
    begun: tuple[_Named, ...]


class _Lexicon(dict[str, _Known]):
    """Words as they were met."""

    def __init__(self, by_key: Mapping[str, Sequence[_Named]]) -> None:
        self._by_key = by_key

    def __missing__(self, norm: str) -> _Known:
        if len(self) >= _REMEMBERED:
            self.clear()
        begun = dict.fromkeys(
            each
            for key, how in zip(*readings(norm), strict=True)
            for each in self._by_key.get(key, ())
            if each.form[0].takes(how)
        )
        known = _Known(stem(norm), tuple(begun))
        self[norm] = known
        return known


class Gists:
    """Reads items by the lexicon in force; made once for a configuration. Remembers the item it was last asked for, so
    that clusters and links share the work, and a thousand that were read ahead. `of` is not for several threads at
    once."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self._by_key: dict[str, list[_Named]] = {}
        self._by_capitals: dict[str, list[_Named]] = {}
        self._known = _Lexicon(self._by_key)
        self._last: tuple[StoryItem, Gist] | None = None
        self._ahead: OrderedDict[tuple[str, str], Gist] = OrderedDict()
        terms = Terms(concepts)
        for name in concepts:
            atom = terms.concept(name)
            sure = frozenset(atom.strong_forms)
            for form in dict.fromkeys(atom.all_forms):
                table = self._by_capitals if form[0].kind == "capital" else self._by_key
                for key in form[0].keys:
                    table.setdefault(key, []).append(_Named(name, form, form not in sure))

    def of(self, item: StoryItem) -> Gist:
        """What title and lead are about."""
        if self._last is None or self._last[0] is not item:
            self._last = item, self._ahead.pop((item.title, item.lead), None) or self.read(item.title, item.lead)
        return self._last[1]

    def read_ahead(self, texts: Iterable[tuple[str, str]]) -> None:
        """Headlines and leads of items that will be asked for soon; from any thread."""
        for title, lead in texts:
            self._ahead[title, lead] = self.read(title, lead)
            if len(self._ahead) > _AHEAD:
                self._ahead.popitem(last=False)

    def read(self, title: str, lead: str) -> Gist:
        """As `of`, of bare texts."""
        shown: dict[str, str] = {}
        parts = Words(title), Words(beginning(lead))
        known = [[*map(self._known.__getitem__, part.norms)] for part in parts]
        found = [self._concepts(part, words) for part, words in zip(parts, known, strict=True)]
        strong = {each.concept for hits in found for _, each in hits if not each.weak}
        terms = []
        for part, words, hits in zip(parts, known, found, strict=True):
            sure = [hit for hit in hits if not hit[1].weak or strong - {hit[1].concept}]
            terms.append(_terms(part.norms, [term for term, _ in words], sure, shown))
        concepts = frozenset(term[1:] for term in shown if term[0] == "@")
        return Gist(title=tuple(terms[0]), lead=tuple(terms[1]), words=shown, concepts=concepts, parts=parts)

    def _concepts(self, words: Words, known: Sequence[_Known]) -> list[tuple[int, _Named]]:
        """Concepts with the place of their first word."""
        found: list[tuple[int, _Named]] = []
        for index, (_, begun) in enumerate(known):
            if begun:
                found += [(index, each) for each in begun if len(each.form) == 1 or _follow(each.form, words, index)]
        for index, letters in words.capitals.items():
            acronyms = self._by_capitals.get(letters, ())
            found += [(index, each) for each in acronyms if len(each.form) == 1 or _follow(each.form, words, index)]
        return found


def beginning(lead: str) -> str:
    """The first words of a lead."""
    return " ".join(lead[:_LEAD_LETTERS].split(None, LEAD_WORDS)[:LEAD_WORDS])


def _follow(form: Form, words: Words, index: int) -> bool:
    if index + len(form) > len(words.norms):
        return False
    return all(_takes(slot, words, index + step) for step, slot in enumerate(form[1:], 1))


def _takes(slot: Slot, words: Words, index: int) -> bool:
    if slot.kind == "capital":
        return words.capitals.get(index) in slot.keys
    keys, ways = readings(words.norms[index])
    return any(key in slot.keys and slot.takes(how) for key, how in zip(keys, ways, strict=True))


def _terms(
    norms: Sequence[str], stems: Sequence[str], hits: Sequence[tuple[int, _Named]], shown: dict[str, str]
) -> list[str]:
    """Concepts where they stand, other words stemmed; function words are left out."""
    if not hits:
        for term, norm in zip(stems, norms, strict=True):
            shown.setdefault(term, norm)
        shown.pop("", None)
        return [term for term in stems if term]
    terms: list[str] = []
    at: dict[int, dict[str, None]] = {}
    for index, each in hits:
        at.setdefault(index, {})["@" + each.concept] = None
        for place in range(index + 1, index + len(each.form)):
            at.setdefault(place, {})
    for index, norm in enumerate(norms):
        if index in at:
            terms += at[index]
            shown |= dict.fromkeys(at[index], norm)
        elif term := stems[index]:
            terms.append(term)
            shown.setdefault(term, norm)
    return terms


# ------------------------------------------------------------------ words

_Endings = tuple[tuple[int, frozenset[str]], ...]


def _by_length(*endings: str) -> _Endings:
    """The longest first."""
    lengths = sorted({len(ending) for ending in endings}, reverse=True)
    return tuple((size, frozenset(each for each in endings if len(each) == size)) for size in lengths)


_ENGLISH_ENDINGS = _by_length(
    "ational", "iations", "iation", "iators", "iating", "ations", "ation", "ators", "ating", "iator", "iated",
    "iates", "ments", "ities", "ator", "ated", "ates", "iate", "ions", "ings", "ment", "ness", "ians", "ing", "ers",
    "ors", "ied", "ies", "ion", "ian", "ate", "ity", "ed", "er", "or", "es", "ly", "s", "e", "y",
)  # fmt: skip
_HEBREW_ENDINGS = _by_length("יהמ", "ימ", "ות", "יו", "יה", "ית", "ה")
_ARABIC_ENDINGS = _by_length("تهم", "تها", "ات", "ون", "ين", "ان", "ها", "هم", "يه", "ه")
_HEBREW_LAST, _ARABIC_LAST = _by_length("ת", "י", "ו"), _by_length("ي", "ا")
"""Endings that come off when four letters remain."""
_HEBREW_ATTACHED = tuple(sorted(HEBREW_SHORT, key=len, reverse=True))
_ARABIC_ATTACHED = tuple(sorted((*ARABIC_SHORT, "و"), key=len, reverse=True))


_FINAL = str.maketrans("כמנפצ", "ךםןףץ")


def written(norm: str) -> str:
    """A normalised word as people write it; Arabic stays folded."""
    return norm[:-1] + norm[-1].translate(_FINAL) if is_hebrew(norm) else norm


def stem(norm: str) -> str:
    """A normalised word without endings and attached particles; empty when it says nothing (one letter, a stop word
    with something attached). Particles come off until none is left, so that it does not matter how many there were:
    a first letter of the word itself may go with them, and then goes in every form."""
    if len(norm) < 2 or norm in STOP:
        return ""
    if norm[0] < "\u0370":
        return _without(norm, _ENGLISH_ENDINGS, least=4) if norm.isalpha() else norm
    if not (is_hebrew(norm) or is_arabic(norm)):
        return norm
    attached, endings, last = (
        (_HEBREW_ATTACHED, _HEBREW_ENDINGS, _HEBREW_LAST)
        if is_hebrew(norm)
        else (_ARABIC_ATTACHED, _ARABIC_ENDINGS, _ARABIC_LAST)
    )
    while rest := _unattached(norm, attached):
        norm = rest
        if norm in STOP:
            return ""
    bare = _without(norm, endings, least=3)
    return bare if bare != norm else _without(norm, last, least=4)


def _unattached(norm: str, attached: tuple[str, ...]) -> str:
    """What remains without the longest particle: three letters, or a stop word; empty when there is none."""
    for each in attached:
        if norm.startswith(each):
            rest = norm[len(each) :].lstrip("\"'")
            if len(rest) >= 3 or rest in STOP:
                return rest
    return ""


def _without(word: str, endings: _Endings, *, least: int) -> str:
    for size, of_size in endings:
        if len(word) - size >= least and word[-size:] in of_size:
            return word[:-size]
    return word
