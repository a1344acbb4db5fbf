"""``wirewatch backup`` and ``wirewatch restore``."""

from __future__ import annotations

from pathlib import Path

import click

from config.load import load
from config.model import Config
from monitor.cli.opened import with_store
from monitor.ports import Store


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(folder: Path | None, file: Path) -> None:
    """Copy the whole store to FILE while the service goes on. An existing FILE is not touched."""

    async def ask(_config: Config, store: Store) -> None:
        await store.backup(str(file))

    with_store(folder, ask)
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB. Put it back with `wirewatch restore {file}`.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.confirmation_option(prompt="Replace the store by this backup? (The present store is kept aside.)")
@click.pass_obj
def restore(folder: Path | None, file: Path) -> None:
    """Put FILE in the store's place, after checking it whole. Refused while a service runs."""
    from storage import restore as restored  # noqa: PLC0415

    config = load(folder)
    base = Path(config.folder) if config.folder else None
    kept = restored(config.settings.store.url, file, folder=base)
    click.echo(f"Restored from {file}." + (f" The store before it is kept as {kept}." if kept else ""))
