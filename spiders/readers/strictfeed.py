"""The fast reader: well-formed RSS 2.0 and Atom without a DOCTYPE, by lxml (under a tenth of feedparser's time).

It answers ``None`` for everything it is not sure about, and feedparser reads that. Agreement of the two
over feedparser's own suite is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

from lxml import etree

from spiders.readers.build import Form, Raw

_ATOM = "{http://www.w3.org/2005/Atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_HTML_TYPES = frozenset({"html", "xhtml", "text/html", "application/xhtml+xml"})
_PLAIN_TYPES = frozenset({"text", "text/plain"})
# An item that uses one of these names outside RSS means something by it that only feedparser knows.
_UNUSUAL = frozenset({"title", "description", "summary", "content", "body", "div", "fullitem", "modified", "issued"})
_UNUSUAL |= {"created", "published", "guid", "id"}


def read(text: str, url: str) -> list[Raw] | None:
    """The entries of a well-formed RSS 2.0 or Atom document, else ``None``. Nothing outside it is read."""
    if "<!DOCTYPE" in text or "<!doctype" in text:
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        return None
    if root.tag == "rss":
        return _rss(root)
    return _atom(root, url) if root.tag == f"{_ATOM}feed" else None


def _rss(root: etree._Element) -> list[Raw] | None:
    channel = root.find("channel")
    if channel is None or None in root.nsmap or root.get(f"{_XML}base") or channel.get(f"{_XML}base"):
        return None
    items = channel.findall("item")
    if not all(map(_usual, items)):
        return None
    language = channel.findtext("language") or channel.findtext(f"{_DC}language")
    return [_rss_item(item, language) for item in items]


def _usual(item: etree._Element) -> bool:
    names = [child.tag for child in item]
    if "title" not in names or None in item.nsmap:
        return False
    return not any(_unusual(name, names) for name in names)


def _unusual(name: str, names: list[str]) -> bool:
    local = name.rpartition("}")[2].lower()
    if local not in _UNUSUAL or name in ("title", "guid") or name.startswith(_MEDIA):
        return False
    return name != "description" or names.count("description") > 1


def _rss_item(item: etree._Element, language: str | None) -> Raw:
    texts: dict[str, str] = {}
    authors: list[str] = []
    tags: list[str] = []
    media = link = publisher = ""
    permalink = True
    for child in item:
        tag = child.tag
        if tag in (f"{_DC}creator", "author"):
            authors.append(_text(child))
        elif tag in ("category", f"{_DC}subject"):
            tags.append(_text(child))
        elif tag == "enclosure":
            media = media or child.get("type", "")
        elif tag == f"{_ATOM}link":
            link = link or _alternate(child)
        elif tag == "guid":
            permalink = child.get("isPermaLink", "true").lower() != "false"
            texts["guid"] = _text(child)
        elif isinstance(tag, str):
            publisher = publisher or (_text(child) if etree.QName(tag).localname.lower() == "source" else "")
            texts[tag] = _text(child) or texts.get(tag, "")
    return Raw(
        title=texts.get("title", ""),
        summary=texts.get("description", ""),
        content=texts.get(_CONTENT, ""),
        link=texts.get("link") or link or None,
        guid=texts.get("guid"),
        guid_is_link=permalink,
        base=item.get(f"{_XML}base"),
        authors=tuple(authors),
        publisher=publisher,
        published=texts.get("pubDate") or texts.get(f"{_DC}date", ""),
        updated=texts.get(f"{_ATOM}updated", ""),
        language=texts.get(f"{_DC}language") or language,
        tags=tuple(tags),
        media=media,
    )


def _alternate(link: etree._Element) -> str:
    return link.get("href", "") if link.get("rel", "alternate") == "alternate" else ""


def _text(element: etree._Element) -> str:
    """The element's text; markup written inside it unescaped is kept as markup."""
    if len(element) == 0:
        return (element.text or "").strip()
    return _inner(element).strip()


def _inner(element: etree._Element) -> str:
    """What stands between an element's tags, as markup without namespace prefixes."""
    for part in element.iter(tag=etree.Element):
        if part is not element:
            part.tag = etree.QName(part).localname
    etree.cleanup_namespaces(element)
    opening = _escaped(element.text or "")
    return opening + "".join(etree.tostring(child, encoding="unicode", method="html") for child in element)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


# ------------------------------------------------------------------ Atom


def _atom(root: etree._Element, url: str) -> list[Raw] | None:
    entries = root.findall(f"{_ATOM}entry")
    if not all(map(_usual_entry, entries)):
        return None
    base = urljoin(url, root.get(f"{_XML}base", ""))
    language = root.get(f"{_XML}lang")
    people = _people(root)
    return [_atom_entry(entry, base, language, people) for entry in entries]


def _usual_entry(entry: etree._Element) -> bool:
    """One title, and texts of the types everybody writes."""
    constructs = [part for name in ("title", "summary", "content") for part in entry.findall(f"{_ATOM}{name}")]
    known = all(part.get("type", "text").strip().lower() in _HTML_TYPES | _PLAIN_TYPES for part in constructs)
    return known and len(entry.findall(f"{_ATOM}title")) == 1


def _atom_entry(entry: etree._Element, base: str, language: str | None, people: tuple[str, ...]) -> Raw:
    base = urljoin(base, entry.get(f"{_XML}base", ""))
    title, title_form = _construct(entry.find(f"{_ATOM}title"))
    summary, summary_form = _construct(entry.find(f"{_ATOM}summary"))
    content, content_form = _construct(entry.find(f"{_ATOM}content"))
    link = next(_links(entry, base), None)
    return Raw(
        title=title,
        title_form=title_form,
        summary=summary,
        summary_form=summary_form,
        content=content,
        content_form=content_form,
        link=link,
        guid=entry.findtext(f"{_ATOM}id"),
        base=base,
        authors=_people(entry) or people,
        publisher=entry.findtext(f"{_ATOM}source/{_ATOM}title", ""),
        published=entry.findtext(f"{_ATOM}published", ""),
        updated=entry.findtext(f"{_ATOM}updated", ""),
        language=entry.get(f"{_XML}lang") or language,
        tags=tuple(tag.get("label") or tag.get("term") or "" for tag in entry.findall(f"{_ATOM}category")),
        media=next((e.get("type", "") for e in entry.findall(f"{_ATOM}link") if e.get("rel") == "enclosure"), ""),
    )


def _links(entry: etree._Element, base: str) -> Iterator[str]:
    """Pages first: an entry may also offer itself as a feed or as JSON (RFC 4287, 4.2.7)."""
    links = [link for link in entry.findall(f"{_ATOM}link") if link.get("href") and _alternate(link)]
    links.sort(key=lambda link: link.get("type", "text/html") not in _HTML_TYPES)
    for link in links:
        yield urljoin(urljoin(base, link.get(f"{_XML}base", "")), link.get("href", "").strip())


def _people(element: etree._Element) -> tuple[str, ...]:
    return tuple(name for name in (p.findtext(f"{_ATOM}name", "") for p in element.findall(f"{_ATOM}author")) if name)


def _construct(element: etree._Element | None) -> tuple[str, Form]:
    """A text construct (RFC 4287, 3.1): its text and how it is written."""
    if element is None:
        return "", "text"
    kind = element.get("type", "text").strip().lower()
    if kind in _HTML_TYPES:
        return _text(element), "html"
    return ("" if element.get("src") else _text(element)), "html" if len(element) else "text"
