"""The query tree: what a watch's ``when`` says, each part with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from regex import Pattern as Compiled

from monitor.watches.terms import Atom

TextField = Literal["title", "lead", "body", "author", "url"]
FilterField = Literal["outlet", "source", "lang", "kind"]
TEXT_FIELDS: tuple[TextField, ...] = ("title", "lead", "body", "author", "url")
FILTER_FIELDS: tuple[FilterField, ...] = ("outlet", "source", "lang", "kind")
DEFAULT_FIELDS: tuple[TextField, ...] = ("title", "lead", "body")
"""Where a word is looked for when no field is named."""


class Term(NamedTuple):
    """A word, phrase or concept."""

    atom: Atom
    start: int
    end: int


class Regex(NamedTuple):
    """``/pattern/``, applied to the normalised text."""

    pattern: Compiled[str]
    start: int
    end: int


class Filter(NamedTuple):
    """``outlet:``, ``source:``, ``lang:`` or ``kind:`` with its value."""

    field: FilterField
    value: str
    start: int
    end: int


class Scoped(NamedTuple):
    """``title:`` and its like: ``child`` is looked for in this field only."""

    field: TextField
    child: Node
    start: int
    end: int


class Not(NamedTuple):
    child: Node
    start: int
    end: int


class And(NamedTuple):
    children: tuple[Node, ...]
    start: int
    end: int


class Or(NamedTuple):
    children: tuple[Node, ...]
    start: int
    end: int


class Near(NamedTuple):
    """``NEAR/n``, ``PRE/n`` (``reach`` words), ``NEAR/s``, ``NEAR/p`` (``unit`` sentence, paragraph)."""

    left: Node
    right: Node
    unit: Literal["words", "sentence", "paragraph"]
    reach: int
    ordered: bool
    start: int
    end: int


class AtLeast(NamedTuple):
    """At least ``least`` distinct places of ``child``."""

    least: int
    child: Node
    start: int
    end: int


Node = Term | Regex | Filter | Scoped | Not | And | Or | Near | AtLeast


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query and the text it was read from."""

    text: str
    root: Node

    def written(self, node: Node) -> str:
        """A part as its author wrote it."""
        return self.text[node.start : node.end]


def children(node: Node) -> tuple[Node, ...]:
    """The parts directly below."""
    if isinstance(node, And | Or):
        return node.children
    if isinstance(node, Near):
        return (node.left, node.right)
    if isinstance(node, Not | Scoped | AtLeast):
        return (node.child,)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)
