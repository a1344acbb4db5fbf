"""Feeds: structure, links, dates, hostile text (faults 8, 41 to 56, 73 to 85, 93)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.model.sources import Outcome
from spiders.readers import Reading
from spiders.readers.build import MOST_ENTRIES

Read = Callable[..., Reading]
Rss = Callable[..., str]


def item(n: int | str, extra: str = "") -> str:
    return f"<title>Talks, day {n}</title><link>https://a.example/{n}</link><guid>https://a.example/{n}</guid>{extra}"


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="he" xml:base="https://a.example/base/">
<entry><title type="html">One &lt;b&gt;bold&lt;/b&gt; &amp;amp; title</title><link rel="self" href="self.atom"/>
<link rel="alternate" type="application/json" href="one.json"/><link href="one"/><id>tag:a.example,2026:1</id>
<published>2026-11-22T10:00:00.123Z</published><updated>2026-11-22T13:00:00+02:00</updated>
<author><name>First</name></author><author><name>Second</name></author><category term="world" label="World"/>
<summary>Plain &lt;b&gt; summary</summary>
<content type="html">&lt;p&gt;First.&lt;/p&gt;
&lt;p&gt;See &lt;a href="two"&gt;this&lt;/a&gt;.&lt;/p&gt;</content></entry>
</feed>"""


# ------------------------------------------------------------------ kinds of feeds


@pytest.mark.parametrize("head", ["", "<!DOCTYPE feed>"])
def test_atom_is_read_by_its_types_and_bases_by_both_readers(read_body: Read, head: str) -> None:
    (entry,) = read_body(head + ATOM).entries
    assert entry.title == "One bold & title"
    assert entry.url == "https://a.example/base/one"
    assert entry.guid == "tag:a.example,2026:1"
    assert entry.published == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert entry.updated == datetime(2026, 11, 22, 11, tzinfo=UTC)
    assert entry.author == "First, Second"
    assert entry.lead == "Plain <b> summary"
    assert entry.body == "First.\n\nSee this."
    assert '<a href="https://a.example/base/two"' in entry.html
    assert entry.language == "he"
    assert entry.tags == ("World",)


def test_rdf_and_old_rss_are_read(read_body: Read) -> None:
    rdf = (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://a.example/">'
        '<title>News</title></channel><item rdf:about="https://a.example/1"><title>Talks</title>'
        "<link>https://a.example/1</link><dc:date>2026-11-22T10:00Z</dc:date><dc:creator>Desk</dc:creator></item></rdf:RDF>"
    )
    old = (
        '<!DOCTYPE rss SYSTEM "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>'
        "<item><title>Talks</title><link>https://a.example/1</link></item></channel></rss>"
    )
    for body in (rdf, old):
        reading = read_body(body)
        assert reading.outcome is Outcome.OK
        assert [(entry.title, entry.url) for entry in reading.entries] == [("Talks", "https://a.example/1")]
    assert read_body(rdf).entries[0].author == "Desk"
    assert read_body(rdf).entries[0].published == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_json_feed_is_read_whatever_its_content_type(read_body: Read) -> None:
    items = [
        {
            "id": "1",
            "url": "https://a.example/1",
            "title": "Talks & <more>",
            "summary": "Short",
            "authors": [{"name": "Desk"}],
        }
        | {"content_html": "<p>One.</p><p>Two.</p>", "date_published": "2026-11-22T10:00:00Z", "tags": ["world"]},
        {"id": 2, "content_text": "A note without title."},
    ]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "language": "en", "items": items})
    first, note = read_body(body, content_type="application/xml").entries
    assert (first.title, first.lead, first.body) == ("Talks & <more>", "Short", "One.\n\nTwo.")
    assert (first.author, first.tags, first.language) == ("Desk", ("world",), "en")
    assert (note.title, note.guid, note.marks) == ("A note without title.", "2", ("title missing",))


def test_gdelts_list_is_read_as_an_aggregator(read_body: Read) -> None:
    article = {"url": "https://www.reuters.com/world/x-2026-11-22/", "title": "Talks", "seendate": "20261122T101500Z"}
    article |= {"domain": "reuters.com", "language": "English", "sourcecountry": "United Kingdom"}
    (entry,) = read_body(json.dumps({"articles": [article]}), "aggregator").entries
    assert (entry.url, entry.publisher, entry.language) == (article["url"], "reuters.com", "en")
    assert entry.published == datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


def test_content_encoded_is_the_body_and_description_the_lead(read_body: Read) -> None:
    body = (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><title>Talks</title>'
        "<link>https://a.example/1</link><description>Short</description>"
        "<content:encoded><![CDATA[<p>One.</p><p>Two.<img src='https://t.example/p.gif'></p>]]></content:encoded>"
        "</item></channel></rss>"
    )
    (entry,) = read_body(body).entries
    assert (entry.lead, entry.body, entry.html) == ("Short", "One.\n\nTwo.", "<p>One.</p><p>Two. </p>")


@pytest.mark.parametrize(
    ("written", "author"),
    [
        ("desk@a.example (Jane Doe)", "Jane Doe"),
        ("Jane Doe &lt;jane@a.example&gt;", "Jane Doe"),
        ("jane@a.example", ""),
        ("Jane Doe", "Jane Doe"),
    ],
)
def test_authors_are_shown_without_mail_addresses(read_body: Read, rss: Rss, written: str, author: str) -> None:
    assert read_body(rss(item(1, f"<author>{written}</author>"))).entries[0].author == author


# ------------------------------------------------------------------ structure


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf"])
def test_f045_an_empty_body_is_failed(read_body: Read, body: bytes) -> None:
    reading = read_body(body)
    assert (reading.outcome, reading.reason) == (Outcome.FAILED, "empty body")


def test_f046_a_valid_feed_without_items_is_degraded(read_body: Read, rss: Rss) -> None:
    reading = read_body(rss())
    assert (reading.outcome, reading.marks, reading.entries) == (Outcome.DEGRADED, ("no entries",), ())


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_f008_f047_the_complete_entries_of_a_cut_document_are_kept_exactly(
    read_body: Read, rss: Rss, share: float
) -> None:
    whole = rss(*(item(n, "<description>Word &amp; word</description>") for n in range(20)))
    cut = whole[: int(len(whole) * share)]
    reading = read_body(cut)
    assert reading.outcome is Outcome.DEGRADED
    assert reading.marks == ("cut: the end is missing",)
    assert reading.entries == read_body(whole).entries[: cut.count("</item>")]


def test_f047_an_entry_that_is_not_whole_is_never_filed(read_body: Read, rss: Rss) -> None:
    whole = rss(item(1))
    reading = read_body(whole[: whole.index("day 1")])
    assert (reading.outcome, reading.entries) == (Outcome.DEGRADED, ())


def test_f047_atom_cut_in_the_middle_keeps_its_complete_entries(read_body: Read) -> None:
    second = ATOM.replace("</feed>", "<entry><title>Half")
    reading = read_body(second)
    assert [entry.title for entry in reading.entries] == ["One bold & title"]
    assert "cut: the end is missing" in reading.marks


@pytest.mark.parametrize(
    ("before", "after", "inside", "mark"),
    [
        ("Warning: mysql_connect() in /srv/x.php\n", "", "", "junk before the document"),
        ("", "\n<script>track()</script>", "", "junk after the document"),
        ("", "", "<description>a&nbsp;b</description>", "not well-formed"),
        ("", "", "<description>this & that</description>", "not well-formed"),
    ],
)
def test_f048_junk_around_and_inside_is_read_and_marked(
    read_body: Read, rss: Rss, before: str, after: str, inside: str, mark: str
) -> None:
    reading = read_body(before + rss(item(1, inside), item(2)) + after)
    assert [entry.title for entry in reading.entries] == ["Talks, day 1", "Talks, day 2"]
    assert reading.outcome is Outcome.DEGRADED
    assert any(found.startswith(mark) for found in reading.marks)


def test_a_comment_after_the_document_is_no_damage(read_body: Read, rss: Rss) -> None:
    assert read_body(rss(item(1)) + "\n<!-- cached 12:00 -->\n").outcome is Outcome.OK


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "text/html; charset=utf-8"])
def test_f049_a_wrong_content_type_changes_nothing(read_body: Read, rss: Rss, content_type: str) -> None:
    assert read_body(rss(item(1)), content_type=content_type) == read_body(rss(item(1)))


def test_f050_a_json_error_is_failed_and_a_page_is_blocked_with_the_feed_it_names(read_body: Read) -> None:
    error = read_body('{"error": {"code": 500, "message": "try later"}}')
    assert error.outcome is Outcome.FAILED
    assert "try later" in error.excerpt
    page = '<!DOCTYPE html><html><head><link href="/rss.xml?a=1&amp;b=2" rel="alternate" type="application/rss+xml">'
    reading = read_body(page + "</head><body><p>Welcome to the news.</p><pre>&lt;rss&gt; <rss></pre></body></html>")
    assert reading.outcome is Outcome.BLOCKED
    assert "https://news.example/rss.xml?a=1&b=2" in reading.reason
    assert reading.excerpt.startswith("Welcome to the news.")


def test_f014_an_html_error_page_is_blocked_whatever_it_calls_itself(read_body: Read) -> None:
    reading = read_body(
        f"<html><body><h1>Error</h1><p>{'word ' * 100}</p></body></html>", content_type="application/xml"
    )
    assert reading.outcome is Outcome.BLOCKED
    assert reading.excerpt.startswith("Error")
    assert len(reading.excerpt) <= 200


def test_f051_external_entities_are_neither_read_nor_asked_for(read_body: Read, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary-text")
    doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY % y SYSTEM "http://127.0.0.1:9/d"> %y;]>'
    reading = read_body(
        doctype
        + f'<rss version="2.0"><channel><item>{item(1, "<description>a &x; b</description>")}</item></channel></rss>'
    )
    assert "canary-text" not in repr(reading)
    assert [entry.title for entry in reading.entries] == ["Talks, day 1"]


def test_f052_billion_laughs_stay_small(read_body: Read) -> None:
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    reading = read_body(
        f"<!DOCTYPE rss [{''.join(lines)}]>"
        '<rss version="2.0"><channel><item><title>&a11;</title></item></channel></rss>'
    )
    assert len(repr(reading)) < 10_000


def test_f053_deep_xml_and_deep_markup_do_not_hang(read_body: Read, rss: Rss) -> None:
    deep = "<x>" * 20_000 + "</x>" * 20_000
    assert [entry.title for entry in read_body(rss(item(1, deep), item(2))).entries] == ["Talks, day 1", "Talks, day 2"]
    summary = "&lt;div&gt;" * 200_000 + "Words remain"
    (entry,) = read_body(rss(item(1, f"<description>{summary}</description>"))).entries
    assert (entry.lead, entry.html) == ("Words remain", "")
    shallow = "&lt;div&gt;" * 150 + "Words remain"
    (entry,) = read_body(rss(item(1, f"<description>{shallow}</description>"))).entries
    assert (entry.lead, entry.html, entry.marks) == ("Words remain", "", ("markup dropped: nested too deep",))


def test_f054_huge_fields_are_cut_on_a_letter_and_marked(read_body: Read, rss: Rss) -> None:
    title = "דוחה " * 200_000
    (entry,) = read_body(
        rss(f"<title>{title}</title><link>https://a.example/1</link><guid>{'g' * 5_000_000}</guid>")
    ).entries
    assert entry.title == ("דוחה " * 200).strip()
    assert "title cut" in entry.marks
    assert len(entry.guid or "") == 2_000


def test_f055_a_long_author_is_read_at_once_in_a_well_formed_feed(read_body: Read, rss: Rss) -> None:
    (entry,) = read_body(rss(item(1, f"<author>{'a' * 60_000}</author>"))).entries
    assert len(entry.author) == 300
    assert "author cut" in entry.marks


def test_f056_five_thousand_entries_are_read_and_no_more(read_body: Read, rss: Rss) -> None:
    reading = read_body(rss(*(item(n) for n in range(MOST_ENTRIES + 1))))
    assert len(reading.entries) == MOST_ENTRIES
    assert reading.marks == (f"only the first {MOST_ENTRIES} entries read",)


# ------------------------------------------------------------------ characters


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Tom &amp;amp;quot;x", "Tom &quot;x"),
        ("<![CDATA[Israel&#8217;s envoy]]>", "Israel’s envoy"),
        ("AT&amp;T &amp;#x27;x&amp;#39;", "AT&T 'x'"),
        ("a &amp;#0; &amp;#xD800; b", "a \ufffd \ufffd b"),
        ("<![CDATA[<b>Breaking:</b> news]]>", "Breaking: news"),
    ],
)
def test_f041_references_are_decoded_once_by_the_formats_rule(
    read_body: Read, rss: Rss, written: str, title: str
) -> None:
    assert read_body(rss(f"<title>{written}</title><link>https://a.example/1</link>")).entries[0].title == title


@pytest.mark.parametrize("control", ["\0", "\x0b", "\x1b[31m", "\x7f", "\x81"])
def test_f042_controls_are_removed(read_body: Read, rss: Rss, control: str) -> None:
    reading = read_body(rss(f"<title>a{control}b</title><link>https://a.example/1</link>"))
    between = " " if control == "\x0b" else control[1:]
    assert reading.entries[0].title == f"a{between}b"
    assert reading.marks == ("control characters removed",)


def test_f043_a_lone_surrogate_becomes_a_replacement_letter(read_body: Read) -> None:
    body = '{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "a\\ud800b"}]}'
    assert read_body(body).entries[0].title == "a\ufffdb"


@pytest.mark.parametrize("title", ["", "   ", "\u200b\u200e", "\u0301"])
def test_f093_an_invisible_title_is_stood_in_for(read_body: Read, rss: Rss, title: str) -> None:
    with_lead = f"<title>{title}</title><link>https://a.example/1</link><description>The talks go on.</description>"
    first, second, third = read_body(
        rss(with_lead, f"<title>{title}</title><link>https://a.example/2</link>", f"<title>{title}</title>").replace(
            "</channel>", f"<item>{item(3)}</item></channel>"
        )
    ).entries
    assert (first.title, first.marks) == ("The talks go on.", ("title missing",))
    assert second.title == "https://a.example/2"
    assert third.title == "Talks, day 3"


def test_f093_marks_and_families_are_not_cut_apart(read_body: Read, rss: Rss) -> None:
    family = "👨‍👩‍👧‍👦"
    for title in ("x" * 998 + family, "e" + "\u0301" * 10_000, "x" * 999 + "e\u0301"):
        cut = read_body(rss(f"<title>{title}</title><link>https://a.example/1</link>")).entries[0].title
        assert len(cut) <= 1_000
        assert title.startswith(cut)
        assert not cut.endswith(("\u200d", "👨"))


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/news/1", "https://news.example/news/1"),
        ("//b.example/x", "https://b.example/x"),
        ("?id=1", "https://news.example/feed?id=1"),
        ("https://a.example/a b", "https://a.example/a%20b"),
    ],
)
def test_f073_relative_links_start_from_the_final_address(read_body: Read, rss: Rss, link: str, url: str) -> None:
    assert read_body(rss(f"<title>T</title><link>{link}</link>")).entries[0].url == url


def test_f073_xml_base_is_obeyed(read_body: Read, rss: Rss) -> None:
    body = rss("<title>T</title><link>x</link>").replace("<rss ", '<rss xml:base="https://b.example/dir/" ')
    assert read_body(body).entries[0].url == "https://b.example/dir/x"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://user:pass@a.example/",
        "http://127.0.0.1:80\\@example.com/",
        "https://",
        "http://[::1",
        "mailto:x@a.example",
    ],
)
@pytest.mark.parametrize("head", ["", "<!DOCTYPE rss>"])
def test_f074_links_that_may_not_be_followed_are_kept_as_text_only(
    read_body: Read, rss: Rss, link: str, head: str
) -> None:
    (entry,) = read_body(rss(f"<title>T</title><link>{link}</link>", head=head)).entries
    assert entry.url is None
    assert any(mark.startswith("link refused: ") for mark in entry.marks)


@pytest.mark.parametrize(
    ("guid", "url"),
    [
        ("<guid>1</guid>", None),
        ("<guid>https://a.example/1</guid>", "https://a.example/1"),
        ("<guid isPermaLink='false'>https://a.example/1</guid>", None),
        ("<guid>tag:a.example,2026:1</guid>", None),
    ],
)
@pytest.mark.parametrize("head", ["", "<!DOCTYPE rss>"])
def test_f075_only_a_guid_that_is_an_address_becomes_the_link(
    read_body: Read, rss: Rss, guid: str, url: str | None, head: str
) -> None:
    assert read_body(rss(f"<title>T</title>{guid}", head=head)).entries[0].url == url


# ------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "22 בנובמבר 2026",
        "٢٢ نوفمبر ٢٠٢٦",
        "י״ב בכסלו תשפ״ז",
        "2026-13-45",
        "Sun, 31 Feb 2026 10:00:00 GMT",
        "-",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1759588200",
        "Mon, 22 Nov 2106 10:00:00 GMT",
        "04/10/2026 10:00",
        "Sun, 22 Nov 2026 10:00:00 XYZ",
        "Sun, 22 Nov 2026 14:30:00 PM",
    ],
)
def test_f076_f077_f080_unreadable_and_absurd_dates_are_none_and_kept_as_written(
    read_body: Read, rss: Rss, written: str
) -> None:
    (entry,) = read_body(rss(item(1, f"<pubDate>{written}</pubDate>"))).entries
    assert entry.published is None
    assert entry.published_text == written
    assert entry.marks == (("date assumed",) if written else ())


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(hours=3)])
def test_f078_a_date_a_little_ahead_is_kept(read_body: Read, rss: Rss, ahead: timedelta) -> None:
    moment = datetime(2026, 11, 24, 12, tzinfo=UTC) + ahead
    (entry,) = read_body(rss(item(1, f"<pubDate>{moment.isoformat()}</pubDate>"))).entries
    assert entry.published == moment


@pytest.mark.parametrize(
    "written",
    [
        "Sun, 22 Nov 2026 12:00:00 IST",
        "Sun, 22 Nov 2026 12:00:00 IDT",
        "Sun, 22 Nov 2026 12:00:00",
        "2026-11-22T12:00:00",
        "2026-11-22 12:00",
        "Sun, 22 Nov 2026 12:00:00 +0200",
        "22.11.2026 12:00",
        "22/11/2026 12:00",
        "November 22, 2026 12:00 PM",
        "Sun, 22 Nov 2026 10:00:00 GMT",
        "22 Nov 26 05:00 EST",
        "20261122T100000Z",
        "2026-11-22T10:00:00.12345Z",
        "Sunday, 22 November 2026 at 12:00:00 PM",
        "Sun Nov 22 10:00:00 GMT 2026",
        "Sun, 22 Nov 2026 12:00:00 GMT+0200",
        "2026-11-22T12:00:00+02:00",
    ],
)
def test_f079_f080_zones_are_the_outlets_where_none_is_certain(read_body: Read, rss: Rss, written: str) -> None:
    (entry,) = read_body(rss(item(1, f"<pubDate>{written}</pubDate>")), time_zone="Asia/Jerusalem").entries
    assert entry.published == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_f080_afternoon_stays_afternoon(read_body: Read, rss: Rss) -> None:
    (entry,) = read_body(rss(item(1, "<pubDate>Sun, 22 Nov 2026 2:30:00 PM GMT</pubDate>"))).entries
    assert entry.published == datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


# ------------------------------------------------------------------ hostile text


@pytest.mark.parametrize(
    "title", ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "a <svg onload=x> b", "{{7*7}} ${x} %s"]
)
@pytest.mark.parametrize("head", ["", "<!DOCTYPE rss>"])
def test_f083_f090_markup_in_a_title_is_shown_as_characters(read_body: Read, rss: Rss, title: str, head: str) -> None:
    written = title.replace("&", "&amp;").replace("<", "&lt;")
    assert (
        read_body(rss(f"<title>{written}</title><link>https://a.example/1</link>", head=head)).entries[0].title == title
    )


@pytest.mark.parametrize(
    "payload",
    [
        '<p onclick="x()">t</p>',
        "<script>x()</script>t",
        '<iframe srcdoc="<script>x()</script>"></iframe>t',
        "<style>*{}</style>t",
        '<form action="https://e.example"><input></form>t',
        "<svg><script>x()</script></svg>t",
        "<math><mi>x</mi></math>t",
        '<meta http-equiv="refresh" content="0;url=https://e.example">t',
        '<a href="javascript:x()">t</a>',
        '<a href="data:text/html,x">t</a>',
        '<img src="https://e.example/p.gif">t',
        '<object data="x"></object>t',
        '<p title="x" lang="en" class="y" id="z">t</p>',
        '<p style="background:url(https://e.example/p)">t</p>',
        "<base href='https://e.example/'>t",
        "<!--<p>-->t",
        "<b>t",
    ],
)
def test_f084_f085_only_the_allow_list_is_left(read_body: Read, rss: Rss, payload: str) -> None:
    (entry,) = read_body(rss(item(1, f"<description><![CDATA[<p>Word</p>{payload}]]></description>"))).entries
    assert re.fullmatch(r"(?:[^<]|</?(?:p|b|a)>|<a rel=\"[a-z ]+\">)*", entry.html), entry.html
    assert entry.lead.replace("\n\n", " ") == "Word t"


@pytest.mark.parametrize(
    "block", ["div", "h3", "section", "figcaption", "main", "address", "summary", "center", "p", "li", "blockquote"]
)
def test_the_words_of_two_blocks_are_two_words(read_body: Read, rss: Rss, block: str) -> None:
    text = f"<{block}>Talks move to Cairo</{block}><{block.upper()} id=x>Doha follows</{block}>"
    (entry,) = read_body(rss(item(1, f"<description><![CDATA[{text}]]></description>"))).entries
    assert entry.lead == "Talks move to Cairo\n\nDoha follows"
    assert "Cairo<" in entry.html


@pytest.mark.parametrize(
    "written", ["Truce<br/>hostages freed", "Truce&lt;br&gt;hostages freed", "Truce<BR >hostages freed"]
)
def test_a_title_in_two_lines_is_one_line_of_whole_words(read_body: Read, rss: Rss, written: str) -> None:
    for title in (f"<![CDATA[{written}]]>", written.replace("<", "&lt;").replace("&lt;lt;", "&amp;lt;")):
        (entry,) = read_body(rss(f"<title>{title}</title><link>https://a.example/1</link>")).entries
        assert entry.title == "Truce hostages freed", title


@pytest.mark.parametrize("between", ["\x0b", "\x0c", "<option>", "</button>", "</video>", "<hgroup>"])
def test_what_a_reader_sees_apart_is_read_apart(read_body: Read, rss: Rss, between: str) -> None:
    (entry,) = read_body(rss(item(1, f"<description><![CDATA[<p>Gaza{between}hostages</p>]]></description>"))).entries
    assert entry.lead.split() == ["Gaza", "hostages"]


def test_the_number_of_a_footnote_is_no_part_of_its_word(read_body: Read, rss: Rss) -> None:
    text = "<p>hostages<sup>1</sup> of the 5<sup>th</sup> day<sup>[2]</sup></p>"
    (entry,) = read_body(rss(item(1, f"<description><![CDATA[{text}]]></description>"))).entries
    assert entry.lead == "hostages 1 of the 5th day [2]"


@pytest.mark.parametrize("box", ["<img src=x>", "<IMG alt='in'>", "<iframe src=x></iframe>", "<svg><path/></svg>"])
def test_the_words_around_a_picture_are_two_words_and_parts_of_one_stay_one(
    read_body: Read, rss: Rss, box: str
) -> None:
    text = f"Cairo{box}Doha <b>hos</b>tage<wbr>s"
    for written in (text, text + "<p>" * 120):  # the second is too deep for markup
        (entry,) = read_body(rss(item(1, f"<description><![CDATA[{written}]]></description>"))).entries
        assert entry.lead == "Cairo Doha hostages"


def test_the_cells_of_a_table_are_read_apart(read_body: Read, rss: Rss) -> None:
    text = "<table><caption>Envoys</caption><tr><th>Doha<td>two<tr><th>Cairo<td>three</table>"
    (entry,) = read_body(rss(item(1, f"<description><![CDATA[{text}]]></description>"))).entries
    assert entry.lead.split() == ["Envoys", "Doha", "two", "Cairo", "three"]


def test_links_in_markup_are_resolved_and_guarded(read_body: Read, rss: Rss) -> None:
    (entry,) = read_body(rss(item(1, "<description><![CDATA[<p><a href='/x'>t</a></p>]]></description>"))).entries
    assert entry.html == '<p><a href="https://news.example/x" rel="noopener noreferrer nofollow">t</a></p>'
