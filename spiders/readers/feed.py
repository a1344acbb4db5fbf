"""Feeds of every kind → entries: RSS 0.9x to 2.0, RDF, Atom, JSON Feed, aggregator answers.

One order: decode, look at what it is, mend what is cut or surrounded by junk, then the strict reader for
well-formed RSS 2.0 and Atom, and feedparser for everything else. Both fill the same `Raw` fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model.sources import Outcome
from spiders.readers import jsonfeed, loosefeed, strictfeed
from spiders.readers.build import Builder, Raw
from spiders.readers.decoding import decode
from spiders.readers.links import feed_links
from spiders.readers.task import EXCERPT, Reading, ReadTask, reading
from spiders.readers.text import cut, plain

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,400}\?>", re.IGNORECASE)
_ROOT = re.compile(r"<(?!\?|!)([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_FEED_ROOT = re.compile(r"<(?:rss|feed|rdf:RDF|channel)\b|<[\w.-]{1,20}:(?:feed|RDF)\b", re.IGNORECASE)
_ENTRY = re.compile(r"<(?:item|entry)[\s>]")
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def read(task: ReadTask) -> Reading:
    """Read a feed. A web page or an error message in its place is refused with its beginning kept."""
    decoded = decode(task.body, charset=task.charset, content_type=task.content_type)
    text = decoded.text.strip("\ufeff \t\r\n")
    if not text:
        return Reading(outcome=Outcome.FAILED, reason="empty body", marks=decoded.marks)
    if text[0] in "{[":
        return jsonfeed.read(text, task, decoded.marks)
    root = _FEED_ROOT.search(text)
    if root is None or ((page := _PAGE.search(text)) is not None and page.start() < root.start()):
        return not_a_feed(text, task.url, decoded.marks)
    mended = mend(text, root.start())
    raws, marks = _raws(mended, task)
    if not raws and "not a feed" in marks:
        return not_a_feed(text, task.url, decoded.marks)
    entries, left_out = Builder(task).entries(raws)
    if not entries:
        left_out += ("no entries",)
    return reading(entries, decoded.marks + mended.marks + marks + left_out)


def _raws(mended: Mended, task: ReadTask) -> tuple[Sequence[Raw], tuple[str, ...]]:
    strict = strictfeed.read(mended.text, task.url)
    return (strict, ()) if strict is not None else loosefeed.read(mended.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """The document alone, whole again."""

    text: str
    marks: tuple[str, ...] = ()


def mend(text: str, root: int) -> Mended:
    """Without XML declaration (the text is decoded already), without junk before and after (F48), and with
    an item that was cut off removed, so that the complete ones are read exactly (F8, F38, F47)."""
    marks: list[str] = []
    head = _DECLARATION.sub("", text[:root], count=1)
    first = head.find("<")
    if (head if first < 0 else head[:first]).strip():
        marks.append("junk before the document")
        head = head[first:] if first >= 0 else ""
    found = _ROOT.match(text, root)
    name = (found[1] or "") + found[2] if found else "rss"
    document, mark = _closed(text[root:], name)
    return Mended(text=head + document, marks=(*marks, *filter(None, (mark,))))


def _closed(document: str, root: str) -> tuple[str, str]:
    end = document.rfind(f"</{root}")
    if end >= 0:
        end = document.find(">", end) + 1 or len(document)
        rest = document[end:]
        junk = rest.strip() and not rest.lstrip().startswith("<!--")
        return document[:end], "junk after the document" if junk else ""
    if (document.rstrip().endswith("/>") and document.count("<") == 1) or root == "channel":
        return document, ""
    last = max(document.rfind("</item>") + 7, document.rfind("</entry>") + 8)
    if last < 8:  # not one whole entry
        begun = _ENTRY.search(document)
        last = begun.start() if begun else len(document)
    channel = "</channel>" if "<channel" in document and "</channel>" not in document[:last] else ""
    return f"{document[:last]}{channel}</{root}>", "cut: the end is missing"


def not_a_feed(text: str, url: str, marks: tuple[str, ...] = ()) -> Reading:
    """What to say of an answer that holds no feed; a web page may name one (F14, F50)."""
    excerpt = cut(plain(text[: 64 * 1024]), EXCERPT) or cut(text, EXCERPT)
    if _PAGE.search(text) is None:
        return Reading(outcome=Outcome.FAILED, reason="not a feed", excerpt=excerpt, marks=marks)
    links = feed_links(text, url)
    named = f"; it names a feed: {', '.join(links)}" if links else ""
    return Reading(outcome=Outcome.BLOCKED, reason=f"a web page, not a feed{named}", excerpt=excerpt, marks=marks)
