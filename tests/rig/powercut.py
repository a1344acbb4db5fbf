"""The power is cut at any moment: ``python -m tests.rig.powercut --seed N --states M`` (F107).

One life of a real store is recorded (`tests.rig.storelife`). From the steps come states that the disk may be found in
after a power cut at any moment of it (`tests.rig.disk`). Each is opened by the real store and judged: sound, everything
acknowledged is there, nothing is half there; then what was lost unacknowledged comes from the wire again, under the
same keys. ``--synchronous OFF`` or ``NORMAL`` shows that the rig sees what ``FULL`` is for.
"""

from __future__ import annotations

import argparse
import asyncio
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.errors import StoreError
from monitor.model.filing import Filing
from monitor.ports import Store
from storage import open_store, restore
from storage.sqlite.opening import connect
from tests.rig.disk import Disk
from tests.rig.recording import Named, Renamed, Said, Step, SyncFolder, Truncate
from tests.rig.storelife import BACKUP, STORE, answers
from tests.storage.desk import CHANNELS, decide

ROOT = Path(__file__).parents[2]
CONDITION = {"sent": "delivered", "later": "pending", "refused": "dead"}


# ------------------------------------------------------------------ what was acknowledged


@dataclass(slots=True)
class Truth:
    """What the store had told its callers at one moment."""

    filed: set[int] = field(default_factory=set)
    fences: dict[str, int] = field(default_factory=dict)
    conditions: dict[str, set[str]] = field(default_factory=dict)
    """Alert → what it may be now: what was acknowledged, or what was being written."""
    writing: tuple[str, ...] = ()
    """The alerts of the message that is being settled."""
    backups: dict[str, Truth] = field(default_factory=dict)
    restoring: Truth | None = None
    """A restore is under way: what is found may be this, too."""

    def hear(self, what: tuple[Any, ...]) -> None:
        match what:
            case ("filed", number):
                self.filed.add(number)
            case ("claimed", message, fence):
                self.fences[message] = fence
            case ("trying", verdict, alerts):
                self.writing = alerts
                for alert in alerts:
                    self.conditions.setdefault(alert, {"pending"}).add(CONDITION[verdict])
            case ("settled", verdict, alerts):
                self.writing = ()
                self.conditions.update({alert: {CONDITION[verdict]} for alert in alerts})
            case ("backed up", name):
                self.backups[name] = self.copy()
            case ("restoring",):
                self.restoring = self.backups[BACKUP]
            case ("restored",):
                assert self.restoring is not None
                self._become(self.restoring)

    def copy(self) -> Truth:
        return Truth(
            filed=set(self.filed),
            fences=dict(self.fences),
            conditions={alert: set(each) for alert, each in self.conditions.items()},
        )

    def _become(self, other: Truth) -> None:
        now = other.copy()
        self.filed, self.fences, self.conditions, self.restoring = now.filed, now.fences, now.conditions, None


@dataclass(slots=True)
class Verdict:
    """Of one state: what is wrong with it, in words. Empty: nothing is."""

    opened: bool = True
    corrupt: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return [*self.corrupt, *self.lost, *self.torn]


# ------------------------------------------------------------------ judging one state


class Judge:
    """Opens a state as the service does after the power cut, and holds it against what was acknowledged."""

    def __init__(self, known: Sequence[Filing]) -> None:
        self._answers = known
        self._items = [
            {
                each.id: "Doha" in each.entry.title
                for each in one.candidates
                if each.keys[0].startswith(f"url:{number}-")
            }
            for number, one in enumerate(known)
        ]  # the new articles of each answer, and whether they are told

    async def judge(self, folder: Path, truth: Truth) -> Verdict:
        verdict = Verdict()
        try:
            store = await self._opened(folder, truth)
        except StoreError as error:
            return Verdict(opened=False, corrupt=[str(error)])
        try:
            verdict = self._held_against(folder / STORE, truth)
            if not verdict.wrong:
                await self._polled_again(store, folder / STORE, verdict)
        except StoreError as error:
            verdict.corrupt.append(str(error))
        finally:
            await store.close()
        for name, backed_up in truth.backups.items():
            own = self._held_against(folder / name, backed_up)
            verdict.lost += [f"{name}: {each}" for each in own.wrong]
        return verdict

    async def _opened(self, folder: Path, truth: Truth) -> Store:
        url = f"sqlite:///{folder / STORE}"
        try:
            return open_store(url, exclusive=True)
        except StoreError as error:
            if truth.restoring is None or "wirewatch restore" not in str(error):
                raise
        restore(url, folder / BACKUP)  # it was broken off, and says so: once more
        return open_store(url, exclusive=True)

    def _held_against(self, path: Path, truth: Truth) -> Verdict:
        one = self._compared(path, truth)
        if not one.wrong or truth.restoring is None:
            return one
        other = self._compared(path, truth.restoring)
        return one if other.wrong else other

    def _compared(self, path: Path, truth: Truth) -> Verdict:
        if not path.exists():
            return Verdict(lost=[f"{path.name} is not there"])
        with closing(connect(path, read_only=True)) as db:
            if (found := db.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                return Verdict(corrupt=[found])
            if broken := db.execute("PRAGMA foreign_key_check").fetchall():
                return Verdict(corrupt=[f"{broken[0][0]} names what is not there"])
        held = self._held(path)
        verdict = Verdict()
        verdict.torn += self._half_filed(held)
        verdict.lost += [
            f"answer {number}" for number in sorted(truth.filed) if not self._items[number].keys() <= held.items.keys()
        ]
        verdict.lost += [
            f"{alert} is {held.conditions.get(alert)}, not {' or '.join(sorted(may_be))}"
            for alert, may_be in truth.conditions.items() if held.conditions.get(alert) not in may_be
        ]  # fmt: skip
        verdict.lost += [f"fence of {name}" for name, fence in truth.fences.items() if held.fences.get(name, 0) < fence]
        if len({held.conditions.get(alert) for alert in truth.writing}) > 1:
            verdict.torn.append(f"message of {truth.writing}")
        return verdict

    @staticmethod
    def _held(path: Path) -> Held:
        with closing(connect(path, read_only=True)) as db:
            return Held(
                items={row[0]: tuple(row[1:]) for row in db.execute(_PARTS)},
                etags=dict(db.execute("SELECT id, etag FROM sources").fetchall()),
                conditions=dict(db.execute("SELECT id, condition FROM alerts").fetchall()),
                keys={row[0] for row in db.execute("SELECT key FROM alerts")},
                fences=dict(db.execute("SELECT id, fence FROM messages").fetchall()),
            )

    def _half_filed(self, held: Held) -> Iterator[str]:
        """P3: an answer's items with all that belongs to them, and its validators with all of them; or nothing."""
        newest: dict[str, int] = {}
        for number, items in enumerate(self._items):
            there = items.keys() & held.items.keys()
            if not there:
                continue
            newest[self._answers[number].answer.source] = number
            if there != items.keys():
                yield f"answer {number} has {len(there)} of {len(items)} items"
            for item in there:
                if held.items[item] != ((1, 1, 1, len(CHANNELS)) if items[item] else (1, 1, 0, 0)):
                    yield f"item {item} of answer {number} has (texts, terms, matches, alerts) {held.items[item]}"
        for source, etag in held.etags.items():
            if etag != (str(newest[source]) if source in newest else None):
                yield f"validators of {source} are of answer {etag}, its newest is {newest.get(source)}"

    async def _polled_again(self, store: Store, path: Path, verdict: Verdict) -> None:
        """The wire still has what its source's validators do not cover; then all is there, under the same keys."""
        etags = self._held(path).etags
        last = max((int(etag) for etag in etags.values() if etag is not None), default=0) + 4
        due = [each for each in self._answers[:last] if int(etag_of(each)) > int(etags.get(each.answer.source) or -1)]
        await asyncio.gather(*(store.file(each, decide) for each in due))
        held = self._held(path)
        news = {item: told for items in self._items[:last] for item, told in items.items()}
        keys = {f"doha|{channel}|{item}|new" for item, told in news.items() if told for channel in CHANNELS}
        if held.items.keys() != news.keys() or held.keys != keys:
            verdict.lost.append(f"polled again up to answer {last}: other items or other keys than before")


@dataclass(frozen=True, slots=True)
class Held:
    """What a state holds."""

    items: dict[str, tuple[int, ...]]
    etags: dict[str, str | None]
    conditions: dict[str, str]
    keys: set[str]
    fences: dict[str, int]


_PARTS = """
SELECT id, (SELECT count(*) FROM revisions WHERE item = items.id),
  (SELECT count(*) FROM search WHERE rowid = items.number),
  (SELECT count(*) FROM matches WHERE item = items.id), (SELECT count(*) FROM alerts WHERE item = items.id)
FROM items
"""


def etag_of(answer: Filing) -> str:
    assert answer.after is not None
    assert answer.after.validators.etag is not None
    return answer.after.validators.etag


# ------------------------------------------------------------------ many states


@dataclass(slots=True)
class Result:
    states: int = 0
    opened: int = 0
    lost: int = 0
    torn: int = 0
    corrupt: int = 0
    first: str = ""
    """The first state that was wrong, in words."""

    def add(self, place: str, verdict: Verdict) -> None:
        self.states += 1
        self.opened += verdict.opened
        self.lost += bool(verdict.lost)
        self.torn += bool(verdict.torn)
        self.corrupt += bool(verdict.corrupt)
        if verdict.wrong and not self.first:
            self.first = f"{place}: {'; '.join(verdict.wrong[:3])}"

    def __str__(self) -> str:
        return (
            f"states={self.states} opened={self.opened} lost={self.lost} torn={self.torn} corrupt={self.corrupt}"
        )  # fmt: skip


def recorded(seed: int, synchronous: str) -> list[Step]:
    """The steps of one life, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        life = Path(folder) / "life"
        life.mkdir()
        command = [sys.executable, "-m", "tests.rig.storelife", str(life), str(seed), synchronous]
        subprocess.run(command, cwd=ROOT, check=True)
        steps: list[Step] = pickle.loads(life.with_suffix(".steps").read_bytes())
    return steps


def power_cuts(seed: int, states: int, synchronous: str = "FULL") -> Result:
    """Judge so many states, sampled by the seed: a third at any step, a third right after something was
    acknowledged, a third where files come, go and shrink."""
    return asyncio.run(_power_cuts(recorded(seed, synchronous), seed, states))


async def _power_cuts(steps: list[Step], seed: int, states: int) -> Result:
    chance, result, judge = random.Random(seed), Result(), Judge(answers(seed))
    cuts = sorted(_moments(steps, chance, states))
    disk, truth, done = Disk(), Truth(), 0
    for cut in cuts:
        for step in steps[done:cut]:
            disk.take(step)
            if isinstance(step, Said):
                truth.hear(step.what)
        done = cut
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            _write(Path(folder), disk.after_power_cut(chance), chance)
            result.add(f"power cut after step {cut}", await judge.judge(Path(folder), truth))
    return result


def _moments(steps: Sequence[Step], chance: random.Random, count: int) -> Iterator[int]:
    """How many steps are done when the power goes."""
    said = [place + 1 for place, step in enumerate(steps) if isinstance(step, Said)]
    names = [place + 1 for place, step in enumerate(steps) if isinstance(step, Named | Renamed | SyncFolder | Truncate)]
    chance.shuffle(names)
    for number in range(count):
        match number % 3:
            case 0:
                yield chance.randint(0, len(steps))
            case 1:
                yield chance.choice(said)
            case _:
                yield names[number // 3 % len(names)]


def _write(folder: Path, found: dict[str, bytes], chance: random.Random) -> None:
    for name, content in found.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    if STORE in found and chance.random() < 0.5:  # shared memory is a file too, of which anything may have been written
        (folder / f"{STORE}-shm").write_bytes(chance.randbytes(32768))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.powercut", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--synchronous", choices=("OFF", "NORMAL", "FULL"), default="FULL")
    asked = parser.parse_args()
    result = power_cuts(asked.seed, asked.states, asked.synchronous)
    print(f"seed={asked.seed} synchronous={asked.synchronous} {result}")
    if result.first:
        print(result.first, file=sys.stderr)
    return 1 if result.first else 0


if __name__ == "__main__":
    sys.exit(main())
