"""A running service in a process of its own, told what to do: its folder, its receiver, its clock.

::

    with NewsServer() as server, Receiver() as hook, Clocked(Room(path, server), START) as desk:
        desk.room.outlet("herald", site.url("/feed"))
        desk.reload()                      # everything due is asked, filed and delivered before it returns
        desk.later(minutes=5)              # so it is with each step of the clock
        assert hook.titles() == [...]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

from storage.rows import when
from tests.hook import Hook, Received
from tests.newsserver import NewsServer

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TALKS = '[[watch]]\nid = "talks"\ntitle = "Talks in Doha"\nwhen = "doha AND talks"\n'
CLI = ("-c", "from monitor.cli import main; main()")

MEMORY = Path("/dev/shm")
"""Linux's file system in memory. What is killed is a process, not the machine, so nothing needs to reach a disk."""


def quick_folder(prefix: str) -> Path:
    """A new folder in memory where that is possible, else where temporary files are."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if MEMORY.is_dir() else None))


def until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Poll the outside world; fail with ``what`` when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)


@dataclass(slots=True)
class Room:
    """A configuration on disk. `write` replaces each file whole, as a good editor does; every step is valid."""

    path: Path
    server: NewsServer
    channels: dict[str, str] = field(default_factory=dict)
    """Channel id → its ``url`` as TOML text."""
    outlets: dict[str, str] = field(default_factory=dict)
    watches: str = TALKS
    baseline: str = "2h"
    web: str = "127.0.0.1:0"
    service: str = ""
    """More keys of ``[service]``."""

    def outlet(self, name: str, *urls: str, every: str = "5m", **more: str) -> None:
        """An outlet whose sources are the feeds at ``urls``; ``more`` keys are TOML text."""
        keys = {
            "name": f'"{name}"', "home": f'"https://{name}.example/"', "language": '"en"', "time_zone": '"UTC"',
            "access": '"feed"', "why": '"A test."', "delay": '"0s"', "keep": '"body"', **more,
        }  # fmt: skip
        head = "".join(f"{key} = {text}\n" for key, text in keys.items())
        sources = "".join(
            f'[[source]]\nid = "feed{place or ""}"\nkind = "feed"\nurl = "{url}"\n' for place, url in enumerate(urls)
        )
        cadence = f'[cadence]\nevery = "{every}"\nmin = "1m"\nmax = "6h"\n'
        self.outlets[name] = f'id = "{name}"\n{head}{cadence}{sources}'

    def write(self) -> None:
        for part in ("outlets", "watches"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        for name, text in self.outlets.items():
            self.save(f"outlets/{name}.toml", text)
        channels = "".join(
            f'[[channel]]\nid = "{name}"\nurl = {url}\nmin_severity = "low"\n' for name, url in self.channels.items()
        )
        self.save(
            "wirewatch.toml",
            f'[service]\ntime_zone = "UTC"\nbaseline = "{self.baseline}"\n{self.service}[web]\naddress = "{self.web}"\n'
            f"[allow]\nfetch = {json.dumps(list(self.server.allow))}\n{channels}",
        )
        self.save("watches/test.toml", self.watches)
        for path in (self.path / "outlets").glob("*.toml"):
            if path.stem not in self.outlets:
                path.unlink()

    def save(self, name: str, text: str | bytes) -> None:
        beside = self.path / f"{name}.part"
        beside.write_bytes(text.encode() if isinstance(text, str) else text)
        beside.replace(self.path / name)

    # ------------------------------------------------------------------ the store, read beside the service

    @property
    def store(self) -> Path:
        return self.path / "wirewatch.db"

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with contextlib.closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=20)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def alerts(self, query: str = "") -> list[tuple[str, str, str, str]]:
        """(title, state, condition, reason) of the alerts of news, oldest first."""
        found = self.rows(
            "SELECT items.outlet, revisions.title, alerts.state, condition, reason FROM alerts JOIN items ON"
            " items.id = alerts.item JOIN revisions ON revisions.number = items.current"
            f" WHERE items.outlet NOT IN ('wirewatch', 'wirewatch-canary') {query} ORDER BY alerts.number"
        )
        return [(row["title"], row["state"].split(":")[0], row["condition"], row["reason"]) for row in found]

    def notices(self) -> list[str]:
        """The service's own notices, oldest first."""
        found = self.rows(
            "SELECT revisions.title FROM items JOIN revisions ON revisions.number = items.current"
            " WHERE outlet = 'wirewatch' ORDER BY items.number"
        )
        return [row["title"] for row in found]

    # ------------------------------------------------------------------ processes over it

    @property
    def output(self) -> Path:
        return self.path / "output.log"

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, "WIREWATCH_CONFIG": str(self.path), "PYTHONPATH": str(ROOT), **more}

    def start(self, *command: str, pipes: bool = False, **more: str) -> subprocess.Popen[bytes]:
        """``python COMMAND…`` with this folder; what it says goes to `output`, ``more`` into its environment."""
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.environment(more), stderr=output,
                stdin=subprocess.PIPE if pipes else None, stdout=subprocess.PIPE if pipes else output,
            )  # fmt: skip

    def run(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One ``wirewatch`` command, to its end."""
        return subprocess.run(
            [sys.executable, *CLI, *args], cwd=ROOT, text=True, timeout=60, env=self.environment(more),
            capture_output=True, check=False,
        )  # fmt: skip

    def quiet(self, now: datetime) -> bool:
        """Nobody is being asked, and nothing is due at ``now``: neither a source, nor a page, nor an alert."""
        (busy,) = self.rows(
            "SELECT (SELECT count(*) FROM hosts WHERE leased_until > ?1)"
            " + (SELECT count(*) FROM sources LEFT JOIN hosts USING (host)"
            "    WHERE in_force AND next_due <= ?1 AND coalesce(next_ok, '') <= ?1)"
            " + (SELECT count(*) FROM pages LEFT JOIN hosts USING (host)"
            "    WHERE due <= ?1 AND coalesce(next_ok, '') <= ?1)"
            " + (SELECT count(*) FROM alerts LEFT JOIN messages ON messages.number = alerts.message"
            "    WHERE alerts.condition = 'pending' AND alerts.due <= ?1 AND coalesce(messages.due, '') <= ?1)",
            when(now),
        )
        return bool(busy[0] == 0)


class Clocked:
    """The service under a standing clock (`tests.rig.clocked`)."""

    def __init__(self, room: Room, now: datetime) -> None:
        self.room, self.now = room, now

    def __enter__(self) -> Self:
        self.room.write()
        self._process = self.room.start(
            "-m", "tests.rig.clocked", str(self.room.path), self.now.isoformat(), pipes=True
        )
        self.status()  # it is there
        self.settle()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait(20)
        self._process.stdout.close()
        assert code == 0, self.room.output.read_text()[-4000:]

    def ask(self, **command: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self.room.output.read_text()[-4000:]
        return json.loads(answer)

    def status(self) -> dict[str, Any]:
        """What ``/health`` says."""
        said: dict[str, Any] = self.ask(status=True)
        return said

    def settle(self) -> None:
        until(lambda: self.room.quiet(self.now), "everything due was asked, filed and delivered")

    def set(self, now: datetime, *, settle: bool = True) -> None:
        self.now = now
        self.ask(at=now.isoformat())
        if settle:
            self.settle()

    def later(self, *, settle: bool = True, **parts: float) -> None:
        """Let so much time pass at once, and everything that is due then happen."""
        self.set(self.now + timedelta(**parts), settle=settle)

    def hold(self, **parts: float) -> None:
        """Let so much time pass, and the next filing then begin and wait for another configuration."""
        self.now += timedelta(**parts)
        self.ask(hold=self.now.isoformat())

    def reload(self, *, settle: bool = True, times: int = 1) -> bool:
        """Write the folder, have it taken into force (read ``times`` times at once), and let everything due happen."""
        self.room.write()
        taken: bool = self.ask(reload=times)
        if settle:
            self.settle()
        return taken

    def entry(self, title: str, url: str, *, age: timedelta = timedelta(minutes=1), **more: str) -> dict[str, str]:
        """One RSS entry, dated ``age`` before the clock."""
        return {"title": title, "link": url, "guid": url, "pubDate": format_datetime(self.now - age), **more}


class Receiver:
    """`tests.hook.Hook` in a thread of its own, for tests that are not asynchronous."""

    def __init__(self) -> None:
        self.hook = Hook()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hook", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.hook.__aenter__(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self.hook.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def channel(self) -> str:
        """The ``url`` of a channel that leads here, as TOML."""
        return f'"webhook:{self.hook.url}"'

    @property
    def received(self) -> list[Received]:
        return list(self.hook.received)

    def emptied(self) -> None:
        """`Hook.emptied`, waited for."""
        asyncio.run_coroutine_threadsafe(self.hook.emptied(), self._loop).result(40)

    @property
    def keys(self) -> Counter[str]:
        return Counter(each.key for each in self.received)

    def news(self) -> list[str]:
        """Keys of the alerts of news that came, in order."""
        return [each.key for each in self.received if not each.key.startswith("wirewatch-notices|")]

    def clear(self) -> None:
        self.hook.received.clear()
        self.hook.answers.clear()
        self.hook.then = 200
        self.hook.judge = lambda received: None


@contextlib.contextmanager
def running(room: Room, *args: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """``wirewatch run`` until the block ends; it must end well within its promise of ten seconds."""
    room.write()
    process = room.start(*CLI, "run", *args, pipes=False, **environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        code = process.wait(12)
    assert code == 0, room.output.read_text()[-4000:]
