"""Where everything stands in a TOML text: each key, each value, and each character of a string's value.

tomllib gives values without places; the tree of tree-sitter gives places. Lines and columns count
characters from 1; tree-sitter counts bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

_TOML = Language(tree_sitter_toml.language())
_KEYS = ("bare_key", "quoted_key", "dotted_key")
_ESCAPED = {"u": 6, "U": 10}

Path = tuple[str | int, ...]
"""From the top of a file to a value: names of keys, indexes of arrays."""
Spot = tuple[int, int]
"""Line and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a key and its value stand; for a table both are its header."""

    key: Spot
    value: Spot
    string: str = ""
    """A string's value as written, quotes included; empty for other values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything in one text stands."""

    marks: Mapping[Path, Mark]
    twice: tuple[tuple[Path, Spot], ...]
    """Keys and tables that are written a second time, which TOML refuses."""
    opened: tuple[Path, Spot] | None
    """The string, array or inline table that is opened and, as it seems, never closed, with its key."""

    def nearest(self, path: Path) -> Mark:
        """The mark of ``path``, or of what encloses it; the beginning of the text in the end."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, Mark(key=(1, 1), value=(1, 1)))


def layout(text: str) -> Layout:
    """The layout of ``text``, as far as its shape lets it be seen when it is not whole TOML."""
    source = text.encode()
    walk = _Walk(source)
    root = Parser(_TOML).parse(source).root_node
    walk.document(root)
    opened = walk.unclosed(root) if root.has_error else None
    return Layout(marks=walk.marks, twice=tuple(walk.twice), opened=opened)


@dataclass(slots=True)
class _Walk:
    source: bytes
    marks: dict[Path, Mark] = field(default_factory=dict)
    twice: list[tuple[Path, Spot]] = field(default_factory=list)
    _lines: list[int] = field(init=False)
    _counts: dict[Path, int] = field(default_factory=dict)
    _headers: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lines = [0, *(at + 1 for at, byte in enumerate(self.source) if byte == 0x0A)]

    def spot(self, node: Node) -> Spot:
        line = bisect_right(self._lines, node.start_byte)
        return line, len(self.source[self._lines[line - 1] : node.start_byte].decode()) + 1

    def written(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode()

    def document(self, root: Node) -> None:
        for node in root.named_children:
            if node.type == "pair":
                self.pair((), node)
            elif node.type in ("table", "table_array_element"):
                self.table(node)

    def table(self, node: Node) -> None:
        header = next((child for child in node.named_children if child.type in _KEYS), None)
        if header is None:
            return
        path: Path = ()
        parts = list(self.names(header))
        for name, _ in parts[:-1]:
            path = self.last((*path, name))
            self.marks.setdefault(path, Mark(key=self.spot(node), value=self.spot(node)))
        path = (*path, parts[-1][0])
        if node.type == "table_array_element":
            self.marks.setdefault(path, Mark(key=self.spot(node), value=self.spot(node)))
            self._counts[path] = self._counts.get(path, -1) + 1
            path = self.last(path)
        elif path in self._headers or path in self._counts:
            self.twice.append((path, self.spot(node)))
        self._headers.add(path)
        self.marks[path] = Mark(key=self.spot(node), value=self.spot(node))
        for child in node.named_children:
            if child.type == "pair":
                self.pair(path, child)

    def last(self, path: Path) -> Path:
        """A header that runs through an array of tables means the latest of them."""
        return (*path, self._counts[path]) if path in self._counts else path

    def pair(self, table: Path, node: Node) -> None:
        children = node.named_children
        if len(children) < 2 or children[0].type not in _KEYS:
            return
        path = table
        for name, part in self.names(children[0]):
            path = (*path, name)
            spot = self.spot(part)
            self.marks.setdefault(path, Mark(key=spot, value=spot))
        if path in self._headers:
            self.twice.append((path, self.spot(children[0])))
            return
        self._headers.add(path)
        self.value(path, self.marks[path].key, children[1])

    def value(self, path: Path, key: Spot, node: Node) -> None:
        string = self.written(node) if node.type == "string" else ""
        self.marks[path] = Mark(key=key, value=self.spot(node), string=string)
        if node.type == "array":
            entries = (child for child in node.named_children if child.type != "comment")
            for index, child in enumerate(entries):
                self.value((*path, index), self.spot(child), child)
        elif node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self.pair(path, child)

    def names(self, key: Node) -> Iterator[tuple[str, Node]]:
        if key.type == "dotted_key":
            for child in key.named_children:
                yield from self.names(child)
        elif key.type == "bare_key":
            yield self.written(key), key
        else:
            yield unquoted(self.written(key)), key

    def unclosed(self, root: Node) -> tuple[Path, Spot] | None:
        """The last opening quote or bracket that tree-sitter could not pair."""
        found = None
        stack = [root]
        while stack:
            node = stack.pop()
            if node.type == "ERROR" and any(child.type in _OPENING for child in node.children):
                names = node.children if node.children[0].type in _KEYS else [*(node.parent or node).children]
                key = next((child for child in names if child.type in _KEYS), None)
                if key is not None and (found is None or found.start_byte < key.start_byte):
                    found = key
            stack.extend(child for child in node.children if child.has_error)
        return (tuple(name for name, _ in self.names(found)), self.spot(found)) if found else None


_OPENING = ('"""', "'''", '"', "'", "[", "{")


def _body(written: str) -> tuple[int, int]:
    """Where the content begins and ends; a line end right after an opening triple quote is not content."""
    if written[:3] not in ('"""', "'''"):
        return 1, len(written) - 1
    start = 5 if written.startswith("\r\n", 3) else 4 if written.startswith("\n", 3) else 3
    return start, len(written) - 3


def _pieces(written: str) -> Iterator[tuple[int, int]]:
    """``written[start:end]`` of each character of the value, in order."""
    at, end = _body(written)
    escapes = written[0] == '"'
    while at < end:
        start = at
        if escapes and written[at] == "\\":
            rest = written[at + 1 : end]
            if rest[:1] in (" ", "\t", "\r", "\n"):  # a line-ending backslash swallows the blank space after it
                at += 1 + len(rest) - len(rest.lstrip(" \t\r\n"))
                continue
            at += _ESCAPED.get(rest[:1], 2)
        else:
            at += 2 if written.startswith("\r\n", at) else 1
        yield start, at


def spot_in(written: str, offset: int) -> tuple[int, int]:
    """Lines down, and column, of character ``offset`` of the value of the string ``written``.

    The column counts from 1 at the line's beginning, or at the opening quote while no line has ended.
    An ``offset`` at or past the end of the value means its closing quote.
    """
    at = next((start for index, (start, _) in enumerate(_pieces(written)) if index == offset), _body(written)[1])
    before = written[:at]
    return before.count("\n"), at - (before.rfind("\n") + 1) + 1


_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_HEX = re.compile(r"[0-9A-Fa-f]+")


def unquoted(written: str) -> str:
    """The value of a string as ``written``; an escape that TOML does not know stays as it is."""
    return "".join(_character(written[start:end]) for start, end in _pieces(written)) if written else ""


def _character(piece: str) -> str:
    if piece == "\r\n":
        return "\n"
    if len(piece) < 2:
        return piece
    code = piece[2:]
    if piece[1] in "uU" and _HEX.fullmatch(code) and int(code, 16) <= 0x10FFFF:
        return chr(int(code, 16))
    return _ESCAPES.get(piece[1], piece)
