"""``wirewatch backup`` and ``wirewatch restore``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from config.load import load
from config.model.whole import Config
from monitor.cli.opened import with_store
from monitor.ports import Progress, Store


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(folder: Path | None, file: Path) -> None:
    """Copy the whole store to FILE while the service goes on. An existing FILE is not touched."""
    with _shown("Copying") as progress:

        async def ask(_config: Config, store: Store) -> None:
            await store.backup(str(file), progress)

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
    with _shown("Copying", then="Looking through the copy; that takes about as long.") as progress:
        kept = restored(config.settings.store.url, file, folder=base, progress=progress)
    click.echo(f"Restored from {file}." + (f" The store before it is kept as {kept}." if kept else ""))


@contextlib.contextmanager
def _shown(label: str, *, then: str = "") -> Iterator[Progress]:
    """A bar on a terminal from the first that is told, and a line once it is full."""
    terminal = sys.stderr.isatty()
    with contextlib.ExitStack() as stack:
        bars: list[Any] = []

        def told(done: int, whole: int) -> None:
            if not bars:
                bar = click.progressbar(length=whole, label=label, file=sys.stderr, hidden=not terminal)
                bars.append(stack.enter_context(bar))
            bars[0].update(done - bars[0].pos)
            if done >= whole and then and terminal:
                stack.close()
                click.echo(then, err=True)

        yield told
