"""The whole demo, as a newcomer runs it: the real command, the real service, the real guard, on loopback only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.load import load as load_config
from monitor.demo.day import Day


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("demo") / "kept"
    command = "from monitor.cli import main; main()"
    arguments = ["demo", "--seconds", "30", "--keep", str(folder), "--page", "127.0.0.1:0"]
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", command, *arguments],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
    return done, folder


def test_a_whole_day_is_found_once_and_told_once(
    played: tuple[subprocess.CompletedProcess[str], Path], day: Day
) -> None:
    done, _folder = played
    summary = done.stdout[done.stdout.rfind(day.title) :]
    assert done.returncode == 0, summary + done.stderr
    expected = len(day.expected())
    assert f"{expected} of {expected} expected alerts delivered: none missing, none doubled, none unexpected" in summary
    assert "ynetnews/news does not answer" in summary
    assert "ap/news-sitemap is back" in summary
    assert "closed by robots.txt, shown and never asked: robots.txt of http://127.0.0.1" in summary


def test_nothing_goes_wrong_on_the_way(played: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, _folder = played
    assert done.stderr == ""


def test_the_kept_folder_is_a_configuration(played: tuple[subprocess.CompletedProcess[str], Path], day: Day) -> None:
    _done, folder = played
    assert set(load_config(folder).outlets) == set(day.editions)


def test_a_backtest_of_the_day_gives_exactly_what_the_live_service_gave(
    played: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """Over the texts that the archive holds as the service saw them: not those whose headline changed since, and not
    those of which the outlet's file lets less be kept than the watches read."""
    _done, folder = played
    config = load_config(folder)
    cut = {outlet.id for outlet in config.outlets.values() if outlet.keep == "headline"}
    items = {row["id"]: row for row in _listing(folder, "items", "list", "--limit", "10000")}
    same = {
        name
        for name, row in items.items()
        if row["revisions"] == 1 and row["outlet"] not in cut and row["outlet"] in config.outlets
    }
    live = {
        (row["watch"], row["item"])
        for row in _listing(folder, "alerts", "list", "--limit", "100000")
        if row["item"] in same
    }
    tested = {
        (row["watch"], row["item"])
        for row in _listing(folder, "watches", "test", "--since", "30d")
        if row["item"] in same
    }
    assert len(live) > 20
    assert tested == live


def _listing(folder: Path, *command: str) -> list[dict[str, Any]]:
    """What a command lists with ``--json``."""
    done = subprocess.run(
        [sys.executable, "-c", "from monitor.cli import main; main()", "--config", str(folder), *command, "--json"],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
