"""feedparser's own suite and miniflux's feeds through our workers: read, crashed, hung, and agreement.

Agreement is counted on the first entry's title, link and date: with the expectation written in the file's
comment where there is one, else with feedparser's result. Needs ``WIREWATCH_CORPORA``.
Run: ``python -m benchmarks.feeds_suite`` (``--differences`` lists where we differ).
"""

from __future__ import annotations

import ast
import asyncio
import calendar
import io
import os
import re
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser

from monitor.model.entries import Entry
from monitor.model.sources import Outcome
from spiders.readers import ReadTask, read
from spiders.readers.links import resolve
from spiders.readers.text import one_line, plain
from spiders.workers import Workers

_ARCHIVES = ("feedparser-suite.tar.gz", "miniflux-testdata.tar.gz")
_FEEDS = (".xml", ".rss", ".atom", ".rdf", ".json")
_NOW = datetime(2026, 11, 24, tzinfo=UTC)
_URL = "http://feeds.example/tests/feed.xml"
_FOREIGN = re.compile(
    r"<(?!/?(?:p|br|b|i|em|strong|blockquote|ul|ol|li|a)>|a (?:href=\"https?:[^\"]*\" )?rel=\"[a-z ]+\">)", re.I
)
"""A tag of an entry's markup that is not on the allow-list."""
_EXPECTED = re.compile(r"entries\[0\]\['(title|link|published_parsed|updated_parsed)'\] == u?('[^'\n]*'|\([\d, ]+\))")


def suite(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of every feed in the archives."""
    for archive in _ARCHIVES:
        with tarfile.open(folder / "feeds" / archive) as files:
            for member in files:
                if member.isfile() and member.name.endswith(_FEEDS) and (file := files.extractfile(member)):
                    yield member.name, file.read()


def expected(body: bytes) -> dict[str, Any]:
    """What the file's comment says of its first entry."""
    found = _EXPECTED.findall(body[:4000].decode("utf-8", "replace"))
    return {name: ast.literal_eval(value) for name, value in found}


def theirs(body: bytes) -> dict[str, Any]:
    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    return dict(parsed.entries[0]) if parsed.entries else {}


def same(field: str, entry: Entry, value: Any) -> bool:
    """Whether we say the same; texts are compared as plain text, links as addresses that may be followed."""
    if field == "title":
        return one_line(entry.title) in {one_line(str(value)), one_line(plain(str(value)))}
    if field == "link":
        return entry.url == resolve(str(value), _URL)
    moment = entry.published if field == "published_parsed" else entry.updated
    try:
        return moment is not None and int(moment.timestamp()) == calendar.timegm(tuple(value))
    except (ValueError, TypeError):
        return False


async def run(feeds: list[tuple[str, bytes]]) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    differences: list[str] = []
    workers = Workers(2, limit=10.0)
    try:
        for name, body in feeds:
            reading = await workers.read(ReadTask(kind="feed", body=body, url=_URL, now=_NOW))
            counts["read"] += 1
            counts["hangs"] += "was stopped" in reading.reason
            counts["crashes"] += reading.outcome is Outcome.FAILED and "reading failed" in reading.reason
            counts["crashes"] += "worker died" in reading.reason
            counts["foreign"] += sum(len(_FOREIGN.findall(entry.html)) for entry in reading.entries)
            told, parsed = expected(body), theirs(body)
            for field in ("title", "link", "published_parsed", "updated_parsed"):
                value = told.get(field, parsed.get(field))
                if value is None or not reading.entries:
                    continue
                agreed = same(field, reading.entries[0], value)
                counts[f"{field} compared"] += 1
                counts[f"{field} agreed"] += agreed
                if not agreed:
                    entry = reading.entries[0]
                    ours = {"title": entry.title, "link": entry.url}.get(field, entry.published_text or entry.published)
                    differences.append(f"{name}: {field}: ours {ours!r}, expected {value!r}")
    finally:
        workers.close()
    return counts, differences


def speed() -> None:
    """Time for one 40-item feed, ours beside feedparser's, in this run."""
    text = "Delegations met for a third day of talks, officials of the host country said. " * 3
    items = "".join(
        f"<item><title>Talks, day {n}</title><link>https://a.example/{n}</link><guid>https://a.example/{n}</guid>"
        f"<pubDate>Sun, 22 Nov 2026 10:00:00 GMT</pubDate><description>&lt;p&gt;{text}&lt;/p&gt;</description></item>"
        for n in range(40)
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()
    task = ReadTask(kind="feed", body=body, url=_URL, now=_NOW)

    def milliseconds(work: Any) -> float:
        work()
        began = time.perf_counter()
        for _ in range(20):
            work()
        return (time.perf_counter() - began) * 50

    slow = replace(task, body=body.replace(b"<rss", b"<!DOCTYPE rss><rss", 1))  # the same through feedparser
    ours, loose = milliseconds(lambda: read(task)), milliseconds(lambda: read(slow))
    print(f"a 40-item feed to entries: {ours:.1f} ms, through feedparser {loose:.1f} ms, ratio {loose / ours:.1f}")


def main() -> int:
    corpora = os.environ.get("WIREWATCH_CORPORA")
    if not corpora:
        print("set WIREWATCH_CORPORA to the folder of the corpora")
        return 2
    counts, differences = asyncio.run(run(list(suite(Path(corpora)))))
    print(
        f"feeds read {counts['read']}  crashes {counts['crashes']}  hangs {counts['hangs']}"
        f"  tags outside the allow-list {counts['foreign']}"
    )
    for field in ("title", "link", "published_parsed", "updated_parsed"):
        print(f"{field:17} agreed {counts[f'{field} agreed']} of {counts[f'{field} compared']}")
    if "--differences" in sys.argv:
        print("\n".join(differences))
    speed()
    return 0 if counts["crashes"] == counts["hangs"] == counts["foreign"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
