"""feedparser's suite and miniflux's feeds: nothing crashes, hangs or leaves the allow-list, and both readers agree."""

from __future__ import annotations

import os
import re
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spiders.readers import ReadTask, feed, loosefeed, read, strictfeed
from spiders.readers.build import Builder
from spiders.readers.decoding import decode
from spiders.readers.text import ALLOWED_TAGS

SAMPLE = 300
NOW = datetime(2026, 11, 24, tzinfo=UTC)
CORPORA = os.environ.get("WIREWATCH_CORPORA")
pytestmark = pytest.mark.skipif(not CORPORA, reason="WIREWATCH_CORPORA is not set")


def archive(name: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(Path(CORPORA or "") / "feeds" / name) as files:
        for member in files:
            if member.isfile() and re.search(r"\.(xml|rss|atom|rdf|json)$", member.name):
                file = files.extractfile(member)
                assert file is not None
                yield member.name, file.read()


def task(body: bytes) -> ReadTask:
    return ReadTask(kind="feed", body=body, url="http://feeds.example/feed.xml", now=NOW)


class Markup(HTMLParser):
    """Collects what an entry's markup holds beyond the allow-list."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = tag in ALLOWED_TAGS and all(
            name == "rel" or (name == "href" and (value or "").lower().startswith(("http://", "https://")))
            for name, value in attrs
        )
        if not allowed:
            self.foreign.append(f"{tag} {attrs}")


def test_a_sample_of_the_suite_is_read_without_crash_hang_or_foreign_markup() -> None:
    suite = list(archive("feedparser-suite.tar.gz"))
    sample = suite[:: len(suite) // SAMPLE] + list(archive("miniflux-testdata.tar.gz"))
    assert len(sample) > SAMPLE
    for name, body in sample:
        began = time.process_time()
        reading = read(task(body))
        assert time.process_time() - began < 5, f"{name} hangs"
        for entry in reading.entries:
            markup = Markup()
            markup.feed(entry.html)
            assert markup.foreign == [], name
            assert entry.url is None or entry.url.lower().startswith(("http://", "https://")), name
            assert "\0" not in repr(entry), name


def test_the_strict_reader_gives_the_entries_feedparser_gives() -> None:
    compared = 0
    for name, body in [*archive("feedparser-suite.tar.gz"), *archive("miniflux-testdata.tar.gz")]:
        text = decode(body).text.strip("\ufeff \t\r\n")
        root = feed._FEED_ROOT.search(text)
        document = feed.mend(text, root.start()).text if root else ""
        strict = strictfeed.read(document, task(body).url) if root else None
        if strict is None:
            continue
        builder = Builder(task(body))
        assert builder.entries(strict)[0] == builder.entries(loosefeed.read(document)[0])[0], name
        compared += 1
    assert compared > 200
