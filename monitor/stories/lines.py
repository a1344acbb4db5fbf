"""A line of text as words, for patterns of words: each as written and as compared, and what stands between them.

A line is cut only when something in it is worth looking for; `monitor.language.tokens` cuts whole texts, for matching.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from monitor.language.forms import ARABIC_PREFIXES, HEBREW_PREFIXES, is_arabic, is_hebrew

WORD = re.compile(r"""\w+(?:["']\w+)*""")
_BREAK = re.compile(r"""[!?؟۔…;]|\.(?=[\s"')\]]|$)""")
_ABBREVIATED = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "gen", "col", "lt", "maj", "capt", "cpt", "sgt", "brig", "adm", "sen", "rep",
    "gov", "st", "jan", "feb", "mar", "apr", "aug", "sept", "oct", "nov", "dec",
})  # fmt: skip
REMEMBERED = 16384
"""Words that are kept with what was worked out for them."""


class Line:
    """One line of a text, folded, as words; all offsets are into the folded line."""

    def __init__(self, folded: str) -> None:
        self.folded = folded
        found = list(WORD.finditer(folded))
        self.raws = [each[0] for each in found]
        """The words as written."""
        self.starts = [each.start() for each in found]
        self.stops = [each.end() for each in found]
        self._ends: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self.raws)

    def norm(self, index: int) -> str:
        """A word as it is compared."""
        return norm_of(self.raws[index])

    def norms(self) -> Iterator[str]:
        return map(norm_of, self.raws)

    def between(self, index: int) -> str:
        """What stands between this word and the next; behind the last, the rest of the line."""
        return self.folded[self.stops[index] : self.starts[index + 1] if index + 1 < len(self.raws) else None]

    def ends(self, index: int) -> bool:
        """Whether a sentence ends behind this word. The stop of an abbreviation (``U.S.``, ``Adm.``) ends none."""
        known = self._ends.get(index)
        if known is None:
            gap = self.between(index)
            found = _BREAK.search(gap) if gap != " " else None
            stop = found is not None and not (found[0] == "." and self._is_short(index))
            known = self._ends[index] = stop or index + 1 >= len(self.raws)
        return known

    def _is_short(self, index: int) -> bool:
        return len(self.raws[index]) == 1 or self.norm(index) in _ABBREVIATED


@lru_cache(maxsize=REMEMBERED)
def attached(norm: str) -> tuple[tuple[str, str], ...]:
    """Ways to read a word as attached particles and a rest; the first has none. ``للجزيرة`` has its article back."""
    prefixes, longest = _prefixes(norm)
    found = [("", norm)]
    for length in range(1, min(longest, len(norm) - 2) + 1):
        prefix = norm[:length]
        if prefix in prefixes:
            rest = norm[length:].lstrip("\"'")
            found.append((prefix, rest))
            if prefix.endswith("لل"):
                found.append((prefix, "ال" + rest))
    return tuple(found)


def _prefixes(norm: str) -> tuple[Collection[str], int]:
    if is_hebrew(norm):
        return HEBREW_PREFIXES, 6
    return (ARABIC_PREFIXES, 4) if is_arabic(norm) else ((), 0)


def is_in(norm: str, words: Collection[str]) -> bool:
    """Whether a word, or what remains of it without particles, is one of these."""
    return norm in words or (norm >= "\u0590" and any(rest in words for _, rest in attached(norm)))


@lru_cache(maxsize=REMEMBERED)
def norm_of(raw: str) -> str:
    """A word of a folded line as it is compared: small, and without a possessive ending in Latin letters."""
    norm = raw.casefold()
    return norm[:-2] if norm.endswith("'s") and norm[0] < "\u0370" else norm
