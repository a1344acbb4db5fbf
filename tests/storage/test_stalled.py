"""A worker that is stopped past its leases and goes on: whatever it does then changes nothing (F115)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.model.sources import Validators, VisitReport
from monitor.ports import Store
from storage import open_store
from tests.storage.desk import LEASE, NOW, READ, SENT, candidate, claimed, decide, filing, source

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
AWAKE = NOW + timedelta(hours=1)


async def work_stalled(url: str) -> None:
    """Take a host and a message, be stopped, and go on as if nothing had been."""
    store = open_store(url)
    (visit,) = await store.claim(NOW, hosts=1, lease=LEASE)
    messages = await claimed(store, NOW)
    os.kill(os.getpid(), signal.SIGSTOP)
    news = [candidate("Talks go on in Doha", keys=("url:late",))]
    filed = await store.file(filing(news, at=NOW, etag='"late"', fence=visit.fence), decide)
    await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW))
    settled = [await store.settle(message, SENT, now=AWAKE, due=None) for message in messages]
    print(json.dumps({"overtaken": filed.overtaken, "new": filed.new, "settled": settled}))
    await store.close()


async def test_f115_a_worker_that_was_stopped_past_its_leases_marks_neither_hosts_nor_alerts(
    store: Store, store_url: str
) -> None:
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))], at=NOW - LEASE, etag='"first"'), decide)
    await store.mark_due(["bbc/main"], NOW)
    command = [sys.executable, "-m", "tests.storage.test_stalled", store_url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        _pid, status = await asyncio.to_thread(os.waitpid, worker.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert await store.claim(NOW, hosts=1, lease=LEASE) == ()
        assert await claimed(store, NOW) == ()
        (visit,) = await store.claim(AWAKE, hosts=1, lease=LEASE)
        messages = await claimed(store, AWAKE)
        await store.file(filing(at=AWAKE, etag='"newer"', fence=visit.fence), decide)
        worker.send_signal(signal.SIGCONT)
        assert worker.stdout is not None
        said = json.loads(await asyncio.to_thread(worker.stdout.read))
        assert await asyncio.to_thread(worker.wait, 10) == 0
    assert said == {"overtaken": True, "new": 1, "settled": [False] * len(messages)}
    assert len(messages) == 2
    await store.mark_due(["bbc/main"], AWAKE)
    assert await store.claim(AWAKE, hosts=1, lease=LEASE) == (), "its late report did not free the host"
    (state,) = await store.sources()
    assert (state.validators, state.last_polled) == (Validators(etag='"newer"'), AWAKE)
    counts = await store.count()
    assert (counts["delivered"], counts["pending"]) == (0, 4), "what it brought is filed, what it sent is not recorded"
    for message in messages:
        assert await store.settle(message, SENT, now=AWAKE, due=None), "who has the lease records it"


if __name__ == "__main__":
    asyncio.run(work_stalled(sys.argv[1]))
