"""Word forms: which keywords a token of a text can be a form of, and which forms a keyword has.

The rules are tables, measured on treebanks (docs/languages.md shows them): attached particles of Hebrew and
Arabic come off under a guard on what remains, number and possessive endings count for common words only,
irregular forms are listed by whoever writes the concept.

`readings` is what the engine uses (from a token to keywords); `surface_forms` shows a keyword's forms to people.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

BARE, STRICT, LOOSE, PREPOSITION, SUFFIXED = 1, 2, 4, 8, 16
"""How a reading came about: the whole token; a particle came off and the guard was kept; without the guard (only
inside phrases, where the neighbours give the precision); a Hebrew preposition came off; an ending came off."""

Readings = tuple[tuple[str, ...], bytes]
"""Keywords, and for each the bits of how it was read."""

HEBREW_PREFIXES = frozenset(
    "".join(parts)
    for parts in product(
        ("", "ו"),
        ("", "ש", "כש", "מש", "לכש", "בש"),
        ("", "ה", "ב", "כ", "ל", "מ", "מה", "בה", "לה", "כה"),
    )
) - {""}
HEBREW_SHORT = frozenset(["ה", "ב", "ל", "ו", "וה", "וב", "ול", "שה", "מה", "כשה", "ולה", "בה"])
"""Particles that may leave three letters; the others leave at least four (ש .54, כ .27 precision at three)."""
HEBREW_PREPOSITIONS = frozenset(["ב", "ל", "מ", "שב", "של", "שמ", "וב", "ול", "ומ"])

ARABIC_PREFIXES = frozenset(
    "".join(parts).replace("لال", "لل") for parts in product(("", "و", "ف"), ("", "ب", "ك", "ل", "س"), ("", "ال"))
) - {""}
ARABIC_SHORT = frozenset(["ال", "ب", "ل", "بال", "لل", "وال", "وبال", "ولل", "فال", "كال"])

# Endings, by how the keyword K ends (all letters folded: final letters plain, teh marbuta as ه).
_HE_AFTER_HE = ["ת", "ות", "תו", "תה", "תמ", "תנו", "ותיו", "ותיה", "ותיהמ"]  # K ends in ה, which gives way
_HE_AFTER_OT = ["ו", "ה", "מ", "נו", "י"]  # K ends in ות
_HE_AFTER_TAV = ["ו", "ה", "מ", "נו"]  # K ends in another ת; also ת -> ות
_HE_LONG = ["ימ", "ות", "י", "ו", "יו", "יה", "יהמ", "מ"]  # K has four letters or more
_HE_SHORT = ["ימ", "ו", "יו"]  # K has three
_AR_AFTER_TEH = ["ات", "ته", "تها", "تهم", "تنا", "تين", "تان", "اته", "اتها", "اتهم"]  # K ends in ه, which gives way
_AR_LONG = ["ات", "ا", "ين", "ون", "ه", "ها", "هم", "اته", "اتها", "اتهم"]
_AR_SHORT = ["ا", "ها", "هم"]

_IRREGULAR = {
    "children": "child", "feet": "foot", "teeth": "tooth", "geese": "goose", "mice": "mouse", "oxen": "ox",
    "lice": "louse", "dice": "die",
}  # fmt: skip
_HISSING = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"


def is_hebrew(word: str) -> bool:
    return "\u05d0" <= word[0] <= "\u05ea"


def is_arabic(word: str) -> bool:
    return "\u0620" <= word[0] <= "\u06d3"


@lru_cache(maxsize=16384)
def readings(token: str) -> Readings:
    """Every keyword this normalised token can be a form of."""
    found: dict[tuple[str, int], None] = {(token, BARE): None}
    if token[0] < "\u0370":
        found.update(dict.fromkeys((stem, BARE | SUFFIXED) for stem in _english_singulars(token)))
    else:
        for rest, how in _stripped(token):
            found[rest, how] = None
            if how & (BARE | STRICT | LOOSE):
                found.update(dict.fromkeys((stem, how | SUFFIXED) for stem in _without_ending(rest)))
    return tuple(key for key, _ in found), bytes(how for _, how in found)


def _stripped(token: str) -> Iterator[tuple[str, int]]:
    """The token itself, and what remains when attached particles come off."""
    yield token, BARE
    if is_hebrew(token):
        prefixes, short, longest = HEBREW_PREFIXES, HEBREW_SHORT, 6
    elif is_arabic(token):
        prefixes, short, longest = ARABIC_PREFIXES, ARABIC_SHORT, 4
    else:
        return
    for length in range(1, min(longest, len(token) - 1) + 1):
        prefix, rest = token[:length], token[length:]
        if prefix not in prefixes:
            continue
        if rest[0] in "\"'":
            yield from _quoted(rest[1:])
            continue
        foreign = not (is_hebrew(rest) or is_arabic(rest))  # בBBC, ב2026
        if len(rest) < 2 and not foreign:
            continue
        strict = len(rest) >= 4 or (len(rest) == 3 and prefix in short) or foreign
        yield rest, STRICT if strict else LOOSE
        if prefix in HEBREW_PREPOSITIONS and len(rest) >= 3:
            yield rest, PREPOSITION


def _quoted(rest: str) -> Iterator[tuple[str, int]]:
    """A quoted name after a particle (ב"הארץ"): the mark vouches for it. One letter is an acronym's end (שב"כ)."""
    if len(rest) >= 2:
        for inner, how in _stripped(rest):
            yield inner, STRICT if how in (BARE, STRICT) else how


def _without_ending(form: str) -> Iterator[str]:
    if is_hebrew(form):
        yield from _hebrew_stems(form)
    elif is_arabic(form):
        yield from _arabic_stems(form)


def _hebrew_stems(form: str) -> Iterator[str]:
    """Keywords K with ``form`` in K's forms; the rows of the table, read backwards."""
    yield from (form[: -len(s)] + "ה" for s in _HE_AFTER_HE if form.endswith(s) and len(form) - len(s) >= 2)
    yield from (form[: -len(s)] for s in _HE_AFTER_OT if form.endswith("ות" + s) and len(form) - len(s) >= 4)
    if form.endswith("ות") and len(form) >= 4:
        yield form[:-2] + "ת"
    for suffix in _HE_AFTER_TAV:
        stem = form[: -len(suffix)]
        if form.endswith("ת" + suffix) and not stem.endswith("ות") and len(stem) >= 3:
            yield stem
    for suffix in _HE_LONG:
        stem = form[: -len(suffix)]
        long_enough = len(stem) >= 4 or (len(stem) == 3 and suffix in _HE_SHORT)
        if form.endswith(suffix) and long_enough and stem[-1] not in "הת":
            yield stem


def _arabic_stems(form: str) -> Iterator[str]:
    yield from (form[: -len(s)] + "ه" for s in _AR_AFTER_TEH if form.endswith(s) and len(form) - len(s) >= 2)
    for suffix in _AR_LONG:
        stem = form[: -len(suffix)]
        long_enough = len(stem) >= 4 or (len(stem) == 3 and suffix in _AR_SHORT)
        if form.endswith(suffix) and long_enough and stem[-1] != "ه":
            yield stem


def _english_singulars(form: str) -> Iterator[str]:
    if form in _IRREGULAR:
        yield _IRREGULAR[form]
    if form.endswith("men") and len(form) > 3:
        yield form[:-2] + "an"
    if form == "men":
        yield "man"
    if not form.endswith("s") or form.endswith("ss") or len(form) < 3:
        return
    if form.endswith("ies") and len(form) >= 5 and form[-4] not in _VOWELS:
        yield form[:-3] + "y"
    if form.endswith("ves") and len(form) >= 5:
        yield from (form[:-3] + "f", form[:-3] + "fe")
    if form.endswith("ses") and len(form) >= 5:
        yield form[:-2] + "is"
    if form.endswith("es") and form[:-2].endswith((*_HISSING, "o")) and len(form) >= 4:
        yield form[:-2]
    stem = form[:-1]
    if not stem.endswith(_HISSING) and not (stem[-1] == "y" and len(stem) > 1 and stem[-2] not in _VOWELS):
        yield stem


def surface_forms(word: str, *, name: bool = False) -> tuple[str, ...]:
    """The forms of a normalised keyword without attached particles, the keyword first: to show to people."""
    if name or len(word) < 3:
        return (word,)
    if is_hebrew(word):
        made = _hebrew_forms(word)
    elif is_arabic(word):
        made = _arabic_forms(word)
    else:
        made = _english_plurals(word)
    return tuple(dict.fromkeys((word, *(form for form in made if _reads_as(form, word)))))


def _reads_as(form: str, word: str) -> bool:
    """Some made forms are other words (אותו is no form of אות): what is not found is not shown."""
    keys, ways = readings(form)
    return any(key == word and how & (BARE | STRICT) for key, how in zip(keys, ways, strict=True))


def _hebrew_forms(word: str) -> list[str]:
    if word.endswith("ה"):
        return [word[:-1] + suffix for suffix in _HE_AFTER_HE]
    if word.endswith("ות") and len(word) >= 4:
        return [word + suffix for suffix in _HE_AFTER_OT]
    if word.endswith("ת"):
        return [word[:-1] + "ות", *(word + suffix for suffix in _HE_AFTER_TAV)]
    return [word + suffix for suffix in (_HE_LONG if len(word) >= 4 else _HE_SHORT)]


def _arabic_forms(word: str) -> list[str]:
    if word.endswith("ه"):
        return [word[:-1] + suffix for suffix in _AR_AFTER_TEH]
    return [word + suffix for suffix in (_AR_LONG if len(word) >= 4 else _AR_SHORT)]


def _english_plurals(word: str) -> list[str]:  # noqa: PLR0911  # one return a rule
    if not word[-1].isalpha() or not word.isascii():
        return []
    irregular = [plural for plural, single in _IRREGULAR.items() if single == word]
    if irregular:
        return irregular
    if word.endswith("man"):
        return [word[:-2] + "en", word + "s"]
    if word.endswith("sis"):
        return [word[:-2] + "es"]
    if word.endswith(_HISSING):
        return [word + "es"]
    if word.endswith("y") and word[-2] not in _VOWELS:
        return [word[:-1] + "ies"]
    if word.endswith("fe"):
        return [word[:-2] + "ves", word + "s"]
    if word.endswith("f"):
        return [word + "s", word[:-1] + "ves"]
    if word.endswith("o"):
        return [word + "s", word + "es"]
    return [word + "s"]


def without_article(word: str) -> str | None:
    """An Arabic keyword written with its article, without it; ``None`` when it has none or too little remains."""
    return word[2:] if word.startswith("ال") and len(word) >= 5 else None
