"""Chaos: the real service is killed (SIGKILL) again and again over one store, and each time it is looked at what is left.

``python -m tests.rig.chaos [--seed N] [--parts N] [--results FILE]`` kills it `EACH` times at each named point and
`RANDOM` times at any moment. One life is one start, forked from a warm parent (every `COLD`-th killed at random is a
whole new process). Runs that stand in the results file are not done again, so that the whole can be done in parts.

A run is good when the store's file is sound, no promise is broken by what store and receivers hold, what comes again
was in flight at a kill, and the first source was asked within five seconds of the start. A stage of `STAGE` runs over
one store ends in peace: everything that is due must have arrived then.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from tests.hook import CUT, Received, Say
from tests.newsserver import NewsServer
from tests.rig.account import Account, account, in_flight, messages_in_flight, reading
from tests.rig.killable import POINTS
from tests.rig.press import CHANNELS, FLAKY, HEADLINES, SPEAKS, WATCHES, Press
from tests.rig.promises import broken
from tests.rig.record import Sent, Truth, of_webhook
from tests.rig.running import ROOT, START, Receiver, Room, until
from tests.rig.zygote import Zygote

EACH, RANDOM, COLD = 100, 1000, 25
STAGE = 200
PART = 20 * 60.0
"""Seconds in which a part ends."""
STEP = timedelta(minutes=61)
"""The wall clock goes on by so much between two lives, so that everything is due at each start."""
FIRST_POLL = 5.0
AT_ONCE = 8
RANDOMLY = "random"
RESULTS = ROOT / ".reliability" / "chaos.jsonl"
_DYING = {"after_dead_before_told", "after_told_before_marked"}
"""Points for which an alert has to be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life and its end, as it stands in the results."""

    kind: str
    """A point, or ``random``."""
    lived: float
    """Seconds from the start to the kill."""
    polled: float | None
    """Seconds from the start to the first request to a source; ``None``: killed before."""
    cold: bool
    in_flight: int
    """Messages that a receiver had and the store did not know as delivered."""
    repeats: int
    """Alerts that came again in this life."""
    broken: tuple[str, ...]


class Stage:
    """One store, its receivers, and the lives over it."""

    def __init__(self, folder: Path, zygote: Zygote, chance: random.Random) -> None:
        self.folder, self._zygote, self._chance = folder, zygote, chance
        self.record: list[Sent] = []
        self.lives = 0
        self._in_flight: dict[int, frozenset[str]] = {}
        self._victim = 0
        """The process that the receiver kills with the next message; 0: none."""
        self._refuse_one = False

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            server = opened.enter_context(NewsServer())
            self._hooks = {name: opened.enter_context(Receiver()) for name in CHANNELS}
            self._stack = opened.pop_all()
        for receiver in self._hooks.values():
            receiver.hook.judge = self._judge
        self.press = Press(server, self._chance)
        self._server = server
        self._room = Room(self.folder, server, channels={name: hook.channel for name, hook in self._hooks.items()})
        self._room.watches, self._room.baseline = WATCHES, "100d"
        for outlet in HEADLINES:
            self._room.outlet(outlet, self.press.sites[outlet].url("/feed"))
        self._room.write()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    # ------------------------------------------------------------------ one life

    def run(self, kind: str, *, cold: bool = False) -> Run:
        """One life that ends at the point ``kind``, or at any moment."""
        self.lives += 1
        self.press.edition(datetime.now(UTC) + self._ahead, self._filed())
        self._refuse_one = kind in _DYING or self._chance.random() < 0.05
        began = time.monotonic()
        if cold:
            self._kill_cold(began)
        else:
            self._kill_forked(kind)
        lived = time.monotonic() - began
        polled = self._first_poll(began)
        sent = self._collect()
        with reading(self._room.store) as db:
            left = self._in_flight[self.lives] = in_flight(db, self.record)
            said = (*self._unsound(db), *broken(db, self.record, self._truth(db)))
        said += self._too_many(sent, left)
        if lived > FIRST_POLL and (polled is None or polled > FIRST_POLL):
            said += (f"the first source was asked after {polled or lived:.1f} s",)
        before = Counter(key for each in self.record[: -len(sent) or None] if each.taken for key in each.members)
        repeats = sum(key in before for each in sent if each.taken for key in each.members)
        return Run(
            kind=kind, lived=round(lived, 3), polled=None if polled is None else round(polled, 3), cold=cold,
            in_flight=sum(messages_in_flight(self.record, left).values()), repeats=repeats, broken=said,
        )  # fmt: skip

    def settled(self) -> tuple[Account, tuple[str, ...]]:
        """Lives in peace until nothing waits any more; the account, and what is broken."""
        self._refuse_one = False
        for _ in range(6):  # what is gathered or backed off is due in the next
            self.lives += 1
            self.press.edition(datetime.now(UTC) + self._ahead, self._filed())
            pid = self._fork("none", 1)
            until(self._quiet, "everything listed is filed and everything due has left")
            self._zygote.kill(pid)
            self._collect()
            with reading(self._room.store) as db:
                self._in_flight[self.lives] = in_flight(db, self.record)
                if not db.execute("SELECT 1 FROM alerts WHERE condition = 'pending'").fetchone():
                    break
        with reading(self._room.store) as db:
            truth = self._truth(db)
            shown = frozenset(item for each in self._shown_at_last() for item in each)
            truth = replace(truth, due=self.press.due(self.press.articles), seen=shown)
            return account(db, self.record, truth), (*self._unsound(db), *broken(db, self.record, truth))

    @property
    def _ahead(self) -> timedelta:
        """Of the service's clock to the machine's."""
        return STEP * self.lives
