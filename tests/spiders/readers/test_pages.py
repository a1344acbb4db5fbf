"""Listing and article pages that have moved, are damaged or are hostile."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from config.model.outlets import ArticleSelectors, Selectors
from monitor.model.sources import Outcome
from spiders.readers import Reading

Read = Callable[..., Reading]
SELECTORS = Selectors(entry=".row", link="a", title=".title", time="time")
PARAGRAPH = "The delegations met for a third day of talks, officials of the host country said on Sunday morning."
FOOTER = f"<footer>{PARAGRAPH * 4}</footer>"


def article(head: str = "", body: str = f"<p>{PARAGRAPH}</p>", **told: Any) -> str:
    data = json.dumps(told).replace("</", "<\\/")
    block = f'<script type="application/ld+json">{data}</script>' if told else ""
    return f"<!DOCTYPE html><html><head>{head}{block}</head><body><article>{body}</article></body></html>"


# ------------------------------------------------------------------ listings


def test_a_listing_whose_blocks_are_gone_is_degraded_and_names_the_selector(read_body: Read) -> None:
    reading = read_body(f"<html><body><main>{FOOTER}</main></body></html>", "listing", selectors=SELECTORS)
    assert reading.outcome is Outcome.DEGRADED
    assert ".row" in reading.reason
    assert reading.excerpt.startswith("The delegations met")


def test_an_empty_shell_in_place_of_a_listing_is_blocked(read_body: Read) -> None:
    reading = read_body('<html><body><div id="app"></div></body></html>', "listing", selectors=SELECTORS)
    assert reading.outcome is Outcome.BLOCKED


def test_a_selector_that_finds_nothing_in_any_block_is_named(read_body: Read) -> None:
    page = f'<div class="row"><a href="/1">First</a></div><div class="row"><a href="/2">Second</a></div>{FOOTER}'
    reading = read_body(page, "listing", selectors=Selectors(entry=".row", lead=".x", time="time.gone"))
    assert [entry.title for entry in reading.entries] == ["First", "Second"]
    assert reading.marks == ("no time found by time = 'time.gone'",)


def test_a_selector_that_is_none_is_failed_and_named(read_body: Read) -> None:
    reading = read_body("<p>x</p>", "listing", selectors=Selectors(entry="a[["))
    assert reading.outcome is Outcome.FAILED
    assert "a[[" in reading.reason


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<span>Breaking</span><span>Doha talks</span>", "Breaking Doha talks"),
        ("Sin<wbr>war and <b>H</b>ostages", "Sinwar and Hostages"),
        ("Sin<!-- -->war", "Sinwar"),
        ("<strong>ה</strong>חטופים &amp; דוחה", "החטופים & דוחה"),
    ],
)
def test_parts_of_a_listed_title_stand_apart_and_emphasis_splits_no_word(
    read_body: Read, written: str, title: str
) -> None:
    found = f'<div class="row"><a href="/en/x">{written}</a></div>'
    (entry,) = read_body(found, "listing", selectors=Selectors(entry=".row", link="a", title="a")).entries
    assert entry.title == title


def test_f073_base_is_obeyed_in_a_listing(read_body: Read) -> None:
    row = '<div class="row"><a href="x"><span class="title">T</span></a><time>22 Nov 2026</time></div>'
    page = f'<head><base href="/en/"></head>{row}'
    assert read_body(page, "listing", selectors=SELECTORS).entries[0].url == "https://news.example/en/x"


def test_rows_without_an_address_are_read_by_their_title(read_body: Read) -> None:
    page = '<div class="row"><time datetime="2026-11-22T10:00:00.123Z">12:00</time><div class="title">Flash</div></div>'
    (entry,) = read_body(page, "listing", selectors=SELECTORS).entries
    assert (entry.title, entry.url, entry.published) == ("Flash", None, datetime(2026, 11, 22, 10, tzinfo=UTC))


def test_f053_a_listing_nested_too_deep_is_never_parsed(read_body: Read) -> None:
    reading = read_body("<div>" * 200_000, "listing", selectors=SELECTORS)
    assert reading.outcome is Outcome.FAILED
    assert "nested deeper" in reading.reason


# ------------------------------------------------------------------ articles


@pytest.mark.parametrize(
    "wrap",
    [
        lambda node: node,
        lambda node: [{"@type": "WebPage"}, node],
        lambda node: {"@context": "https://schema.org", "@graph": [{"@type": "Organization", "name": "x"}, node]},
    ],
)
@pytest.mark.parametrize("kind", ["NewsArticle", "ReportageNewsArticle", ["Article", "NewsArticle"]])
def test_json_ld_is_found_in_every_shape(read_body: Read, wrap: Callable[[Any], Any], kind: Any) -> None:
    node = {
        "@type": kind,
        "headline": "Talks &amp; terms",
        "datePublished": "2026-11-22T10:00:00.12345Z",
        "author": "Desk",
    }
    blocks = [{"@type": "BreadcrumbList"}, wrap(node)]
    scripts = "".join(f"<script data-x type='application/ld+json'>{json.dumps(block)}</script>" for block in blocks)
    (entry,) = read_body(article(scripts), "article").entries
    assert entry.title == "Talks & terms"
    assert entry.published == datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
    assert (entry.author, entry.body) == ("Desk", PARAGRAPH)


@pytest.mark.parametrize("attribute", ["name", "property"])
def test_meta_is_read_by_name_and_by_property_and_page_times_without_zone_are_utc(
    read_body: Read, attribute: str
) -> None:
    written = {"og:title": "Talks", "article:published_time": "2026-11-22T10:00:00"}
    head = "".join(f'<meta {attribute}="{name}" content="{value}">' for name, value in written.items())
    (entry,) = read_body(article(head), "article", time_zone="America/New_York").entries
    assert (entry.title, entry.published) == ("Talks", datetime(2026, 11, 22, 10, tzinfo=UTC))


def test_damaged_json_ld_is_marked_and_the_page_read_without_it(read_body: Read) -> None:
    head = (
        '<title>Talks | Desk</title><script type="application/ld+json">{"@type": "NewsArticle", "headline": </script>'
    )
    (entry,) = read_body(article(head), "article").entries
    assert (entry.title, entry.body, entry.marks) == ("Talks | Desk", PARAGRAPH, ("JSON-LD damaged",))


def test_deeply_nested_json_ld_is_damage_not_a_crash(read_body: Read) -> None:
    head = f'<title>Talks</title><script type="application/ld+json">{"[" * 100_000}</script>'
    assert read_body(article(head), "article").entries[0].marks == ("JSON-LD damaged",)


def test_a_teaser_in_json_ld_gives_way_to_the_pages_text(read_body: Read) -> None:
    told = {"@type": "NewsArticle", "headline": "Talks", "articleBody": PARAGRAPH[:40]}
    assert read_body(article(**told), "article").entries[0].body == PARAGRAPH


def test_where_a_page_shows_mostly_other_text_its_json_ld_is_read_too(read_body: Read) -> None:
    told = {
        "@type": "NewsArticle",
        "headline": "Talks",
        "articleBody": "Envoys flew to Doha on Monday. They met twice.",
    }
    body = read_body(article(**told), "article").entries[0].body
    assert body == f"{told['articleBody']}\n\n{PARAGRAPH}"


def test_json_ld_bodies_in_escaped_markup_become_paragraphs(read_body: Read) -> None:
    told = {
        "@type": "NewsArticle",
        "headline": "T",
        "articleBody": "&lt;p&gt;One is here.&lt;/p&gt;\n\n&lt;p&gt;Two is here.&lt;/p&gt;",
    }
    page = article(body="", **told)
    assert read_body(page, "article").entries[0].body == "One is here.\n\nTwo is here."


def test_selectors_serve_where_nothing_else_finds_text(read_body: Read) -> None:
    page = (
        '<html><body><h1 class="h">Statement</h1><i class="by">Desk</i><div class="b"><p>Short.</p></div></body></html>'
    )
    selectors = ArticleSelectors(headline=".h", byline=".by", body=".missing, .b")
    (entry,) = read_body(page, "article", article=selectors).entries
    assert (entry.title, entry.author) == ("Statement", "Desk")
    assert "Short." in entry.body


def test_f060_a_page_deeper_than_the_parser_bears_has_lost_its_text_not_none(read_body: Read) -> None:
    deep = "<div>" * 6_000 + PARAGRAPH + "</div>" * 6_000
    reading = read_body(article("<title>Talks</title>", deep), "article")
    assert reading.outcome is Outcome.DEGRADED
    assert reading.marks == ("text lost: page nested deeper than 1000",)
    assert (reading.entries[0].title, reading.entries[0].body) == ("Talks", "")


def test_f053_a_deep_head_is_never_parsed_and_json_ld_still_found(read_body: Read) -> None:
    told = {"@type": "NewsArticle", "headline": "Talks", "articleBody": f"{PARAGRAPH} It ended."}
    (entry,) = read_body(article("<div>" * 200_000, "", **told), "article").entries
    assert (entry.title, entry.body) == ("Talks", f"{PARAGRAPH} It ended.")


def test_a_page_that_is_no_article_is_failed_with_its_beginning(read_body: Read) -> None:
    reading = read_body("<html><body></body></html>", "article")
    assert (reading.outcome, reading.entries) == (Outcome.FAILED, ())


def test_f084_article_markup_is_made_of_our_own_paragraphs_only(read_body: Read) -> None:
    told = {
        "@type": "NewsArticle",
        "headline": "T",
        "articleBody": "<p>One <script>x()</script>&amp;lt;b&amp;gt; here.</p>",
    }
    (entry,) = read_body(article(body="", **told), "article").entries
    assert entry.html == "<p>One &lt;b&gt; here.</p>"
