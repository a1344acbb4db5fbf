"""``wirewatch channels``: where alerts go, and a test message to see that they arrive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from config.load import load
from config.model.fields import SEVERITIES, Severity, written
from config.model.settings import Channel
from config.model.whole import Config
from monitor import health
from monitor.cli import show
from monitor.clock import SystemClock
from monitor.errors import UnknownName
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item
from monitor.model.messages import Delivery, Message, Parcel
from monitor.model.texts import TextLanguage

_WATCH = "wirewatch-notices"


@click.group()
def channels() -> None:
    """Where alerts go: list, test."""


@channels.command(name="list")
@show.json_option
@click.pass_obj
def list_channels(folder: Path | None, as_json: bool) -> None:
    """The channels in force; their addresses are secrets and are not shown."""
    rows = [_row(each) for each in load(folder).settings.channel]
    if as_json:
        show.lines(rows)
    else:
        columns = ["id", "min_severity", "kind", "quiet", "digest", "escalation"]
        show.table(rows, columns, empty="No channel: add [[channel]] to wirewatch.toml.")


def _row(channel: Channel) -> dict[str, Any]:
    digest = f"every {written(channel.digest)}" if channel.digest else ""
    quiet, after = channel.quiet, channel.escalate_after
    return {
        "id": channel.id,
        "min_severity": channel.min_severity,
        "kind": _kind(channel.url),
        "quiet": f"{quiet.since:%H:%M} to {quiet.to:%H:%M}" if quiet else "",
        "digest": f"at {channel.digest_at:%H:%M}" if channel.digest_at else digest,
        "escalation": f"to {channel.escalate_to} after {written(after)}" if after else "",
    }


def _kind(url: object) -> str:
    text = url if isinstance(url, str) else "a file that holds its address"
    return text.partition(":")[0] if text.startswith(("webhook:", "file:")) else text


@channels.command(name="test")
@click.argument("channel")
@click.option("--digest", is_flag=True, help="A message that gathers three invented alerts, to see how one looks.")
@click.pass_obj
def test_channel(folder: Path | None, channel: str, digest: bool) -> None:
    """Send one message that says it is a test, and print what the receiver answered."""
    config = load(folder)
    parcel = (_gathered if digest else _single)(channel, SystemClock().now())
    delivery = asyncio.run(_sent(config, channel, parcel))
    click.echo(f"{channel}: {delivery.verdict}" + (f": {delivery.detail}" if delivery.detail else ""))
    if delivery.verdict != "sent":
        raise SystemExit(1)


async def _sent(config: Config, channel: str, parcel: Parcel) -> Delivery:
    from monitor.alerts.channels import open_channels  # noqa: PLC0415

    opened = open_channels(config)
    async with contextlib.AsyncExitStack() as stack:
        for each in opened.values():
            stack.push_async_callback(each.close)
        if channel not in opened:
            raise UnknownName(f"No channel is called {channel}; there are {', '.join(opened) or 'none'}.")
        return await opened[channel].send(parcel)


# ------------------------------------------------------------------ invented alerts

_NEWS: tuple[tuple[TextLanguage, Severity, str, str], ...] = (
    ("en", "normal", "This is a test of wirewatch", "Nothing happened. If you read this, the channel works."),
    ("he", "normal", "זוהי הודעת בדיקה של wirewatch", "לא קרה דבר."),
    ("ar", "low", "هذه رسالة اختبار من wirewatch", "لم يحدث شيء."),
)


def _single(channel: str, now: datetime) -> Parcel:
    return _parcel(channel, tuple(_tellings(channel, now))[:1], now)


def _gathered(channel: str, now: datetime) -> Parcel:
    return _parcel(channel, tuple(_tellings(channel, now)), now)


def _parcel(channel: str, tellings: tuple[Telling, ...], now: datetime) -> Parcel:
    alerts = tuple(each.alert for each in tellings)
    alone = len(alerts) == 1
    message = Message(
        id="test", key=alerts[0].key if alone else f"gathered|{channel}|test|{now.isoformat()}", channel=channel,
        kind="alert" if alone else "digest", severity=max((each.severity for each in alerts), key=SEVERITIES.index),
        alerts=alerts, created=now, attempts=1,
    )  # fmt: skip
    return Parcel(message=message, tellings=tellings)


def _tellings(channel: str, now: datetime) -> Iterator[Telling]:
    """The most severe first, as they stand in a message."""
    for language, severity, title, lead in _NEWS:
        item = Item(
            id=f"test-{language}", outlet=health.OUTLET, source=f"{health.OUTLET}/service", url=None, title=title,
            lead=lead, language=language, kind="article", author="", published=now, published_assumed=False,
            first_seen=now, revision="test",
        )  # fmt: skip
        yield Telling(
            alert=Alert(
                id=f"test-{language}", key=f"test|{channel}|{item.id}|{now.isoformat()}", watch=_WATCH,
                channel=channel, item=item.id, revision="test", state="new", severity=severity, condition="pending",
                created=now, due=now, message="test",
            ),
            item=item,
        )  # fmt: skip
