"""One poll of 1,000 sources, each on a host of its own, beside ``reader`` in the same run.

``.venv/bin/python -m benchmarks.polling [SOURCES]``. CPU seconds of the running program with its workers: nothing
changed (304), and one source in ten with a new entry. Robots rules are already known; both programs are warm, and both
find their connections closed, as polls are minutes apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from benchmarks.newswire import Newswire, newswire
from benchmarks.rig import START, Bench, SetClock, configuration, cpu, on_reactor, outlet, running

ENTRIES = 40
ROUNDS = 3


def feed(host: int, newest: int) -> bytes:
    """Forty entries, the newest numbered ``newest``."""
    items = "".join(
        f"<item><title>Sample report {number} of desk {host}: council debates the budget for roads</title>"
        f"<link>https://news.example/{host}/{number}</link><guid>https://news.example/{host}/{number}</guid>"
        f"<description>Members met on {number} points and will meet again.</description>"
        f"<pubDate>Tue, 24 Nov 2026 08:{number % 60:02d}:00 GMT</pubDate></item>"
        for number in range(newest, newest - ENTRIES, -1)
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{host}</title>'
    return f"{head}{items}</channel></rss>".encode()


def address(number: int) -> str:
    return f"127.1.{number // 250}.{number % 250 + 1}"


def publish(site: Newswire, count: int, newest: int, every: int = 1) -> None:
    """Every ``every``-th host has a feed whose newest entry is ``newest``."""
    site.serve({address(number): feed(number, newest) for number in range(0, count, every)})


async def side_by_side(site: Newswire, count: int, folder: Path) -> dict[str, Any]:
    """Both programs poll in turn, so that a machine that is slow for a while is slow for both."""
    outlets = [outlet(f"desk-{number}", f"http://{address(number)}:{site.port}/feed") for number in range(count)]
    config = configuration(outlets, [f"{address(number)}:{site.port}" for number in range(count)], folder)
    result: dict[str, Any] = {name: {"unchanged": [], "changed": []} for name in ("reader", "wirewatch")}

    async def poll(kind: str) -> None:
        site.hang_up()
        result["reader"][kind].append(await peer.update())
        site.hang_up()
        await asyncio.sleep(0.5)
        result["wirewatch"][kind].append(await _timed(bench, (site.pid, peer.pid)))

    publish(site, count, 100)
    async with peer_of(site, count, folder) as peer, running(config, SetClock(START)) as bench:
        for _warm in range(2):
            await peer.update()
            await bench.poll_all()
        for _round in range(ROUNDS):
            await poll("unchanged")
        for round_ in range(ROUNDS):
            publish(site, count, 101 + round_, every=10)
            await poll("changed")
        result["items"] = (await bench.store.count())["items"]
    return result


async def _timed(bench: Bench, besides: Collection[int]) -> dict[str, float]:
    started, before = time.monotonic(), cpu(besides=besides)
    await bench.poll_all()
    return {"cpu": round(cpu(besides=besides) - before, 2), "seconds": round(time.monotonic() - started, 2)}


class Peer:
    """``reader`` in a process of its own that polls when it is told to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self.pid = process, process.pid

    async def update(self) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"go\n")
        return json.loads(await self._process.stdout.readline())  # type: ignore[no-any-return]


@contextlib.asynccontextmanager
async def peer_of(site: Newswire, count: int, folder: Path) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.polling", "--reader", str(site.port), str(count), str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Peer(process)
    finally:
        process.terminate()
        await process.wait()


def theirs(port: int, count: int, folder: Path) -> None:
    """The same polls by reader, in a process of its own that obeys lines on its standard input."""
    from reader import make_reader  # noqa: PLC0415

    reader = make_reader(str(folder / "reader.db"))
    for number in range(count):
        reader.add_feed(f"http://{address(number)}:{port}/feed")
    for _told in sys.stdin:
        started, before = time.monotonic(), cpu()
        reader.update_feeds(scheduled=False)
        print(
            json.dumps({"cpu": round(cpu() - before, 2), "seconds": round(time.monotonic() - started, 2)}), flush=True
        )


def main() -> None:
    if sys.argv[1:2] == ["--reader"]:
        theirs(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with newswire() as site, tempfile.TemporaryDirectory() as folder:
        result = on_reactor(lambda: side_by_side(site, count, Path(folder)))["result"]
    print(json.dumps({"sources": count, "result": result}, indent=2))


if __name__ == "__main__":
    main()
