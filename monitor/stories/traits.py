"""What is alike in the tellings of one event in different languages: concepts, numbers, names by their consonants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from monitor.language.forms import BARE, STRICT, readings
from monitor.language.tokens import Words
from monitor.stories.figures import figures
from monitor.stories.gist import Gist
from monitor.stories.numberwords import meaning
from monitor.stories.units import cut

_REMEMBERED = 32768
SURE_NAME = 4
_YEARS = range(1900, 2101)
_CAPITALISED = re.compile(r"\b[A-Z][^\W_]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """``numbers``: exact ones, number words included; never 1, and no years. ``names``: the consonants (`skeleton`) of
    words that may be names and are in no lexicon, with the word."""

    concepts: frozenset[str]
    numbers: frozenset[str]
    names: dict[str, str]
    bones: frozenset[str]
    """The names' consonants."""
    sure: frozenset[str]
    """Those of four and more: what names need between Hebrew and Arabic, which share roots of three and have no
    capitals."""


def traits(gist: Gist) -> Traits:
    """Of headline and beginning of the lead, as the gist."""
    parts = gist.parts
    unknown = frozenset(word for term, word in gist.words.items() if term[0] != "@")
    names = {bones: norm for part in parts for bones, norm in _names(part, unknown)}
    bones = frozenset(names)
    return Traits(
        concepts=gist.concepts,
        numbers=frozenset(number for part in parts for number in _numbers(part)),
        names=names,
        bones=bones,
        sure=frozenset(each for each in bones if len(each) >= SURE_NAME),
    )


def _numbers(words: Words) -> Iterator[str]:
    if not any(map(_counts, words.norms)):
        return
    for figure in figures(words.text, cut(words.text)):
        if figure.kind == "number" and not figure.weak and figure.key != "1" and not _is_year(figure.key):
            yield figure.key


def _is_year(key: str) -> bool:
    return key.isdecimal() and len(key) == 4 and int(key) in _YEARS


@lru_cache(maxsize=_REMEMBERED)
def _counts(norm: str) -> bool:
    if any(letter.isdigit() for letter in norm):
        return True
    told = meaning(norm)
    return told is not None and told.sort in ("number", "ten", "times")


# ------------------------------------------------------------------ names

_LATIN = (
    ("sch", "s"),
    ("tch", "s"),
    ("sh", "s"),
    ("ch", "s"),
    ("ts", "s"),
    ("tz", "s"),
    ("th", "t"),
    ("kh", ""),
    ("ph", "p"),
)
_CLASSES = {
    **dict.fromkeys("bv", "b"), **dict.fromkeys("pf", "p"), **dict.fromkeys("ckqgjx", "k"), **dict.fromkeys("sz", "s"),
    **dict.fromkeys("td", "t"), "l": "l", "m": "m", "n": "n", "r": "r",
    "ב": "b", "פ": "p", **dict.fromkeys("קכג", "k"), **dict.fromkeys("סשזצ", "s"), **dict.fromkeys("טתד", "t"),
    "ל": "l", "מ": "m", "נ": "n", "ר": "r",
    "ب": "b", "ف": "p", "پ": "p", **dict.fromkeys("قكجغگ", "k"), **dict.fromkeys("سشصزژ", "s"),
    **dict.fromkeys("طتثدذضظ", "t"), "ل": "l", "م": "m", "ن": "n", "ر": "r",
}  # fmt: skip
FEWEST_CONSONANTS = 3


@lru_cache(maxsize=_REMEMBERED)
def skeleton(name: str) -> str:
    """The consonant classes of a normalised word, the same for one name in three scripts (Witkoff, ויטקוף, ويتكوف);
    empty when fewer than three remain."""
    for letters, sound in _LATIN if name[0] < "\u0370" else ():
        name = name.replace(letters, sound)
    made = ""
    for letter in name:
        sound = _CLASSES.get(letter, "")
        if sound and not made.endswith(sound):
            made += sound
    return made if len(made) >= FEWEST_CONSONANTS else ""


def _names(words: Words, unknown: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Latin words that are capitalised; in Hebrew and Arabic, without capitals, every word that is a term."""
    for found in _CAPITALISED.findall(words.folded):
        norm = found.casefold()
        if norm in unknown and (bones := skeleton(norm)):
            yield bones, norm
    for norm in words.norms:
        if norm >= "\u0370" and norm in unknown:
            yield from ((bones, key) for key in _read(norm) if (bones := skeleton(key)))


@lru_cache(maxsize=_REMEMBERED)
def _read(norm: str) -> tuple[str, ...]:
    if meaning(norm) is not None:
        return ()
    return tuple(dict.fromkeys(key for key, how in zip(*readings(norm), strict=True) if how in (BARE, STRICT)))
