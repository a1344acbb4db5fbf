"""Terms for full-text search: what an item is indexed under, and what is looked up for a keyword.

A text is indexed under every keyword its tokens can be a form of, in whatever way, so that nothing a watch finds is
missing from the index; a watch then decides (`monitor.watches.search`). Terms hold letters and digits only: no
tokeniser of a database can cut them.
"""

from __future__ import annotations

from monitor.language.forms import readings
from monitor.language.tokens import Words


def index_text(*texts: str) -> str:
    """The terms of texts, joined by spaces; each of their words gives its own token first."""
    terms: dict[str, None] = {}
    for words in map(Words, texts):
        for norm in dict.fromkeys(words.norms):
            terms.update(dict.fromkeys(map(term, readings(norm)[0])))
        terms.update(dict.fromkeys(letters.casefold() for letters in words.capitals.values()))
    return " ".join(terms)


def term(keyword: str) -> str:
    """What a normalised keyword, or the beginning of one, is indexed under."""
    return keyword.replace('"', "").replace("'", "")


def index_facts(*, outlet: str, source: str, language: str, kind: str) -> str:
    """The terms of what is known of an item beside its texts; a source is named with its outlet or without."""
    told = (("outlet", outlet), ("source", source), ("source", source.rpartition("/")[2]), ("lang", language),
            ("kind", kind))  # fmt: skip
    return " ".join(dict.fromkeys(fact(field, value) for field, value in told))


def fact(field: str, value: str) -> str:
    """The term for a field of the query language (``lang``) and its value; several values may share it."""
    return field + "".join(filter(str.isalnum, value.casefold()))
