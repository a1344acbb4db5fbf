"""One spelling for every way a word is written (language rules 1.2; faults F87, F88)."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.language.normalise import _SOLID, fold, normalise, offsets
from monitor.language.tokens import Words, tokenise

WORDS = {
    "he": ["חטופים", "הסכם", 'צה"ל', "ג'יהאד", "מתווך", 'כ"ץ', "שחרור", "דוחא", "עסקת", "קטאר"],
    "ar": ["الدوحة", "رهائن", "وساطة", "إطلاق", "أسرى", "مفاوضات", "هدنة", "القاهرة", "مسؤول", "هيئة", "على"],
    "en": ["Hostage", "deal", "ceasefire", "Doha", "talks", "mediator's", "Erdoğan", "fiancée", "don't"],
}
INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
    "\u061c\ufeff\u00ad\u034f\ufe0e\ufe0f\U000e0100"
)
NIQQUD = [chr(c) for c in range(0x5B0, 0x5BD)] + ["\u05bf", "\u05c1", "\u05c2", "\u0591", "\u05a5"]
TASHKEEL = [chr(c) for c in range(0x64B, 0x653)] + ["\u0670", "\u0610", "\u06d6"]


def text(*languages: str) -> st.SearchStrategy[str]:
    """A few words of these languages."""
    words = [word for language in languages for word in WORDS[language]]
    return st.lists(st.sampled_from(words), min_size=1, max_size=6).map(" ".join)


def inserted(data: st.DataObject, original: str, signs: list[str] | str, *, after: str = "letters") -> str:
    """Signs put behind some letters."""
    made = []
    for letter in original:
        made.append(letter)
        if letter.isalpha() and after == "letters":
            made += data.draw(st.lists(st.sampled_from(list(signs)), max_size=2))
    return "".join(made)


def replaced(data: st.DataObject, original: str, table: dict[str, str]) -> str:
    """Some letters written another way: each value lists the possible ones."""
    return "".join(data.draw(st.sampled_from(letter + table.get(letter, ""))) for letter in original)


@given(text("he", "ar", "en"), st.data())
def test_f087_invisible_letters_between_letters_change_nothing(original: str, data: st.DataObject) -> None:
    perturbed = inserted(data, original, INVISIBLE)
    assert Words(perturbed).norms == Words(original).norms


@given(text("he"), st.data())
def test_f088_niqqud_and_accents_change_nothing(original: str, data: st.DataObject) -> None:
    assert normalise(inserted(data, original, NIQQUD)) == normalise(original)


@given(text("ar"), st.data())
def test_f088_tashkeel_and_tatweel_change_nothing(original: str, data: st.DataObject) -> None:
    assert normalise(inserted(data, original, [*TASHKEEL, "ـ"])) == normalise(original)


@given(text("he"), st.data())
def test_f088_every_gershayim_and_geresh_is_one(original: str, data: st.DataObject) -> None:
    perturbed = replaced(data, original, {'"': "״“”„‟″＂", "'": "׳’‘‛ʼ´`′"})
    assert Words(perturbed).norms == Words(original).norms


@given(text("ar"), st.data())
def test_f088_hamza_teh_marbuta_and_alef_maqsura_are_folded(original: str, data: st.DataObject) -> None:
    table = {"أ": "اإ", "إ": "ا", "آ": "ا", "ة": "ه", "ى": "يی", "ي": "ىی", "ؤ": "و", "ئ": "ي", "ك": "ک"}
    assert normalise(replaced(data, original, table)) == normalise(original)


@given(text("he"), st.data())
def test_f088_final_letters_and_presentation_forms_are_folded(original: str, data: st.DataObject) -> None:
    presented = {"ש": "\ufb2a\ufb2b", "א": "\ufb2e\ufb21", "ב": "\ufb31", "ת": "\ufb4a\ufb28", "ה": "\ufb23"}
    table = dict(zip("ךםןףץ", "כמנפצ", strict=True)) | presented
    assert normalise(replaced(data, original, table)) == normalise(original)


@given(text("ar"))
def test_f088_arabic_presentation_forms_are_folded(original: str) -> None:
    shown = "".join(_presented(letter) for letter in original)
    assert normalise(shown) == normalise(original)


def _presented(letter: str) -> str:
    """An isolated presentation form, where there is one."""
    if not "\u0600" <= letter <= "\u06ff":
        return letter
    name = unicodedata.name(letter)
    try:
        return unicodedata.lookup(f"{name} ISOLATED FORM")
    except KeyError:
        return letter


@given(text("en"), st.sampled_from(["upper", "full width", "mathematical", "soft hyphen", "decomposed"]))
def test_f088_case_full_width_and_mathematical_letters_are_folded(original: str, how: str) -> None:
    ways: dict[str, Callable[[str], str]] = {
        "upper": str.upper,
        "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
        "mathematical": lambda text: "".join(chr(0x1D400 + ord(c) - 65) if "A" <= c <= "Z" else c for c in text),
        "soft hyphen": "\u00ad".join,
        "decomposed": lambda text: unicodedata.normalize("NFD", text),
    }
    perturbed = ways[how](original)
    assert Words(perturbed).norms == Words(original).norms


@pytest.mark.parametrize(
    ("one", "other"),
    [("חטוף", "חטופה"), ("دوحة", "دوحات"), ("deal", "dealt"), ("Erdoğan", "Erdogan"), ("גל", "גיל"), ("صفقة", "سفقة")],
)
def test_f088_different_words_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text(max_size=60))
def test_offsets_lead_back_into_the_text_whatever_it_is(anything: str) -> None:
    folded, back = fold(anything), offsets(anything)
    assert len(back.starts) == len(back.ends) == len(folded)
    assert all(0 <= start <= end <= len(anything) for start, end in zip(back.starts, back.ends, strict=True))
    assert list(back.starts) == sorted(back.starts)


@given(st.text(max_size=60))
def test_tokens_of_any_text_lie_in_it_in_order_and_hold_their_word(anything: str) -> None:
    tokens = tokenise(anything)
    assert [token.norm for token in tokens] == Words(anything).norms
    for before, token in itertools.pairwise(tokens):
        assert before.start <= before.end <= token.end
    assert all(token.norm and 0 <= token.start < token.end <= len(anything) for token in tokens)


@given(text("he", "ar", "en"), st.data())
def test_a_highlighted_token_is_its_word_in_the_original(original: str, data: st.DataObject) -> None:
    perturbed = inserted(data, original, INVISIBLE + "".join(NIQQUD) if original[0] >= "\u0590" else INVISIBLE)
    for token in tokenise(perturbed):
        assert Words(perturbed[token.start : token.end]).norms == [token.norm]


def test_marks_belong_to_the_letter_they_stand_on() -> None:
    written = "הַחֲטוּפִים שבו"
    (first, _) = tokenise(written)
    assert written[first.start : first.end] == "הַחֲטוּפִים"


@pytest.mark.parametrize("letter", ["İ", "ǰ", "ΐ", "ẖ", "ὒ"])
def test_a_letter_whose_small_form_is_two_signs_does_not_cut_its_word(letter: str) -> None:
    assert len(Words(f"ab{letter}cd").norms) == 1


def test_solid_letters_fold_to_one_letter_each_and_compose_with_none_of_each_other() -> None:
    solid = [chr(code) for code in range(0x3000) if re.match(f"[{_SOLID}]", chr(code))]
    assert len(solid) > 150
    assert [letter for letter in solid if len(fold(letter)) != 1] == []
    pairs = (one + other for one in solid for other in solid)
    assert [pair for pair in pairs if not unicodedata.is_normalized("NFKC", pair)] == []


@given(st.text("aאבםו\u05b4״'ßﻻآاة…½\u0301\u0653\u200f\u00a0 \n,.", max_size=14))
def test_the_way_back_is_the_same_whatever_stands_around_a_word(text: str) -> None:
    """Words that are solid take a shorter way."""
    for start, word in ((found.start(), found[0]) for found in re.finditer(r"\S+", text)):
        alone, among = offsets(word), offsets(f"{text}\n…")
        before = len(fold(text[:start]))
        length = len(fold(word))
        assert [start + each for each in alone.starts] == list(among.starts[before : before + length])
        assert [start + each for each in alone.ends] == list(among.ends[before : before + length])
