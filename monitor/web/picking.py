"""The items that an address asks for, page by page: what API, feeds and exports give is chosen here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.clock import SystemClock
from monitor.model.items import Item, Spot
from monitor.watches.search import ask, search
from monitor.web import asked
from monitor.web.asked import Asked, BadFilter
from monitor.web.site import Site

_PORTION = 250
"""Items of a portion: texts of articles may be long."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The newest items first."""

    items: tuple[Item, ...]
    next: Spot | None
    """Where the list goes on; ``None``: this is its end."""


async def asking(site: Site, address: Mapping[str, str]) -> Asked:
    """Read a filter and a query; raises `BadFilter`."""
    relative = any(address.get(name) for name in ("since", "before"))
    now = (await site.status()).now if relative else _EPOCH
    return asked.read(address, now=now, zone=site.zone)


async def picked(site: Site, told: Asked, *, limit: int, after: Spot | None = None) -> Picked:
    """At most ``limit`` of what is asked for. A search ends after two seconds with what it found until then, and `next`
    says where to go on. Raises `QueryError`."""
    if not told.q:
        found = await site.store.items(told.wanted, limit=limit + 1, after=after)
        last = found[limit - 1] if len(found) > limit else None
        return Picked(items=found[:limit], next=Spot(last.first_seen, last.id) if last is not None else None)
    edition = site.edition()
    question = ask(told.q, edition.watches, edition.outlets)
    hits = await search(site.store, question, told.wanted, clock=SystemClock(), limit=limit, after=after)
    return Picked(items=tuple(hit.item for hit in hits.hits), next=None if hits.complete else hits.back_to)


async def walked(site: Site, told: Asked) -> AsyncIterator[tuple[Item, ...]]:
    """All of what is asked for, in portions, so that no list is held whole: what is filed meanwhile is newer than where
    it begins, and not in it. Raises `QueryError`, before the first."""
    after: Spot | None = None
    while True:
        portion = await picked(site, told, limit=_PORTION, after=after)
        if portion.items:
            yield portion.items
        if portion.next is None or portion.next == after:
            return
        after = portion.next


def cursor(spot: Spot) -> str:
    """A spot as an address carries it."""
    return base64.urlsafe_b64encode(f"{spot.first_seen.isoformat()} {spot.item}".encode()).decode().rstrip("=")


def spot(cursor: str) -> Spot:
    """Raises `BadFilter` for what `cursor` did not write."""
    try:
        told = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, item = told.partition(" ")
        return Spot(datetime.fromisoformat(at).astimezone(UTC), item)
    except (ValueError, OverflowError, binascii.Error):
        raise BadFilter("cursor is none of ours: take it from `next` of the page before") from None
