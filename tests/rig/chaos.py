"""Chaos: the real service is killed (SIGKILL) again and again, and each time it is looked at what is left.

``python -m tests.rig.chaos [--seed N] [--parts N] [--results FILE]`` kills it `EACH` times at each named point
(`tests.rig.killable.POINTS`) and `RANDOM` times at any moment. One life is one start, forked from a warm parent; every
`COLD`-th of those killed at any moment is a whole new process. What stands in the results file is not done again, so
the whole can be done in parts; a part ends within `PART` seconds.

A life is good when the store's file is sound, no promise is broken by what the store and the receivers hold, what came
again was in flight at a kill, and the first source was asked within five seconds of the start. After `STAGE` lives
over one store the service lives in peace until nothing waits: everything that is due must have arrived then.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.rig.killable import POINTS
from tests.rig.lives import MISSED, RANDOMLY, Lives
from tests.rig.running import ROOT, quick_folder
from tests.rig.zygote import Zygote

EACH, RANDOM, COLD = 100, 1000, 25
STAGE = 200
PART = 18 * 60.0
RESULTS = ROOT / ".reliability" / "chaos.jsonl"


def planned(done: Mapping[str, int], chance: random.Random, *, each: int, at_random: int) -> list[str]:
    """The kinds of lives that are still to be lived, mixed."""
    wanted = {**dict.fromkeys(POINTS, each), RANDOMLY: at_random}
    left = [kind for kind, many in wanted.items() for _ in range(many - done.get(kind, 0))]
    chance.shuffle(left)
    return left


def stage(
    folder: Path, kinds: list[str], seed: int, zygote: Zygote, until: float = float("inf")
) -> Iterator[dict[str, Any]]:
    """One store's lives, each as a line of the results, and last its account. Those that the time (`time.monotonic`)
    does not suffice for are left out."""
    with Lives(folder, zygote, random.Random(seed)) as lives:
        lives.peaceful()  # the store is made, its sources had their first poll
        for number, kind in enumerate(kinds, 1):
            cold = kind == RANDOMLY and number % COLD == 0
            yield {"run": asdict(lives.killed(kind, cold=cold)), "seed": seed}
            if time.monotonic() > until:
                break
        account, broken = lives.settled()
    yield {"account": asdict(account), "said": str(account), "broken": broken, "lives": lives.count, "seed": seed}


def bad(line: Mapping[str, Any]) -> list[str]:
    """What is wrong with one line of the results."""
    if "run" in line:
        return [f"{line['run']['kind']}: {said}" for said in line["run"]["broken"]]
    account = line["account"]
    wrong = [*line["broken"], *(f"lost: {key}" for key in account["lost"])]
    wrong += [f"unexpected: {key}" for key in account["unexpected"]]
    return wrong + ([f"{account['pending']} still pending"] if account["pending"] else [])


def lines(results: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []


def told(found: list[dict[str, Any]]) -> str:
    """The figures of all results."""
    runs = [line["run"] for line in found if "run" in line]
    accounts = [line["account"] for line in found if "account" in line]
    kinds = Counter(run["kind"] for run in runs if run["kind"] != MISSED)
    wrong = [said for line in found for said in bad(line)]
    sums = {
        name: sum(account[name] for account in accounts) for name in ("due", "ok", "recovered", "dead", "suppressed")
    }
    lost, unexpected = (sum(len(account[name]) for account in accounts) for name in ("lost", "unexpected"))
    said = [
        f"{kinds.total()} kills: {kinds[RANDOMLY]} at any moment, the others at {len(kinds) - 1} points "
        f"({min((many for kind, many in kinds.items() if kind != RANDOMLY), default=0)} or more each)",
        f"alerts: {sums}, lost {lost}, unexpected {unexpected}",
        f"in flight at a kill: {sum(run['in_flight'] for run in runs)} messages; "
        f"came again: {sum(run['repeats'] for run in runs)} alerts",
        f"broken: {len(wrong)}",
        *wrong[:20],
    ]
    for name, cold in (("forked", False), ("cold", True)):
        times = sorted(run["polled"] for run in runs if run["polled"] is not None and run["cold"] is cold)
        if len(times) > 1:
            said.append(
                f"first poll after a {name} start: median {statistics.median(times):.2f} s, "
                f"95 in 100 within {times[int(len(times) * 0.95)]:.2f} s, longest {times[-1]:.2f} s"
            )
    return "\n".join(said)


def part(results: Path, seed: int, *, each: int, at_random: int) -> bool:
    """Go on where the results end, for one part; whether there is more to do."""
    until = time.monotonic() + PART
    results.parent.mkdir(parents=True, exist_ok=True)
    work = quick_folder("wirewatch-chaos-")
    with Zygote("tests.rig.killable", work / "log") as zygote:
        while time.monotonic() < until:
            found = lines(results)
            done = Counter(line["run"]["kind"] for line in found if "run" in line)
            own = seed + sum("account" in line for line in found)
            kinds = planned(done, random.Random(own), each=each, at_random=at_random)[:STAGE]
            if not kinds:
                break
            _staged(results, work / f"desk-{own}", kinds, own, zygote, until)
    if not any((work / each).is_dir() for each in work.iterdir()):
        shutil.rmtree(work)
    return bool(kinds)


def _staged(results: Path, folder: Path, kinds: list[str], seed: int, zygote: Zygote, until: float) -> None:
    """One stage into the results; its folder stays where something is wrong."""
    wrong: list[str] = []
    with results.open("a", encoding="utf-8") as file:
        for line in stage(folder, kinds, seed, zygote, until):
            print(json.dumps(line), file=file, flush=True)
            wrong += bad(line)
    print(f"{line['said']} ({line['lives']} lives, seed {seed})", flush=True)
    if wrong:
        print("\n".join([*wrong[:5], f"kept: {folder}"]), flush=True)
    else:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--random", type=int, default=RANDOM)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    more = True
    for _ in range(given.parts):
        if more := part(given.results, given.seed, each=given.each, at_random=given.random):
            continue
        break
    found = lines(given.results)
    print(told(found))
    print("there is more to do: the same command goes on" if more else "all done")
    return int(any(bad(line) for line in found))


if __name__ == "__main__":
    sys.exit(main())
