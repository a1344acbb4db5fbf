"""Searching: the query language of watches over everything that is kept, and a query as a watch to be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import Item, Span
from monitor.web.asked import Asked
from monitor.web.site import Site

ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Where a query cannot be read, and why."""

    query: str
    caret: str
    """Spaces and a caret under the place."""
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a list, and where it goes on."""

    items: tuple[Item, ...]
    spans: Mapping[str, Sequence[Span]] | None = None
    """Item → the words that a search found in it."""
    older: datetime | None = None
    """The next page begins before it; ``None``: this is the last."""
    note: str = ""
    """How far a search came, and what its query may not mean."""
    mistake: Mistake | None = None
    """A query that cannot be read: then no items."""


async def listed(site: Site, told: Asked, *, limit: int = ROWS) -> Listing:
    """The newest first."""
    found = await site.store.items(told.wanted, limit=limit + 1)
    more = found[limit - 1].first_seen if len(found) > limit else None
    return Listing(items=found[:limit], older=more)
