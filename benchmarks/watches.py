"""Speed and memory of many watches at once, beside the usual ways: ``python -m benchmarks.watches``.

Watches are names of two words, made of capitalised words of the corpus and invented ones, so that real texts hold
their parts; texts are real headlines with their leads (short items) and article bodies of 800 words from
WIREWATCH_CORPORA. Normalising and cutting into tokens is reported apart: it is done once, whatever the watches.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import multiprocessing
import os
import random
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.language.normalise import normalise
from monitor.watches.compile import Compiled, WatchSet
from monitor.watches.engine import ItemText, Prepared
from monitor.watches.parse import parse
from monitor.watches.terms import Terms

SIZES = (1_000, 10_000, 100_000)
SHORT, LONG = 2_000, 300
LONG_WORDS = 800
_CAPITALISED = re.compile(r"\b[A-Z][a-z]{2,12}\b")
_SMALL = re.compile(r"\b[a-z]{2,13}\b")
_SYLLABLES = [
         "ba",     "ko",     "mi",     "ra",     "to",     "ne",     "lu",     "si",     "da",     "vo",     "ge",
    "ha",     "pe",     "zu",     "ri",     "ma",     "no",     "te",     "ki",     "shu",     "bar",     "kov",
    "min",     "ros",     "tal",     "ven",     "dor",     "gal",     "hes",     "lin",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Texts:
    short: tuple[ItemText, ...]
    long: tuple[ItemText, ...]


def texts(folder: Path) -> Texts:
    """Real items: every archive contributes evenly, and the longest articles are cut to 800 words."""
    short = []
    for path in sorted((folder / "feeds").glob("archive-2023-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for _, line in zip(range(SHORT), lines, strict=False)]
        short += [ItemText(row["title"] or "", row["description"] or "") for row in rows]
    random.Random(1).shuffle(short)
    articles = json.loads((folder / "articles" / "ground-truth.json").read_text(encoding="utf-8"))
    words = " ".join(article["articleBody"] for article in articles.values()).split(" ")
    bodies = [" ".join(words[at : at + LONG_WORDS]) for at in range(0, len(words) - LONG_WORDS, LONG_WORDS)]
    return Texts(tuple(short[:SHORT]), tuple(ItemText("", body=body) for body in bodies[:LONG]))


def names(count: int, corpus: Texts, *, everyday: bool = False) -> list[str]:
    """Names of two words: a third of the words stand in the corpus, always with a capital; the others are invented.

    ``everyday``: words that also open sentences or stand in small letters are names too, the hardest case.
    """
    rng = random.Random(5)
    running = [f"{item.title}\n{item.lead}\n{item.body}" for item in (*corpus.short, *corpus.long)]
    small = set() if everyday else {word for text in running for word in _SMALL.findall(text)}
    real = sorted({word for text in running for word in _CAPITALISED.findall(text)} - {w.capitalize() for w in small})
    invented = ["".join(rng.choices(_SYLLABLES, k=rng.choice((2, 3, 3)))).capitalize() for _ in range(2 * len(real))]
    pool = real + invented
    return [f"{rng.choice(pool)} {rng.choice(pool)}" for _ in range(count)]


def memory() -> float:
    """Resident megabytes of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def each(call: Callable[[Prepared], object], items: Sequence[Prepared]) -> float:
    """Microseconds an item, the median of five runs over all of them."""
    runs = []
    for _ in range(5):
        started = time.process_time()
        for item in items:
            call(item)
        runs.append((time.process_time() - started) / len(items) * 1e6)
    return sorted(runs)[2]


def wirewatch(written: Sequence[str], corpus: Texts) -> WatchSet:
    """Build, measure, report."""
    ids, queries = [f"w{number}" for number in range(len(written))], [f'name:"{name}"' for name in written]
    gc.collect()
    bare = memory()
    terms = Terms({})
    started = time.process_time()
    read = [Compiled(name, parse(query, terms)) for name, query in zip(ids, queries, strict=True)]
    parsed = time.process_time() - started
    started = time.process_time()
    watches = WatchSet(read, terms)
    built = time.process_time() - started
    del read, terms
    gc.collect()
    held = memory() - bare
    for label, items in (("short", corpus.short), ("800 words", corpus.long)):
        started = time.process_time()
        ready = [watches.prepare(item) for item in items]
        cut = (time.process_time() - started) / len(items) * 1e6
        matches = sum(len(watches.match_prepared(item)) for item in ready) / len(ready)
        spent = each(watches.match_prepared, ready)
        print(f"| {len(written):,} | wirewatch, {label} | {spent:.0f} | {cut:.0f} | {matches:.2f} |"
              f" {held:.0f} | {built:.2f} (and {parsed:.1f} reading the queries) |")  # fmt: skip
    return watches


def agreement(watches: WatchSet, written: Sequence[str], corpus: Texts) -> None:
    """A check beside the figures: the index loses nothing that a search of each name in each text finds."""
    for item in corpus.long[:20]:
        text = " " + re.sub(r"[^\w]+", " ", normalise(item.body)) + " "
        plain = {f"w{number}" for number, name in enumerate(written) if f" {name.casefold()} " in text}
        found = {match.watch for match in watches.match(item)}
        assert plain <= found, plain - found


def regex_loop(written: Sequence[str], corpus: Texts) -> None:
    started = time.process_time()
    patterns = [re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE) for name in written[:10_000]]
    built = time.process_time() - started
    scale = len(written) / len(patterns)
    for label, items, sample in (("short", corpus.short, 10), ("800 words", corpus.long, 2)):
        ready = [item.title + " " + item.lead + " " + item.body for item in items[:sample]]
        started = time.process_time()
        for text in ready:
            [pattern for pattern in patterns if pattern.search(text)]
        spent = (time.process_time() - started) / sample * 1e6 * scale
        note = "" if scale == 1 else f" (from {len(patterns):,})"
        print(f"| {len(written):,} | regex loop, {label} | {spent:.0f}{note} | 0 | | | {built * scale:.1f} |")


def aho(written: Sequence[str], corpus: Texts) -> None:
    """pyahocorasick finds the names; word edges are then looked at, as a full evaluation would."""
    try:
        import ahocorasick  # type: ignore[import-not-found]  # noqa: PLC0415  # a benchmark's own dependency
    except ImportError:
        print("| | pyahocorasick is not installed | | | | | |")
        return
    started = time.process_time()
    automaton = ahocorasick.Automaton()
    for number, name in enumerate(written):
        automaton.add_word(normalise(name), (number, len(name)))
    automaton.make_automaton()
    built = time.process_time() - started

    def find(text: str) -> list[int]:
        return [
            number for end, (number, size) in automaton.iter(text)
            if not text[end - size : end - size + 1].isalnum() and not text[end + 1 : end + 2].isalnum()
        ]  # fmt: skip

    for label, items in (("short", corpus.short), ("800 words", corpus.long)):
        ready = [normalise(f"{item.title} {item.lead} {item.body}") for item in items]
        started = time.process_time()
        for text in ready:
            find(text)
        spent = (time.process_time() - started) / len(ready) * 1e6
        print(f"| {len(written):,} | pyahocorasick and word edges, {label} | {spent:.0f} | | | "
            f" | {built:.2f} |")  # fmt: skip


def percolator(written: Sequence[str], corpus: Texts) -> None:
    """SQLite FTS5 the other way round: one item in the index, every watch asked."""
    asked = written[:2_000]
    scale = len(written) / len(asked)
    with sqlite3.connect(":memory:") as db:
        db.execute("create virtual table t using fts5(body)")
        for label, items, sample in (("short", corpus.short, 20), ("800 words", corpus.long, 5)):
            started = time.process_time()
            for item in items[:sample]:
                db.execute("delete from t")
                db.execute("insert into t(body) values (?)", (f"{item.title} {item.lead} {item.body}",))
                for name in asked:
                    db.execute("select 1 from t where t match ?", (f'"{name}"',)).fetchone()
            spent = (time.process_time() - started) / sample * 1e6 * scale
            note = "" if scale == 1 else f" (from {len(asked):,})"
            print(f"| {len(written):,} | FTS5 percolator, {label} | {spent:.0f}{note} | | | | |")


def measure(size: int, folder: str, *, alone: bool, everyday: bool) -> None:
    """All ways at one size, in a process of its own: memory that others gave back would hide what this takes."""
    corpus = texts(Path(folder))
    written = names(size, corpus, everyday=everyday)
    agreement(wirewatch(written, corpus), written, corpus)
    if not alone:
        aho(written, corpus)
        regex_loop(written, corpus)
        percolator(written, corpus)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--alone", action="store_true", help="without the other ways")
    parser.add_argument("--everyday", action="store_true", help="everyday words among the names")
    options = parser.parse_args()
    folder = os.environ.get("WIREWATCH_CORPORA")
    if not folder:
        print("WIREWATCH_CORPORA is not set: there are no texts to measure on", file=sys.stderr)
        return 2
    print("| watches | way | µs an item | µs normalising and cutting | matches an item | MB | seconds to build |")
    print("| --- |" + " --- |" * 6, flush=True)
    for size in options.sizes:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(size, folder), kwargs={"alone": options.alone, "everyday": options.everyday}
        )
        process.start()
        process.join()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
