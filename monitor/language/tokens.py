"""Text into tokens: the words that keywords are compared with.

A token is letters and digits; an apostrophe or a quotation mark between letters stays inside it
(``ג'יהאד``, ``צה"ל``), also one that is written as two apostrophes (``צה''ל``). A Latin token loses its
possessive ending.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from monitor.language.normalise import fold, normalise, offsets

# A quotation mark joins only Hebrew and Arabic letters; between Latin ones it ends a quotation.
_TOKEN = re.compile(
    r"""[^\W_]+(?:'[^\W_]+|(?<=[\u05d0-\u05ea\u0620-\u064a\u066e-\u06d3])(?:"|'')(?=[\u05d0-\u05ea\u0620-\u064a\u066e-\u06d3])[^\W_]+)*"""
)
_CAPITALS = re.compile(r"([A-Z]{2,4})s?")
_TWO_CAPITALS = re.compile("[A-Z]{2}")
_POSSESSIVE = "'s", "'S"
# A full stop ends no sentence behind an initial (U.S.) or a title, nor before a small Latin letter.
_SENTENCE_END = re.compile(
    r"""(?:(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|Lt))(?<!\b(?:Mrs|Gen|Sen|Rep|Gov|Col|Maj))\.(?!\s+[a-z])|[!?؟۔…])"""
    r"""["')\]]*(?=\s)|\n"""
)
_PARAGRAPH_END = re.compile(r"\n\s*\n")


class Token(NamedTuple):
    """One word; ``start`` and ``end`` are offsets into the original text."""

    norm: str
    start: int
    end: int


class Words:
    """The tokens of one text; offsets, sentences and paragraphs are worked out when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = fold(text)
        raws = _TOKEN.findall(self.folded)
        if "'" in self.folded:
            raws = [raw[:-2] if raw.endswith(_POSSESSIVE) and raw[0] < "\u0370" else raw for raw in raws]
        self.norms: list[str] = _one_mark("\n".join(raws).casefold()).split("\n") if raws else []
        self.capitals: dict[int, str] = {}
        """Position → the capitals of a short acronym (US, IDF; "MPs" is MP), which is compared with its case."""
        if _TWO_CAPITALS.search(self.folded):
            for index, raw in enumerate(raws):
                if len(raw) <= 5 and (found := _CAPITALS.fullmatch(raw)):
                    self.capitals[index] = found[1]

    def __len__(self) -> int:
        return len(self.norms)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Start and end of each token in the folded text."""
        return [
            (found.start(), found.start() + len(_without_possessive(found[0])))
            for found in _TOKEN.finditer(self.folded)
        ]

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Start and end of each token in the original text."""
        back = offsets(self.text)
        return [(back.starts[start], back.ends[end - 1]) for start, end in self._places]

    @cached_property
    def sentences(self) -> list[int]:
        """The number of each token's sentence; a new line ends a sentence too."""
        return self._numbered(_SENTENCE_END)

    @cached_property
    def paragraphs(self) -> list[int]:
        """The number of each token's paragraph (paragraphs are separated by a blank line)."""
        return self._numbered(_PARAGRAPH_END)

    def _numbered(self, end: re.Pattern[str]) -> list[int]:
        ends = [found.end() for found in end.finditer(self.folded)]
        return [bisect_right(ends, start) for start, _ in self._places]


def _without_possessive(raw: str) -> str:
    if raw.endswith(_POSSESSIVE) and raw[0] < "\u0370":
        return raw[:-2]
    return raw


def _one_mark(norm: str) -> str:
    return norm.replace("''", '"')


def norms(text: str) -> list[str]:
    """`Words.norms` alone, in half the time."""
    folded = normalise(text)
    found: list[str] = _TOKEN.findall(folded)
    return [_one_mark(_without_possessive(word)) for word in found] if "'" in folded else found


def tokenise(text: str) -> tuple[Token, ...]:
    """The tokens of a text in order."""
    words = Words(text)
    return tuple(Token(norm, start, end) for norm, (start, end) in zip(words.norms, words.spans, strict=True))
