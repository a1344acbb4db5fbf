"""Whether one word is another misspelt: a slip inside the word, never another form of it.

An inflection, a tense, an attached particle change what is said, and are no slips, although they are as small. Without
a dictionary a slip that makes another word (form, from) cannot be told from a slip that makes none.
"""

from __future__ import annotations

import unicodedata

from monitor.language.forms import BARE, is_arabic, is_hebrew, readings
from monitor.language.normalise import normalise
from monitor.stories.units import letters

_LONGEST = 40
_ENDINGS = {
    "en": frozenset(["", "s", "es", "d", "ed", "r", "er", "ing", "ly", "n", "en", "y", "ies", "ers"]),
    "he": frozenset(["", "ה", "ת", "ו", "י", "ימ", "ות", "מ", "נו", "נ", "תי", "יו", "יה", "ית", "יות", "כ"]),
    "ar": frozenset(["", "ه", "ها", "هم", "ت", "وا", "ون", "ين", "ان", "ات", "ا", "ي", "ن", "تا", "و", "نا"]),
}


def is_slip(old: str, new: str, *, one_name: bool = False) -> bool:
    """Whether one of two different words is the other one misspelt; ``one_name``: they are known to mean the same."""
    if (old[0] != new[0]) and (old + new).isascii() and (old + new).islower():
        return False
    one, other = normalise(letters(old)), normalise(letters(new))
    if one == other or _without_accents(one) == _without_accents(other):
        return True
    if not one or not other or max(len(one), len(other)) > _LONGEST or not (one + other).isalpha():
        return False
    near = distance(one, other) == 1 if one_name else _near(one, other)
    return one[0] == other[0] and near and not _inflected(one, other)


def _near(one: str, other: str) -> bool:
    """One slip; two in a long word. The shorter the word, the fewer kinds of slip are believed."""
    short, least = min(len(one), len(other)), 4 if one[0] < "\u0370" else 5
    if _swapped(one, other):
        return short >= 3
    if len(one) == len(other):
        wrong = sum(a != b for a, b in zip(one, other, strict=True))
        return wrong == 1 and short >= 7
    if short >= least and _one_more(*sorted((one, other), key=len)):
        return True
    return short >= 9 and distance(one, other) <= 2


def _swapped(one: str, other: str) -> bool:
    """Two neighbouring letters have changed places."""
    places = [index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(one) != len(other) or len(places) != 2 or places[1] - places[0] != 1:
        return False
    first, second = places
    return one[first] == other[second] and one[second] == other[first]


def _one_more(short: str, long: str) -> bool:
    if len(long) - len(short) != 1:
        return False
    same = next((index for index, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[same:] == long[same + 1 :]


def distance(one: str, other: str) -> int:
    """Letters put in, left out or replaced (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def _inflected(one: str, other: str) -> bool:
    """Whether they are forms of one word: different endings, or the same word with other particles attached."""
    same = next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    script = "he" if is_hebrew(one) else "ar" if is_arabic(one) else "en"
    if one[same:] in _ENDINGS[script] and other[same:] in _ENDINGS[script]:
        return True
    return not _stems(one).isdisjoint(_stems(other))


def _stems(word: str) -> frozenset[str]:
    return frozenset(key for key, how in zip(*readings(word), strict=True) if how != BARE or key != word)


def _without_accents(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
