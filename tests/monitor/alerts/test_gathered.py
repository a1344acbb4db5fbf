"""Messages of several alerts: each is named in every form, and nothing from outside becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from config.model.fields import Severity
from monitor.alerts import text
from monitor.alerts.gathered import SHORTEST, names
from monitor.alerts.wording import NAMES, Form, Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item, Match, Span
from monitor.model.messages import MessageKind
from tests.monitor.alerts.conftest import NOW
from tests.monitor.alerts.parcels import gathered, words

FSI, PDI, JOINER = "\u2068", "\u2069", "\u2060"

Tell = Callable[..., Telling]


def telling(
    number: int, *, title: str = "Deal in Doha", outlet: str = "bbc", watch: str = "deal", **more: Any
) -> Telling:
    severity: Severity = more.pop("severity", "normal")
    item = Item(
        id=f"{number:016x}", outlet=outlet, source=f"{outlet}/top", url=f"https://{outlet}.example/{number}",
        title=title, lead="", language=more.pop("language", "en"), kind="article", author="",
        published=NOW - timedelta(minutes=number), published_assumed=False, first_seen=NOW, revision="r1",
    )  # fmt: skip
    state = more.pop("state", "new")
    match = more.pop("match", Match(watch=watch, spans=_spans(title, more.pop("found", ()))))
    item = replace(item, **{name: more.pop(name) for name in ("url", "published_assumed") if name in more})
    alert = Alert(
        id=f"{number:012x}", key=f"{watch}|hook|{item.id}|{state}", watch=watch, channel="hook", item=item.id,
        revision="r1", state=state, severity=severity, condition="pending", created=NOW, due=NOW, match=match,
    )  # fmt: skip
    return Telling(alert=alert, item=item, **more)


def _spans(title: str, found: Sequence[str]) -> tuple[Span, ...]:
    places = ((title.index(word), word) for word in found)
    return tuple(Span(field="title", start=at, end=at + len(word), term=word) for at, word in places)


@pytest.fixture
def named() -> Wording:
    return Wording(
        zone="Asia/Jerusalem",
        outlets={"bbc": "BBC News", "kan": "כאן חדשות"},
        watches={"deal": "A deal is near", "doha": "Doha and the mediation"},
    )


def test_a_digest_reads_like_this(named: Wording) -> None:
    parcel = gathered(
        telling(1, title="Talks go on", watch="doha"),
        telling(2, title="Hostage deal in Doha", severity="high", found=("Hostage", "Doha")),
        telling(
            3, title="העסקה אושרה", outlet="kan", language="he", state="edited:r1", was="העסקה קרובה", found=("העסקה",)
        ),
    )
    message = words(parcel, named)
    assert message.title == (f"[high] 3 alerts: {FSI}A deal is near{PDI} (2), {FSI}Doha and the mediation{PDI} (1)")
    assert message.body == (
        "HIGH · 3 alerts\nDigest · times in Asia/Jerusalem\n\n"
        f"{FSI}A deal is near{PDI} (2)\n\n"
        f"HIGH · New · {FSI}Hostage deal in Doha{PDI}\n"
        f"{FSI}BBC News{PDI}, 2026-11-24 13:58 · «{FSI}Hostage{PDI}», «{FSI}Doha{PDI}»\n"
        "https://bbc.example/2\n\n"
        f"NORMAL · Changed · {FSI}העסקה אושרה{PDI}\n"
        f"Was: {FSI}העסקה קרובה{PDI}\n"
        f"{FSI}כאן חדשות{PDI}, 2026-11-24 13:57 · «{FSI}העסקה{PDI}»\n"
        "https://kan.example/3\n\n"
        f"{FSI}Doha and the mediation{PDI} (1)\n\n"
        f"NORMAL · New · {FSI}Talks go on{PDI}\n"
        f"{FSI}BBC News{PDI}, 2026-11-24 13:59\n"
        "https://bbc.example/1\n\n"
        f"message {parcel.message.id} · key {parcel.message.key}"
    )
    assert '<bdi dir="auto" lang="he">העסקה אושרה</bdi>' in message.html


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("digest", "Digest"),
        ("quiet hours", "Held back during quiet hours"),
        ("cooldown", f"What followed within the cooldown of {FSI}A deal is near{PDI}"),
        ("flood", "More than ten alerts in five minutes"),
    ],
)
def test_a_gathered_message_says_why_its_alerts_come_together(named: Wording, kind: MessageKind, why: str) -> None:
    message = words(gathered(telling(1), telling(2), kind=kind), named)
    assert message.body.startswith(f"NORMAL · 2 alerts\n{why} · times in Asia/Jerusalem\n\n")
    assert message.markdown.startswith(f"**NORMAL · 2 alerts**  \n{why} · times in ")
    assert message.html.startswith(f"<p><strong>NORMAL · 2 alerts</strong><br>\n{why} · times in ")
    assert message.payload["kind"] == kind


def test_its_json_form_counts_by_watch_and_holds_each_alert_as_it_would_come_alone(named: Wording) -> None:
    first, second = telling(1, severity="high"), telling(2, watch="doha")
    parcel = gathered(second, first)
    payload = words(parcel, named).payload
    assert list(payload) == ["id", "key", "kind", "severity", "count", "watches", "alerts", "sent"]
    assert (payload["id"], payload["key"]) == (parcel.message.id, parcel.message.key)
    assert (payload["severity"], payload["count"]) == ("high", 2)
    assert payload["watches"] == {
        "deal": {"title": "A deal is near", "count": 1},
        "doha": {"title": "Doha and the mediation", "count": 1},
    }
    alone = words(gathered(first, kind="alert"), named).payload
    assert payload["alerts"][0] == alone | {"message": parcel.message.id}
    assert [each["id"] for each in payload["alerts"]] == [first.alert.id, second.alert.id]


def test_an_undecided_match_and_an_assumed_date_are_marked(named: Wording) -> None:
    undecided = telling(1, match=Match(watch="deal", undecided="/(a+)+b/"), published_assumed=True)
    parcel = gathered(undecided, telling(2))
    for form in (Form(), Form(body=700)):
        body = words(parcel, named, form=form).body
        assert "NORMAL · New (undecided)" in body
        assert "first seen 2026-11-24 14:00" in body


def test_with_less_room_less_is_told_of_each_and_never_fewer(named: Wording) -> None:
    parcel = gathered(*(telling(n, title=f"Story {n} of the talks in Doha " * 9, found=("Doha",)) for n in range(8)))
    told = [words(parcel, named, form=Form(body=body)).body for body in (9000, 2860, 2500, 1800, 1200, 1000, 500)]
    assert all(len(one) > len(other) for one, other in pairwise(told))
    for body in told:
        assert all(f"Story {n}" in body for n in range(8))
        assert all(f"https://bbc.example/{n}" in body or f"{n:012x}" in body for n in range(8))


def test_a_message_made_for_more_room_says_how_many_it_cannot_name(named: Wording) -> None:
    parcel = gathered(*(telling(n) for n in range(50)))
    body = words(parcel, named, form=Form(body=500)).body
    assert text.size(body) <= 500
    named_here = len(re.findall(r"· 0000000000\w\w", body))
    assert named_here > 3
    assert f"and {50 - named_here} more: wirewatch alerts list" in body


def test_a_title_with_many_watches_ends_with_their_number(named: Wording) -> None:
    many = replace(named, watches={f"w{n}": f"Watch number {n} about something" for n in range(12)})
    message = words(gathered(*(telling(n, watch=f"w{n}") for n in range(12))), many)
    assert message.title.endswith("7 more watches")
    assert text.size(message.title) <= 250
    narrow = words(gathered(*(telling(n, watch=f"w{n}") for n in range(12))), many, form=Form(title=40))
    assert narrow.title == "[normal] 12 alerts: 12 watches"


def test_how_many_a_channel_can_name_follows_from_its_length() -> None:
    assert names(67) == names(160) == names(SHORTEST) == 1
    assert names(2000) == 8
    assert names(4096) == 17
    assert names(10**6) == NAMES


# ------------------------------------------------------------------ whatever stands in them (P10)

HOSTILE = st.sampled_from(
    (
        "<img src=x onerror=alert(1)>", "</p><h1>", "</bdi></a></mark>", "<a href=javascript:x>", '"onx=1', "<!--",
        "[a](http://b)", "<http://b>", "![x](http://y)", "[a]: http://b", "**a**", "`a`", "# a", "- a", "1. a", "> a",
        "~~a~~", "||a||", "&lt;b&gt;", "&#x3c;b>", "\\", "\\[a](http://b)", "@everyone", "<@U1>", "<!channel>",
        "\u202e", "\u2067", "\u2069", "\n", "\r\n\r\n", "| a | b |", "***", "===", "---", "<br>", "{{7*7}}", "צה\"ל",
        "<t:0:R>", "<users/all>", "]]>", "e" + "\u0301" * 40, "👩‍👩‍👧‍👦",
    )
)  # fmt: skip
TEXTS = st.lists(HOSTILE | st.text(max_size=12), max_size=6).map(" ".join) | st.lists(HOSTILE, max_size=6).map("".join)
URLS = (None, "https://a.example/x?a=1&b=<b>'", *(f"https://a.example/{'long/' * often}" for often in (19, 80, 900)))
OURS = {"p": set(), "strong": set(), "br": set(), "mark": set(), "bdi": {"dir", "lang"}, "a": {"href"}}


@st.composite
def tellings(draw: st.DrawFn) -> list[Telling]:
    made = []
    for number in range(draw(st.integers(2, 9))):
        title = draw(TEXTS)
        start = draw(st.integers(0, max(0, len(title) - 1)))
        spans = (Span(field="title", start=start, end=min(len(title), start + 9), term="x"),)
        watch = draw(st.sampled_from(("deal", "doha")))
        made.append(
            telling(
                number, title=title, watch=watch, was=draw(TEXTS), severity=draw(st.sampled_from(("low", "critical"))),
                url=draw(st.sampled_from(URLS)),
                match=Match(watch=watch, spans=spans, undecided=draw(st.sampled_from(("", "<b>[x](http://y)")))),
            )
        )  # fmt: skip
    return made


@settings(max_examples=150, deadline=None)
@given(tellings(), TEXTS, TEXTS, st.sampled_from((2200, 6000, 10**6)), st.booleans())
def test_f083_f091_nothing_from_outside_becomes_an_element_an_attribute_or_a_link(
    told: list[Telling], outlet: str, watch: str, body: int, chat: bool
) -> None:
    hostile = Wording(
        zone="UTC", outlets={"bbc": outlet}, watches={"deal": watch, "doha": "D"}, page="https://us.example"
    )
    message = words(gathered(*told), hostile, form=Form(body=body, chat=chat))
    ours = {link for each in told if (link := text.web_link(each.item.url))}
    page = LexborHTMLParser(message.html)
    assert page.body is not None
    links = set()
    for node in page.body.traverse():
        if node.tag == "body":
            continue
        assert set(node.attributes) <= OURS[str(node.tag)]
        links |= {node.attributes["href"]} if node.tag == "a" else set()
    assert links <= ours
    markdown = MarkdownIt("commonmark").parse(message.markdown)
    tokens = [token for block in markdown for token in (block, *(block.children or ()))]
    assert {token.attrs["href"] for token in tokens if token.type == "link_open"} <= ours
    assert {token.type for token in tokens} <= {
        "paragraph_open", "paragraph_close", "inline", "text", "strong_open", "strong_close", "hardbreak", "link_open",
        "link_close", "softbreak", "text_special",
    }  # fmt: skip
    for form in message.texts:
        form.encode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", form)


@settings(max_examples=150, deadline=None)
@given(tellings(), TEXTS, st.data())
def test_f130_every_alert_of_a_gathered_message_is_named_in_each_form_within_the_channels_length(
    told: list[Telling], outlet: str, data: st.DataObject
) -> None:
    wording = Wording(zone="UTC", outlets={"bbc": outlet}, watches={"deal": outlet, "doha": "D" * 200})
    fewest = SHORTEST * len(told)
    form = Form(body=data.draw(st.integers(fewest, 4 * fewest)), chat=data.draw(st.booleans()))
    message = words(gathered(*told), wording, form=form, brief=data.draw(st.booleans()))
    for body in message.texts:
        assert text.size(body) <= form.body
        plain = html.unescape(body).replace("\\", "").replace(JOINER, "")
        assert "more: wirewatch" not in plain
        for each in told:
            link = text.web_link(each.item.url)
            assert each.alert.id in plain or (link and plain.count(link) >= sum(_same(each, other) for other in told))


def _same(one: Telling, other: Telling) -> bool:
    return one.item.url == other.item.url


@pytest.mark.parametrize("payload", ["@everyone", "@here", "<!channel>", "<@U123>", "<@&9>", "<users/all>", "<t:0:R>"])
def test_f091_mentions_in_a_gathered_message_ring_nobody(named: Wording, payload: str) -> None:
    title = f"Deal {payload} in Doha"
    parcel = gathered(
        telling(1, title=title, found=(payload,)),
        telling(2, title=title, was=title, url=f"https://a.example/{payload}"),
    )
    hostile = replace(named, outlets={"bbc": payload}, watches={"deal": payload})
    message = words(parcel, hostile, form=Form(chat=True))
    for shown in (message.title, message.body, message.markdown.replace("\\", ""), html.unescape(message.html)):
        assert payload not in shown
        assert payload in shown.replace(JOINER, "")


def test_f091_a_mention_that_a_matched_word_completes_rings_nobody(named: Wording) -> None:
    """Zulip rings for ``@**all**``."""
    message = words(gathered(telling(1, title="Deal @all", found=("all",)), kind="alert"), named, form=Form(chat=True))
    assert "@**" not in message.markdown
    assert f"@{JOINER}**all**" in message.markdown
