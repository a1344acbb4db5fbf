"""What a schedule that follows a source's rhythm saves and gains over one that asks every so often.

``.venv/bin/python -m benchmarks.cadence``. Simulated feeds (`tests.rig.weeks`), three weeks to learn and the fourth
measured, several times: polls, the delay from publication to first sight, and how long after it stopped a feed is told
as silent. Last, what the rhythm costs a poll, in microseconds.
"""

from __future__ import annotations

import json
import statistics
import timeit
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import rhythm, schedule, signs
from monitor.model.entries import Answer
from monitor.model.sources import Outcome
from storage import rows
from tests.rig.weeks import JERUSALEM, START, Feed, Polled, israeli_desk, published

MINUTE, WEEK = timedelta(minutes=1), timedelta(weeks=1)
RUNS = 5


def world_wire(moment: datetime) -> float:
    """Around the clock, with a morning and a dip at night."""
    hour = moment.astimezone(JERUSALEM).hour
    return 2.0 if hour < 6 else 9.0 if 9 <= hour < 13 else 6.0


def ministry(moment: datetime) -> float:
    """Sundays to Thursdays, from nine to six."""
    local = moment.astimezone(JERUSALEM)
    return 1.0 if local.weekday() not in (4, 5) and 9 <= local.hour < 18 else 0.0


DESKS: dict[str, Callable[[datetime], float]] = {
    "a desk that keeps the Sabbath": israeli_desk, "a world wire": world_wire, "a ministry": ministry,
}  # fmt: skip


def week(rate: Callable[[datetime], float], *, adaptive: bool) -> dict[str, float]:
    """One week after three, in the mean of several runs."""
    polls, delays = 0, list[timedelta]()
    since, end = START + 3 * WEEK, START + 4 * WEEK
    for seed in range(RUNS):
        polled = Polled(Feed(published(START, weeks=4, rate=rate, seed=seed)), adaptive=adaptive, seed=seed).until(end)
        polls += sum(each > since for each in polled.polls)
        delays += polled.delays(since)
    minutes = sorted(each / MINUTE for each in delays)
    return {
        "polls": round(polls / RUNS),
        "median": round(statistics.median(minutes), 1),
        "mean": round(statistics.fmean(minutes), 1),
        "95 of 100": round(minutes[int(0.95 * len(minutes))], 1),
        "longest": round(minutes[-1], 1),
    }


def noticed(rate: Callable[[datetime], float]) -> list[float]:
    """Hours until a feed that stops on the Monday, Wednesday or Friday of its fifth week, at noon, is told."""
    hours = []
    for day in (0, 2, 4):
        stops = START + 4 * WEEK + timedelta(days=day, hours=12)
        moments = [each for each in published(START, weeks=5, rate=rate, seed=1) if each < stops]
        polled = Polled(Feed(moments)).until(stops + timedelta(days=12))
        told = [each.published for each in polled.notices if each.published is not None]
        hours.append(round((told[0] - stops) / timedelta(hours=1), 1) if told else float("inf"))
    return hours


def cost() -> dict[str, float]:
    """Microseconds that one poll that finds nothing changed takes with its rhythm, and without."""
    feed = Feed(published(START, weeks=5, rate=israeli_desk, seed=1))
    polled = Polled(feed).until(START + 4 * WEEK + timedelta(days=1, hours=12))
    state, now = polled.state, polled.state.next_due
    told = Answer(
        source=state.id, outlet=state.outlet, url=state.url, final_url=state.url, at=now, conditional=True,
        outcome=Outcome.UNCHANGED,
    )  # fmt: skip

    def with_it() -> None:
        learnt = rhythm.learned(state.rhythm, told, (), polled.week, now=now)
        after, _held = schedule.after(state, told, polled.cadence, now=now, jitter=0.5, learnt=learnt, week=polled.week)
        signs.episodes(state, after, told, polled.week, query=False, now=now)
        rows.source({**rows.source_columns(after)})

    bare = replace(state, rhythm=None)

    def without() -> None:
        after, _held = schedule.after(bare, told, polled.cadence, now=now, jitter=0.5)
        rows.source({**rows.source_columns(after)})

    return {"with": _best(with_it), "without": _best(without)}


def _best(work: Callable[[], None], repeats: Sequence[int] = range(5)) -> float:
    return round(min(timeit.timeit(work, number=2000) for _ in repeats) / 2000 * 1e6, 1)


def main() -> None:
    result = {
        name: {
            "every 10 minutes": week(rate, adaptive=False),
            "by its rhythm": week(rate, adaptive=True),
            "hours until silence is told": noticed(rate),
        }
        for name, rate in DESKS.items()
    }
    print(json.dumps({"weeks": result, "microseconds a poll": cost()}, indent=2))


if __name__ == "__main__":
    main()
