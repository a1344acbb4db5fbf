"""How much of an article's text is found: 4-gram F1 on 181 real pages, ours beside trafilatura alone in one run.

The measure is article-extraction-benchmark's: multisets of four-word shingles, precision and recall averaged
over the pages, F1 of the two averages. Needs ``WIREWATCH_CORPORA``. Run: ``python -m benchmarks.articles``.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import trafilatura

from spiders.readers import ReadTask, read

_WORD = re.compile(r"\w+", re.UNICODE | re.MULTILINE | re.IGNORECASE | re.DOTALL)
_NOW = datetime(2026, 11, 24, tzinfo=UTC)


def shingles(text: str, n: int = 4) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    return Counter(tuple(words[start : start + n]) for start in range(max(len(words) - n + 1, 1 if words else 0)))


def score(truth: str, found: str) -> tuple[float, float]:
    """Precision and recall of one page."""
    wanted, got = shingles(truth), shingles(found)
    common = (wanted & got).total()
    precision = common / got.total() if got else float(not wanted)
    return precision, common / wanted.total() if wanted else float(not got)


def ours(page: bytes, url: str) -> str:
    reading = read(ReadTask(kind="article", body=page, url=url, now=_NOW))
    return reading.entries[0].body if reading.entries else ""


def alone(page: bytes, url: str) -> str:
    return trafilatura.extract(page.decode("utf-8", "replace"), include_comments=False) or ""


def measure(name: str, extract: Callable[[bytes, str], str], folder: Path) -> tuple[float, dict[str, float]]:
    truth = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    pages = {key: gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes()) for key in truth}
    began = time.perf_counter()
    scores = {key: score(truth[key]["articleBody"], extract(pages[key], truth[key]["url"])) for key in truth}
    seconds = time.perf_counter() - began
    precision = sum(pair[0] for pair in scores.values()) / len(scores)
    recall = sum(pair[1] for pair in scores.values()) / len(scores)
    f1 = 2 * precision * recall / (precision + recall)
    print(f"{name:18} pages {len(scores)}  F1 {f1:.4f}  precision {precision:.4f}  recall {recall:.4f}  "
          f"{seconds / len(scores) * 1000:.1f} ms a page")  # fmt: skip
    return f1, {key: 2 * p * r / (p + r) if p + r else 0.0 for key, (p, r) in scores.items()}


def main() -> int:
    corpora = os.environ.get("WIREWATCH_CORPORA")
    if not corpora:
        print("set WIREWATCH_CORPORA to the folder of the corpora")
        return 2
    folder = Path(corpora) / "articles"
    theirs, per_page_theirs = measure("trafilatura alone", alone, folder)
    mine, per_page = measure("wirewatch", ours, folder)
    if "--pages" in sys.argv:
        for key in sorted(per_page, key=lambda key: per_page[key] - per_page_theirs[key]):
            print(f"{key[:12]}  ours {per_page[key]:.3f}  alone {per_page_theirs[key]:.3f}")
    print("ours is not lower" if mine >= theirs else "OURS IS LOWER")
    return 0 if mine >= theirs else 1


if __name__ == "__main__":
    sys.exit(main())
