"""One spelling for every way a word is written: the normaliser, and offsets back to the original.

Order matters: invisible letters go first (they keep marks from composing), then NFKC (presentation
forms, ligatures, full width, mathematical letters), then one table (niqqud, tashkeel, tatweel, quotation
marks, dashes, final letters, hamza and alef forms, digits), then case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import regex

_INVISIBLE = (
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A),
    0x061C, 0xFEFF, 0x00AD, 0x034F, 0x180E, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
)  # fmt: skip
# Arabic vowel signs written alone: NFKC would put a space before them and break the word.
_ISOLATED_MARKS = (*range(0xFE70, 0xFE80), *range(0xFC5E, 0xFC64))
_MARKS = (
    *(code for code in range(0x0591, 0x05C8) if code not in (0x05BE, 0x05C0, 0x05C3, 0x05C6)),
    *range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06EE), *range(0x08D3, 0x0900),
    0xFB1E, 0x0640, *range(0x0300, 0x0370),
)  # fmt: skip
_APOSTROPHES = "׳'‘’‚‛ʼ´`′＇"
_QUOTES = '״"“”„‟″«»＂'
_DASHES = "־‐‑‒–—−"

_BEFORE: dict[int, str | None] = dict.fromkeys((*_INVISIBLE, *_ISOLATED_MARKS))
# NFKC takes the spacing accent and the double prime apart, so they are mapped before it.
_BEFORE |= {ord("´"): "'", ord("″"): '"'}

_TABLE: dict[int, str | None] = {
    **dict.fromkeys((*_INVISIBLE, *_ISOLATED_MARKS, *_MARKS)),
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, _QUOTES), '"'),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **{ord(final): base for final, base in zip("ךםןףץ", "כמנפצ", strict=True)},
    **{ord(old): new for old, new in zip("أإآٱىیةؤئک", "ااااييهويك", strict=True)},
    **{ord(old): new for old, new in (("װ", "וו"), ("ױ", "וי"), ("ײ", "יי"))},
    **{0x0660 + digit: str(digit) for digit in range(10)},
    **{0x06F0 + digit: str(digit) for digit in range(10)},
}
# Letters whose case folding brings a combining mark, which would end the word there.
for _code in (0x0130, 0x01F0, 0x0390, 0x03B0, *range(0x1E96, 0x1E9A), *range(0x1F50, 0x1FFD)):
    if any(0x0300 <= ord(letter) < 0x0370 for letter in chr(_code).casefold()):
        _TABLE[_code] = unicodedata.normalize("NFD", chr(_code))[0]

# Marks that an invisible letter may have kept from composing, and selectors outside of the basic plane.
_RARE = re.compile("[\u0300-\u036f\u0653-\u0655\U000e0100-\U000e01ef]")
_LETTERS = {chr(code): new or "" for code, new in _TABLE.items() if code < 0x10000 and chr(code) not in "'\""}


def _ranges(letters: Iterable[str]) -> Iterator[str]:
    """A character class in runs: as single letters it would be searched one by one."""
    for _, run in groupby(enumerate(sorted(letters)), lambda pair: ord(pair[1]) - pair[0]):
        codes = [letter for _, letter in run]
        yield f"{re.escape(codes[0])}-{re.escape(codes[-1])}"


_CHANGED = re.compile(f"[{''.join(_ranges(_LETTERS))}]")
_EXPANDS = regex.compile("[װױײ]")
_GRAPHEME = regex.compile(r"\X")
_SOLID = "!-~א-ת־׳״ء-غف-ي،؛؟٠-٩“”„‘’«»–—"
"""Letters and signs that fold to one letter each and compose with none of each other."""
_WORD = re.compile(rf"((?:[{_SOLID}]+(?!\S)|\s+)+)|\S+")
"""Words that are solid, as many as follow each other, or another word. Nothing composes across a space."""


def fold(text: str) -> str:
    """The normalised text with its case kept: what tokens are cut from."""
    if text.isascii():
        return text.replace("`", "'")
    if not unicodedata.is_normalized("NFKC", text) or _RARE.search(text):
        text = unicodedata.normalize("NFKC", text.translate(_BEFORE))
    return _CHANGED.sub(_new, text)


def _new(found: re.Match[str]) -> str:
    return _LETTERS[found[0]]


def normalise(text: str) -> str:
    """The text as it is compared: two spellings of one word come out equal."""
    return fold(text).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """For each letter of `fold(text)`, where it begins and ends in the text (marks belong to their letter)."""

    starts: tuple[int, ...] | range
    ends: tuple[int, ...] | range


def offsets(text: str) -> Offsets:
    """The way back from `fold(text)` to ``text``."""
    folded = fold(text)
    if len(folded) == len(text) and not _EXPANDS.search(text) and unicodedata.is_normalized("NFKC", text):
        return Offsets(starts=range(len(text)), ends=range(1, len(text) + 1))
    starts: list[int] = []
    ends: list[int] = []
    pieces = []
    for word in _WORD.finditer(text):
        if word[1]:
            pieces.append(fold(word[0]))
            starts += range(word.start(), word.end())
            ends += range(word.start() + 1, word.end() + 1)
            continue
        for found in _GRAPHEME.finditer(word[0]):
            piece = fold(found[0])
            pieces.append(piece)
            starts += [word.start() + found.start()] * len(piece)
            ends += [word.start() + found.end()] * len(piece)
    if "".join(pieces) != folded:  # marks that compose across graphemes: keep the offsets monotone and in range
        starts = [min(index, len(text)) for index in range(len(folded))]
        ends = [min(index + 1, len(text)) for index in range(len(folded))]
    return Offsets(starts=tuple(starts), ends=tuple(ends))
