"""Which items an address asks for: the same words in pages, feeds, exports and the API.

``?q=…&outlet=bbc&language=he&watch=doha&story=s12&review=unreviewed&since=6h&before=2026-11-24T12:00``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from config.model.fields import duration
from monitor.model.items import Wanted

FILTERS = tuple(field.name for field in fields(Wanted))
_LANGUAGES = ("en", "he", "ar", "und")
_REVIEWS = ("unreviewed", "relevant", "noise", "later", "starred")


class BadFilter(ValueError):
    """A word of the address that cannot be read; its text says which, and what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A filter as it was written and as it is meant, with the query of a search (``q``, empty: none)."""

    wanted: Wanted
    q: str
    words: Mapping[str, str]


def read(address: Mapping[str, str], *, now: datetime, zone: ZoneInfo) -> Asked:
    """Read an address's filter; empty words ask for nothing, unknown ones are not ours. Raises `BadFilter`."""
    words = {name: value for name in ("q", *FILTERS) if (value := address.get(name, "").strip())}
    return Asked(wanted=wanted(words, now=now, zone=zone), q=words.get("q", ""), words=words)


def wanted(asked: Mapping[str, str], *, now: datetime, zone: ZoneInfo) -> Wanted:
    """The filter without the search. Raises `BadFilter`."""
    told = {name: value.strip() for name in FILTERS if (value := asked.get(name, "")).strip()}
    for name, known in (("language", _LANGUAGES), ("review", _REVIEWS)):
        if name in told and told[name] not in known:
            raise BadFilter(f"{name}={told[name]} is none of {', '.join(known)}")
    times = {name: _time(name, told.pop(name), now, zone) for name in ("since", "before") if name in told}
    return replace(Wanted(**times), **told)  # type: ignore[arg-type]  # the words were checked above


def _time(name: str, value: str, now: datetime, zone: ZoneInfo) -> datetime:
    try:
        return now - duration(value)
    except ValueError:
        pass
    try:
        then = datetime.fromisoformat(value)
        return (then if then.tzinfo else then.replace(tzinfo=zone)).astimezone(now.tzinfo)
    except (ValueError, OverflowError):  # the year 1 has no moment in every zone
        raise BadFilter(
            f'{name}={value} is no time: write how far back ("6h", "30d") or a date ("2026-11-24T12:00")'
        ) from None


def address(path: str, words: Mapping[str, str], **changed: str | None) -> str:
    """``path`` with a filter's words, some of them changed or (``None``) left out."""
    kept = dict(words)
    for name, value in changed.items():
        kept.pop(name, None)
        if value:
            kept[name] = value
    return f"{path}?{urlencode(kept)}" if kept else path
