"""Workers: killed from outside, replaced, never left behind, never an exception (fault 55)."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.model.sources import Outcome
from spiders.readers import ReadTask
from spiders.workers import MEMORY, Workers

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def feed(title: str, *, head: str = "", extra: str = "") -> ReadTask:
    body = f'{head}<rss version="2.0"><channel><item><title>{title}</title>{extra}</item></channel></rss>'
    return ReadTask(kind="feed", body=body.encode(), url="https://a.example/feed", now=NOW)


HOSTILE = feed("Slow", head="<!DOCTYPE rss>", extra=f"<author>{'a' * 60_000}</author>")
"""Given to feedparser (a DOCTYPE), whose pattern for authors is quadratic."""


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(2, limit=3.0)
    yield made
    made.close()


def test_a_body_is_read_in_another_process(workers: Workers) -> None:
    reading = asyncio.run(workers.read(feed("Talks")))
    assert [entry.title for entry in reading.entries] == ["Talks"]


def test_a_worker_may_not_take_more_than_its_memory(workers: Workers) -> None:
    asyncio.run(workers.read(feed("Warm")))
    limits = [Path(f"/proc/{child.pid}/limits").read_text() for child in multiprocessing.active_children()]
    spaces = [line.split()[3] for text in limits for line in text.splitlines() if line.startswith("Max address space")]
    assert str(MEMORY) in spaces  # of the worker that has read; the other may still be starting


def test_f055_a_body_that_takes_too_long_costs_only_itself(workers: Workers) -> None:
    async def both() -> None:
        hostile = asyncio.create_task(workers.read(HOSTILE))
        for n in range(5):
            assert (await workers.read(feed(f"Talks {n}"))).outcome is Outcome.OK
        reading = await hostile
        assert (reading.outcome, reading.reason) == (Outcome.FAILED, "reading took longer than 3 s and was stopped")
        assert reading.excerpt.startswith("<!DOCTYPE rss>")
        assert (await workers.read(feed("After"))).outcome is Outcome.OK

    asyncio.run(both())


def test_a_worker_that_dies_is_a_failed_reading_and_is_replaced(workers: Workers) -> None:
    async def kill() -> None:
        await workers.read(feed("Warm"))
        hostile = asyncio.create_task(workers.read(HOSTILE))
        while not any(future.running() for future in workers._pending):
            await asyncio.sleep(0.01)  # until a worker has taken it; the kill hits the idle one too
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
        reading = await hostile
        assert reading.outcome is Outcome.FAILED
        assert "died while reading" in reading.reason
        assert (await workers.read(feed("After"))).outcome is Outcome.OK

    asyncio.run(kill())


def test_an_idle_worker_that_is_killed_costs_no_reading(workers: Workers) -> None:
    async def kill() -> None:
        await workers.read(feed("Warm"))
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
        for n in range(3):
            assert (await workers.read(feed(f"After {n}"))).outcome is Outcome.OK

    asyncio.run(kill())


def test_a_cancelled_read_frees_its_worker(workers: Workers) -> None:
    async def cancel() -> None:
        reads = [asyncio.create_task(workers.read(HOSTILE)) for _ in range(2)]
        await asyncio.sleep(0)
        for task in reads:
            task.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        assert (await workers.read(feed("After"))).outcome is Outcome.OK

    asyncio.run(cancel())


def test_close_leaves_no_process_behind_even_while_reading() -> None:
    async def leave() -> list[int]:
        workers = Workers(2, limit=60.0)
        await workers.read(feed("Warm"))
        hostile = asyncio.create_task(workers.read(HOSTILE))
        await asyncio.sleep(0)
        pids = [child.pid or 0 for child in multiprocessing.active_children()]
        workers.close()
        assert (await hostile).reason == "the workers are closed"
        return pids

    pids = asyncio.run(leave())
    assert pids
    assert multiprocessing.active_children() == []
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


PARENT = """
import asyncio, multiprocessing, os, signal, sys
from twisted.internet import asyncioreactor
if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)
    from twisted.internet import reactor
    from datetime import UTC, datetime
    from spiders.readers import ReadTask
    from spiders.workers import Workers
    workers = Workers(2, limit=20.0)
    async def main():
        body = b'<rss version="2.0"><channel><item><title>Talks</title></item></channel></rss>'
        task = ReadTask(kind="feed", body=body, url="https://a.example/", now=datetime(2026, 11, 24, tzinfo=UTC))
        reading = await workers.read(task)
        print(reading.entries[0].title, *(child.pid for child in multiprocessing.active_children()), flush=True)
        if sys.argv[1] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        workers.close()
        reactor.stop()
    reactor.callWhenRunning(lambda: loop.create_task(main()))
    reactor.run()
"""


@pytest.mark.parametrize("end", ["stop", "die"])
def test_workers_serve_twisteds_reactor_and_do_not_outlive_their_parent(tmp_path: Path, end: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script, end], capture_output=True, text=True, env=environ, timeout=60, check=False
    )
    title, *pids = done.stdout.split()
    assert title == "Talks", done.stderr
    assert len(pids) == 2
    assert done.returncode == (0 if end == "stop" else -signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() and "Z" not in state(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"
