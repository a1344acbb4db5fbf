"""Dates as written in feeds and pages → aware UTC, or ``None``: never half right (F76-F80).

A date without a zone, or with one whose letters mean several zones (``IST``, ``IDT``), is in the
outlet's zone from the configuration, never in the machine's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_HOURS = {"gmt": 0, "utc": 0, "ut": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6}
_HOURS |= {"pst": -8, "pdt": -7, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3}
_LOCAL = frozenset({"", "ist", "idt", "ast", "local"})

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_ZONE = r"\s*(?P<zone>(?:UTC|GMT)?[+-]\d{1,2}:?\d{2}|[A-Za-z]{1,5})?(?:\s*\([^()]*\))?"
_WRITTEN = re.compile(
    r"(?:[A-Za-z]{2,9}\.?,?\s+)?(?P<day>\d{1,2})[\s-]+(?P<month>[A-Za-z]{3,9})\.?,?[\s-]+(?P<year>\d{4}|\d{2}),?"
    rf"(?:\s+(?:at\s+)?{_TIME}{_ZONE})?"
)
_AMERICAN = re.compile(
    rf"(?:[A-Za-z]{{2,9}}\.?,?\s+)?(?P<month>[A-Za-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}}),?(?:\s+(?:at\s+)?{_TIME}{_ZONE})?"
)
_CTIME = re.compile(
    rf"[A-Za-z]{{3}}\s+(?P<month>[A-Za-z]{{3}})\s+(?P<day>\d{{1,2}})\s+{_TIME}{_ZONE}\s+(?P<year>\d{{4}})"
)
_ISO = re.compile(
    rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?:(?:[Tt]|,?\s+){_TIME}{_ZONE})?"
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[Tt]?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?"
    rf"(?P<half>){_ZONE})?"
)
_DOTTED = re.compile(rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}})(?:,?\s+{_TIME}{_ZONE})?")
_SLASHED = re.compile(rf"(?P<first>\d{{1,2}})/(?P<other>\d{{1,2}})/(?P<year>\d{{4}})(?:,?\s+{_TIME}{_ZONE})?")
_FORMS = (_WRITTEN, _ISO, _AMERICAN, _CTIME, _DOTTED, _SLASHED)

_LONGEST = 100
_OLDEST = datetime(1991, 1, 1, tzinfo=UTC)  # before the web: an empty field of some database (F77)
_AHEAD = timedelta(days=2)


def read_date(text: str, *, zone: tzinfo, now: datetime) -> datetime | None:
    """The moment ``text`` names, in UTC; ``None`` when it cannot be read whole or is not credible."""
    text = " ".join(text.split())
    if not text or len(text) > _LONGEST or text.isdecimal():  # epoch seconds look like a compact date (F77)
        return _day(text, zone, now) if len(text) == 8 else None
    for form in (_COMPACT, *_FORMS):
        if (found := form.fullmatch(text)) is not None:
            return _credible(_moment(found.groupdict(), zone), now)
    return None


def _day(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    found = _COMPACT.fullmatch(text)
    return _credible(_moment(found.groupdict(), zone), now) if found else None


def _credible(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and _OLDEST <= moment <= now + _AHEAD else None


def _moment(parts: dict[str, str | None], zone: tzinfo) -> datetime | None:
    day_and_month = _day_and_month(parts)
    offset = _offset(parts["zone"] or "", zone)
    hour = _hour(parts)
    if day_and_month is None or offset is None or hour is None:
        return None
    day, month = day_and_month
    second = min(int(parts["second"] or 0), 59)  # a leap second is written 60
    try:
        local = datetime(_year(str(parts["year"])), month, day, hour, int(parts["minute"] or 0), second, tzinfo=offset)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day_and_month(parts: dict[str, str | None]) -> tuple[int, int] | None:
    if "first" in parts:  # 13/10 and 10/13 say which is the day; 4/10 does not, and is not guessed (F80)
        first, other = int(parts["first"] or 0), int(parts["other"] or 0)
        if first == other or (first > 12 >= other):
            return first, other
        return (other, first) if other > 12 >= first else None
    month = str(parts["month"])
    number = int(month) if month.isdecimal() else _MONTHS.get(month[:3].lower())
    return None if number is None else (int(parts["day"] or 0), number)


def _hour(parts: dict[str, str | None]) -> int | None:
    hour, half = int(parts["hour"] or 0), (parts["half"] or "").lower()
    if not half:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half.startswith("p") else 0)


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)  # RFC 2822, 4.3


def _offset(name: str, zone: tzinfo) -> tzinfo | None:
    name = name.lower()
    if name in _LOCAL:
        return zone
    if name in _HOURS:
        return timezone(timedelta(hours=_HOURS[name]))
    found = re.fullmatch(r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})", name)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        return None
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-size if found[1] == "-" else size)


def zone_named(name: str) -> ZoneInfo:
    """The zone of a configured name; the configuration was checked when it was loaded."""
    return ZoneInfo(name)
