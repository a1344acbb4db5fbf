"""``wirewatch outlets``: who is watched, how they are, and a trial for a new one."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from config.load import load
from config.model.outlets import Outlet
from config.model.settings import StoreSettings
from config.model.whole import Config
from monitor import log, shapes
from monitor.cli import show
from monitor.cli.opened import store_of, with_store
from monitor.clock import SystemClock
from monitor.errors import UnknownName
from monitor.model.items import Item
from monitor.model.sources import SourceState
from monitor.ports import Store
from monitor.schedule import GOOD

_SHOWN = 5


@click.group()
def outlets() -> None:
    """Who is watched and how they are: list, status, test."""


@outlets.command(name="list")
@show.json_option
@click.pass_obj
def list_(folder: Path | None, as_json: bool) -> None:
    """Every outlet in force, and why it is watched the way it is."""
    rows = [shapes.outlet_row(outlet) for outlet in load(folder).outlets.values()]
    if as_json:
        show.lines(rows)
    else:
        show.table(rows, ["id", "language", "access", "sources", "name"], empty="No outlet.")
        click.echo("\n`wirewatch outlets list --json` also says why each is watched this way.")


@outlets.command()
@click.argument("outlet", required=False)
@show.json_option
@click.pass_obj
def status(folder: Path | None, outlet: str | None, as_json: bool) -> None:
    """Each source: state, reason, last good answer, when it is asked next. A closed one shows the rule."""

    async def ask(config: Config, store: Store) -> Sequence[SourceState]:
        if outlet is not None and outlet not in config.outlets:
            raise UnknownName(f"No outlet is called {outlet}; see `wirewatch outlets list`.")
        return [each for each in await store.sources() if outlet in (None, each.outlet)]

    rows = [shapes.source_row(each) for each in with_store(folder, ask)]
    if as_json:
        show.lines(rows)
    else:
        columns = ["source", "state", "last_good", "next_due", "entries", "reason"]
        show.table(rows, columns, empty="Nothing was asked yet: start the service with `wirewatch run`.")


@outlets.command(name="test")
@click.argument("what")
@click.option("--language", type=click.Choice(["en", "he", "ar"]), default="en", help="Of a bare address.")
@show.json_option
@click.pass_obj
def test_outlet(folder: Path | None, what: str, language: str, as_json: bool) -> None:
    """Try WHAT once: an address, an outlet's file, or an outlet in force.

    It is asked as the service would ask it (robots rules, delays, public addresses only) and read by the same code;
    nothing is written to the store and nothing is sent. Exit code 1 when a source gave nothing to read.
    """
    from spiders.crawl import run as on_reactor  # noqa: PLC0415

    log.set_up(sys.stderr, json=False, level="ERROR")
    config = load(folder)
    trials: list[Trial] = []
    on_reactor(lambda: _first_that_reads(config, _trials(config, folder, what, language), trials))
    shown = next((trial for trial in trials if _reads(trial)), trials[0])
    for state, found in shown:
        _print(state, found, as_json)
    if not all(state.outcome in GOOD for state, _items in shown):
        raise SystemExit(1)


Trial = Sequence[tuple[SourceState, Sequence[Item]]]
"""Each source of a tried outlet, and what was read from it."""


def _reads(trial: Trial) -> bool:
    return any(state.outcome in GOOD and state.entries for state, _items in trial)


async def _first_that_reads(config: Config, outlets: Sequence[Outlet], trials: list[Trial]) -> int:
    for outlet in outlets:
        trials.append(await _tried(config, outlet))
        if _reads(trials[-1]):
            break
    return 0


def _trials(config: Config, folder: Path | None, what: str, language: str) -> Sequence[Outlet]:
    """The outlets that ``what`` may mean: a bare address is tried as a feed, then as a sitemap."""
    if what in config.outlets:
        return [config.outlets[what]]
    if what.startswith(("http://", "https://")):
        return [_bare(what, kind, language) for kind in ("feed", "sitemap")]
    if not Path(what).is_file():
        raise UnknownName(f"{what} is neither an address, nor a file, nor an outlet in force.")
    return [load(folder, outlet=Path(what)).outlets[Path(what).stem]]


def _bare(url: str, kind: str, language: str) -> Outlet:
    parts = urlsplit(url)
    told: Mapping[str, Any] = {
        "id": "trial", "name": parts.hostname or "trial", "home": f"{parts.scheme}://{parts.netloc}/",
        "language": language, "time_zone": "UTC", "access": "feed", "why": "A trial.",
        "source": [{"id": kind, "kind": kind, "url": url}],
    }  # fmt: skip
    return Outlet.model_validate(told)


async def _tried(config: Config, outlet: Outlet) -> Trial:
    """The whole real path once, over a store that ends with the trial."""
    from monitor.service import Service  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        settings = config.settings.model_copy(
            update={"store": StoreSettings(url=f"sqlite:///{folder}/trial.db"), "channel": ()}
        )
        trial = config.model_copy(
            update={"settings": settings, "outlets": {outlet.id: outlet}, "watches": {}, "folder": folder}
        )
        store = store_of(trial, exclusive=True)
        try:
            service = Service(trial, store, SystemClock(), randomness=random.SystemRandom(), workers=1)
            await service.once()
            items = await store.items(limit=10_000)
            return [(state, [item for item in items if item.source == state.id]) for state in await store.sources()]
        finally:
            await store.close()


def _print(state: SourceState, found: Sequence[Item], as_json: bool) -> None:
    if as_json:
        show.lines([{**shapes.source_row(state), "items": [shapes.item_row(item) for item in found]}])
        return
    outcome = state.outcome.value if state.outcome else "not asked"
    click.secho(f"{state.id}  {outcome}", bold=True)
    click.echo(f"  {state.url}")
    if state.reason:
        click.echo(f"  {state.reason}")
    if state.excerpt:
        click.echo(f"  it answered: {state.excerpt}")
    newest = max((item.published for item in found), default=None)
    click.echo(f"  {len(found)} entries kept" + (f", the newest of {newest:%Y-%m-%d %H:%M} UTC" if newest else ""))
    for item in sorted(found, key=lambda item: item.published, reverse=True)[:_SHOWN]:
        click.echo(f"  {item.published:%m-%d %H:%M}  [{item.language}] {item.title}\n               {item.url}")
