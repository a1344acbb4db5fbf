"""What stands in quotation marks: straight, curly and low ones, guillemets, gershayim, and single ones.

A mark inside a Hebrew or Arabic word is no quotation (צה"ל) unless only attached particles stand before it (ב"הארץ").
A quotation ends where its line ends; one that is opened with a straight mark and never closed is none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from monitor.language.forms import ARABIC_PREFIXES, HEBREW_PREFIXES
from monitor.language.normalise import normalise

_MARK = re.compile("[\"“”„‟″״«»＂‘’'‚‹›\n]")
_SINGLE = frozenset("‘’'‚‹›")
_ONLY_OPENS, _ONLY_CLOSES, _LEANS_OPEN = frozenset("«„‟‹‚"), frozenset("»›"), frozenset("«„‟‹‚“‘")
_BEFORE = re.compile(r"[\s(\[{\-‐‑–—־:,;/\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WORD_BEFORE = re.compile(r"[^\W\d_]{1,6}\Z")

Quotation = tuple[int, int]
"""From the letter behind the opening mark to the closing mark."""


def quotations(text: str) -> list[Quotation]:
    """What is quoted in a text, in order, without overlaps."""
    reading = _Reading(text)
    found = [closed for mark in _MARK.finditer(text) for closed in reading.take(mark[0], mark.start())]
    return [*found, *reading.line_ends(len(text))]


def quoted_at(marks: Sequence[Quotation], place: int) -> bool:
    """Whether a letter of the text stands in one of its quotations."""
    index = bisect_right(marks, place, key=lambda mark: mark[0]) - 1
    return index >= 0 and place < marks[index][1]


class _Reading:
    def __init__(self, text: str) -> None:
        self.text = text
        self.opened: tuple[str, int] | None = None
        self.attached: int | None = None
        """A mark behind attached particles, which is an opening one if another closes it."""

    def take(self, mark: str, place: int) -> Iterator[Quotation]:
        """Read on to this mark; the quotation that it closes, if any."""
        if mark == "\n":
            yield from self.line_ends(place)
        elif mark in _SINGLE:
            yield from self._single(mark, place)
        else:
            yield from self._double(mark, place)

    def line_ends(self, place: int) -> Iterator[Quotation]:
        """A quotation that runs over paragraphs opens each anew and closes only the last."""
        if self.opened and self.opened[0] in _LEANS_OPEN and self.opened[0] not in _SINGLE:
            yield self.opened[1], place
        self.opened = self.attached = None

    def _single(self, mark: str, place: int) -> Iterator[Quotation]:
        if self.opened is None:
            if mark != "’" and self._may_open(mark, place) and not self._after(place).isdigit():
                self.opened = (mark, place + 1)
        elif self.opened[0] in _SINGLE and self._may_close(mark, place):
            yield self.opened[1], place
            self.opened = None

    def _double(self, mark: str, place: int) -> Iterator[Quotation]:
        opened = self.opened if self.opened and self.opened[0] not in _SINGLE else None
        before, after = self._before(place), self._after(place)
        if before.isalnum() and after.isalnum() and mark not in _ONLY_OPENS | _ONLY_CLOSES:
            if opened is None and self._behind_particles(place):
                self.attached = place + 1
        elif opened and (mark in _ONLY_CLOSES or self._may_close(mark, place)):
            yield opened[1], place
            self.opened = self.attached = None
        elif self._may_open(mark, place):
            self.opened, self.attached = (mark, place + 1), None
        elif self.attached is not None:
            yield self.attached, place
            self.attached = None

    def _may_open(self, mark: str, place: int) -> bool:
        if mark in _ONLY_OPENS:
            return True
        before, after = self._before(place), self._after(place)
        return mark not in _ONLY_CLOSES and not after.isspace() and (not before.strip() or bool(_BEFORE.match(before)))

    def _may_close(self, mark: str, place: int) -> bool:
        """Not a mark that can only open, or that stands where one opens and cannot close."""
        if mark in _ONLY_OPENS:
            return False
        before, after = self._before(place), self._after(place)
        return not before.isspace() and not after.isalnum()

    def _behind_particles(self, place: int) -> bool:
        found = _WORD_BEFORE.search(self.text, max(0, place - 7), place)
        word = normalise(found[0]) if found else ""
        return word in HEBREW_PREFIXES or word in ARABIC_PREFIXES

    def _before(self, place: int) -> str:
        return self.text[place - 1] if place else " "

    def _after(self, place: int) -> str:
        return self.text[place + 1] if place + 1 < len(self.text) else " "
