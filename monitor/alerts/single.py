"""A message of one alert, as text in any markup and as JSON.

One that is too long loses copies, then contexts, then the end of its headline; never its link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.alerts.contexts import FIELDS, Context, contexts, found, spaced, spans_of
from monitor.alerts.markup import Markup
from monitor.alerts.storyline import Storyline
from monitor.alerts.text import cut, isolated, size, unmentioned, unmentioned_link, web_link
from monitor.alerts.wording import Form, Wording, headline, stamp, state
from monitor.language.display import balanced, one_line
from monitor.model.alerts import Alert, Edit, Piece, Telling
from monitor.model.items import Item, Span

DIRECTIONS = {"en": "ltr", "he": "rtl", "ar": "rtl"}


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
class Single:
    """One alert while it is worded; ``brief``: the shortest useful message, for a receiver that refused the whole."""

    telling: Telling
    message: str
    """The id of the message that carries it."""
    wording: Wording
    form: Form
    brief: bool

    def title(self) -> str:
        """One line, fit for a mail's subject."""
        lead = f"[{self.alert.severity}] {cut(self.wording.watch(self.alert.watch), 80)}: "
        room = max(self.form.title - size(lead) - 2, 20)  # 2: the isolate's own letters
        return self._safe(lead + isolated(cut(headline(self.item), room)))

    def text(self, markup: Markup) -> str:
        """The fullest text that the channel takes."""
        body = ""
        for room in self._rooms:
            body = markup.lines(self._lines(markup, room))
            if size(body) <= self.form.body:
                break
        return body

    def payload(self, sent: datetime, *, others: int | None = None) -> dict[str, Any]:
        """The JSON form. Field names are documented in ``docs/alerts.md`` and stay. ``others``: how many that tell the
        same story are named; ``None``: as many as there is room for."""
        alert, item, wording, room, gone = self.alert, self.item, self.wording, self._rooms[0], self.telling.gone
        return {
            "id": alert.id,
            "key": alert.key,
            "kind": "alert",
            "message": self.message,
            "watch": alert.watch,
            "watch_title": wording.watch(alert.watch),
            "severity": alert.severity,
            "state": alert.state,
            "headline": cut(headline(item), room.headline),
            "headline_before": cut(one_line(self.telling.was), room.headline) if self.telling.was else None,
            "changed": list(self.telling.changed),
            "edits": [
                {"field": edit.field, "pieces": [[piece.kind, spaced(piece.text)] for piece in edit.pieces]}
                for edit in self._edits(room)
            ],
            "withdrawn": {"since": stamp(gone.at), "why": one_line(gone.words)} if gone is not None else None,
            "language": item.language,
            "direction": DIRECTIONS.get(item.language, "auto"),
            "outlet": item.outlet,
            "outlet_name": wording.outlet(item.outlet),
            "url": web_link(item.url) or None,
            "page": wording.page_link(item) or None,
            "acknowledge": wording.acknowledge_link(alert) or None,
            "published": stamp(item.published),
            "published_assumed": item.published_assumed,
            "first_seen": stamp(item.first_seen),
            "matched": [_matched(span, item) for span in spans_of(alert, item)[: room.contexts * 8]],
            "clause": alert.match.clause if alert.match else "",
            "undecided": (alert.match.undecided or None) if alert.match else None,
            "copies": [
                {
                    "item": each.id,
                    "outlet": each.outlet,
                    "headline": cut(headline(each), 250),
                    "url": web_link(each.url),
                }
                for each in self.telling.copies[: room.copies * 8]
            ],
            **self._storyline.payload(room.copies if others is None else others),
            "item": item.id,
            "sent": stamp(sent),
        }

    @property
    def _storyline(self) -> Storyline:
        return Storyline(telling=self.telling, wording=self.wording)

    @property
    def alert(self) -> Alert:
        return self.telling.alert

    @property
    def item(self) -> Item:
        return self.telling.item

    @property
    def _rooms(self) -> Sequence[_Room]:
        return _ROOMS[3:] if self.brief else _ROOMS

    def _safe(self, text: str) -> str:
        return unmentioned(text) if self.form.chat else text

    def _lines(self, markup: Markup, room: _Room) -> Iterator[str]:
        wording, alert, item, was = self.wording, self.alert, self.item, self.telling.was
        watch = f"{alert.severity.upper()} · {cut(wording.watch(alert.watch), 120)}"
        yield markup.strong(self._text(markup, watch))
        yield self._quoted(markup, cut(headline(item), room.headline))
        if (gone := self.telling.gone) is not None:
            since = f"{one_line(gone.words)} since {wording.time(gone.at)}"
            back = "" if item.withdrawn is not None else " It is there again."
            yield self._text(markup, f"The publisher has taken the article down: {since}.{back}")
        if was and room.contexts:
            yield f"Was: {self._quoted(markup, cut(one_line(was), room.headline))}"
        yield from (f"In the {FIELDS[edit.field]}: {self._edited(markup, edit)}" for edit in self._edits(room))
        for context in contexts(spans_of(alert, item), item, room.contexts):
            yield f"In the {FIELDS[context.field]}: {self._context(markup, context)}"
        if room.times:
            yield self._text(markup, f"{self._state()} · {self._times()}")
        if room.copies and self.telling.copies:
            yield self._text(markup, self._also(room.copies))
        if room.copies:
            yield from (self._text(markup, line) for line in self._storyline.lines(room.copies))
        elif room.contexts and (line := self._storyline.short()):
            yield self._text(markup, line)
        if room.fine_print:
            yield from (self._text(markup, cut(note, 200)) for note in self._notes())
        if link := web_link(item.url):
            yield markup.link(unmentioned_link(link) if self.form.chat else link)
        if room.fine_print:
            yield from self._fine_print(markup, link)

    def _fine_print(self, markup: Markup, link: str) -> Iterator[str]:
        alert, item = self.alert, self.item
        if page := self.wording.page_link(item):
            yield f"On the page: {markup.link(page)}"
        if acknowledge := self.wording.acknowledge_link(alert):
            yield f"Acknowledge: {markup.link(acknowledge)}"
        if item.url and not link:
            yield self._text(markup, f"Address, as given: {cut(one_line(item.url), 200)}")
        yield self._text(markup, f"item {item.id} · alert {alert.id} · key {alert.key}")

    def _text(self, markup: Markup, text: str) -> str:
        return markup.escape(self._safe(balanced(text)))

    def _quoted(self, markup: Markup, text: str) -> str:
        return markup.isolated(markup.escape(self._safe(text)), self._language)

    def _context(self, markup: Markup, context: Context) -> str:
        pieces = (
            markup.marked(markup.escape(self._safe(piece))) if found else markup.escape(self._safe(piece))
            for piece, found in context.pieces
        )
        return markup.isolated("".join(pieces), self._language)

    def _state(self) -> str:
        changed = ", ".join(self.telling.changed)
        return state(self.alert.state) + (f" ({changed})" if changed else "")

    def _edits(self, room: _Room) -> Sequence[Edit]:
        return self.telling.edits[: room.contexts]

    def _edited(self, markup: Markup, edit: Edit) -> str:
        return markup.isolated("".join(self._piece(markup, piece) for piece in edit.pieces), self._language)

    def _piece(self, markup: Markup, piece: Piece) -> str:
        text = spaced(piece.text)
        words = text.strip()
        if piece.kind == "kept" or not words:
            return markup.escape(self._safe(text))
        before, _, after = text.partition(words)  # no markup stands right around a space
        written = markup.escape(self._safe(words))
        return before + (markup.removed if piece.kind == "removed" else markup.added)(written) + after

    @property
    def _language(self) -> str:
        return "" if self.item.language == "und" else self.item.language

    def _times(self) -> str:
        item, wording = self.item, self.wording
        published = f"published {wording.time(item.published)}, "
        if item.published_assumed:
            published = "no credible date, "
        return f"{wording.outlet(item.outlet)}: {published}first seen {wording.time(item.first_seen)} ({wording.zone})"

    def _also(self, limit: int) -> str:
        copies = self.telling.copies
        others = ", ".join(self.wording.outlet(each.outlet) for each in copies[:limit])
        more = len(copies) - limit
        return f"Also at: {others}" + (f" and {more} more" if more > 0 else "")

    def _notes(self) -> Iterator[str]:
        match = self.alert.match
        if match is not None and match.undecided:
            yield f"Undecided, told to be safe: {one_line(match.undecided)}"
        if self.item.late:
            yield "Surfaced late: younger items of this source were known before."
        if self.item.marks:
            yield f"Noted: {one_line(', '.join(self.item.marks))}"


def _matched(span: Span, item: Item) -> dict[str, Any]:
    text = found(span, item)
    return {"field": span.field, "text": text, "start": span.start, "end": span.end, "term": one_line(span.term)}
