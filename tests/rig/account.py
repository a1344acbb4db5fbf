"""The account of a run: what was due, what arrived, and what the store says about the rest.

::

    due = ok + pending + dead + suppressed + lost

Alerts are counted, not messages: one that gathers several counts by its members.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rig.record import OWN_WATCHES, Sent, Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    attempts: int
    """Times that an alert was sent."""
    due: int
    ok: int
    """Due, and it arrived."""
    lost: tuple[str, ...]
    """Due, never arrived, and the store will not send it: it has no row, or the row says that it was delivered."""
    unexpected: tuple[str, ...]
    """Arrived, and nothing that was published makes it due."""
    duplicated: Mapping[str, int]
    """Arrived more than once → how many times too often."""
    recovered: int
    """Due, and it arrived after an attempt that failed or that nobody recorded."""
    pending: int
    dead: int
    suppressed: int

    @property
    def whole(self) -> bool:
        return self.due == self.ok + self.pending + self.dead + self.suppressed + len(self.lost)

    def __str__(self) -> str:
        return (
            f"{self.due} due: {self.ok} arrived ({self.recovered} after a failure), {len(self.lost)} lost, "
            f"{self.pending} pending, {self.dead} dead, {self.suppressed} suppressed; "
            f"{len(self.unexpected)} unexpected, "
            f"{sum(self.duplicated.values())} repeats, {self.attempts} attempts"
        )


@contextlib.contextmanager
def reading(store: Path) -> Iterator[sqlite3.Connection]:
    """The store's file, beside a service or after one that was killed."""
    db = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, timeout=20, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        db.execute("BEGIN")
        yield db
    finally:
        db.close()


def account(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Account:
    """Compare the keys that are due with those that arrived and with the rows of the store."""
    conditions = dict(store.execute("SELECT key, condition FROM alerts").fetchall())
    arrived = Counter(key for sent in record if sent.taken for key in sent.members)
    tried = Counter(key for sent in record for key in sent.members)
    waiting = {key: conditions.get(key) for key in truth.due if key not in arrived}
    return Account(
        attempts=tried.total(),
        due=len(truth.due),
        ok=len(truth.due) - len(waiting),
        lost=tuple(sorted(key for key, condition in waiting.items() if condition in (None, "delivered"))),
        unexpected=tuple(sorted(key for key in arrived if not _expected(key, truth))),
        duplicated={key: count - 1 for key, count in sorted(arrived.items()) if count > 1},
        recovered=sum(key in arrived and tried[key] > 1 for key in truth.due),
        pending=sum(condition == "pending" for condition in waiting.values()),
        dead=sum(condition == "dead" for condition in waiting.values()),
        suppressed=sum(condition == "suppressed" for condition in waiting.values()),
    )


def _expected(key: str, truth: Truth) -> bool:
    watch, _, _ = key.partition("|")
    return key in truth.due or key.rpartition("|")[0] in truth.may or watch in OWN_WATCHES


def in_flight(store: sqlite3.Connection, record: Sequence[Sent]) -> frozenset[str]:
    """After a kill: the alerts that a receiver has and the store does not know as delivered. These, and no others, may
    come once more."""
    known = {key for (key,) in store.execute("SELECT key FROM alerts WHERE condition = 'delivered'")}
    return frozenset(key for sent in record if sent.taken for key in sent.members) - known


def messages_in_flight(record: Sequence[Sent], keys: frozenset[str]) -> Mapping[str, int]:
    """Channel → how many messages those alerts were."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for sent in record:
        if sent.taken and keys.intersection(sent.members):
            found[sent.channel].add(sent.key)
    return {channel: len(messages) for channel, messages in found.items()}
