"""Queries that are refused: what is said, where the caret stands, and what to write instead."""

from __future__ import annotations

import pytest

from config.model.lexicon import Concept
from config.model.watches import Watch
from monitor.errors import QueryError
from monitor.watches.compile import compile_watches
from monitor.watches.parse import MAX_LETTERS, parse
from monitor.watches.terms import Terms

# query, the part under the caret, words of the message, words of the suggestion
REFUSED = [
    ("", "", "empty", "at least one word"),
    ("   ", "   ", "empty", ""),
    ("()", "()", "nothing between", ""),
    ("doha AND ()", "()", "nothing between", ""),
    ("(doha", "(", "never closed", ")"),
    ("doha AND (qatar OR (cairo)", "(", "never closed", ""),
    ("doha)", ")", "nothing opens", "remove"),
    ("doha AND", "AND", "missing after AND", '"and"'),
    ("doha OR", "OR", "missing after OR", '"or"'),
    ("doha NOT", "NOT", "missing after NOT", ""),
    ("OR doha", "OR", "missing before", '"or"'),
    ("AND doha", "AND", "missing before", ""),
    ("doha OR OR qatar", "OR OR", "beside each other", ""),
    ("doha AND OR qatar", "AND OR", "beside each other", ""),
    ("(doha OR) qatar", ")", "missing after OR", ""),
    (
        "doha AND qatar OR cairo",
        "OR",
        "without parentheses",
        "(doha AND qatar) OR cairo  or  doha AND (qatar OR cairo)",
    ),
    ("doha OR qatar cairo", "OR", "without parentheses", "doha OR (qatar AND cairo)  or  (doha OR qatar) AND cairo"),
    ("doha OR qatar -cairo", "OR", "without parentheses", "(doha OR qatar) AND -cairo"),
    ("NOT doha", "NOT doha", "lacks a word", "must be there"),
    ("-doha", "-doha", "lacks a word", ""),
    ("doha OR NOT qatar", "doha OR NOT qatar", "lacks a word", ""),
    ("NOT doha NOT qatar", "NOT doha NOT qatar", "lacks a word", ""),
    ("title:(-doha)", "title:(-doha)", "lacks a word", ""),
    ("doha NEAR qatar", "NEAR", "how near", "NEAR/5"),
    ("doha NEAR/x qatar", "NEAR/x", "how near", ""),
    ("doha PRE/s qatar", "PRE/s", "counts words", "NEAR/s"),
    ("doha NEAR/0 qatar", "NEAR/0", "1 to 50", ""),
    ("doha NEAR/51 qatar", "NEAR/51", "1 to 50", "NEAR/p"),
    ("doha NEAR/99999999999 qatar", "NEAR/99999999999", "1 to 50", ""),
    ("NEAR/5 doha", "NEAR/5", "missing before", ""),
    ("doha NEAR/5", "NEAR/5", "missing after", ""),
    ("doha NEAR/5 (qatar AND cairo)", "(qatar AND cairo)", "NEAR and PRE join words", "qatar NEAR/5 cairo"),
    ("doha NEAR/5 (NOT qatar)", "(NOT qatar)", "NEAR and PRE join words", ""),
    ("doha NEAR/5 title:qatar", "title:qatar", "NEAR and PRE join words", "title:("),
    ("doha NEAR/5 (qatar NEAR/2 cairo)", "(qatar NEAR/2 cairo)", "NEAR and PRE join words", ""),
    ("doha NEAR/5 /qa.ar/", "/qa.ar/", "NEAR and PRE join words", ""),
    ("atleast(doha)", "atleast", "needs a number", "atleast3"),
    ("atleast0(doha)", "atleast0(doha)", "1 to 100", ""),
    ("atleast3(doha AND qatar)", "atleast3(doha AND qatar)", "counts places", ""),
    ("titel:doha", "titel:", "no field titel:", "title"),
    ("date:today", "date:", "no field date:", "fields are"),
    ("title: doha", "title:", "missing directly behind", "no space"),
    ("title:lead:doha", "lead:", "inside title:", ""),
    ("outlet:bbcc", "bbcc", "not known", "bbc"),
    ("lang:hebrew", "hebrew", "not known", ""),
    ("kind:opinon", "opinon", "not known", "opinion"),
    ("lang:(he AND ar)", "he AND ar", "one value", ""),
    ("outlet:@doha", "@doha", "takes a value", ""),
    ("@dohaa", "@dohaa", "no concept @dohaa", "doha"),
    ("@", "@", "name of a concept is missing", ""),
    ("name:@doha", "@doha", "name: takes", ""),
    ("name:(doha AND qatar)", "(doha AND qatar)", "name: takes", ""),
    ('"doha', '"', "never closed", ""),
    ("doha “qatar", "“", "never closed", ""),
    ('""', '""', "no letter or digit", ""),
    ("…", "…", "not part of the query language", ""),
    ("*", "*", "only at the end", "hostag*"),
    ("*stage", "*", "only at the end", ""),
    ("host*ge", "*", "only at the end", ""),
    ("/(doha/", "/(doha/", "not a regular expression", ""),
    ("/doha", "/", "empty or never closed", ""),
    ("//", "/", "empty or never closed", ""),
    ("/.*/", "/.*/", "matches every text", ""),
    ("/x*/", "/x*/", "matches every text", ""),
    (r"/\b/", r"/\b/", "matches every text", ""),
    ("/(?:)/", "/(?:)/", "matches every text", ""),
    ("doha & qatar", "&", "not an operator", "AND"),
    ("doha || qatar", "||", "not an operator", "OR"),
    ("!doha", "!", "not an operator", "NOT"),
    ("doha - qatar", "-", "dash standing alone", "NOT"),
    ("doha – qatar", "–", "dash standing alone", ""),
    ("doha : qatar", ":", "belongs to a field", ""),
    ("= doha", "=", "directly behind", ""),
    ("#doha", "#", "not part of the query language", "quote"),
    ("חטופים AND (דוחא", "(", "never closed", ""),
    ("\u200fחטופים\u200f AND OR דוחא", "AND OR", "beside each other", ""),
]


@pytest.fixture(scope="module")
def terms(concepts: dict[str, Concept]) -> Terms:
    return Terms(concepts)


@pytest.mark.parametrize(("query", "caret", "message", "suggestion"), REFUSED)
def test_a_refusal_says_what_where_and_what_to_write(
    query: str, caret: str, message: str, suggestion: str, terms: Terms
) -> None:
    with pytest.raises(QueryError) as refused:
        parse(query, terms, outlets=("bbc", "reuters"))
    error = refused.value
    assert query[error.start : error.end] == caret
    assert message in error.message
    assert suggestion in error.suggestion


def test_the_position_is_the_innermost_open_parenthesis(terms: Terms) -> None:
    with pytest.raises(QueryError) as refused:
        parse("(doha) AND (qatar OR (cairo", terms)
    assert refused.value.start == 21


@pytest.mark.parametrize(
    "query", ["(" * 5_000 + "doha" + ")" * 5_000, "a " * MAX_LETTERS, "/" + "a" * 2_000 + "/", "NOT " * 3_000 + "doha"]
)
def test_limits_are_refusals_and_not_crashes(query: str, terms: Terms) -> None:
    with pytest.raises(QueryError):
        parse(query, terms)


def test_f102_one_refused_watch_hides_no_other_and_no_other_error(concepts: dict[str, Concept]) -> None:
    queries = {"good": "doha", "empty": " ", "invalid": "/(/", "all": "/.?/", "open": "(doha", "also-good": "qatar"}
    watches = [Watch(id=name, title=name, when=when) for name, when in queries.items()]
    compiled, bad = compile_watches(watches, concepts, outlets=())
    assert compiled.ids == ("good", "also-good")
    assert [refused.watch for refused in bad] == ["empty", "invalid", "all", "open"]
    assert all(str(refused.error) for refused in bad)


@pytest.mark.parametrize(
    "query",
    [
        'צה"ל',
        "צה״ל",
        '"צה"ל"',
        "“עסקת חטופים”",
        "„Geisel“",
        "«hostage deal»",
        "״עסקת חטופים״",
        "or",
        "doha or qatar",
        "U.S.",
        "AT&T",
        "10:30",
        "1,000",
        "24/7",
        "ג'יהאד",
        "אל־ת'אני",
        "title:(doha OR qatar)",
        "Name:Zamir",
        "doha -qatar",
        "doha –qatar",
        "(doha)",
        "((doha))",
        "atleast2(doha OR qatar)",
        "Atleast2(doha)",
        "/do(h|ch)a/",
        r"/a\/b/",
        "=US",
        '="hostage deal"',
        "hostag*",
        "lang:he doha",
        "NOT NOT doha doha",
        "doha NEAR/5 qatar PRE/3 cairo",
        "(doha NEAR/2 qatar) NEAR/5 cairo",
        "\u202bדוחא\u202c",
        "outlet:(bbc OR reuters) doha",
        "kind:live doha",
        "@doha",
        "doha\nAND\nqatar",
        "near",
        "oar AND north",
        "NEARBY",
    ],
)
def test_these_are_understood(query: str, terms: Terms) -> None:
    parse(query, terms, outlets=("bbc", "reuters"))
