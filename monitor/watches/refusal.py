"""What to tell the author of a query that is refused: what is wrong, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

import lark

from monitor.errors import QueryError

_OPERATORS = ("OR", "AND", "NOT", "NEAR", "MINUS")
_SPELLED = {"&": "AND", "&&": "AND", "|": "OR", "||": "OR", "!": "NOT"}


def refusal(message: str, start: int, end: int, suggestion: str = "") -> QueryError:
    return QueryError(message, start=start, end=end, suggestion=suggestion)


def closest(name: str, known: Collection[str]) -> str:
    """``did you mean …?``, or nothing when no known name resembles this one."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6) or get_close_matches(
        name.casefold(), sorted(known), n=1, cutoff=0.6
    )
    return f"did you mean {near[0]}?" if near else ""


def unexpected(token: lark.Token, text: str, before: Sequence[lark.Token]) -> QueryError:
    """The refusal of a text that the grammar does not take; ``before`` are the tokens read so far."""
    start, end = token.start_pos or 0, token.end_pos or len(text)
    last = before[-1] if before else None
    if token.type == "$END":
        return _ended(text, before)
    if token.type.startswith("BAD_"):
        return _bad(token, start, end, text)
    if token.type == "RPAR":
        return _closed(token, last, before, start, end)
    if token.type in ("OR", "AND", "NEAR"):
        return _no_operand(token, last, start, end)
    if last is not None and last.type in ("EQUALS", "FIELD"):
        return refusal(f"{last} needs a word behind it, not {token}", last.start_pos or 0, end)
    return refusal(f"{token} cannot stand here", start, end)


def _ended(text: str, before: Sequence[lark.Token]) -> QueryError:
    if not before:
        return refusal("the query is empty", 0, len(text), "write at least one word")
    last = before[-1]
    if last.type in (*_OPERATORS, "FIELD", "EQUALS"):
        return refusal(f"a word is missing after {last}", last.start_pos or 0, last.end_pos or 0, _as_a_word(last))
    opened = [token for token in before if token.type == "LPAR"]
    closed = sum(token.type == "RPAR" for token in before)
    depth = 0
    for token in reversed(before):  # the innermost parenthesis that nothing closes
        depth += {"RPAR": 1, "LPAR": -1}.get(token.type, 0)
        if depth < 0:
            return refusal("this parenthesis is never closed", token.start_pos or 0, token.end_pos or 0, "add a )")
    return refusal(f"the query breaks off ({len(opened)} opened, {closed} closed)", len(text), len(text))


def _closed(
    token: lark.Token, last: lark.Token | None, before: Sequence[lark.Token], start: int, end: int
) -> QueryError:
    opened = sum(t.type == "LPAR" for t in before) - sum(t.type == "RPAR" for t in before)
    if opened <= 0:
        return refusal("nothing opens this parenthesis", start, end, "remove it, or add a ( before")
    if last is not None and last.type == "LPAR":
        return refusal("there is nothing between these parentheses", last.start_pos or 0, end)
    missing = f" after {last}" if last is not None else ""
    return refusal(f"a word is missing{missing}, before this parenthesis", start, end)


def _no_operand(token: lark.Token, last: lark.Token | None, start: int, end: int) -> QueryError:
    if last is not None and last.type in _OPERATORS:
        return refusal(f"{last} and {token} stand beside each other: a word is missing between them",
                       last.start_pos or 0, end, _as_a_word(token))  # fmt: skip
    return refusal(f"{token} is an operator: a word is missing before it", start, end, _as_a_word(token))


def _as_a_word(token: lark.Token) -> str:
    if token.type not in ("OR", "AND", "NOT"):
        return ""
    return f'operators are written in capitals; for the word itself write "{token.lower()}"'


def _bad(  # noqa: PLR0911  # one return a kind of token
    token: lark.Token, start: int, end: int, text: str
) -> QueryError:
    written = str(token)
    if token.type == "BAD_NEAR":
        return refusal(f"{written} does not say how near", start, end,
                       f"write {written.partition('/')[0]}/5 (words), NEAR/s or NEAR/p")  # fmt: skip
    if token.type == "BAD_ATLEAST":
        return refusal("atleast needs a number", start, end, "write atleast3(…)")
    if token.type == "BAD_FIELD":
        return refusal(f"a word is missing directly behind {written}", start, end, "no space after the colon")
    if token.type == "BAD_OPERATOR":
        return refusal(f"{written} is not an operator here", start, end, f"write {_SPELLED[written]}")
    if token.type == "BAD_QUOTE":
        return refusal("this quotation mark is never closed", start, end, "add the closing one, or remove this")
    if token.type == "BAD_STAR":
        return refusal(
            "a * may stand only at the end of a word", start, end, "write the beginning of the word: hostag*"
        )
    return _bad_sign(written, start, end, text)


def _bad_sign(written: str, start: int, end: int, text: str) -> QueryError:
    if written == "/":
        return refusal(
            "this pattern is empty or never closed", start, end, "write /pattern/, with \\/ for a slash inside"
        )
    if written in "-–—−":
        return refusal("a dash standing alone says nothing", start, end,
                       "write NOT, or put the dash directly before the word to exclude")  # fmt: skip
    if written == "@":
        return refusal("the name of a concept is missing behind @", start, end)
    if written == "=":
        return refusal("= needs a word directly behind it", start, end, "write =word")
    if written == ":":
        return refusal("a colon belongs to a field", start, end, "write title:word, or put the text in quotation marks")
    around = text[max(0, start - 10) : end + 10].strip()
    return refusal(f"the sign {written} is not part of the query language", start, end,
                   f'to search for it together with its words, quote them: "{around}"')  # fmt: skip
