"""The grammar of the query language: text to lark's tree, every token with its place.

The lexer takes any text: what is not part of the language becomes a token of a kind made for its error message
(``BAD_…``), so that a refusal can say what is wrong and not merely where.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import lark

_HE = r"\p{Hebrew}"
_LETTER = r"[\p{L}\p{N}\p{M}\p{Cf}_]"
_QUOTE = '["“”„‟«»״＂]'
# A quotation mark between two Hebrew letters is gershayim (צה"ל), inside a phrase too.
_GERSHAYIM = rf"(?<=[{_HE}\p{{Cf}}]){_QUOTE}(?=[{_HE}\p{{Cf}}])"
_JOINER = rf"(?:(?:[-.'’‘׳`´ʼ־‐‑‒–—−&+_]|{_GERSHAYIM})(?={_LETTER})|(?<=\d)[:,\/](?=\d))"
_WORD = rf"[\p{{L}}\p{{N}}_]{_LETTER}*(?:{_JOINER}{_LETTER}+)*['’׳.]?"
_PHRASE = rf"{_QUOTE}(?:{_GERSHAYIM}|(?!{_QUOTE}).)*(?:{_QUOTE})"

# Backslashes and slashes are doubled for lark's own reading of a pattern in slashes.
_GRAMMAR = rf"""
?start: disjunction
?disjunction: conjunction (OR conjunction)*
?conjunction: negation (AND? negation)*
?negation: (NOT | MINUS) negation -> negated
         | near
?near: unit (NEAR unit)*
?unit: LPAR disjunction RPAR -> group
     | FIELD unit -> field
     | EQUALS (WORD | PHRASE) -> exact
     | ATLEAST LPAR disjunction RPAR -> atleast
     | PHRASE -> phrase
     | REGEX -> regex
     | WILDCARD -> wildcard
     | WORD -> word
     | CONCEPT -> concept

OR.9: /OR(?!{_LETTER})/
AND.9: /AND(?!{_LETTER})/
NOT.9: /NOT(?!{_LETTER})/
NEAR.9: /(?:NEAR|PRE)\/(?:\d+|s|p)(?!{_LETTER})/
BAD_NEAR.8: /(?:NEAR|PRE)(?:\/[^\s()]*|(?!{_LETTER}))/
ATLEAST.9: /(?i:atleast)\d+(?=\s*\()/
BAD_ATLEAST.8: /(?i:atleast)(?=\s*\()/
FIELD.8: /[A-Za-z_]+:(?=[^\s)])/
BAD_FIELD.7: /[A-Za-z_]+:/
WILDCARD.6: /{_WORD}\*(?![\p{{L}}\p{{N}}*])/
WORD.5: /{_WORD}/
PHRASE.5: /{_PHRASE}/s
REGEX.5: /\/(?:[^\/\\\n]|\\.)+\//
CONCEPT.5: /@[\p{{L}}\p{{N}}_-]+/
EQUALS.4: /=(?=["“”„‟«»״＂\p{{L}}\p{{N}}])/
MINUS.4: /[-–−](?=[^\s)])/
LPAR.3: "("
RPAR.3: ")"
BAD_OPERATOR.3: /&&?|\|\|?|!/
BAD_QUOTE.2: /{_QUOTE}/
BAD_STAR.2: /\*+/
BAD_OTHER.1: /[^\s\p{{Cf}}()]/
%ignore /[\s\p{{Cf}}]+/
"""


class _KeepBadTokens:
    """lark drops terminals that no rule uses; named here, they stay and end in `lark.UnexpectedToken`."""

    always_accept = ("BAD_NEAR", "BAD_ATLEAST", "BAD_FIELD", "BAD_OPERATOR", "BAD_QUOTE", "BAD_STAR", "BAD_OTHER")

    def process(self, stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
        return stream


@cache
def parser() -> lark.Lark:
    """The parser, built once."""
    return lark.Lark(
        _GRAMMAR, parser="lalr", lexer="basic", regex=True, propagate_positions=True, postlex=_KeepBadTokens()
    )
