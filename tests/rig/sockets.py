"""The soak on real sockets: 200 sources on loopback for half an hour, faults on the wire, kills, every promise checked.

``python -m tests.rig.sockets [--seed N] [--minutes M] [--folder F]``. Nothing is simulated but the wall clock, which
runs `PACE` times as fast as the machine's, so that half an hour is fifteen hours of back-off and wishes. The service is
the real one with its reading processes; it is killed about every three minutes and looked at every minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config.load import load
from monitor import log
from monitor.alerts.channels import open_channels
from monitor.cli.opened import store_of
from monitor.demo.clock import SpedUpClock
from monitor.service import Service
from spiders.crawl import run
from tests.hook import CUT, Received, Say
from tests.newsserver import NewsServer, Seen, Wire
from tests.newsserver.server import Behaviour
from tests.rig import worlddesk
from tests.rig.account import account, in_flight, reading
from tests.rig.faulty import Reply
from tests.rig.killable import WARM, warm
from tests.rig.promises import broken
from tests.rig.record import of_webhook, written
from tests.rig.running import ROOT, Receiver, quick_folder
from tests.rig.soak import SECRET
from tests.rig.wire import Answers, opened
from tests.rig.witness import Witness
from tests.rig.world import CHANNELS, SOUND, World
from tests.rig.zygote import Zygote

PACE = 30.0
KILL_EVERY, LOOK_EVERY, PEACE = 180.0, 60.0, 60.0
"""Seconds of the machine; ``PEACE``: at the end, without faults."""
AGAIN = 3.0
"""What is broken must still be broken so much later: the service is looked at while it works."""
NEVER = Say(after=25)
FOLDER = ROOT / ".reliability"
__all__ = ["WARM", "child", "warm"]


# ------------------------------------------------------------------ the service's side


def child(told: Mapping[str, Any]) -> int:
    """One life: ``folder``, ``began`` (of the world, in the machine's monotonic seconds), ``start``."""
    os.environ[worlddesk.SECRET] = SECRET
    return run(lambda: _lived(Path(told["folder"]), datetime.fromisoformat(told["start"]), told["began"]))


async def _lived(folder: Path, start: datetime, began: float) -> int:
    from tests.names import Names  # noqa: PLC0415 - it wants the reactor

    config = load(folder)
    log.set_up(sys.stderr, json=False, level="WARNING")
    log.keep_out(config.secret_values)
    clock = SpedUpClock(start + timedelta(seconds=(time.monotonic() - began) * PACE), PACE)
    clock.begin()  # the world goes on between two lives
    store = store_of(config, exclusive=True)
    service = Service(
        config, store, clock, randomness=random.Random(), tick=0.2,
        channels=lambda config: open_channels(config, clock=clock),
    )  # fmt: skip
    with Names({}).installed():  # no name leads anywhere: nobody outside is asked
        await service.run(asyncio.Event())
    return 0


# ------------------------------------------------------------------ the world's side


class SocketSoak:
    def __init__(self, seed: int, *, sources: int, minutes: float, folder: Path, results: Path) -> None:
        self._seconds = minutes * 60
        self.folder, self._results = folder, results
        self.world = World(
            seed, sources=sources, seconds=self._seconds * PACE
        )  # fmt: skip
        self.witness = Witness(self.world, folder, secrets=(SECRET,), exact=False)
        self._chance = random.Random(f"{seed}/sockets")
        self._answers = Answers(self.world, chance=self._chance)
        self._faults = True
        self.life = 0

    def lived(self) -> dict[str, Any]:
        """To the end; the account."""
        with ExitStack() as stack:
            server = stack.enter_context(NewsServer())
            self._hooks = {name: stack.enter_context(Receiver()) for name in CHANNELS}
            zygote = stack.enter_context(Zygote("tests.rig.sockets", self.folder / "log"))
            self._open(server)
            self._began = time.monotonic()
            while self._passed < self._seconds:
                left = self._seconds - self._passed
                self._one_life(zygote, min(left, KILL_EVERY * self._chance.uniform(0.7, 1.3)))
            self._faults = False
            self._one_life(zygote, PEACE)
        return self._reckoned()

    # ------------------------------------------------------------------ lives

    @property
    def _passed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _world_seconds(self) -> float:
        return self._passed * PACE

    def _one_life(self, zygote: Zygote, seconds: float) -> None:
        self.life += 1
        told = {"folder": str(self._desk), "began": self._began, "start": self.world.start.isoformat()}
        end, born, pid = time.monotonic() + seconds, self._world_seconds, zygote.fork(told)
        try:
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, LOOK_EVERY))
                if end - time.monotonic() > AGAIN or not self._faults:
                    self._look(born, zygote.size(pid))
        finally:
            zygote.kill(pid)
            self._collect(ended=True)
            with reading(self._store) as db:
                self.witness.look()
                self.witness.in_flight[self.life] = in_flight(db, self.witness.record)

    def _look(self, born: float, size: dict[str, int]) -> None:
        found = self._broken(born)
        if found:
            time.sleep(AGAIN)
            found &= self._broken(born)
        self.witness.checked()
        minute = {"minute": round(self._passed / 60, 1), "life": self.life, **size, "broken": sorted(found)}
        self._line(minute)

    def _broken(self, born: float) -> set[str]:
        with reading(self._store) as db:
            db.execute("SELECT 1 FROM sources").fetchone()  # what is read after this is at least as new
            seconds = self._world_seconds
            self._collect(ended=False)
            self.witness.look()
            truth = self.witness.truth(db, self.world.at(seconds), seconds, self.world.at(born))
            # Seconds of the machine are half-minutes of the world: what may leave must leave within a minute of them.
            truth = replace(truth, prompt=timedelta(seconds=60 * PACE))
            return set(broken(db, self.witness.record, truth))

    def _reckoned(self) -> dict[str, Any]:
        with reading(self._store) as db:
            seconds = self._world_seconds
            truth = self.witness.truth(db, self.world.at(seconds), seconds, None)
            found = account(db, self.witness.record, truth)
            unsound = [said for (said,) in db.execute("PRAGMA integrity_check") if said != "ok"]
        line = {"account": asdict(found), "said": str(found), "lives": self.life, "faults": dict(self.witness.faults),
                "broken": [*unsound, *(f"lost: {key}" for key in found.lost),
                           *(f"unexpected: {key}" for key in found.unexpected)]}  # fmt: skip
        self._line(line)
        return line

    def _line(self, line: dict[str, Any]) -> None:
        with self._results.open("a", encoding="utf-8") as file:
            print(json.dumps(line), file=file)

    # ------------------------------------------------------------------ sockets

    @property
    def _desk(self) -> Path:
        return self.folder / "desk"

    @property
    def _store(self) -> Path:
        return self._desk / "wirewatch.db"

    def _open(self, server: NewsServer) -> None:
        self._polls = opened(self.folder / "polls.jsonl")
        sites = {}
        for place, name in enumerate(self.world.outlets):
            sites[name] = server.site(f"127.1.{place // 200}.{place % 200 + 1}")
            sites[name].on("*", self._behaviour(name))
        for name, receiver in self._hooks.items():
            receiver.hook.judge = self._judge(name)
        worlddesk.write(
            self._desk, self.world, hooks={name: receiver.hook.url for name, receiver in self._hooks.items()},
            address=lambda outlet, source: sites[outlet].url(f"/{source}"), allow=server.allow,
        )  # fmt: skip

    def _behaviour(self, outlet: str) -> Behaviour:
        async def behave(seen: Seen, wire: Wire) -> None:
            path = seen.path.strip("/")
            if path not in ("main", "brief", "moved"):
                status = b"302 Found\r\nLocation: /loop" if path == "loop" else b"404 Not Found"
                await wire.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                return
            source = "main" if path == "moved" else path
            fault = self._answers.drawn(outlet, source, self._world_seconds) if self._faults and path != "moved" else ""
            etag = seen.headers.get("if-none-match")
            reply, own = self._answers.reply(outlet, source, etag, fault, self._world_seconds)
            if reply.after:
                await asyncio.sleep(reply.after)
                reply, own = self._answers.reply(outlet, source, etag, "", self._world_seconds)
            seconds = self._world_seconds
            line = {
                "source": f"{outlet}/{source}", "at": self.world.at(seconds).isoformat(timespec="microseconds"),
                "seconds": seconds, "etag": own, "all": reply.lists_all, "fault": fault,
            }  # fmt: skip
            os.write(self._polls, json.dumps(line).encode() + b"\n")
            await _answered(wire, reply)

        return behave

    def _judge(self, channel: str) -> Any:
        def judged(received: Received) -> int | Say | None:
            draw = self._chance.random()
            if channel in SOUND or not self._faults or draw > 0.08:
                return None
            wish = Say(429, {"Retry-After": "5"})
            return 503 if draw < 0.03 else wish if draw < 0.045 else CUT if draw < 0.07 else NEVER

        return judged

    def _collect(self, *, ended: bool) -> None:
        with (self.folder / "hook.jsonl").open("a", encoding="utf-8") as file:
            for name, receiver in self._hooks.items():
                if ended:
                    receiver.emptied()
                hook = receiver.hook
                whole = len(hook.said)
                for sent in of_webhook(hook.received[:whole], hook.said[:whole], channel=name, life=self.life):
                    print(written(sent), file=file)
                del hook.received[:whole], hook.said[:whole]


async def _answered(wire: Wire, reply: Reply) -> None:
    """A reply as bytes, or as what happens instead."""
    if reply.how in ("unresolved", "refused", "cut off"):
        wire.reset()
        return
    if reply.how == "silent":
        await wire.gone()
        return
    if reply.how == "garbage":
        await wire.send(b"<rss/>\r\n\r\n")
        wire.close()
        return
    length = len(reply.body) + (500 if reply.how == "short" else 0)
    headers = {"Content-Length": str(length), **reply.headers} if reply.status != 304 else dict(reply.headers)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await wire.send(f"HTTP/1.1 {reply.status} Said\r\n{head}\r\n".encode() + reply.body)
    if reply.how == "short":
        wire.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.sockets", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    results = given.folder / f"sockets-{given.seed}.jsonl"
    results.unlink(missing_ok=True)
    work = quick_folder("wirewatch-sockets-")
    soak = SocketSoak(given.seed, sources=given.sources, minutes=given.minutes, folder=work, results=results)
    soak.lived()
    lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    wrong = [said for line in lines for said in line["broken"]]
    looks = [line for line in lines if "minute" in line]
    print(lines[-1]["said"])
    print(f"{lines[-1]['lives']} lives, {len(looks)} looks, faults: {sum(lines[-1]['faults'].values())} polls "
          f"{lines[-1]['faults']}")  # fmt: skip
    print(f"memory at most {max(line['rss'] for line in looks) / 2**20:.0f} MiB, "
          f"descriptors at most {max(line['files'] for line in looks)}")  # fmt: skip
    print("\n".join([f"{len(wrong)} broken promises", *wrong[:20]]))
    if not wrong:
        shutil.rmtree(work)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
