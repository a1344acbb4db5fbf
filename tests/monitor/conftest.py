"""A whole desk on loopback: a news server, a webhook, a folder of configuration, and the real service over them."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.newsserver import NewsServer, Site

ROOT = Path(__file__).parents[2]
WATCH = '[[watch]]\nid = "talks"\ntitle = "Talks in Doha"\nwhen = "doha AND talks"\n'


@dataclass(slots=True)
class Folder:
    """A configuration on disk; `write` may be called again, as an editor would."""

    path: Path
    server: NewsServer
    outlets: dict[str, Site] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    """Channel id → webhook address."""
    watches: str = WATCH

    def write(self) -> Path:
        (self.path / "outlets").mkdir(parents=True, exist_ok=True)
        (self.path / "watches").mkdir(exist_ok=True)
        channels = "".join(
            f'[[channel]]\nid = "{name}"\nurl = "webhook:{url}"\nmin_severity = "low"\n'
            for name, url in self.hooks.items()
        )
        allow = json.dumps(list(self.server.allow))
        (self.path / "wirewatch.toml").write_text(
            '[service]\ntime_zone = "UTC"\nbaseline = "100d"\n[web]\naddress = "127.0.0.1:0"\n'
            f"[allow]\nfetch = {allow}\n{channels}",
            "utf-8",
        )
        for name, site in self.outlets.items():
            (self.path / "outlets" / f"{name}.toml").write_text(
                f'id = "{name}"\nname = "{name}"\nhome = "https://{name}.example/"\nlanguage = "en"\n'
                f'time_zone = "UTC"\naccess = "feed"\nwhy = "A test."\ndelay = "0s"\n'
                f'[cadence]\nevery = "5m"\nmin = "1m"\nmax = "1h"\n'
                f'[[source]]\nid = "feed"\nkind = "feed"\nurl = "{site.url("/feed")}"\n',
                "utf-8",
            )
        (self.path / "watches" / "test.toml").write_text(self.watches, "utf-8")
        return self.path

    @property
    def store(self) -> Path:
        return self.path / "wirewatch.db"

    def rows(self, query: str) -> list[sqlite3.Row]:
        """What the store holds, read beside the service."""
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """``python ARGS…`` from the checkout, with the configuration as its folder; it writes to `output`."""
        environment = {**os.environ, "WIREWATCH_CONFIG": str(self.path), "PYTHONPATH": str(ROOT)}
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def output(self) -> Path:
        return self.path / "output.log"

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """One ``wirewatch`` command, to its end."""
        return subprocess.run(
            [sys.executable, "-c", "from monitor.cli import main; main()", *args], cwd=ROOT, text=True, timeout=60,
            env={**os.environ, "WIREWATCH_CONFIG": str(self.path)}, capture_output=True, check=False,
        )  # fmt: skip


@pytest.fixture
def server() -> Iterator[NewsServer]:
    with NewsServer() as running:
        yield running


@pytest.fixture
def folder(server: NewsServer, tmp_path: Path) -> Folder:
    return Folder(path=tmp_path / "desk", server=server)


def entry(site: Site, title: str, path: str, *, age: timedelta = timedelta()) -> dict[str, str]:
    """One RSS entry, dated ``age`` ago."""
    url = site.url(path)
    return {"title": title, "link": url, "guid": url, "pubDate": format_datetime(datetime.now(UTC) - age)}


def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Poll a condition in the outside world; fail with its name when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


async def until_async(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """`until`, for a test that runs the receiver in its own loop."""
    await asyncio.wait_for(_poll(condition), seconds) if not condition() else None
    assert condition(), what


async def _poll(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Verdict:
    """P1-P3 over one run: what was due, what arrived, and what the store says."""

    lost: Sequence[str]
    repeated: Mapping[str, int]
    unexpected: Sequence[str]
    pending: int


def judged(folder: Folder, expected: Sequence[str], arrived: Sequence[str]) -> Verdict:
    """Compare the keys that must arrive with those that did; P1 must hold in the store."""
    rows = folder.rows("SELECT key, condition FROM alerts")
    matches = folder.rows("SELECT DISTINCT item, watch FROM matches")
    assert len({(row["key"].split("|")[2], row["key"].split("|")[0]) for row in rows}) == len(matches)
    counts = Counter(arrived)
    return Verdict(
        lost=sorted(set(expected) - set(arrived)),
        repeated={key: count for key, count in counts.items() if count > 1},
        unexpected=sorted(set(arrived) - set(expected)),
        pending=sum(row["condition"] == "pending" for row in rows),
    )
