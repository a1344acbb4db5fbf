"""HTML pages: measured before they are parsed, and the few things listing and article both ask of one."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from spiders.readers.links import resolve
from spiders.readers.text import apart, clean, depth, one_line

PAGE_DEPTH = 1_000
"""Honest pages stay under three hundred. HTML parsers lose text (F60) or need minutes (F53) beyond some thousands."""
PAGE_SIZE = 5_000_000
_BASE = re.compile(r"<base\b[^<>]{0,500}?\bhref\s*=\s*[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_LANGUAGE = re.compile(r"<html\b[^<>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z-]{2,10})", re.IGNORECASE)


def too_hard(text: str) -> str:
    """Why a page may not be given to an HTML parser; empty when it may."""
    if len(text) > PAGE_SIZE:
        return f"page of {len(text):,} characters is larger than {PAGE_SIZE:,}"
    return f"page nested deeper than {PAGE_DEPTH}" if depth(text, enough=PAGE_DEPTH) >= PAGE_DEPTH else ""


def base_of(text: str, url: str) -> str:
    """What the page's relative links start from (F73)."""
    found = _BASE.search(text[: 64 * 1024])
    return (resolve(found[1], url) if found else None) or url


def language_of(text: str) -> str | None:
    """What the page declares in ``<html lang>``."""
    found = _LANGUAGE.search(text[:4096])
    return found[1] if found else None


def select(tree: LexborHTMLParser | LexborNode, selector: str) -> list[LexborNode]:
    """The nodes a configured selector finds. Raises `BadSelector` when it is none."""
    try:
        return list(tree.css(selector))
    except SelectolaxError as error:
        raise BadSelector(selector) from error


class BadSelector(ValueError):
    """A selector of the configuration that the parser refuses."""


def text_of(node: LexborNode | None) -> str:
    """The node's text on one line. How its parts look is not known here, so they stand apart, but for emphasis."""
    return one_line(clean(apart(node.html or ""))) if node is not None else ""
