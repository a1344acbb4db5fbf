"""Text into tokens; which language; terms of the full-text index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.language.identify import identify
from monitor.language.index import index_text
from monitor.language.tokens import Words, tokenise


@pytest.mark.parametrize(
    ("text", "norms"),
    [
        ("Hostages' families", ["hostages", "families"]),
        ("the hostage's brother", ["the", "hostage", "brother"]),
        ("the hostage’s brother", ["the", "hostage", "brother"]),
        ("don't", ["don't"]),
        ("צה''ל, ארה׳׳ב", ['צה"ל', 'ארה"ב']),
        ("the ''deal'' is off", ["the", "deal", "is", "off"]),
        ("U.S. talks", ["u", "s", "talks"]),
        ("cease-fire", ["cease", "fire"]),
        ('he said "yes"and left', ["he", "said", "yes", "and", "left"]),
        ('דובר צה"ל', ["דובר", 'צה"ל']),
        ("דובר צה״ל", ["דובר", 'צה"ל']),
        ("אל־ת'אני", ["אל", "ת'אני"]),
        ('ב"הארץ" נכתב', ['ב"הארצ', "נכתב"]),
        ("١٢ أسيرا", ["12", "اسيرا"]),
        ("a_b", ["a", "b"]),
        ("", []),
    ],
)
def test_tokens_are_cut_at_word_edges(text: str, norms: list[str]) -> None:
    assert [token.norm for token in tokenise(text)] == norms


def test_a_mark_of_two_apostrophes_keeps_its_place_in_the_text() -> None:
    text = "אמר דובר צה''ל בעזה"
    assert [text[each.start : each.end] for each in tokenise(text)] == ["אמר", "דובר", "צה''ל", "בעזה"]


def test_capital_acronyms_keep_their_case_and_words_do_not() -> None:
    words = Words("US tells us: IDF, MPs, ＵＮ, Doha, HAMAS")
    assert set(words.capitals.values()) == {"US", "IDF", "MP", "UN"}


def test_sentences_and_paragraphs_are_numbered() -> None:
    words = Words("One two. Three!\nFour\n\nFive U.S. Mr. Six p.m. seven. Eight")
    together = [words.norms[i] for i in range(1, len(words)) if words.sentences[i] == words.sentences[i - 1]]
    assert together == ["two", "u", "s", "mr", "six", "p", "m", "seven"]
    assert words.paragraphs == [0] * 4 + [1] * 9


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        ("שחרור החטופים", None, "he"),
        ("שחרור החטופים", "en", "he"),
        ("Hostage deal", "he", "en"),
        ("وقف إطلاق النار", "en", "ar"),
        ("12:30", "he", "he"),
        ("…", None, "und"),
        ("…", "fr", "und"),
        ("مفاوضات على الاتفاق بشأن وقف إطلاق النار في غزة", None, "ar"),
        ("گفتگوهای صلح در پایتخت قطر برگزار شد", "ar", "und"),
        ("Переговоры в Дохе", None, "und"),
        ("Les pourparlers de Doha", "fr", "und"),
        ("N12: שחרור החטופים", "en", "he"),
        ("en-text", "en-GB", "en"),
        ("القاهرة: محادثات علی مستوی عال", None, "ar"),
    ],
)
def test_the_script_tells_the_language_and_overrules_the_feed(text: str, declared: str | None, language: str) -> None:
    assert identify(text, declared) == language


@given(st.text(max_size=80))
def test_index_terms_hold_letters_and_digits_only(anything: str) -> None:
    assert all(any(letter.isalnum() for letter in term) for term in index_text(anything).split())
    assert not set("\"'-*()") & set(index_text(anything))
