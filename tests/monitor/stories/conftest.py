"""The outlets that ship, a plain one without rules of its own, and the shipped words for claims and names."""

from __future__ import annotations

import tomllib
from functools import cache

import pytest

from config.load import load, shipped
from config.model.outlets import Outlet, Source
from monitor.stories.phrases import Phrases


@cache
def _outlet(name: str) -> Outlet:
    return Outlet.model_validate(tomllib.loads((shipped() / "outlets" / f"{name}.toml").read_text(encoding="utf-8")))


@cache
def _plain() -> Outlet:
    home = "https://news.example.org/"
    source = Source(id="feed", kind="feed", url=home + "feed")
    return Outlet(
        id="unknown", name="Example", home=home, language="en", time_zone="UTC", access="feed", why="A test.",
        source=(source,),
    )  # fmt: skip


@pytest.fixture(scope="session")
def outlet_named():
    return lambda name: _plain() if name == "unknown" else _outlet(name)


@pytest.fixture(scope="session")
def plain_outlet() -> Outlet:
    return _plain()


@pytest.fixture(scope="session")
def phrases() -> Phrases:
    config = load(None, environ={})
    return Phrases.of(config.claims, config.concepts)
