"""Which items are put into one story, beside single-link grouping and MinHash, on archived feeds of seven outlets.

Run ``python -m benchmarks.stories`` with WIREWATCH_CORPORA pointing at the corpora. Nobody labelled these archives;
what they tell by themselves is counted:

- *same headline*: the same words at two outlets within twelve hours must meet;
- *same text*: leads with long runs of words in common within twelve hours, under headlines that differ by half of their
  words and more, must meet, although only headlines are read;
- *comes back*: one outlet's same headline (numbers apart) on another day must not join the earlier one's story;
- *far apart*: the same headline anywhere more than three days later must not;
- *regions*: two items of one story from one outlet's pages of different regions, of all such pairs: mostly, not always,
  an error.

Copies are not told to our clusters here: in service the same headline within 48 hours meets by itself.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.replay import Row as Archived
from benchmarks.replay import archives, truth
from config.load import load
from monitor.language.normalise import normalise
from monitor.model.texts import TextLanguage
from monitor.stories.clusters import Clusters
from monitor.stories.gist import Gists, StoryItem, beginning
from monitor.stories.links import Links

WINDOW = timedelta(hours=72)
NEAR = timedelta(hours=12)
ANOTHER_DAY = timedelta(hours=18)
LANGUAGES: tuple[TextLanguage, ...] = ("en", "he", "ar")
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^>]+>")
_REGION = re.compile(r"/news/(world-[a-z-]+?|uk-(?:england|scotland|wales|northern-ireland))[a-z-]*-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An archived item; ``words`` are its headline's."""

    item: StoryItem
    link: str
    words: tuple[str, ...]


Pairs = list[tuple[int, int]]
Labels = Sequence[Hashable]


def rows(folder: Path) -> list[Row]:
    """Every article once, as it was first listed, in order of time."""
    found: dict[str, Row] = {}
    for outlet, days in archives(folder).items():
        for listed in days.values():
            for row in listed:
                if row["date_published"] and row["title"]:
                    key = f"{outlet}/{truth(row['link'])}"
                    found.setdefault(key, _row(key, outlet, row))
    return sorted(found.values(), key=lambda row: (row.item.published, row.item.id))


def _row(key: str, outlet: str, row: Archived) -> Row:
    title, lead = (html.unescape(_TAG.sub(" ", row[name] or "")) for name in ("title", "description"))
    at = datetime.fromisoformat(row["date_published"])
    item = StoryItem(
        id=key, outlet=outlet, language="en", title=title, lead=" ".join(lead.split()), published=at, seen=at
    )  # fmt: skip
    return Row(item=item, link=row["link"], words=_words(title))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(normalise(text)))


# -------------------------------------------------------------------- what the archives tell


def same_headline(found: Sequence[Row]) -> Pairs:
    """The same words at two outlets, however far apart."""
    seen: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    pairs = []
    for index, row in enumerate(found):
        if len(row.words) >= 4:
            pairs += [(o, index) for o in seen[row.words][-6:] if found[o].item.outlet != row.item.outlet]
            seen[row.words].append(index)
    return pairs


def same_text(found: Sequence[Row]) -> Pairs:
    """Leads that share 30 % of their runs of four words, under different headlines, within twelve hours."""
    seen: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    runs: list[set[tuple[str, ...]]] = []
    pairs = []
    for index, row in enumerate(found):
        words = _words(beginning(row.item.lead))
        runs.append({words[start : start + 4] for start in range(len(words) - 3)})
        shared = Counter(
            other for run in runs[-1] for other in seen[run][-40:] if _apart(found, other, index) <= NEAR
        )  # fmt: skip
        for other, count in sorted(shared.items()):
            fewer = min(len(runs[other]), len(runs[index]))
            if fewer >= 8 and count >= 0.3 * fewer and _reworded(found[other], row):
                pairs.append((other, index))
        for run in runs[-1]:
            seen[run].append(index)
    return pairs


def _reworded(one: Row, other: Row) -> bool:
    if one.item.outlet == other.item.outlet:
        return False
    return _jaccard(frozenset(one.words), frozenset(other.words)) < 0.5


def comes_back(found: Sequence[Row]) -> Pairs:
    """One outlet's same headline, numbers apart, on another day within three."""
    seen: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    pairs = []
    for index, row in enumerate(found):
        key = row.item.outlet, re.sub(r"\d+", "0", " ".join(row.words))
        pairs += [(other, index) for other in seen[key][-3:] if ANOTHER_DAY < _apart(found, other, index) <= WINDOW]
        seen[key].append(index)
    return pairs


def _apart(found: Sequence[Row], one: int, other: int) -> timedelta:
    return found[other].item.published - found[one].item.published


def regions(found: Sequence[Row], labels: Labels) -> tuple[int, int]:
    """Of pairs within a story that both name a region: those that name different ones, and all."""
    stories: defaultdict[Hashable, list[str]] = defaultdict(list)
    for row, label in zip(found, labels, strict=True):
        if region := _REGION.search(row.link):
            stories[label].append(region[1])
    pairs = [
        (one, other) for told in stories.values() for place, one in enumerate(told)
        for other in told[place + 1 : place + 6]
    ]  # fmt: skip
    return sum(one != other for one, other in pairs), len(pairs)


# -------------------------------------------------------------------- ways of grouping


def ours(found: Sequence[Row], *, leads: bool) -> Labels:
    """Our clusters, by headline and lead or by the headline alone."""
    clusters = Clusters(Gists(load(None).concepts))
    stories = []
    united: dict[str, str] = {}
    for row in found:
        placed = clusters.place(row.item if leads else _without_lead(row.item))
        stories.append(placed.story)
        united |= dict.fromkeys(placed.merges, placed.story)
    return [_last(united, story) for story in stories]


def _without_lead(item: StoryItem) -> StoryItem:
    return StoryItem(
        id=item.id, outlet=item.outlet, language=item.language, title=item.title, published=item.published,
        seen=item.seen,
    )  # fmt: skip


def _last(united: dict[str, str], story: str) -> str:
    while story in united:
        story = united[story]
    return story


def single_link(found: Sequence[Row], least: float) -> Labels:
    """An item joins every story that holds a headline with so many words in common (Jaccard) within three days."""
    union, places, begin = _Union(len(found)), defaultdict[str, list[int]](list), 0
    sets = [frozenset(row.words) for row in found]
    for index in range(len(found)):
        while _apart(found, begin, index) > WINDOW:
            begin += 1
        near = Counter(other for word in sets[index] for other in _since(places[word], begin))
        for other, common in near.items():
            if common >= least * (len(sets[index]) + len(sets[other]) - common):
                union.join(other, index)
        for word in sets[index]:
            places[word].append(index)
    return union.labels()


def min_hash(found: Sequence[Row], least: float, bands: int = 32, height: int = 2) -> Labels:
    """As `single_link`, with candidates from bands of min-hashes."""
    union, begin = _Union(len(found)), 0
    rooms: list[defaultdict[tuple[int, ...], list[int]]] = [defaultdict(list) for _ in range(bands)]
    seeds = [(2 * k + 1) * 0x9E3779B1 & 0xFFFFFFFF for k in range(bands * height)]
    sets = [frozenset(row.words) for row in found]
    for index, words in enumerate(sets):
        if not words:
            continue
        while _apart(found, begin, index) > WINDOW:
            begin += 1
        hashes = [zlib.crc32(word.encode()) for word in sorted(words)]
        signature = [min([(each ^ seed) * 0x85EBCA6B & 0xFFFFFFFF for each in hashes]) for seed in seeds]
        near = set()
        for band, room in enumerate(rooms):
            held = room[tuple(signature[band * height : band * height + height])]
            near.update(_since(held, begin))
            held.append(index)
        for other in near:
            if _jaccard(words, sets[other]) >= least:
                union.join(other, index)
    return union.labels()


def _since(held: list[int], begin: int) -> list[int]:
    """Those from ``begin`` on; older ones are dropped."""
    if held and held[0] < begin:
        held[:] = [each for each in held if each >= begin]
    return held


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


class _Union:
    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, one: int) -> int:
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        self._parent[self.find(other)] = self.find(one)

    def labels(self) -> list[int]:
        return [self.find(index) for index in range(len(self._parent))]


# -------------------------------------------------------------------- the table

WAYS: dict[str, Callable[[Sequence[Row]], Labels]] = {
    "ours": lambda found: ours(found, leads=True),
    "ours, headlines only": lambda found: ours(found, leads=False),
    "single link, Jaccard .3": lambda found: single_link(found, 0.3),
    "single link, Jaccard .4": lambda found: single_link(found, 0.4),
    "MinHash, Jaccard .4": lambda found: min_hash(found, 0.4),
    "MinHash, Jaccard .5": lambda found: min_hash(found, 0.5),
}
HEADS = (
    "grouping", "same headline", "same text", "comes back", "far apart", "regions", "stories of several outlets",
    "largest", "µs an item",
)  # fmt: skip


def lines(found: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """One line of the table a way of grouping."""
    headline, text, back = same_headline(found), same_text(found), comes_back(found)
    near = [pair for pair in headline if _apart(found, *pair) <= NEAR]
    far = [pair for pair in headline if _apart(found, *pair) > WINDOW]
    for name, way in WAYS.items():
        began = time.process_time()
        labels = way(found)
        spent = (time.process_time() - began) / len(found) * 1e6
        outlets: defaultdict[Hashable, set[str]] = defaultdict(set)
        for row, label in zip(found, labels, strict=True):
            outlets[label].add(row.item.outlet)
        mixed, of = regions(found, labels)
        yield (
            name, *(_met(labels, pairs) for pairs in (near, text, back, far)), f"{mixed} of {of}",
            str(sum(len(each) > 1 for each in outlets.values())), str(max(Counter(labels).values())), f"{spent:.0f}",
        )  # fmt: skip


def _met(labels: Labels, pairs: Pairs) -> str:
    return f"{sum(labels[one] == labels[other] for one, other in pairs)} of {len(pairs)}"


def spent(found: Sequence[Row]) -> tuple[float, float, float]:
    """Microseconds an item: read (before the transaction), placed, and linked when the items are dealt out to three
    languages in turn, so that every story has many of another language beside it."""
    concepts = load(None).concepts
    clusters = Clusters(Gists(concepts))
    links = Links(clusters.gists, concepts)
    read = placed = linked = 0.0
    for start in range(0, len(found), 100):
        items = [row.item for row in found[start : start + 100]]
        began = time.process_time()
        clusters.gists.read_ahead((item.title, item.lead) for item in items)
        read += time.process_time() - began
        for place, item in enumerate(items):
            dealt = replace(item, language=LANGUAGES[(start + place) % 3])
            began = time.process_time()
            story = clusters.place(item).story
            then = time.process_time()
            clusters.gists.read_ahead([(item.title, item.lead)])
            clusters.gists.of(dealt)
            again = time.process_time()
            links.add(dealt, f"{story} {dealt.language}")
            links.of(f"{story} {dealt.language}")
            placed, linked = placed + then - began, linked + time.process_time() - again
    return tuple(each / len(found) * 1e6 for each in (read, placed, linked))


def main() -> None:
    arguments = argparse.ArgumentParser(description="Stories, beside other groupings.")
    arguments.add_argument("--items", type=int, default=None, help="only so many, the oldest")
    limit = arguments.parse_args().items
    corpora = os.environ.get("WIREWATCH_CORPORA")
    if not corpora:
        sys.exit("set WIREWATCH_CORPORA to the folder that holds feeds/archive-2023-*.jsonl.gz")
    found = rows(Path(corpora))[:limit]
    print(f"{len(found)} articles, {found[0].item.published:%Y-%m-%d} to {found[-1].item.published:%Y-%m-%d}\n")
    print(f"| {' | '.join(HEADS)} |")
    print(f"|{' --- |' * len(HEADS)}")
    for line in lines(found):
        print(f"| {' | '.join(line)} |", flush=True)
    print("\nours, µs an item: read {:.0f}, placed {:.0f}, linked across three languages {:.0f}".format(*spent(found)))


if __name__ == "__main__":
    main()
