"""Matched words in their context: short stretches of an item's text, with what a watch found marked in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.alerts.text import cut, edge
from monitor.language.display import one_line
from monitor.model.alerts import Alert
from monitor.model.items import Item, Span

AROUND = 60
"""Letters shown on each side of a matched word."""

FIELDS = {"title": "headline", "lead": "lead", "body": "text", "author": "author", "url": "address"}
"""What each field of an item is called, in the order of reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A stretch of one field, as pieces: text, and whether a watch found it."""

    field: str
    pieces: tuple[tuple[str, bool], ...]


def spans_of(alert: Alert, item: Item) -> tuple[Span, ...]:
    """Spans hold for the revision that matched, and for no other text."""
    match = alert.match
    return match.spans if match is not None and alert.revision == item.revision else ()


def found(span: Span, item: Item) -> str:
    """What the span covers, in one line."""
    return cut(one_line(_field(item, span.field)[span.start : span.end]), 200)


def words(alert: Alert, item: Item) -> Iterator[str]:
    """What the watch found, each form once, in the order of reading."""
    order = list(FIELDS)
    seen = {""}
    for span in sorted(spans_of(alert, item), key=lambda span: (order.index(span.field), span.start)):
        word = found(span, item)
        if word.casefold() not in seen:
            seen.add(word.casefold())
            yield word


def contexts(spans: Sequence[Span], item: Item, limit: int) -> Iterator[Context]:
    """At most ``limit`` stretches, fields in the order of reading; words that stand close share one."""
    shown = 0
    for field in FIELDS:
        text = _field(item, field)
        places = _merged([(span.start, span.end) for span in spans if span.field == field], len(text))
        for group in _groups(places):
            if shown == limit:
                return
            shown += 1
            yield Context(field=field, pieces=tuple(_pieces(text, group)))


def _field(item: Item, field: str) -> str:
    return str(getattr(item, field) or "")


def _merged(places: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Sorted, without overlaps, inside the text."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if not 0 <= start < end <= length:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _groups(places: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    group: list[tuple[int, int]] = []
    for span in places:
        if group and (span[0] - group[-1][1] > AROUND or len(group) == 6):
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _pieces(text: str, group: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    start, end = edge(text, group[0][0] - AROUND), edge(text, group[-1][1] + AROUND)
    end = max(end, group[-1][1])
    at = start
    yield "…" if start > 0 else "", False
    for left, right in group:
        yield spaced(text[at:left]), False
        yield cut(spaced(text[left:right]), 200), True
        at = right
    yield spaced(text[at:end]), False
    yield "…" if end < len(text) else "", False


def spaced(text: str) -> str:
    """In one line, with the spaces at its ends kept: it stands beside another piece."""
    line = one_line(f"|{text}|")
    return line[1:-1]
