"""What is true of a simulated world at an hour of it: from its seed, and from what was written down on the way.

The wire has written down each answer before it gave it, the receivers each message; both files are read on from where
the last look ended.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from storage.rows import moment
from tests.rig.record import Sent, Truth, read
from tests.rig.world import CHANNELS, SOUND, SPEAKS, World


@dataclass(frozen=True, slots=True)
class Poll:
    """The last of its moment: time stands while a source is asked, so one before it at the same moment was led on
    elsewhere, or was answered to a life that was killed before it filed."""

    at: str
    seconds: float
    etag: str
    whole: bool


@dataclass
class Witness:
    world: World
    folder: Path
    record: list[Sent] = field(default_factory=list)
    in_flight: dict[int, frozenset[str]] = field(default_factory=dict)
    trespasses: list[str] = field(default_factory=list)
    faults: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    secrets: tuple[str, ...] = ()
    exact: bool = True
    """An answer is filed at the very moment that was written down with it: time stands meanwhile."""
    _polls: defaultdict[str, list[Poll]] = field(default_factory=lambda: defaultdict(list))
    _places: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """Source → (ETag, or time) → place of its first poll."""
    _read: dict[str, int] = field(default_factory=dict)
    _due: dict[str, frozenset[str]] = field(default_factory=dict)
    """Id of each published item → the keys that are due by it."""
    _published: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        """Read on."""
        for line in self._lines("polls.jsonl"):
            if "trespass" in line:
                self.trespasses.append(line["trespass"])
                continue
            polls, places = self._polls[line["source"]], self._places[line["source"]]
            if polls and polls[-1].at == line["at"]:
                polls.pop()
            places[line["at"]] = len(polls)
            places.setdefault(line["etag"], len(polls))
            polls.append(Poll(line["at"], line["seconds"], line["etag"], line["all"]))
            self.faults[line["fault"]] += 1
        for name in ("received.jsonl", "hook.jsonl"):
            self.record += [read(json.dumps(line)) for line in self._lines(name)]

    def checked(self) -> None:
        """What the messages say has been looked at: only their keys are needed from now on."""
        self.record = [replace(sent, body="") if sent.body else sent for sent in self.record]

    def truth(self, store: sqlite3.Connection, now: datetime, seconds: float, born: datetime | None) -> Truth:
        """At the moment that ``store`` shows."""
        self._publish(seconds)
        held = {name for (name,) in store.execute("SELECT id FROM items")}
        desk = self.folder / "desk"
        return Truth(
            now=now, born=born, steady=False, speaks=SPEAKS, sound=SOUND, in_flight=self.in_flight,
            due=frozenset().union(*(self._due[item] for item in held & self._due.keys())),
            may=frozenset(key.rpartition("|")[0] for keys in self._due.values() for key in keys),
            recorded=frozenset(CHANNELS),
            articles=frozenset(self._due), seen=self._seen(store), listed=self._listed(store),
            sources=dict.fromkeys(self.world.source_ids, self.world.longest),
            secrets=self.secrets, trespasses=tuple(self.trespasses),
            files=(desk / "wirewatch.db", desk / "wirewatch.db-wal", self.folder / "log"),
        )  # fmt: skip

    def everything(self, seconds: float) -> frozenset[str]:
        """The keys that are due by all that was published since the world began."""
        return frozenset().union(
            *(
                self.world.due(name, (article,))
                for name in self.world.outlets
                for article in self.world.published(name, 0, seconds)
                if article.at > 0
            )
        )

    def _publish(self, seconds: float) -> None:
        for name in self.world.outlets:
            for article in self.world.published(name, self._published.get(name, 0), seconds):
                self._due[self.world.item(name, article.number)] = self.world.due(name, (article,))
                self._published[name] = article.number + 1

    def _seen(self, store: sqlite3.Connection) -> frozenset[str]:
        """What stood in the last whole answer of each source that the store has recorded."""
        found: set[str] = set()
        for source, polled in store.execute("SELECT id, last_polled FROM sources WHERE last_polled IS NOT NULL"):
            polls = self._polls[source]
            place = self._recorded(source, moment(polled).isoformat(timespec="microseconds"))
            while place is not None and place >= 0:
                if polls[place].whole:
                    found |= self._items(source, polls[place].seconds)
                    break
                place -= 1
        return frozenset(found)

    def _recorded(self, source: str, polled: str) -> int | None:
        """The place of the poll that the store recorded then."""
        if self.exact:
            return self._places[source].get(polled)
        return bisect_right(self._polls[source], polled, key=lambda poll: poll.at) - 1

    def _listed(self, store: sqlite3.Connection) -> Mapping[tuple[str, str], frozenset[str]]:
        found = {}
        for source, etag in store.execute("SELECT id, etag FROM sources WHERE etag IS NOT NULL"):
            place = self._places[source].get(etag)
            if place is not None:
                found[source, etag] = self._items(source, self._polls[source][place].seconds)
        return found

    def _items(self, source: str, seconds: float) -> frozenset[str]:
        outlet, _, own = source.partition("/")
        return frozenset(self.world.item(outlet, article.number) for article in self.world.listed(outlet, own, seconds))

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Whole lines that were not read yet."""
        path = self.folder / name
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self._read.get(name, 0))
            content = file.read()
        whole = content.rpartition(b"\n")[0]
        self._read[name] = self._read.get(name, 0) + len(whole) + bool(whole)
        for line in whole.splitlines():
            yield json.loads(line)
