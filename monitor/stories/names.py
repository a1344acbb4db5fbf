"""Names in a sentence: the lexicon's, and in Latin letters the words that only a name is capitalised for.

Hebrew and Arabic have no capitals: there, only names of the lexicon are known.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import regex

from monitor.stories.figures import Figure
from monitor.stories.phrases import Said
from monitor.stories.spelling import is_slip
from monitor.stories.units import Unit

_BREAK = re.compile(r"""[.!?:;"“”„«»‘(\[\n–—•|…]""")
_CAPITAL = regex.compile(r"(?=\p{Latin})\p{Lu}")
_INSIDE = re.compile(r"(?<=[a-z,] )[A-Z][^\W_]+")
_TITLES = frozenset([
    "mr", "mrs", "ms", "dr", "prof", "gen", "col", "lt", "maj", "capt", "sen", "rep", "gov", "st", "president",
    "prime", "minister", "pm", "secretary", "general", "king", "queen", "emir", "sheikh", "foreign", "defence",
    "defense", "deputy", "vice", "i", "a", "an", "the", "my", "we", "he", "she", "it", "they", "ok",
])  # fmt: skip
"""Capitalised, and no part of a name that an edit could change."""
_ABBREVIATED = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "gen", "col", "lt", "maj", "capt", "sen", "rep", "gov", "st"]
)
_TELLING = frozenset([
    "says", "said", "tells", "told", "denies", "denied", "confirms", "confirmed", "rejects", "rejected", "urges",
    "urged", "warns", "warned", "vows", "vowed", "calls", "called", "meets", "met", "arrives", "arrived", "announces",
    "announced", "agrees", "agreed", "accepts", "accepted", "visits", "visited", "leaves", "left", "returns",
    "returned", "welcomes", "welcomed", "insists", "insisted", "hosts", "hosted", "signs", "signed",
])  # fmt: skip
_COMMON = frozenset([
    "official", "source", "report", "minister", "government", "group", "army", "military", "spokesman", "spokeswoman",
    "spokesperson", "envoy", "mediator", "team", "court", "police", "ministry", "he", "she", "it", "they", "we",
    "who", "one", "side", "statement", "delegation", "family", "office", "leader", "president", "negotiator",
    "diplomat", "mission", "neither", "nobody", "everyone", "that", "this", "which", "what", "both", "parliament",
    "cabinet", "movement", "agency", "broadcaster", "newspaper", "in", "on", "at", "to", "of", "after", "before",
    "for", "from", "with", "without", "as", "but", "and", "or", "if", "when", "while", "since", "until", "under",
    "over", "by", "near", "about", "no", "not", "new", "more", "most", "all", "some", "many", "several", "each",
    "every", "another", "other", "live", "breaking", "exclusive", "former", "senior", "top", "late", "meanwhile",
    "however", "separately", "earlier", "later", "despite", "following", "according", "during", "between", "among",
    "inside", "outside", "only", "even", "still", "also", "then", "there", "here", "now", "today", "yesterday",
    "tomorrow", "so", "such", "its", "his", "her", "their", "our", "these", "those", "where", "why", "how", "because",
    "although", "though", "once", "per", "via", "against", "across", "through", "around", "like", "unlike", "head",
    "chief", "state", "national", "local", "regional",
])  # fmt: skip


_ADJECTIVES = frozenset(["n", "s", "i", "ian", "ians", "an", "ans", "is", "ish", "ese", "ns"])


class Name(NamedTuple):
    """Units ``first`` to before ``last`` name this: ``@concept``, or the words themselves."""

    key: str
    first: int
    last: int
    weak: bool = False
    """A form with another common meaning: it only keeps a name from being missed."""


class Known(Protocol):
    """Words that are capitalised inside an article's sentences."""

    @property
    def known(self) -> Collection[str]: ...


def names(
    text: str, units: Sequence[Unit], said: Sequence[Said], figures: Sequence[Figure], article: Known
) -> list[Name]:
    """The names in a sentence. What is capitalised inside the article's other sentences is only asked for where most
    words are capitalised anyway."""
    found = [Name(f"@{each.name}", each.first, each.last, each.weak) for each in said if each.subject == "name"]
    found += [Name(each.key, each.first, each.last) for each in figures if each.kind == "channel"]
    taken = {place for name in found for place in range(name.first, name.last)}
    taken |= {place for each in figures for place in range(each.first, each.last)}
    if not _CAPITAL.search(text):
        return found
    latin = _Latin(text, units, taken, article)
    lexicon = {name.first for name in found}
    for first, last in latin.runs():
        if last not in lexicon or latin.apart(last):  # a first name before a name of the lexicon
            found.append(Name(" ".join(unit.norm for unit in units[first:last]), first, last))
    return found


def inside(text: str) -> frozenset[str]:
    """Words that are capitalised although no sentence begins with them, in small letters."""
    return frozenset(found[0].casefold() for found in _INSIDE.finditer(text))


def is_same(one: str, other: str) -> bool:
    """Whether two keys are one name: with and without a first name, or one of them misspelt."""
    if one == other:
        return True
    if one.startswith("@") or other.startswith("@"):
        return False
    old, new = one.split(), other.split()
    if old[-1] == new[-1] and (set(old) <= set(new) or set(new) <= set(old)):
        return True
    if len(old) == len(new) == 1 and _adjective(*sorted((one, other), key=len)):
        return True
    return len(old) == len(new) and all(
        a == b or (min(len(a), len(b)) >= 6 and is_slip(a, b)) for a, b in zip(old, new, strict=True)
    )


def _adjective(short: str, long: str) -> bool:
    """Iran and Iranians."""
    return len(short) >= 4 and long.startswith(short) and long[len(short) :] in _ADJECTIVES


class _Latin:
    """The capitalised words of a sentence that are in no lexicon."""

    def __init__(self, text: str, units: Sequence[Unit], taken: Collection[int], article: Known) -> None:
        self.text = text
        self.units = units
        self.taken = taken
        self.article = article
        words = [index for index, unit in enumerate(units) if unit.norm[0].isalpha() and unit.norm < "\u0370"]
        long = [index for index in words[1:] if len(units[index].norm) >= 4]
        self.shouted = len(words) > 2 and text.isupper()
        self.headline = self.shouted or (len(long) >= 3 and sum(map(self._capital, long)) >= 0.7 * len(long))

    def runs(self) -> list[tuple[int, int]]:
        """Names of one or more words, from and to before."""
        found: list[tuple[int, int]] = []
        for index in range(len(self.units)):
            if not self._is_name(index):
                continue
            if found and found[-1][1] == index and not self.apart(index):
                found[-1] = (found[-1][0], index + 1)
            else:
                found.append((index, index + 1))
        return found

    def apart(self, index: int) -> bool:
        """More than a space or a dash before this unit."""
        return self.text[self.units[index - 1].end : self.units[index].start].strip(" -'’") != ""

    def _capital(self, index: int) -> bool:
        return self.text[self.units[index].start].isupper()

    def _is_name(self, index: int) -> bool:
        unit = self.units[index]
        if not self._capital(index) or index in self.taken or unit.norm in _TITLES or unit.norm >= "\u0370":
            return False
        if not self.shouted and len(unit.norm) >= 2 and self.text[unit.start : unit.start + len(unit.norm)].isupper():
            return True
        if self.headline:
            return unit.norm in self.article.known
        return not self._begins(index) or self._begins_with_name(index)

    def _begins(self, index: int) -> bool:
        """Whether a sentence, a quotation or a part behind a colon begins here, and would be capitalised anyway."""
        if index == 0:
            return True
        before = self.units[index - 1]
        gap = self.text[before.end : self.units[index].start]
        if gap.startswith(".") and (before.norm in _ABBREVIATED or len(before.norm) == 1):
            return False
        return _BREAK.search(gap) is not None or "'" in gap

    def _begins_with_name(self, index: int) -> bool:
        """A first word that another capitalised word follows, or a verb that people are the subject of."""
        norm = self.units[index].norm
        if index + 1 == len(self.units) or norm in _COMMON:
            return False
        after = self.units[index + 1]
        if self._capital(index + 1) and not self.apart(index + 1):
            return not norm.endswith("s") or index + 1 not in self.taken
        return after.norm in _TELLING and not norm.endswith("s")
