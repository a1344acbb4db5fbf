"""Standing headlines: "Morning briefing", "What we know on day 640", a column's kicker before the colon.

They come back on other days over other events, so their words must neither draw days together nor glue events. They are
learnt by counting in how many days a headline or a part of it returned; the length of memory is the caller's.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.language.normalise import normalise

MEMORY = timedelta(days=8)
ANOTHER_DAY = timedelta(hours=18)
"""A return sooner than this is the same day's: an edit, a second edition."""
WHOLE_RETURNS, PART_RETURNS = 1, 2
"""Earlier days that make a headline of one outlet, and a part of a headline anywhere, a standing one."""
_PARTS = re.compile(r"\s*(?:[:|•]|\s[-–—]\s|[–—])\s*")
_DIVIDER = re.compile(r"[:|•–—]|\s-\s")
"""What every divider of parts holds: most headlines are not searched further."""
_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"\w+")


class _Past(NamedTuple):
    returns: int
    """Days before the one of ``last``."""
    first: datetime
    last: datetime


class Standing:
    """Headlines of the last days of one language. Not for several threads at once."""

    def __init__(self) -> None:
        self._past: OrderedDict[tuple[str, str], _Past] = OrderedDict()

    def __len__(self) -> int:
        return len(self._past)

    def rest(self, outlet: str, title: str, at: datetime) -> str:
        """The headline without what stood over other news on other days; it is remembered."""
        whole = _shape(title)
        if not whole:
            return title
        returned = self._count((outlet, whole), at)
        parts = _PARTS.split(title) if _DIVIDER.search(title) else [title]
        kept = [part for part in parts if len(parts) == 1 or not self._stands(part, at)]
        self._forget(at)
        return "" if returned >= WHOLE_RETURNS else title if len(kept) == len(parts) else " ".join(kept)

    def _stands(self, part: str, at: datetime) -> bool:
        shape = _shape(part)
        return bool(shape) and self._count(("", shape), at) >= PART_RETURNS

    def _count(self, key: tuple[str, str], at: datetime) -> int:
        """On how many earlier days it stood; counts this one."""
        past = self._past.pop(key, None)
        if past is None or at - past.last > MEMORY:
            past = _Past(0, at, at)
        elif at - past.first >= ANOTHER_DAY:
            past = _Past(past.returns + 1, at, at)
        else:
            past = past._replace(last=max(past.last, at))
        self._past[key] = past
        return past.returns

    def _forget(self, now: datetime) -> None:
        while self._past:
            key = next(iter(self._past))
            if now - self._past[key].last <= MEMORY:
                return
            del self._past[key]


def _shape(text: str) -> str:
    """Words without case and marks; numbers are alike."""
    return " ".join(_WORDS.findall(_DIGITS.sub("0", normalise(text))))
