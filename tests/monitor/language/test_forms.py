"""The rule tables, row by row, and the guards: what a keyword finds and what it must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.language.forms import (
    ARABIC_PREFIXES,
    BARE,
    HEBREW_PREFIXES,
    LOOSE,
    PREPOSITION,
    STRICT,
    SUFFIXED,
    readings,
    surface_forms,
    without_article,
)
from monitor.language.normalise import normalise


def ways(token: str, keyword: str) -> set[int]:
    """How a token can be read as the keyword."""
    keys, found = readings(normalise(token))
    return {how for key, how in zip(keys, found, strict=True) if key == normalise(keyword)}


def finds(keyword: str, token: str, *, name: bool = False) -> bool:
    """As a single word of a query does."""
    return any(how & (BARE | STRICT) and not (name and how & SUFFIXED) for how in ways(token, keyword))


@pytest.mark.parametrize("prefix", sorted(HEBREW_PREFIXES))
def test_every_hebrew_particle_comes_off_a_word_of_four_letters(prefix: str) -> None:
    assert finds("חטופים", prefix + "חטופים")


@pytest.mark.parametrize("prefix", ["ה", "ב", "ל", "ו", "וה", "וב", "ול", "שה", "מה", "כשה", "ולה", "בה"])
def test_these_hebrew_particles_may_leave_three_letters(prefix: str) -> None:
    assert finds("קטר", prefix + "קטר")


@pytest.mark.parametrize("prefix", ["מ", "ש", "כ", "שמ", "ומ", "לכ", "וש"])
def test_other_hebrew_particles_may_not(prefix: str) -> None:
    assert not finds("קטר", prefix + "קטר")


def test_two_letters_never_remain_outside_a_phrase() -> None:
    assert not finds("גל", "הגל")
    assert ways("הגל", "גל") == {LOOSE}
    assert not ways("ברגל", "גל")


@pytest.mark.parametrize("prefix", sorted(ARABIC_PREFIXES))
def test_every_arabic_particle_comes_off_a_word_of_four_letters(prefix: str) -> None:
    assert finds("محادثات", prefix + "محادثات")


@pytest.mark.parametrize("prefix", ["ال", "ب", "ل", "بال", "لل", "وال", "وبال", "ولل", "فال", "كال"])
def test_these_arabic_particles_may_leave_three_letters(prefix: str) -> None:
    assert finds("قطر", prefix + "قطر")


@pytest.mark.parametrize("prefix", ["و", "ك", "ف", "ول", "س"])
def test_other_arabic_particles_may_not(prefix: str) -> None:
    assert not finds("قطر", prefix + "قطر")


def test_the_article_is_not_needed_and_not_in_the_way() -> None:
    assert without_article("الدوحه") == "دوحه"
    assert without_article("الي") is None
    assert all(finds("دوحة", token) for token in ("بالدوحة", "للدوحة", "والدوحة", "الدوحة"))


@pytest.mark.parametrize(
    ("keyword", "forms"),
    [
        ("עסקה", "עסקת עסקות עסקתו עסקתה עסקתם עסקתנו עסקותיו עסקותיה עסקותיהם"),
        ("אפשרות", "אפשרותו אפשרותה אפשרותם אפשרותנו אפשרותי"),
        ("משלחת", "משלחות משלחתו משלחתה משלחתם משלחתנו"),
        ("חטוף", "חטופים חטופות חטופי חטופו חטופיו חטופיה חטופיהם חטופם"),
        ("ילד", "ילדים ילדו ילדיו"),
        ("رهينة", "رهينات رهينته رهينتها رهينتهم رهينتنا رهينتين رهينتان رهيناته رهيناتها رهيناتهم"),
        ("قرار", "قرارات قرارا قرارين قرارون قراره قرارها قرارهم قراراته قراراتها قراراتهم"),
        ("وفد", "وفدا وفدها وفدهم"),
        ("hostage", "hostages"),
        ("family", "families"),
        ("breach", "breaches"),
        ("crisis", "crises"),
        ("spokesman", "spokesmen"),
        ("wife", "wives"),
        ("child", "children"),
        ("truce", "truces"),
        ("day", "days"),
    ],
)
def test_a_word_is_found_in_each_form_of_its_row_and_a_name_in_none(keyword: str, forms: str) -> None:
    for form in forms.split():
        assert finds(keyword, form), form
        assert not finds(keyword, form, name=True), form


@pytest.mark.parametrize(
    ("keyword", "token"),
    [
        ("ילד", "ילדה"),
        ("ילד", "ילדות"),
        ("ישיבה", "ישיבים"),
        ("קטר", "קטרית"),
        ("مصر", "مصري"),
        ("وفد", "وفدات"),
        ("הסכם", "הסכמית"),
        ("new", "news's"),
        ("pas", "pass"),
        ("bus", "bu"),
        ("family", "familys"),
        ("us", "u"),
    ],
)
def test_endings_that_are_more_often_wrong_than_right_are_not_tried(keyword: str, token: str) -> None:
    assert not finds(keyword, token)


def test_a_quoted_name_after_a_particle_is_read_through_its_mark() -> None:
    assert finds("הארץ", 'ב"הארץ')
    assert finds("ארץ", 'ב"הארץ')
    assert finds("דיל", 'ה"דיל')
    assert finds("חמאס", 'מה"חמאס')
    assert finds("الجزيرة", 'و"الجزيرة')


def test_an_acronym_is_not_taken_for_a_quoted_name() -> None:
    assert not finds("כ", 'שב"כ')
    assert finds('צה"ל', 'בצה"ל')
    assert finds('צה"ל', 'שצה"ל')


def test_a_particle_comes_off_a_latin_name_and_a_number() -> None:
    assert finds("BBC", "בBBC")
    assert finds("2026", "ב2026")


def test_only_a_preposition_reads_as_one() -> None:
    assert all(
        PREPOSITION in ways(token, "דוחה") for token in ("בדוחה", "לדוחה", "מדוחה", "שבדוחה", "ולדוחה", "ומדוחה")
    )
    assert PREPOSITION not in ways("הדוחה", "דוחה") | ways("שדוחה", "דוחה") | ways("דוחה", "דוחה")


LETTERS = st.one_of(
    st.text("אבגדהוזחטיכלמנסעפצקרשת", min_size=3, max_size=8),
    st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", min_size=3, max_size=8),
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=8),
)


@given(LETTERS)
def test_every_form_that_is_shown_is_found(keyword: str) -> None:
    for form in surface_forms(keyword):
        assert finds(keyword, form), form


@given(LETTERS, st.sampled_from(sorted(HEBREW_PREFIXES | ARABIC_PREFIXES)))
def test_a_reading_that_is_not_bare_is_shorter_or_an_ending_came_off(keyword: str, prefix: str) -> None:
    keys, found = readings(prefix + keyword)
    assert keys[0] == prefix + keyword
    assert found[0] == BARE
    assert all(len(key) < len(prefix + keyword) + 2 and key for key in keys)
