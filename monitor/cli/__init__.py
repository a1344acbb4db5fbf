"""The command line: ``wirewatch COMMAND``.

Commands are imported when they are called, so that ``--help`` answers at once.

Exit codes: 0 done; 1 what was asked for is not so (nothing found, unhealthy, an example failed); 2 wrong usage or a
broken configuration; 3 the store cannot be used; 4 another service holds the store.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from config.errors import Problem

_COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("monitor.cli.service:run", "Watch the outlets and send alerts, until stopped."),
    "demo": ("monitor.cli.demo:demo", "Play a sample day of news in a minute, without a network."),
    "fetch": ("monitor.cli.service:fetch", "Ask one outlet's sources now."),
    "check": ("monitor.cli.configure:check", "Read the configuration and print what is in force."),
    "init": ("monitor.cli.configure:init", "Write editable copies of the shipped configuration."),
    "schema": ("monitor.cli.configure:schema", "Print the JSON Schema of a configuration file, for editors."),
    "watches": ("monitor.cli.watches:watches", "Your keyword alerts: list, test, explain, mute."),
    "concepts": ("monitor.cli.watches:concepts", "The shipped word lists: list, show."),
    "items": ("monitor.cli.items:items", "Collected articles: list, show, search, review, export."),
    "stories": ("monitor.cli.stories:stories", "Events, who told them first, who repeats; and corrections."),
    "outlets": ("monitor.cli.outlets:outlets", "Who is watched and how they are: list, status, test."),
    "alerts": ("monitor.cli.alerts:alerts", "The outbox: list, show, ack, resend."),
    "channels": ("monitor.cli.channels:channels", "Where alerts go: list, test."),
    "backup": ("monitor.cli.store:backup", "Copy the store to a file while the service goes on."),
    "restore": ("monitor.cli.store:restore", "Put a backup in the store's place; the old store is kept aside."),
    "health": ("monitor.cli.service:health", "Ask the running service how it is."),
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]

    def invoke(self, ctx: click.Context) -> Any:
        """Every error of ours becomes a message and an exit code."""
        from config.errors import WirewatchError  # noqa: PLC0415

        try:
            return super().invoke(ctx)
        except WirewatchError as error:
            ctx.exit(_told(error, ctx.obj))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="WIREWATCH_CONFIG",
    help="The folder with wirewatch.toml, outlets/, watches/ and concepts.toml. What it lacks is taken from what "
    "ships. Without it: the current folder if it has a wirewatch.toml, else what ships.",
)
@click.version_option(package_name="wirewatch")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None) -> None:
    """Watch news outlets in English, Hebrew and Arabic, and be told at once, once, and with the reason.

    \b
    Start here:
      wirewatch demo              see it work in a minute, without a network
      wirewatch init my-desk      write the configuration to edit
      wirewatch --config my-desk run
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if folder is None and Path("wirewatch.toml").is_file():
        folder = Path()
    ctx.obj = folder


def main(args: list[str] | None = None) -> None:
    """The program's entry point."""
    cli.main(args=args, prog_name="wirewatch")


def _told(error: Exception, folder: Path | None) -> int:
    from config.errors import ConfigError  # noqa: PLC0415
    from monitor.errors import ServiceRunning, StoreError  # noqa: PLC0415

    if isinstance(error, ConfigError):
        for problem in error.problems:
            click.echo(f"{problem}\n{_line_of(problem, folder)}", err=True)
        count = len(error.problems)
        click.echo(f"{count} problem{'' if count == 1 else 's'} in the configuration.", err=True)
        return 2
    click.echo(str(error), err=True)
    if isinstance(error, ServiceRunning):
        return 4
    return 3 if isinstance(error, StoreError) else 1


def _line_of(problem: Problem, folder: Path | None) -> str:
    """The line the problem stands in, with a caret under the place; empty when it cannot be shown."""
    from config.load import shipped  # noqa: PLC0415

    name = problem.file.removeprefix("shipped/")
    path = (shipped() if name != problem.file else folder or Path()) / name
    try:
        line = path.read_text("utf-8").splitlines()[problem.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return ""
    shown = line.expandtabs(1)
    return f"    {shown}\n    {' ' * (problem.column - 1)}^\n"
