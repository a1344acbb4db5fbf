"""Latin, Cyrillic and Greek letters that look alike (F89): ``Нamas`` with a Cyrillic Н reads as Hamas to people.

The pairs are from Unicode's confusables (UTS #39), those that stand for one Latin letter of the same case.
"""

from __future__ import annotations

import re

_LIKE = "АВЕЅІЈКМНОРСТУХԚԜаеѕіјорсухԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυ"
_LATIN = "ABESIJKMHOPCTYXQWaesijopcyxdhqwABEZHIKMNOPTYXaivopu"
_TO_LATIN = str.maketrans(_LIKE, _LATIN)
_ANY = re.compile(f"[{_LIKE}]")
_WORD = re.compile(r"[^\W\d_]+")


def folded(text: str) -> str:
    """The text with look-alikes in Latin, in words that become wholly Latin by it; as long as before, letter by
    letter, so that offsets hold. A text without any is returned as it is."""
    if not _ANY.search(text):
        return text
    return _WORD.sub(lambda word: _latin(word[0]), text)


def _latin(word: str) -> str:
    letters = word.translate(_TO_LATIN)
    return letters if letters.isascii() else word
