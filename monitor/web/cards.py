"""What the page shows, made of what the store holds: alerts gathered by what they tell, sources in order of need. Pure.

The outbox has one row for each watch and channel; a reader wants one headline with what became of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from config.model.fields import SEVERITIES, Severity
from config.model.outlets import Outlet, Source
from config.model.whole import Config
from monitor import health
from monitor.model.alerts import Alert, Condition
from monitor.model.items import Item, Revision, Span
from monitor.model.sources import SourceState
from monitor.ports import Store
from monitor.web import words

_SAID: dict[Condition, str] = {
    "delivered": "sent to",
    "pending": "on its way to",
    "dead": "not delivered to",
    "suppressed": "not sent to",
}
_AFTER = re.compile(r"(?<=\d[smhd]) after \w+")
"""The alert that a cooldown began with: it is another one on each channel, and an id says nothing here."""
NEED = ("bad", "fair", "wait", "shut", "good")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of the rows of one watch, gathered: ``sent to page, terminal``."""

    condition: Condition
    said: str
    channels: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One watch that found an item, and what became of it."""

    watch: str
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All rows about one state of one item."""

    id: str
    rows: tuple[Alert, ...]
    item: Item | None
    """``None``: its text was removed since."""
    outlet: str
    change: str
    """How it came to be told, when it is not simply new."""
    severity: Severity
    at: datetime
    lines: tuple[Line, ...]
    title: tuple[words.Piece, ...]
    acknowledged: datetime | None = None
    """When somebody first said to have seen to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the state of a row is read against."""

    now: datetime
    zone: ZoneInfo
    muted: Mapping[str, datetime]
    """Watch → until when it says nothing."""

    def until(self, then: datetime) -> str:
        return words.until(then, self.now, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source as we know it and as it is configured."""

    state: SourceState
    outlet: Outlet | None
    source: Source | None
    mood: str

    @property
    def own(self) -> str:
        """Its name within the outlet."""
        return self.state.id.partition("/")[2]


def moment(config: Config, now: datetime, muted: Mapping[str, datetime]) -> Moment:
    return Moment(now=now, zone=ZoneInfo(config.settings.service.time_zone), muted=muted)


def card(
    rows: Sequence[Alert], item: Item | None, revisions: Sequence[Revision], config: Config, moment: Moment
) -> Card:
    """Of all rows about one state of one item, in the order in which channels shall be named; ``revisions`` are those
    of the item, when it changed since."""
    spans = () if item is None else standing(rows, item, revisions)
    return Card(
        id=rows[0].item,
        rows=tuple(rows),
        item=item,
        outlet=outlet_name(item.outlet, config) if item else "",
        change=_change(rows[0].state),
        severity=max((row.severity for row in rows), key=SEVERITIES.index),
        at=max(row.created for row in rows),
        lines=tuple(
            Line(
                watch=watch_title(watch, config),
                fates=fates([row for row in rows if row.watch == watch], moment),
            )
            for watch in dict.fromkeys(row.watch for row in rows)
        ),
        title=words.marked(item.title, spans, "title") if item else (),
        acknowledged=min((row.acknowledged for row in rows if row.acknowledged), default=None),
    )


async def gathered(
    store: Store, config: Config, seeds: Iterable[Alert], limit: int, moment: Moment
) -> tuple[Card, ...]:
    """A card for each headline that ``seeds`` name, with all its rows in that state."""
    states = [*dict.fromkeys((row.item, row.state) for row in seeds)][:limit]
    rows = await store.alerts_of([item for item, _state in states])
    made = []
    for name, state in states:
        own = [row for row in rows.get(name, ()) if row.state == state]
        held = await store.item(name)
        old = held is not None and any(row.revision != held.revision for row in own)
        made.append(card(own[::-1], held, await store.revisions(name) if old else (), config, moment))
    return tuple(made)


def _change(state: str) -> str:
    if state.startswith("edited:"):
        return "edited"
    words = {"new": "", "completed": "found in its text", "escalated": "nobody acknowledged it in time"}
    return words.get(state.partition(":")[0], state)


def fates(rows: Iterable[Alert], moment: Moment) -> tuple[Fate, ...]:
    """What became of rows, gathered by what is said of them; each channel is named once in each."""
    gathered: dict[tuple[Condition, str, str], list[str]] = {}
    for row in rows:
        gathered.setdefault((row.condition, said(row, moment), why(row, moment)), []).append(row.channel)
    return tuple(
        Fate(condition=condition, said=told, channels=tuple(dict.fromkeys(channels)), why=reason)
        for (condition, told, reason), channels in gathered.items()
    )


def said(row: Alert, moment: Moment) -> str:
    """What became of a row, to be followed by its channel: ``sent to``, ``waits until 06:00 for``."""
    if words.waits(row, moment.now):
        return f"waits until {moment.until(row.due)} for"
    return _SAID[row.condition]


def why(row: Alert, moment: Moment) -> str:
    """The reason in a reader's words; empty when there is none to give."""
    if row.condition == "suppressed":
        return words.reason(row.reason)
    if words.waits(row, moment.now):
        return _AFTER.sub("", words.held(row, moment.zone))
    if row.condition == "pending":
        return f"tried {row.attempts}×, last: {row.last_error}" if row.last_error else ""
    return row.reason


def standing(alerts: Iterable[Alert], item: Item, revisions: Iterable[Revision]) -> tuple[Span, ...]:
    """The spans that still hold in the item's text: their field reads now as it did when the watch found them."""
    texts = {revision.id: revision for revision in revisions}
    held: set[Span] = set()
    for alert in alerts:
        then = texts.get(alert.revision)
        for span in alert.match.spans if alert.match else ():
            if span.field not in ("title", "lead", "body"):
                continue
            if alert.revision == item.revision or (
                then is not None and getattr(then, span.field) == getattr(item, span.field)
            ):
                held.add(span)
    return tuple(held)


def source_lines(states: Iterable[SourceState], config: Config) -> tuple[SourceLine, ...]:
    """Those that need a look first; then by outlet and name."""
    lines = [_source_line(state, config.outlets.get(state.outlet)) for state in states]
    return tuple(sorted(lines, key=lambda line: (NEED.index(line.mood), line.state.id)))


def _source_line(state: SourceState, outlet: Outlet | None) -> SourceLine:
    own = state.id.partition("/")[2]
    source = next((each for each in outlet.source if each.id == own), None) if outlet else None
    return SourceLine(state=state, outlet=outlet, source=source, mood=words.mood(state.outcome))


def outlet_name(outlet: str, config: Config) -> str:
    return config.outlets[outlet].name if outlet in config.outlets else outlet


def watch_title(watch: str, config: Config) -> str:
    """As the operator wrote it; a watch that is not there any more has only its id."""
    own = health.built_in_watch(config.settings)
    if watch == own.id:
        return own.title
    return config.watches[watch].title if watch in config.watches else watch
