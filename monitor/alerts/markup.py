"""Three ways to write a message: plain text, Markdown, HTML. Each escapes what comes from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

import regex

from monitor.alerts.text import isolated
from monitor.language.display import balanced

_MARKDOWN = regex.compile(r"[\\`*_\[\]<>~|#!]|&(?=#?\w+;)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """``escape`` is for text from outside; all others take what was escaped already."""

    escape: Callable[[str], str]
    strong: Callable[[str], str]
    marked: Callable[[str], str]
    """Words that a watch found."""
    isolated: Callable[[str, str], str]
    """Text and its language (empty: unknown): its own direction."""
    link: Callable[[str], str]
    """A checked address (`text.web_link`)."""
    lines: Callable[[Iterable[str]], str]


def _html_isolated(text: str, language: str) -> str:
    lang = f' lang="{language}"' if language else ""
    return f'<bdi dir="auto"{lang}>{balanced(text)}</bdi>'


def _html_link(address: str) -> str:
    safe = escape(address)
    return f'<a href="{safe}">{safe}</a>'


PLAIN = Markup(
    escape=lambda text: text,
    strong=lambda text: text,
    marked=lambda text: f"«{text}»",
    isolated=lambda text, language: isolated(text),
    link=lambda address: address,
    lines="\n".join,
)
MARKDOWN = Markup(
    escape=lambda text: _MARKDOWN.sub(lambda found: "\\" + found[0], text),
    strong=lambda text: f"**{text}**",
    marked=lambda text: f"**{text}**",
    isolated=lambda text, language: isolated(text),
    link=lambda address: f"<{address}>",
    lines="\n\n".join,
)
HTML = Markup(
    escape=escape,
    strong=lambda text: f"<strong>{text}</strong>",
    marked=lambda text: f"<mark>{text}</mark>",
    isolated=_html_isolated,
    link=_html_link,
    lines=lambda lines: "".join(f"<p>{line}</p>\n" for line in lines),
)
