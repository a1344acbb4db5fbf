"""The index over many watches loses no match: against each watch tried alone on every item."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.model.lexicon import Concept
from config.model.watches import Watch
from monitor.errors import UnknownName
from monitor.language.forms import readings
from monitor.language.tokens import Words
from monitor.model.texts import TextLanguage
from monitor.watches.compile import Compiled, WatchSet, compile_watches
from monitor.watches.engine import HIT, Evaluation, ItemText
from monitor.watches.parse import parse
from monitor.watches.terms import Terms

CONCEPTS = {
    "place": Concept(
        kind="name",
        group="place",
        en=("Doha", "US", "Gaza Strip"),
        he=("דוחא",),
        ar=("الدوحة",),
        weak={"he": ("דוחה",)},
        weak_rule="preposition",
    ),
    "deal": Concept(
        kind="word", group="process", en=("deal", "hostage deal"), he=("עסקה",), ar=("صفقة",), weak={"en": ("accord",)}
    ),
    "people": Concept(kind="word", group="people", en=("hostage",), he=("חטוף", "בן ערובה"), ar=("رهينة", "رهائن")),
}
UNITS = [
    "doha",
    "US",
    "us",
    "=deal",
    "hostag*",
    "חטופ*",
    "name:talk",
    '"hostage deal"',
    '"עסקת חטופים"',
    "@place",
    "@deal",
    "@people",
    "/d.al/",
    "title:doha",
    "lead:@deal",
    "author:cohen",
    "url:doha",
    "lang:he",
    "atleast2(deal)",
    "U.S.",
    "הארץ",
    'צה"ל',
    "(doha OR @people)",
    "deal NEAR/3 hostage",
    "@people NEAR/5 (@deal OR doha)",
    "kind:live",
    "لل",
]
TOKENS = [
    "Doha",
    "US",
    "us",
    "deal",
    "deals",
    "hostage",
    "hostages'",
    "החטופים",
    "בעסקת",
    "לדוחה",
    "דוחה",
    "U.S.",
    "accord",
    'ב"הארץ"',
    "בצה״ל",
    "talk",
    "talks",
    "بالدوحة",
    "والرهائن",
    "Gaza",
    "Strip",
    "בני",
    "בן",
    "ערובה",
    "ideal",
    ".",
]


LANGUAGES: st.SearchStrategy[TextLanguage] = st.sampled_from(["he", "en"])


def queries() -> st.SearchStrategy[str]:
    unit = st.sampled_from(UNITS)
    plain = st.lists(st.one_of(unit, unit.map("NOT ".__add__)), min_size=1, max_size=3)
    conjunction = plain.map(" AND ".join)
    disjunction = st.lists(conjunction.map("({})".format), min_size=1, max_size=3).map(" OR ".join)
    return st.tuples(unit, disjunction).map(lambda pair: f"{pair[0]} AND ({pair[1]})") | unit | unit.map("({})".format)


TEXTS = st.lists(st.sampled_from(TOKENS), max_size=10).map(" ".join)


def alone(query: str, item: ItemText) -> bool:
    """One watch, evaluated on the item without asking the index whether to."""
    terms = Terms(CONCEPTS)
    watches = WatchSet([Compiled("q", parse(query, terms))], terms)
    prepared = watches.prepare(item)
    seen, _ = watches._look_up(prepared)
    return Evaluation(prepared, seen, watches._lexicon).decide(watches.query("q").root) == HIT


@settings(max_examples=200)
@given(st.lists(queries(), min_size=1, max_size=12), TEXTS, TEXTS, LANGUAGES)
def test_all_watches_together_find_what_each_finds_alone(
    asked: list[str], title: str, lead: str, language: TextLanguage
) -> None:
    item = ItemText(title, lead, url="https://example.org/doha", author="Dana Cohen", language=language, kind="live")
    watches, bad = compile_watches(
        [Watch(id=f"q{n}", title="", when=query) for n, query in enumerate(asked)], CONCEPTS, outlets=()
    )
    assert not bad
    found = {match.watch for match in watches.match(item)}
    assert found == {f"q{n}" for n, query in enumerate(asked) if alone(query, item)}
    for name in watches.ids:
        assert watches.explain(name, item).hit == (name in found)


@settings(max_examples=60)
@given(st.lists(queries(), min_size=1, max_size=8), st.lists(TEXTS, min_size=1, max_size=4))
def test_matching_is_deterministic_and_what_was_remembered_changes_nothing(asked: list[str], texts: list[str]) -> None:
    watches = [Watch(id=f"q{n}", title="", when=query) for n, query in enumerate(asked)]
    warm, _ = compile_watches(watches, CONCEPTS, outlets=())
    for text in texts:
        warm.match(ItemText(text))
    for text in texts:
        cold, _ = compile_watches(watches, CONCEPTS, outlets=())
        assert warm.match(ItemText(text)) == cold.match(ItemText(text))


def test_only_watches_whose_rare_word_stands_in_the_item_are_tried() -> None:
    asked = [Watch(id=f"w{n}", title="", when=f'"Anna Name{n}"') for n in range(500)]
    watches, _ = compile_watches(asked, {}, outlets=())
    _, candidates = watches._look_up(watches.prepare(ItemText("Anna Name7 and Anna Other met Name8")))
    assert candidates == {7, 8}


def test_an_unknown_watch_is_named() -> None:
    watches, _ = compile_watches([], {}, outlets=())
    with pytest.raises(UnknownName, match="nobody"):
        watches.explain("nobody", ItemText("x"))


@settings(max_examples=500, deadline=None)
@given(st.text("אבגדהויכלמנפרשתابتدرلموهيكسفن\"'bs2", min_size=1, max_size=10))
def test_a_token_holds_all_but_the_last_letter_of_what_it_can_be_a_form_of(text: str) -> None:
    for token in Words(text).norms:
        if token[0] >= "\u0370":
            assert [key for key in readings(token)[0] if key[:-1] not in token] == []
