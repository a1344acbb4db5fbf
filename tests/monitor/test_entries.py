"""Entries by the outlet's rules: what is left out, what is cut, what is assumed, and that each leaves its mark."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from config.model.outlets import Outlet, Source
from monitor.entries import cut_at, normalise
from monitor.language.display import balanced
from monitor.model.entries import Entry

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FEED = Source(id="feed", kind="feed", url="https://news.example.org/feed")
BING = Source(id="bing", kind="aggregator", url="https://www.bing.com/news/search?format=rss&q=x")
OUTLET = Outlet(
    id="example", name="Example News", home="https://www.example.org/", language="en", time_zone="UTC", access="feed",
    why="A test.", same_hosts=("example.org", "example.net"), source=(FEED,),
)  # fmt: skip
TOLD = Entry(title="Talks resume", lead="In Doha.", url="https://www.example.org/a/1", published=NOW)


def kept(entry: Entry = TOLD, source: Source | None = FEED, **other: object) -> Entry:
    found = normalise(replace(entry, **other), OUTLET, source, NOW)  # type: ignore[arg-type]
    assert found is not None
    return found


def wanted(source: Source, **other: object) -> bool:
    return normalise(replace(TOLD, **other), OUTLET, source, NOW) is not None  # type: ignore[arg-type]


def feed(**rules: object) -> Source:
    return Source.model_validate({**FEED.model_dump(), **rules})


def test_a_plain_entry_is_left_as_it_is() -> None:
    assert kept() == TOLD


# ------------------------------------------------------------------ addresses


def test_tracking_is_taken_off_the_link_and_the_canonical_link() -> None:
    found = kept(url="https://www.example.org/a?utm_source=x#top", canonical="https://example.org/a?fbclid=1")
    assert (found.url, found.canonical) == ("https://www.example.org/a", "https://example.org/a")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://u@example.org/", "1"]
)
def test_f074_f075_f099_a_link_that_may_not_be_followed_is_kept_as_text_and_still_tells_entries_apart(url) -> None:
    found = kept(url=url, canonical=url)
    assert (found.url, found.canonical, found.guid) == (None, None, url)
    assert "link refused" in found.marks
    assert kept(url=url, guid="its-own").guid == "its-own"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fwww.example.org%2fa%2f1%3fid%3d7&c=1",
            "https://www.example.org/a/1?id=7",
        ),
        (
            "https://www.bing.com/news/apiclick.aspx?url=https%3A%2F%2Fexample.net%2Fa%3Futm_source%3Dx",
            "https://example.net/a",
        ),
        ("https://www.example.org/a/1", "https://www.example.org/a/1"),
        ("https://live.example.org/a/1", "https://live.example.org/a/1"),
    ],
)
def test_an_aggregators_link_is_unwrapped(url, shown) -> None:
    assert kept(source=BING, url=url).url == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://www.bing.com/news/apiclick.aspx?url=https%3a%2f%2fwww.msn.com%2fa",
        "https://www.notexample.org/a",
        "https://example.org.evil.com/a",
        "https://news.google.com/rss/articles/CBMi",
        "http://www.bing.com/news/apiclick.aspx?url=javascript%3aalert(1)",
        None,
        "https://www.bing.com/news/apiclick.aspx?url=https%3a%2f%2fexample.org%40evil.com%2f",
    ],
)
def test_an_aggregators_entry_of_another_publisher_is_left_out(url) -> None:
    assert not wanted(BING, url=url)


def test_a_feeds_own_link_with_a_url_parameter_is_not_unwrapped() -> None:
    assert (
        kept(url="https://www.example.org/share?url=https%3a%2f%2fother.org").url
        == "https://www.example.org/share?url=https%3a%2f%2fother.org"
    )


@pytest.mark.parametrize(
    ("title", "publisher", "shown"),
    [
        ("Talks resume - Example News", "Example News", "Talks resume"),
        ("Talks resume - example news", "", "Talks resume"),
        ("Talks resume – Example News", "Example News", "Talks resume"),
        ("Talks resume - Doha", "Example News", "Talks resume - Doha"),
        ("Talks - resume - Example News", "Example News", "Talks - resume"),
        ("Example News", "Example News", "Example News"),
        ("Talks resume - Example News", "Other", "Talks resume - Example News"),
    ],
)
def test_an_aggregators_title_loses_its_publisher_only_when_it_is_the_publisher(title, publisher, shown) -> None:
    assert kept(source=BING, title=title, publisher=publisher).title == shown


def test_a_feeds_title_keeps_its_end() -> None:
    assert kept(title="Talks resume - Example News").title == "Talks resume - Example News"


# ------------------------------------------------------------------ what is wanted


def test_only_and_skip_look_at_the_cleaned_address() -> None:
    assert wanted(feed(only="/a/"))
    assert not wanted(feed(only="/news/"))
    assert not wanted(feed(skip="/a/"))
    assert not wanted(feed(only="/a/", skip="/a/1$"), url="https://www.example.org/a/1?utm_source=x")
    assert not wanted(feed(only="/a/"), url=None)


@pytest.mark.parametrize(
    ("declared", "keeps"),
    [("en", True), ("EN-us", True), ("eng", True), (None, True), ("spa", False), ("es", False), ("fr_FR", False)],
)
def test_languages_are_compared_by_their_primary_tag_and_what_declares_none_is_kept(declared, keeps) -> None:
    for languages in (["en"], ["eng", "en"], ["en-GB"]):
        assert wanted(feed(languages=languages), language=declared) is keeps


def test_an_article_page_is_never_left_out() -> None:
    assert kept(source=None, language="es", url="https://elsewhere.org/").url == "https://elsewhere.org/"


@pytest.mark.parametrize(
    ("declared", "language"),
    [("en-US", "en"), ("eng", "en"), ("iw", "he"), ("heb", "he"), ("ara", "ar"), ("", None), (None, None)],
)
def test_the_declared_language_is_told_in_one_form(declared, language) -> None:
    assert kept(language=declared).language == language


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/news/live/c9z8y7x6w5vt", "live"),
        ("/news/liveblog/2026/11/3/x", "live"),
        ("/liveblog-november-3-2026/", "live"),
        ("/x/ty-article-live/y", "live"),
        ("/world/live-blog/x-rcna1", "live"),
        ("/liveblog_entry/x/", "live"),
        ("/opinions/2026/1/1/x", "opinion"),
        ("/opinion/article-1", "opinion"),
        ("/commentisfree/x", "opinion"),
        ("/x/ty-article-opinion/y", "opinion"),
        ("/news/videos/c1o", "video"),
        ("/news/av/world-1", "video"),
        ("/video/newsfeed/x", "video"),
        ("/news/alive-and-well", "article"),
        ("/news/deliver", "article"),
        ("/news/opinionated", "article"),
    ],
)
def test_the_kind_is_read_from_the_address(path, kind) -> None:
    assert kept(url="https://www.example.org" + path).kind == kind


def test_a_kind_that_the_wire_told_stays() -> None:
    assert kept(kind="video", url="https://www.example.org/live/x").kind == "video"


# ------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    "date",
    [
        None,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1759, 5, 4, tzinfo=UTC),
        datetime(1994, 12, 31, 23, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        NOW + timedelta(hours=24, seconds=1),
        NOW + timedelta(days=80 * 365),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=12))),
    ],
)
def test_f076_f077_f078_f082_a_date_that_is_missing_or_absurd_is_assumed_and_never_drops_the_entry(date) -> None:
    found = kept(published=date, updated=date)
    assert (found.published, found.updated) == (None, None)
    assert "date assumed" in found.marks
    assert found.published_text == ("" if date is None else date.isoformat())


def test_f076_a_date_that_could_not_be_read_is_kept_as_written() -> None:
    assert kept(published=None, published_text="ג' בכסלו").published_text == "ג' בכסלו"


@pytest.mark.parametrize(
    "date",
    [
        NOW + timedelta(minutes=10),
        NOW + timedelta(hours=24),
        NOW - timedelta(days=365 * 20),
        datetime(1995, 1, 1, tzinfo=UTC),
    ],
)
def test_f078_a_date_minutes_ahead_or_years_ago_is_kept_as_given(date) -> None:
    found = kept(published=date, updated=date)
    assert (found.published, found.updated, found.marks) == (date, date, ())


# ------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    "title", ["", "   ", "\u200b\u200f\u2060", "\u00ad\ufeff", "\x00\x01", "\u202e\u202c", "\u2067\u2069", "\u0301"]
)
def test_f093_an_empty_or_invisible_title_is_stood_in_for(title) -> None:
    assert kept(title=title).title == "In Doha."
    assert kept(title=title, lead="", body="The body.\n\nMore.").title == "The body."
    found = kept(title=title, lead="\u200b", url="https://www.example.org/a/%D7%A2%D7%A1%D7%A7%D7%94-in-doha/")
    assert found.title == "עסקה in doha"
    assert "title missing" in found.marks
    assert kept(title=title, lead="", url="https://www.example.org/").title == "www.example.org"


def test_an_entry_with_nothing_to_show_is_left_out() -> None:
    assert normalise(Entry(title=" ", guid="x"), OUTLET, FEED, NOW) is None


def test_f054_f093_a_title_of_100_kb_is_cut_and_marked() -> None:
    found = kept(title="word " * 20_000, lead="x" * 1_000_000, author="a" * 60_000)
    assert len(found.title) <= 300
    assert len(found.lead) <= 4_000
    assert {"title cut", "lead cut", "author cut"} <= set(found.marks)


FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    "text", [FAMILY * 400, "é" * 400, "שָׁלוֹם " * 200, "e" + "\u0301" * 10_000, "🇮🇱" * 400, "\r\n" * 400]
)
def test_f093_a_cut_never_divides_a_letter_but_one_of_endless_marks(text) -> None:
    cut = cut_at(text, 300)
    assert text.startswith(cut)
    assert len(cut) <= 2_400
    cut.encode()
    letters = regex.findall(r"\X", text)
    assert cut.rstrip() in {"".join(letters[:n]).rstrip() for n in range(301)} or len(letters[0]) > 2_400


@given(text=st.text(max_size=80), limit=st.integers(1, 60))
def test_a_cut_text_is_a_beginning_of_at_most_so_many_letters(text, limit) -> None:
    cut = cut_at(text, limit)
    assert text.startswith(cut)
    assert len(regex.findall(r"\X", cut)) <= limit
    assert (
        len(cut) == len(text) or len(regex.findall(r"\X", text)) > limit or len(text) > limit * 8 or len(cut) <= limit
    )


def test_control_characters_and_half_letters_go_and_soft_hyphens_stay() -> None:
    found = kept(
        title="Al\u00adJa\x00zee\x1bra\x85 \ud800talks\u200d\r\nresume\tnow",
        lead="One.\r\n\r\nTwo.\u2028Three.\x07",
        body="a\x00b",
    )
    assert found.title == "Al\u00adJazeera talks\u200d resume now"
    assert found.lead == "One.\n\nTwo.\nThree."
    assert found.body == "ab"
    assert found.title.encode()


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("\u202eevil", "\u202eevil\u202c"),
        ("\u2067עסקה", "\u2067עסקה\u2069"),
        ("\u202b\u2067x", "\u202b\u2067x\u2069\u202c"),
        ("x\u2069y", "xy"),
        ("x\u202cy", "xy"),
        ("\u2067a\u202bb\u2069c", "\u2067a\u202bb\u202c\u2069c"),
        ("\u202ba\u202c", "\u202ba\u202c"),
        ("\u2066a\u2069 \u2067b\u2069", "\u2066a\u2069 \u2067b\u2069"),
        ("\u2067a\u202cb\u2069", "\u2067ab\u2069"),
        ("\u200fצה״ל\u200e 12", "\u200fצה״ל\u200e 12"),
        ("שלום עולם", "שלום עולם"),
        ("\u061cمرحبا", "\u061cمرحبا"),
    ],
)
def test_f086_bidi_controls_are_balanced_and_nothing_else_is_touched(title, shown) -> None:
    assert kept(title=title).title == shown


@given(text=st.text("ab אב\n\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c", max_size=30))
def test_f086_every_text_is_closed_line_by_line_and_keeps_its_letters(text) -> None:
    found = balanced(text)
    assert balanced(found) == found
    controls = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert [c for c in found if c not in controls] == [c for c in text if c not in controls]
    for line in found.split("\n"):
        opened: list[str] = []
        for letter in line:
            name = unicodedata.bidirectional(letter)
            if name in {"LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI"}:
                opened.append("PDI" if name.endswith("I") else "PDF")
            elif name in {"PDI", "PDF"}:
                assert opened.pop() == name
        assert opened == []


ENTRIES = st.builds(
    Entry,
    title=st.text(max_size=40),
    lead=st.text(max_size=40),
    url=st.none() | st.text(max_size=30) | st.just("https://www.example.org/a?utm_source=x"),
    guid=st.none() | st.text(max_size=10),
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
    language=st.none() | st.text(max_size=5),
)


@given(entry=ENTRIES)
def test_normalising_twice_is_normalising_once(entry) -> None:
    once = normalise(entry, OUTLET, FEED, NOW)
    assert once is None or normalise(once, OUTLET, FEED, NOW) == once
