"""A page of the list of items, with a search or without, and what can be said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.clock import SystemClock
from monitor.errors import QueryError
from monitor.model.items import Item, Span, Spot
from monitor.watches.search import Found, Question, ask, search
from monitor.web.asked import Asked
from monitor.web.picking import picked
from monitor.web.site import Site

ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Where a query cannot be read, and why."""

    before: str
    wrong: str
    after: str
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a list, and where it goes on."""

    items: tuple[Item, ...] = ()
    spans: Mapping[str, Sequence[Span]] | None = None
    """Item → the words that a search found in it; ``None``: nothing was searched for."""
    older: Spot | None = None
    """The next page begins behind it; ``None``: this is the last."""
    note: str = ""
    """How far a search came."""
    remarks: tuple[str, ...] = ()
    """What its query may not mean."""
    mistake: Mistake | None = None
    """A query that cannot be read: then no items."""


async def listed(site: Site, told: Asked, after: Spot | None, *, limit: int = ROWS) -> Listing:
    """The newest first."""
    if not told.q:
        found = await picked(site, told, limit=limit, after=after)
        return Listing(items=found.items, older=found.next)
    edition = site.edition()
    try:
        question = ask(told.q, edition.watches, edition.outlets)
    except QueryError as error:
        return Listing(mistake=_mistake(told.q, error))
    result = await search(site.store, question, told.wanted, clock=SystemClock(), limit=limit, after=after)
    return Listing(
        items=tuple(hit.item for hit in result.hits),
        spans={hit.item.id: hit.match.spans for hit in result.hits},
        older=None if result.complete else result.back_to,
        note=_note(result, site.zone),
        remarks=_remarks(question),
    )


def _mistake(query: str, error: QueryError) -> Mistake:
    return Mistake(
        before=query[: error.start], wrong=query[error.start : error.end] or "…", after=query[error.end :],
        message=error.message, suggestion=error.suggestion,
    )  # fmt: skip


def _note(found: Found, zone: ZoneInfo) -> str:
    if not found.given_up or found.back_to is None:
        return ""
    return (
        f"{found.looked_at} items were looked at, back to {found.back_to.first_seen.astimezone(zone):%Y-%m-%d %H:%M}; "
        "what is older was not. Narrow it by outlet, language or time, or go on with Older."
    )


def _remarks(question: Question) -> tuple[str, ...]:
    return tuple(
        (f"{question.text[lint.start : lint.end]}: " if lint.end else "")
        + lint.message
        + (f" ({lint.suggestion})" if lint.suggestion else "")
        for lint in question.lints
    )
