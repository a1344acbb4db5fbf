"""Everything unusual, by feedparser: RDF, old RSS, DOCTYPEs, ill-formed documents.

Only on `BytesIO` and only after our own decoding: given bytes it opens a body that spells a path, and one
bad byte makes it read a whole Hebrew feed as another alphabet (F37). Its dates are not used (F79, F80), and
it is not told the final address: it would make an address of every guid (F75).
"""

from __future__ import annotations

import io
from typing import Any

import feedparser

from spiders.readers.build import Form, Raw

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_MALFORMED = 80


def read(text: str) -> tuple[list[Raw], tuple[str, ...]]:
    """The entries and what was wrong; ``not a feed`` among the marks when feedparser knows no such format."""
    document = f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode("utf-8", "replace")
    parsed: Any = feedparser.parse(
        io.BytesIO(document),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    version = str(parsed.get("version") or "")
    if not version and not parsed.entries:
        return [], ("not a feed",)
    marks = (f"not well-formed: {_reason(parsed)}",) if parsed.bozo and _real(parsed) else ()
    return [_raw(entry, parsed.feed, version) for entry in parsed.entries], marks


def _real(parsed: Any) -> bool:
    return not isinstance(parsed.get("bozo_exception"), feedparser.CharacterEncodingOverride)


def _reason(parsed: Any) -> str:
    return " ".join(str(parsed.get("bozo_exception", "")).split())[:_MALFORMED]


def _raw(entry: Any, feed: Any, version: str) -> Raw:
    atom = version.startswith("atom")
    content: Any = next(iter(entry.get("content") or ()), {})
    summary = "" if entry.get("summary") == content.get("value") else entry.get("summary", "")
    enclosure: Any = next(iter(entry.get("enclosures") or ()), {})
    return Raw(
        title=entry.get("title", ""),
        title_form=_form(entry.get("title_detail")) if atom else "rss",
        summary=summary,
        summary_form=_form(entry.get("summary_detail")) if atom else "html",
        content=content.get("value", ""),
        content_form=_form(content) if atom else "html",
        link=_link(entry),
        guid=entry.get("id"),
        guid_is_link=bool(entry.get("guidislink", atom)),
        base=(entry.get("title_detail") or entry.get("summary_detail") or {}).get("base"),
        authors=_authors(entry) or (_authors(feed) if atom else ()),
        publisher=_publisher(entry),
        published=entry.get("published", "") or entry.get("created", ""),
        updated=entry.get("updated", "") if "updated" in entry.keys() else "",  # noqa: SIM118 (feedparser maps keys)
        language=(entry.get("title_detail") or {}).get("language") or entry.get("language") or feed.get("language"),
        tags=tuple(str(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags") or ()),
        media=str(enclosure.get("type") or ""),
    )


def _link(entry: Any) -> str | None:
    """feedparser makes a link of any guid; ours decides for itself what is an address (F75)."""
    links = [link.get("href") for link in entry.get("links") or () if link.get("rel", "alternate") == "alternate"]
    link = entry.get("link")
    if link is None or (link == entry.get("id") and link not in links):
        return None
    return str(link)


def _form(detail: Any) -> Form:
    return "html" if detail and detail.get("type") in _HTML_TYPES else "text"


def _authors(entry: Any) -> tuple[str, ...]:
    named = tuple(str(person.get("name")) for person in entry.get("authors") or () if person.get("name"))
    return named or ((str(entry.get("author")),) if entry.get("author") else ())


def _publisher(entry: Any) -> str:
    source = entry.get("source")
    return str(entry.get("news_source") or (source.get("title") if isinstance(source, dict) else "") or "")
