"""A text as its copies are looked for: each four of its words in a row, as a number.

What two reporters may both have without having it from each other is left out: quotations of more than twelve words.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from zlib import crc32

from monitor.language.tokens import norms
from monitor.model.filing import Paragraph
from monitor.stories.quotes import quotations

RUN = 4
"""Words in a row. Of 181 articles no two that have nothing to do with each other share more than a third of their words
in runs of four; of a text with 8 % of its words changed nine in ten still stand in such runs."""
FEWEST = 40
"""Words without which a text says too little to be called a copy."""
MOST = 1500
"""Words that are read of a text."""
_LONG_QUOTATION = 12
_DIGIT = re.compile(r"\d")
_NO_NUMBERS: frozenset[str] = frozenset()
_REMEMBERED = 65536


def paragraphs(lead: str, body: str) -> tuple[Paragraph, ...]:
    """The paragraphs of an item's text; none of a text of fewer than forty words, nor paragraphs shorter than a run."""
    text = body if lead in body else f"{lead}\n\n{body}"
    if text.count(" ") + text.count("\n") + 1 < FEWEST:
        return ()
    found = list(_paragraphs(_unquoted(text)))
    return tuple(found) if sum(map(words_in, found)) >= FEWEST else ()


def words_in(paragraph: Paragraph) -> int:
    """How many words a paragraph has."""
    return len(paragraph.runs) + RUN - 1


def with_digits(words: Sequence[str]) -> frozenset[str]:
    """The numbers among normalised words."""
    return frozenset(word for word in words if _DIGIT.search(word))


def _paragraphs(text: str) -> Iterator[Paragraph]:
    left = MOST
    for paragraph in text.split("\n\n"):
        words = norms(paragraph)[:left]
        if len(words) >= RUN:
            left -= len(words)
            numbers = with_digits(words) if _DIGIT.search(paragraph) else _NO_NUMBERS
            yield Paragraph(runs=_runs(words), numbers=numbers)


class _Codes(dict[str, int]):
    """Words as numbers, the same in every process (as `hash` of a text is not)."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[word] = crc32(word.encode())
        return self[word]


_codes = _Codes()


def _runs(words: Sequence[str]) -> array[int]:
    codes = list(map(_codes.__getitem__, words))
    return array("q", map(hash, zip(codes, codes[1:], codes[2:], codes[3:], strict=False)))


def _unquoted(text: str) -> str:
    for start, end in reversed(quotations(text)):
        if text.count(" ", start, end) >= _LONG_QUOTATION:
            text = f"{text[:start]} {text[end:]}"
    return text
