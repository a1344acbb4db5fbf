"""Hedges and denials in three languages: how many are found, and how many of those found are some."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import load
from config.model.fields import Language
from config.model.lexicon import Claims, ClaimWords
from monitor.language.concepts import LANGUAGES
from monitor.stories.phrases import Phrases, Stretch, denied, hedged

TABLE: dict[str, dict[str, list[str]]] = tomllib.loads(Path(__file__).with_name("claims.toml").read_text("utf-8"))
Find = Callable[[str, Any, Phrases], tuple[Stretch, ...]]


def found(find: Find, text: str, language: str, phrases: Phrases) -> list[str]:
    return [text[each.start : each.end] for each in find(text, language, phrases)]


@pytest.mark.parametrize("language", TABLE)
@pytest.mark.parametrize(("does", "find"), [("hedge", hedged), ("denial", denied)])
def test_most_are_found_and_most_found_are_some(language: str, does: str, find: Find, phrases: Phrases) -> None:
    lines = [(line, kind == does) for kind, lines in TABLE[language].items() for line in lines]
    told = [(line, is_one, found(find, line, language, phrases)) for line, is_one in lines]
    right = sum(is_one and bool(words) for _, is_one, words in told)
    wrong = [each for each in told if each[1] != bool(each[2])]
    assert right >= 0.9 * sum(bool(words) for *_, words in told), wrong
    assert right >= 0.9 * sum(is_one for _, is_one, _ in told), wrong


def test_the_table_is_long_enough_in_every_language() -> None:
    for language in get_args(Language):
        assert sum(map(len, TABLE[language].values())) >= 40


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("הדובר אמר שמכחיש את הדברים", "he", ["שמכחיש"]),
        ("وينفي المتحدث الخبر، ونفت الوزارة", "ar", ["وينفي", "ونفت"]),
        ("Hamas DENIED the report", "en", ["DENIED"]),
        ("The ministry rejects all of these claims", "en", ["rejects all of these claims"]),
        ("The ministry rejects the offer. Other claims follow", "en", []),
        ("Le ministre denied", "und", []),
    ],
)
def test_denials_are_found_in_their_forms(text: str, language: str, words: list[str], phrases: Phrases) -> None:
    assert found(denied, text, language, phrases) == words


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Talks may resume in May", "en", ["may"]),
        ("About 20 trucks crossed; talks about trucks go on", "en", ["About"]),
        ("שכ-20 וכשלושים נפגעו, כך שכאחד נותרו", "he", ["שכ", "וכשלושים"]),
        ("قد يوقع الاتفاق، وقد وقع أمس", "ar", ["قد يوقع"]),
        ("The deal is close. To reach it takes a day", "en", ["deal is close"]),
    ],
)
def test_hedges_are_found_where_they_hedge(text: str, language: str, words: list[str], phrases: Phrases) -> None:
    assert found(hedged, text, language, phrases) == words


def test_phrases_are_written_with_choices_gaps_beginnings_and_without_endings() -> None:
    words = ClaimWords(
        en=("set|due to … sign*", "=claim"), unless={"en": ("not set to",)},
    )  # fmt: skip
    phrases = Phrases.of(Claims(hedges={"soon": words}), {})
    assert found(hedged, "set to finally sign, due to be signing", "en", phrases) == [
        "set to finally sign",
        "due to be signing",
    ]
    assert found(hedged, "set to go on with all the signs", "en", phrases) == []
    assert found(hedged, "a claim, the claims", "en", phrases) == ["claim"]


def test_a_longer_phrase_spares_what_it_covers(phrases: Phrases) -> None:
    assert found(denied, "They did not deny it", "en", phrases) == []
    assert found(denied, "They did not deny it. He denies it", "en", phrases) == ["denies"]


def test_every_shipped_table_has_phrases_in_three_languages() -> None:
    claims = load(None, environ={}).claims
    for tables in (claims.hedges, claims.denials):
        assert [name for name, words in tables.items() for language in LANGUAGES if not getattr(words, language)] == []


@settings(deadline=None)
@given(text=st.text(max_size=80), language=st.sampled_from(["en", "he", "ar", "und"]))
def test_places_lie_in_the_text(text: str, language: Any, phrases: Phrases) -> None:
    for each in (*hedged(text, language, phrases), *denied(text, language, phrases)):
        assert 0 <= each.start < each.end <= len(text)
