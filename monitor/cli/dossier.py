"""Everything about one alert, for ``wirewatch alerts show``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.model.whole import Config
from monitor import shapes
from monitor.alerts.contexts import FIELDS, contexts, found, spans_of
from monitor.alerts.text import isolated
from monitor.alerts.wording import headline
from monitor.cli import show
from monitor.errors import UnknownName
from monitor.language.display import one_line
from monitor.model.alerts import Alert
from monitor.model.items import Item, Span
from monitor.ports import Store
from monitor.web import cards, words

_ALL = 100_000
_CONTEXTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """An alert, its item in the text that matched, and all alerts of the message that carries it."""

    alert: Alert
    item: Item
    members: tuple[tuple[Alert, str], ...]
    """Each with its headline; empty before its turn came."""
    watch: str
    outlet: str

    def row(self) -> dict[str, Any]:
        """As JSON: `shapes.alert_row` with what was found, the item and the message's alerts."""
        match, item = self.alert.match, self.item
        return {
            **shapes.alert_row(self.alert),
            "watch_title": self.watch,
            "clause": match.clause if match else "",
            "undecided": match.undecided if match else "",
            "matched": [_matched(span, item) for span in spans_of(self.alert, item)],
            "last_error": self.alert.last_error,
            "told": {"outlet": item.outlet, "title": item.title, "language": item.language, "url": item.url},
            "members": [alert.id for alert, _headline in self.members],
        }


def _matched(span: Span, item: Item) -> dict[str, Any]:
    text = found(span, item)
    return {"field": span.field, "start": span.start, "end": span.end, "term": span.term, "text": text}


async def dossier(config: Config, store: Store, name: str) -> tuple[ZoneInfo, Dossier]:
    """`UnknownName` when there is no such alert."""
    alert = await store.alert(name)
    item = await store.item(alert.item) if alert else None
    if alert is None or item is None:
        raise UnknownName(f"No alert is called {name}; ids stand in `wirewatch alerts list`.")
    then = next((each for each in await store.revisions(item.id) if each.id == alert.revision), None)
    if then is not None:
        item = replace(item, revision=then.id, title=then.title, lead=then.lead, body=then.body)
    return show.zone_of(config), Dossier(
        alert=alert,
        item=item,
        members=tuple([(each, await _headline(store, each)) for each in await _members(store, alert)]),
        watch=cards.watch_title(alert.watch, config),
        outlet=cards.outlet_name(item.outlet, config),
    )


async def _members(store: Store, alert: Alert) -> Sequence[Alert]:
    if not alert.message:
        return ()
    return (await store.alerts(message=alert.message, limit=_ALL))[::-1]


async def _headline(store: Store, alert: Alert) -> str:
    item = await store.item(alert.item)
    return headline(item) if item else ""


def printed(told: Dossier, now: datetime, zone: ZoneInfo) -> None:
    """On the terminal, for a person."""
    alert, item = told.alert, told.item
    click.secho(isolated(headline(item)), bold=True)
    for name, value in _lines(told, now, zone):
        click.echo(f"{name:<13}{one_line(value)}")
    for context in contexts(spans_of(alert, item), item, _CONTEXTS):
        text = "".join(f"[{piece}]" if marked else piece for piece, marked in context.pieces)
        click.echo(f"  in the {FIELDS[context.field]}: {isolated(text)}")
    if len(told.members) > 1:
        click.echo(f"\nIts message {alert.message} carries {len(told.members)} alerts:")
        rows = [{**shapes.alert_row(each), "headline": title} for each, title in told.members]
        show.table(rows, ["id", "severity", "watch", "state", "headline"], empty="")


def _lines(told: Dossier, now: datetime, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    alert, item = told.alert, told.item
    cells = show.alert_cells(alert, now, zone)
    yield "alert", f"{alert.id}, {alert.severity}, {alert.state}"
    yield "watch", f"{alert.watch}: {isolated(told.watch)}"
    yield "channel", alert.channel
    yield "outlet", f"{isolated(told.outlet)}: {item.url or 'no address'}"
    yield "item", f"{item.id}, revision {alert.revision}"
    yield "state", cells["state"]
    if why := words.reason(cells["reason"]):
        yield "because", why if why == alert.reason or alert.condition == "pending" else f"{why} ({alert.reason})"
    yield "made", show.local(alert.created, zone)
    if alert.due != alert.created:
        yield "due", show.local(alert.due, zone)
    if alert.delivered is not None:
        yield "delivered", show.local(alert.delivered, zone)
    if alert.acknowledged is not None:
        yield "acknowledged", show.local(alert.acknowledged, zone)
    if alert.message:
        last = f", last: {alert.last_error}" if alert.last_error else ""
        yield "message", f"{alert.message}, tried {alert.attempts}×{last}"
    yield "key", alert.key
    if alert.match is not None:
        yield "found by", alert.match.clause or "(not noted)"
        if alert.match.undecided:
            yield "undecided", alert.match.undecided
