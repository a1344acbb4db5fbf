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
    removed: Callable[[str], str]
    added: Callable[[str], str]
    """What an edit took out, and what it put in."""
    isolated: Callable[[str, str], str]
    """Text and its language (empty: unknown): its own direction."""
    link: Callable[[str], str]
    """A checked address (`text.web_link`)."""
    linked: Callable[[str, str], str]
    """A text and the checked address behind it."""
    lines: Callable[[Iterable[str]], str]
    """A whole message, line by line."""
    block: Callable[[Iterable[str]], str]
    """Lines that belong together."""
    blocks: Callable[[Iterable[str]], str]
    """A whole message, block by block."""


def _html_isolated(text: str, language: str) -> str:
    lang = f' lang="{language}"' if language else ""
    return f'<bdi dir="auto"{lang}>{balanced(text)}</bdi>'


def _html_link(address: str) -> str:
    return _html_linked(escape(address), address)


def _html_linked(text: str, address: str) -> str:
    return f'<a href="{escape(address)}">{text}</a>'


def _html_paragraphs(blocks: Iterable[str]) -> str:
    return "".join(f"<p>{block}</p>\n" for block in blocks)


PLAIN = Markup(
    escape=lambda text: text,
    strong=lambda text: text,
    marked=lambda text: f"«{text}»",
    removed=lambda text: f"[−{text}−]",
    added=lambda text: f"[+{text}+]",
    isolated=lambda text, language: isolated(text),
    link=lambda address: address,
    linked=lambda text, address: f"{text} {address}",
    lines="\n".join,
    block="\n".join,
    blocks="\n\n".join,
)
MARKDOWN = Markup(
    escape=lambda text: _MARKDOWN.sub(lambda found: "\\" + found[0], text),
    strong=lambda text: f"**{text}**",
    marked=lambda text: f"**{text}**",
    removed=lambda text: f"~~{text}~~",
    added=lambda text: f"**{text}**",
    isolated=lambda text, language: isolated(text),
    link=lambda address: f"<{address}>",
    linked=lambda text, address: f"{text} <{address}>",
    lines="\n\n".join,
    block="  \n".join,  # CommonMark, 6.7: two spaces make the line break hold; chats break the line anyway
    blocks="\n\n".join,
)
HTML = Markup(
    escape=escape,
    strong=lambda text: f"<strong>{text}</strong>",
    marked=lambda text: f"<mark>{text}</mark>",
    removed=lambda text: f"<del>{text}</del>",
    added=lambda text: f"<ins>{text}</ins>",
    isolated=_html_isolated,
    link=_html_link,
    linked=_html_linked,
    lines=_html_paragraphs,
    block="<br>\n".join,
    blocks=_html_paragraphs,
)
