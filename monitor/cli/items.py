"""``wirewatch items``: what was collected."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from config.model import Config, duration
from monitor.cli import show
from monitor.cli.archive import walked
from monitor.cli.opened import with_store
from monitor.clock import SystemClock
from monitor.errors import UnknownName
from monitor.language.index import search_terms
from monitor.model import Alert, Item, Revision
from monitor.ports import Store


class _Since(click.ParamType[datetime]):
    """``6h``, ``30d`` (back from now) or an ISO date."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return SystemClock().now() - duration(value)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(value).astimezone()
        except ValueError:
            self.fail('write how far back ("6h", "30d") or a date ("2026-11-24")', param, ctx)


SINCE = _Since()

_FILTERS = (
    click.option("--outlet", help="Only this outlet."),
    click.option("--language", type=click.Choice(["en", "he", "ar", "und"])),
    click.option("--watch", help="Only what this watch matched."),
    click.option("--since", type=SINCE, help='How far back ("6h", "30d") or from which date.'),
)


def _filtered(command: Any) -> Any:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.group()
def items() -> None:
    """Collected articles: list, show, search, export."""


@items.command(name="list")
@_filtered
@show.limit_option
@show.json_option
@click.pass_obj
def list_(folder: Path | None, /, limit: int, as_json: bool, **filters: Any) -> None:
    """Newest first."""

    async def ask(_config: Config, store: Store) -> Sequence[Item]:
        return await store.items(limit=limit, **filters)

    _print(with_store(folder, ask), as_json, "Nothing collected yet: start the service with `wirewatch run`.")


@items.command()
@click.argument("query", nargs=-1, required=True)
@show.limit_option
@show.json_option
@click.pass_obj
def search(folder: Path | None, query: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Items that hold every word, in any of its forms, in English, Hebrew or Arabic."""

    async def ask(_config: Config, store: Store) -> Sequence[Item]:
        return await store.search(search_terms(" ".join(query)), limit=limit)

    _print(with_store(folder, ask), as_json, "No item holds all of these words.")


@items.command(name="show")
@click.argument("item")
@show.json_option
@click.pass_obj
def show_(folder: Path | None, item: str, as_json: bool) -> None:
    """One item: its text, its revisions, and what came of it."""

    async def ask(_config: Config, store: Store) -> tuple[Item, Sequence[Revision], Sequence[Alert]]:
        found = await store.item(item)
        if found is None:
            raise UnknownName(f"No item is called {item}: ids stand in `wirewatch items list`.")
        return found, await store.revisions(item), await store.alerts(item=item, limit=1000)

    found, revisions, alerts = with_store(folder, ask)
    if as_json:
        texts = [{"revision": each.id, "seen": each.seen, "title": each.title, "lead": each.lead} for each in revisions]
        show.lines(
            [
                {
                    **show.item_row(found),
                    "body": found.body,
                    "texts": texts,
                    "alerts": [show.alert_row(a) for a in alerts],
                }
            ]
        )
        return
    click.secho(found.title, bold=True)
    assumed = " (assumed: the wire gave no credible date)" if found.published_assumed else ""
    click.echo(f"{found.outlet} · {found.published:%Y-%m-%d %H:%M} UTC{assumed} · {found.language} · {found.id}")
    click.echo(f"{found.url or 'no address'}\nfirst seen {found.first_seen:%Y-%m-%d %H:%M:%S} UTC by {found.source}")
    if found.copy_of:
        click.echo(f"copy of {found.copy_of}: {found.copy_reason}")
    if found.marks:
        click.echo("marks: " + "; ".join(found.marks))
    click.echo(f"\n{found.body or found.lead}\n")
    if len(revisions) > 1:
        show.table([{"seen": each.seen, "title": each.title} for each in revisions], ["seen", "title"], empty="")
    rows = [show.alert_row(alert) for alert in alerts]
    show.table(rows, ["id", "watch", "channel", "event", "state", "reason"], empty="No watch matched it.")


@items.command()
@_filtered
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.pass_obj
def export(folder: Path | None, /, form: str, **filters: Any) -> None:
    """Everything collected, oldest first, to standard output as JSON Lines or CSV."""

    async def ask(_config: Config, store: Store) -> None:
        writer: csv.DictWriter[str] | None = None
        async for item in walked(store, "exporting", **filters):
            row = show.item_row(item)
            if form == "jsonl":
                show.lines([row])
                continue
            if writer is None:
                writer = csv.DictWriter(sys.stdout, fieldnames=list(row))
                writer.writeheader()
            writer.writerow({key: defused(value) for key, value in row.items()})

    with_store(folder, ask)


def defused(value: Any) -> str:
    """A spreadsheet must not take a headline for a formula (F92)."""
    text = "" if value is None else " ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _print(found: Sequence[Item], as_json: bool, empty: str) -> None:
    rows = [show.item_row(item) for item in found]
    if as_json:
        show.lines(rows)
    else:
        show.table(rows, ["id", "first_seen", "outlet", "language", "title"], empty=empty)
