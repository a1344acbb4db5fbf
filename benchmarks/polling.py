"""One poll of 1,000 sources, each on a host of its own, beside ``reader`` in the same run.

``.venv/bin/python -m benchmarks.polling [SOURCES]``. CPU seconds of the running program with its workers: nothing
changed (304), and one source in ten with a new entry. Robots rules are already known; both programs are warm, and both
find their connections closed, as polls are minutes apart.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.newswire import Newswire, newswire
from benchmarks.rig import START, Bench, SetClock, configuration, cpu, on_reactor, outlet, running

ENTRIES = 40


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


async def ours(site: Newswire, count: int, folder: Path) -> dict[str, Any]:
    outlets = [outlet(f"desk-{number}", f"http://{address(number)}:{site.port}/feed") for number in range(count)]
    config = configuration(outlets, [f"{address(number)}:{site.port}" for number in range(count)], folder)
    async with running(config, SetClock(START)) as bench:
        publish(site, count, 100)
        await bench.poll_all()
        await bench.poll_all()
        unchanged = [await _timed(bench, site) for _ in range(3)]
        changed = []
        for round_ in range(3):
            publish(site, count, 101 + round_, every=10)
            changed.append(await _timed(bench, site))
        held = (await bench.store.count())["items"]
    return {"unchanged": unchanged, "changed": changed, "items": held}


async def _timed(bench: Bench, site: Newswire) -> dict[str, float]:
    site.hang_up()
    await asyncio.sleep(0.5)
    started, before = time.monotonic(), cpu()
    await bench.poll_all()
    return {"cpu": round(cpu() - before, 2), "seconds": round(time.monotonic() - started, 2)}


def theirs(port: int, count: int, folder: Path) -> None:
    """The same polls by reader, in a process of its own that obeys lines on its standard input."""
    from reader import make_reader  # noqa: PLC0415

    reader = make_reader(str(folder / "reader.db"))
    for number in range(count):
        reader.add_feed(f"http://{address(number)}:{port}/feed")
    for line in sys.stdin:
        started, before = time.monotonic(), cpu()
        reader.update_feeds(scheduled=False)
        print(
            json.dumps({"cpu": round(cpu() - before, 2), "seconds": round(time.monotonic() - started, 2)}), flush=True
        )
        if line.strip() == "end":
            return


def peer(site: Newswire, count: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.polling", "--reader", str(site.port), str(count), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def update(word: str = "go") -> dict[str, float]:
            site.hang_up()
            process.stdin.write(word + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            return json.loads(process.stdout.readline())  # type: ignore[union-attr,no-any-return]

        publish(site, count, 100)
        update()
        update()
        unchanged = [update() for _ in range(3)]
        changed = []
        for round_ in range(3):
            publish(site, count, 101 + round_, every=10)
            changed.append(update("end" if round_ == 2 else "go"))
    return {"unchanged": unchanged, "changed": changed}


def main() -> None:
    if sys.argv[1:2] == ["--reader"]:
        theirs(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with newswire() as site, tempfile.TemporaryDirectory() as folder:
        result = {
            "sources": count,
            "reader": peer(site, count, Path(folder)),
            "wirewatch": on_reactor(lambda: ours(site, count, Path(folder)))["result"],
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
