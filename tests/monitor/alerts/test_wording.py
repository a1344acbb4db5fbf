"""Wording: three languages as they look, and hostile texts that must stay text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import text
from monitor.alerts.edits import edits
from monitor.alerts.wording import WHOLE, Form, Wording
from monitor.language.display import balanced
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item, Match, Revision, Span
from tests.monitor.alerts.parcels import Words, gathered, single, words

FSI, PDI, JOINER = "\u2068", "\u2069", "\u2060"
CHAT = Form(chat=True)
MakeAlert = Callable[..., Alert]


@pytest.fixture
def worded(wording: Wording, make_alert: MakeAlert) -> Callable[..., Words]:
    def make(item: Item, *found: str, form: Form = WHOLE, copies: Sequence[Item] = ()) -> Words:
        return words(single(make_alert(item, words=found), item, copies), wording, form=form)

    return make


def test_an_english_alert_reads_like_this(item: Item, worded: Callable[..., Words]) -> None:
    copy = replace(item, id="c1", outlet="kan")
    message = worded(item, "Hostage", "deal", "Doha", copies=(copy,))
    assert message.title == f"[critical] A deal is near: {FSI}{item.title}{PDI}"
    assert message.body == (
        "CRITICAL · A deal is near\n"
        f"{FSI}Hostage deal reached in Doha, officials say{PDI}\n"
        f"In the headline: {FSI}«Hostage» «deal» reached in «Doha», officials say{PDI}\n"
        "New · BBC News: published 2026-11-24 13:50, first seen 2026-11-24 13:58 (Asia/Jerusalem)\n"
        "Also at: כאן חדשות\n"
        "https://bbc.example/a1\n"
        "item 00ff00ff00ff00ff · alert a-hook-00ff00ff00ff00ff · key deal|hook|00ff00ff00ff00ff|new"
    )


def test_with_a_public_address_of_the_page_a_message_links_to_its_item_there(
    item: Item, wording: Wording, make_alert: MakeAlert
) -> None:
    named = replace(wording, page="https://desk.example/wire/")
    message = words(single(make_alert(item), item), named)
    link = f"https://desk.example/wire/items/{item.id}"
    assert f"https://bbc.example/a1\nOn the page: {link}\n" in message.body
    assert f"On the page: <{link}>" in message.markdown
    assert f'On the page: <a href="{link}">{link}</a>' in message.html
    assert (message.payload["page"], message.payload["url"]) == (link, "https://bbc.example/a1")


def test_without_a_public_address_no_message_links_to_the_page(item: Item, worded: Callable[..., Words]) -> None:
    message = worded(item)
    assert not any("On the page" in text for text in (message.body, message.markdown, message.html))
    assert message.payload["page"] is None


def acknowledged(wording: Wording) -> Wording:
    return replace(wording, page="https://desk.example", acknowledge=lambda alert: f"https://desk.example/{alert}/sign")


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_an_alert_that_must_be_seen_to_links_to_where_that_is_said(
    item: Item, wording: Wording, make_alert: MakeAlert, severity: str
) -> None:
    alert = make_alert(item, severity=severity)
    message = words(single(alert, item), acknowledged(wording))
    link = f"https://desk.example/{alert.id}/sign"
    assert f"\nAcknowledge: {link}\n" in message.body
    assert f"Acknowledge: <{link}>" in message.markdown
    assert f'Acknowledge: <a href="{link}">{link}</a>' in message.html
    assert message.payload["acknowledge"] == link


def test_no_other_alert_asks_to_be_acknowledged(item: Item, wording: Wording, make_alert: MakeAlert) -> None:
    for told, linked in ((make_alert(item, severity="normal"), acknowledged(wording)), (make_alert(item), wording)):
        message = words(single(told, item), linked)
        assert not any("Acknowledge" in text for text in message.texts)
        assert message.payload["acknowledge"] is None


def test_an_escalated_alert_says_that_nobody_acknowledged_it(
    item: Item, wording: Wording, make_alert: MakeAlert
) -> None:
    assert (
        "\nNot acknowledged in time · BBC News: "
        in words(single(make_alert(item, state="escalated"), item), wording).body
    )


def test_a_hebrew_alert_keeps_its_words_and_direction(item: Item, worded: Callable[..., Words]) -> None:
    hebrew = replace(item, title='צה"ל: 20 החטופים ישוחררו מדוחא', language="he", outlet="kan")
    message = worded(hebrew, "החטופים", "מדוחא")
    assert f'{FSI}צה"ל: 20 החטופים ישוחררו מדוחא{PDI}' in message.body
    assert f'{FSI}צה"ל: 20 «החטופים» ישוחררו «מדוחא»{PDI}' in message.body
    assert (
        '<bdi dir="auto" lang="he">צה&quot;ל: 20 <mark>החטופים</mark> ישוחררו <mark>מדוחא</mark></bdi>' in message.html
    )
    assert (message.payload["language"], message.payload["direction"]) == ("he", "rtl")


def test_an_arabic_alert_keeps_its_words_and_direction(item: Item, worded: Callable[..., Words]) -> None:
    arabic = replace(item, title="التوصل إلى اتفاق بالدوحة", language="ar")
    message = worded(arabic, "بالدوحة")
    assert f"{FSI}التوصل إلى اتفاق «بالدوحة»{PDI}" in message.body
    assert f"{FSI}التوصل إلى اتفاق **بالدوحة**{PDI}" in message.markdown
    found = message.payload["matched"][0]
    assert (found["field"], found["text"], found["start"], found["end"]) == ("title", "بالدوحة", 17, 24)


def test_f094_a_right_to_left_headline_with_digits_quotes_and_an_address_keeps_its_order(
    item: Item, worded: Callable[..., Words]
) -> None:
    for title in ('צה"ל: 3 מתוך 20 https://idf.example/7', "צה״ל: 3 מתוך 20 https://idf.example/7"):
        assert f"{FSI}{title}{PDI}" in worded(replace(item, title=title, language="he")).body


def test_an_edit_says_what_the_headline_was(item: Item, wording: Wording, make_alert: MakeAlert) -> None:
    alert = make_alert(item, state="edited:r1")
    message = words(single(alert, item, was="Talks go on in Doha"), wording)
    assert f"Was: {FSI}Talks go on in Doha{PDI}\nChanged · BBC News" in message.body
    assert message.payload["headline_before"] == "Talks go on in Doha"


def test_an_edit_says_what_it_changed_and_shows_it(item: Item, wording: Wording, make_alert: MakeAlert) -> None:
    alert = make_alert(replace(item, lead="now 45 people <b>here</b>, envoys say"), state="edited:r1")
    before = Revision(
        id="r0", item=item.id, seen=item.first_seen, title=item.title, text_hash="h", body="",
        lead="now 50 people <b>here</b>, envoys say",
    )  # fmt: skip
    after = replace(item, lead="now 45 people <b>here</b>, envoys say")
    parcel = gathered(
        Telling(alert=alert, item=after, changed=("number",), edits=edits(before, after)), kind="alert"
    )  # fmt: skip
    message = words(parcel, wording)
    assert f"In the lead: {FSI}now [−50−][+45+] people <b>here</b>, envoys say{PDI}" in message.body
    assert "Changed (number) · BBC News" in message.body
    assert "now ~~50~~**45** people \\<b\\>here" in message.markdown
    assert "now <del>50</del><ins>45</ins> people &lt;b&gt;here" in message.html
    assert message.payload["changed"] == ["number"]
    assert [kind for kind, _text in message.payload["edits"][0]["pieces"]] == ["kept", "removed", "added", "kept"]


def test_p9_an_undecided_match_and_an_assumed_date_are_marked(
    item: Item, wording: Wording, make_alert: MakeAlert
) -> None:
    alert = make_alert(item, match=Match(watch="deal", undecided="/(a+)+b/"))
    message = words(single(alert, replace(item, published_assumed=True, late=True)), wording)
    assert "Undecided, told to be safe: /(a+)+b/" in message.body
    assert "no credible date, first seen" in message.body
    assert message.payload["published_assumed"] is True
    assert message.payload["undecided"] == "/(a+)+b/"


def test_spans_of_another_revision_are_not_shown(item: Item, wording: Wording, make_alert: MakeAlert) -> None:
    alert = make_alert(item, words=("Doha",), revision="r0")
    message = words(single(alert, item), wording)
    assert "«" not in message.body
    assert message.payload["matched"] == []


def test_f077_years_no_zone_can_express_do_not_overflow(item: Item, worded: Callable[..., Words]) -> None:
    for year in (1, 9999):
        dated = replace(item, published=datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23, tzinfo=UTC))
        assert f"published {dated.published:%Y}"[:12] in worded(dated).body


# ------------------------------------------------------------------ hostile text (P10)

MARKUP = (
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</p><h1>big</h1>", '"><svg/onload=1>', "&lt;b&gt;",
    "<a href='javascript:x'>x</a>", "<!-- x", "]]>", "<style>*{display:none}</style>", "<bdi>", "</bdi></p>",
)  # fmt: skip


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"dir", "lang", "href"}

    def handle_data(self, data: str) -> None:
        self.shown += data


@pytest.mark.parametrize("payload", MARKUP)
def test_f083_markup_in_a_title_is_shown_as_those_characters(
    item: Item, wording: Wording, make_alert: MakeAlert, payload: str
) -> None:
    hostile = replace(item, title=f"Doha {payload} deal", author=payload, marks=(payload,))
    named = replace(wording, outlets={"bbc": payload}, watches={"deal": payload})
    span = Span(field="title", start=5, end=5 + len(payload), term="x")
    message = words(single(make_alert(hostile, match=Match(watch="deal", spans=(span,))), hostile), named)
    page = _Tags()
    page.feed(message.html)
    assert set(page.tags) <= {"p", "strong", "bdi", "mark", "a"}
    assert f"Doha {payload} deal" in page.shown
    assert f"Doha {payload} deal" in message.body
    assert message.payload["headline"] == f"Doha {payload} deal"


def test_f086_directions_left_open_are_closed_inside_the_isolate(item: Item, worded: Callable[..., Words]) -> None:
    cases = {
        "a\u202eb": "a\u202eb\u202c",
        "a\u2067b": "a\u2067b\u2069",
        "a\u2069\u2069b": "ab",
        "\u202aa\u2066b\u202bc\u2069d": "\u202aa\u2066b\u202bc\u202c\u2069d\u202c",
        "\u202ca": "a",
        "א\u200fב\u200e": "א\u200fב\u200e",
    }
    for given_, kept in cases.items():
        message = worded(replace(item, title=f"x{given_}x"))
        head = kept.rstrip("\u202c\u2069") if given_[-1] not in "\u202c\u2069" else kept
        line = message.body.split("\n")[1]
        assert line.startswith(f"{FSI}x{head[:2]}"), given_
        assert balanced(given_) == kept
        assert balanced(line) == line
        assert line.endswith(PDI)


BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061cab ש"


@given(st.text(BIDI, max_size=30))
def test_f086_whatever_the_bidi_letters_they_end_balanced_and_nothing_else_changes(given_: str) -> None:
    kept = balanced(given_)
    assert balanced(kept) == kept
    controls = re.compile("[\u202a-\u202e\u2066-\u2069]")
    assert controls.sub("", kept) == controls.sub("", given_)


@pytest.mark.parametrize(
    "payload", ["{{7*7}}", "{0.__class__}", "%s %(x)s %n", "${x}", r"\N{DASH} \x41", "#{1}", "<%= 1 %>"]
)
def test_f090_templates_appear_as_written(item: Item, wording: Wording, make_alert: MakeAlert, payload: str) -> None:
    hostile = replace(item, title=payload, marks=(payload,))
    named = replace(wording, outlets={"bbc": payload}, watches={"deal": payload})
    message = words(single(make_alert(hostile), hostile), named)
    assert message.body.count(payload) == 4
    assert payload in html.unescape(message.html)
    assert message.payload["headline"] == message.payload["outlet_name"] == payload


@pytest.mark.parametrize(
    "payload", ["@everyone", "@here", "<!channel>", "<@U123>", "<@&9>", "<#C1>", "@all", "<!subteam^S1>"]
)
def test_f091_mentions_ring_nobody_in_a_chat_and_are_whole_elsewhere(
    item: Item, worded: Callable[..., Words], payload: str
) -> None:
    title = f"Deal {payload} in Doha"
    hostile = replace(item, title=title)
    chat = worded(hostile, payload, form=CHAT)
    for shown in (chat.title, chat.body, chat.markdown.replace("\\", ""), html.unescape(chat.html)):
        assert payload not in shown
        assert payload in shown.replace(JOINER, "")
    assert title in worded(hostile).body
    assert chat.payload["headline"] == title


@pytest.mark.parametrize(
    "payload", ["[a](http://b)", "*a*", "_a_", "`a`", "~~a~~", "# a", "> a", "![x](y)", "||a||", "<http://b>"]
)
def test_f091_markdown_from_outside_is_escaped(item: Item, worded: Callable[..., Words], payload: str) -> None:
    line = worded(replace(item, title=payload)).markdown.split("\n\n")[1].strip(FSI + PDI)
    assert re.sub(r"\\(.)", r"\1", line) == payload
    assert not re.search(r"(?<!\\)[\[\]`*_~<>|#]", line)


def test_f092_line_breaks_and_escape_letters_make_no_second_line_or_header(
    item: Item, wording: Wording, make_alert: MakeAlert
) -> None:
    evil = "Doha\r\nBcc: all@example.org\u2028x\x1b[31m\x00\x85y"
    named = replace(wording, outlets={"bbc": evil}, watches={"deal": evil})
    hostile = replace(item, title=evil)
    message = words(single(make_alert(hostile), hostile), named)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", message.title)
    assert len(message.body.split("\n")) == 5
    assert "\x1b" not in message.body + message.markdown + message.html


@pytest.mark.parametrize("title", ["", "  \n", "\u200b\u2060\u00ad", "\u0301", "\u3164"])
def test_f093_something_stands_in_for_a_title_that_shows_nothing(
    item: Item, worded: Callable[..., Words], title: str
) -> None:
    assert "The lead" in worded(replace(item, title=title, lead="The lead")).title
    assert "https://bbc.example/a1" in worded(replace(item, title=title)).title
    assert "(no headline)" in worded(replace(item, title=title, url=None)).title


FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize("title", ["x" * 100_000, FAMILY * 5000, "e" + "\u0301" * 10_000, "שלום " * 5000, "<" * 20_000])
@pytest.mark.parametrize("limit", [300, 1000, 4000])
def test_f130_a_message_is_cut_on_a_letter_and_keeps_its_link(
    item: Item, worded: Callable[..., Words], title: str, limit: int
) -> None:
    long = replace(item, title=title)
    message = worded(long, form=Form(title=100, body=limit, chat=True))
    assert text.size(message.title) <= 100 + 80
    for body in (message.body, message.markdown, message.html):
        assert text.size(body) <= limit
        assert "https://bbc.example/a1" in body
        body.encode()
    head = message.body.split("\n")[1].strip(FSI + PDI)
    assert head.endswith("…")
    if title.startswith(FAMILY):
        assert set(head.removesuffix("…").split(FAMILY)) == {""}


@given(st.text(max_size=60), st.integers(0, 80))
def test_a_cut_text_is_a_beginning_within_its_limit(given_: str, limit: int) -> None:
    short = text.cut(given_, limit)
    assert text.size(short) <= limit
    assert short == given_ or given_.startswith(short.removesuffix("…"))


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "1", "http://", "http://a@b/", "//host/x",
     "http://127.0.0.1:80\\@example.com/", "https://a.example/\nx", "http://[::1", "http://a:99999999/", None],
)  # fmt: skip
def test_f074_f099_an_address_that_may_not_be_followed_is_text(
    item: Item, worded: Callable[..., Words], url: str | None
) -> None:
    message = worded(replace(item, url=url))
    assert message.payload["url"] is None
    assert "<a " not in message.html
    assert "<" not in message.markdown.replace("\\<", "")
    if url:
        assert "Address, as given: " in message.body


def test_a_link_cannot_leave_its_place_in_the_markup(item: Item, worded: Callable[..., Words]) -> None:
    message = worded(replace(item, url="https://a.example/x y\"'<>()`*|?q=דוחא"))
    link = message.payload["url"]
    assert re.fullmatch(r"https://a\.example/[A-Za-z0-9%?=*._-]+", link.replace("*", "")) is not None
    assert link in message.body
    assert link.startswith("https://a.example/x%20y%22%27%3C%3E%28%29%60")


def test_context_windows_are_short_marked_and_cut_between_letters(
    item: Item, wording: Wording, make_alert: MakeAlert
) -> None:
    body = FAMILY * 40 + " hostage " + "e\u0301" * 200 + "\n\nDoha end"
    spans = tuple(
        Span(field="body", start=body.index(word), end=body.index(word) + len(word), term=word)
        for word in ("hostage", "Doha")
    )
    long = replace(item, body=body)
    message = words(single(make_alert(long, match=Match(watch="deal", spans=spans)), long), wording)
    first, second = (line for line in message.body.split("\n") if line.startswith("In the text: "))
    before, after = first.removeprefix(f"In the text: {FSI}…").removesuffix(f"…{PDI}").split(" «hostage» ")
    assert set(before.split(FAMILY)) == {""}
    assert len(after) % 2 == 0
    assert second == f"In the text: {FSI}…" + "e\u0301" * 29 + f" «Doha» end{PDI}"


def test_words_that_overlap_or_stand_outside_the_text_are_marked_once(
    item: Item, wording: Wording, make_alert: MakeAlert
) -> None:
    spans = [Span(field="title", start=a, end=b, term="x") for a, b in ((0, 7), (0, 12), (8, 12), (40, 400), (-3, 2))]
    message = words(single(make_alert(item, match=Match(watch="deal", spans=tuple(spans))), item), wording)
    assert "«Hostage deal» reached" in message.body
    assert message.body.count("«") == 1
