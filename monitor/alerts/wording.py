"""What an alert says: one message as plain text, Markdown, HTML and JSON.

Texts from outside are text in all four (P10): one line, escaped for the format, in their own direction. A message
that is too long loses copies, then contexts, then the end of its headline; never its link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.alerts.markup import HTML, MARKDOWN, PLAIN, Markup
from monitor.alerts.text import cut, edge, isolated, size, unmentioned, visible, web_link
from monitor.language.display import balanced, one_line
from monitor.model import Alert, Item, Span

AROUND = 60
"""Letters shown on each side of a matched word."""

DIRECTIONS = {"en": "ltr", "he": "rtl", "ar": "rtl"}
_FIELDS = {"title": "headline", "lead": "lead", "body": "text", "author": "author", "url": "address"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a kind of channel can take: lengths in UTF-16 units; ``chat``: mentions would ring people."""

    title: int = 250
    body: int = 32_768
    chat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One alert, worded. ``title`` is one line, fit for a mail's subject; ``link`` is empty when there is none."""

    title: str
    body: str
    markdown: str
    html: str
    link: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """How much of each part is shown."""

    headline: int
    contexts: int
    copies: int
    fine_print: bool = True
    times: bool = True


_ROOMS = (
    _Room(headline=1000, contexts=6, copies=8),
    _Room(headline=500, contexts=3, copies=3),
    _Room(headline=250, contexts=1, copies=0),
    _Room(headline=120, contexts=0, copies=0),
    _Room(headline=120, contexts=0, copies=0, fine_print=False),
    _Room(headline=60, contexts=0, copies=0, fine_print=False),
    _Room(headline=20, contexts=0, copies=0, fine_print=False, times=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The names and the zone that messages are written with."""

    zone: str
    outlets: Mapping[str, str]
    """Outlet id → its name."""
    watches: Mapping[str, str]
    """Watch id → its title."""
    page: str = ""
    """The review page's address as others reach it; empty: messages hold no link to it."""

    def message(
        self,
        alert: Alert,
        item: Item,
        copies: Sequence[Item] = (),
        *,
        was: str = "",
        sent: datetime,
        form: Form = Form(),
        brief: bool = False,
    ) -> Message:
        """``item`` in the text that matched; ``was``: its headline before an edit; ``brief``: the shortest useful
        message, for a receiver that refused the whole one."""
        told = _Told(alert=alert, item=item, copies=tuple(copies), was=was, wording=self, form=form)
        rooms = _ROOMS[3:] if brief else _ROOMS
        return Message(
            title=told.title(),
            body=told.fitting(PLAIN, rooms),
            markdown=told.fitting(MARKDOWN, rooms),
            html=told.fitting(HTML, rooms),
            link=web_link(item.url),
            payload=told.payload(sent, rooms[0]),
        )

    def page_link(self, item: Item) -> str:
        """The item on the review page; empty when its address is not known."""
        return web_link(f"{self.page.rstrip('/')}/items/{item.id}") if self.page else ""

    def outlet(self, outlet: str) -> str:
        return one_line(self.outlets.get(outlet, outlet))

    def watch(self, watch: str) -> str:
        return one_line(self.watches.get(watch, watch))

    def time(self, at: datetime) -> str:
        """Local, to the minute. A date the zone cannot express (year 1, year 9999) stays in UTC (F77)."""
        try:
            return f"{at.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"
        except OverflowError:
            return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One alert while it is worded."""

    alert: Alert
    item: Item
    copies: tuple[Item, ...]
    was: str
    wording: Wording
    form: Form

    def title(self) -> str:
        lead = f"[{self.alert.severity}] {cut(self.wording.watch(self.alert.watch), 80)}: "
        room = max(self.form.title - size(lead) - 2, 20)  # 2: the isolate's own letters
        return self._safe(lead + isolated(cut(headline(self.item), room)))

    def fitting(self, markup: Markup, rooms: Sequence[_Room]) -> str:
        """The fullest text that the channel takes."""
        body = ""
        for room in rooms:
            body = markup.lines(self._lines(markup, room))
            if size(body) <= self.form.body:
                break
        return body

    def _safe(self, text: str) -> str:
        return unmentioned(text) if self.form.chat else text

    def _lines(self, markup: Markup, room: _Room) -> Iterator[str]:
        wording, item = self.wording, self.item
        watch = f"{self.alert.severity.upper()} · {cut(wording.watch(self.alert.watch), 120)}"
        yield markup.strong(self._text(markup, watch))
        yield self._quoted(markup, cut(headline(item), room.headline), item.language)
        if self.was and room.contexts:
            yield f"Was: {self._quoted(markup, cut(one_line(self.was), room.headline), item.language)}"
        for context in _contexts(self._spans(), item, room.contexts):
            yield f"In the {_FIELDS[context.field]}: {self._context(markup, context)}"
        if room.times:
            yield self._text(markup, f"{_state(self.alert.state)} · {self._times()}")
        if room.copies and self.copies:
            others = ", ".join(wording.outlet(each.outlet) for each in self.copies[: room.copies])
            more = len(self.copies) - room.copies
            yield self._text(markup, f"Also at: {others}" + (f" and {more} more" if more > 0 else ""))
        if room.fine_print:
            yield from (self._text(markup, cut(note, 200)) for note in self._notes())
        if link := web_link(item.url):
            yield markup.link(link)
        if room.fine_print and (page := wording.page_link(item)):
            yield f"On the page: {markup.link(page)}"
        if room.fine_print:
            if item.url and not link:
                yield self._text(markup, f"Address, as given: {cut(one_line(item.url), 200)}")
            yield self._text(markup, f"item {item.id} · alert {self.alert.id} · key {self.alert.key}")

    def _text(self, markup: Markup, text: str) -> str:
        return markup.escape(self._safe(balanced(text)))

    def _quoted(self, markup: Markup, text: str, language: str) -> str:
        return markup.isolated(markup.escape(self._safe(text)), "" if language == "und" else language)

    def _context(self, markup: Markup, context: _Context) -> str:
        pieces = (
            markup.marked(markup.escape(self._safe(piece))) if found else markup.escape(self._safe(piece))
            for piece, found in context.pieces
        )
        return markup.isolated("".join(pieces), "" if self.item.language == "und" else self.item.language)

    def _times(self) -> str:
        item, wording = self.item, self.wording
        published = f"published {wording.time(item.published)}, "
        if item.published_assumed:
            published = "no credible date, "
        return f"{wording.outlet(item.outlet)}: {published}first seen {wording.time(item.first_seen)} ({wording.zone})"

    def _notes(self) -> Iterator[str]:
        match = self.alert.match
        if match is not None and match.undecided:
            yield f"Undecided, told to be safe: {one_line(match.undecided)}"
        if self.item.late:
            yield "Surfaced late: younger items of this source were known before."
        if self.item.marks:
            yield f"Noted: {one_line(', '.join(self.item.marks))}"

    def _spans(self) -> tuple[Span, ...]:
        """Spans hold for the revision that matched, and for no other text."""
        match = self.alert.match
        return match.spans if match is not None and self.alert.revision == self.item.revision else ()

    def payload(self, sent: datetime, room: _Room) -> dict[str, Any]:
        """The JSON form. Field names are documented in ``docs/alerts.md`` and stay."""
        alert, item, wording = self.alert, self.item, self.wording
        return {
            "id": alert.id,
            "key": alert.key,
            "watch": alert.watch,
            "watch_title": wording.watch(alert.watch),
            "severity": alert.severity,
            "state": alert.state,
            "headline": cut(headline(item), room.headline),
            "headline_before": cut(one_line(self.was), room.headline) if self.was else None,
            "language": item.language,
            "direction": DIRECTIONS.get(item.language, "auto"),
            "outlet": item.outlet,
            "outlet_name": wording.outlet(item.outlet),
            "url": web_link(item.url) or None,
            "page": wording.page_link(item) or None,
            "published": _stamp(item.published),
            "published_assumed": item.published_assumed,
            "first_seen": _stamp(item.first_seen),
            "matched": [_found(span, item) for span in self._spans()[: room.contexts * 8]],
            "clause": alert.match.clause if alert.match else "",
            "undecided": (alert.match.undecided or None) if alert.match else None,
            "copies": [
                {
                    "item": each.id,
                    "outlet": each.outlet,
                    "headline": cut(headline(each), 250),
                    "url": web_link(each.url),
                }
                for each in self.copies[: room.copies * 8]
            ],
            "item": item.id,
            "sent": _stamp(sent),
        }


def headline(item: Item) -> str:
    """In one line; where there is nothing to see, the lead or the address stands in (F93)."""
    for text in (item.title, item.lead, item.url or ""):
        if visible(line := one_line(text)):
            return line
    return "(no headline)"


def _state(state: str) -> str:
    if state.startswith("edited:"):
        return "Changed"
    return {"new": "New", "completed": "Found in the full text"}.get(state, one_line(state))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _found(span: Span, item: Item) -> dict[str, Any]:
    text = cut(one_line(_field(item, span)[span.start : span.end]), 200)
    return {"field": span.field, "text": text, "start": span.start, "end": span.end, "term": one_line(span.term)}


def _field(item: Item, span: Span) -> str:
    return str(getattr(item, span.field) or "")


# ------------------------------------------------------------------ matched words in context


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """A stretch of one field, as pieces: text, and whether a watch found it."""

    field: str
    pieces: tuple[tuple[str, bool], ...]


def _contexts(spans: Sequence[Span], item: Item, limit: int) -> Iterator[_Context]:
    """At most ``limit`` stretches, fields in the order of reading; words that stand close share one."""
    shown = 0
    for field in _FIELDS:
        text = str(getattr(item, field) or "")
        found = _merged([(span.start, span.end) for span in spans if span.field == field], len(text))
        for group in _groups(found):
            if shown == limit:
                return
            shown += 1
            yield _Context(field=field, pieces=tuple(_pieces(text, group)))


def _merged(found: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Sorted, without overlaps, inside the text."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if not 0 <= start < end <= length:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _groups(found: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    group: list[tuple[int, int]] = []
    for span in found:
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
        yield _spaced(text[at:left]), False
        yield cut(_spaced(text[left:right]), 200), True
        at = right
    yield _spaced(text[at:end]), False
    yield "…" if end < len(text) else "", False


def _spaced(text: str) -> str:
    """In one line, with the spaces at its ends kept: it stands beside another piece."""
    line = one_line(f"|{text}|")
    return line[1:-1]
