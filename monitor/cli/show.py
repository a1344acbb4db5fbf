"""How listings look: a table for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.model.whole import Config
from monitor.language.display import CONTROLS
from monitor.model.alerts import Alert
from monitor.shapes import alert_row
from monitor.web import words

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with stable field names.")
limit_option = click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")

FSI, PDI = "\u2068", "\u2069"


def lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False, default=_plain))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """Columns padded to their widest cell; the last one runs on. Hebrew and Arabic cells are isolated."""
    if not rows:
        click.echo(empty)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(_width(each[i]) for each in [list(columns), *cells]) for i in range(len(columns) - 1)]
    click.secho(_row([column.replace("_", " ") for column in columns], widths), bold=True)
    for each in cells:
        click.echo(_row(each, widths))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, cells[-1]])


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "–"
    text = f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
    text = CONTROLS.sub("", text)
    return f"{FSI}{text}{PDI}" if turns(text) else text


def turns(text: str) -> bool:
    """Whether it holds letters that run from right to left."""
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.category(letter) in ("Mn", "Cf") else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def zone_of(config: Config) -> ZoneInfo:
    """The zone in which people here read times."""
    return ZoneInfo(config.settings.service.time_zone)


def local(at: datetime, zone: ZoneInfo) -> str:
    """A time by the clock here, with the name of its zone: most listings are in UTC."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def alert_cells(alert: Alert, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """`alert_row` as a table shows it: acknowledged is a mark on the state, and what waits says until when."""
    row: dict[str, Any] = {**alert_row(alert)}
    if alert.acknowledged is not None:
        row["state"] = f"{alert.condition}, acknowledged"
    if words.waits(alert, now):
        until = f"{words.until(alert.due, now, zone)} {alert.due.astimezone(zone):%Z}"
        row["reason"] = f"waits until {until}: {words.held(alert, zone)}"
    elif alert.condition == "pending":
        row["reason"] = alert.last_error
    return row
