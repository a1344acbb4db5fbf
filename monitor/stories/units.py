"""Text into units: what two texts of an article are compared by.

A unit is a token of `monitor.language.tokens`, a number with its separators (``1,500``, ``10:30``, ``24/11/2026``), or
a sign that belongs to a number (``%``, ``₪``). Only what stands between units may be ignored when texts are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import regex

from monitor.language.tokens import Words

_DIGITS = re.compile(r"\d")
_SIGN = re.compile("[%٪‰$€£¥₪﷼]")
_JOINS = frozenset(".,٫٬:/")
_POSSESSIVE = re.compile(r"['’‘ʼ´`＇][sS](?![^\W_])")
_DASHES = frozenset("-‐‑–")


class Unit(NamedTuple):
    """``norm`` is compared, ``text[start:end]`` is what was written, a possessive ending included."""

    norm: str
    start: int
    end: int


def cut(text: str) -> list[Unit]:
    """The units of a text in order; they do not overlap."""
    words = Words(text)
    if not words.norms:
        return list(_signs(text, 0, len(text))) if _SIGN.search(text) else []
    units = [Unit(norm, start, end) for norm, (start, end) in zip(words.norms, words.spans, strict=True)]
    if _POSSESSIVE.search(text):
        units = [unit._replace(end=_owned(text, unit.end)) for unit in units]
    if not text.isascii():
        units = _monotone(units, len(text))
    if _DIGITS.search(words.folded):
        units = _dates(text, _numbers(text, units))
    return _with_signs(text, units) if _SIGN.search(text) else units


def _owned(text: str, end: int) -> int:
    found = _POSSESSIVE.match(text, end)
    return found.end() if found else end


def _monotone(units: list[Unit], length: int) -> list[Unit]:
    """Letters that decompose to several words (``㏂``) give these one place, which becomes one unit; in a text of such
    letters places may be guessed, and lie behind its end."""
    kept: list[Unit] = []
    for unit in units:
        if kept and (unit.start < kept[-1].end or unit.start >= length):
            last = kept[-1]
            kept[-1] = Unit(last.norm + unit.norm, last.start, max(last.end, unit.end))
        elif unit.start < unit.end:
            kept.append(unit)
    return kept


def _numbers(text: str, units: list[Unit]) -> list[Unit]:
    """Digits that one separator keeps apart are one number."""
    joined: list[Unit] = []
    for unit in units:
        last = joined[-1] if joined else None
        if last and unit.start - last.end == 1 and text[last.end] in _JOINS and _meet(last.norm, unit.norm):
            joined[-1] = Unit(f"{last.norm}{_plain(text[last.end])}{unit.norm}", last.start, unit.end)
        else:
            joined.append(unit)
    return joined


def _meet(before: str, after: str) -> bool:
    return before[-1].isdigit() and after[0].isdigit()


def _plain(separator: str) -> str:
    return {"٫": ".", "٬": ","}.get(separator, separator)


def _dates(text: str, units: list[Unit]) -> list[Unit]:
    """``2026-11-24`` and ``24-11-2026`` are one."""
    joined: list[Unit] = []
    index = 0
    while index < len(units):
        three = units[index : index + 3]
        if len(three) == 3 and _is_date(text, three):
            joined.append(Unit("-".join(unit.norm for unit in three), three[0].start, three[2].end))
            index += 3
        else:
            joined.append(units[index])
            index += 1
    return joined


def _is_date(text: str, three: list[Unit]) -> bool:
    if not all(unit.norm.isdecimal() for unit in three) or 4 not in (len(three[0].norm), len(three[2].norm)):
        return False
    return all(text[a.end : b.start] in _DASHES for a, b in pairwise(three))


def _with_signs(text: str, units: list[Unit]) -> list[Unit]:
    made: list[Unit] = []
    at = 0
    for unit in units:
        made += _signs(text, at, unit.start)
        made.append(unit)
        at = unit.end
    made += _signs(text, at, len(text))
    return made


def _signs(text: str, start: int, end: int) -> Iterator[Unit]:
    for found in _SIGN.finditer(text, start, end):
        yield Unit("%" if found[0] == "٪" else found[0], found.start(), found.end())


_DROPPED = regex.compile(r"[^\p{L}\p{N}]|\u0640")
_DIGITS_OF_ARABIC = {first + digit: str(digit) for first in (0x0660, 0x06F0) for digit in range(10)}


@lru_cache(maxsize=1024)
def letters(text: str) -> str:
    """A text's letters and digits without spaces, marks, points and case.

    Other than in the normaliser, hamza, teh marbuta and final letters stay as they are written: two spellings differ.
    """
    if text.isascii():
        return "".join(filter(str.isalnum, text)).casefold()
    plain: str = _DROPPED.sub("", unicodedata.normalize("NFKC", text))
    return plain.translate(_DIGITS_OF_ARABIC).casefold()
