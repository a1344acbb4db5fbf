"""Text from outside made fit to stand inside another: in one line, with its directions closed. Knows no format."""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[ \t\n\v\f\r\x85\u2028\u2029]+")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters of Unicode's categories Cc and Cs."""
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_EMBEDS, _ISOLATES = "\u202a\u202b\u202d\u202e", "\u2066\u2067\u2068"
_POP_EMBED, _POP_ISOLATE = "\u202c", "\u2069"


def one_line(text: str) -> str:
    """All white space and line breaks become single spaces, controls and lone surrogates go (F42, F43, F92).

    Without the escape letter an ANSI sequence is only its visible rest.
    """
    if not text.isprintable():  # printable text holds no control, no surrogate, and no white space but the space
        text = CONTROLS.sub("", _BREAKS.sub(" ", text))
    return " ".join(text.split())


def balanced(text: str) -> str:
    """Every embedding and isolate closed where its paragraph ends, and no closing without an opening (F86): the
    text can then stand inside another without turning it around. Nothing else is taken away.

    A closed isolate closes the embeddings inside it (UAX 9, X6a), so they are closed in writing first.
    """
    if not _BIDI.search(text):
        return text
    return "\n".join(_balanced_line(line) for line in text.split("\n"))


def _balanced_line(line: str) -> str:
    opened: list[str] = []
    told: list[str] = []
    for letter in line:
        if letter == _POP_EMBED:
            if not opened or opened[-1] in _ISOLATES:
                continue
            opened.pop()
        elif letter == _POP_ISOLATE:
            if not any(each in _ISOLATES for each in opened):
                continue
            while opened[-1] in _EMBEDS:
                opened.pop()
                told.append(_POP_EMBED)
            opened.pop()
        elif letter in _EMBEDS or letter in _ISOLATES:
            opened.append(letter)
        told.append(letter)
    told += [_POP_EMBED if each in _EMBEDS else _POP_ISOLATE for each in reversed(opened)]
    return "".join(told)
