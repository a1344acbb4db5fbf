"""A store with a little of everything in it, and what its receivers got: sound, until a test plants a violation."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.model.messages import Message, Room
from storage.sqlite.store import SqliteStore
from tests.rig.account import Account, account, reading
from tests.rig.promises import broken
from tests.rig.record import Sent, Truth
from tests.storage.desk import CHANNELS, LEASE, NOW, REFUSED, SENT, WATCHES, candidate, decide, filing, source

LATER = NOW + timedelta(minutes=5)
TITLES = ("Talks in Doha resume", "Delegation leaves Doha", "Doha and Cairo confer", "Rain over Cardiff")


@dataclass(slots=True)
class Case:
    """`broken` and `account` look at it; `plant` changes the store behind the service's back."""

    path: Path
    record: list[Sent] = field(default_factory=list)
    truth: Truth = field(default_factory=lambda: Truth(now=LATER))

    def plant(self, statement: str, *many: tuple[object, ...]) -> None:
        """``many``: the values of each time."""
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("PRAGMA foreign_keys = OFF")
            for values in many or ((),):
                assert db.execute(statement, values).rowcount, statement

    def broken(self) -> tuple[str, ...]:
        with reading(self.path) as db:
            return broken(db, self.record, self.truth)

    def account(self) -> Account:
        with reading(self.path) as db:
            return account(db, self.record, self.truth)

    def one(self, query: str) -> sqlite3.Row:
        with reading(self.path) as db:
            row: sqlite3.Row = db.execute(query).fetchone()
            return row

    def arrives(self, message: Message, *, life: int = 1, at: timedelta = timedelta(), answered: bool = True) -> None:
        """A receiver gets a message and keeps it."""
        alerts = [{"key": each.key, "headline": "Talks", "undecided": None} for each in message.alerts]
        self.record.append(
            Sent(
                at=LATER - timedelta(minutes=1) + at, channel=message.channel, key=message.key, life=life, taken=True,
                answered=answered, members=tuple(each.key for each in message.alerts),
                body=json.dumps({"alerts": alerts}),
            )
        )  # fmt: skip


async def _filed(path: Path, arrives: Callable[[Message], None]) -> None:
    """Four articles; three match. On one channel everything is delivered, on the other one alert is refused, one waits
    and one is suppressed."""
    store = SqliteStore(path, exclusive=True)
    await store.register([source()], pages_of={})
    articles = [candidate(title, keys=(f"url:{number}",)) for number, title in enumerate(TITLES)]
    await store.file(filing(articles, etag='"1"'), decide)
    delivered = await store.claim_messages(LATER, rooms={CHANNELS[0]: Room(messages=9, alerts=9)}, lease=LEASE)
    for message in delivered:
        arrives(message)
        await store.settle(message, SENT, now=LATER, due=None)
    (refused,) = await store.claim_messages(LATER, rooms={CHANNELS[1]: Room(messages=1, alerts=9)}, lease=LEASE)
    await store.settle(refused, REFUSED, now=LATER, due=None)
    await store.close()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(path=tmp_path / "store.db")
    asyncio.run(_filed(made.path, made.arrives))
    with reading(made.path) as db:
        keys = frozenset(key for (key,) in db.execute("SELECT key FROM alerts"))
        items = frozenset(name for (name,) in db.execute("SELECT id FROM items"))
    made.truth = Truth(
        now=LATER, due=keys, speaks=dict.fromkeys(WATCHES, CHANNELS), recorded=frozenset({CHANNELS[0]}),
        sound=frozenset({CHANNELS[0]}), articles=items, seen=items, listed={("bbc/main", '"1"'): items},
        sources={"bbc/main": timedelta(minutes=15)}, born=NOW - timedelta(hours=1), secrets=("canary-secret",),
        files=(made.path,),
    )  # fmt: skip
    return made
