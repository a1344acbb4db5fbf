"""Sitemaps beyond the Associated Press's: indexes, plain ones, packed and damaged ones."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from monitor.model.sources import Outcome
from spiders.readers import Reading

Read = Callable[..., Reading]
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def plain_sitemap(*paths: str) -> str:
    urls = "".join(
        f"<url><loc>https://a.example{path}</loc><lastmod>2026-11-22T10:00Z</lastmod></url>" for path in paths
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {NAMESPACE}>{urls}</urlset>'


def test_an_index_names_its_newest_five_children_and_no_entries(read_body: Read) -> None:
    children = "".join(
        f"<sitemap><loc>/daily/{day:02}.xml</loc><lastmod>2026-11-{day:02}</lastmod></sitemap>" for day in range(1, 23)
    )
    index = f"<sitemapindex {NAMESPACE}><sitemap><loc>javascript:x</loc></sitemap>{children}</sitemapindex>"
    reading = read_body(index, "sitemap")
    assert reading.more == tuple(f"https://news.example/daily/{day:02}.xml" for day in range(22, 17, -1))
    assert (reading.outcome, reading.entries) == (Outcome.OK, ())


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Talks&nbsp;in Doha", "Talks in Doha"),
        ("The &rsquo;deal&rsquo; holds", "The ’deal’ holds"),
        ("Talks <b>in Doha</b> resume", "Talks in Doha resume"),
        ("Talks<br/>in Doha", "Talks in Doha"),
        ("<![CDATA[Talks in Doha]]> resume", "Talks in Doha resume"),
    ],
)
def test_a_title_is_read_to_its_end_whatever_stands_in_it(read_body: Read, written: str, title: str) -> None:
    news = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    url = f"<url><loc>https://a.example/1</loc><news:news><news:title>{written}</news:title></news:news></url>"
    (entry,) = read_body(f"<urlset {NAMESPACE} {news}>{url}</urlset>", "sitemap").entries
    assert entry.title == title


def test_undated_children_keep_their_order(read_body: Read) -> None:
    children = "".join(f"<sitemap><loc>https://a.example/{n}.xml</loc></sitemap>" for n in range(3))
    reading = read_body(f"<sitemapindex {NAMESPACE}>{children}</sitemapindex>", "sitemap")
    assert reading.more == tuple(f"https://a.example/{n}.xml" for n in range(3))


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/news/2026/11/22/talks-in-doha-enter-a-third-day", "talks in doha enter a third day"),
        (f"/politics/2026/11/22/{quote('الوفود-في-الدوحة')}", "الوفود في الدوحة"),
        ("/about", "https://a.example/about"),
    ],
)
def test_a_plain_sitemaps_titles_are_the_words_of_its_addresses(read_body: Read, path: str, title: str) -> None:
    (entry,) = read_body(plain_sitemap(path), "sitemap").entries
    assert entry.title == title
    assert entry.updated == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_packed_sitemap_is_unpacked_and_a_damaged_one_failed(read_body: Read) -> None:
    packed = gzip.compress(plain_sitemap("/a-b-c").encode())
    assert [entry.title for entry in read_body(packed, "sitemap").entries] == ["a b c"]
    assert read_body(packed[:-20], "sitemap").outcome is Outcome.FAILED


def test_f011_a_packed_bomb_is_refused(read_body: Read) -> None:
    reading = read_body(gzip.compress(b"<urlset>" + b" " * (65 * 1024 * 1024)), "sitemap")
    assert reading.outcome is Outcome.FAILED
    assert "64 MiB" in reading.reason


def test_f047_a_cut_sitemap_keeps_its_complete_entries(read_body: Read) -> None:
    whole = plain_sitemap("/a-b-c", "/d-e-f", "/g-h-i")
    reading = read_body(whole[: whole.rindex("<loc>") + 9], "sitemap")
    assert [entry.title for entry in reading.entries] == ["a b c", "d e f"]
    assert reading.marks == ("cut: the end is missing",)


def test_f048_a_bare_ampersand_is_read_and_marked(read_body: Read) -> None:
    reading = read_body(plain_sitemap("/a-b-c?x=1&y=2", "/d-e-f"), "sitemap")
    assert [entry.title for entry in reading.entries] == ["a b c", "d e f"]
    assert reading.outcome is Outcome.DEGRADED


def test_a_web_page_an_empty_map_and_nothing_are_not_news(read_body: Read) -> None:
    assert read_body("<html><body>Not here</body></html>", "sitemap").outcome is Outcome.BLOCKED
    assert read_body(plain_sitemap(), "sitemap").marks == ("no entries",)
    assert read_body(b"", "sitemap").outcome is Outcome.FAILED
