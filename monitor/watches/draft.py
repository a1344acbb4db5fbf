"""A search kept as a watch: the text to paste into a file, its id, and which file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from config.model.whole import Config
from monitor import canary, health
from monitor.language.display import one_line

_SHIPPED = "shipped/"
_WORD = re.compile(r"[a-z0-9]+")
_LONGEST = 40
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A watch as a file holds it."""

    id: str
    text: str
    """One ``[[watch]]`` table in TOML."""
    file: str
    """A new file for it, from the configuration's folder; it may as well stand at the end of another beat's."""
    shipped: bool
    """The watches in force are those that ship: a folder ``watches`` would stand in for them all, so they are to be
    copied first (``wirewatch init``)."""


def draft(
    query: str, title: str, config: Config, *, outlet: str | None = None, language: str | None = None
) -> Draft:  # fmt: skip
    """A query that is read without error as a watch of that title, limited to what the search was limited to."""
    title = " ".join(_writable(one_line(title)).split()) or " ".join(_writable(one_line(query)).split())
    name = _fresh(_slug(title) or _slug(query) or "watch", {*config.watches, health.OUTLET, canary.NAME})
    when = query.strip() if language is None else f"({query.strip()}) AND lang:{language}"
    lines = ["[[watch]]", f"id = {toml(name)}", f"title = {toml(title)}", f"when = {toml(when)}"]
    if outlet is not None:
        lines.append(f"outlets = [{toml(outlet)}]")
    files = {place.file for key, place in config.places.items() if key.startswith("watch.")}
    taken = {file.removeprefix("watches/").removesuffix(".toml") for file in files}
    return Draft(
        id=name,
        text="\n".join(lines) + "\n",
        file=f"watches/{_fresh(name, taken)}.toml",
        shipped=config.folder is None or any(file.startswith(_SHIPPED) for file in files),
    )


def toml(text: str) -> str:
    """A string in TOML as people write it: where the text allows it without escapes, which leaves the quotation marks
    of a query alone. Half a UTF-16 pair, which TOML cannot hold, becomes U+FFFD."""
    text = _writable(text)
    shown = text.replace("\n", "").replace("\t", "")
    if shown.isprintable():
        if "\n" not in text and not {'"', "\\"} & set(text):
            return f'"{text}"'
        if "\n" not in text and "'" not in text:
            return f"'{text}'"
        if "'''" not in text and not text.endswith("'"):
            return f"'''\n{text}'''"
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if letter <= "\uffff" else f"\\U{ord(letter):08x}"


def _writable(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _slug(text: str) -> str:
    """What of a text an id can be made of."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    words = _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    name = ""
    for word in words:
        if name and len(name) + 1 + len(word) > _LONGEST:
            break
        name = f"{name}-{word}"[:_LONGEST] if name else word[:_LONGEST]
    return name


def _fresh(name: str, taken: Collection[str]) -> str:
    """The name, or with the first number that makes it new."""
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
