"""Numbers and dates in a text: seven, שבעה, سبعة and 7 are one number; 24 November, ב־24 בנובמבר are dates.

A `Figure` says which units it is made of and what it comes to; two figures with the same key say the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from monitor.language.normalise import normalise
from monitor.stories.numberwords import (
    CHANNELS,
    CLOCK,
    HEBREW_DAYS,
    MONTH_PAIRS,
    ON_MONTHS,
    Meaning,
    is_weak,
    meaning,
    stems,
)
from monitor.stories.units import Unit

_DIGITS = re.compile(r"[א-ת\u0621-\u064a]{0,3}(\d+(?:[.,]\d+)*)([a-z]{0,3})")
_ORDINAL = ("st", "nd", "rd", "th")
_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
_DATE = re.compile(
    r"[א-ת\u0621-\u064a]{0,3}"
    r"(\d{1,4}(?:[/-]\d{1,2}){1,2}(?:[/-]\d{2,4})?|\d{1,2}(?:\.\d{1,2}){2,3}\d*|\d{1,2}:\d{2}(?::\d{2})?)"
    r"(?:am|pm)?"
)
_LONGEST = 18
"""Digits of a number that is worked with; longer ones are compared as written."""


class Figure(NamedTuple):
    """Units ``first`` to before ``last``. ``weak``: a word for one, which may be no number at all."""

    kind: Literal["number", "date", "channel"]
    key: str
    first: int
    last: int
    weak: bool = False


def figures(text: str, units: Sequence[Unit]) -> list[Figure]:
    """The numbers and dates among the units of ``text``, in order, without overlaps."""
    scan = _Scan(text, units)
    found: list[Figure] = []
    index = 0
    while index < len(units):
        figure = scan.at(index) if _may_begin(units[index].norm) else None
        if figure is None:
            index += 1
            continue
        while found and found[-1].last > figure.first:  # a month takes the day before it along
            found.pop()
        found.append(figure)
        index = figure.last
    return found


class _Scan:
    def __init__(self, text: str, units: Sequence[Unit]) -> None:
        self.text = text
        self.units = units

    def at(self, index: int) -> Figure | None:
        return self._date(index) or self._number(index)

    # ---------------------------------------------------------------- dates

    def _date(self, index: int) -> Figure | None:  # noqa: PLR0911  # one return a kind of date
        norm = self.units[index].norm
        plain = norm.isalpha()
        if not plain and (found := _DATE.fullmatch(norm)):
            return Figure("date", found[1], index, index + 1)
        if clock := self._clock(index):
            return clock
        if month := self._month(index):
            return self._around_month(index, *month)
        if not plain and _is_year(norm):
            return Figure("date", _bare(norm), index, index + 1)
        if day := self._hebrew_day(index):
            return day
        told = meaning(norm)
        if told is None:
            return None
        if told.sort in ("weekday", "when"):
            return self._which(index) or Figure("date", f"{told.sort} {told.value}", index, index + 1)
        return self._which(index)

    def _which(self, index: int) -> Figure | None:
        """“Next week” in the order of the language."""
        which, span = (index, index + 1) if self.units[index].norm < "\u0370" else (index + 1, index)
        told, name = self._meaning(which), self._meaning(span)
        if told is None or name is None or told.sort != "which" or name.sort not in ("span", "weekday", "when"):
            return None
        if not self._close(index + 1):
            return None
        return Figure("date", f"{told.value} {name.value or _stem(self.units[span].norm)}", index, index + 2)

    def _clock(self, index: int) -> Figure | None:
        """A number behind "the hour", or before a.m. and p.m."""
        norm = self.units[index].norm
        if _in(norm, CLOCK):
            number = self._number(index + 1) if index + 1 < len(self.units) else None
            return Figure("date", f"at {number.key}", index, number.last) if number else None
        found = None if norm.isalpha() else _DIGITS.fullmatch(norm)
        if found is None:
            return None
        behind = (self._norm(index + 1), self._norm(index + 2))
        for half in ("am", "pm"):
            count = 1 if found[2] == half else 2 if behind[0] == half else 3 if behind == tuple(half) else 0
            if count:
                return Figure("date", f"at {found[1]} {half}", index, index + count)
        return None

    def _month(self, index: int) -> tuple[str, int] | None:
        """The month that begins here, and behind which unit it ends."""
        norm = self.units[index].norm
        told = meaning(norm)
        if told and told.sort == "month":
            return told.value, index + 1
        if told and told.sort == "unsure month" and self._is_month(index):
            return told.value, index + 1
        for first in (norm, *stems(norm)):
            for second in (self._norm(index + 1), *stems(self._norm(index + 1))) if first in _OPENERS else ():
                if (first, second) in MONTH_PAIRS:
                    return MONTH_PAIRS[first, second], index + 2
        return None

    def _is_month(self, index: int) -> bool:
        """A word like May beside a day or a year; in Latin letters with its capital."""
        unit = self.units[index]
        if unit.norm[0] < "\u0370" and not self.text[unit.start].isupper():
            return False
        before, after = self._norm(index - 1), self._norm(index + 1)
        cued = unit.norm != "اب" and before in ON_MONTHS
        return cued or any(_is_day(each) or _is_year(each) for each in (before, after))

    def _around_month(self, index: int, month: str, end: int) -> Figure:
        first, day, year = index, "", ""
        back = index - 2 if self._norm(index - 1) in ("of", "من") else index - 1
        if _is_day(self._norm(back)):
            first, day = back, _bare(self._norm(back))
        elif _is_day(self._norm(end)) and self._norm(end)[0] < "\u0370":
            day, end = _bare(self._norm(end)), end + 1
        if _is_year(self._norm(end)):
            year, end = _bare(self._norm(end)), end + 1
        return Figure("date", f"{day}.{month}.{year}", first, end)

    def _hebrew_day(self, index: int) -> Figure | None:
        after = self._norm(index + 1)
        if not _in(self.units[index].norm, _DAY) or after not in HEBREW_DAYS:
            return None
        end = index + 2
        which = self._meaning(end)
        if which and which.sort == "which":
            return Figure("date", f"{which.value} {HEBREW_DAYS[after]}", index, end + 1)
        return Figure("date", f"weekday {HEBREW_DAYS[after]}", index, end)

    # ---------------------------------------------------------------- numbers

    def _number(self, index: int) -> Figure | None:
        norm = self.units[index].norm
        if _in(self._norm(index - 1), CHANNELS) and norm.isdecimal():
            return Figure("channel", f"channel {norm}", index, index + 1)
        if sign := self._sign(index):
            return sign
        found = None if norm.isalpha() else _DIGITS.fullmatch(norm)
        if found and (not found[2] or found[2] in (*_ORDINAL, *_SCALES) or found[2] in _MEASURES):
            return self._scaled(index, found[1], found[2])
        return self._words(index)

    def _sign(self, index: int) -> Figure | None:
        """A per cent or currency sign or word."""
        unit = self.units[index]
        told = meaning(unit.norm)
        if told and told.sort == "sign":
            return Figure("number", told.value, index, index + 1)
        if not unit.norm[0].isalnum():
            return Figure("number", unit.norm, index, index + 1)
        pair = (unit.norm, self._norm(index + 1))
        return Figure("number", "%", index, index + 2) if pair in _PER_CENT else None

    def _scaled(self, index: int, digits: str, suffix: str) -> Figure:
        """A number in digits, with the words that multiply it (``5 million``)."""
        value, end = _value(digits), index + 1
        scale = _SCALES.get(suffix, 1)
        told = self._meaning(end)
        while told and (told.sort == "times" or (told.sort == "vague" and told.value.isdigit())) and self._close(end):
            scale, end = scale * int(told.value), end + 1
            told = self._meaning(end)
        return Figure("number", _times(value, scale), index, end)

    def _words(self, index: int) -> Figure | None:
        told = self._meaning(index)
        if told is None or told.sort not in ("number", "ten", "times", "vague"):
            return None
        if told.sort == "vague":
            return Figure("number", f"some {told.value}", index, index + 1)
        total, current, end = 0, int(told.value), index + 1
        if told.sort == "times" and current >= 1000:
            total, current = current, 0
        while (told := self._meaning(end)) and self._close(end):
            grown = _grown(total, current, told, attached=self.units[end].norm[0] in "וو")
            if grown is None:
                break
            total, current = grown
            end += 1
            if (
                self._norm(end) == "and"
                and (after := self._meaning(end + 1))
                and after.sort == "number"
                and not (total + current) % 100
            ):
                end += 1
        weak = end == index + 1 and is_weak(self.units[index].norm)
        return Figure("number", str(total + current), index, end, weak)

    # ---------------------------------------------------------------- neighbours

    def _norm(self, index: int) -> str:
        return self.units[index].norm if 0 <= index < len(self.units) else ""

    def _meaning(self, index: int) -> Meaning | None:
        return meaning(self.units[index].norm) if 0 <= index < len(self.units) else None

    def _close(self, index: int) -> bool:
        """Only a space or a dash stands before this unit."""
        return self.text[self.units[index - 1].end : self.units[index].start].strip() in ("", "-", "־", "‑", "–")


_OPENERS = frozenset(first for first, _ in MONTH_PAIRS)
_DAY = frozenset(["יומ"])
_PER_CENT = frozenset([("per", "cent"), ("في", normalise("المئة")), ("في", normalise("المائة"))])
_PER_CENT_FIRST = frozenset(first for first, _ in _PER_CENT)
_MEASURES = frozenset(["km", "kg", "cm", "mm", "pct", "ft", "mph"])


def _grown(total: int, current: int, told: Meaning, *, attached: bool) -> tuple[int, int] | None:
    """A number made of words with one more word; ``None`` when that word begins another number."""
    value = int(told.value) if told.value.isdigit() else 0
    if told.sort == "ten":
        return (total, current + value) if 0 < current % 100 < 10 else None
    if told.sort == "times" or (told.sort == "vague" and current):
        return _multiplied(total, current, value) if value else None
    if told.sort == "number" and _adds(total, current, value, attached=attached):
        return total, current + value
    return None


def _multiplied(total: int, current: int, scale: int) -> tuple[int, int] | None:
    if scale == 100:
        return (total, max(current, 1) * scale) if current < 10 else None
    return (total + max(current, 1) * scale, 0) if current or (total and scale < total) else None


def _adds(total: int, current: int, value: int, *, attached: bool) -> bool:
    """Whether a number goes on with this one: twenty-two, two hundred and fifty, خمسة وعشرون, two thousand nine."""
    low = current % 100
    if 0 < value < 10:
        return (low >= 20 and low % 10 == 0) or (not low and bool(current or total))
    if 10 <= value < 100 and (not low and (current or total)):
        return True
    if attached and 0 < low < 10 and value in range(20, 100, 10):
        return True
    return not current and 0 < value < total


@lru_cache(maxsize=16384)
def _may_begin(norm: str) -> bool:
    """Whether a number or date may begin with this unit: it has a digit or a meaning, or is a sign."""
    if meaning(norm) or not norm[0].isalnum() or any(map(str.isdigit, norm)) or norm in _PER_CENT_FIRST:
        return True
    return norm >= "\u0370" and any(_in(norm, words) for words in (_OPENERS, CLOCK, _DAY))


@lru_cache(maxsize=16384)
def _in(norm: str, words: frozenset[str]) -> bool:
    """Whether it is one of the words, or one with something attached in front."""
    return norm in words or any(stem in words for stem in stems(norm)) if norm else False


def _stem(norm: str) -> str:
    return next((stem for stem in stems(norm) if stem != norm and meaning(stem)), norm)


def _bare(norm: str) -> str:
    found = _DIGITS.fullmatch(norm)
    return found[1].lstrip("0") if found else norm


def _is_day(norm: str) -> bool:
    found = _DIGITS.fullmatch(norm)
    return bool(
        found
        and found[2] in ("", *_ORDINAL)
        and found[1].isdecimal()
        and len(found[1]) <= 2
        and 1 <= int(found[1]) <= 31
    )


def _is_year(norm: str) -> bool:
    found = _DIGITS.fullmatch(norm)
    return bool(found and not found[2] and len(found[1]) == 4 and found[1][:2] in ("19", "20"))


def _value(digits: str) -> str:
    """Digits without separators of thousands, and with one spelling of the fraction."""
    whole, *rest = digits.split(",")
    if rest and all(len(part.split(".")[0]) == 3 for part in rest) and "." not in whole:
        digits = whole + "".join(rest)
    else:
        digits = digits.replace(",", ".")
    whole, dot, fraction = digits.partition(".")
    fraction = fraction.rstrip("0") if "." not in fraction else fraction
    return (whole.lstrip("0") or "0") + (dot + fraction if fraction else "")


def _times(value: str, scale: int) -> str:
    whole, _, fraction = value.partition(".")
    if scale == 1 or "." in fraction or len(value) > _LONGEST:
        return value if scale == 1 else f"{value} times {scale}"
    places = 10 ** len(fraction)
    scaled = int(whole + fraction) * scale
    return str(scaled // places) if not scaled % places else f"{scaled}/{places}"
