"""What the index is asked for in a query's name: never less than the query finds, and never too much for the index."""

from __future__ import annotations

from itertools import product
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.model.lexicon import Concept
from monitor.language.index import index_facts, index_text
from monitor.model.entries import Candidate
from monitor.model.sought import AllOf, Indexed, Sought
from monitor.watches.compile import compile_watches
from monitor.watches.engine import ItemText
from monitor.watches.search import ask
from monitor.watches.sought import EVERYTHING, MOST_LEVELS, MOST_TERMS, NOTHING
from tests.questions import (
    CONCEPTS,
    FAMILIES,
    OUTLETS,
    articles,
    asked,
    asked_or_refused,
    filled,
    pools,
    queries,
    written,
)

Index = dict[str, set[str]]


def indexed(item: ItemText) -> Index:
    facts = index_facts(outlet=item.outlet, source=item.source, language=item.language, kind=item.kind)
    columns = {
        "title": index_text(item.title), "text": index_text(item.lead, item.body), "author": index_text(item.author),
        "url": index_text(item.url), "facts": facts,
    }  # fmt: skip
    return {name: set(terms.split()) for name, terms in columns.items()}


def holds(index: Index, sought: Sought) -> bool:
    """What a database's full-text search does."""
    if isinstance(sought, Indexed):
        terms = {term for field in sought.fields for term in index[field]}
        return any(term.startswith(sought.term) for term in terms) if sought.begins else sought.term in terms
    several = all if isinstance(sought, AllOf) else any
    return several(holds(index, part) for part in sought.parts)


def item_of(each: Candidate, feed: str) -> ItemText:
    entry, outlet = each.entry, str(each.entry.url).removeprefix("https://").partition(".")[0]
    return ItemText(
        entry.title, entry.lead, entry.body, url=entry.url or "", author=entry.author, outlet=outlet,
        source=f"{outlet}/{feed}", language=each.language, kind=entry.kind,
    )  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES, ids=itemgetter(0))
def test_whatever_a_word_or_a_phrase_finds_is_in_the_index_under_it(family: tuple[str, ...]) -> None:
    pairs = list(product(family, repeat=2))
    items = [ItemText(f"{one} {two}") for one, two in pairs] + [ItemText("x", one, two) for one, two in pairs]
    indexes = list(map(indexed, items))
    single = [form.format(word) for word in family for form in ("{}", "={}", "name:{}", "{}*", "lead:{}")]
    short = [f"{word[:length]}*" for word in family for length in (2, 3)]
    for query in (*single, *short, *(f"«{one} {two}»" for one, two in pairs), *(f"@{name}" for name in CONCEPTS)):
        question = asked_or_refused(query)
        for item, index in zip(items, indexes, strict=True):
            if question is not None and question.match(item) is not None:
                assert holds(index, question.sought), (query, item)


@settings(max_examples=100, deadline=None)
@given(
    pools,
    st.lists(st.tuples(articles(), st.sampled_from(["main", "world"])), min_size=2, max_size=4),
    st.lists(queries, min_size=5, max_size=10),
)
def test_whatever_a_query_finds_is_in_the_index_under_what_is_sought(
    pool: list[str], templates: list[tuple[Candidate, str]], asking: list[str]
) -> None:
    items = [item_of(written(each, pool), feed) for each, feed in templates]
    indexes = list(map(indexed, items))
    for query in asking:
        question = asked_or_refused(filled(query, pool))
        for item, index in zip(items, indexes, strict=True):
            if question is not None and question.match(item) is not None:
                assert holds(index, question.sought), (question.text, item)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("חטופים", "עסקת החטופים"),
        ("חטוף", "שחרור חטופיו"),
        ("عسكري", "والعسكريين"),
        ("الدوحة", "محادثات بالدوحة"),
        ("hostage", "the hostages' families"),
        ('צה"ל', "בצה״ל"),
        ("הארץ", 'נכתב ב"הארץ"'),
        ("doha talks", "Talks resume in DOHA"),
        ("MCH", "two MCHs"),  # the ending of an acronym is not that of a word
        ('"גל גדול"', "מגל גדול"),  # inside a phrase two letters are enough
        ("@doha", "שבו מדוחה"),  # a particle that counts nowhere else
        ("בבל*", 'ב"בבלים"'),
        ("=us", "us"),
    ],
)
def test_what_a_watch_finds_is_sought(query: str, text: str) -> None:
    question, item = asked(query), ItemText(text)
    assert question.match(item) is not None
    assert holds(indexed(item), question.sought)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("doha cairo", "Doha"),
        ('"hostage deal"', "a deal"),
        ("title:doha lang:he", "doha"),
        ("doha NEAR/s cairo", "doha"),
        ("(doha OR cairo) talks", "Doha. Cairo"),
        ("hostag*", "host"),
        ("author:cohen", "Cohen said"),
        ("atleast2(@doha)", "nothing of it"),
    ],
)
def test_an_item_that_lacks_what_must_be_there_is_no_candidate(query: str, text: str) -> None:
    assert not holds(indexed(ItemText(text, language="en")), asked(query).sought)


def test_what_an_index_cannot_say_is_left_out_or_makes_it_everything() -> None:
    assert asked("doha NOT football").sought == asked("doha").sought == asked(r"doha /\d+ hostages/").sought
    assert asked(r"doha OR /\d+ hostages/").sought == EVERYTHING


def test_a_concept_without_a_form_that_can_be_read_is_nothing() -> None:
    watches, _ = compile_watches((), {"empty": Concept(kind="name", group="place", en=["–"])}, outlets=OUTLETS)
    assert ask("@empty AND doha", watches, OUTLETS).sought == NOTHING


def size(sought: Sought) -> tuple[int, int]:
    """Terms and levels."""
    if isinstance(sought, Indexed):
        return 1, 0
    below = [size(part) for part in sought.parts]
    return sum(terms for terms, _ in below), 1 + max((levels for _, levels in below), default=0)


def test_a_query_too_big_for_an_index_is_sought_by_a_part_of_it() -> None:
    words = [f"w{number}" for number in range(2 * MOST_TERMS)]
    terms, _levels = size(asked(" ".join(words)).sought)
    assert 0 < terms <= MOST_TERMS
    assert asked(" OR ".join(words)).sought == EVERYTHING
    deep = "doha"
    for number in range(20):
        deep = f"(a{number} AND (b{number} OR {deep}))"
    terms, levels = size(asked(deep).sought)
    assert terms > 0
    assert levels <= MOST_LEVELS
