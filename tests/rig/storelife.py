"""The life of one store, recorded: ``python -m tests.rig.storelife FOLDER SEED SYNCHRONOUS`` writes FOLDER.steps.

The store is made, used by two services one after the other (answers filed several at a time, alerts claimed, sent and
settled, texts pruned, a backup), left as a killed service leaves it, and replaced by its backup; used again, left in
order, and replaced once more. What the store
acknowledged stands between the steps, so that it is known at each moment what may not be lost.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from monitor.model.entries import Candidate
from monitor.model.filing import Filing
from monitor.model.messages import Delivery, Room
from storage import open_store, restore
from storage.sqlite.store import SqliteStore
from tests.rig.recording import Recording
from tests.storage.desk import CHANNELS, NOW, READ, candidate, decide, filing, source

SOURCES = ("bbc/main", "bbc/world", "ap/main", "dawn/main")
ANSWERS = 120
STORE, BACKUP = "store.db", "backup.db"
HOUR = timedelta(hours=1)


def answers(seed: int) -> tuple[Filing, ...]:
    """Answer N has ``str(N)`` for its ETag, new articles of its own, and one of its source's that is known."""
    chance = random.Random(seed)
    found, latest = [], dict[str, Candidate]()
    for number in range(ANSWERS):
        source_id = SOURCES[number % len(SOURCES)]
        new = [_article(source_id.partition("/")[0], f"{number}-{n}", chance) for n in range(chance.randint(1, 3))]
        known = [latest[source_id]] if source_id in latest else []
        latest[source_id] = new[0]
        found.append(filing([*new, *known], source_id=source_id, at=NOW + timedelta(minutes=number), etag=str(number)))
    return tuple(found)


def _article(outlet: str, name: str, chance: random.Random) -> Candidate:
    title = f"Talks {name} in Doha" if chance.random() < 0.8 else f"Match {name} in Cardiff"
    return candidate(title, keys=(f"url:{name}",), outlet=outlet, body="word " * chance.randint(0, 2500))


class Life:
    def __init__(self, folder: Path, seed: int, synchronous: str) -> None:
        self.folder, self.synchronous = folder, synchronous
        self.chance = random.Random(seed)
        self.answers = list(enumerate(answers(seed)))
        self.recording = Recording(folder)
        self.now = NOW + timedelta(days=9)
        self.url = f"sqlite:///{folder / STORE}"

    async def lived(self) -> None:
        self.recording.start()
        first, second = self.answers[: ANSWERS // 2], self.answers[ANSWERS // 2 :]
        await self._serve(first)
        await self._serve(second, cut_off=True)
        self._restore()
        await self._serve(second[:8], backup="later.db")
        self._restore()
        await self._serve(second[:4])

    def _restore(self) -> None:
        self.recording.say("restoring")
        restore(self.url, self.folder / BACKUP)
        self.recording.say("restored")

    async def _serve(self, work: list[tuple[int, Filing]], *, cut_off: bool = False, backup: str = BACKUP) -> None:
        opened = open_store(self.url, exclusive=True)
        assert isinstance(opened, SqliteStore)
        await opened._writer.alone(lambda db: db.execute(f"PRAGMA synchronous = {self.synchronous}"))
        self.recording.say("opened")
        await opened.register([source(name) for name in SOURCES], pages_of=READ)
        for portion in _portions(work, self.chance):
            await asyncio.gather(*(self._file(opened, number, each) for number, each in portion))
            await self._deliver(opened)
        await opened.prune(
            bodies_before=NOW + HOUR / 2, revisions_before=NOW - HOUR, identity_before=NOW - HOUR
        )  # fmt: skip
        if cut_off:
            _hold(self.folder / STORE)
        elif not (self.folder / backup).exists():
            self.recording.say("backing up", backup)
            await opened.backup(str(self.folder / backup))
            self.recording.say("backed up", backup)
        await opened.close()

    async def _file(self, store: SqliteStore, number: int, each: Filing) -> None:
        await store.file(each, decide)
        self.recording.say("filed", number)

    async def _deliver(self, store: SqliteStore) -> None:
        self.now += timedelta(minutes=10)
        rooms = {name: Room(messages=self.chance.randint(0, 3), alerts=10) for name in CHANNELS}
        for message in await store.claim_messages(self.now, rooms=rooms, lease=HOUR):
            self.recording.say("claimed", message.id, message.fence)
            verdict = self.chance.choice(("sent", "sent", "later", "refused"))
            alerts = tuple(alert.id for alert in message.alerts)
            self.recording.say("trying", verdict, alerts)
            due = self.now + timedelta(days=1) if verdict == "later" else None
            assert await store.settle(message, Delivery(verdict=verdict, detail=verdict), now=self.now, due=due)
            self.recording.say("settled", verdict, alerts)


def _portions(work: list[tuple[int, Filing]], chance: random.Random) -> Iterator[list[tuple[int, Filing]]]:
    rest = list(work)
    while rest:
        size = chance.randint(1, 6)
        yield rest[:size]
        del rest[:size]


_held: list[sqlite3.Connection] = []


def _hold(path: Path) -> None:
    """Another program reads on and on: the log cannot be emptied, as when the service is killed."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM items").fetchone()
    _held.append(db)


def main(folder: str, seed: str, synchronous: str) -> None:
    life = Life(Path(folder), int(seed), synchronous)
    asyncio.run(life.lived())
    if life.recording.broken:
        raise life.recording.broken[0]
    Path(f"{folder}.steps").write_bytes(pickle.dumps(life.recording.steps))
    os._exit(0)  # as a power cut ends it: nobody closes what is still held


if __name__ == "__main__":
    main(*sys.argv[1:])
