"""``wirewatch check``, ``init`` and ``schema``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from config.model.whole import Config
from monitor.cli import show


@click.command()
@show.json_option
@click.option("--words", is_flag=True, help="Also print how each keyword and concept of each watch is read.")
@click.pass_obj
def check(folder: Path | None, as_json: bool, words: bool) -> None:
    """Read the configuration, run every watch's examples, and print what is in force.

    Every problem is listed at once with its file, line and key. Exit code 1: an example failed; 2: the configuration
    is broken.
    """
    from monitor.cli.opened import has_store, with_store  # noqa: PLC0415
    from monitor.cli.watches import check_watches, past_remarks  # noqa: PLC0415
    from monitor.edition import open_edition  # noqa: PLC0415

    compiled = open_edition(folder)
    config = compiled.config
    if as_json:
        show.lines([_summary(config)])
    else:
        _print(config)
    past = with_store(folder, lambda _config, store: past_remarks(compiled, store)) if has_store(config) else ()
    failed = check_watches(compiled, past, words=words, quiet=as_json)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    if failed:
        raise SystemExit(1)


def _summary(config: Config) -> dict[str, object]:
    settings = config.settings
    return {
        "folder": config.folder,
        "store": settings.store.url,
        "page": settings.web.address,
        "user_agent": settings.service.user_agent,
        "outlets": sorted(config.outlets),
        "sources": sum(len(outlet.source) for outlet in config.outlets.values()),
        "watches": sorted(config.watches),
        "concepts": len(config.concepts),
        "channels": [channel.id for channel in settings.channel],
    }


def _print(config: Config) -> None:
    settings, sources = config.settings, sum(len(outlet.source) for outlet in config.outlets.values())
    click.secho(f"In force from {config.folder or 'what ships (write your own with `wirewatch init DIR`)'}", bold=True)
    click.echo(f"store       {settings.store.url}")
    click.echo(f"page        http://{settings.web.address}")
    click.echo(f"asks as     {settings.service.user_agent}")
    click.echo(f"outlets     {len(config.outlets)} with {sources} sources")
    click.echo(f"concepts    {len(config.concepts)}")
    click.echo(
        f"channels    {', '.join(f'{each.id} (from {each.min_severity})' for each in settings.channel) or 'none'}"
    )
    rows = [
        {
            "watch": watch.id,
            "severity": watch.severity,
            "tells": ", ".join(watch.notify) or "every channel of its severity",
            "title": watch.title,
        }
        for watch in config.watches.values()
    ]
    click.echo()
    show.table(rows, ["watch", "severity", "tells", "title"], empty="No watch yet: see docs/watches.md.")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Write editable copies of the shipped configuration to FOLDER. Nothing there is overwritten."""
    from config.scaffold import init as written  # noqa: PLC0415

    files = written(folder)
    click.echo(f"{len(files)} files in {folder}. Next:")
    click.echo(f"  edit {folder / 'wirewatch.toml'} (channels) and {folder / 'watches'} (keywords)")
    click.echo(f"  wirewatch --config {folder} check")
    click.echo(f"  wirewatch --config {folder} run")


@click.command()
@click.argument("kind", type=click.Choice(["wirewatch", "outlet", "watches", "concepts", "claims", "origins"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of one kind of configuration file."""
    from config.schema import schema as described  # noqa: PLC0415

    click.echo(json.dumps(described(kind), indent=2, ensure_ascii=False))  # type: ignore[arg-type]
