"""A small configuration that is right, for tests to break."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

SETTINGS = """\
[service]
notify = ["newsroom"]

[[channel]]
id = "newsroom"
url = "page"
"""
OUTLET = """\
id = "bbc"
name = "BBC News"
home = "https://www.bbc.com/news"
language = "en"
time_zone = "Europe/London"
access = "feed"
why = "It publishes feeds."

[[source]]
id = "top"
kind = "feed"
url = "https://feeds.bbci.co.uk/news/rss.xml"
"""
WATCHES = """\
[[watch]]
id = "deal"
title = "A deal"
when = "@hostage"
outlets = ["bbc"]
notify = ["newsroom"]
"""
CONCEPTS = """\
version = 1

[concepts.hostage]
kind = "word"
group = "people"
en = ["hostage"]
"""
RIGHT: Mapping[str, str] = {
    "wirewatch.toml": SETTINGS,
    "outlets/bbc.toml": OUTLET,
    "watches/doha.toml": WATCHES,
    "concepts.toml": CONCEPTS,
}

Write = Callable[[Mapping[str, str | bytes]], Path]
"""Writes the right configuration with some of its files replaced or added; the answer is its folder."""
