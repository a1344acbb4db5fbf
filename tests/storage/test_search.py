"""A search finds exactly what a watch with its query finds in the items' present texts, newest first."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.model import Concept
from monitor import canary, health
from monitor.clock import SystemClock
from monitor.errors import QueryError
from monitor.model import EVERYTHING, Candidate, Filing, Item, Wanted
from monitor.ports import Store
from monitor.watches.backtest import item_text
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.search import Found, Question, ask, search
from storage import open_store
from tests.storage.desk import NOW, candidate, filing, quiet

pytestmark = pytest.mark.anyio

OUTLETS = ("bbc", "haaretz-he")
CONCEPTS = {
    "doha": Concept(
        kind="name", group="place", en=["Doha"], he=["דוחא"], ar=["الدوحة"], weak={"he": ["דוחה"]}, weak_rule="preposition"
    ),
    "deal": Concept(kind="word", group="subject", en=["deal", "hostage deal"], he=["עסקה", "עסקת חטופים"], ar=["صفقة"]),
    "idf": Concept(kind="name", group="organisation", en=["IDF"], he=['צה"ל'], weak={"en": ["army"], "he": ["חיל"]}),
}  # fmt: skip
WATCHES: WatchSet = compile_watches((), CONCEPTS, outlets=OUTLETS)[0]
CLOCK = SystemClock()


def asked(query: str) -> Question:
    return ask(query, WATCHES, OUTLETS)


async def found(store: Store, query: str, wanted: Wanted = EVERYTHING, **limits: int) -> Found:
    return await search(store, asked(query), wanted, clock=CLOCK, **{"limit": 1000, "seconds": 60, **limits})


async def by_watch(store: Store, query: str, wanted: Wanted = EVERYTHING) -> list[tuple[Item, object]]:
    """The slow way: the engine over every item of the listing."""
    question = asked(query)
    judged = [(item, question.match(item_text(item))) for item in await store.items(wanted, limit=1000)]
    return [(item, match) for item, match in judged if match is not None]


async def agree(store: Store, query: str, wanted: Wanted = EVERYTHING) -> int:
    """Search and engine find the same items with the same words, in the same order; how many."""
    got = await found(store, query, wanted)
    assert got.complete, "a few items are looked at to the end"
    assert [(hit.item, hit.match) for hit in got.hits] == await by_watch(store, query, wanted), query
    return len(got.hits)


# ------------------------------------------------------------------ exactly what the engine finds

# What meets in one text: forms, particles, endings, marks and signs that change how a word is cut or read.
WORDS = (
    "hostage", "Hostages", "hostage's", "families", "family", "wolves", "men", "buses", "bus", "US", "us", "USs", "MCHs",
    "IDF", "idf", "army", "U.S.", "cease-fire", "ceasefire", "Doha", "deal", "deals", "o'clock", "'", '"', "2026", "٢٠٢٦",
    "חטוף", "חטופים", "החטופים", "לחטופיו", "ושהחטופים", "חֲטוּפִים", "עסקה", "עסקת", "בעסקת", "גל", "הגל", "ברגל", "מגל",
    "צה״ל", 'צה"ל', "בצה״ל", 'ב"הארץ"', "הארץ", "דוחה", "בדוחה", "מדוחה", "לדוחא", "חיל", "בBBC", "ב2026", "רק", 'ב"רק', "שלום",
    "الدوحة", "بالدوحة", "للدوحة", "دوحة", "رهينة", "رهائن", "ورهينته", "والصفقة", "صفقة", "بصفقات", "وقف", "ووقف", "إطلاق",
    "كتاب", "بكتابه", "ـ", "ﻻ", "ｈｏｓｔａｇｅ", "Нamas", "Hamas", "ß", "İran", "ŉab", "한글", "한\u200b글", "\u1112\u200b\u1161", "\u0301",
)  # fmt: skip
SPACES = (" ", " ", " ", " ", "-", ". ", "\n\n", ", ", "")
texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SPACES)), max_size=6).map(
    lambda pairs: "".join(word + space for word, space in pairs).strip()
)
titles = st.tuples(st.sampled_from([word for word in WORDS if word.isalpha()]), texts).map(" ".join)


@st.composite
def articles(draw: st.DrawFn) -> Candidate:
    name = draw(st.integers(0, 9))
    outlet = draw(st.sampled_from(OUTLETS))
    made = candidate(
        draw(titles), keys=(f"url:{name}",), outlet=outlet, lead=draw(texts), body=draw(texts), author=draw(texts),
        url=f"https://{outlet}.example/{draw(st.sampled_from(['live', 'news', 'צהל', 'opinion']))}/{name}",
        kind=draw(st.sampled_from(["article", "live", "opinion"])),
    )  # fmt: skip
    return replace(made, language=draw(st.sampled_from(["en", "he", "ar", "und"])))


@st.composite
def answers(draw: st.DrawFn) -> Filing:
    own = draw(st.lists(articles(), min_size=1, max_size=6))
    first = own[0].id  # one outlet an answer
    outlet = next(each for each in OUTLETS if own[0].entry.url and f"//{each}." in own[0].entry.url)
    ours = [each for each in own if each.entry.url and f"//{outlet}." in each.entry.url]
    assert ours[0].id == first
    feed = draw(st.sampled_from(["main", "world"]))
    return filing(ours, source_id=f"{outlet}/{feed}", at=NOW + timedelta(seconds=draw(st.integers(0, 9))))


def queries() -> st.SearchStrategy[str]:
    plain = [word for word in WORDS if any(map(str.isalnum, word))]
    word = st.sampled_from(plain)
    quoted = st.lists(word, min_size=1, max_size=3).map(lambda parts: '"' + " ".join(parts).replace('"', "״") + '"')
    operand = st.one_of(
        word.map(str.casefold),
        word,
        quoted,
        st.tuples(word, st.integers(1, 4)).map(lambda pair: pair[0][: pair[1]] + "*"),
        st.sampled_from([f"@{name}" for name in CONCEPTS]),
    )
    leaf = st.one_of(
        operand,
        word.map(lambda each: f"={each}"),
        quoted.map(lambda each: f"={each}"),
        word.map(lambda each: f"name:{each}"),
        st.sampled_from(["/hos.age/", r"/\bחטופ/", "lang:he", "lang:ar", "kind:live", "outlet:haaretz-he", "outlet:bbc",
                         "source:main", "source:bbc/world", "url:live", "url:צהל"]),
        st.tuples(operand, st.sampled_from(["NEAR/2", "PRE/3", "NEAR/s", "NEAR/p"]), operand).map(
            lambda parts: "(" + " ".join(parts) + ")"
        ),
        st.tuples(st.integers(1, 2), operand).map(lambda pair: f"atleast{pair[0]}({pair[1]})"),
        st.tuples(st.sampled_from(["title", "lead", "body", "author", "url"]), operand).map(":".join),
    )  # fmt: skip

    def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(parts, min_size=2, max_size=3)
        return st.one_of(
            several.map(lambda each: f"({' AND '.join(each)})"),
            several.map(lambda each: f"({' OR '.join(each)})"),
            parts.map(lambda each: f"NOT {each}"),
        )

    return st.recursive(leaf, joined, max_leaves=5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(answers(), min_size=1, max_size=4), st.lists(queries(), min_size=8, max_size=16))
def test_a_search_finds_exactly_what_the_engine_finds(filed: list[Filing], asking: list[str]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(f"sqlite:///{folder}/store.db", exclusive=True)
            for each in filed:
                await store.file(each, quiet)
            for query in asking:
                try:
                    asked(query)
                except QueryError:
                    continue
                await agree(store, query)
                await agree(store, query, Wanted(language="he", since=NOW + timedelta(seconds=2)))
            await store.close()

    asyncio.run(play())
