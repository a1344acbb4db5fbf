"""A server's wish to be left alone for a while (RFC 9110, 10.2.3), as news servers and receivers of alerts say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=24)


def wish(said: str, date: str, now: datetime) -> timedelta | None:
    """How long a ``Retry-After`` asks for; ``None`` when it says nothing usable. ``date`` is the answer's own ``Date``.

    A date counts from the server's own clock, which may be wrong (F24); more than a day is a day; what is negative,
    past or no number and no date is ignored (F25).
    """
    text = said.strip()
    if text.isascii() and text.isdigit():
        length = LONGEST if len(text) > 9 else timedelta(seconds=int(text))
    elif (until := _date(text)) is not None:
        length = until - (_date(date) or now)
    else:
        return None
    return min(length, LONGEST) if length > timedelta() else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
