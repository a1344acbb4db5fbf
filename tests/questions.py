"""Random texts and queries in three languages, made of few words each, so that they meet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from config.model.lexicon import Concept
from monitor.clock import SystemClock
from monitor.errors import QueryError
from monitor.model.entries import Candidate
from monitor.model.items import Item
from monitor.ports import Archive
from monitor.stories import identity
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.search import Question, ask, search
from tests.storage.desk import candidate

OUTLETS = ("bbc", "haaretz-he")
CONCEPTS = {
    "doha": Concept(kind="name", group="place", en=["Doha"], he=["דוחא"], ar=["الدوحة"], weak={"he": ["דוחה"]},
                    weak_rule="preposition"),
    "deal": Concept(kind="word", group="subject", en=["deal", "hostage deal"], he=["עסקה", "עסקת חטופים"], ar=["صفقة"]),
    "idf": Concept(kind="name", group="organisation", en=["IDF"], he=['צה"ל'], weak={"en": ["army"], "he": ["חיל"]}),
}  # fmt: skip
WATCHES: WatchSet = compile_watches((), CONCEPTS, outlets=OUTLETS)[0]

# Words that are, or are nearly, forms of each other: particles, endings, marks, signs inside, other ways to write them.
FAMILIES = (
    ("hostage", "Hostages", "hostage's", "ｈｏｓｔａｇｅ", "deal", "deals"),
    ("families", "family", "wolves", "wolf", "men", "man", "buses", "bus"),
    ("US", "us", "USs", "bus", "U.S."),
    ("MCH", "MCHs", "mch", "MPs", "MP"),
    ("IDF", "idf", "army", 'צה"ל', "בצה״ל", "צה״ל", "חיל", "מחיל"),
    ("cease-fire", "ceasefire", "o'clock", "clock", "fire"),
    ("2026", "٢٠٢٦", "ב2026", "בBBC", "BBC"),
    ("חטוף", "חטופים", "החטופים", "לחטופיו", "ושהחטופים", "חֲטוּפִים"),
    ("עסקה", "עסקת", "בעסקת", "בעסקותיו", "חטופים", "deal"),
    ("גל", "הגל", "ברגל", "מגל", "כשגל"),
    ("רק", 'ב"רק', "מרק", "הארץ", 'ב"הארץ"'),
    ("דוחה", "בדוחה", "מדוחה", "שמדוחה", "לדוחא", "דוחא"),
    ("الدوحة", "بالدوحة", "للدوحة", "دوحة", "Doha"),
    ("رهينة", "رهائن", "ورهينته", "صفقة", "والصفقة", "بصفقات"),
    ("وقف", "ووقف", "إطلاق", "كتاب", "بكتابه", "فكتب", "كتب"),
    ("ﻻ", "لا", "ـ", "بلا", "Нamas", "Hamas"),
    ("straße", "strasse", "İran", "iran", "ŉab", "nab"),
    ("\u1112\u1161", "\u1112\u200b\u1161", "하", "é", "e\u0301", "\u0301"),
)
WORDS = tuple(dict.fromkeys(word for family in FAMILIES for word in family))
NEAR = ("NEAR/1", "NEAR/3", "PRE/1", "PRE/3", "NEAR/s", "NEAR/p")
OTHERS = (
    "/hos.age/", r"/\bחטופ/", "lang:he", "lang:ar", "kind:live", "kind:article", "outlet:haaretz-he", "outlet:bbc",
    "source:main", "source:bbc/world", "url:live", "url:צהל", "url:example*",
)  # fmt: skip
SPACES = (" ", " ", " ", " ", "-", ". ", "\n\n", ", ", "")

pools = st.builds(
    lambda family, other: [*family, *other][:7], st.sampled_from(FAMILIES).flatmap(st.permutations),
    st.lists(st.sampled_from(WORDS), max_size=2),
)  # fmt: skip
"""What an example's texts and queries are made of."""


def asked(query: str) -> Question:
    return ask(query, WATCHES, OUTLETS)


async def searched(store: Archive, query: str) -> list[Item]:
    """The newest items that a query finds."""
    found = await search(store, asked(query), clock=SystemClock(), seconds=60)
    return [hit.item for hit in found.hits]


def asked_or_refused(query: str) -> Question | None:
    try:
        return asked(query)
    except QueryError:
        return None


def filled(template: str, pool: Sequence[str]) -> str:
    """A text or query with the pool's words in the places of a template: ``<3>``, ``<3:2>`` for two letters."""
    return _HOLE.sub(lambda hole: pool[int(hole[1]) % len(pool)][: int(hole[2] or 99)].strip("'-."), template)


_HOLE = re.compile(r"<(\d)(?::(\d))?>")
holes = st.sampled_from([f"<{number}>" for number in range(7)])
begun = st.builds("<{}:{}>*".format, st.integers(0, 6), st.integers(2, 5))

texts = st.lists(
    st.tuples(st.one_of(holes, holes, st.sampled_from(WORDS)), st.sampled_from(SPACES)), max_size=5
).map(lambda pairs: "".join(word + space for word, space in pairs).strip())  # fmt: skip

quoted = st.lists(holes, min_size=1, max_size=3).map(lambda parts: "«" + " ".join(parts) + "»")
operands = st.one_of(holes, holes, quoted, quoted, begun, st.sampled_from([f"@{name}" for name in CONCEPTS]))
nearby = st.builds("({} {} {})".format, operands, st.sampled_from(NEAR), operands)
leaves = st.one_of(
    operands, operands, nearby, st.sampled_from(OTHERS),
    st.builds("={}".format, st.one_of(holes, quoted)),
    st.builds("name:{}".format, st.one_of(holes, quoted)),
    st.builds("atleast{}({})".format, st.integers(1, 2), operands),
    st.builds("{}:{}".format, st.sampled_from(["title", "lead", "body", "author"]), st.one_of(operands, nearby)),
)  # fmt: skip


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(parts, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda each: f"({' AND '.join(each)})"),
        several.map(lambda each: f"({' OR '.join(each)})"),
        st.builds("({} NOT {})".format, parts, parts),
    )


queries = st.recursive(leaves, _joined, max_leaves=4)
"""Templates; few of them are refused when they are filled."""


@st.composite
def articles(draw: st.DrawFn) -> Candidate:
    """Templates too: their texts are to be `filled`."""
    outlet, name = draw(st.sampled_from(OUTLETS)), draw(st.integers(0, 9))
    made = candidate(
        f"{draw(holes)} {draw(texts)}", keys=(f"url:{name}",), outlet=outlet, lead=draw(texts),
        body=draw(texts), author=draw(texts),
        url=f"https://{outlet}.example/{draw(st.sampled_from(['live', 'news', 'צהל']))}/{name}",
        kind=draw(st.sampled_from(["article", "live", "opinion"])),
    )  # fmt: skip
    return replace(made, language=draw(st.sampled_from(["en", "he", "ar", "und"])))


def written(template: Candidate, pool: Sequence[str]) -> Candidate:
    """An article with the pool's words."""
    entry = template.entry
    title, lead, body, author = (filled(text, pool) for text in (entry.title, entry.lead, entry.body, entry.author))
    return replace(
        template,
        entry=replace(entry, title=title, lead=lead, body=body, author=author),
        text_hash=identity.text_hash(title, lead),
    )
