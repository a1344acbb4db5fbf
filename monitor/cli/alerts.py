"""``wirewatch alerts``: what was told, what waits, what could not be told; to acknowledge it and to send it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from config.model.fields import SEVERITIES, Severity
from config.model.whole import Config
from monitor import shapes
from monitor.cli import show
from monitor.cli.opened import known_watch, with_store
from monitor.clock import SystemClock
from monitor.errors import UnknownName
from monitor.model.alerts import Alert, Condition
from monitor.ports import Store

_ALL = 100_000
_COLUMNS = ("id", "created", "watch", "channel", "severity", "event", "state", "attempts", "reason")


@click.group()
def alerts() -> None:
    """The outbox: list, show, ack, resend."""


@alerts.command(name="list")
@click.option("--state", type=click.Choice(["pending", "delivered", "dead", "suppressed"]), help="Only these.")
@click.option("--watch", help="Only of this watch.")
@click.option("--channel", help="Only on this channel.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Only these.")
@click.option("--unacknowledged", is_flag=True, help="Only what was told, or died, and nobody has acknowledged.")
@show.limit_option
@show.json_option
@click.pass_obj
def list_(  # noqa: PLR0917  (options)
    folder: Path | None, /, state: Condition | None, watch: str | None, channel: str | None,
    severity: Severity | None, unacknowledged: bool, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """Newest first. What is not sent stands here too, suppressed, with its reason; what waits says until when."""

    async def ask(config: Config, store: Store) -> tuple[ZoneInfo, Sequence[Alert]]:
        read = _ALL if severity or unacknowledged else limit
        found = await store.alerts(condition=state, watch=watch, channel=channel, limit=read)
        if unacknowledged:
            found = await _unacknowledged(found, store, watch)
        return show.zone_of(config), [each for each in found if severity in (None, each.severity)][:limit]

    zone, found = with_store(folder, ask)
    if as_json:
        show.lines(shapes.alert_row(alert) for alert in found)
    else:
        now = SystemClock().now()
        rows = [show.alert_cells(alert, now, zone) for alert in found]
        filtered = state or watch or channel or severity or unacknowledged
        show.table(rows, _COLUMNS, empty="No such alert." if filtered else "No alerts yet.")


async def _unacknowledged(rows: Sequence[Alert], store: Store, watch: str | None) -> tuple[Alert, ...]:
    """Of ``rows`` those that were told or died, and of whose watch and item nobody acknowledged any since: one word
    is enough, on whatever channel the alert came."""
    seen: dict[tuple[str, str], datetime] = {}
    for row in await store.alerts(watch=watch, limit=_ALL):
        if row.acknowledged is not None:
            of = (row.watch, row.item)
            seen[of] = max(row.acknowledged, seen.get(of, row.acknowledged))
    return tuple(
        row
        for row in rows
        if row.condition in ("delivered", "dead")
        and ((last := seen.get((row.watch, row.item))) is None or last < row.created)
    )


# ------------------------------------------------------------------ show


@alerts.command(name="show")
@click.argument("alert")
@show.json_option
@click.pass_obj
def show_(folder: Path | None, alert: str, as_json: bool) -> None:
    """Everything about one alert: what was found and why, what became of it, and the message that carries it."""
    from monitor.cli.dossier import dossier, printed  # noqa: PLC0415

    zone, found = with_store(folder, lambda config, store: dossier(config, store, alert))
    if as_json:
        show.lines([found.row()])
    else:
        printed(found, SystemClock().now(), zone)


# ------------------------------------------------------------------ ack


@alerts.command()
@click.argument("alert", nargs=-1)
@click.option("--watch", help="All of this watch that were told and that nobody has acknowledged.")
@click.pass_obj
def ack(folder: Path | None, alert: tuple[str, ...], watch: str | None) -> None:
    """Say that somebody sees to these alerts: they are not handed on to others, and what still waits is not sent."""
    if bool(alert) == (watch is not None):
        raise click.UsageError("give the ids of alerts, or --watch")

    async def ask(config: Config, store: Store) -> tuple[ZoneInfo, list[tuple[str, Alert | None, Alert | None]]]:
        ids = list(dict.fromkeys(alert)) if watch is None else await _of_watch(watch, config, store)
        before = {each: await store.alert(each) for each in ids}
        await store.acknowledge(ids, SystemClock().now())
        return show.zone_of(config), [(each, before[each], await store.alert(each)) for each in ids]

    zone, done = with_store(folder, ask)
    for name, before, after in done:
        if before is not None and after is not None:
            click.echo(f"{name}: {_acknowledged(before, after, zone)}")
    if watch is not None and not done:
        click.echo(f"Nothing of {watch} waits to be acknowledged.")
    if unknown := [name for name, before, _after in done if before is None]:
        raise UnknownName(f"No alert is called {', '.join(unknown)}; ids stand in `wirewatch alerts list`.")


async def _of_watch(watch: str, config: Config, store: Store) -> list[str]:
    found = await store.alerts(watch=watch, limit=_ALL)
    if not found:
        known_watch(config, watch)
    return [row.id for row in await _unacknowledged(found, store, watch)]


def _acknowledged(before: Alert, after: Alert, zone: ZoneInfo) -> str:
    if before.acknowledged is not None:
        return f"was acknowledged before, {show.local(before.acknowledged, zone)}"
    if before.condition == "pending" and after.condition == "suppressed":
        return "acknowledged; it had not left, and is not sent"
    return "acknowledged"


# ------------------------------------------------------------------ resend


@alerts.command()
@click.argument("alert", nargs=-1)
@click.option("--dead", is_flag=True, help="All that could not be delivered.")
@click.option("--channel", help="With --dead: only those on this channel.")
@show.yes_option
@click.pass_obj
def resend(folder: Path | None, alert: tuple[str, ...], dead: bool, channel: str | None, yes: bool) -> None:
    """Make dead or suppressed alerts due now, under their old keys; a running service sends them at once."""
    if bool(alert) == dead or (channel is not None and not dead):
        raise click.UsageError("give the ids of alerts, or --dead (with --channel for one channel's)")
    if dead:
        alert = _dead(folder, channel)
        if not alert:
            click.echo("No alert is dead.")
            return
        if not yes:
            click.confirm(f"Send {_counted(len(alert))} again?", abort=True)
    done = with_store(folder, lambda _config, store: store.resend(alert, SystemClock().now()))
    if done:
        click.echo(f"{_counted(len(done))} due now.")
    if unknown := [each for each in alert if each not in done]:
        raise UnknownName(f"No dead or suppressed alert is called {', '.join(unknown)}.")


def _dead(folder: Path | None, channel: str | None) -> tuple[str, ...]:
    async def ask(_config: Config, store: Store) -> tuple[str, ...]:
        return tuple(row.id for row in await store.alerts(condition="dead", channel=channel, limit=_ALL))

    return with_store(folder, ask)


def _counted(count: int) -> str:
    return f"{count} alert{'' if count == 1 else 's'}"
