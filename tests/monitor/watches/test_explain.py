"""Why a watch fired or not: the clause, the words, and for a miss what failed and what came nearest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.watches.compile import WatchSet
from monitor.watches.engine import ItemText
from monitor.watches.explain import told

Compile = Callable[..., WatchSet]


def test_a_hit_names_the_clause_and_the_words(watching: Compile) -> None:
    item = ItemText("Hostage deal reached in Doha")
    explanation = watching("(@hostage NEAR/5 @deal) AND (@cairo OR @doha)").explain("q0", item)
    assert explanation.hit
    assert explanation.clause == "(@hostage NEAR/5 @deal) AND @doha"
    words = [item.title[span.start : span.end] for span in explanation.spans]
    assert words == ["Hostage", "deal", "Doha"]
    assert explanation.failures == ()


@pytest.mark.parametrize(
    ("query", "text", "clause", "reason", "nearest"),
    [
        ("doha AND cairo", "Doha", "cairo", "the word is not there", ""),
        ("mediator", "The meditator", "mediator", "not there", "meditator"),
        ("doha AND (cairo OR gaza)", "Doha", "(cairo OR gaza)", "none of these", ""),
        ("US", "told us", "US", "not there", "not in capitals"),
        ("=hostage", "hostages", "=hostage", "not there", "“hostages” is there; = takes the bare word"),
        ("=חטופים", "החטופים", "=חטופים", "not there", "“החטופים”"),
        ("name:ישראל", "ישראלי", "name:ישראל", "not there", "takes no endings"),
        ("גל", "הגל", "גל", "not there", "too little remains"),
        ("@doha", "נתניהו דוחה", "@doha", "no form", "“דוחה” has another common meaning and counts only with"),
        ("@mossad", "מוסד חדש", "@mossad", "no form", "only beside another concept"),
        ('"hostage deal"', "hostages: a deal", '"hostage deal"', "phrase is not there", "not side by side"),
        ('"hostage deal"', "hostages", '"hostage deal"', "phrase is not there", "missing: deal"),
        ("hostage NEAR/2 deal", "hostages in a good deal", "hostage NEAR/2 deal", "within 2 words", "4 words apart"),
        ("hostage PRE/5 deal", "deal on hostages", "hostage PRE/5 deal", "within 5 words", "in the other order"),
        ("hostage NEAR/s deal", "Hostages. Deal", "hostage NEAR/s deal", "in one sentence", ""),
        ("hostage NEAR/2 deal", "hostages", "deal", "the word is not there", ""),
        ("atleast3(deal)", "deal or deal", "atleast3(deal)", "3 places are needed, 2 found", ""),
        ("doha NOT football", "Doha football", "NOT football", "must not be there", "“football” in title"),
        ("outlet:bbc doha", "Doha", "outlet:bbc", "outlet is", ""),
        ("lang:he doha", "Doha", "lang:he", "language is und", ""),
        ("lead:doha", "Doha", "lead:doha", "not in lead", "it stands in title"),
        ("/d.ha x/", "Doha", "/d.ha x/", "pattern is not found", ""),
    ],
)
def test_a_miss_names_the_clause_that_failed_and_the_nearest_miss(
    query: str, text: str, clause: str, reason: str, nearest: str, watching: Compile
) -> None:
    explanation = watching(query).explain("q0", ItemText(text))
    assert not explanation.hit
    failure = explanation.failures[0]
    assert query[failure.start : failure.end] == failure.clause == clause
    assert reason in failure.reason
    assert nearest in failure.nearest


def test_a_miss_lists_every_part_that_failed_and_shows_what_was_met(watching: Compile) -> None:
    explanation = watching("doha AND cairo AND gaza").explain("q0", ItemText("Gaza"))
    assert [failure.clause for failure in explanation.failures] == ["doha", "cairo"]
    assert [span.term for span in explanation.spans] == ["gaza"]


def test_another_outlet_is_a_reason(watching: Compile) -> None:
    explanation = watching("doha", outlets=("bbc",)).explain("q0", ItemText("Doha", outlet="reuters"))
    assert not explanation.hit
    assert "reuters" in explanation.failures[0].reason


def test_a_pattern_out_of_time_is_told_as_undecided(watching: Compile) -> None:
    explanation = watching("/(a|aa)+$/").explain("q0", ItemText("a" * 60 + "!"))
    assert explanation.hit
    assert explanation.undecided == "/(a|aa)+$/"


def test_an_explanation_is_told_in_lines(watching: Compile) -> None:
    item = ItemText("Talks in Doha resume")
    hit = told(watching("@doha").explain("q0", item), item)
    assert hit == ("q0: found by @doha", "  @doha in title: …Talks in [Doha] resume…")
    miss = told(watching("cairo").explain("q0", item), item)
    assert miss == ("q0: not found", "  not met: cairo: the word is not there")


def test_the_expansion_shows_what_each_term_finds(watching: Compile) -> None:
    watches = watching('hostage AND name:Zamir AND =us AND US AND "עסקת חטופים" AND חטופ* AND @doha AND /x.y/')
    shown = {expansion.term: expansion for expansion in watches.expansion("q0")}
    assert shown["hostage"].forms == ("hostage", "hostages")
    assert shown["name:Zamir"].forms == ("zamir",)
    assert [shown[term].kind for term in ("=us", "US", "חטופ*", "/x.y/")] == ["exact", "capitals", "prefix", "pattern"]
    assert shown['"עסקת חטופים"'].forms[0].startswith("עסקת | ")
    assert shown["@doha"].forms == ("Doha", "דוחא", "الدوحة")
    assert shown["@doha"].weak == ("דוחה",)


def test_shown_forms_end_in_the_letters_hebrew_ends_words_with(watching: Compile) -> None:
    (expansion,) = watching("חטוף").expansion("q0")
    assert expansion.forms[:2] == ("חטוף", "חטופים")
