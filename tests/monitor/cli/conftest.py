"""A desk with two channels, two watches and one outlet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitor.cli.desk import Desk

SETTINGS = """\
[service]
time_zone = "Asia/Jerusalem"

[[channel]]
id = "desk"
url = "file:desk.jsonl"
min_severity = "low"
quiet = { from = "23:00", to = "06:00" }
digest = "15m"

[[channel]]
id = "duty"
url = "stdout"
escalate_to = "desk"
escalate_after = "10m"
"""
WATCHES = """\
[[watch]]
id = "deal"
title = "A deal is near"
when = "Doha"
severity = "critical"

[[watch]]
id = "crossings"
title = "Aid"
when = "Rafah"
"""
OUTLET = """\
id = "bbc"
name = "BBC News"
home = "https://bbc.example/"
language = "en"
time_zone = "UTC"
access = "feed"
why = "Its feeds are open to everybody."
[[source]]
id = "main"
kind = "feed"
url = "https://bbc.example/feed"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    for name, text in (
        ("wirewatch.toml", SETTINGS), ("watches/news.toml", WATCHES), ("outlets/bbc.toml", OUTLET),
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o644)
    return Desk(folder=tmp_path)
