"""What no file can know alone: ids that stand twice, and names that name nothing.

It looks at the files as written, so that these problems are told together with all others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from config.document import Document
from config.errors import Problem
from config.positions import Path as KeyPath
from config.wording import near

BUILT_IN_OUTLET = "wirewatch"
BUILT_IN_WATCH = "wirewatch-notices"
"""The service's own notices are items of this outlet, matched by this watch (``monitor/health.py``)."""
CANARY = "wirewatch-canary"
"""The outlet, the watch and the channel of the hourly canary (``monitor/canary.py``)."""
_KEPT = {BUILT_IN_OUTLET: "notices of", BUILT_IN_WATCH: "notices of", CANARY: "the hourly canary of"}

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""Anything else is refused by the model, and is not quoted: it may be an address in the wrong place."""

Named = tuple[Document, KeyPath, str]
"""A well-formed id and where it stands."""


def problems(documents: Sequence[Document], *, unreadable: Collection[str] = ()) -> Iterator[Problem]:
    """Problems between files. ``unreadable``: names of the files that could not be read, whose ids may be meant."""
    settings = [document for document in documents if document.kind == "wirewatch"]
    watches = [document for document in documents if document.kind == "watches"]
    outlets = [named for document in documents if document.kind == "outlet" for named in _ids(document, ())]
    channels = [named for document in settings for named in _each_id(document, "channel")]
    watch_ids = [named for document in watches for named in _each_id(document, "watch")]
    yield from _twice(outlets, "outlet")
    yield from _twice(channels, "channel")
    yield from _twice(watch_ids, "watch")
    yield from _outlet_names(outlets)
    yield from _reserved(watch_ids, BUILT_IN_WATCH, CANARY)
    yield from _reserved(channels, CANARY)
    outlet_ids = {name for _, _, name in outlets}
    outlet_ids |= {document.stem for document in documents if document.kind == "outlet"}
    outlet_ids |= {Path(name).stem for name in unreadable if "outlets/" in name}
    channel_ids = {name for _, _, name in channels}
    for document in watches:
        for watch in _tables(document, "watch"):
            yield from _unknown(document, (*watch, "outlets"), outlet_ids | {BUILT_IN_OUTLET}, "outlet")
            if settings:
                yield from _unknown(document, (*watch, "notify"), channel_ids, "channel")
    for document in settings:
        yield from _unknown(document, ("service", "notify"), channel_ids, "channel")
        yield from _unknown_id(document, ("service", "canary"), channel_ids, "channel")
        for channel in _tables(document, "channel"):
            yield from _unknown_id(document, (*channel, "escalate_to"), channel_ids, "channel")


def _tables(document: Document, name: str) -> Iterator[KeyPath]:
    tables = document.data.get(name)
    return ((name, index) for index in range(len(tables) if isinstance(tables, list) else 0))


def _each_id(document: Document, name: str) -> Iterator[Named]:
    for table in _tables(document, name):
        yield from _ids(document, table)


def _ids(document: Document, table: KeyPath) -> Iterator[Named]:
    yield from _named(document, (*table, "id"), document.at((*table, "id")))


def _named(document: Document, path: KeyPath, value: Any) -> Iterator[Named]:
    if isinstance(value, str) and _ID.fullmatch(value):
        yield document, path, value


def _twice(ids: Sequence[Named], what: str) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for document, path, name in ids:
        if name in first:
            message = f'another {what} is called "{name}" too'
            yield document.problem(path, message, f"the first stands in {first[name]}")
        line, _ = document.layout.nearest(path).key
        first.setdefault(name, f"{document.name}, line {line}")


def _outlet_names(ids: Sequence[Named]) -> Iterator[Problem]:
    yield from _reserved(ids, BUILT_IN_OUTLET, CANARY)
    for document, path, name in ids:
        if name != document.stem:
            message = "an outlet's id is the name of its file"
            yield document.problem(path, message, f'write "{document.stem}", or rename the file to {name}.toml')


def _reserved(ids: Sequence[Named], *own: str) -> Iterator[Problem]:
    for document, path, name in ids:
        if name in own:
            message = f'"{name}" is kept for {_KEPT[name]} the service itself'
            yield document.problem(path, message, "choose another id")


def _unknown(document: Document, path: KeyPath, known: Collection[str], what: str) -> Iterator[Problem]:
    values = document.at(path)
    for index in range(len(values) if isinstance(values, list) else 0):
        yield from _unknown_id(document, (*path, index), known, what)


def _unknown_id(document: Document, path: KeyPath, known: Collection[str], what: str) -> Iterator[Problem]:
    for _, at, name in _named(document, path, document.at(path)):
        if name not in known:
            there = f"there are: {', '.join(sorted(known))}" if len(known) <= 10 else ""
            nothing = f"there is no {what} yet" if not known else there
            yield document.problem(at, f'no {what} is called "{name}"', near(name, sorted(known)) or nothing)
