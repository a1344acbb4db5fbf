"""Text from outside becomes plain text or allow-listed markup; nothing else leaves this file.

Sanitisers and HTML parsers are quadratic in nesting depth (F53: 168 s for one megabyte of ``<div>``),
so size and depth are measured, in linear time, before any of them sees a fragment.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

import nh3

from monitor.language import display

ALLOWED_TAGS = frozenset({"p", "br", "b", "i", "em", "strong", "a", "blockquote", "ul", "ol", "li"})
FRAGMENT_SIZE = 64 * 1024
FRAGMENT_DEPTH = 100

# C0 and C1 controls except tab and line breaks, DEL, non-characters (F42).
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Possessive: a tag that never closes must not be tried from each of its letters.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*+)[^<>]*+>")
_ANY_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*+>")
_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
# Blocks that the allow-list does not keep: they still end a paragraph.
_LOST = (
    "div|h[1-6]|table|caption|tr|td|th|section|article|aside|main|nav|address|figure|figcaption|header|footer|hr|pre"
    "|dl|dt|dd|details|summary|center|form|fieldset|legend|option|optgroup|dialog|hgroup|search|menu|dir"
)
_LOST_BLOCK = re.compile(rf"</?(?:{_LOST})\b[^<>]*>", re.IGNORECASE)
_BLOCK = re.compile(rf"</?(?:p|li|ul|ol|blockquote|{_LOST})\b[^<>]*>", re.IGNORECASE)
# What stands between words as a picture or a box, not as letters; and the number of a footnote.
_BOX = re.compile(
    r"(?=</?(?:img|picture|video|audio|iframe|object|embed|svg|canvas|input|button|select)\b|<su[pb]\b[^<>]*>\s*\W?\d)",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"<p>\s*</p>")
_EMPHASIS = re.compile(r"</?(?:b|i|em|strong|u|mark|small|wbr)\b[^<>]*>", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_UNREAD = re.compile(r"<!--|<(script|style|noscript|template|iframe|svg|math|title|textarea)\b[^<>]*>", re.IGNORECASE)
# Elements that never nest by themselves: a new one closes the last one of its kind.
_FLAT = frozenset(
    {"p", "li", "br", "img", "hr", "input", "meta", "link", "source", "wbr", "col", "tr", "td", "th", "dt"}
)
_FLAT |= {"dd", "option", "area", "base", "embed", "param", "track", "thead", "tbody", "tfoot"}
_PARAGRAPH = "\x00"  # cannot be in the text: controls are removed first


def clean(text: str) -> str:
    """Without control characters; a lone surrogate becomes U+FFFD (F42, F43). A C1 control stands for the
    windows-1252 letter with its number, as in HTML (``&#146;`` is an apostrophe)."""
    return _CONTROLS.sub(_instead, text)


def _instead(control: re.Match[str]) -> str:
    code = ord(control[0])
    if control[0] in "\v\f":
        return " "
    if 0x80 <= code <= 0x9F:
        return bytes([code]).decode("windows-1252", "ignore")
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else ""


def one_line(text: str) -> str:
    """Cleaned, then in one line: titles, names, addresses."""
    return display.one_line(clean(text))


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, not cut inside a letter with its marks (F54, F93)."""
    if len(text) <= limit:
        return text
    end = limit
    while end > limit - 64 and _joined(text[end - 1], text[end]):
        end -= 1
    return text[: end if end > limit - 64 else limit].rstrip()


def _joined(before: str, after: str) -> bool:
    return (
        unicodedata.category(after) in ("Mn", "Me", "Mc")
        or after in "\u200d\ufe0e\ufe0f"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )


def visible(text: str) -> bool:
    """False for what shows nothing: blanks, zero-width and direction marks, lone combining marks (F93)."""
    return any(unicodedata.category(letter)[0] in "LNPS" for letter in text)


def paragraphs(text: str) -> str:
    """Plain text with single spaces, its paragraphs separated by one blank line."""
    return _joined_paragraphs(_BLANK_LINE.split(clean(text)))


def _joined_paragraphs(parts: list[str]) -> str:
    return "\n\n".join(part for part in (" ".join(part.split()) for part in parts) if part)


def plain(markup: str) -> str:
    """The text of some HTML, in linear time whatever its depth; references are decoded once."""
    if "<" not in markup:
        return paragraphs(html.unescape(markup))
    return _flattened(clean(_without_unread(_BOX.sub(" ", markup))))


def _flattened(markup: str) -> str:
    flat = " ".join(markup.split())
    flat = _BLOCK.sub(_PARAGRAPH, flat)
    flat = re.sub(_PARAGRAPH + r" ?(?:\x01 ?)+", _PARAGRAPH, _BREAK.sub("\x01", flat))
    flat = re.sub("\x01 ?\x01", _PARAGRAPH, flat).replace("\x01", " ")
    parts = _ANY_TAG.sub("", flat).split(_PARAGRAPH)
    return _joined_paragraphs([clean(html.unescape(part)) for part in parts])


def _without_unread(markup: str) -> str:
    """Comments, scripts and the like removed; what is opened and never closed ends the text."""
    kept: list[str] = []
    position = 0
    while (found := _UNREAD.search(markup, position)) is not None:
        kept.append(markup[position : found.start()])
        end = _end_of_unread((found[1] or "").lower()).search(markup, found.end())
        if end is None:
            return "".join(kept)
        position = end.end()
    kept.append(markup[position:])
    return "".join(kept)


@functools.cache
def _end_of_unread(name: str) -> re.Pattern[str]:
    return re.compile(rf"</{name}[^<>]*+>?" if name else "-->", re.IGNORECASE)


def apart(markup: str) -> str:
    """The text of some HTML with a space wherever an element begins or ends that is no mere emphasis."""
    return html.unescape(_ANY_TAG.sub(" ", _EMPHASIS.sub("", _without_unread(markup))))


def depth(markup: str, *, enough: int) -> int:
    """How deep the elements nest, counted without building a tree; stops at ``enough``."""
    opened: Counter[str] = Counter()
    now = deepest = 0
    for found in _TAG.finditer(markup):
        name = found[2].lower()
        if name in _FLAT:
            continue
        if not found[1]:
            opened[name] += 1
            now += 1
            deepest = max(deepest, now)
            if now >= enough:
                return now
        elif opened[name]:
            opened[name] -= 1
            now -= 1
    return deepest


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Some HTML as plain text and, where it may be shown as markup, as allow-listed HTML."""

    text: str
    html: str = ""
    mark: str = ""


def fragment(markup: str, *, base: str) -> Fragment:
    """Read a fragment of HTML from outside. Pictures, frames, scripts and handlers are dropped (F84, F85);
    links stay only when they are http(s), resolved against ``base``."""
    if "<" not in markup:
        return Fragment(text=plain(markup))
    if len(markup) > FRAGMENT_SIZE:
        return Fragment(text=plain(markup))
    if markup.count("<") >= FRAGMENT_DEPTH <= depth(markup, enough=FRAGMENT_DEPTH):
        return Fragment(text=plain(markup), mark="markup dropped: nested too deep")
    safe = sanitise(markup, base=base)
    return Fragment(text=_flattened(safe), html=safe if _ANY_TAG.search(safe) else "")


def sanitise(markup: str, *, base: str) -> str:
    """Allow-listed markup; the caller has measured size and depth. A block that is not allowed leaves a paragraph's end
    behind: words of two blocks are not one word."""
    apart = _LOST_BLOCK.sub("<p>", _BOX.sub(" ", clean(markup)))
    return _EMPTY.sub("", _cleaner(base).clean(apart)).strip()


@functools.lru_cache(maxsize=8)
def _cleaner(base: str) -> nh3.Cleaner:
    web = base.startswith(("http://", "https://"))
    return nh3.Cleaner(
        tags=set(ALLOWED_TAGS),
        clean_content_tags={"script", "style", "noscript", "template", "iframe", "svg", "math", "title", "textarea"},
        attributes={"a": {"href"}, "*": set()},  # nh3 keeps title and lang everywhere otherwise
        url_schemes={"http", "https"},
        url_relative=("rewrite_with_base", base) if web else "deny",
        link_rel="noopener noreferrer nofollow",
    )


def as_html(text: str) -> str:
    """Plain paragraphs as markup."""
    return "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in text.split("\n\n") if part)
