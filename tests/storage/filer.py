"""A process that starts others which file without end, until they are killed: `python -m tests.storage.filer URL`.

Each line on its input starts one; it answers with the child's process id, then the child writes the number of each
answer once that is filed, and "gone" follows when the child has died.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from itertools import count

import storage.sqlite.store  # noqa: F401 - once, before the children
from storage import open_store
from tests.storage.desk import NOW, SENT, candidate, claimed, decide, filing


async def file_without_end(url: str) -> None:
    """Answer N holds articles N and N-1, and moves its source's ETag to N. It goes on where the store stands."""
    store = open_store(url, exclusive=True)
    first = (await store.count())["items"]
    for number in count(first):
        entries = [candidate(f"Doha {n}", keys=(f"url:{n}", f"guid:{n}")) for n in (number, number - 1) if n >= 0]
        await store.file(filing(entries, at=NOW + timedelta(seconds=number), etag=str(number)), decide)
        later = NOW + timedelta(days=9, minutes=number)
        for message in await claimed(store, later, messages=1):
            assert message.alerts[0].match is not None
            await store.settle(message, SENT, now=later, due=None)
        print(number, flush=True)


def main(url: str) -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(file_without_end(url))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
