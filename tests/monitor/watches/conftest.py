"""The shipped lexicon, and watches made of bare queries."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from config.model.lexicon import Concept
from config.model.watches import Watch
from monitor.model.items import Match
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.engine import ItemText

DEFAULTS = Path(__file__).parents[3] / "config" / "defaults"


@pytest.fixture(scope="session")
def concepts() -> dict[str, Concept]:
    loaded = tomllib.loads((DEFAULTS / "concepts.toml").read_text("utf-8"))["concepts"]
    return {name: Concept.model_validate(value) for name, value in loaded.items()}


@pytest.fixture(scope="session")
def shipped_watches() -> tuple[Watch, ...]:
    files = sorted((DEFAULTS / "watches").glob("*.toml"))
    return tuple(Watch.model_validate(w) for f in files for w in tomllib.loads(f.read_text("utf-8"))["watch"])


Compile = Callable[..., WatchSet]


@pytest.fixture(scope="session")
def watching(concepts: dict[str, Concept]) -> Compile:
    """``watching("query", …)``: a set whose watches are called q0, q1, …"""

    def made(*queries: str, outlets: tuple[str, ...] = ()) -> WatchSet:
        watches = [
            Watch(id=f"q{number}", title=query, when=query, outlets=outlets) for number, query in enumerate(queries)
        ]
        compiled, bad = compile_watches(watches, concepts, outlets=("bbc", "haaretz-he", "reuters"))
        assert not bad, bad[0].error
        return compiled

    return made


Find = Callable[..., Match | None]


@pytest.fixture(scope="session")
def find(watching: Compile) -> Find:
    """``find(query, text)``: the match, or ``None``; the text is an item or a title."""

    def found(query: str, text: str | ItemText) -> Match | None:
        item = text if isinstance(text, ItemText) else ItemText(text)
        return next(iter(watching(query).match(item)), None)

    return found
