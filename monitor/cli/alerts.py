"""``wirewatch alerts`` and ``wirewatch channels``: what was told, what could not be, and where."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import click

from config.load import load
from config.model import Config
from monitor import health
from monitor.cli import show
from monitor.cli.opened import with_store
from monitor.clock import SystemClock
from monitor.errors import UnknownName
from monitor.model import Alert, Condition, Delivery, Item
from monitor.ports import Store


@click.group()
def alerts() -> None:
    """The outbox: list, resend."""


@alerts.command(name="list")
@click.option("--state", type=click.Choice(["pending", "delivered", "dead", "suppressed"]), help="Only these.")
@click.option("--watch", help="Only of this watch.")
@show.limit_option
@show.json_option
@click.pass_obj
def list_(folder: Path | None, state: Condition | None, watch: str | None, limit: int, as_json: bool) -> None:
    """Newest first. What is not sent stands here too, suppressed, with its reason."""

    async def ask(_config: Config, store: Store) -> Sequence[Alert]:
        return await store.alerts(condition=state, watch=watch, limit=limit)

    rows = [show.alert_row(alert) for alert in with_store(folder, ask)]
    if as_json:
        show.lines(rows)
    else:
        columns = ["id", "created", "watch", "channel", "event", "state", "attempts", "reason"]
        show.table(rows, columns, empty="No alerts yet.")


@alerts.command()
@click.argument("alert", nargs=-1, required=True)
@click.pass_obj
def resend(folder: Path | None, alert: tuple[str, ...]) -> None:
    """Make dead or suppressed alerts due now; a running service sends them at once."""

    async def ask(_config: Config, store: Store) -> list[str]:
        now = SystemClock().now()
        return [each for each in alert if not await store.resend(each, now)]

    if unknown := with_store(folder, ask):
        raise UnknownName(f"No dead or suppressed alert is called {', '.join(unknown)}.")
    click.echo(f"{len(alert)} alert{'' if len(alert) == 1 else 's'} due now.")


@click.group()
def channels() -> None:
    """Where alerts go: list, test."""


@channels.command(name="list")
@show.json_option
@click.pass_obj
def list_channels(folder: Path | None, as_json: bool) -> None:
    """The channels in force; their addresses are secrets and are not shown."""
    rows = [
        {"id": each.id, "min_severity": each.min_severity, "kind": _kind(each.url)}
        for each in load(folder).settings.channel
    ]
    if as_json:
        show.lines(rows)
    else:
        show.table(rows, ["id", "min_severity", "kind"], empty="No channel: add [[channel]] to wirewatch.toml.")


def _kind(url: object) -> str:
    text = url if isinstance(url, str) else "a file that holds its address"
    return text.partition(":")[0] if text.startswith(("webhook:", "file:")) else text


@channels.command(name="test")
@click.argument("channel")
@click.pass_obj
def test_channel(folder: Path | None, channel: str) -> None:
    """Send one message that says it is a test, and print what the receiver answered."""
    config = load(folder)
    delivery = asyncio.run(_sent(config, channel))
    click.echo(f"{channel}: {delivery.verdict}" + (f": {delivery.detail}" if delivery.detail else ""))
    if delivery.verdict != "sent":
        raise SystemExit(1)


async def _sent(config: Config, channel: str) -> Delivery:
    from monitor.alerts.channels import open_channels  # noqa: PLC0415

    opened = open_channels(config)
    async with contextlib.AsyncExitStack() as stack:
        for each in opened.values():
            stack.push_async_callback(each.close)
        if channel not in opened:
            raise UnknownName(f"No channel is called {channel}; there are {', '.join(opened) or 'none'}.")
        return await opened[channel].send(*_test_message(channel))


def _test_message(channel: str) -> tuple[Alert, Item]:
    now = SystemClock().now()
    item = Item(
        id="test", outlet=health.OUTLET, source=f"{health.OUTLET}/service", url=None,
        title="This is a test of wirewatch",
        lead="Nothing happened. If you read this, the channel works.", language="en", kind="article", author="",
        published=now, published_assumed=False, first_seen=now, revision="test",
    )  # fmt: skip
    alert = Alert(
        id="test", key=f"test|{channel}|test|{now.isoformat()}", watch="wirewatch-notices", channel=channel,
        item=item.id, revision="test", state="new", severity="normal", condition="pending", created=now, due=now,
    )  # fmt: skip
    return alert, item
