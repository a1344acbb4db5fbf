"""How fast the archive is searched: ``python -m benchmarks.search`` (needs ``WIREWATCH_CORPORA``).

100,000 items are filed into a real store: half of them real English headlines with their leads, a quarter each Hebrew
and Arabic, made of newspaper sentences of the treebanks, every tenth with a body of twenty. A time is that of the whole
search: reading the query, asking the index, judging with the watches' engine, marking the words of the newest 50 hits.
On a busy machine the CPU's time says more.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.keywords import FILES, sentences
from config.load import load
from monitor.clock import SystemClock
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Wanted
from monitor.model.sources import Outcome
from monitor.model.texts import TextLanguage
from monitor.ports import Ledger, Store
from monitor.stories import identity
from monitor.watches.compile import compile_watches
from monitor.watches.search import ask, search
from storage import open_store

ITEMS, AT_ONCE, OUTLETS, RUNS = 100_000, 50, 40, 9
START = datetime(2026, 1, 1, tzinfo=UTC)
QUERIES: Mapping[str, tuple[str, ...]] = {
    "one word": ("ukraine", "police", "hostage", "court"),
    "two words": ("ukraine russia", "court police", "doha talks"),
    "rare and frequent": ("the doha", "in qatar", "של דוחא"),
    "phrase": ('"prime minister"', '"white house"', '"ראש הממשלה"', '"رئيس الوزراء"'),
    "phrase of the commonest words": ('"of the"', '"in a"'),
    "NEAR": ("ukraine NEAR/5 war", "police NEAR/s court"),
    "concept": ("@hostage", "@israel", "@ceasefire"),
    "watch as shipped": ("((@doha OR @qatar) NEAR/s (@negotiation OR @mediation)) AND (@hostage OR @gaza)",),
    "Hebrew": ("ממשלה", "כנסת", "ירושלים חוק"),
    "Arabic": ("الرئيس", "حكومة", "مجلس الأمن"),
    "word and not": ("ukraine NOT russia", "ממשלה NOT כנסת"),
    "beginning": ("hostag*", "ukrain*", "al*"),
    "field, language, outlet": ("title:ukraine", "lang:he ממשלה", "outlet:o7 police", "url:o9 court"),
    "frequent word": ("the", "in", "של", "في"),
    "no hit": ("zzyzx", "hostage zzyzx"),
}
WORST: Mapping[str, tuple[str, ...]] = {
    "nothing for the index to look up": (r"/\bno such words\b/",),
    "many candidates, few hits": ("the PRE/1 to", '"the of the"'),
}


def articles(folder: Path) -> Iterator[tuple[str, str, str, TextLanguage]]:
    """Title, lead, body, language; in the order of filing."""
    rng = random.Random(3)
    english = []
    for path in sorted((folder / "feeds").glob("archive-2023-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            english += [(row["title"], row["description"] or "") for row in map(json.loads, lines) if row["title"]]
    rng.shuffle(english)
    other: dict[TextLanguage, list[str]] = {}
    languages: tuple[TextLanguage, TextLanguage] = ("he", "ar")
    for language in languages:
        files = (folder / "language" / name for name in FILES[language])
        told = (each.text for file in files for each in sentences(file, arabic=language == "ar"))
        other[language] = [text for text in told if len(text.split()) >= 5]
    for number in range(ITEMS):
        if number % 2 == 0:
            title, lead = english[number // 2 % len(english)]
            yield title, lead, "", "en"
            continue
        language = languages[number // 2 % 2]
        pool = other[language]
        body = " ".join(rng.choices(pool, k=20)) if rng.random() < 0.1 else ""
        yield " ".join(rng.choice(pool).split()[:10]), " ".join(rng.choices(pool, k=2)), body, language


def quiet(_change: Change, _ledger: Ledger) -> Decision:
    return Decision()


def candidate(number: int, outlet: str, article: tuple[str, str, str, TextLanguage], at: datetime) -> Candidate:
    title, lead, body, language = article
    url = f"https://www.{outlet}.example/news/world/{number}"
    return Candidate(
        id=identity.item_id(outlet, url), keys=(f"url:{url}",), text_hash=identity.text_hash(title, lead),
        language=language, entry=Entry(title=title, lead=lead, body=body, url=url, author="A. Writer", published=at),
    )  # fmt: skip


async def fill(store: Store, folder: Path) -> None:
    """Answers of fifty new entries."""
    told = list(articles(folder))
    for first in range(0, len(told), AT_ONCE):
        outlet, at = f"o{first // AT_ONCE % OUTLETS}", START + timedelta(seconds=first)
        own = tuple(
            candidate(number, outlet, told[number], at) for number in range(first, min(first + AT_ONCE, len(told)))
        )
        answer = Answer(
            source=f"{outlet}/main", outlet=outlet, url="", final_url="", at=at, outcome=Outcome.OK,
            entries=tuple(each.entry for each in own),
        )  # fmt: skip
        await store.file(Filing(answer=answer, candidates=own, after=None, held=None), quiet)


async def measure(store: Store) -> tuple[list[float], list[float]]:
    """Prints a line for each kind of query; milliseconds by the clock and of CPU of the usual ones."""
    outlets = [f"o{number}" for number in range(OUTLETS)]
    watches, _ = compile_watches((), load(None).concepts, outlets=outlets)
    usual: tuple[list[float], list[float]] = ([], [])
    print("| query | hits | looked at | median ms | p95 ms | median CPU ms | p95 CPU ms |\n|" + " --- |" * 7)
    for kinds in (QUERIES, WORST):
        for name, queries in kinds.items():
            times, costs, hits, looked = list[float](), list[float](), 0, 0
            for query in queries * (RUNS if kinds is QUERIES else 1):
                began, busy = time.perf_counter(), time.process_time()
                found = await search(store, ask(query, watches, outlets), Wanted(), clock=SystemClock())
                times.append((time.perf_counter() - began) * 1000)
                costs.append((time.process_time() - busy) * 1000)
                hits, looked = max(hits, len(found.hits)), max(looked, found.looked_at)
            if kinds is QUERIES:
                usual[0].extend(times)
                usual[1].extend(costs)
            ms = " | ".join(f"{statistics.median(each):.0f} | {p95(each):.0f}" for each in (times, costs))
            print(f"| {name} | {hits} | {looked:,} | {ms} |")
    return usual


def p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)] if len(times) > 1 else times[0]


async def run(path: Path, folder: Path) -> float:
    fresh = not path.exists()
    store = open_store(f"sqlite:///{path}", exclusive=True)
    if fresh:
        began = time.monotonic()
        await fill(store, folder)
        print(f"{ITEMS:,} items filed in {time.monotonic() - began:.0f} s")
    print(f"the store is {path.stat().st_size / 1e6:.0f} MB\n")
    times, costs = await measure(store)
    await store.close()
    print(f"\nall but the last two: p95 {p95(times):.0f} ms, of CPU {p95(costs):.0f} ms, {len(times)} searches")
    return p95(costs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, help="A store of an earlier run, or where to keep this one's.")
    asked = parser.parse_args()
    corpora = os.environ.get("WIREWATCH_CORPORA")
    if not corpora:
        print("set WIREWATCH_CORPORA to the folder of the corpora")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        longest = asyncio.run(run(asked.store or Path(folder) / "search.db", Path(corpora)))
    return int(longest > 150)


if __name__ == "__main__":
    sys.exit(main())
