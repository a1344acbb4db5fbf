"""Feeds of any filter: Atom (RFC 4287) and JSON Feed 1.1. Texts go out as text; nothing from outside is markup."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from monitor.alerts.text import web_link
from monitor.errors import QueryError
from monitor.language.display import balanced, one_line
from monitor.model.items import Item
from monitor.web import asked, cards, picking
from monitor.web.asked import Asked, BadFilter
from monitor.web.site import Site

ENTRIES = 50
"""The newest; a reader asks again before so many have come."""
_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item as both formats tell it."""

    item: Item
    link: str
    """The article, or our page of it where it has no address that may be a link."""
    page: str
    outlet: str
    watches: tuple[str, ...]
    updated: datetime

    @property
    def id(self) -> str:
        """The same for ever, wherever the page is reached (RFC 4151 and the like need a name that we do not own)."""
        return _urn(f"item:{self.item.id}")

    @property
    def title(self) -> str:
        return balanced(one_line(self.item.title)) or self.outlet

    @property
    def published(self) -> datetime:
        """A date ahead of us is nobody's business in a reader's order."""
        return min(self.item.published, self.item.first_seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    id: str
    title: str
    itself: str
    """Its own address."""
    page: str
    """The same items on the page."""
    entries: tuple[Entry, ...]


def add(app: FastAPI, site: Site) -> None:
    @app.get("/feed.atom")
    async def atom_(request: Request) -> Response:
        return await _answered(site, request, "/feed.atom", "application/atom+xml", atom)

    @app.get("/feed.json")
    async def json_(request: Request) -> Response:
        return await _answered(site, request, "/feed.json", "application/feed+json", json_feed)


async def _answered(site: Site, request: Request, path: str, kind: str, write: Any) -> Response:
    try:
        told = await picking.asking(site, request.query_params)
        feed = await _feed(site, told, path, base(site, request))
    except (BadFilter, QueryError) as error:
        return PlainTextResponse(str(error), status_code=400)
    body = write(feed)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=f"{kind}; charset=utf-8", headers=headers)


def base(site: Site, request: Request) -> str:
    """Where the page is reached: as the operator says, else as it is asked now (the guard knows the name)."""
    public = site.config.settings.web.public_url.rstrip("/")
    return public or f"{request.url.scheme}://{request.headers['host']}"


async def _feed(site: Site, told: Asked, path: str, root: str) -> Feed:
    items = (await picking.picked(site, told, limit=ENTRIES)).items
    matched = await site.store.matches([item.id for item in items])
    entries = []
    for item in items:
        page = f"{root}/items/{quote(item.id, safe='')}"
        watches = tuple(cards.watch_title(each.match.watch, site.config) for each in matched.get(item.id, ()))
        revised = await site.store.revisions(item.id) if item.revisions > 1 else ()
        entries.append(
            Entry(
                item=item, link=web_link(item.url) or page, page=page, watches=watches,
                outlet=cards.outlet_name(item.outlet, site.config),
                updated=max((each.seen for each in revised), default=item.first_seen),
            )
        )  # fmt: skip
    return Feed(
        id=_urn(asked.address("feed", dict(sorted(told.words.items())))),
        title=_title(site, told),
        itself=root + asked.address(path, told.words),
        page=root + asked.address("/items", told.words),
        entries=tuple(entries),
    )


def _title(site: Site, told: Asked) -> str:
    words: list[str] = []
    for name, value in told.words.items():
        match name:
            case "watch":
                words.append("what watches found" if value == "*" else cards.watch_title(value, site.config))
            case "outlet":
                words.append(cards.outlet_name(value, site.config))
            case "q":
                words.append(f"“{value}”")
            case _:
                words.append(f"{name} {value}")
    return "wirewatch: " + (", ".join(words) or "all items")


def _urn(name: str) -> str:
    """RFC 9562, 5.5: a name-based UUID."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"wirewatch:{name}").urn


# ------------------------------------------------------------------ Atom


def atom(feed: Feed) -> bytes:
    top = ET.Element("feed", {"xmlns": _ATOM})
    _put(top, "id", feed.id)
    _put(top, "title", feed.title)
    _put(top, "updated", _time(max((each.updated for each in feed.entries), default=_NEVER)))
    _put(top, "link", rel="self", type="application/atom+xml", href=feed.itself)
    _put(top, "link", rel="alternate", type="text/html", href=feed.page)
    _put(_put(top, "author"), "name", "wirewatch")
    for each in feed.entries:
        _put_entry(top, each)
    return bytes(ET.tostring(top, encoding="utf-8", xml_declaration=True))


def _put_entry(top: ET.Element, told: Entry) -> None:
    item = told.item
    entry = ET.SubElement(top, "entry", {} if item.language == "und" else {"xml:lang": str(item.language)})
    _put(entry, "id", told.id)
    _put(entry, "title", told.title, type="text")
    _put(entry, "updated", _time(told.updated))
    _put(entry, "published", _time(told.published))
    _put(entry, "link", rel="alternate", href=told.link)
    _put(entry, "link", rel="related", type="text/html", href=told.page)
    _put(_put(entry, "author"), "name", told.outlet)
    for watch in told.watches:
        _put(entry, "category", term=watch)
    if item.lead:
        _put(entry, "summary", balanced(item.lead), type="text")


def _put(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    clean = {key: _NO_XML.sub("", value) for key, value in attributes.items()}
    element = ET.SubElement(parent, name, clean)
    element.text = None if text is None else _NO_XML.sub("", text)
    return element


# ------------------------------------------------------------------ JSON Feed


def json_feed(feed: Feed) -> bytes:
    told: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.itself,
        "items": [_json_entry(each) for each in feed.entries],
    }
    return bytes(JSONResponse(told).body)


def _json_entry(told: Entry) -> Mapping[str, Any]:
    item = told.item
    tags: Sequence[str] = told.watches
    return {
        "id": told.id,
        "url": told.page,
        **({"external_url": told.link} if told.link != told.page else {}),
        "title": told.title,
        "content_text": balanced(item.lead) or told.title,
        "date_published": _time(told.published),
        "date_modified": _time(told.updated),
        "authors": [{"name": told.outlet}],
        "tags": list(tags),
        **({} if item.language == "und" else {"language": item.language}),
    }


def _time(at: datetime) -> str:
    """RFC 3339."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
