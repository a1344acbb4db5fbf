"""Replay of real news: archived feeds of seven outlets, polled day by day through the real service.

``.venv/bin/python -m benchmarks.replay`` (needs ``WIREWATCH_CORPORA``). Each archived day becomes RSS answers of its
outlets; the clock stands at that day's end. The truth is counted apart from our identity code: the archived link
without ``utm_*``, ``at_*``, ``traffic_source``, fragment, scheme, ``www.`` and trailing slash.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

from benchmarks.newswire import Newswire, newswire
from benchmarks.rig import Bench, SetClock, configuration, cpu, on_reactor, outlet, peak_megabytes, running
from monitor.model.items import Wanted

Row = Mapping[str, Any]
Archives = Mapping[str, Mapping[str, Sequence[Row]]]
"""outlet → day → rows"""


def archives(folder: Path) -> dict[str, dict[str, list[Row]]]:
    """outlet → day → rows, as archived."""
    found: dict[str, dict[str, list[Row]]] = {}
    for path in sorted((folder / "feeds").glob("archive-2023-*.jsonl.gz")):
        days: dict[str, list[Row]] = defaultdict(list)
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                days[row["day"]].append(row)
        found[path.name.removeprefix("archive-2023-").removesuffix(".jsonl.gz").replace("_", "-")] = days
    return found


def truth(link: str) -> str:
    """Which article a link names, counted by hand: this must not call wirewatch's own identity code."""
    parts = urlsplit(link)
    kept = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if not key.startswith(("utm_", "at_")) and key != "traffic_source"
    ]
    return f"{parts.netloc.removeprefix('www.')}{unquote(parts.path).rstrip('/ ')}?{urlencode(kept)}"


def answers(rows: Sequence[Row]) -> list[list[Row]]:
    """One day's rows as the answers they came in: an archive gathers a day of polls, and no feed lists one article
    twice, so a link that returns with another headline belongs to a later poll of that day."""
    looks: list[list[Row]] = []
    times: Counter[str] = Counter()
    for row in rows:
        turn = times[truth(row["link"])]
        times[truth(row["link"])] += 1
        if turn == len(looks):
            looks.append([])
        looks[turn].append(row)
    return looks


def rss(rows: Sequence[Row]) -> bytes:
    """One day's rows as an RSS 2.0 answer, newest first."""
    items = "".join(
        f"<item><title>{escape(row['title'] or '')}</title><link>{escape(row['link'])}</link>"
        f"<description>{escape(row['description'] or '')}</description><pubDate>{_date(row)}</pubDate></item>"
        for row in reversed(rows)
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>a</title>'
    return f"{head}{items}</channel></rss>".encode()


def _date(row: Row) -> str:
    return format_datetime(datetime.fromisoformat(row["date_published"])) if row["date_published"] else ""


def articles(found: Archives) -> dict[str, set[str]]:
    """outlet → every article it had."""
    return {name: {truth(row["link"]) for rows in by_day.values() for row in rows} for name, by_day in found.items()}


async def replay(found: Archives, site: Newswire, folder: Path) -> dict[str, Any]:
    """Play every day, check against the truth, play every day again."""
    hosts = {name: f"127.0.1.{number + 1}" for number, name in enumerate(found)}
    outlets = [outlet(name, f"http://{host}:{site.port}/feed") for name, host in hosts.items()]
    config = configuration(outlets, [f"{host}:{site.port}" for host in hosts.values()], folder)
    days = sorted({day for by_day in found.values() for day in by_day})
    clock = SetClock(_end_of(days[0]))
    started, before = time.monotonic(), cpu(besides=(site.pid,))
    async with running(config, clock) as bench:
        await _play(bench, found, hosts, site, days)
        first = {**_sums(bench), "items": await _held(bench, found)}
        seconds, used = time.monotonic() - started, cpu(besides=(site.pid,)) - before
        wrong = await _compare(bench, found)
        bench.filed.clear()
        await _play(bench, found, hosts, site, days)
        second = {**_sums(bench), "items": await _held(bench, found)}
    return {
        "rows": sum(len(rows) for by_day in found.values() for rows in by_day.values()),
        "articles": sum(map(len, articles(found).values())),
        "first": first, "second": second, "wrong": wrong, "seconds": round(seconds, 1), "cpu": round(used, 1),
        "peak_mb": round(peak_megabytes()),
    }  # fmt: skip


async def _play(
    bench: Bench,
    found: Archives,
    hosts: Mapping[str, str],
    site: Newswire,
    days: Sequence[str],
) -> None:
    for number, day in enumerate(days):
        looks = {name: answers(by_day[day]) for name, by_day in found.items() if day in by_day}
        bench.clock.set(max(_end_of(day), bench.clock.now()))
        for turn in range(max(map(len, looks.values()))):
            site.serve({hosts[name]: rss(look[turn]) for name, look in looks.items() if turn < len(look)})
            await bench.poll_all()
        if sys.stderr.isatty():
            print(f"\r{day} {number + 1}/{len(days)}", end="", file=sys.stderr)


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=23, minutes=59)


def _sums(bench: Bench) -> dict[str, int]:
    fields = ("revised", "known", "merged", "quarantined")
    return {name: sum(getattr(filed, name) for filed in bench.filed) for name in fields}


async def _held(bench: Bench, found: Archives) -> int:
    """Items of the outlets, without the service's own notices."""
    return sum([await bench.store.how_many(Wanted(outlet=name), at_most=1_000_000) for name in found])


async def _compare(bench: Bench, found: Archives) -> dict[str, Any]:
    """What differs between the store and the truth: articles lost, doubled, joined."""
    lost: list[str] = []
    doubled: list[str] = []
    strangers: list[str] = []
    for name, wanted in articles(found).items():
        held = Counter(truth(item.url or "") for item in await bench.store.items(Wanted(outlet=name), limit=1_000_000))
        lost += sorted(wanted - set(held))
        strangers += sorted(set(held) - wanted)
        doubled += sorted(link for link, count in held.items() if count > 1)
    return {"lost": lost, "doubled": doubled, "strangers": strangers}


def main() -> None:
    corpora = os.environ.get("WIREWATCH_CORPORA")
    if not corpora:
        sys.exit("set WIREWATCH_CORPORA to the folder that holds feeds/archive-2023-*.jsonl.gz")
    found = archives(Path(corpora))
    with newswire() as site, tempfile.TemporaryDirectory() as folder:
        result = on_reactor(lambda: replay(found, site, Path(folder)))["result"]
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
