"""How surely and how fast copies are found: texts beside rensa and datasketch, headlines on archived feeds.

Run ``python -m benchmarks.copies``; with WIREWATCH_CORPORA pointing at the corpora also the archives.

*Texts.* Generated: 60 words as frequent as words are, every fifth text a copy of an earlier one with 8 % of its words
changed. Found is a copy whose own original comes first; false is whatever else is called one. The others are given
the words already cut, in runs of three, 128 permutations in 64 bands, and their own estimate of 0.4 or more.

*Headlines.* 49,200 archived articles of seven outlets in order of time. A headline that came back (the same words,
numbers apart, at one outlet on another day) must not be a copy of another day's.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from benchmarks.stories import ANOTHER_DAY, Row, rows
from monitor.language.tokens import norms
from monitor.stories.copies import WINDOW, TitleIndex
from monitor.stories.runs import FEWEST, paragraphs, with_digits
from monitor.stories.texts import Alike, TextIndex, Told

BEGIN = datetime(2026, 11, 23, tzinfo=UTC)
WORDS, CHANGED, VOCABULARY = 60, 0.08, 20_000
PERMUTATIONS, BANDS, ESTIMATE = 128, 64, 0.4
_DIGITS = str.maketrans("0123456789", "etaoinshrd")


@dataclass(frozen=True, slots=True)
class Texts:
    texts: Sequence[Sequence[str]]
    originals: dict[int, int]


def generated(count: int, seed: int = 7) -> Texts:
    """Texts of words drawn by a Zipf-like law; an original is itself no copy, and each is copied where it may be."""
    rng = random.Random(seed)
    vocabulary = [f"{place:x}".translate(_DIGITS) + "q" * (place % 3) for place in range(VOCABULARY)]
    weights = list(accumulate(1 / (place + 3) for place in range(VOCABULARY)))

    def drawn(size: int) -> list[str]:
        return rng.choices(vocabulary, cum_weights=weights, k=size)

    texts: list[list[str]] = []
    originals: dict[int, int] = {}
    for place in range(count):
        if place % 5 != 4:
            texts.append(drawn(WORDS))
            continue
        original = rng.randrange(place // 5 + 1) * 5 + rng.randrange(4)
        text = list(texts[original])
        for changed in rng.sample(range(WORDS), round(CHANGED * WORDS)):
            (text[changed],) = drawn(1)
        originals[place] = original
        texts.append(text)
    return Texts(texts, originals)


# -------------------------------------------------------------------- ways

Found = list[list[int]]
"""For each text what it is said to be a copy of, the first first."""


def ours(texts: Sequence[Sequence[str]]) -> Found:
    """From the text as it is printed: words are cut here too."""
    index, found = TextIndex(window=WINDOW), Found()
    every = WINDOW / (len(texts) + 1)
    for place, words in enumerate(texts):
        told = Told(
            item=str(place), outlet=str(place % 5), language="en", numbers=frozenset(), seen=BEGIN + place * every
        )  # fmt: skip
        alike = index.take(told, paragraphs(" ".join(words), ""), exists=lambda item: True)
        found.append([int(each.of.item) for each in alike if each.same])
    return found


def with_rensa(texts: Sequence[Sequence[str]]) -> Found:
    from rensa import RMinHash, RMinHashLSH  # type: ignore[import-not-found]  # noqa: PLC0415

    index, hashes, found = RMinHashLSH(threshold=0.5, num_perm=PERMUTATIONS, num_bands=BANDS), [], Found()
    for place, words in enumerate(texts):
        made = RMinHash(num_perm=PERMUTATIONS, seed=1)
        made.update(_threes(words))
        found.append(sorted(other for other in index.query(made) if hashes[other].jaccard(made) >= ESTIMATE))
        index.insert(place, made)
        hashes.append(made)
    return found


def with_datasketch(texts: Sequence[Sequence[str]]) -> Found:
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]  # noqa: PLC0415

    rows_of_band = PERMUTATIONS // BANDS
    index, hashes, found = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, rows_of_band)), [], Found()
    for place, words in enumerate(texts):
        made = MinHash(num_perm=PERMUTATIONS, seed=1)
        made.update_batch([run.encode() for run in _threes(words)])
        found.append(sorted(other for other in index.query(made) if hashes[other].jaccard(made) >= ESTIMATE))
        index.insert(place, made)
        hashes.append(made)
    return found


def _threes(words: Sequence[str]) -> list[str]:
    return [" ".join(words[start : start + 3]) for start in range(len(words) - 2)]


WAYS: dict[str, Callable[[Sequence[Sequence[str]]], Found]] = {
    "ours": ours, "rensa": with_rensa, "datasketch": with_datasketch,
}  # fmt: skip


def texts_table(count: int) -> Iterator[tuple[str, ...]]:
    made = generated(count)
    for name, way in WAYS.items():
        try:
            way(made.texts[:2])  # what is imported is not counted
        except ImportError:
            yield name, "not installed", "", ""
            continue
        began = time.process_time()
        found = way(made.texts)
        spent = (time.process_time() - began) / count * 1e6
        right = sum(found[copy][:1] == [original] for copy, original in made.originals.items())
        others = sum(
            other not in (original, *_siblings(made, original)) for copy, near in enumerate(found)
            for original in [made.originals.get(copy, copy)] for other in near
        )  # fmt: skip
        yield name, f"{right / len(made.originals):.4f}", str(others), f"{spent:.0f}"


def _siblings(made: Texts, original: int) -> Sequence[int]:
    if not _COPIES:
        for copy, of in made.originals.items():
            _COPIES[of].append(copy)
    return _COPIES[original]


_COPIES: defaultdict[int, list[int]] = defaultdict(list)


# -------------------------------------------------------------------- the archives


@dataclass(frozen=True, slots=True)
class Pair:
    copy: Row
    original: Row


def headlines(found: Sequence[Row]) -> tuple[list[Pair], float]:
    """Copies by headline, and microseconds an item."""
    index, by_id = TitleIndex(lambda title: frozenset(norms(title))), {row.item.id: row for row in found}
    pairs, began = [], time.process_time()
    for row in found:
        item = row.item
        copy = index.find(item.outlet, item.language, item.title, item.seen, exists=lambda item: True)
        index.add(item.id, item.outlet, item.language, item.title, item.seen)
        if copy is not None:
            pairs.append(Pair(row, by_id[copy.of]))
    return pairs, (time.process_time() - began) / len(found) * 1e6


def leads(found: Sequence[Row]) -> tuple[list[tuple[Pair, Alike]], float]:
    """What repeats another outlet's lead of 40 words and more."""
    index, by_id = TextIndex(window=WINDOW), {row.item.id: row for row in found}
    pairs, began = [], time.process_time()
    for row in found:
        item = row.item
        told = Told(
            item=item.id, outlet=item.outlet, language="en", numbers=with_digits(norms(item.title)), seen=item.seen
        )  # fmt: skip
        alike = index.take(told, paragraphs(item.lead, ""), exists=lambda item: True)
        pairs += [(Pair(row, by_id[alike[0].of.item]), alike[0])] if alike else []
    return pairs, (time.process_time() - began) / len(found) * 1e6


def came_back(found: Sequence[Row]) -> set[tuple[str, str]]:
    """Outlets' headlines that stood on several days, numbers apart, in their compared form."""
    days: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in found:
        days[_shape(row)].append(row.item.published)
    return {shape for shape, times in days.items() if times[-1] - times[0] > ANOTHER_DAY}


def _shape(row: Row) -> tuple[str, str]:
    return row.item.outlet, re.sub(r"\d+", "0", " ".join(row.words))


def _apart(pair: Pair) -> timedelta:
    return abs(pair.copy.item.published - pair.original.item.published)


def report_archives(folder: Path, *, show: bool) -> None:
    found = rows(folder)
    back = came_back(found)
    pairs, spent = headlines(found)
    recurring = [pair for pair in pairs if _shape(pair.copy) in back or _shape(pair.original) in back]
    exact = sum(pair.copy.words == pair.original.words for pair in pairs)
    print(f"\n{len(found)} archived headlines, {spent:.0f} µs each: {len(pairs)} copies, {exact} of the same words")
    print(
        f"{sum(_shape(row) in back for row in found)} headlines that came back on another day: {len(recurring)} copies,"
        f" {sum(_apart(pair) > ANOTHER_DAY for pair in recurring)} of another day's"
    )  # fmt: skip
    long = [row for row in found if len(norms(row.item.lead)) >= FEWEST]
    alike, spent = leads(long)
    same = [pair for pair, how in alike if how.same]
    print(
        f"{len(long)} leads of {FEWEST} words and more, {spent:.0f} µs each: {len(same)} copies,"
        f" {len(alike) - len(same)} whose larger part is another's"
    )  # fmt: skip
    if show:
        for pair, how in alike:
            print(f"{how.same!s:5} {how.mine:.2f} {pair.copy.item.title[:60]:60} | {pair.original.item.title[:60]}")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Copies of texts and headlines.")
    arguments.add_argument("--items", type=int, default=100_000)
    arguments.add_argument("--show", action="store_true", help="list the archives' texts that were found")
    options = arguments.parse_args()
    print(f"{options.items} generated texts\n\n| way | recall | false | µs a text |\n|{' --- |' * 4}")
    for line in texts_table(options.items):
        print(f"| {' | '.join(line)} |", flush=True)
    if corpora := os.environ.get("WIREWATCH_CORPORA"):
        report_archives(Path(corpora), show=options.show)
    else:
        print("\nWIREWATCH_CORPORA is not set: the archives were not read")


if __name__ == "__main__":
    main()
