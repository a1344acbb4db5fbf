"""One file of the configuration: read, parsed, and able to say where each of its keys stands."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from config.errors import Problem
from config.positions import Layout, layout
from config.positions import Path as KeyPath

Kind = Literal["wirewatch", "outlet", "watches", "concepts", "claims", "origins"]

_LIMIT = 8 * 1024 * 1024  # ours are a few kilobytes; a file this long is a mistake
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY = re.compile(r"\s*([\w.-]+)\s*=")
_PLAIN = {
    "Cannot overwrite a value": "written a second time",
    "Cannot declare": "the table is written a second time",
    "Cannot mutate": "written a second time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that is whole TOML."""

    kind: Kind
    name: str
    """As shown to the operator: relative to their folder, or ``shipped/…``."""
    stem: str
    data: Mapping[str, Any]
    layout: Layout

    def key(self, path: KeyPath) -> str:
        """The dotted key of ``path``: tables that have an id are named by it (``watch.hostage-deal.when``)."""
        names: list[str] = [f"outlet.{self.stem}"] if self.kind == "outlet" else []
        here: Any = self.data
        for part in path:
            here = _inside(here, part)
            if isinstance(part, str):
                names.append(part)
            elif isinstance(here, dict) and isinstance(here.get("id"), str) and re.fullmatch(r"[\w-]+", here["id"]):
                names.append(here["id"])
            else:
                names[-1] += f"[{part}]"
        return ".".join(names)

    def at(self, path: KeyPath) -> Any:
        """The value at ``path``; ``None`` where there is none."""
        here: Any = self.data
        for part in path:
            here = _inside(here, part)
        return here

    def problem(self, path: KeyPath, message: str, suggestion: str = "", *, key: KeyPath | None = None) -> Problem:
        """A problem with what stands at ``path``, called by ``key`` where that is another (a missing one)."""
        line, column = self.layout.nearest(path).key
        return Problem(
            file=self.name,
            line=line,
            column=column,
            key=self.key(path if key is None else key),
            message=message,
            suggestion=suggestion,
        )


def _inside(value: Any, part: str | int) -> Any:
    if isinstance(part, str):
        return value.get(part) if isinstance(value, dict) else None
    return value[part] if isinstance(value, list) and part < len(value) else None


def read(path: Path, *, kind: Kind, name: str) -> Document | Problem:
    """The document at ``path``, or the one problem that keeps it from being read."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited for without end
            what = "a folder" if stat.S_ISDIR(mode) else "not a file"
            return _whole(name, f"cannot be read: it is {what}")
        if path.stat().st_size > _LIMIT:
            return _whole(name, "cannot be read: it is longer than 8 MiB")
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        return _whole(name, f"cannot be read: {why}", "a link that leads nowhere" if path.is_symlink() else "")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_utf8(name, raw, error)
    if not text.strip():
        return _whole(name, "the file is empty: half-written", "write at least a comment, or remove the file")
    return _parsed(text, kind=kind, name=name, stem=path.stem)


def _parsed(text: str, *, kind: Kind, name: str, stem: str) -> Document | Problem:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _broken(name, text, str(error))
    except (RecursionError, ValueError) as error:  # brackets by the hundred; a number of thousands of digits
        why = "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        return _whole(name, f"not TOML that can be read: {why}")
    return Document(kind=kind, name=name, stem=stem, data=data, layout=layout(text))


def _whole(name: str, message: str, suggestion: str = "") -> Problem:
    return Problem(file=name, line=1, column=1, key="", message=message, suggestion=suggestion)


def _not_utf8(name: str, raw: bytes, error: UnicodeDecodeError) -> Problem:
    before = raw[: error.start].decode("utf-8-sig")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    cut = error.end == len(raw) and "unexpected end" in error.reason
    message = "the file ends inside a letter: half-written" if cut else "not UTF-8"
    return Problem(
        file=name, line=line, column=column, key="", message=message, suggestion="" if cut else "save it as UTF-8"
    )


def _broken(name: str, text: str, told: str) -> Problem:
    """tomllib's complaint with the most telling place: what was opened, or what stands there twice."""
    found = _AT.search(told)
    message = told[: found.start()] if found else told
    at_end = found is not None and found[1] is None
    plain = next((words for start, words in _PLAIN.items() if message.startswith(start)), None)
    shape = layout(text)
    if plain and shape.twice:
        path, (line, column) = shape.twice[0]
        first = shape.nearest(path).key[0]
        key = ".".join(part for part in path if isinstance(part, str))
        where = f"the first time in line {first}" if first != line else ""
        return Problem(file=name, line=line, column=column, key=key, message=plain, suggestion=where)
    half = "the file ends inside it: half-written, or a closing mark is missing" if at_end else ""
    if shape.opened and (at_end or message.startswith("Unclosed")):
        path, (line, column) = shape.opened
        key = ".".join(map(str, path))
    else:
        line, column = (int(found[1]), int(found[2])) if found and found[1] else _end(text)
        key = _key_of(text, line)
    return Problem(
        file=name, line=line, column=column, key=key, message=f"not TOML: {plain or message}", suggestion=half
    )


def _end(text: str) -> tuple[int, int]:
    lines = text.rstrip().split("\n")
    return len(lines), len(lines[-1].rstrip()) + 1


def _key_of(text: str, line: int) -> str:
    found = _KEY.match(text.split("\n")[line - 1])
    return found[1] if found else ""
