"""Every feed and page of the demo is what the outlet's own wire format says, and our readers read it back."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, date, datetime
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import feedparser
import pytest
from lxml import etree

from config.load import load as load_config
from config.model.outlets import Source
from config.model.whole import Config
from monitor.demo.day import Day, Feed, Piece, load
from monitor.demo.wire import CHALLENGE, SAMPLE, listed, render_feed, render_page
from monitor.entries import normalise
from monitor.model.entries import Entry
from monitor.model.sources import Outcome
from monitor.stories.identity import candidates
from spiders.readers import ReadTask, read
from spiders.readers.judge import judge

BASE = "http://127.0.0.1:4321"
FEEDS = [(edition.outlet, path) for edition in load(date(2026, 11, 24)).editions.values() for path in edition.feeds]


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load_config(None)


def body(day: Day, outlet: str, path: str, now: datetime | None = None) -> bytes:
    edition = day.editions[outlet]
    return render_feed(edition, edition.feeds[path], base=BASE, now=now or day.end, start=day.start).body


def planned(day: Day, outlet: str, path: str) -> list[Piece]:
    """The pieces of a feed at the day's end, one a line, newest first."""
    edition = day.editions[outlet]
    return [line.piece for line in listed(edition, edition.feeds[path], base=BASE, now=day.end)]


@pytest.mark.parametrize(("outlet", "path"), [each for each in FEEDS if each[0] != "ap"])
def test_feedparser_reads_every_rss_feed_to_the_expected_entries(day: Day, outlet: str, path: str) -> None:
    parsed = feedparser.parse(BytesIO(body(day, outlet, path)))
    assert not parsed.bozo
    pieces = planned(day, outlet, path)
    assert [entry.title for entry in parsed.entries] == [piece.title_at(day.end) for piece in pieces]
    times = [datetime.fromtimestamp(timegm(entry.published_parsed), UTC) for entry in parsed.entries]
    assert times == [piece.at for piece in pieces]
    assert all(piece.lead in entry.summary for entry, piece in zip(parsed.entries, pieces, strict=True))


def test_lxml_reads_the_news_sitemap_to_the_expected_entries(day: Day) -> None:
    root = etree.fromstring(body(day, "ap", "/news-sitemap-content.xml"))
    spaces = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}
    pieces = planned(day, "ap", "/news-sitemap-content.xml")
    assert root.xpath("//n:title/text()", namespaces=spaces) == [piece.title_at(day.end) for piece in pieces]
    assert root.xpath("//s:loc/text()", namespaces=spaces) == [piece.link for piece in pieces]
    written = root.xpath("//n:publication_date/text()", namespaces=spaces)
    assert {text[-6:] for text in written} == {"-05:00"}
    assert [datetime.fromisoformat(text) for text in written] == [piece.at for piece in pieces]
    assert sorted(set(root.xpath("//n:language/text()", namespaces=spaces))) == ["eng", "spa"]


def test_each_outlet_writes_as_the_real_one_does(day: Day) -> None:
    bbc = body(day, "bbc", "/news/world/middle_east/rss.xml").decode()
    assert "?at_medium=RSS&amp;at_campaign=rss</link>" in bbc
    assert "<title><![CDATA[What we know" in bbc
    assert "<ttl>15</ttl>" in bbc
    assert '<guid isPermaLink="false">https://www.bbc.co.uk/news/articles/c1demo00003o#0</guid>' in bbc
    assert " GMT</pubDate>" in bbc
    assert "?traffic_source=rss</link>" in body(day, "aljazeera-en", "/xml/rss/all.xml").decode()
    haaretz = body(day, "haaretz-en", "/srv/haaretz-latest-headlines").decode()
    assert " +0200</pubDate>" in haaretz
    assert 'length="0"' in haaretz
    assert "<description><![CDATA[<div><a href=" in body(day, "ynet", "/Integration/StoryRss2.xml").decode()
    bing = feedparser.parse(BytesIO(body(day, "reuters", "/news/search")))
    for entry, piece in zip(bing.entries, planned(day, "reuters", "/news/search"), strict=True):
        assert entry.link.startswith("http://www.bing.com/news/apiclick.aspx?")
        assert parse_qs(urlsplit(entry.link).query)["url"] == [piece.link]


@pytest.mark.parametrize(("outlet", "path"), FEEDS)
def test_our_own_readers_and_rules_bring_every_piece_through_whole(
    day: Day, shipped: Config, outlet: str, path: str
) -> None:
    """Reader, outlet's rules, identity: one candidate a piece, with its headline, time and address."""
    config = shipped.outlets[outlet]
    source = next(source for source in config.source if urlsplit(source.url).path == path)
    task = ReadTask(
        kind=source.kind,
        body=body(day, outlet, path),
        url=BASE + path,
        content_type="application/xml; charset=utf-8",
        time_zone=config.time_zone,
        language=config.language,
        now=day.end,
    )
    reading = read(task)
    assert reading.outcome is Outcome.OK, reading.reason
    assert judge(url=task.url, final_url=task.url, status=200, headers={}, body=task.body, kind=source.kind) is None
    entries = kept(reading.entries, shipped, outlet, source, day)
    found = candidates(entries, config, source)
    pieces = {piece.key: piece for piece in planned(day, outlet, path) if not piece.dropped}
    assert len(found) == len(pieces)
    for candidate in found:
        piece = day.find(outlet, candidate.entry.url)
        assert piece is not None, candidate.entry.url
        assert candidate.entry.title == piece.title_at(day.end)
        assert candidate.entry.published == piece.at
        assert candidate.entry.kind == piece.kind
        assert candidate.language == config.language
        assert config.keep == "headline" or candidate.entry.lead == piece.lead
        del pieces[piece.key]
    assert not pieces


def kept(entries: tuple[Entry, ...], shipped: Config, outlet: str, source: Source, day: Day) -> list[Entry]:
    normalised = (normalise(entry, shipped.outlets[outlet], source, day.end) for entry in entries)
    return [entry for entry in normalised if entry is not None]


def test_a_feed_shows_only_what_is_published_and_the_headline_of_the_hour(day: Day) -> None:
    before = body(day, "bbc", "/news/world/rss.xml", day.start.replace(hour=12)).decode()
    after = body(day, "bbc", "/news/world/rss.xml", day.start.replace(hour=14)).decode()
    assert "release of 10 hostages" in before
    assert "release of 12 hostages" in after
    assert "release of 10 hostages" not in after
    assert "frozen lake" not in after


def test_an_unchanged_feed_is_the_same_bytes_and_has_the_same_validators(day: Day) -> None:
    edition = day.editions["bbc"]
    feed = edition.feeds["/news/world/rss.xml"]
    one, two, three = (
        render_feed(edition, feed, base=BASE, now=day.start.replace(hour=hour, minute=minute), start=day.start)
        for hour, minute in ((12, 0), (12, 30), (13, 41))
    )
    assert (one.body, one.etag, one.changed) == (two.body, two.etag, two.changed)
    assert three.etag != two.etag
    assert three.changed == day.start.replace(hour=13, minute=40)


def test_a_feed_that_is_still_empty_is_whole_and_dated_by_the_start(day: Day) -> None:
    edition = day.editions["bbc"]
    feed: Feed = edition.feeds["/news/world/rss.xml"]
    rendered = render_feed(edition, feed, base=BASE, now=day.start.replace(hour=0), start=day.start)
    assert rendered.changed == day.start
    assert not feedparser.parse(BytesIO(rendered.body)).entries


@pytest.mark.parametrize("outlet", ["aljazeera-en", "aljazeera-ar"])
def test_article_pages_give_their_text_without_the_blocks_around_it(day: Day, shipped: Config, outlet: str) -> None:
    for piece in day.editions[outlet].pieces:
        url = piece.link.replace("{base}", BASE)
        rendered = render_page(piece, base=BASE, now=day.end)
        task = ReadTask(
            kind="article",
            body=rendered.body,
            url=url,
            content_type=rendered.content_type,
            language=shipped.outlets[outlet].language,
            article=shipped.outlets[outlet].article,
            now=day.end,
        )
        reading = read(task)
        assert reading.outcome is Outcome.OK, reading.reason
        (entry,) = reading.entries
        assert entry.title == piece.title
        assert all(paragraph in entry.body for paragraph in (piece.body or piece.lead).split("\n\n"))
        assert SAMPLE not in entry.body
        assert entry.canonical == url
        assert entry.published == piece.at


def test_on_page_headlines_carry_soft_hyphens_as_the_real_ones_do(day: Day) -> None:
    piece = next(piece for piece in day.pieces if piece.key == "aljazeera-en/progress")
    page = render_page(piece, base=BASE, now=day.end).body.decode()
    assert "<h1>Media\u00adtors in Doha" in page


def test_the_challenge_page_is_recognised_as_one() -> None:
    verdict = judge(
        url=BASE,
        final_url=BASE,
        status=403,
        headers={"cf-mitigated": "challenge", "content-type": "text/html"},
        body=CHALLENGE.encode(),
        kind="sitemap",
    )
    assert verdict is not None
    assert verdict.outcome is Outcome.BLOCKED
