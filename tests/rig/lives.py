"""The lives of a service over one store: each is ended by a kill, and it is looked at what is left of it."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from tests.hook import CUT, Received, Say
from tests.newsserver import NewsServer
from tests.rig.account import Account, account, in_flight, messages_in_flight, reading
from tests.rig.press import CHANNELS, HEADLINES, SPEAKS, WATCHES, Press
from tests.rig.promises import broken
from tests.rig.record import OWN_WATCHES, Sent, Truth, of_webhook
from tests.rig.running import Receiver, Room, until
from tests.rig.zygote import Zygote

STEP = timedelta(minutes=70)
"""The wall clock goes on by so much between two lives: everything is due at each start."""
PATIENCE = 240.0
"""Seconds that a busy machine may take until nothing waits."""
FIRST_POLL = 5.0
AT_ONCE = 8
RANDOMLY, MISSED = "random", "missed"
PASSED = 4.0
"""Seconds in which a life passes its point, if ever."""
_DYING = ("after_dead_before_told", "after_told_before_marked")
"""Points that need an alert that was refused in an earlier life: dead letters are told within a minute, or at the next
start."""
_ONCE = ("after_claim_host", "after_tell", *_DYING)
"""Points that a life may pass once only; of the others some are taken at their second passing."""
_UNTOLD = "SELECT 1 FROM alerts WHERE condition = 'dead' AND told = 0 AND watch <> 'wirewatch-notices'"
_REST = "SELECT count(*) FROM alerts WHERE condition = 'pending'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life and its end, as it stands in the results."""

    kind: str
    """A point, or ``random``."""
    cold: bool
    lived: float
    """Seconds from the start to the kill."""
    polled: float | None
    """Seconds from the start to the first request; ``None``: killed before."""
    in_flight: int
    """Messages that a receiver had and the store did not know as delivered."""
    repeats: int
    """Alerts that came again in this life."""
    broken: tuple[str, ...]


class Lives:
    """One store, the news server and the receivers around it. Everything random comes from ``chance``."""

    def __init__(self, folder: Path, zygote: Zygote, chance: random.Random) -> None:
        self._folder, self._zygote, self._chance = folder, zygote, chance
        self._record: list[Sent] = []
        self._in_flight: dict[int, frozenset[str]] = {}
        self.count = 0
        self._victim = 0
        """The process that a receiver kills when it has the next message; 0: none."""
        self._refusals = 0
        """How many of the next messages with news are refused."""
        self._peace = False
        """Receivers fail for no other reason: nobody has to wait for what is tried again."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._server = opened.enter_context(NewsServer())
            self._receivers = {name: opened.enter_context(Receiver()) for name in CHANNELS}
            self._opened = opened.pop_all()
        for receiver in self._receivers.values():
            receiver.hook.judge = self._judged
        self._press = Press(self._server, self._chance)
        channels = {name: receiver.channel for name, receiver in self._receivers.items()}
        self._room = Room(self._folder, self._server, channels=channels, watches=WATCHES, baseline="100d")
        for outlet in HEADLINES:
            self._room.outlet(outlet, self._press.sites[outlet].url("/feed"))
        self._room.write()
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    # ------------------------------------------------------------------ to a kill

    def killed(self, kind: str, *, cold: bool = False) -> Run:
        """One life that ends at the point ``kind``, or at any moment (`RANDOMLY`); ``cold``: in a new process."""
        if kind in _DYING and not self._room.rows(_UNTOLD):
            self.peaceful(refusals=1)
        self._next()
        self._refusals, self._peace = int(self._chance.random() < 0.05), False
        began = time.monotonic()
        if cold:
            self._killed_cold(began)
        elif not self._killed_forked(kind):
            kind = MISSED
        lived, polled = time.monotonic() - began, self._first_request(began)
        before = Counter(key for sent in self._record if sent.taken for key in sent.members)
        sent = self._collect()
        with reading(self._room.store) as db:
            left = self._in_flight[self.count] = in_flight(db, self._record)
            said = [*_unsound(db), *broken(db, self._record, self._truth(db))]
        messages = messages_in_flight(sent, left)
        said += [f"{many} messages of {name} in flight" for name, many in messages.items() if many > AT_ONCE]
        if (lived if polled is None else polled) > FIRST_POLL:
            said.append(f"nobody was asked within {FIRST_POLL:g} s of the start")
        return Run(
            kind=kind, cold=cold, lived=round(lived, 3), polled=None if polled is None else round(polled, 3),
            in_flight=sum(messages.values()), broken=tuple(said),
            repeats=sum(key in before for each in sent if each.taken for key in each.members),
        )  # fmt: skip

    def settled(self) -> tuple[Account, tuple[str, ...]]:
        """Lives in peace until nothing waits any more; the account then, and what is broken."""
        for _ in range(5):  # what is gathered or backed off is due in the next
            if not self.peaceful() and not self._press.closed:
                break
        everything = frozenset(self._press.articles)
        with reading(self._room.store) as db:
            truth = replace(self._truth(db), due=self._press.due(everything), seen=everything)
            return account(db, self._record, truth), (*_unsound(db), *broken(db, self._record, truth))

    def peaceful(self, *, refusals: int = 0) -> int:
        """One life that is killed when everything listed is filed and everything due has left; how many alerts wait
        for another time."""
        self._next()
        self._refusals, self._peace = refusals, True
        pid = self._fork("none")
        until(
            lambda: self._room.store.exists() and self._quiet(),
            "everything listed is filed, everything due has left",
            seconds=PATIENCE,
        )
        self._zygote.kill(pid)
        self._collect()
        with reading(self._room.store) as db:
            self._in_flight[self.count] = in_flight(db, self._record)
            return int(db.execute(_REST).fetchone()[0])

    # ------------------------------------------------------------------ one life

    @property
    def _ahead(self) -> timedelta:
        """Of the service's clock to the machine's."""
        return STEP * self.count

    def _next(self) -> None:
        self.count += 1
        self._press.edition(datetime.now(UTC) + self._ahead, self._filed())

    def _filed(self) -> frozenset[str]:
        if not self._room.store.exists():
            return frozenset()
        return frozenset(row["id"] for row in self._room.rows("SELECT id FROM items"))

    def _fork(self, point: str) -> int:
        return self._zygote.fork(
            {
                "folder": str(self._folder), "point": point, "nth": 1 if point in _ONCE else self._chance.randint(1, 2),
                "ahead": self._ahead.total_seconds(),
            }
        )  # fmt: skip

    def _killed_forked(self, kind: str) -> bool:
        """False: its point was not passed (there was nothing to tell), so it was killed when it was quiet."""
        pid = self._fork(kind)
        if kind == RANDOMLY:
            time.sleep(self._chance.uniform(0.02, 0.8))
            self._zygote.kill(pid)
            return True
        self._victim = pid if kind == "mid_send" else 0
        try:
            code = self._zygote.wait(pid, PASSED)
        except TimeoutError:
            return False
        finally:
            self._victim = 0
        assert code == -signal.SIGKILL, f"{kind}: ended with {code}"
        return True

    def _killed_cold(self, began: float) -> None:
        """A whole new process, killed within a second of its first request."""
        process = self._room.start(
            "-m", "tests.rig.killable", str(self._folder), "none", "1", str(self._ahead.total_seconds())
        )
        until(lambda: self._first_request(began) is not None, "the first source was asked")
        time.sleep(self._chance.uniform(0.0, 1.0))
        process.kill()
        process.wait()

    def _first_request(self, began: float) -> float | None:
        asked = [
            seen.at
            for site in self._press.sites.values()
            for seen in site.requests[-8:]
            if seen.at > began and seen.path == "/feed"
        ]
        return min(asked) - began if asked else None

    def _quiet(self) -> bool:
        return self._filed() >= self._press.shown and self._room.quiet(datetime.now(UTC) + self._ahead)

    # ------------------------------------------------------------------ receivers

    def _judged(self, received: Received) -> int | Say | None:
        """In a receiver's thread."""
        if self._victim:
            victim, self._victim = self._victim, 0
            os.kill(victim, signal.SIGKILL)
            return CUT
        if self._refusals and not received.key.startswith(OWN_WATCHES):
            self._refusals -= 1
            return 410
        return 503 if not self._peace and self._chance.random() < 0.02 else None

    def _collect(self) -> Sequence[Sent]:
        """What arrived in this life, once nobody sends any more."""
        sent: list[Sent] = []
        for name, receiver in self._receivers.items():
            receiver.emptied()
            hook = receiver.hook
            sent += of_webhook(hook.received, hook.said, channel=name, life=self.count, ahead=self._ahead)
            hook.received.clear()
            hook.said.clear()
        self._record += sent
        return sent

    def _truth(self, db: sqlite3.Connection) -> Truth:
        items = frozenset(name for (name,) in db.execute("SELECT id FROM items")) & self._press.articles.keys()
        return Truth(
            now=datetime.now(UTC) + self._ahead, due=self._press.due(items), may=self._press.may, speaks=SPEAKS,
            recorded=frozenset(CHANNELS), in_flight=self._in_flight, articles=frozenset(self._press.articles),
            listed=self._press.listed,
            sources={f"{outlet}/feed": timedelta(hours=6) for outlet in HEADLINES},
        )  # fmt: skip


def _unsound(db: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with the file."""
    return [said for (said,) in db.execute("PRAGMA integrity_check") if said != "ok"]
