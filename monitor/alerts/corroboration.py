"""When a story is told that waits for other origins: once enough independent ones report it within the watch's stretch.

A watch with `Watch.corroborated` makes its rows wait. Whatever is filed of the story afterwards, found by the watch or
not, may complete the number; then one row *corroborated* tells the story, and those that waited are told with it.
Counted are the origins (`monitor.stories.roots`) of the story and of the stories of other languages linked to it, each
from when its first item was seen here. Pure: the same decision inside a filing, and when a look finds the time over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.model.fields import written
from config.model.settings import Channel
from config.model.watches import Corroboration, Watch
from monitor.alerts.waiting import held
from monitor.model.alerts import Alert, Held, NewAlert, Release, Settled, Waiting
from monitor.model.items import Item
from monitor.ports import Ledger
from monitor.stories.reported import roots_of

STATE = "corroborated"
GATHER = "corroborated:"
"""Followed by the watch and the story that the row waited for at first. No claim takes such rows."""
OVER = "not corroborated: "
"""Followed by how many origins there were."""


class Report(NamedTuple):
    """An origin, and when its first item was seen."""

    origin: str
    first: datetime


def reports(items: Iterable[Item]) -> tuple[Report, ...]:
    """The origins of these items, in the order in which they came. An item that was taken down is no report, though
    others may go back to it."""
    known = {item.id: item for item in items}
    firsts: dict[str, datetime] = {}
    for name, root in roots_of(known.values()).items():
        if (item := known[name]).withdrawn is None:
            firsts[root.id] = min(firsts.get(root.id, item.first_seen), item.first_seen)
    return tuple(sorted((Report(*each) for each in firsts.items()), key=lambda each: (each.first, each.origin)))


def most(told: Sequence[Report], within: timedelta) -> Sequence[Report]:
    """The most reports that lie within so long of each other; of several such stretches the latest."""
    best: Sequence[Report] = ()
    begin = 0
    for end, report in enumerate(told):
        while report.first - told[begin].first > within:
            begin += 1
        if end + 1 - begin >= len(best):
            best = told[begin : end + 1]
    return best


def wait(watch: Watch, rule: Corroboration, story: str, now: datetime) -> Held:
    """How a row of the watch begins to wait."""
    return Held(until=now + rule.within, gather=f"{GATHER}{watch.id}:{story}", reason=_waits(rule, ()))


def _waits(rule: Corroboration, now_there: Sequence[Report]) -> str:
    names = f" ({', '.join(each.origin for each in now_there)})" if now_there else ""
    return f"waits for {rule.origins} origins, has {len(now_there)}{names}"


def _over(rule: Corroboration, told: Sequence[Report]) -> str:
    return f"{OVER}{len(most(told, rule.within))} of {rule.origins} origins within {_length(rule.within)}"


def _length(within: timedelta) -> str:
    minutes, rest = divmod(within, timedelta(minutes=1))
    return f"{minutes} min" if not rest and minutes < 120 else written(within)


# ------------------------------------------------------------------ settling


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is in force at one moment."""

    watches: Mapping[str, Watch]
    channels: Mapping[str, Channel]
    zone: ZoneInfo
    now: datetime


def settled(story: str | None, ledger: Ledger, terms: Terms) -> Settled:
    """What becomes of the rows that a change of this story concerns; ``None``: of all that wait."""
    near = None if story is None else ledger.event((story,))
    rows = ledger.waiting(near)
    if not rows:
        return Settled()
    work = _Settling(ledger=ledger, terms=terms)
    # The changed story first: where it is enough by itself, it is told by the item that completed it.
    for name in sorted({row.story for row in rows}, key=lambda name: (name != story, name)):
        work.look(name)
    return work.settled()


@dataclass(slots=True, kw_only=True)
class _Settling:
    ledger: Ledger
    terms: Terms
    done: set[str] = field(default_factory=set)
    releases: list[Release] = field(default_factory=list)
    told_with: dict[str, str] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)

    def settled(self) -> Settled:
        return Settled(
            releases=tuple(self.releases), told_with=self.told_with, over=self.over,
            waits={row: reason for row, reason in self.waits.items() if row not in self.done},
        )  # fmt: skip

    def look(self, story: str) -> None:
        """One story, by all that counts with it."""
        event = self.ledger.event((story,))
        rows = [row for row in self.ledger.waiting(event) if row.alert.id not in self.done]
        own = [row for row in rows if row.story == story]
        told, before, muted = None, self.ledger.told_of(event), self.ledger.muted()
        for watch, channel in dict.fromkeys((row.alert.watch, row.alert.channel) for row in own):
            if watch in muted or watch not in self.terms.watches:
                continue
            rule, group = self.terms.watches[watch].corroborated, _of(rows, watch, channel)
            if rule is None:
                self._let_go(_pending(_of(own, watch, channel)))
            elif (alert := before.get((watch, channel))) is not None:
                self._tell_with(alert, _pending(group))
            else:
                if told is None:
                    told = reports(self.ledger.items_of(event))
                if len(most(told, rule.within)) >= rule.origins:
                    self._tell(_of(own, watch, channel)[-1], group)
                else:
                    self._wait(rule, told, _pending(_of(own, watch, channel)))

    def _tell(self, row: Waiting, group: Sequence[Waiting]) -> None:
        """By the row that came last, in its text; nothing of the story was told before that could hold it back."""
        alert = row.alert
        leaves = self._held(alert)
        new = NewAlert(
            watch=alert.watch, channel=alert.channel, item=alert.item, state=STATE, severity=alert.severity, held=leaves
        )
        others = tuple(each.alert.id for each in group if each is not row)
        self.releases.append(Release(row=alert.id, alert=new, held=leaves, told_with=others))
        self.done.update(each.alert.id for each in group)

    def _tell_with(self, alert: str, rows: Iterable[Waiting]) -> None:
        for row in rows:
            self.told_with[row.alert.id] = alert
            self.done.add(row.alert.id)

    def _wait(self, rule: Corroboration, told: Sequence[Report], rows: Iterable[Waiting]) -> None:
        """Those whose time is over were told by too few; the others by those that can still be within the stretch."""
        now_there = [each for each in told if each.first > self.terms.now - rule.within]
        for row in rows:
            if row.alert.due <= self.terms.now:
                self.over[row.alert.id] = _over(rule, told)
                self.done.add(row.alert.id)
            else:
                self.waits[row.alert.id] = _waits(rule, now_there)

    def _let_go(self, rows: Iterable[Waiting]) -> None:
        """The watch tells of every item again: of each, and of those that repeat its words, the newest row."""
        same_words: dict[str, list[Waiting]] = {}
        for row in rows:
            same_words.setdefault(row.copy_of, []).append(row)
        for group in same_words.values():
            *others, last = (row.alert for row in group)
            told_with = tuple(each.id for each in others)
            self.releases.append(Release(row=last.id, alert=None, held=self._held(last), told_with=told_with))
            self.done.update((*told_with, last.id))

    def _held(self, alert: Alert) -> Held | None:
        watch, channel = self.terms.watches[alert.watch], self.terms.channels.get(alert.channel)
        return held(watch, channel, last=None, pressing=True, zone=self.terms.zone, now=self.terms.now)


def needed(watches: Iterable[Watch]) -> bool:
    """Whether any of these watches waits for origins."""
    return any(watch.corroborated is not None for watch in watches)


def _of(rows: Iterable[Waiting], watch: str, channel: str) -> list[Waiting]:
    return [row for row in rows if (row.alert.watch, row.alert.channel) == (watch, channel)]


def _pending(rows: Iterable[Waiting]) -> Iterator[Waiting]:
    return (row for row in rows if row.alert.condition == "pending")
