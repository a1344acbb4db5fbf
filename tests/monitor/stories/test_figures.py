"""Numbers and dates, quotations, and slips of the pen, each by itself."""

from __future__ import annotations

import pytest

from monitor.stories.figures import figures
from monitor.stories.quotes import quotations
from monitor.stories.spelling import is_slip
from monitor.stories.units import cut, letters


def keys(text: str, kind: str) -> list[str]:
    return [figure.key for figure in figures(text, cut(text)) if figure.kind == kind]


@pytest.mark.parametrize(
    "same",
    [
        ("7", "seven", "שבעה", "ושבע", "سبعة", "وسبع", "٧", "7th", "seventh"),
        ("22", "twenty-two", "twenty two", "עשרים ושניים", "اثنان وعشرون", "٢٢"),
        ("11", "eleven", "אחת עשרה", "אחד עשר", "أحد عشر"),
        ("300", "three hundred", "שלוש מאות", "ثلاثمئة", "300.0"),
        ("5,000", "5000", "five thousand", "5k", "חמשת אלפים", "خمسة آلاف", "5 thousand", "٥٬٠٠٠"),
        ("2,500,000", "2.5 million", "2.5m", "2.5 מיליון", "2.5 مليون"),
        ("250,000", "two hundred and fifty thousand"),
        ("40", "כארבעים", "ב-40", "ב40", "أربعين"),
        ("some tens", "dozens", "עשרות", "عشرات"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(same: tuple[str, ...]) -> None:
    wanted = same[0].replace(",", "")
    assert {text: keys(text, "number") for text in same[1:]} == {text: [wanted] for text in same[1:]}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("5 percent, 5%, 5 per cent, $5", ["5", "%", "5", "%", "5", "%", "$", "5"]),
        ("41 אחוז, 44 في المئة", ["41", "%", "44", "%"]),
        ("two, three or four; 3-4", ["2", "3", "4", "3", "4"]),
        ('F16 N12 צה"ל', []),
        ("1.5 is not 15", ["1.5", "15"]),
        ("9" * 5000, ["9" * 5000]),
    ],
)
def test_numbers_are_told_apart(text: str, wanted: list[str]) -> None:
    assert keys(text, "number") == wanted


@pytest.mark.parametrize(
    "same",
    [
        ("24.11.", "24 November", "November 24", "the 24th of November", "Nov. 24", "ב-24 בנובמבר", "24 نوفمبر"),
        ("24.11.", "٢٤ تشرين الثاني", "24 من نوفمبر"),
        ("weekday 2", "on Monday", "ביום שני", "ביום ב'", "يوم الاثنين", "الإثنين"),
        ("when tomorrow", "tomorrow", "מחר", "غدا"),
        (".5.", "in May", "במאי", "في أيار"),
        ("10:30", "10:30", "ב-10:30", "الساعة 10:30"),
        ("at 5 pm", "5 p.m.", "5pm", "5 pm"),
        ("2026", "2026", "ב-2026", "٢٠٢٦"),
        ("next 1", "next Sunday", "ביום ראשון הבא", "الأحد المقبل"),
    ],
)  # fmt: skip
def test_a_date_is_the_same_however_it_is_written(same: tuple[str, ...]) -> None:
    assert {text: keys(text, "date") for text in same[1:]} == {text: [same[0]] for text in same[1:]}
    assert [text for text in same[1:] if keys(text, "number")] == []


def test_words_that_may_be_months_are_some_beside_a_date_only() -> None:
    assert keys("Talks may resume; they march on", "date") == []
    assert keys("May 24, since March", "date") == ["24.5.", ".3."]
    assert keys("مارس الوفد ضغوطا في مارس", "date") == [".3."]


def test_a_broadcaster_s_number_is_its_name() -> None:
    assert keys("ערוץ 12, القناة 13, Channel 14", "channel") == ["channel 12", "channel 13", "channel 14"]
    assert keys("ערוץ 12", "number") == []


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('He said "we agreed" and “we will.” Then ‘maybe’', ["we agreed", "we will.", "maybe"]),
        ('צה"ל אמר: "אין", ה"דיל" ב"הארץ", ״כן״', ["אין", "דיל", "הארץ", "כן"]),
        ('قالت و"الجزيرة" «قريب» “نعم”', ["الجزيرة", "قريب", "نعم"]),
        ("the hostages' families, the '90s, it's", []),
        ('An unclosed "mark\nand “another\nend', ["another"]),
        ("„לא“ ”כן” ('no')", ["לא", "כן", "no"]),
        ('שב"כ וצה"ל, חז"ל', []),
    ],
)
def test_what_stands_in_quotation_marks_is_quoted(text: str, quoted: list[str]) -> None:
    assert [text[first:last] for first, last in quotations(text)] == quoted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("recieved", "received"), ("teh", "the"), ("goverment", "government"), ("occured", "occurred"),
        ("erdogan", "erdoğan"), ("הממלשה", "הממשלה"), ("المحاثات", "المحادثات"), ("الى", "إلى"),
    ],
)  # fmt: skip
def test_a_slip_is_one_both_ways(old: str, new: str) -> None:
    assert is_slip(old, new)
    assert is_slip(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hostage", "hostages"), ("agreed", "agrees"), ("killed", "billed"), ("is", "in"), ("talks", "tanks"),
        ("iran", "iraq"), ("הסכם", "ההסכם"), ("אמר", "אמרה"), ("חטופים", "חטופות"), ("הסכם", "הסכים"),
        ("اتفق", "اتفاق"), ("يصل", "وصل"), ("الوسيط", "الوسيطة"), ("7", "8"),
    ],
)  # fmt: skip
def test_another_word_or_another_form_is_no_slip(old: str, new: str) -> None:
    assert not is_slip(old, new)
    assert not is_slip(new, old)


def test_letters_are_what_a_reader_calls_spelling() -> None:
    assert letters("Cease-fire, “7”!") == letters("ceasefire 7")
    assert letters("שָׁלוֹם־עולם") == letters("שלום עולם")
    assert letters("مجدّدًا ٧") == letters("مجددا 7")
    assert letters("إلى") != letters("الى")
