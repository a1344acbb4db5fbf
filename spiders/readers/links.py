"""Addresses found in a body: only whole, unambiguous http(s) ones may be followed (F73-F75, F99)."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urljoin, urlsplit

_LONGEST = 4000
_FORBIDDEN = re.compile('[\\\\\x00-\x20\x7f<>"]')
_FEED_TYPE = re.compile(r"type\s*=\s*[\"']?application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml)", re.IGNORECASE)
_LINK_TAG = re.compile(r"<link\b[^<>]{0,2000}>", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_INNER_BREAKS = re.compile(r"[\t\r\n]")


def resolve(link: str | None, base: str) -> str | None:
    """``link`` as an absolute http(s) address, or ``None`` when it may not be followed.

    Backslashes, controls and a user part make two parsers name two hosts, so they refuse the link.
    """
    if not link or not (link := _INNER_BREAKS.sub("", link.strip()).replace(" ", "%20")) or len(link) > _LONGEST:
        return None
    if link.startswith("#") or re.fullmatch(r"[A-Za-z]+:/*", link):
        return None
    try:
        joined = urljoin(base, link) if base else link
        parts = urlsplit(joined)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    if not usable or _FORBIDDEN.search(joined):
        return None
    return parts.scheme + joined[len(parts.scheme) :]  # HTTP://… is http://…


def web_address(text: str | None) -> str | None:
    """``text`` when it is by itself a whole http(s) address: a guid is a link only then (F75)."""
    return resolve(text, "") if text else None


def unwrapped(link: str) -> str:
    """The publisher's address inside an aggregator's redirect (``…?url=https%3A%2F%2F…``), else ``link``."""
    for inner in parse_qs(urlsplit(link).query).get("url", ()):
        if (address := web_address(inner)) is not None:
            return address
    return link


def feed_links(page: str, url: str) -> tuple[str, ...]:
    """Addresses of feeds that a page's ``<link rel=alternate>`` names."""
    tags = [tag[0] for tag in _LINK_TAG.finditer(page[: 256 * 1024]) if _FEED_TYPE.search(tag[0])]
    hrefs = [found[1] or found[2] or found[3] for tag in tags if (found := _HREF.search(tag)) is not None]
    joined = [urljoin(url, href.replace("&amp;", "&")) for href in hrefs if href]
    return tuple(dict.fromkeys(link for link in joined if link.startswith(("http://", "https://"))))[:3]
