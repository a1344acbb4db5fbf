"""``wirewatch run``, ``fetch`` and ``health``."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.errors import ConfigError
from config.load import load
from config.model.settings import Web
from config.model.whole import Config
from monitor import log
from monitor.cli.opened import store_of
from monitor.clock import SystemClock
from monitor.errors import ServiceRunning, StoreUnusable

if TYPE_CHECKING:
    from monitor.alerts.links import Signer


@click.command()
@click.option("--once", is_flag=True, help="Poll what is due, deliver, and exit: for cron and for a first look.")
@click.option("--log-json", is_flag=True, help="Log one JSON object a line instead of key=value.")
@click.option(
    "--log-level", default="INFO", show_default=True,
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
)  # fmt: skip
@click.pass_obj
def run(folder: Path | None, once: bool, log_json: bool, log_level: str) -> None:
    """Watch the outlets and send alerts, until stopped (Ctrl-C or SIGTERM, which takes at most ten seconds).

    The page is at the address of [web] (http://127.0.0.1:8737 unless changed). A saved configuration is taken into
    force at once, and read again on SIGHUP; a broken one is refused and the last good one stays.
    """
    from monitor.edition import open_edition  # noqa: PLC0415

    config = open_edition(folder).config
    log.set_up(sys.stderr, json=log_json, level=log_level.upper())
    log.keep_out(config.secret_values)
    from spiders.crawl import run as on_reactor  # noqa: PLC0415

    if once:
        sys.exit(on_reactor(lambda: _once(config, None)))
    sys.exit(on_reactor(lambda: serve(config, folder)))


@click.command()
@click.argument("outlet")
@click.pass_obj
def fetch(folder: Path | None, outlet: str) -> None:
    """Ask OUTLET's sources now: by the running service if there is one, else here (polls, files and delivers)."""
    config = load(folder)
    from monitor.service import source_ids  # noqa: PLC0415

    sources = source_ids(config, outlet)
    log.set_up(sys.stderr, json=False, level="INFO")
    log.keep_out(config.secret_values)
    from spiders.crawl import run as on_reactor  # noqa: PLC0415

    try:
        sys.exit(on_reactor(lambda: _once(config, outlet)))
    except ServiceRunning:
        asyncio.run(_mark_due(config, sources))
        click.echo(f"{len(sources)} source{'' if len(sources) == 1 else 's'} due now: the running service asks them.")


async def serve(config: Config, folder: Path | None) -> int:
    """The service with its page, until a signal."""
    from monitor.service import Service  # noqa: PLC0415
    from monitor.web.app import build  # noqa: PLC0415
    from monitor.web.live import Live  # noqa: PLC0415
    from monitor.web.server import serving  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:  # in a thread: a migration may take long, and a signal must be heard meanwhile (F141)
        store = await asyncio.to_thread(store_of, config, exclusive=True, given_up=stop.is_set)
    except StoreUnusable:
        if stop.is_set():
            return 0
        raise
    try:
        live = Live()
        service = Service(
            config, store, SystemClock(), randomness=random.SystemRandom(), folder=folder, on_filed=live.filed
        )  # fmt: skip
        loop.add_signal_handler(signal.SIGHUP, service.reload.soon)
        app = build(store, lambda: service.desk.edition, service.status, signer=_signer(config), live=live)
        async with serving(app, config.settings.web.address, ending=live.close) as address:
            click.echo(f"wirewatch is watching. The page: {address}", err=True)
            await service.run(stop)
    finally:
        await store.close()
    return 0


def _signer(config: Config) -> Signer:
    from monitor.alerts import links  # noqa: PLC0415

    key = links.key_file(config)
    try:
        return links.signer_of(key)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
        raise StoreUnusable(f"The key beside the store, {key}, cannot be used: {why}") from None


async def _once(config: Config, outlet: str | None) -> int:
    from monitor.service import Service  # noqa: PLC0415

    store = store_of(config, exclusive=True)
    try:
        service = Service(config, store, SystemClock(), randomness=random.SystemRandom())
        asked, delivered = await service.once(outlet)
        counts = await store.count()
    finally:
        await store.close()
    told = f"{delivered.sent} sent, {delivered.later} to be tried again, {delivered.dead} undeliverable"
    click.echo(f"{asked} sources asked; {counts.get('items', 0)} items held; alerts: {told}", err=True)
    return 0


async def _mark_due(config: Config, sources: tuple[str, ...]) -> None:
    store = store_of(config)
    try:
        await store.mark_due(sources, SystemClock().now())
    finally:
        await store.close()


def _page_address(folder: Path | None) -> str:
    """Where the running service has its page. What stands on disk may be refused meanwhile (F138): then what can be
    read of it counts."""
    try:
        return load(folder).settings.web.address
    except ConfigError:
        try:
            told = tomllib.loads(((folder or Path()) / "wirewatch.toml").read_text("utf-8"))
            return Web.model_validate(told.get("web", {})).address
        except (OSError, ValueError):
            return Web().address


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what /health answers.")
@click.pass_obj
def health(folder: Path | None, as_json: bool) -> None:
    """Ask the running service how it is. Exit code 0: well or degraded; 1: failing or not there."""
    import http.client  # noqa: PLC0415

    address = _page_address(folder)
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, ValueError) as error:
        click.echo(f"No service answers at {address}: {error}. Start it with `wirewatch run`.", err=True)
        sys.exit(1)
    finally:
        connection.close()
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        click.echo(f"{said['state']}: {said['sources']} sources, {said['items']} items, alerts {said['alerts']}")
        for problem in said["problems"]:
            click.echo(f"- {problem}")
    sys.exit(1 if said["state"] == "failing" else os.EX_OK)
