"""How the page words and marks things: times, directions, reasons, matched words. Pure; the templates' filters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.alerts import policy
from monitor.alerts.text import edge
from monitor.language.display import CONTROLS
from monitor.model.alerts import Alert
from monitor.model.items import Span
from monitor.model.sources import Outcome

_DIRECTIONS = {"en": "ltr", "he": "rtl", "ar": "rtl"}
_MOODS = {
    Outcome.OK: "good", Outcome.UNCHANGED: "good", Outcome.DEGRADED: "fair", Outcome.CLOSED: "shut",
}  # fmt: skip
_REASONS = {
    policy.BASELINE: "older than the baseline at the first look at its source",
    policy.BELOW_SEVERITY: "below what the channel takes",
    policy.NOT_IN_ON: "the watch does not ask for this kind of change",
    policy.TOO_OLD: "older than the watch's max_age",
    policy.MUTED: "its watch was muted",
    "acknowledged": "it was acknowledged before it left",
    "merged": "the item was found to be another one, which keeps its alert",
    "watch removed": "its watch is not configured any more",
}
_DAY = timedelta(days=1)


class Piece(NamedTuple):
    """A run of text, matched by a watch or not."""

    text: str
    found: bool


def relative(then: datetime | None, now: datetime) -> str:
    """``3 min ago``, ``in 12 min``, ``now``; ``never`` for no time."""
    if then is None:
        return "never"
    away = abs(then - now)
    if away < timedelta(minutes=1):
        return "now"
    minutes = away // timedelta(minutes=1)
    if minutes < 60:
        size = f"{minutes} min"
    elif away < 2 * _DAY:
        size = f"{minutes // 60} h"
    else:
        size = f"{away // _DAY} days"
    return f"{size} ago" if then < now else f"in {size}"


def until(then: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A time to come by the clock here: ``06:00``, and with its day when that is more than a day away."""
    return f"{then.astimezone(zone):{'%H:%M' if then - now < _DAY else '%Y-%m-%d %H:%M'}}"


def waits(alert: Alert, now: datetime) -> bool:
    """Whether it is held back until its time; what is tried again does not wait in this sense."""
    return alert.condition == "pending" and not alert.message and alert.due > now


def held(alert: Alert, zone: ZoneInfo) -> str:
    """What a row that waits waits for, without the time that stands beside it anyway."""
    return alert.reason.removesuffix(f" until {alert.due.astimezone(zone):%H:%M}")


def counted(number: int, one: str, many: str = "") -> str:
    """``1 item``, ``2 items``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def direction(language: str) -> str:
    """Of a text in that language; a language that we do not know decides by its first letter."""
    return _DIRECTIONS.get(language, "auto")


def clean(text: str) -> str:
    """Line breaks and controls become spaces, one for one; letters, marks and direction marks stay."""
    return CONTROLS.sub(" ", text)


def language(code: str) -> str:
    """A language's name; ``und``: none of ours."""
    return {"en": "English", "he": "Hebrew", "ar": "Arabic"}.get(code, "other")


def listed(names: Iterable[str]) -> str:
    """``one``, ``one and another``, ``one, another and a third``."""
    *most, last = [*names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def mood(outcome: Outcome | None) -> str:
    """How a source's state looks: good, fair, bad, shut (closed by its publisher), wait."""
    return "wait" if outcome is None else _MOODS.get(outcome, "bad")


def reason(kept: str) -> str:
    """Why a row was not sent, in a reader's words."""
    if kept.startswith("told with "):
        return "told with another alert"
    return _REASONS.get(kept, kept)


def marked(text: str, spans: Iterable[Span], field: str) -> tuple[Piece, ...]:
    """``text`` cut at the spans of its field; their union is what was found."""
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted((span.start, span.end) for span in spans if span.field == field):
        begin = max(start, at)
        if end > begin:
            pieces += (Piece(text[at:begin], False), Piece(text[begin:end], True))
            at = end
    pieces.append(Piece(text[at:], False))
    return tuple(piece for piece in pieces if piece.text)


def shortened(pieces: Iterable[Piece], limit: int) -> tuple[Piece, ...]:
    """The first ``limit`` letters or so of marked text, cut at a grapheme."""
    kept: list[Piece] = []
    left = limit
    for piece in pieces:
        if len(piece.text) > left:
            kept.append(Piece(piece.text[: edge(piece.text, left)].rstrip() + "…", piece.found))
            break
        kept.append(piece)
        left -= len(piece.text)
    return tuple(kept)


def paragraphs(text: str, spans: Iterable[Span], field: str) -> tuple[tuple[Piece, ...], ...]:
    """`marked`, cut at the blank lines."""
    found: list[list[Piece]] = [[]]
    for piece in marked(text, spans, field):
        first, *rest = piece.text.split("\n\n")
        found[-1].append(Piece(first, piece.found))
        found += [[Piece(each, piece.found)] for each in rest]
    kept = (tuple(piece for piece in each if piece.text) for each in found)
    return tuple(each for each in kept if each)
