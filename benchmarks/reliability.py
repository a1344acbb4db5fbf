"""Three figures of reliability: a channel that is down, a flood of matches, and a burst of reloads.

``.venv/bin/python -m benchmarks.reliability [outage] [flood] [reloads]`` (all of them without a name). The kills and
the soaks have their own commands: ``make chaos``, ``make soak``, ``make soak-sockets``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.rig import START
from monitor.alerts.dispatch import Dispatcher
from monitor.model.alerts import NewAlert
from monitor.model.filing import Change, Decision
from monitor.model.items import Match
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Channel, Ledger
from monitor.stories.identity import item_id
from storage.sqlite.store import SqliteStore
from tests.newsserver import NewsServer
from tests.rig.account import Account, account, reading
from tests.rig.promises import broken
from tests.rig.record import Sent, Truth, of_webhook
from tests.rig.running import CLI, ROOT, Receiver, Room, quick_folder, until
from tests.rig.simtime import Busy, Face, SimClock, Turner
from tests.storage.desk import candidate, filing, source

HOUR = 3600.0

# ------------------------------------------------------------------ a channel that is down for an hour

ALERTS, WATCHES = 1000, 100
OUT_FROM, OUT_UNTIL = 600.0, 600.0 + HOUR
OTHERS = ("second", "third")


@dataclass
class Line:
    """A channel with a receiver that takes a fifth of a second or a bit more, unless it is out or refuses."""

    id: str
    clock: SimClock
    chance: random.Random
    out: tuple[float, float] = (0.0, 0.0)
    refuses: Callable[[str], bool] = lambda key: False
    at_once: int = 8
    names: int = 200
    arrived: dict[str, datetime] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Delivery:
        await self.clock.sleep(self.chance.uniform(0.2, 0.8))
        begin, end = self.out
        if begin <= self.clock.face.seconds < end:
            return Delivery(verdict="later", detail="status 503")
        keys = [alert.key for alert in parcel.message.alerts]
        if any(map(self.refuses, keys)):
            return Delivery(verdict="refused", detail="status 410")
        for key in keys:
            self.arrived[key] = self.clock.now()
            self.order.append(key)
        return Delivery(verdict="sent")

    async def close(self) -> None:
        return None


async def delivered(
    lines: Callable[[SimClock], Mapping[str, Line]],
) -> tuple[Mapping[str, Line], Mapping[str, datetime]]:
    """One alert every 3.6 s for an hour on every channel, and ten minutes before and after; the channels, and when
    each alert was filed."""
    clock, busy, folder = SimClock(START, Face()), Busy(), quick_folder("wirewatch-outage-")
    store: Any = busy.counted(SqliteStore(folder / "store.db", exclusive=True))
    channels, filed = lines(clock), dict[str, datetime]()
    dispatcher = Dispatcher(store, store, lambda: dict[str, Channel](channels), clock, random.Random(1))
    stop = asyncio.Event()
    await store.register([source()], pages_of={})

    def decide(change: Change, _ledger: Ledger) -> Decision:
        watch = f"watch-{int(change.item.title.split()[1]) % WATCHES}"
        rows = tuple(
            NewAlert(watch=watch, channel=name, item=change.item.id, state="new", severity="normal")
            for name in channels
        )
        filed.update({row.key: clock.now() for row in rows})
        return Decision(matches=(Match(watch=watch),), alerts=rows)

    async def news() -> None:
        await clock.sleep(OUT_FROM)
        for number in range(ALERTS):
            await store.file(filing([candidate(f"Report {number}", keys=(f"url:{number}",))], at=clock.now()), decide)
            dispatcher.wake()
            await clock.sleep(HOUR / ALERTS)
        await clock.sleep(OUT_FROM)
        stop.set()

    async def nothing() -> None:
        return None

    turning = asyncio.create_task(Turner(clock, busy, nothing, exactly=True).run())
    await asyncio.gather(news(), dispatcher.run(stop))
    turning.cancel()
    await store.close()
    shutil.rmtree(folder)
    return channels, filed


def _waits(line: Line, filed: Mapping[str, datetime]) -> list[float]:
    return sorted((at - filed[key]).total_seconds() for key, at in line.arrived.items())


def _displaced(line: Line, filed: Mapping[str, datetime]) -> int:
    """Eight are on their way at once, so neighbours may change places."""
    places = {key: place for place, key in enumerate(sorted(line.order, key=lambda key: filed[key]))}
    return max(abs(place - places[key]) for place, key in enumerate(line.order))


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]


async def outage() -> dict[str, Any]:
    """The same hour with the first channel out and without; and one in which some alerts are refused."""

    def lines(clock: SimClock, out: tuple[float, float], refuses: Callable[[str], bool]) -> Mapping[str, Line]:
        made = {name: Line(name, clock, random.Random(name)) for name in ("first", *OTHERS)}
        made["first"].out, made["first"].refuses = out, refuses
        return made

    never: Callable[[str], bool] = lambda key: False  # noqa: E731
    with_it, filed = await delivered(lambda clock: lines(clock, (OUT_FROM, OUT_UNTIL), never))
    without, filed_then = await delivered(lambda clock: lines(clock, (0.0, 0.0), never))
    chance = random.Random(2)
    bad: dict[str, bool] = {}
    refusing, filed_last = await delivered(
        lambda clock: lines(clock, (0.0, 0.0), lambda key: bad.setdefault(key, chance.random() < 0.05))
    )
    back = START + timedelta(seconds=OUT_UNTIL)
    own = with_it["first"]
    return {
        "alerts": ALERTS,
        "arrived after the outage": len(own.arrived),
        "longest after its return, s": round(max((at - back).total_seconds() for at in own.arrived.values()), 1),
        "places out of order at most": _displaced(own, filed),
        "p95 of the other channels, s": {
            name: {"with the outage": round(_p95(_waits(with_it[name], filed)), 3),
                   "without": round(_p95(_waits(without[name], filed_then)), 3)}
            for name in OTHERS
        },
        "refused": sum(bad.values()),
        "longest wait of the others beside refused ones, s": round(_waits(refusing["first"], filed_last)[-1], 2),
    }  # fmt: skip


# ------------------------------------------------------------------ ten thousand matches in a minute

FLOODING, WAVES, EACH, STEADY = 20, 10, 500, 180
INTERVAL = 20.0
FLOOD_WATCH = '[[watch]]\nid = "harvest"\ntitle = "The harvest"\nwhen = "harvest"\n'


def flood() -> dict[str, Any]:
    """``wirewatch run`` over 200 sources of which 20 list 500 matching entries each within a minute."""
    with ExitStack() as stack:
        server, receiver = stack.enter_context(NewsServer()), stack.enter_context(Receiver())
        folder = quick_folder("wirewatch-flood-")
        room = Room(folder / "desk", server, channels={"desk": receiver.channel}, watches=FLOOD_WATCH, baseline="100d")
        sites = {f"o{number:03}": server.site(f"127.2.0.{number + 1}") for number in range(FLOODING + STEADY)}
        for name, site in sites.items():
            site.feed(
                "/feed", [room_entry(site.url(f"/{n}"), f"Report {n} of {name} on other things") for n in range(5)]
            )
            every = "5s" if int(name[1:]) < FLOODING else f"{INTERVAL:g}s"
            room.outlet(name, site.url("/feed"), every=every)
            room.outlets[name] = room.outlets[name].replace('min = "1m"', 'min = "5s"')
        room.write()
        process = room.start(*CLI, "run")
        stack.callback(process.wait)
        stack.callback(process.kill)
        until(lambda: room.store.exists() and _baselined(room) == len(sites), "every source was asked", 120)
        memory, began = _Memory(process.pid), time.monotonic()
        due = _published(sites)
        until(lambda: memory.look() and _settled(room) == len(due), "everything is delivered", 600)
        took, late = time.monotonic() - began, round(_latest(room), 1)
        told = of_webhook(receiver.received, receiver.hook.said, channel="desk", life=1)
        sent = [
            each for each in told if each.members[0].startswith("harvest|")
        ]  # the others are notices: gaps suspected
        first = min(each.at for each in sent)
        found = _accounted(room, sent, due)
        result = {
            "due": len(due), "seconds until all arrived": round(took, 1),
            "first alert after the first wave, s": round((first - _published_at[0]).total_seconds(), 2),
            "account": str(found), "lost": len(found.lost), "repeats": sum(found.duplicated.values()),
            "single alerts": sum(len(each.members) == 1 for each in sent),
            "gathered": dict(Counter(len(each.members) for each in sent if len(each.members) > 1)),
            "named in messages": sum(len(each.members) for each in sent),
            "memory at most, MiB": round(memory.most / 2**20),
            "latest other source, s": late, "their interval, s": INTERVAL,
            "broken promises": _broken(room, sent, due),
        }  # fmt: skip
        shutil.rmtree(folder)
    return result


_published_at: list[datetime] = []


def room_entry(url: str, title: str) -> dict[str, str]:
    return {"title": title, "link": url, "guid": url}


def _baselined(room: Room) -> int:
    return int(room.rows("SELECT count(*) AS n FROM sources WHERE baselined IS NOT NULL")[0]["n"])


def _settled(room: Room) -> int:
    time.sleep(0.3)
    query = "SELECT count(*) AS n FROM alerts WHERE watch = 'harvest' AND condition = 'delivered'"
    return int(room.rows(query)[0]["n"])


def _latest(room: Room) -> float:
    """How late the last poll was of any source that does not flood."""
    rows = room.rows("SELECT id, late FROM sources")
    return max(float(row["late"]) for row in rows if int(row["id"][1:4]) >= FLOODING)


def _published(sites: Mapping[str, Any]) -> frozenset[str]:
    """Two sources each six seconds, for a minute; the keys that are due."""
    due, flooding = set(), [name for name in sites if int(name[1:]) < FLOODING]
    _published_at.append(datetime.now(START.tzinfo))
    for wave in range(WAVES):
        began = time.monotonic()
        for name in flooding[wave * 2 : wave * 2 + 2]:
            site = sites[name]
            titles = [f"Harvest figure {int(name[1:]) * 1000 + n} for field {n} of the valley" for n in range(EACH)]
            site.feed("/feed", [room_entry(site.url(f"/h{n}"), title) for n, title in enumerate(titles)])
            due |= {f"harvest|desk|{item_id(name, f'url:{site.address}/h{n}')}|new" for n in range(EACH)}
        time.sleep(max(0.0, 6 - (time.monotonic() - began)))
    return frozenset(due)


class _Memory:
    """Of a process and what it started."""

    def __init__(self, pid: int) -> None:
        self._pid, self.most = pid, 0

    def look(self) -> bool:
        self.most = max(self.most, _resident(self._pid))
        return True


def _resident(pid: int) -> int:
    """With shared pages counted once: proportional set sizes of the process and its descendants."""
    children = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False)
    own = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
    size = next(int(line.split()[1]) * 1024 for line in own.splitlines() if line.startswith("Pss:"))
    return size + sum(_resident(int(child)) for child in children.stdout.split())


def _truth(due: frozenset[str]) -> Truth:
    return Truth(now=datetime.now(START.tzinfo), due=due, speaks={"harvest": ("desk",)}, recorded=frozenset({"desk"}))


def _accounted(room: Room, sent: list[Sent], due: frozenset[str]) -> Account:
    with reading(room.store) as db:
        return account(db, sent, _truth(due))


def _broken(room: Room, sent: list[Sent], due: frozenset[str]) -> list[str]:
    with reading(room.store) as db:
        return list(broken(db, sent, _truth(due)))[:5]


# ------------------------------------------------------------------ reloads


def reloads() -> dict[str, Any]:
    """The tests of F138 and F139 in their long form: fifty broken saves, a thousand reloads, ten at a time."""
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/monitor/test_reload.py", "-k", "of_fifty or in_a_thousand"],
        cwd=ROOT, env={**os.environ, "WIREWATCH_RELOADS": "1000"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = ran.stdout.strip().splitlines()
    return {
        "passed": ran.returncode == 0,
        "said": lines[-1] if lines else "",
        "seconds": round(time.monotonic() - began),
    }


FIGURES: Mapping[str, Callable[[], Any]] = {"outage": outage, "flood": flood, "reloads": reloads}


def main() -> int:
    logging.disable()  # each refused alert would say so
    for name in sys.argv[1:] or FIGURES:
        found = FIGURES[name]()
        result = asyncio.run(found) if isinstance(found, Awaitable) else found  # type: ignore[arg-type]
        print(json.dumps({name: result}, indent=2), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
