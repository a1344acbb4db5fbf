"""Terms for full-text search: what a text is indexed under, and what a query asks for.

A text is indexed under every keyword its tokens can be a form of, so a plain search for the keyword finds what
a watch with that keyword finds. Terms hold letters and digits only: no tokeniser of a database can cut them.
"""

from __future__ import annotations

from monitor.language.forms import BARE, STRICT, readings, without_article
from monitor.language.tokens import Words


def index_text(text: str) -> str:
    """The terms of a text, joined by spaces; each of its words gives its own token first."""
    terms: dict[str, None] = {}
    for norm in dict.fromkeys(Words(text).norms):
        keys, ways = readings(norm)
        for key, how in zip(keys, ways, strict=True):
            if how & (BARE | STRICT):
                terms[_plain(key)] = None
    return " ".join(terms)


def search_terms(query: str) -> tuple[str, ...]:
    """The terms that a text which has every word of the query is indexed under."""
    norms = dict.fromkeys(Words(query).norms)
    return tuple(dict.fromkeys(_plain(without_article(norm) or norm) for norm in norms))


def _plain(key: str) -> str:
    return key.replace('"', "").replace("'", "")
