"""``wirewatch watches mute``: silence for a watch that is too loud now, without a change of its file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from config.load import load
from config.model.fields import duration
from config.model.whole import Config
from monitor.cli import show
from monitor.cli.opened import known_watch, with_store
from monitor.clock import SystemClock
from monitor.ports import Store

LONGEST = timedelta(days=366)
"""A watch that shall be silent for longer is better taken out of its file, where it is seen."""


@click.command()
@click.argument("watch")
@click.option("--for", "length", metavar="DURATION", help='For so long: "30m", "2h", "1d".')
@click.option(
    "--until", "end", metavar="TIME", help='Until then, by the clock of [service] time_zone: "2026-11-25T08:00".'
)
@click.option("--off", is_flag=True, help="Let it speak again.")
@show.yes_option
@click.pass_obj
def mute(  # noqa: PLR0917  (options)
    folder: Path | None, watch: str, length: str | None, end: str | None, off: bool, yes: bool
) -> None:
    """Send nothing of WATCH for a while, on every channel. What it finds is kept and listed, as muted."""
    if [length is not None, end is not None, off].count(True) != 1:
        raise click.UsageError("give one of --for, --until and --off")
    if off:
        click.echo(with_store(folder, lambda config, store: _spoken(config, store, watch)))
        return
    config, now = load(folder), SystemClock().now()
    told, zone = known_watch(config, watch), show.zone_of(config)
    until = _end(length, end, zone, now)
    said = show.local(until, zone)
    if told.severity == "critical" and not yes:
        click.confirm(f"{watch} is critical. Tell nobody what it finds until {said}?", abort=True)
    waiting = with_store(folder, lambda _config, store: store.mute(watch, until, now))
    click.echo(f"{watch} is muted until {said}.{_not_sent(waiting)}")


async def _spoken(config: Config, store: Store, watch: str) -> str:
    """A watch that was taken out of its file may still be muted."""
    now = SystemClock().now()
    if watch not in await store.muted(now):
        known_watch(config, watch)
        return f"{watch} is not muted."
    await store.mute(watch, None, now)
    return f"{watch} speaks again."


def _end(length: str | None, end: str | None, zone: ZoneInfo, now: datetime) -> datetime:
    try:
        until = now + duration(length) if end is None else _moment(end, zone)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(str(error), param_hint="--for" if end is None else "--until") from None
    if not now < until <= now + LONGEST:
        raise click.UsageError("the end must lie ahead, at most 366 days")
    return until


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError('write a date and a time of day: "2026-11-25T08:00"') from None
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)


def _not_sent(waiting: int) -> str:
    if not waiting:
        return ""
    return f" {waiting} alert{'' if waiting == 1 else 's'} that waited {'is' if waiting == 1 else 'are'} not sent."
