"""What the README says works as it stands there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from click.testing import CliRunner

from monitor.cli import _COMMANDS, cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return [textwrap.dedent(block) for block in re.findall(rf"```{language}\n(.*?)\n *```", README, re.DOTALL)]


def test_the_keyword_alert_of_the_readme_checks_and_fires(tmp_path: Path) -> None:
    watch, channel = blocks("toml")
    desk = tmp_path / "desk"
    run = CliRunner()
    assert run.invoke(cli, ["init", str(desk)]).exit_code == 0
    (desk / "watches" / "mine.toml").write_text(watch, "utf-8")
    settings = desk / "wirewatch.toml"
    settings.write_text(settings.read_text("utf-8") + textwrap.dedent(channel), "utf-8")

    checked = run.invoke(cli, ["--config", str(desk), "check"])
    assert checked.exit_code == 0, checked.output
    assert "newsroom" in checked.output
    text = "Aid trucks wait at Rafah crossing"
    explained = run.invoke(cli, ["--config", str(desk), "watches", "explain", "crossings", "--text", text])
    assert explained.exit_code == 0, explained.output
    assert "crossings: found" in explained.output


def test_every_command_the_readme_names_exists() -> None:
    named = set(re.findall(r"`?wirewatch (?:--config \S+ )?([a-z]+)", README))
    prose = {"ships", "says", "watches", "is"}
    assert named - prose <= set(_COMMANDS)


def test_every_page_the_readme_leads_to_is_there() -> None:
    for page in re.findall(r"\]\(([^)#]+)\)", README):
        if not page.startswith("http"):
            assert (ROOT / page).exists(), page
