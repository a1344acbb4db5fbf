"""How long alerts take, counted into two histograms: from first seen, and from the publisher's own time where it is
credible."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta

BUCKETS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86400.0)
"""Upper edges in seconds, each included in its bucket; what took longer is counted beyond the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many took how long: one count for each of `BUCKETS` and one for what took longer."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total: float = 0.0
    """The sum of all, in seconds."""

    def plus(self, took: timedelta) -> Histogram:
        """The histogram with one more. Nothing takes less than no time: a clock was set, or a date was ahead."""
        seconds = max(took.total_seconds(), 0.0)
        place = bisect_left(BUCKETS, seconds)
        counts = tuple(count + (at == place) for at, count in enumerate(self.counts))
        return Histogram(counts=counts, total=self.total + seconds)


class Latency:
    """Counts every alert that was sent and was not held on purpose. Read the two histograms at any time: they are
    values that never change, replaced by each count."""

    def __init__(self) -> None:
        self.from_seen = Histogram()
        self.from_published = Histogram()

    def sent(self, first_seen: datetime, published: datetime | None, now: datetime) -> None:
        """An alert was taken by its receiver. ``published`` is ``None`` where the wire gave no credible date."""
        self.from_seen = self.from_seen.plus(now - first_seen)
        if published is not None:
            self.from_published = self.from_published.plus(now - published)
