"""Sitemaps → entries (news sitemaps and plain ones), and sitemap indexes → the children to be asked next."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from lxml import etree

from monitor.model.sources import Outcome
from monitor.model.texts import Kind
from spiders.readers.build import Builder, Raw
from spiders.readers.decoding import decode
from spiders.readers.feed import not_a_feed
from spiders.readers.links import resolve
from spiders.readers.task import Reading, ReadTask, reading

MOST_CHILDREN = 5
_GZIP = b"\x1f\x8b"
_LARGEST = 64 * 1024 * 1024
_ROOT = re.compile(r"<((?:[\w.-]{1,20}:)?(?:urlset|sitemapindex))\b")
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]{0,400}\?>", re.IGNORECASE)
_SLUG_END = re.compile(r"\.\w{2,5}$|-?[0-9a-f]{32}$|-\d{4}-\d{2}-\d{2}$")
_NEVER = datetime.min.replace(tzinfo=UTC)


def read(task: ReadTask) -> Reading:
    """Read a sitemap. An index yields no entries but the addresses of its newest children."""
    body = unpacked(task.body)
    if body is None:
        return Reading(outcome=Outcome.FAILED, reason="gzip that cannot be unpacked, or larger than 64 MiB")
    decoded = decode(body, charset=task.charset, content_type=task.content_type)
    text = decoded.text.strip("\ufeff \t\r\n")
    if not text:
        return Reading(outcome=Outcome.FAILED, reason="empty body", marks=decoded.marks)
    found = _ROOT.search(text)
    if found is None:
        return not_a_feed(text, task.url, decoded.marks)
    root, marks = _tree(text, found)
    if root is None:
        return Reading(outcome=Outcome.FAILED, reason="a sitemap that cannot be read", marks=decoded.marks)
    builder = Builder(task)
    if found[1].endswith("sitemapindex"):
        return reading((), decoded.marks + marks, _children(root, builder, task.url))
    entries, left_out = builder.entries(_raws(root))
    return reading(entries, decoded.marks + marks + left_out + (() if entries else ("no entries",)))


def unpacked(body: bytes) -> bytes | None:
    """``….xml.gz`` served as it is; ``None`` when it is damaged or a bomb."""
    if not body.startswith(_GZIP):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            plain = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return plain if len(plain) <= _LARGEST else None


def _tree(text: str, root: re.Match[str]) -> tuple[etree._Element | None, tuple[str, ...]]:
    """The document from its root on; one that was cut is closed after its last whole ``url``."""
    name = root[1]
    document = text[root.start() :]
    marks: tuple[str, ...] = ()
    end = document.rfind(f"</{name}>")
    if end < 0 and "</" in document:
        last = max(document.rfind("</url>") + 6, document.rfind("</sitemap>") + 10)
        document, marks = f"{document[:last]}</{name}>", ("cut: the end is missing",)
    elif end >= 0:
        document = document[: end + len(name) + 3]
    try:
        return _parsed(document, recover=False), marks
    except etree.XMLSyntaxError as error:
        broken = f"not well-formed: {str(error)[:80]}"
    try:
        return _parsed(document, recover=True), (*marks, broken)
    except etree.XMLSyntaxError:
        return None, (*marks, broken)


def _parsed(document: str, *, recover: bool) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover, remove_comments=True
    )
    return etree.fromstring(document.encode("utf-8", "replace"), parser)


def _local(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def _raws(root: etree._Element) -> Iterator[Raw]:
    for url in root:
        if _local(url) == "url":
            yield _raw(url)


def _raw(url: etree._Element) -> Raw:
    news: dict[str, str] = {}
    fields: dict[str, str] = {}
    for child in url:
        name = _local(child)
        if name == "news":
            news = {_local(part): _text(part).strip() for part in child.iter(tag=etree.Element) if part is not child}
        elif name in ("loc", "lastmod"):
            fields[name] = _text(child).strip()
    opinion: Kind | None = "opinion" if "opinion" in news.get("genres", "").lower().replace("oped", "opinion") else None
    return Raw(
        title=news.get("title") or _slug_words(fields.get("loc", "")),
        link=fields.get("loc"),
        publisher=news.get("name", ""),
        published=news.get("publication_date", ""),
        updated=fields.get("lastmod", ""),
        language=news.get("language") or None,
        tags=tuple(news.get("keywords", "").split(",")),
        kind=opinion,
    )


def _text(element: etree._Element) -> str:
    """All that an element says, references that no one declared included as they are written."""
    said = [element.text or ""]
    for child in element:
        if child.tag is etree.Entity:
            said.append(child.text or "")
        elif isinstance(child.tag, str):
            said.append(" " if _local(child) == "br" else _text(child))
        said.append(child.tail or "")
    return "".join(said)


def _slug_words(link: str) -> str:
    """A plain sitemap has no titles: the words of the address's longest part stand in, so that it can be matched."""
    parts = [_SLUG_END.sub("", unquote(part)) for part in urlsplit(link).path.split("/")]
    slug = max(parts, key=lambda part: part.count("-"), default="")
    return slug.replace("-", " ").replace("_", " ") if slug.count("-") >= 2 else ""


def _children(root: etree._Element, builder: Builder, base: str) -> tuple[str, ...]:
    dated: list[tuple[datetime, str]] = []
    for child in root:
        fields = {_local(part): (part.text or "").strip() for part in child} if _local(child) == "sitemap" else {}
        if (address := resolve(fields.get("loc"), base)) is not None:
            dated.append((builder.moment(fields.get("lastmod", "")) or _NEVER, address))
    dated.sort(key=lambda pair: pair[0], reverse=True)  # stable: undated children keep their order
    return tuple(dict.fromkeys(address for _, address in dated))[:MOST_CHILDREN]
