"""One channel as the dispatcher sees it: what waits for it, whether it answers, when it may be asked. No waiting here.

A lane is *down* once two different alerts failed with no success between them: then one message a minute
(at first sooner) asks whether it answers again, and the other rows wait in the store until the first success makes
them due (F122). One alert that fails alone says nothing about the channel: it backs off by itself and holds up nobody
(F125).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from config.model import SEVERITIES
from monitor.model import Alert, Delivery

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
PROBE = timedelta(seconds=60)
GIVE_UP = timedelta(hours=72)
QUEUE = 32
"""Rows of one channel that are leased at a time; the others wait in the store."""


def backoff(attempts: int, draw: float) -> timedelta:
    """5 s, 10 s, 20 s … 10 min, each shortened by up to a quarter by ``draw`` from [0, 1): no two rows in step."""
    full: timedelta = min(FIRST_WAIT * int(2 ** min(max(attempts - 1, 0), 16)), LONGEST_WAIT)
    return max(FIRST_WAIT, full * (1 - draw / 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A claimed row, and when (monotonic) it was claimed."""

    alert: Alert
    at: float


@dataclass(slots=True, kw_only=True)
class Lane:
    """One channel's state in this process; all times are monotonic seconds."""

    waiting: list[Leased] = field(default_factory=list)
    sending: int = 0
    failed: set[str] = field(default_factory=set)
    """Alerts that failed since the last success."""
    proven: bool = True
    """The last answer was a success: a failure now may be the alert's own."""
    probes: int = 0
    not_before: float = 0.0
    """The receiver's own wish (Retry-After): nothing is sent earlier."""
    next_probe: float = 0.0
    put_off: bool = False
    """Rows wait in the store for this channel to answer, beyond their own back-off."""
    overflowed: bool = False
    """Rows wait in the store because there were too many."""

    @property
    def down(self) -> bool:
        return len(self.failed) > 1

    @property
    def room(self) -> int:
        return QUEUE - len(self.waiting) - self.sending

    def renew(self) -> None:
        """Another channel goes by this name now (a reload): what the old one said does not hold."""
        self.failed.clear()
        self.not_before = self.next_probe = 0.0

    def shut_for(self, now: float) -> float:
        """Seconds until this lane may be asked at all; 0: now."""
        until = max(self.not_before, self.next_probe if self.down else 0.0)
        return max(0.0, until - now)

    def add(self, leased: Leased) -> None:
        """The most severe first, then in the order of claiming (F124)."""
        place = len(self.waiting)
        while place and _rank(self.waiting[place - 1]) < _rank(leased):
            place -= 1
        self.waiting.insert(place, leased)

    def next_to_send(self, now: float, at_once: int) -> Leased | None:
        """The row to send now, taken from the queue. While the lane is down, one message asks for all."""
        if not self.waiting or self.shut_for(now) or self.sending >= (1 if self.down else at_once):
            return None
        self.sending += 1
        if self.down:
            self.next_probe = now + PROBE.total_seconds()
        return self.waiting.pop(0)

    def answered(self, alert: Alert, delivery: Delivery, now: float, draw: float) -> bool:
        """Note an answer; True when the channel is back, so that all its waiting rows are due."""
        if delivery.verdict == "later":
            self.failed.add(alert.id)
            if self.down:
                self.probes += 1
                self.next_probe = now + min(backoff(self.probes, draw), PROBE).total_seconds()
            if delivery.retry_after is not None:
                self.not_before = max(self.not_before, now + delivery.retry_after.total_seconds())
            return False
        back = self.down or self.put_off
        self.failed.discard(alert.id)
        if back or delivery.verdict == "sent":
            self.failed.clear()
            self.proven, self.probes, self.put_off = True, 0, False
        return back

    def wait_of(self, alert: Alert, delivery: Delivery, now: float, draw: float) -> timedelta:
        """How long a row waits that was sent in vain; called after `answered`."""
        wait = backoff(alert.attempts, draw)
        if not self.proven:
            # Nobody got through since it was last tried: the row that asked asks again, so that somebody does.
            wait = min(wait, PROBE)
        self.proven = False
        wish = delivery.retry_after or timedelta()
        return max(wish, timedelta(seconds=self.shut_for(now)) if self.down else wait)


def _rank(leased: Leased) -> int:
    return SEVERITIES.index(leased.alert.severity)
