"""Words for numbers and dates in English, Hebrew and Arabic, and what a word means there.

Tables of words as they are written; they are compared normalised, and without what is attached in front.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from monitor.language.forms import BARE, LOOSE, STRICT, is_arabic, is_hebrew, readings
from monitor.language.normalise import normalise

Sort = Literal["number", "ten", "times", "vague", "sign", "month", "unsure month", "weekday", "when", "span", "which"]


class Meaning(NamedTuple):
    """What a word is: ``ten`` follows a unit in 11 to 19, ``times`` multiplies what stands before it, ``vague`` is no
    exact number unless it follows one, ``span`` (week) is a date with a ``which`` (next) beside it."""

    sort: Sort
    value: str


def _words(written: str) -> list[str]:
    return written.split()


_NUMBERS = {
    0: "zero nil אפס صفر",
    1: "one אחד אחת واحد واحدة أحد إحدى first ראשון ראשונה أول أولى",
    2: "two twice couple second שניים שני שתיים שתי שנייה יומיים שבועיים חודשיים שעתיים פעמיים שנתיים "
       "اثنان اثنين اثنتان اثنتين اثنا اثني اثنتا اثنتي ثاني ثانية يومان يومين أسبوعان أسبوعين شهران شهرين "
       "عامان عامين ساعتان ساعتين مرتان مرتين سنتان سنتين",
    3: "three third שלוש שלושה שלושת שלישי שלישית ثلاث ثلاثة ثالث ثالثة",
    4: "four fourth ארבע ארבעה ארבעת רביעי רביעית أربع أربعة رابع رابعة",
    5: "five fifth חמש חמישה חמשת חמישי חמישית خمس خمسة خامس خامسة",
    6: "six sixth שש שישה ששת שישי שישית ست ستة سادس سادسة",
    7: "seven seventh שבע שבעה שבעת שביעי שביעית سبع سبعة سابع سابعة",
    8: "eight eighth שמונה שמונת שמיני שמינית ثماني ثمانية ثمان ثامن ثامنة",
    9: "nine ninth תשע תשעה תשעת תשיעי תשיעית تسع تسعة تاسع تاسعة",
    10: "ten tenth עשירי עשירית عاشر عاشرة",
    11: "eleven", 12: "twelve dozen תריסר", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen",
    17: "seventeen", 18: "eighteen", 19: "nineteen",
    20: "twenty עשרים عشرون عشرين", 30: "thirty שלושים ثلاثون ثلاثين", 40: "forty ארבעים أربعون أربعين",
    50: "fifty חמישים خمسون خمسين", 60: "sixty שישים ستون ستين", 70: "seventy שבעים سبعون سبعين",
    80: "eighty שמונים ثمانون ثمانين", 90: "ninety תשעים تسعون تسعين",
    200: "מאתיים مئتان مئتين مائتان مائتين", 300: "ثلاثمئة ثلاثمائة", 400: "أربعمئة أربعمائة", 500: "خمسمئة خمسمائة",
    600: "ستمئة ستمائة", 700: "سبعمئة سبعمائة", 800: "ثمانمئة ثمانمائة", 900: "تسعمئة تسعمائة",
    2000: "אלפיים ألفان ألفين",
}  # fmt: skip
_TENS = "עשר עשרה עשרת عشر عشرة"  # ten by itself, and the second word of 11 to 19
_TIMES = {
    100: "hundred מאה مئة مائة",
    1000: "thousand אלף ألف",
    10**6: "million מיליון مليون",
    10**9: "billion מיליארד مليار",
}
_VAGUE = {  # after a unit they multiply as well: שלוש מאות, خمسة آلاف
    "tens": "dozens tens scores עשרות عشرات", "100": "hundreds מאות مئات", "1000": "thousands אלפים אלפי آلاف",
    "1000000": "millions מיליוני ملايين", "1000000000": "billions מיליארדי مليارات",
    "1/2": "half halves חצי מחצית نصف", "1/4": "quarter רבע ربع", "1/3": "שליש ثلث",
}  # fmt: skip
_SIGNS = {
    "%": "percent pct אחוז אחוזים بالمئة بالمائة", "$": "dollar dollars דולר דולרים דולרי دولار دولارات دولارا",
    "€": "euro euros אירו יורו يورو", "₪": "shekel shekels שקל שקלים שקלי شيكل شيقل", "£": 'pounds ליש"ט جنيه',
}  # fmt: skip
_MONTHS = (
    "january jan ינואר يناير", "february feb פברואר فبراير شباط", "mar מרץ מרס آذار",
    "april apr אפריל أبريل إبريل أفريل نيسان",
    "מאי مايو أيار", "june jun יוני يونيو يونيه حزيران", "july jul יולי يوليو يوليه تموز", "august aug אוגוסט أغسطس",
    "september sep sept ספטמבר سبتمبر أيلول", "october oct אוקטובר أكتوبر", "november nov נובמבר نوفمبر",
    "december dec דצמבר ديسمبر",
)  # fmt: skip
_UNSURE_MONTHS = {3: "march مارس", 5: "may", 8: "آب"}  # months only beside a day, a year, or "in"
MONTH_PAIRS = {("كانون", "ثاني"): "1", ("تشرين", "اول"): "10", ("تشرين", "ثاني"): "11", ("كانون", "اول"): "12"}
"""Months of two words, both without the article."""
_WEEKDAYS = (
    "sunday sundays الأحد", "monday mondays الاثنين الإثنين", "tuesday tuesdays الثلاثاء",
    "wednesday wednesdays الأربعاء", "thursday thursdays الخميس", "friday fridays الجمعة",
    "saturday saturdays שבת السبت",
)  # fmt: skip
HEBREW_DAYS = {"ראשונ": "1", "שני": "2", "שלישי": "3", "רביעי": "4", "חמישי": "5", "שישי": "6", "שבת": "7",
               "א": "1", "ב": "2", "ג": "3", "ד": "4", "ה": "5", "ו": "6"}  # fmt: skip
"""After יום; normalised."""
_WHEN = {
    "today": "today היום اليوم", "tomorrow": "tomorrow מחר غدا الغد", "yesterday": "yesterday אתמול أمس البارحة",
    "tonight": "tonight הלילה الليلة", "last night": "אמש", "in two days": "מחרתיים", "two days ago": "שלשום",
    "morning": "morning mornings הבוקר בבוקר صباح صباحا", "noon": "noon midday צהריים ظهرا",
    "afternoon": "afternoon عصرا", "evening": "evening evenings הערב בערב مساء", "midnight": "midnight חצות",
    "night": "overnight night", "dawn": "dawn فجرا",
    "this week": "השבוע", "weekend": "weekend סופש",
}  # fmt: skip
_SPANS = "week month year שבוע חודש שנה أسبوع شهر عام سنة"
_WHICH = {
    "next": "next coming following הבא הבאה הקרוב הקרובה المقبل المقبلة القادم القادمة",
    "this": "this current الجاري الجارية الحالي הנוכחי הנוכחית",
    "last": "last past previous שעבר שעברה הקודם הקודמת الماضي الماضية المنصرم المنصرمة الفائت",
}  # fmt: skip
CLOCK = frozenset(map(normalise, ["שעה", "ساعة"]))
"""A number behind these is a time."""
CHANNELS = frozenset(map(normalise, ["channel", "ערוץ", "חדשות", "قناة"]))
"""A number behind these is part of a broadcaster's name."""
_ON = "in of until by since last next this early late mid during from to through في من شهر خلال حتى منذ"
ON_MONTHS = frozenset(normalise(word) for word in _words(_ON))
"""Words before a month that is also another word."""
_WEAK = frozenset(normalise(word) for word in _words(_NUMBERS[1]))


def _table() -> dict[str, Meaning]:
    made: dict[str, Meaning] = {}

    def add(words: str, sort: Sort, value: str) -> None:
        made.update((normalise(word), Meaning(sort, value)) for word in _words(words))

    for number, words in _NUMBERS.items():
        add(words, "number", str(number))
    add(_TENS, "ten", "10")
    for number, words in _TIMES.items():
        add(words, "times", str(number))
    for value, words in _VAGUE.items():
        add(words, "vague", value)
    for value, words in _SIGNS.items():
        add(words, "sign", value)
    for place, words in enumerate(_MONTHS, 1):
        add(words, "month", str(place))
    for place, words in _UNSURE_MONTHS.items():
        add(words, "unsure month", str(place))
    for place, words in enumerate(_WEEKDAYS, 1):
        add(words, "weekday", str(place))
    for value, words in _WHEN.items():
        add(words, "when", value)
    add(_SPANS, "span", "")
    for value, words in _WHICH.items():
        add(words, "which", value)
    return made


_MEANINGS = _table()


@lru_cache(maxsize=16384)
def meaning(norm: str) -> Meaning | None:
    """What a unit means among numbers and dates; ``None`` for every other word."""
    found = _MEANINGS.get(norm)
    if found is not None or norm < "\u0370":
        return found
    return next((_MEANINGS[stem] for stem in stems(norm) if stem in _MEANINGS), None)


def stems(norm: str) -> list[str]:
    """A word without what is attached in front, in every way it may be read; at least three letters remain."""
    if not (is_hebrew(norm) or is_arabic(norm)):
        return []
    keys, ways = readings(norm)
    return [key for key, how in zip(keys, ways, strict=True) if how in (BARE, STRICT, LOOSE) and len(key) >= 3]


def is_weak(norm: str) -> bool:
    """Words for one, which are also pronouns and "first"."""
    return norm in _WEAK or any(stem in _WEAK for stem in stems(norm))
