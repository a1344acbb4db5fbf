"""Small charts as geometry: the templates draw them as SVG, without a script and with words beside them. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor import health, rhythm
from monitor.model.reviews import Tally
from monitor.model.sources import Rhythm
from monitor.restdays import Week

HOUR = timedelta(hours=1)
_OUTLETS = 14
"""Rows of a coverage chart; what is quieter is summed up in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One hour of one outlet. ``step``: 0 nothing … 4 most."""

    x: int
    step: int
    items: int
    matched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    outlet: str
    """Empty: all the others."""
    others: int
    """How many those are."""
    items: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was first seen in the hours before now, by outlet, and in all by language."""

    lines: tuple[Line, ...]
    hours: tuple[tuple[int, str], ...]
    """Where an hour is written, and how."""
    languages: tuple[tuple[str, int], ...]
    items: int
    matched: int
    width: int


def coverage(tallies: Iterable[Tally], *, since: datetime, hours: int, zone: ZoneInfo) -> Coverage:
    """``tallies`` of an hour each from ``since`` on."""
    counted: dict[str, Counter[int]] = defaultdict(Counter)
    matched: dict[str, Counter[int]] = defaultdict(Counter)
    languages: Counter[str] = Counter()
    for each in tallies:
        if each.outlet == health.OUTLET:  # the service's own notices are no coverage
            continue
        at = (each.at - since) // HOUR
        counted[each.outlet][at] += each.items
        matched[each.outlet][at] += each.matched
        languages[each.language] += each.items
    order = sorted(counted, key=lambda outlet: (-counted[outlet].total(), outlet))
    shown, rest = order[:_OUTLETS], order[_OUTLETS:]
    most = max((many for outlet in shown for many in counted[outlet].values()), default=1)
    lines = [_line(counted[outlet], matched[outlet], hours, most, outlet=outlet) for outlet in shown]
    if rest:
        together = sum((counted[outlet] for outlet in rest), Counter())
        lines.append(_line(together, sum((matched[o] for o in rest), Counter()), hours, most, others=len(rest)))
    begins = [since + HOUR * at for at in range(hours)]
    return Coverage(
        lines=tuple(lines),
        hours=tuple(
            (at, f"{then.astimezone(zone):%H}") for at, then in enumerate(begins) if then.astimezone(zone).hour % 6 == 0
        ),
        languages=tuple(languages.most_common()),
        items=sum(languages.values()),
        matched=sum(each.total() for each in matched.values()),
        width=hours,
    )


def _line(
    counted: Counter[int], matched: Counter[int], hours: int, most: int, *, outlet: str = "", others: int = 0
) -> Line:
    cells = tuple(
        Cell(x=at, step=_step(counted[at], most), items=counted[at], matched=matched[at])
        for at in range(hours)
        if counted[at]
    )
    return Line(outlet=outlet, others=others, items=counted.total(), cells=cells)


def _step(many: int, most: int) -> int:
    """1 to 4 on a scale of squares: a quiet hour is told from a busy one, whatever the busiest is."""
    return min(4, 1 + int(3.999 * (many / most) ** 0.5)) if many else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A small line: points of a polyline in a box of ``width`` by ``height``."""

    points: str
    width: int
    height: int
    most: float


def sparkline(values: Sequence[float], *, width: int = 120, height: int = 24) -> Spark:
    """One value a step, from 0 up; nothing but zeros lies on the ground."""
    most = max(values, default=0.0) or 1.0
    step = width / max(1, len(values) - 1)
    points = " ".join(
        f"{at * step:.1f},{height - 1 - (height - 2) * value / most:.1f}" for at, value in enumerate(values)
    )
    return Spark(points=points, width=width, height=height, most=max(values, default=0.0))


def usual_day(known: Rhythm, week: Week) -> tuple[float, ...]:
    """How many entries an hour a source usually lists in each hour of the day that has begun, by its outlet's clock."""
    midnight = known.seen.astimezone(week.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [midnight + HOUR * at for at in range(24)]
    return tuple(rhythm.expected(known, week, then, then + HOUR) for then in begins)
