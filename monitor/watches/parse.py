"""A watch's ``when`` to its query tree, or a refusal that says what is wrong, where, and what to write."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast, get_args

import lark
import regex

from monitor.errors import QueryError
from monitor.language.normalise import fold
from monitor.model.texts import Kind, TextLanguage
from monitor.watches.grammar import parser
from monitor.watches.query import (
    FILTER_FIELDS,
    TEXT_FIELDS,
    And,
    AtLeast,
    Filter,
    FilterField,
    Near,
    Node,
    Not,
    Or,
    Query,
    Regex,
    Scoped,
    Term,
    TextField,
    children,
)
from monitor.watches.refusal import closest, refusal, unexpected
from monitor.watches.terms import How, Terms

MAX_LETTERS = 20_000
MAX_DEPTH = 60
MAX_REACH = 50
MAX_PATTERN = 1_000

# Word edges are ours: a mark inside a word (צה"ל) is not an edge, whatever the script.
_EDGE = r"""(?:(?<=[^\W_])(?![^\W_])(?!['"][^\W_])|(?<![^\W_])(?<![^\W_]['"])(?=[^\W_]))"""
_PROBES = ("", "a", "ב", "ج", "7", "слово", "two words")


class _Scope(NamedTuple):
    """What surrounds the part being read."""

    field: str | None = None
    how: How = "word"
    depth: int = 0


def parse(text: str, terms: Terms, *, outlets: Collection[str] | None = None) -> Query:
    """Read a query. Raises `QueryError`; ``outlets`` are the known ids, ``None`` lets every id pass."""
    if len(text) > MAX_LETTERS:
        raise refusal(f"the query is longer than {MAX_LETTERS} letters", MAX_LETTERS, len(text), "use concepts")
    root = _Reader(text=text, terms=terms, outlets=outlets).read(_tree(text), _Scope())
    if not _requires_something(root):
        raise refusal(
            "this matches everything that lacks a word: nothing in it must be there", root.start, root.end,
            "add a word, phrase or concept that must be there",
        )  # fmt: skip
    return Query(text=text, root=root)


def _tree(text: str) -> lark.Tree[lark.Token]:
    try:
        return parser().parse(text)
    except lark.UnexpectedToken as error:
        wrong = error.token
    except lark.UnexpectedCharacters as error:
        raise refusal("this sign cannot be read", error.pos_in_stream or 0, (error.pos_in_stream or 0) + 1) from None
    before: list[lark.Token] = []
    for token in parser().lex(text):
        if wrong.type != "$END" and (token.start_pos or 0) >= (wrong.start_pos or 0):
            break
        before.append(token)
    raise unexpected(wrong, text, before)


def _requires_something(node: Node) -> bool:
    if isinstance(node, Not):
        return False
    if isinstance(node, Or):
        return all(map(_requires_something, node.children))
    if isinstance(node, And):
        return any(map(_requires_something, node.children))
    if isinstance(node, Scoped | AtLeast):
        return _requires_something(node.child)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    text: str
    terms: Terms
    outlets: Collection[str] | None

    def read(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        """One part of lark's tree as a node; method ``_name`` reads the rule ``name``."""
        return cast(Node, getattr(self, "_" + tree.data)(tree, scope))

    # ---------------------------------------------------------------- operators

    def _disjunction(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        parts = _trees(tree)
        if any(part.data == "conjunction" for part in parts):
            raise self._mixed(tree, parts)
        return Or(tuple(self.read(part, scope) for part in parts), *_place(tree))

    def _conjunction(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        if scope.field in FILTER_FIELDS:
            raise self._refuse(f"{scope.field}: takes one value, or values joined by OR", tree)
        return And(tuple(self.read(part, scope) for part in _trees(tree)), *_place(tree))

    def _negated(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        return Not(self.read(_trees(tree)[0], self._deeper(tree, scope)), *_place(tree))

    def _group(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        inner = self.read(_trees(tree)[0], self._deeper(tree, scope))
        return inner._replace(start=tree.meta.start_pos, end=tree.meta.end_pos)

    def _deeper(self, tree: lark.Tree[lark.Token], scope: _Scope) -> _Scope:
        if scope.depth > MAX_DEPTH:
            raise self._refuse("parentheses are nested too deeply", tree)
        return scope._replace(depth=scope.depth + 1)

    def _mixed(self, tree: lark.Tree[lark.Token], parts: Sequence[lark.Tree[lark.Token]]) -> QueryError:
        """AND beside OR without parentheses: show both readings, choose neither."""
        first = " OR ".join(
            f"({' AND '.join(map(self._written, _factors(part)))})" if len(_factors(part)) > 1 else self._written(part)
            for part in parts
        )
        runs: list[list[str]] = []
        for part in parts:
            for index, child in enumerate(_factors(part)):
                if index == 0 and runs:
                    runs[-1].append(self._written(child))
                else:
                    runs.append([self._written(child)])
        second = " AND ".join(f"({' OR '.join(run)})" if len(run) > 1 else run[0] for run in runs)
        operator = next(token for token in tree.children if isinstance(token, lark.Token))
        return refusal(
            "AND and OR stand together without parentheses (a space is an AND)",
            operator.start_pos or 0, operator.end_pos or 0, f"write {first}  or  {second}",
        )  # fmt: skip

    # ---------------------------------------------------------------- nearness

    def _near(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        if scope.field in FILTER_FIELDS:
            raise self._refuse(f"{scope.field}: takes one value, or values joined by OR", tree)
        first, *rest = tree.children
        node = self._operand(_sub(first), scope, chain=True)
        for operator, operand in zip(rest[::2], rest[1::2], strict=True):
            assert isinstance(operator, lark.Token)
            right = self._operand(_sub(operand), scope, chain=False)
            node = self._nearness(operator, node, right)
        return node

    def _nearness(self, operator: lark.Token, left: Node, right: Node) -> Near:
        kind, _, reach = operator.partition("/")
        if reach in ("s", "p"):
            if kind == "PRE":
                raise refusal("PRE counts words", operator.start_pos or 0, operator.end_pos or 0,
                              f"write PRE/5, or NEAR/{reach}")  # fmt: skip
            return Near(left, right, "sentence" if reach == "s" else "paragraph", 0, False, left.start, right.end)
        words = int(reach) if len(reach) < 5 else MAX_REACH + 1
        if not 1 <= words <= MAX_REACH:
            raise refusal(f"{operator}: the distance is 1 to {MAX_REACH} words", operator.start_pos or 0,
                          operator.end_pos or 0, "for more, NEAR/s (sentence) or NEAR/p (paragraph)")  # fmt: skip
        return Near(left, right, "words", words, kind == "PRE", left.start, right.end)

    def _operand(self, tree: lark.Tree[lark.Token], scope: _Scope, *, chain: bool) -> Node:
        node = self.read(tree, scope)
        if not _can_be_near(node, chain=chain):
            suggestion = ""
            if isinstance(node, Scoped):
                suggestion = f"put the field before the whole: {node.field}:(… NEAR/5 …)"
            elif isinstance(node, And):
                suggestion = f"write {' NEAR/5 '.join(self.text[c.start : c.end] for c in node.children)}"
            raise self._refuse("NEAR and PRE join words, phrases, concepts, or ORs of them", tree, suggestion)
        return node

    def _atleast(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        token, _, inner, _ = tree.children
        digits = str(token)[len("atleast") :]
        count = int(digits) if len(digits) < 5 else 0
        if not 1 <= count <= 100:
            raise self._refuse("atleast takes a number from 1 to 100", tree)
        node = self.read(_sub(inner), scope)
        if not _can_be_near(node, chain=True):
            raise self._refuse("atleast counts places of words, phrases, concepts, or ORs of them", tree)
        return AtLeast(count, node, *_place(tree))

    # ---------------------------------------------------------------- fields

    def _field(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        token, inner = tree.children
        assert isinstance(token, lark.Token)
        name = token[:-1].lower()
        start, end = token.start_pos or 0, token.end_pos or 0
        if name == "name":
            return self._named(_sub(inner), scope)._replace(start=start)
        if name not in (*TEXT_FIELDS, *FILTER_FIELDS):
            hint = closest(name, (*TEXT_FIELDS, *FILTER_FIELDS, "name"))
            known = ", ".join((*TEXT_FIELDS, *FILTER_FIELDS))
            raise refusal(f"there is no field {token}", start, end, hint or f"fields are {known}")
        if scope.field is not None:
            raise refusal(f"{token} stands inside {scope.field}:", start, end, "one field holds no other")
        node = self.read(_sub(inner), scope._replace(field=name))
        if name in FILTER_FIELDS:
            return node._replace(start=start)
        return Scoped(cast(TextField, name), node, *_place(tree))

    def _named(self, inner: lark.Tree[lark.Token], scope: _Scope) -> Node:
        node = self.read(inner, scope._replace(how="name"))
        plain = children(node) if isinstance(node, Or) else (node,)
        if not all(isinstance(part, Term) and not part.atom.concept for part in plain):
            raise self._refuse("name: takes a word or phrase, or an OR of them", inner)
        return node

    # ---------------------------------------------------------------- what is looked for

    def _word(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        return self._term(str(tree.children[0]), tree, scope)

    def _phrase(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        return self._term(_inside(str(tree.children[0])), tree, scope)

    def _exact(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        token = tree.children[1]
        assert isinstance(token, lark.Token)
        written = _inside(str(token)) if token.type == "PHRASE" else str(token)
        return self._term(written, tree, scope._replace(how="exact"))

    def _wildcard(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        return self._term(str(tree.children[0])[:-1], tree, scope, prefix=True)

    def _term(self, written: str, tree: lark.Tree[lark.Token], scope: _Scope, *, prefix: bool = False) -> Node:
        if scope.field in FILTER_FIELDS:
            return self._filter(written, tree, scope.field)
        atom = self.terms.atom(_visible(written), scope.how, prefix=prefix)
        if atom is None:
            raise self._refuse("there is no letter or digit in this", tree)
        return Term(atom, *_place(tree))

    def _concept(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        name = str(tree.children[0])[1:]
        if scope.field in FILTER_FIELDS:
            raise self._refuse(f"{scope.field}: takes a value, not a concept", tree)
        if name not in self.terms.concepts:
            raise self._refuse(f"there is no concept @{name}", tree, closest(name, self.terms.concepts))
        return Term(self.terms.concept(name), *_place(tree))

    def _filter(self, written: str, tree: lark.Tree[lark.Token], field: FilterField) -> Filter:
        value = _visible(written).casefold()
        known: Collection[str] | None = {
            "outlet": self.outlets, "source": None, "lang": get_args(TextLanguage), "kind": get_args(Kind),
        }[field]  # fmt: skip
        if known is not None and value not in known:
            hint = closest(value, known) or ("" if field == "outlet" else f"one of {', '.join(known)}")
            raise self._refuse(f"{field}:{value} is not known", tree, hint)
        return Filter(field, value, *_place(tree))

    def _regex(self, tree: lark.Tree[lark.Token], scope: _Scope) -> Node:
        written = str(tree.children[0])[1:-1]
        if scope.field in FILTER_FIELDS:
            raise self._refuse(f"{scope.field}: takes a value, not a pattern", tree)
        if len(written) > MAX_PATTERN:
            raise self._refuse(f"the pattern is longer than {MAX_PATTERN} letters", tree)
        try:
            pattern = regex.compile(_our_edges(fold(written)), regex.IGNORECASE | regex.VERSION0)
            everything = all(pattern.search(probe, timeout=0.05) for probe in _PROBES[1:])
        except regex.error as error:
            raise self._refuse(f"not a regular expression: {error}", tree) from None
        except TimeoutError:
            everything = False
        if everything or pattern.fullmatch("") is not None:
            raise self._refuse(
                "this pattern matches every text", tree, "require at least one letter or digit of its own"
            )
        return Regex(pattern, *_place(tree))

    # ---------------------------------------------------------------- places

    def _written(self, tree: lark.Tree[lark.Token]) -> str:
        return self.text[tree.meta.start_pos : tree.meta.end_pos].strip()

    def _refuse(self, message: str, tree: lark.Tree[lark.Token], suggestion: str = "") -> QueryError:
        return refusal(message, tree.meta.start_pos, tree.meta.end_pos, suggestion)


def _can_be_near(node: Node, *, chain: bool) -> bool:
    if isinstance(node, Or):
        return all(_can_be_near(part, chain=False) for part in node.children)
    return isinstance(node, Term) or (chain and isinstance(node, Near))


def _sub(part: Any) -> lark.Tree[lark.Token]:
    assert isinstance(part, lark.Tree)
    return part


def _trees(tree: lark.Tree[lark.Token]) -> list[lark.Tree[lark.Token]]:
    return [part for part in tree.children if isinstance(part, lark.Tree)]


def _factors(part: lark.Tree[lark.Token]) -> list[lark.Tree[lark.Token]]:
    """What an AND joins; a part without one is alone."""
    return _trees(part) if part.data == "conjunction" else [part]


def _place(tree: lark.Tree[lark.Token]) -> tuple[int, int]:
    return tree.meta.start_pos, tree.meta.end_pos


def _inside(phrase: str) -> str:
    return phrase[1:-1]


def _visible(written: str) -> str:
    """Without the direction marks that are pasted along with Hebrew and Arabic."""
    if not written.isascii():
        written = "".join(letter for letter in written if unicodedata.category(letter) != "Cf")
    return written.strip()


def _our_edges(pattern: str) -> str:
    r"""``\b`` replaced, outside of classes (where it means backspace)."""
    return str(regex.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", lambda found: _EDGE if found[0] == r"\b" else found[0], pattern))
