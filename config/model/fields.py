"""What a value may be wherever it is written: durations, times, zones, addresses, names, references to secrets."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from config.countries import WITH_HOLIDAYS

Language = Literal["en", "he", "ar"]


Severity = Literal["low", "normal", "high", "critical"]


SEVERITIES: tuple[Severity, ...] = ("low", "normal", "high", "critical")


ChangeClass = Literal[
    "number", "name", "quote", "hedge", "denial", "date", "typo", "whitespace", "liveblog", "wording"
]  # fmt: skip
"""What an edit changed (``docs/edits.md`` says what each means)."""


_DURATION = re.compile(r"(\d+)\s*(s|m|h|d)")


_LONGEST = timedelta(days=36500)
"""A hundred years: any date of ours can be so much earlier or later."""


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: object) -> timedelta:
    """``"90s"``, ``"15m"``, ``"2h"``, ``"7d"`` as a timedelta; ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('write a duration as a number and a unit: "90s", "15m", "2h", "7d"')
    try:
        length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"a duration may not be longer than {_LONGEST.days} days")
    return length


def written(length: timedelta) -> str:
    """A duration as an operator writes it, in the largest unit that divides it."""
    seconds = round(length.total_seconds())
    size, unit = next(
        (size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if not seconds % size
    )
    return f"{seconds // size}{unit}"


def refused(message: str, *path: str | int) -> PydanticCustomError:
    """A table's error that belongs to one key inside it: ``path`` leads from the table to the key."""
    return PydanticCustomError("refused", "{message}", {"message": message, "path": path})


def _zone(name: object) -> str:
    try:
        ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise ValueError(f'no time zone is called {name!r}; names look like "Asia/Jerusalem"') from None
    return str(name)


def _country(code: object) -> str:
    if code not in WITH_HOLIDAYS:
        raise ValueError('must be a country whose public holidays are known, as two capital letters: "IL", "QA", "GB"')
    return str(code)


def web_address(text: object) -> str:
    if not isinstance(text, str) or re.search(r"[\s\x00-\x1f]", text):  # urlsplit drops line ends silently
        raise ValueError("write a whole address, without spaces, that begins with https:// or http://")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write a whole address that begins with https:// or http://")
    if parts.username or parts.password:
        raise ValueError("an address may not carry a user name or password")
    if parts.port == 0:  # reading it also refuses what is no port at all
        raise ValueError("0 is not a port")
    return text


def _day_time(text: object) -> time:
    if isinstance(text, time) and text == time(text.hour, text.minute):
        return text
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('write a time of day as hours and minutes in quotes: "07:30", "23:00"')
    return time(int(found[1]), int(found[2]))


def _pattern(text: object) -> str:
    try:
        re.compile(str(text))
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return str(text)


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(written, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s*(s|m|h|d)$"}),
]


Zone = Annotated[str, BeforeValidator(_zone)]


DayTime = Annotated[
    time,
    BeforeValidator(_day_time),
    PlainSerializer(lambda told: f"{told:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}),
]


Country = Annotated[
    str, BeforeValidator(_country), WithJsonSchema({"type": "string", "enum": list(WITH_HOLIDAYS)})
]  # fmt: skip


WebAddress = Annotated[str, BeforeValidator(web_address)]


Pattern = Annotated[str, BeforeValidator(_pattern)]


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


ConceptId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


Form = Annotated[str, StringConstraints(pattern=r"\S")]


Reference = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")]
"""A secret's place, never the secret: ``env:NAME`` or ``file:PATH``."""


class Told(BaseModel):
    """Base of everything an operator can write: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,  # an address in the wrong place may carry a secret
        use_attribute_docstrings=True,  # the published schema explains every key
    )
