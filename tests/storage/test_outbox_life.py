"""P1 over the real store: whatever is done to the outbox in whatever order, no row is lost and no message changes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from monitor.model.alerts import Escalation, Held, NewAlert, Release, Settled, Waiting
from monitor.model.filing import Change, Decision
from monitor.model.items import Match
from monitor.model.messages import Delivery, Message, Room
from monitor.ports import Ledger
from storage.sqlite.opening import connect
from storage.sqlite.store import SqliteStore
from storage.sqlite.texts import MOST_REVISIONS
from tests.storage.desk import CHANNELS, NOW, candidate, claimed, filing

T = TypeVar("T")
WATCHES = ("doha", "cairo")
GIVE_UP = timedelta(hours=72)
RULES = (Escalation(channel="desk", to="duty", after=timedelta(minutes=10)),)
KEYS = tuple(f"url:{n}" for n in range(8))
_ROWS = """
SELECT alerts.*, messages.key AS message_key, messages.condition AS message_condition, messages.members
FROM alerts LEFT JOIN messages ON messages.number = alerts.message
"""

watches = st.sampled_from(WATCHES)
verdicts = st.sampled_from(["sent", "sent", "later", "later", "later", "refused"])
waits = st.sampled_from([0, 60, 1800, 7200, 100_000])
soon = st.sampled_from([0, 0, 31, 61, 7200])
"""Seconds that pass before a step."""


class Outbox(RuleBasedStateMachine):
    """Rows by id as they were after the last step; what was claimed, and what of it was sent."""

    on_their_way = Bundle("on_their_way")
    rows = Bundle("rows")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.db"
        self.store = SqliteStore(self.path, exclusive=True)
        self.run(self.store._writer.alone(lambda db: db.execute("PRAGMA synchronous = OFF")))
        self.db = connect(self.path, read_only=True)
        self.now: datetime = NOW
        self.texts = 0
        self.known: dict[str, Any] = {}
        self.members: dict[str, frozenset[str]] = {}
        self.fences: dict[str, int] = {}
        self.sent: set[str] = set()

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            with closing(self.loop), self.folder, closing(self.db):
                self.run(self.store.close())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def look(self) -> dict[str, Any]:
        return {row["id"]: row for row in self.db.execute(_ROWS).fetchall()}

    # -------------------------------------------------------------- filing

    @initialize(target=rows)
    def begin(self) -> Any:
        """A story is due on both channels, and others wait for two digests."""
        for key, wait in zip(KEYS, (0, 60, 60, 7200), strict=False):
            self.file([key], "normal", wait, "digest")
        return multiple(*self.look())

    @rule(
        target=rows, keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True),
        severity=st.sampled_from(["low", "normal", "high", "critical"]), wait=waits,
        gather=st.sampled_from(["digest", "quiet hours", "cooldown", "corroborated"]), same=st.booleans(),
    )  # fmt: skip
    def filed(self, keys: list[str], severity: Any, wait: int, gather: str, same: bool) -> Any:
        """New items and new texts of known ones; several keys on one entry make one item of what were several."""
        before = set(self.look())
        if same:
            self.file(keys, severity, wait, gather)
        else:
            for key in keys:
                self.file([key], severity, wait, gather)
        return multiple(*(set(self.look()) - before))

    @rule(target=rows, count=st.integers(9, 14), watch=watches)
    def flood(self, count: int, watch: str) -> Any:
        before = set(self.look())
        self.texts += 1
        entries = [candidate(f"Doha {self.texts} {n}", keys=(f"url:flood/{self.texts}/{n}",)) for n in range(count)]

        def judge(change: Change, ledger: Ledger) -> Decision:
            row = NewAlert(watch=watch, channel="desk", item=change.item.id, state="new", severity="normal")
            return Decision(matches=(Match(watch=watch),), alerts=(row,))

        self.run(self.store.file(filing(entries, at=self.now), judge))
        return multiple(*(set(self.look()) - before))

    def file(self, keys: list[str], severity: Any, wait: int, gather: str) -> None:
        """The rows of a copy are told with those of its original, as the policy has it."""
        self.texts += 1

        def judge(change: Change, ledger: Ledger) -> Decision:
            state = "new" if change.fresh else f"edited:{change.revision.id}"
            told = ledger.told([change.item.id]) if self.texts % 2 else {}
            muted = ledger.muted()
            made = []
            for watch in WATCHES:
                alone = gather in ("cooldown", "corroborated")
                word = f"{gather}:{watch}:{change.item.id}" if alone else gather
                held = Held(until=self.now + timedelta(seconds=wait), gather=word, reason=f"{gather}") if wait else None
                for channel in CHANNELS:
                    with_it = f"told with {told[watch, channel]}" if (watch, channel) in told else ""
                    silent = with_it or ("muted" if watch in muted else "")
                    made.append(
                        NewAlert(
                            watch=watch, channel=channel, item=change.item.id, state=state, severity=severity,
                            suppressed=silent, held=None if silent else held,
                        )
                    )  # fmt: skip
            return Decision(matches=tuple(Match(watch=watch) for watch in WATCHES), alerts=tuple(made))

        entry = candidate(f"Doha {self.texts}", keys=tuple(keys))
        self.run(self.store.file(filing([entry], at=self.now), judge))

    # -------------------------------------------------------------- sending

    @rule(
        target=on_their_way, after=soon, messages=st.integers(1, 4), alerts=st.sampled_from([1, 3, 99, 99]),
        probing=st.booleans(),
    )  # fmt: skip
    def claim(self, after: int, messages: int, alerts: int, probing: bool) -> Any:
        self.now += timedelta(seconds=after)
        rooms = {name: Room(messages=messages, alerts=alerts, probing=probing) for name in CHANNELS}
        found = self.run(self.store.claim_messages(self.now, rooms=rooms, lease=timedelta(minutes=1)))
        assert max((sum(each.channel == name for each in found) for name in CHANNELS), default=0) <= messages
        for message in found:
            self.check_claimed(message)
            assert len(message.alerts) <= alerts or message.attempts > 1
        return multiple(*found)

    def check_claimed(self, message: Message) -> None:
        ids = frozenset(alert.id for alert in message.alerts)
        assert ids
        assert message.fence > self.fences.get(message.id, 0)
        self.fences[message.id] = message.fence
        assert self.members.setdefault(message.key, ids) == ids, "a message never changes"
        assert {alert.condition for alert in message.alerts} == {"pending"}
        assert not any(alert.gather.startswith("corroborated:") for alert in message.alerts)
        assert {alert.channel for alert in message.alerts} == {message.channel}
        assert (len(ids) == 1) == (message.key == message.alerts[0].key)

    @rule(message=on_their_way, verdict=verdicts, wait=waits)
    def settle(self, message: Message, verdict: Any, wait: int) -> None:
        """Of any claim, also one that is long over, and twice."""
        before = self.look()
        delivery = Delivery(verdict=verdict, detail="why")
        due = self.now + timedelta(seconds=wait) if verdict == "later" and wait != 1800 else None
        kept = self.run(self.store.settle(message, delivery, now=self.now, due=due))
        after = self.look()
        assert not (kept and message.fence < self.fences.get(message.id, 0)), "an attempt that outlived its lease"
        if not kept:
            assert {name: tuple(row) for name, row in after.items()} == {
                name: tuple(row) for name, row in before.items()
            }
        elif verdict == "sent":
            held = {name for name, row in after.items() if row["message_key"] == message.key}
            self.sent |= held
            assert {after[name]["condition"] for name in held} <= {"delivered"}

    @rule(message=consumes(on_their_way))
    def lose(self, message: Message) -> None:
        """Nobody ever settles it."""

    @rule(channel=st.sampled_from(CHANNELS))
    def hurry(self, channel: str) -> None:
        self.run(self.store.hurry(channel, self.now))

    @rule(seconds=st.sampled_from([601, 90_000, 200_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(seconds=st.sampled_from([60, 3600]))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.now -= timedelta(seconds=seconds)
        self.run(self.store.set_back(self.now, timedelta(seconds=seconds)))

    @rule()
    def a_service_starts(self) -> None:
        self.run(self.store.release_all())

    # -------------------------------------------------------------- people

    @rule(row=rows)
    def resend(self, row: str) -> None:
        before = self.look().get(row)
        asked = self.run(self.store.resend([row], self.now))
        may = before is not None and before["condition"] in ("dead", "suppressed")
        assert asked == ((row,) if may else ())
        if may:
            assert self.look()[row]["condition"] == "pending"

    @rule(row=rows)
    def acknowledge(self, row: str) -> None:
        self.run(self.store.acknowledge([row], self.now))

    @rule(watch=watches, hours=st.sampled_from([None, 1, 48]))
    def mute(self, watch: str, hours: int | None) -> None:
        until = None if hours is None else self.now + timedelta(hours=hours)
        self.run(self.store.mute(watch, until, self.now))

    @rule(
        wait=st.sampled_from([0, 601, 255_000, 260_000]), channels=st.sampled_from([CHANNELS, CHANNELS, CHANNELS[:1]]),
        of=st.sampled_from([WATCHES, WATCHES, WATCHES[:1]]),
    )  # fmt: skip
    def tend(self, wait: int, channels: tuple[str, ...], of: tuple[str, ...]) -> None:
        self.now += timedelta(seconds=wait)
        before = self.look()
        found = self.run(
            self.store.tend(self.now, channels=channels, watches=of, escalations=RULES, give_up=GIVE_UP)
        )  # fmt: skip
        after = self.look()
        died = [
            name for name in before if before[name]["condition"] == "pending" and after[name]["condition"] == "dead"
        ]
        assert (found.buried, found.escalated) == (len(died), len(after) - len(before))

    # -------------------------------------------------------------- rows that wait for other origins

    @rule(target=rows, fate=st.sampled_from(["told", "told", "over", "let go"]))
    def reconsider(self, fate: str) -> Any:
        """Of each watch and channel, all that waits is told by its newest row, closed, or let go of."""
        before = set(self.look())

        def settle(story: str | None, ledger: Ledger) -> Settled:
            groups: dict[tuple[str, str], list[Waiting]] = {}
            for row in ledger.waiting():
                groups.setdefault((row.alert.watch, row.alert.channel), []).append(row)
            if fate == "told":
                return Settled(releases=tuple(map(self.told_by_the_newest, groups.values())))
            held = [row.alert.id for group in groups.values() for row in group]
            if fate == "over":
                return Settled(over=dict.fromkeys(held, "not corroborated: 1 of 3 origins within 90 min"))
            return Settled(releases=tuple(Release(row=row, alert=None) for row in held))

        self.run(self.store.reconsider(settle, self.now))
        assert self.waiting() == set()
        return multiple(*(set(self.look()) - before))

    @staticmethod
    def told_by_the_newest(group: list[Waiting]) -> Release:
        *others, last = (row.alert for row in group)
        new = NewAlert(
            watch=last.watch, channel=last.channel, item=last.item, state="corroborated", severity=last.severity
        )
        return Release(row=last.id, alert=new, told_with=tuple(each.id for each in others))

    def waiting(self) -> set[str]:
        """Rows that no claim takes; they are in no message."""
        found = self.db.execute(
            "SELECT id, message FROM alerts WHERE condition = 'pending' AND gather GLOB 'corroborated:*'"
        )
        held = {row["id"]: row["message"] for row in found.fetchall()}
        assert set(held.values()) <= {None}
        return set(held)

    # -------------------------------------------------------------- forgetting

    @precondition(lambda self: self.known)
    @rule()
    def forget(self) -> None:
        """What is old and over goes, with its messages."""
        before = self.now - timedelta(hours=24)
        self.run(self.store.prune(bodies_before=before, revisions_before=before, identity_before=before))
        gone = set(self.known) - set(self.look())
        assert all(self.known[name]["condition"] != "pending" for name in gone)
        self.known = self.look()
        # In earnest this is more than a year later: nobody is still sending what is forgotten.
        kept = {row["id"] for row in self.db.execute("SELECT id FROM messages")}
        self.fences = {message: fence for message, fence in self.fences.items() if message in kept}

    # -------------------------------------------------------------- what always holds

    @invariant()
    def no_row_is_lost_and_what_was_delivered_stays_so(self) -> None:
        after = self.look()
        gone = [self.known.pop(name) for name in set(self.known) - set(after)]
        if gone:  # with a text that an item of too many texts no longer keeps (F71)
            assert {row["condition"] for row in gone} == {"suppressed"}
            assert all(row["state"].startswith("edited:") for row in gone)
            assert self.db.execute("SELECT max(revisions) FROM items").fetchone()[0] == MOST_REVISIONS
        for name, row in self.known.items():
            if row["condition"] == "delivered":
                assert (after[name]["condition"], after[name]["delivered"]) == ("delivered", row["delivered"])
            assert (after[name]["key"], after[name]["created"]) == (row["key"], row["created"])
        self.known = after

    @invariant()
    def rows_and_messages_agree(self) -> None:
        waiting: dict[str, set[str]] = {}
        for name, row in self.known.items():
            if row["message_condition"] == "pending":
                assert row["condition"] == "pending"
                waiting.setdefault(row["message_key"], set()).add(name)
            if row["condition"] == "pending":
                assert row["message_condition"] in (None, "pending")
            if row["condition"] in ("dead", "suppressed"):
                assert row["reason"]
        for key, names in waiting.items():
            assert self.members[key] == names, "nobody leaves a message that may still be sent"
        pending = self.db.execute("SELECT key FROM messages WHERE condition = 'pending'").fetchall()
        assert {row["key"] for row in pending} == set(waiting)

    @invariant()
    def whoever_is_told_with_another_is_not_told_with_a_dead_one(self) -> None:
        for row in self.known.values():
            if row["condition"] == "suppressed" and row["reason"].startswith("told with "):
                other = self.known.get(row["reason"].removeprefix("told with "))
                assert other is None or other["condition"] != "dead" or "not configured" in other["reason"]

    def drain(self) -> None:
        """All channels take everything again: every row that waits is sent, once it may leave. What waits for other
        origins is told by then."""
        self.reconsider("told")
        waiting = {name for name, row in self.look().items() if row["condition"] == "pending"}
        for _ in range(40):
            self.now += timedelta(hours=3)
            found = self.run(claimed(self.store, self.now))
            for message in found:
                self.check_claimed(message)
                assert self.run(self.store.settle(message, Delivery(verdict="sent"), now=self.now, due=None))
                self.sent |= {alert.id for alert in message.alerts}
        after = self.look()
        assert {after[name]["condition"] for name in waiting} <= {"delivered"}
        assert {name for name, row in after.items() if row["condition"] == "delivered"} <= self.sent
        assert self.run(self.store.check()) == ()


TestOutbox = Outbox.TestCase
TestOutbox.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
