"""The service's parts over a real store, without the crawler: what is filed, claimed and sent is real."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.model.outlets import Outlet, Source
from config.model.settings import Channel, Settings
from config.model.watches import Watch
from config.model.whole import Config
from monitor.alerts.dispatch import Dispatcher
from monitor.desk import Desk
from monitor.edition import edition
from monitor.errors import StoreError
from monitor.model.entries import Answer, Entry
from monitor.model.messages import Delivery, Parcel
from monitor.model.sources import Outcome, SourceState
from monitor.service.canaries import Canaries
from monitor.service.channels import Channels
from monitor.service.tending import Tending
from monitor.stories.copies import TitleIndex
from storage import open_store
from storage.sqlite.store import SqliteStore

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WATCH = Watch(id="talks", title="Talks in Doha", when="doha AND talks", severity="critical")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class HandClock:
    """Both clocks stand where they are put; a sleep ends at once."""

    pace = 1.0

    def __init__(self) -> None:
        self.wall, self.steady = START, 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def later(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


@dataclass(slots=True)
class Inbox:
    """A channel that keeps what it gets and answers as it is told."""

    id: str
    at_once: int = 8
    names: int = 10
    answer: Delivery = field(default_factory=lambda: Delivery(verdict="sent"))
    parcels: list[Parcel] = field(default_factory=list)
    closed: int = 0

    async def send(self, parcel: Parcel) -> Delivery:
        if self.answer.verdict == "sent":
            self.parcels.append(parcel)
        return self.answer

    async def close(self) -> None:
        self.closed += 1

    @property
    def titles(self) -> list[str]:
        return [telling.item.title for parcel in self.parcels for telling in parcel.tellings]


class Parts:
    """Desk, dispatcher, channels, canaries and tending as the service puts them together."""

    def __init__(self, store: SqliteStore, config: Config) -> None:
        self.store, self.clock = store, HandClock()
        self.inboxes: dict[str, Inbox] = {}
        self.failures: list[StoreError] = []
        titles = TitleIndex(lambda title: frozenset(title.split()))
        self.desk = Desk(edition(config), store, self.clock, titles=titles, jitter=lambda: 0.5)
        self.channels = Channels(config, self._opened)
        self.dispatcher = Dispatcher(store, store, lambda: self.channels.in_force, self.clock, random.Random(1))
        self.canaries = Canaries(store, self.desk, self.clock)
        self.tending = Tending(
            store, self.desk, self.clock, channels=self.channels, dispatcher=self.dispatcher, canaries=self.canaries,
            failing=self.failures.append,
        )  # fmt: skip

    def _opened(self, config: Config) -> dict[str, Inbox]:
        for each in config.settings.channel:
            self.inboxes.setdefault(each.id, Inbox(each.id))
        return {each.id: self.inboxes[each.id] for each in config.settings.channel}

    async def save(self, config: Config) -> None:
        """Another configuration, as a reload takes it into force."""
        self.channels.replace(config, await self.channels.made_for(config))
        self.desk.edition = edition(config)
        await self.tending.tend()

    async def publish(self, *titles: str) -> tuple[str, ...]:
        """Items of the outlet, filed the way of an answer; their ids."""
        compiled = self.desk.edition
        state = SourceState(
            id="herald/feed", outlet="herald", url="https://herald.example/feed", host="https://herald.example:443",
            next_due=self.clock.wall, baselined=START - timedelta(days=9),
        )  # fmt: skip
        answer = Answer(
            source=state.id, outlet="herald", url=state.url, final_url=state.url, at=self.clock.wall,
            outcome=Outcome.OK,
            entries=tuple(
                Entry(title=title, url=f"https://herald.example/{title.replace(' ', '-')}", published=self.clock.wall)
                for title in titles
            ),
        )  # fmt: skip
        filing = self.desk.identified(self.desk.normalised(answer, compiled), state, compiled)
        filing = self.desk.matched(filing, await self.desk.unchanged(filing), compiled)
        return (await self.desk.filed(filing, state, compiled)).items


def config(*channels: Channel, watches: tuple[Watch, ...] = (WATCH,), **service: object) -> Config:
    outlet = Outlet(
        id="herald", name="The Herald", home="https://herald.example/", language="en", time_zone="UTC", access="feed",
        why="A test.", source=(Source(id="feed", kind="feed", url="https://herald.example/feed"),),
    )  # fmt: skip
    return Config(
        settings=Settings.model_validate({"service": {"time_zone": "UTC", **service}, "channel": channels}),
        outlets={"herald": outlet}, watches={watch.id: watch for watch in watches}, concepts={},
    )  # fmt: skip


def channel(name: str, **more: object) -> Channel:
    return Channel.model_validate({"id": name, "url": "stdout", "min_severity": "low", **more})


Make = Callable[[Config], Parts]


@pytest.fixture
async def store(anyio_backend: str, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = open_store(f"sqlite:///{tmp_path}/store.db", exclusive=True)
    assert isinstance(made, SqliteStore)
    yield made
    await made.close()


@pytest.fixture
def parts(store: SqliteStore) -> Make:
    return lambda config: Parts(store, config)
