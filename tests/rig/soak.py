"""The soak: seven days of 200 sources in simulated time, with faults, and the service killed every six hours.

``python -m tests.rig.soak [--seed N] [--parts N] [--level] [--days D] [--folder F]``. Each hour of the world every
promise is checked over the store, the receivers' files and what was published; after the last day the world gets a day
without faults, and then everything that is due must have arrived. ``--level`` kills nobody and looks at memory, for
eleven days: what the service remembers of stories fills up for eight. What was lived is kept, so the whole can be done
in parts (a part ends within `PART` seconds, and with it the life: a level week needs ``--minutes`` enough).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from storage.rows import when
from tests.hook import CUT, Received, Say
from tests.rig import worlddesk
from tests.rig.account import account, in_flight, reading
from tests.rig.promises import broken
from tests.rig.record import of_webhook, written
from tests.rig.running import MEMORY, ROOT, Receiver
from tests.rig.simtime import Kept
from tests.rig.witness import Witness
from tests.rig.world import HOUR, World
from tests.rig.zygote import Zygote

PART = 18 * 60.0
PEACE = 27
"""Hours without faults at the end: who was told to come back in a day has come back. What waits for a daily digest
then gets another day."""
FILLING = 8
"""Days for which the service remembers what stories tell (`monitor.stories.standing.MEMORY`): so long it grows."""
MOST_LOG = 64 * 1024 * 1024
SILENT = 300.0
"""Seconds in which an hour of the world must pass."""
FOLDER = ROOT / ".reliability"
SECRET = "whsec_c29hay1jYW5hcnktc2VjcmV0LW5vYm9keS1zZWVz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    seed: int
    days: float
    sources: int
    kill_every: int
    """Hours of the world; 0: nobody is killed."""
    peace: int = PEACE

    @property
    def hours(self) -> int:
        return round(self.days * 24)


class Soak:
    """The world's other side: it kills, checks and writes down. ``folder`` holds everything that goes on in the next
    part."""

    def __init__(self, plan: Plan, folder: Path, results: Path) -> None:
        self.plan, self.folder, self._results = plan, folder, results
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(plan.seed, sources=plan.sources, seconds=plan.hours * HOUR)
        self.witness = Witness(self.world, folder, secrets=(SECRET, SECRET.removeprefix("whsec_")))
        self._kept = Kept(folder / "clock")
        self._chance = random.Random(f"{plan.seed}/soak")
        self.life, self.wrong = 0, 0
        self._hour_took = 1.0
        self._load()

    def lived(self, until: float) -> bool:
        """Lives until the world ends or the time (`time.monotonic`) is over; whether the world has ended."""
        with Receiver() as hook, Zygote("tests.rig.soaking", self.folder / "log") as zygote:
            hook.hook.judge = self._judged
            self._hook = hook
            worlddesk.write(
                self.folder / "desk", self.world, hooks={"hook": hook.hook.url},
                address=lambda outlet, source: f"https://{self.world.outlets[outlet].host}/{source}",
            )  # fmt: skip
            with _listening(self.folder / "parent") as door:
                while not self._ended() and time.monotonic() < until:
                    self._one_life(zygote, door, until)
        return self._ended()

    def _ended(self) -> bool:
        """Everything has happened, and nothing waits any more, or has waited for too long."""
        over = self._hour - self.plan.hours - self.plan.peace
        if over < 0:
            return False
        with reading(self._store) as db:
            waiting = db.execute("SELECT count(*) FROM alerts WHERE condition = 'pending'").fetchone()[0]
        return not (waiting and self.plan.peace and over < 27)

    @property
    def _hour(self) -> int:
        return int(self._kept.read().seconds // HOUR)

    # ------------------------------------------------------------------ one life

    def _one_life(self, zygote: Zygote, door: socket.socket, until: float) -> None:
        self.life += 1
        peace = self._hour >= self.plan.hours
        self._faults = not peace
        pid = zygote.fork(
            {
                "folder": str(self.folder), "life": self.life, "seed": self.plan.seed, "sources": self.plan.sources,
                "seconds": self.plan.hours * HOUR, "faults": self._faults, "secret": SECRET,
            }
        )  # fmt: skip
        try:
            self._accompany(zygote, pid, door, peace, until)
        finally:
            zygote.kill(pid)
            self._collect(ended=True)
            with reading(self._store) as db:
                self.witness.look()
                self.witness.in_flight[self.life] = in_flight(db, self.witness.record)
            self._save()

    def _accompany(self, zygote: Zygote, pid: int, door: socket.socket, peace: bool, until: float) -> None:
        """From hour to hour; returns when the life is to be killed."""
        door.settimeout(SILENT)
        connection, _ = door.accept()
        with connection, connection.makefile("rwb") as talk:
            connection.settimeout(SILENT)
            born = None
            while line := talk.readline():
                began = time.monotonic()
                said = {**json.loads(line), **zygote.size(pid)}
                hour = said["hour"]
                self._collect(ended=False)
                with reading(self._store) as db:
                    db.execute("SELECT 1 FROM sources").fetchone()  # the snapshot is taken: the life may go on
                    face = self._kept.read()
                    now = self.world.at(face.seconds + face.ahead)
                    ends = self._ended() or (not peace and hour >= self.plan.hours)
                    if not ends:
                        talk.write(b"on\n")
                        talk.flush()
                    self._check(db, said, face.seconds, now, born)
                born = now
                if ends or time.monotonic() > until:
                    return
                if self.plan.kill_every and not peace and hour % self.plan.kill_every == 0:
                    time.sleep(self._chance.uniform(0, self._hour_took))
                    return
                self._hour_took = max(0.2, time.monotonic() - began)

    def _check(self, db: Any, said: dict[str, Any], seconds: float, now: Any, born: Any) -> None:
        began = time.monotonic()
        self.witness.look()
        truth = self.witness.truth(db, now, seconds, born)
        found = list(broken(db, self.witness.record, truth))
        log = self._store.with_name(self._store.name + "-wal")
        size = log.stat().st_size if log.exists() else 0
        if size > MOST_LOG:
            found.append(f"P5: the write-ahead log has {size:,} bytes")
        counts = dict(db.execute("SELECT condition, count(*) FROM alerts GROUP BY condition").fetchall())
        self._line(
            {
                **said, "life": self.life, "at": when(now), "log": size, "alerts": counts, "broken": found[:20],
                "wrong": len(found), "checked": round(time.monotonic() - began, 2), "wall": round(time.time(), 1),
            }
        )  # fmt: skip
        self.witness.checked()

    # ------------------------------------------------------------------ the end

    def reckoned(self) -> dict[str, Any]:
        """The account of the whole, when the world has ended."""
        with reading(self._store) as db:
            self.witness.look()
            face = self._kept.read()
            truth = self.witness.truth(db, self.world.at(face.seconds + face.ahead), face.seconds, None)
            # What was published last was not asked for yet, unless there was peace.
            due = self.witness.everything(self.plan.hours * HOUR) if self.plan.peace else truth.due
            found = account(db, self.witness.record, replace(truth, due=due))
            unsound = [said for (said,) in db.execute("PRAGMA integrity_check") if said != "ok"]
        line = {"account": asdict(found), "said": str(found), "lives": self.life, "broken": unsound,
                "faults": dict(self.witness.faults)}  # fmt: skip
        self._line(line)
        return line

    # ------------------------------------------------------------------ what is kept

    @property
    def _store(self) -> Path:
        return self.folder / "desk" / "wirewatch.db"

    def _judged(self, received: Received) -> int | Say | None:
        draw = self._chance.random()
        if not self._faults or draw > 0.06:
            return None
        return 503 if draw < 0.03 else Say(429, {"Retry-After": "90"}) if draw < 0.045 else CUT

    def _collect(self, *, ended: bool) -> None:
        """Write down what the webhook's receiver has got and answered."""
        if ended:
            self._hook.emptied()
        hook = self._hook.hook
        whole = len(hook.said)
        with (self.folder / "hook.jsonl").open("a", encoding="utf-8") as file:
            for sent in of_webhook(hook.received[:whole], hook.said[:whole], channel="hook", life=self.life):
                print(written(sent), file=file)
        del hook.received[:whole], hook.said[:whole]

    def _line(self, line: dict[str, Any]) -> None:
        self.wrong += len(line["broken"])
        with self._results.open("a", encoding="utf-8") as file:
            print(json.dumps({"soak": asdict(self.plan), **line}), file=file)

    def _save(self) -> None:
        kept = {"life": self.life, "in_flight": {life: sorted(keys) for life, keys in self.witness.in_flight.items()}}
        beside = self.folder / "state.part"
        beside.write_text(json.dumps(kept), "utf-8")
        beside.replace(self.folder / "state.json")

    def _load(self) -> None:
        if (self.folder / "state.json").exists():
            kept = json.loads((self.folder / "state.json").read_text("utf-8"))
            self.life = kept["life"]
            self.witness.in_flight = {int(life): frozenset(keys) for life, keys in kept["in_flight"].items()}


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(1)
        yield door


# ------------------------------------------------------------------ results


def bad(line: dict[str, Any]) -> list[str]:
    """What is wrong with one line of the results."""
    if "account" not in line:
        return list(line["broken"])
    found = line["account"]
    wrong = [*line["broken"], *(f"lost: {key}" for key in found["lost"])]
    wrong += [f"unexpected: {key}" for key in found["unexpected"]]
    return wrong + ([f"{found['pending']} still pending"] if found["pending"] else [])


def told(lines: list[dict[str, Any]]) -> str:
    """The figures of one soak."""
    hours = [line for line in lines if "hour" in line]
    said = [f"{len(hours)} hours checked, {sum(len(bad(line)) for line in lines)} broken promises"]
    said += [wrong for line in lines for wrong in bad(line)][:20]
    for day in range(hours[-1]["hour"] // 24 + 1 if hours else 0):
        own = [line for line in hours if line["hour"] // 24 == day]
        if own:
            said.append(
                f"day {day + 1}: {own[-1]['wall'] - own[0]['wall']:.0f} s; memory {own[-1]['rss'] / 2**20:.0f} MiB, "
                f"at most {max(line['files'] for line in own)} descriptors, log at most "
                f"{max(line['log'] for line in own) / 2**20:.1f} MiB, alerts {own[-1]['alerts']}"
            )
    if hours and not hours[0]["soak"]["kill_every"]:
        said.append(_grown(hours))
    return "\n".join([*said, *(line["said"] for line in lines if "account" in line)])


def _grown(hours: list[dict[str, Any]]) -> str:
    """How memory goes on once everything that fills up is full."""
    by_day = [
        [line["rss"] for line in hours if line["hour"] // 24 == day] for day in range(hours[-1]["hour"] // 24 + 1)
    ]
    full = [max(day) for day in by_day[FILLING - 1 :] if day]
    if len(full) < 2:
        return f"memory: the world ended before the {FILLING} days in which it fills"
    return f"memory: at most {full[0] / 2**20:.0f} MiB on day {FILLING}, and then {max(full[1:]) / full[0] - 1:+.1%}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--days", type=float, help="7, or 11 with --level")
    parser.add_argument("--minutes", type=float, default=PART / 60, help="of a part")
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--level", action="store_true", help="kill nobody: memory is looked at")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    days = given.days or (FILLING + 3 if given.level else 7)
    plan = Plan(seed=given.seed, days=days, sources=given.sources, kill_every=0 if given.level else 6)
    name = f"soak-{'level-' if given.level else ''}{given.seed}"
    given.folder.mkdir(parents=True, exist_ok=True)
    results = given.folder / f"{name}.jsonl"
    work = (MEMORY if MEMORY.is_dir() else given.folder) / f"wirewatch-{name}"
    soak = Soak(plan, work, results)
    ended = False
    for _ in range(given.parts):
        ended = ended or soak.lived(time.monotonic() + given.minutes * 60)
    if ended and not bad(soak.reckoned()) and not soak.wrong:
        shutil.rmtree(soak.folder)
    lines = [line for line in map(json.loads, results.read_text("utf-8").splitlines()) if line["soak"] == asdict(plan)]
    print(told(lines))
    print("the world has ended" if ended else "there is more to do: the same command goes on")
    return int(any(bad(line) for line in lines))


if __name__ == "__main__":
    sys.exit(main())
