"""Values to alert about, a clock that tests set, and a dispatcher over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, NewAlert
from monitor.model.items import Item, Match, Span
from storage.sqlite.store import SqliteStore
from tests.monitor.alerts.dispatching import Rig

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class SetClock:
    """Time as a test says; to sleep is to let the others run and let the time pass."""

    pace = 1.0

    def __init__(self) -> None:
        self.at = NOW
        self.ticks = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks += seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def item() -> Item:
    return Item(
        id="00ff00ff00ff00ff", outlet="bbc", source="bbc/world", url="https://bbc.example/a1",
        title="Hostage deal reached in Doha, officials say", lead="", language="en", kind="article", author="",
        published=NOW - timedelta(minutes=10), published_assumed=False, first_seen=NOW - timedelta(minutes=2),
        revision="r1",
    )  # fmt: skip


@pytest.fixture
def make_alert() -> Callable[..., Alert]:
    def make(
        item: Item, *, words: tuple[str, ...] = (), channel: str = "hook", state: str = "new", **more: Any
    ) -> Alert:
        spans = tuple(
            Span(field="title", start=item.title.index(word), end=item.title.index(word) + len(word), term=word)
            for word in words
        )
        row = NewAlert(watch="deal", channel=channel, item=item.id, state=state, severity="critical")
        made = Alert(
            id=f"a-{channel}-{item.id}", key=row.key, watch=row.watch, channel=channel, item=item.id,
            revision=item.revision, state=state, severity="critical", condition="pending", created=NOW, due=NOW,
            match=Match(watch="deal", spans=spans),
        )  # fmt: skip
        return replace(made, **more)

    return make


@pytest.fixture
def wording() -> Wording:
    return Wording(
        zone="Asia/Jerusalem", outlets={"bbc": "BBC News", "kan": "כאן חדשות"}, watches={"deal": "A deal is near"}
    )


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def rig(tmp_path: Path, wording: Wording, clock: SetClock, anyio_backend: str) -> AsyncIterator[Rig]:
    store = SqliteStore(tmp_path / "store.db", exclusive=True)
    await store._writer.alone(lambda db: db.execute("PRAGMA synchronous = OFF"))  # no power is cut here
    made = Rig(store, wording, clock)
    yield made
    await made.close()
