"""``wirewatch demo``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(20, 3600), help="How long the day takes."
)
@click.option("--stay", is_flag=True, help="Keep the page open afterwards, until Ctrl-C.")
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep configuration and store in a folder."
)
@click.option(
    "--page", "address", default="127.0.0.1:8737", show_default=True, help="The page; a free port if it is taken."
)
def demo(seconds: float, stay: bool, keep: Path | None, address: str) -> None:
    """Play a sample day of news in a minute, without a network and without an account.

    A news site on this machine plays nine outlets in three languages, in the formats they really use, to the real
    service. Alerts arrive here, on the page, and at a local webhook. The news is invented. At the end you read what
    was found, what was told, and what went wrong on the way; exit code 0 when nothing was lost and nothing doubled.
    """
    from monitor import log  # noqa: PLC0415
    from monitor.demo.run import play  # noqa: PLC0415
    from monitor.demo.summary import summarise, wants_colour  # noqa: PLC0415
    from spiders.crawl import run as on_reactor  # noqa: PLC0415

    log.set_up(sys.stderr, json=False, level="ERROR")
    colour = wants_colour(sys.stdout, os.environ)
    sys.exit(
        on_reactor(
            lambda: play(
                seconds=seconds, page_address=address, stay=stay, keep=keep, say=click.echo,
                told=lambda result: click.echo(summarise(result, colour=colour)),
            )
        )
    )  # fmt: skip
