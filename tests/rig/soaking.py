"""One life of the service in a simulated world, forked from a warm parent (`tests.rig.zygote`).

Real are the service with all its loops, the middlewares, judges and readers, the desk, the store and the dispatcher.
Not real are time (`tests.rig.simtime`), the wire below the middlewares (`tests.rig.wire`), and the receivers of most
channels, which write down what they get before they answer; one channel is a webhook to the parent. At each hour of the
world the life tells its parent how it is, and goes on when it is told to.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from config import crawl
from config.load import load
from config.model.whole import Config
from monitor import log
from monitor.alerts.channels import open_channels, wording_of
from monitor.alerts.gathered import worded
from monitor.alerts.wording import NAMES, Wording
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Channel
from monitor.service import Service
from spiders.crawl import run
from spiders.readers import Reading, ReadTask, read
from storage.sqlite.store import SqliteStore
from tests.rig import worlddesk
from tests.rig.killable import WARM as KILLABLE
from tests.rig.killable import InProcess, warm
from tests.rig.record import Sent, told_in, written
from tests.rig.simtime import STEP, Busy, Kept, SimClock, Turner
from tests.rig.wire import Answers, Handler, Wire, opened
from tests.rig.world import DAY, HOUR, SOUND, World

WARM = (*KILLABLE, "tests.rig.wire")
PATIENCE = 0.05
"""Seconds that the store's writer waits for another process: a lock that is held for a minute of the world is tried
again and again, and the world stands meanwhile."""
SEND_DEADLINE = 20.0
__all__ = ["WARM", "child", "warm"]


class Inline(InProcess):
    """Reads at once."""

    async def read(self, task: ReadTask) -> Reading:
        return read(task)


class Taker:
    """A channel that writes down what it gets. It fails at times, unless it is one of the sound ones."""

    at_once = 8
    names = NAMES

    def __init__(
        self, name: str, *, wording: Wording, clock: SimClock, file: int, life: int, chance: random.Random, faults: bool
    ) -> None:
        self.id = name
        self._wording, self._clock, self._file, self._life = wording, clock, file, life
        self._chance, self._faults = chance, faults and name not in SOUND

    async def send(self, parcel: Parcel) -> Delivery:
        payload = worded(parcel, self._wording).payload(self._clock.now())
        draw = self._chance.random() if self._faults else 1.0
        if self._down or draw < 0.03:
            return self._failed(parcel, payload, Delivery(verdict="later", detail="status 500"))
        if draw < 0.045:
            wish = timedelta(seconds=self._chance.randint(30, 600))
            return self._failed(parcel, payload, Delivery(verdict="later", detail="status 429", retry_after=wish))
        if draw < 0.05:
            return self._failed(parcel, payload, Delivery(verdict="refused", detail="status 410"))
        if draw < 0.08:
            silent = draw < 0.065
            self._write(parcel, payload, taken=silent, answered=False)
            await self._clock.sleep(SEND_DEADLINE)
            return Delivery(verdict="later", detail=f"no answer within {SEND_DEADLINE:g} s")
        self._write(parcel, payload, taken=True, answered=True)
        return Delivery(verdict="sent")

    @property
    def _down(self) -> bool:
        """For an hour of each day (F122)."""
        return self._faults and self.id == "duty" and 13 * HOUR <= self._clock.face.seconds % DAY < 14 * HOUR

    def _failed(self, parcel: Parcel, payload: Mapping[str, Any], delivery: Delivery) -> Delivery:
        self._write(parcel, payload, taken=False, answered=False)
        return delivery

    def _write(self, parcel: Parcel, payload: Mapping[str, Any], *, taken: bool, answered: bool) -> None:
        sent = Sent(
            at=self._clock.now(), channel=self.id, key=parcel.message.key, members=told_in(payload), life=self._life,
            taken=taken, answered=answered, body=json.dumps(payload),
        )  # fmt: skip
        os.write(self._file, written(sent).encode() + b"\n")

    async def close(self) -> None:
        return None


class SimCalendar:
    """The calendar's jobs by the world's time."""

    def __init__(self, real: Any, clock: SimClock) -> None:
        self._jobs = [(job.func, job.trigger) for job in real._scheduler.get_jobs()]
        self._clock, self._looked = clock, clock.now()
        self._running: set[asyncio.Future[None]] = set()

    def begin(self) -> None:
        self._looked = self._clock.now()

    def end(self) -> None:
        self._jobs = []

    def plan_anew(self) -> None:
        self._looked = min(self._looked, self._clock.now())

    def look(self) -> None:
        """Start what has come due since the last look."""
        now = self._clock.now()
        for job, trigger in self._jobs:
            if trigger.get_next_fire_time(None, self._looked) <= now:
                running = asyncio.ensure_future(job())
                self._running.add(running)
                running.add_done_callback(self._running.discard)
        self._looked = now


class Weather:
    """What happens to the machine: its clock is set, it sleeps, its store is locked by another process."""

    def __init__(self, world: World, clock: SimClock, store: Path, *, faults: bool) -> None:
        self._clock, self._store = clock, store
        self._other: sqlite3.Connection | None = None
        self._coming: list[tuple[float, Callable[[], None]]] = []
        if faults:
            self._plan(world)
        self._coming = [
            (at, do) for at, do in sorted(self._coming, key=lambda each: each[0]) if at > clock.face.seconds
        ]

    def _plan(self, world: World) -> None:
        chance = random.Random(f"{world.seed}/weather")
        for day in range(int(world.seconds // DAY) + 1):
            wrong, right = sorted((day + chance.uniform(0.05, 0.95)) * DAY for _ in range(2))
            by = chance.choice((-HOUR, HOUR, -300.0, 300.0))
            self._coming += [
                (wrong, lambda by=by: self._clock.set_wrong(by)),  # type: ignore[misc]
                (right, lambda: self._clock.set_wrong(0.0)),
            ]
            for _ in range(2):
                locked = (day + chance.random()) * DAY
                self._coming += [(locked, self._lock), (locked + chance.choice((10.0, 60.0)), self._unlock)]
        self._coming.append((4.6 * DAY, lambda: self._clock.sleep_machine(6 * HOUR)))

    def look(self) -> None:
        while self._coming and self._coming[0][0] <= self._clock.face.seconds:
            self._coming.pop(0)[1]()

    def _lock(self) -> None:
        self._other = sqlite3.connect(self._store, isolation_level=None, timeout=5)
        self._other.execute("BEGIN IMMEDIATE")

    def _unlock(self) -> None:
        if self._other is not None:
            self._other.close()
            self._other = None


class Life:
    """One life, from its start to its kill or to the end of the world."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.folder, self.life = Path(told["folder"]), int(told["life"])
        self.world = World(told["seed"], sources=told["sources"], seconds=told["seconds"])
        self.faults, self.chance = bool(told["faults"]), random.Random(f"{told['seed']}/{told['life']}")
        self.kept, self.busy = Kept(self.folder / "clock"), Busy()
        self.clock = SimClock(self.world.start, self.kept.read())
        self.hour = int(self.clock.face.seconds // HOUR)
        self.parent: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def lived(self) -> int:
        loop = asyncio.get_running_loop()
        self.busy.watch_threads(loop)
        config = load(self.folder / "desk")
        log.set_up(sys.stderr, json=False, level="WARNING")
        log.keep_out(config.secret_values)
        self.parent = await asyncio.open_unix_connection(str(self.folder / "parent"))
        path = self.folder / "desk" / "wirewatch.db"
        store = SqliteStore(path, exclusive=True, patience=PATIENCE)
        weather = Weather(self.world, self.clock, path, faults=self.faults)
        service = Service(
            config, self.busy.counted(store), self.clock, randomness=self.chance, tick=STEP, workers=Inline(),
            channels=self._channels,
        )  # fmt: skip
        calendar: Any = SimCalendar(service.calendar, self.clock)
        service.calendar = calendar
        stop = asyncio.Event()

        async def turned() -> None:
            calendar.look()
            weather.look()
            self.kept.write(self.clock.face)
            if self.clock.face.seconds >= (self.hour + 1) * HOUR:
                self.hour = int(self.clock.face.seconds // HOUR)
                if not await self._told():
                    stop.set()

        turning = asyncio.create_task(Turner(self.clock, self.busy, turned).run())
        try:
            await service.run(stop)
        finally:
            turning.cancel()
            await store.close()
        return 0

    async def _told(self) -> bool:
        """Tell the parent how this life is at the end of an hour; whether it goes on."""
        assert self.parent is not None
        reader, writer = self.parent
        writer.write(json.dumps({"hour": self.hour, "cpu": sum(os.times()[:2])}).encode() + b"\n")
        return await reader.readline() == b"on\n"

    def _channels(self, config: Config) -> Mapping[str, Channel]:
        real, wording = open_channels(config, clock=self.clock), wording_of(config)
        file = opened(self.folder / "received.jsonl")
        takers: dict[str, Channel] = {
            name: Taker(
                name, wording=wording, clock=self.clock, file=file, life=self.life, chance=self.chance,
                faults=self.faults,
            )
            for name in real if name != "hook"
        }  # fmt: skip
        return {**takers, "hook": self.busy.counted(real["hook"])}


def child(told: Mapping[str, Any]) -> int:
    """One life: ``folder``, ``life``, ``seed``, ``sources``, ``seconds``, ``faults``, ``secret``."""
    os.environ[worlddesk.SECRET] = told["secret"]
    crawl.DOWNLOAD_HANDLERS.update({"http": "tests.rig.wire.Handler", "https": "tests.rig.wire.Handler"})
    crawl.DOWNLOAD_DELAY = 0.0
    life = Life(told)
    answers = Answers(life.world, faults=0.1 if life.faults else 0.0, chance=life.chance)
    Handler.wire = Wire(
        world=life.world, answers=answers, clock=life.clock, log=opened(life.folder / "polls.jsonl")
    )  # fmt: skip
    return run(life.lived)
