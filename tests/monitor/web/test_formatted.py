"""An article's markup on its page: its own elements and letters, the found words marked, nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.items import Item, Span
from monitor.web.formatted import prose
from spiders.readers.text import fragment
from tests.monitor.web.hostile import PAYLOADS

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ITEM = Item(
    id="1", outlet="bbc", source="bbc/main", url=None, title="Talks", lead="", language="en", kind="article", author="",
    published=AT, published_assumed=False, first_seen=AT, revision="r",
)  # fmt: skip
BASE = "https://bbc.example/"
LINK = '<a class="outside" rel="noopener noreferrer nofollow" href="https://bbc.example/x">'


def of(markup: str) -> Item:
    """An item whose body was read from this."""
    read = fragment(markup, base=BASE)
    return replace(ITEM, body=read.text, html=read.html)


def found(item: Item, *words: str, field: str = "body") -> tuple[Span, ...]:
    text = item.body or item.lead
    starts = ((text.index(word), word) for word in words)
    return tuple(Span(field=field, start=start, end=start + len(word), term=word) for start, word in starts)


class Read(HTMLParser):
    """What a browser would show, and what of it is marked."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.marked, self.tags, self._in = "", "", [], False
        self.feed(str(markup))
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        self._in = self._in or tag == "mark"

    def handle_endtag(self, tag: str) -> None:
        self._in = self._in and tag != "mark"

    def handle_data(self, data: str) -> None:
        self.text += data
        self.marked += data if self._in else ""


def letters(text: str) -> str:
    return "".join(text.split())


def test_lists_quotes_and_links_stay_and_the_found_words_are_marked() -> None:
    item = of(
        "<p>Talks in <a href='/x'>Doha &amp; Cairo</a></p><ul><li>one<li><b>two</b></ul><blockquote>q</blockquote>"
    )
    assert prose(item, found(item, "Doha", "two")) == (
        f"<p>Talks in {LINK}<mark>Doha</mark> &amp; Cairo</a></p>"
        "<ul><li>one</li><li><b><mark>two</mark></b></li></ul><blockquote>q</blockquote>"
    )


def test_what_was_found_across_elements_is_marked_in_each() -> None:
    item = of("<p>the <em>hostage</em> deal, again</p>")
    assert prose(item, found(item, "hostage deal")) == (
        "<p>the <em><mark>hostage</mark></em><mark> deal</mark>, again</p>"
    )


def test_hebrew_and_arabic_with_marks_and_isolates_keep_their_letters() -> None:
    item = of("<p>שיחות <b>בדוחה</b> היום</p><p>محادثات\u200f في الدوحة</p>")
    assert prose(item, found(item, "בדוחה", "الدوحة")) == (
        "<p>שיחות <b><mark>בדוחה</mark></b> היום</p><p>محادثات\u200f في <mark>الدوحة</mark></p>"
    )


@pytest.mark.parametrize(
    "html",
    ["", "<p>Another text</p>", "<p>One</p>", "<p>One</p><p>Two</p><p>Three</p>", "<p>One</p><p>Two",
     "<p>One<p>Two</p>", "<p>One</p><table>Two</table>", "<p>One</p></p>Two", "<script>One</script>Two"],
)  # fmt: skip
def test_markup_of_another_text_gives_way_to_plain_paragraphs(html: str) -> None:
    item = replace(ITEM, body="One\n\nTwo", html=html)
    assert prose(item, found(item, "Two")) == "<p>One</p>\n<p><mark>Two</mark></p>"


def test_a_lead_stands_where_there_is_no_body() -> None:
    item = replace(ITEM, lead="In Doha", html="<p>In <i>Doha</i></p>")
    assert prose(item, found(item, "Doha", field="lead")) == "<p>In <i><mark>Doha</mark></i></p>"
    assert prose(item, found(item, "Doha", field="title")) == "<p>In <i>Doha</i></p>"


@pytest.mark.parametrize("address", ["javascript:x()", "data:text/html,x", "//e.example", "https://u:p@e.example", "x"])
def test_f085_an_address_that_may_not_be_a_link_is_none_though_the_store_has_it(address: str) -> None:
    item = replace(ITEM, body="here", html=f'<a href="{address}" onclick="x()">here</a>')
    assert prose(item, ()) == "here"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_f084_whatever_the_store_holds_only_our_elements_leave(payload: str) -> None:
    for html in (payload, f"<p>{payload}</p>", f'<a href="{payload}">x</a>'):
        for body in (payload, fragment(html, base=BASE).text):
            written = prose(replace(ITEM, body=body, html=html), ())
            for tag, attributes in Read(written).tags:
                assert tag in {"p", "b", "i", "em", "strong", "blockquote", "ul", "ol", "li", "a", "br"}
                assert {name for name, _ in attributes} <= ({"class", "rel", "href"} if tag == "a" else set())
                assert all(re.match("https?://", value or "") for name, value in attributes if name == "href")


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_INSIDE = st.lists(
    st.tuples(
        st.sampled_from(["b", "i", "em", "strong", "br", ""]), _WORDS.map(lambda text: text.replace("<", "&lt;"))
    ),
    max_size=5,
).map(lambda runs: "".join(f"<{tag}>{text}</{tag}>" if tag not in ("", "br") else f"{text}<br>" for tag, text in runs))
_MARKUP = st.lists(
    st.tuples(st.sampled_from(["p", "div", "h2", "li", "blockquote", "td", "section"]), _INSIDE), max_size=6
).map(lambda blocks: "".join(f"<{tag}>{inside}</{tag}>" for tag, inside in blocks))


@given(_MARKUP, st.data())
def test_all_letters_are_shown_and_exactly_the_found_ones_are_marked(markup: str, data: st.DataObject) -> None:
    item = of(markup)
    start = data.draw(st.integers(0, len(item.body)))
    end = data.draw(st.integers(start, len(item.body)))
    spans = (Span(field="body", start=start, end=end, term=""),)
    shown = Read(prose(item, spans))
    assert letters(shown.text) == letters(item.body)
    assert letters(shown.marked) == letters(item.body[start:end])
