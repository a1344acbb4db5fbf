"""A message of several alerts: a digest, what quiet hours or a cooldown held back, a flood.

It names every one of its alerts, grouped by watch, the most severe first. One that is too long tells less of each:
first no matched words, then shorter headlines; last each alert is its severity, a beginning of its headline and its id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from monitor.alerts.contexts import words
from monitor.alerts.markup import Markup
from monitor.alerts.single import Single
from monitor.alerts.storyline import Storyline
from monitor.alerts.text import cut, isolated, size, unmentioned, unmentioned_link, web_link
from monitor.alerts.wording import NAMES, WHOLE, Form, Wording, headline, stamp, state
from monitor.language.display import balanced, one_line
from monitor.model.alerts import Telling
from monitor.model.messages import Message, Parcel

SHORTEST = 240
"""Units of plain text that one alert takes at most in the shortest form that still links to it, its share of the rest
included."""

WITH_OTHERS = 10
"""Alerts of one message, at most, whose JSON form lists who else tells their stories."""

_WHY = {
    "digest": "Digest",
    "quiet hours": "Held back during quiet hours",
    "cooldown": "What followed within the cooldown of",
    "flood": "More than ten alerts in five minutes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """How much is told of each alert; lengths as they stand in the message, escaped."""

    headline: int
    words: int = 0
    outlet: int = 60
    link: int = 2000
    """A longer one is not shown; the alert's id stands in."""
    details: bool = False
    """The headline before an edit, copies, notes: several lines an alert."""
    one_line: bool = False
    bare: bool = False
    """Severity, headline, id."""


_ROOMS = (
    _Room(headline=500, words=8, details=True),
    _Room(headline=250, words=4),
    _Room(headline=200),
    _Room(headline=120, outlet=40, one_line=True),
    _Room(headline=60, outlet=24, link=300, one_line=True),
    _Room(headline=30, outlet=12, link=120, one_line=True),
    _Room(headline=12, outlet=0, link=0, one_line=True, bare=True),
)
_FINE_PRINT = _ROOMS[:4]


def names(body: int) -> int:
    """How many alerts one message of at most ``body`` units can name, each with its link: at least one."""
    return max(1, min(NAMES, body // SHORTEST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Several alerts while they are worded; ``brief`` as in `Single`."""

    parcel: Parcel
    wording: Wording
    form: Form
    brief: bool

    def title(self) -> str:
        """One line: ``[high] 12 alerts: A deal is near (9), Doha and the mediation (3)``."""
        told = f"[{self.message.severity}] {self._count()}: "
        groups = self._groups()
        for place, (watch, tellings) in enumerate(groups.items()):
            name = f"{isolated(cut(self.wording.watch(watch), 60))} ({len(tellings)})"
            left = len(groups) - place
            rest = f"{left} more watches" if place else f"{left} watches"
            if size(f"{told}{name}, {rest}") > self.form.title and left > 1:
                return self._safe(told + rest)
            told += name + (", " if left > 1 else "")
        return self._safe(told)

    def text(self, markup: Markup) -> str:
        """The fullest text that the channel takes."""
        rooms = _ROOMS[2:] if self.brief else _ROOMS
        body = ""
        for room in rooms:
            body = markup.blocks(self._blocks(markup, room, len(self.parcel.tellings)))
            if size(body) <= self.form.body:
                return body
        # More than `names` allows: the channel took more when the message was made.
        shown = len(self.parcel.tellings)
        while shown > 1 and size(body) > self.form.body:
            shown = max(1, min(shown - 1, shown * self.form.body // size(body)))
            body = markup.blocks(self._blocks(markup, rooms[-1], shown))
        return body

    def payload(self, sent: datetime) -> dict[str, Any]:
        """The JSON form. Field names are documented in ``docs/alerts.md`` and stay."""
        singles = (
            Single(telling=each, message=self.message.id, wording=self.wording, form=self.form, brief=self.brief)
            for each in self.parcel.tellings
        )
        others = None if len(self.parcel.tellings) <= WITH_OTHERS else 0
        return {
            "id": self.message.id,
            "key": self.message.key,
            "kind": self.message.kind,
            "severity": self.message.severity,
            "count": len(self.parcel.tellings),
            "watches": {
                watch: {"title": self.wording.watch(watch), "count": len(tellings)}
                for watch, tellings in self._groups().items()
            },
            "alerts": [each.payload(sent, others=others) for each in singles],
            "sent": stamp(sent),
        }

    @property
    def message(self) -> Message:
        return self.parcel.message

    def _groups(self) -> Mapping[str, Sequence[Telling]]:
        """By watch, in the order of the message: the watch of the most severe alert first."""
        groups: dict[str, list[Telling]] = {}
        for telling in self.parcel.tellings:
            groups.setdefault(telling.alert.watch, []).append(telling)
        return groups

    def _count(self) -> str:
        return f"{len(self.parcel.tellings)} alerts"

    def _why(self) -> str:
        why = _WHY.get(self.message.kind, "Together")
        if self.message.kind == "cooldown":
            watch = self.parcel.tellings[0].alert.watch
            why = f"{why} {isolated(cut(self.wording.watch(watch), 60))}"
        return f"{why} · times in {self.wording.zone}"

    def _safe(self, text: str) -> str:
        return unmentioned(text) if self.form.chat else text

    # ------------------------------------------------------------------ blocks of text

    def _blocks(self, markup: Markup, room: _Room, shown: int) -> Iterator[str]:
        head = f"{self.message.severity.upper()} · {self._count()}"
        if room.bare:
            yield markup.strong(f"{head} · {self.message.kind}")
        else:
            yield markup.block([markup.strong(head), self._text(markup, self._why())])
        left = shown
        for watch, tellings in self._groups().items():
            if left <= 0:
                break
            title = self._fitted(markup, self.wording.watch(watch), 20 if room.one_line else 120, "")
            yield markup.strong(f"{title} ({len(tellings)})")
            for telling in tellings[:left]:
                yield markup.block(self._entry(markup, room, telling))
            left -= len(tellings)
        if (more := len(self.parcel.tellings) - shown) > 0:
            yield f"and {more} more: wirewatch alerts list"
        if room in _FINE_PRINT:
            yield self._text(markup, f"message {self.message.id} · key {self.message.key}")

    def _entry(self, markup: Markup, room: _Room, telling: Telling) -> Iterator[str]:
        alert, item = telling.alert, telling.item
        title = self._fitted(markup, headline(item), room.headline, item.language)
        link = self._link(item.url)
        link = link if len(link) <= room.link else ""
        if room.bare:
            yield f"{alert.severity.upper()} {title} · {alert.id}"
        elif room.one_line:
            line = f"{self._state(markup, telling)} · {title} · {self._where(markup, room, telling)}"
            yield markup.linked(line, link) if link else f"{line} · alert {alert.id}"
        else:
            yield f"{self._state(markup, telling)} · {title}"
            yield from self._details(markup, room, telling)
            yield markup.link(link) if link else f"alert {alert.id}"

    def _state(self, markup: Markup, telling: Telling) -> str:
        alert = telling.alert
        undecided = " (undecided)" if alert.match is not None and alert.match.undecided else ""
        return f"{alert.severity.upper()} · {self._text(markup, cut(state(alert.state), 30))}{undecided}"

    def _where(self, markup: Markup, room: _Room, telling: Telling) -> str:
        item, wording = telling.item, self.wording
        outlet = self._fitted(markup, wording.outlet(item.outlet), room.outlet, "")
        time = f"first seen {wording.time(item.first_seen)}" if item.published_assumed else wording.time(item.published)
        return f"{outlet}, {time}"

    def _details(self, markup: Markup, room: _Room, telling: Telling) -> Iterator[str]:
        item = telling.item
        if telling.was and room.details:
            yield f"Was: {self._fitted(markup, one_line(telling.was), room.headline, item.language)}"
        found = [
            markup.marked(self._fitted(markup, word, 60, item.language))
            for word in islice(words(telling.alert, item), room.words)
        ]
        yield self._where(markup, room, telling) + (f" · {', '.join(found)}" if found else "")
        if room.words:
            storyline = Storyline(telling=telling, wording=self.wording)
            yield from (self._text(markup, line) for line in (storyline.short(), *storyline.claimed()) if line)
        if room.details:
            yield from self._notes(markup, telling)

    def _notes(self, markup: Markup, telling: Telling) -> Iterator[str]:
        item, match = telling.item, telling.alert.match
        if telling.copies:
            others = (self._fitted(markup, self.wording.outlet(each.outlet), 60, "") for each in telling.copies[:8])
            yield f"Also at: {', '.join(others)}"
        if match is not None and match.undecided:
            yield self._text(markup, cut(f"Undecided, told to be safe: {one_line(match.undecided)}", 200))
        if item.url and not web_link(item.url):
            yield self._text(markup, f"Address, as given: {cut(one_line(item.url), 200)}")

    # ------------------------------------------------------------------ texts from outside

    def _link(self, url: str | None) -> str:
        link = web_link(url)
        return unmentioned_link(link) if self.form.chat else link

    def _text(self, markup: Markup, text: str) -> str:
        return markup.escape(self._safe(balanced(text)))

    def _fitted(self, markup: Markup, text: str, limit: int, language: str) -> str:
        """In its own direction, at most ``limit`` units long when it is escaped."""
        shown = cut(text, limit)
        while (over := size(markup.escape(self._safe(shown))) - limit) > 0 and shown:
            shown = cut(text, size(shown) - max(1, over // 8))  # no letter becomes more than eight
        return markup.isolated(markup.escape(self._safe(shown)), "" if language == "und" else language)


def worded(parcel: Parcel, wording: Wording, *, form: Form = WHOLE, brief: bool = False) -> Single | Gathered:
    """What a channel sends of a parcel; ``brief``: the shortest useful message, for a receiver that refused the whole
    one."""
    if len(parcel.tellings) == 1:
        telling = parcel.tellings[0]
        return Single(telling=telling, message=parcel.message.id, wording=wording, form=form, brief=brief)
    return Gathered(parcel=parcel, wording=wording, form=form, brief=brief)
