"""A feed simulated over weeks, asked by the real schedule: every stage that needs no network and no store.

::

    feed = Feed(published(start, weeks=8, rate=israeli_desk, seed=1))
    polled = Polled(feed, cadence=Cadence(...), holidays="IL")
    polled.until(start + timedelta(weeks=8))
    assert polled.told == []
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.model.outlets import Cadence
from monitor import rhythm, schedule, signs
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.sources import Outcome, SourceState, Validators
from monitor.model.texts import TextLanguage
from monitor.restdays import Week

JERUSALEM = ZoneInfo("Asia/Jerusalem")
START = datetime(2026, 8, 2, 21, 0, tzinfo=UTC)  # Monday 00:00 in Jerusalem
YOM_KIPPUR = date(2026, 9, 21)
FESTIVE = {date(2026, 9, 12), date(2026, 9, 13), YOM_KIPPUR, date(2026, 9, 26), date(2026, 10, 3)}
HOUR = timedelta(hours=1)


def israeli_desk(moment: datetime) -> float:
    """Entries an hour of a desk that keeps the Sabbath and the holidays, by the clock of Jerusalem."""
    local = moment.astimezone(JERUSALEM)
    today, tomorrow = local.date(), local.date() + timedelta(days=1)
    resting = (today.weekday() == 5 or today in FESTIVE) and local.hour < 19
    leaving = (tomorrow.weekday() == 5 or tomorrow in FESTIVE) and local.hour >= 15
    if resting or leaving:
        return 0.0
    return 0.3 if local.hour < 6 else 5.0 if 7 <= local.hour < 11 else 2.5


def published(
    start: datetime, *, weeks: float, rate: Callable[[datetime], float], seed: int, most: float = 12.0
) -> list[datetime]:
    """When entries appear: a Poisson process whose rate (an hour, at most ``most``) changes with the time."""
    chance, at, moments = random.Random(seed), start, []
    end = start + timedelta(weeks=weeks)
    while (at := at + HOUR * (-math.log(1 - chance.random()) / most)) < end:
        if chance.random() * most < rate(at):
            moments.append(at)
    return moments


@dataclass
class Feed:
    """What a server lists: the newest ``depth`` entries of those it has, one each moment."""

    moments: Sequence[datetime]
    depth: int = 30
    language: TextLanguage = "he"
    marks: tuple[str, ...] = ()
    shown: int | None = None
    """How many it lists at most, when that is fewer."""
    conditional: bool = True
    """It honours conditions, so that a listing without news is unchanged."""
    stuck: datetime | None = None
    """Since then it says 304 to every condition, whatever it has."""

    def listed(self, now: datetime) -> tuple[int, ...]:
        """Numbers of the entries, the newest first."""
        have = bisect_right(self.moments, now)
        return tuple(range(have - 1, max(have - (self.shown or self.depth), 0) - 1, -1))


def _candidate(number: int, language: TextLanguage) -> Candidate:
    entry = Entry(title=f"Report {number}")
    return Candidate(id=f"{number:032x}", entry=entry, keys=(str(number),), text_hash="", language=language)


@dataclass
class Polled:
    """A source over a feed, asked when it is due."""

    feed: Feed
    cadence: Cadence = field(
        default_factory=lambda: Cadence(every=timedelta(minutes=10), min=timedelta(minutes=5), max=HOUR)
    )
    holidays: str | None = "IL"
    adaptive: bool = True
    seed: int = 1
    start: datetime = START
    polls: list[datetime] = field(default_factory=list)
    plain: list[datetime] = field(default_factory=list)
    """Those without a condition."""
    notices: list[Entry] = field(default_factory=list)
    seen: dict[int, datetime] = field(default_factory=dict)
    """When each entry was first listed in an answer."""

    def __post_init__(self) -> None:
        self.week = Week(JERUSALEM, self.holidays)
        self._chance = random.Random(self.seed)
        self.state = SourceState(
            id="herald/feed", outlet="herald", url="https://herald.example/feed", host="https://herald.example:443",
            next_due=self.start,
        )  # fmt: skip

    @property
    def told(self) -> list[str]:
        return [each.title for each in self.notices]

    def until(self, end: datetime) -> Polled:
        while self.state.next_due < end:
            self.poll(self.state.next_due)
        return self

    def poll(self, now: datetime) -> None:
        state, feed = self.state, self.feed
        plainly = state.last_plain is None or now - state.last_plain >= timedelta(days=1)
        listed = feed.listed(now)
        mark = f"{listed}{feed.language}{feed.marks}"
        stuck = feed.stuck is not None and now >= feed.stuck and not plainly
        same = stuck or (mark == state.validators.body_hash and (feed.conditional or plainly))
        found = [] if same else [_candidate(number, feed.language) for number in listed]
        answer = Answer(
            source=state.id, outlet=state.outlet, url=state.url, final_url=state.url, at=now, status=200,
            outcome=Outcome.UNCHANGED if same else Outcome.DEGRADED if feed.marks else Outcome.OK,
            reason="; ".join(() if same else feed.marks), marks=() if same else feed.marks,
            conditional=not plainly, entries=tuple(each.entry for each in found),
            validators=Validators(body_hash=state.validators.body_hash if same else mark),
        )  # fmt: skip
        self.polls.append(now)
        self.plain += [now] if plainly else []
        for number in () if same else listed:
            self.seen.setdefault(number, now)
        self._file(answer, found, now)

    def _file(self, answer: Answer, found: Sequence[Candidate], now: datetime) -> None:
        """What the desk does with it."""
        before = self.state
        told = before.episode(schedule.SILENT) is not None
        learnt = rhythm.learned(before.rhythm, answer, found, self.week, now=now, told=told)
        after, _held = schedule.after(
            before, answer, self.cadence, now=now, jitter=self._chance.random(),
            learnt=learnt, week=self.week if self.adaptive else None,
        )  # fmt: skip
        after, entries = signs.episodes(before, after, answer, self.week, query=False, now=now)
        self.notices += entries
        self.state = replace(after, validators=answer.validators)

    def delays(self, since: datetime) -> list[timedelta]:
        """From publication to first sight, of what was published later than ``since``."""
        return sorted(
            seen - self.feed.moments[number]
            for number, seen in self.seen.items()
            if self.feed.moments[number] > since
        )  # fmt: skip
