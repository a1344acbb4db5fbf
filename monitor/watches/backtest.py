"""What watches would have done over items of the past or pasted text, with the engine of the live service.

Pure and deterministic: the same items give the same report, and the same matches that the live service made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from monitor.model.items import Item, Match
from monitor.watches.compile import WatchSet
from monitor.watches.engine import ItemText


@dataclass(frozen=True, slots=True, kw_only=True)
class PastItem:
    """One item to test on; ``at`` is when the service saw it."""

    id: str
    at: datetime
    text: ItemText


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldFire:
    """One alert that would have gone out."""

    item: str
    at: datetime
    title: str
    outlet: str
    language: str
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """What one watch would have done."""

    watch: str
    fires: tuple[WouldFire, ...]
    per_day: Mapping[str, int]
    """``2026-11-24`` → hits, days without hits between the first and the last tested left out."""
    per_outlet: Mapping[str, int]
    per_language: Mapping[str, int]
    overlap: Mapping[str, int]
    """Other watch → how many of the same items it would have fired on."""
    undecided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a set of watches would have done."""

    tested: int
    days: int
    """From the first item's day to the last one's, both counted."""
    watches: Mapping[str, WatchReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a change of watches changes: alerts that come and alerts that go, by watch."""

    more: Mapping[str, tuple[WouldFire, ...]]
    fewer: Mapping[str, tuple[WouldFire, ...]]


def item_text(item: Item) -> ItemText:
    """An archived item as watches see it."""
    return ItemText(
        item.title, item.lead, item.body, url=item.url or "", author=item.author, outlet=item.outlet,
        source=item.source, language=item.language, kind=item.kind,
    )  # fmt: skip


def backtest(watches: WatchSet, items: Iterable[PastItem], *, zone: tzinfo) -> Report:
    """Run every watch over the items, in the order given; a day is a day of ``zone``."""
    fires: dict[str, list[WouldFire]] = {name: [] for name in watches.ids}
    shared: dict[str, Counter[str]] = {name: Counter() for name in watches.ids}
    days = set()
    tested = 0
    for item in items:
        tested += 1
        days.add(item.at.astimezone(zone).date())
        matches = watches.match(item.text)
        found = [match.watch for match in matches]
        for match in matches:
            fires[match.watch].append(_would_fire(item, match))
            shared[match.watch].update(name for name in found if name != match.watch)
    span = (max(days) - min(days)).days + 1 if days else 0
    reports = {name: _report(name, tuple(fired), shared[name], zone) for name, fired in fires.items()}
    return Report(tested=tested, days=span, watches=reports)


def compare(old: Report, new: Report) -> Difference:
    """What changes from one report to another over the same items."""
    return Difference(more=dict(_beyond(new, old)), fewer=dict(_beyond(old, new)))


def _beyond(one: Report, other: Report) -> Iterator[tuple[str, tuple[WouldFire, ...]]]:
    for name, report in one.watches.items():
        known = {fire.item for fire in other.watches[name].fires} if name in other.watches else set()
        if extra := tuple(fire for fire in report.fires if fire.item not in known):
            yield name, extra


def _would_fire(item: PastItem, match: Match) -> WouldFire:
    return WouldFire(
        item=item.id, at=item.at, title=item.text.title, outlet=item.text.outlet, language=item.text.language,
        match=match,
    )  # fmt: skip


def _report(name: str, fires: tuple[WouldFire, ...], shared: Counter[str], zone: tzinfo) -> WatchReport:
    days = Counter(fire.at.astimezone(zone).date().isoformat() for fire in fires)
    return WatchReport(
        watch=name,
        fires=fires,
        per_day=dict(sorted(days.items())),
        per_outlet=dict(Counter(fire.outlet for fire in fires).most_common()),
        per_language=dict(Counter(fire.language for fire in fires).most_common()),
        overlap=dict(shared.most_common()),
        undecided=sum(bool(fire.match.undecided) for fire in fires),
    )
