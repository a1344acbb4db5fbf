"""A process that reviews: `python -m tests.storage.reviewer URL NAME ITEM…` says of each item that it is relevant, that
it is not, and writes a note, ten times over. It begins when a line comes on its input."""

from __future__ import annotations

import asyncio
import sys

from storage import open_store
from tests.storage.desk import NOW

ROUNDS = 10


async def review(url: str, name: str, items: list[str]) -> None:
    store = open_store(url)
    try:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for number in range(ROUNDS):
            await store.remark(items, by=name, kind="verdict", value="relevant", now=NOW)
            await store.remark(items, by=name, kind="note", value=f"{name} {number}", now=NOW)
            await store.remark(items, by=name, kind="verdict", value="noise", now=NOW)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(review(sys.argv[1], sys.argv[2], sys.argv[3:]))
