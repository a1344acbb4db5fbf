"""What pydantic found wrong, in plain words and at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.document import Document
from config.errors import Problem
from config.positions import Path
from config.schema import allowed

PATTERNS = {
    "^[a-z0-9][a-z0-9-]{0,63}$": ("must be an id", 'write small letters a-z, digits and "-", at most 64 of them'),
    "^[a-z][a-z0-9_]{0,63}$": ("must be a concept's name", 'write small letters a-z, digits and "_", at most 64'),
    "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$": (
        "must refer to a secret, never hold it",
        'write as "env:NAME" or "file:PATH"',
    ),
    r"^\S+:\d{1,5}$": ("must be a host and a port", 'write as "news.example:8080"'),
    "^(obey|permitted: .+)$": ("must say what is permitted", 'write "obey" or "permitted: REASON"'),
    r"\S": ("a form may not be empty", "remove it"),
}
"""For each pattern of the model: what is wrong, and what to write."""

_TYPES = {
    "string_type": ("must be text", 'write as "…" in quotes'),
    "int_type": ("must be a whole number", "write as digits, without quotes"),
    "bool_type": ("must be true or false", "write true or false, without quotes"),
    "tuple_type": ("must be a list", "write as […]"),
    "model_type": ("must be a table", "write as [table] or { key = value }"),
    "mapping_type": ("must be a table", "write as [table] or { key = value }"),
    "too_short": ("needs at least one entry", ""),
    "dict_type": ("must be a table", "write as [table] or { key = value }"),
}


def problems(document: Document, error: ValidationError) -> Iterator[Problem]:
    """Each error at its place; no value is ever shown, since an address may stand in the wrong key."""
    for detail in error.errors(include_url=False, include_input=True):
        if detail["type"] == "too_short" and detail["input"]:
            continue  # the list has entries, none of them right: each is told itself
        yield _problem(document, detail)


def near(name: str, names: Iterable[str]) -> str:
    """``did you mean …?`` for a slip of the pen, else nothing."""
    found = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f'did you mean "{found[0]}"?' if found else ""


def _problem(document: Document, detail: ErrorDetails) -> Problem:
    context = detail.get("ctx", {})
    path = _path(document, (*detail["loc"], *context.get("path", ())))
    kind = detail["type"]
    if kind == "missing":
        missing = (*path, str(detail["loc"][-1]))
        return document.problem(path, "is missing", _example(document, missing), key=missing)
    if kind == "extra_forbidden":
        return _unknown(document, path)
    message, suggestion = _words(document, path, detail, context)
    return document.problem(path, message, suggestion)


def _path(document: Document, loc: tuple[str | int, ...]) -> Path:
    """pydantic's ``loc`` without what stands in no file: names of alternatives, a missing key, ``[key]``."""
    path: Path = ()
    for part in loc:
        here = document.at(path)
        inside = part in here if isinstance(here, dict) else isinstance(here, list) and isinstance(part, int)
        path = (*path, part) if inside else path
    return path


def _unknown(document: Document, path: Path) -> Problem:
    names = allowed(document.kind, path[:-1])
    known = "known here: " + ", ".join(names) if names else ""
    return document.problem(path, "unknown key", near(str(path[-1]), names) or known)


def _example(document: Document, path: Path) -> str:
    names = allowed(document.kind, path)
    value = " or ".join(f'"{name}"' for name in names) if 0 < len(names) < 6 and path[-1] != "selectors" else '"…"'
    tables = {
        "source": "write a [[source]] table",
        "concepts": "write [concepts.NAME] tables",
        "version": "write version = 1",
    }
    return tables.get(str(path[-1])) or f"write as {path[-1]} = {value}"


def _words(document: Document, path: Path, detail: ErrorDetails, context: dict[str, Any]) -> tuple[str, str]:
    value = detail.get("input")
    match detail["type"]:
        case "value_error":
            return str(context["error"]), ""
        case "refused":
            return str(context["message"]), ""
        case "literal_error" if detail["loc"][-1] == "[key]":  # the key of a table that takes few
            known = re.findall(r"'([^']+)'", context["expected"])
            return "unknown key", near(str(path[-1]), known) or "known here: " + ", ".join(known)
        case "literal_error":
            return _one_of(document, path, value)
        case "string_pattern_mismatch":
            return PATTERNS[context["pattern"]]
        case "tuple_type" if isinstance(value, str):
            words = ("must be a list", 'write as ["…"]')
        case "tuple_type" if isinstance(value, dict):
            words = ("must be an array of tables", f"write as [[{path[-1]}]]")
        case "greater_than_equal":
            words = (f"must be {context['ge']} or more", "")
        case "less_than_equal":
            words = (f"must be {context['le']} or less", "")
        case kind:
            words = _TYPES.get(kind, (detail["msg"], ""))
    return words


def _one_of(document: Document, path: Path, value: object) -> tuple[str, str]:
    names = allowed(document.kind, path)
    told = " or ".join(name if name.isdigit() else f'"{name}"' for name in names)
    slip = near(value, names) if isinstance(value, str) else ""
    return "is none of the values allowed here", f"{slip} write {told}".strip()
