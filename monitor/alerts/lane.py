"""One channel as the dispatcher sees it: whether it answers, when it may be asked, how much it takes. No waiting here.

A lane is *down* once two different messages failed with no success between them: then one message a minute
(at first sooner) asks whether it answers again, and the others wait in the store until the first success makes
them due (F122). One message that fails alone says nothing about the channel: it backs off by itself and holds up nobody
(F125).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from monitor.model.messages import Delivery, Message

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
PROBE = timedelta(seconds=60)
GIVE_UP = timedelta(hours=72)


def backoff(attempts: int, draw: float) -> timedelta:
    """5 s, 10 s, 20 s … 10 min, each shortened by up to a quarter by ``draw`` from [0, 1): no two messages in step."""
    full: timedelta = min(FIRST_WAIT * int(2 ** min(max(attempts - 1, 0), 16)), LONGEST_WAIT)
    return max(FIRST_WAIT, full * (1 - draw / 4))


@dataclass(slots=True, kw_only=True)
class Lane:
    """One channel's state in this process; all times are monotonic seconds."""

    sending: int = 0
    failed: set[str] = field(default_factory=set)
    """Messages that failed since the last success."""
    proven: bool = True
    """The last answer was a success: a failure now may be the message's own."""
    probes: int = 0
    not_before: float = 0.0
    """The receiver's own wish (Retry-After): nothing is sent earlier."""
    next_probe: float = 0.0

    @property
    def down(self) -> bool:
        return len(self.failed) > 1

    def renew(self) -> None:
        """Another channel goes by this name now (a reload): what the old one said does not hold."""
        self.failed.clear()
        self.not_before = self.next_probe = 0.0

    def room(self, now: float, at_once: int) -> int:
        """How many messages may leave now. While the lane is down, one asks for all."""
        if now < max(self.not_before, self.next_probe if self.down else 0.0):
            return 0
        return max(0, (1 if self.down else at_once) - self.sending)

    def left(self, now: float) -> None:
        """A message is on its way."""
        self.sending += 1
        if self.down:
            self.next_probe = now + PROBE.total_seconds()

    def answered(self, message: Message, delivery: Delivery, now: float, draw: float) -> bool:
        """Note an answer; True when the channel is back, so that all that waits for it is due. One that took a message
        for some recipients is well, though it is tried again for the others (F131)."""
        if delivery.verdict == "later" and not delivery.taken:
            self.failed.add(message.id)
            if self.down:
                self.probes += 1
                self.next_probe = now + min(backoff(self.probes, draw), PROBE).total_seconds()
            if delivery.retry_after is not None:
                self.not_before = max(self.not_before, now + delivery.retry_after.total_seconds())
            return False
        back = self.down
        self.failed.discard(message.id)
        if back or delivery.verdict == "sent":
            self.failed.clear()
            self.proven, self.probes = True, 0
        return back

    def wait_of(self, message: Message, delivery: Delivery, now: float, draw: float) -> timedelta:
        """How long a message waits that was sent in vain; called after `answered`."""
        wait = backoff(message.attempts, draw)
        if not self.proven:
            # Nobody got through since it was last tried: the message that asked asks again, so that somebody does.
            wait = min(wait, PROBE)
        self.proven = False
        if self.down:
            wait = timedelta(seconds=max(0.0, self.next_probe - now))
        return max(delivery.retry_after or timedelta(), wait)
