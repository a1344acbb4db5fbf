"""Items: the list with its filters and the search, and the page of one item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from config.model.fields import ChangeClass
from monitor.alerts.channels import wording_of
from monitor.alerts.edits import edits
from monitor.model.alerts import Edit, Piece
from monitor.model.items import Item, Revision
from monitor.model.stories import Story
from monitor.stories.diff import compare
from monitor.stories.reported import roots_of, whose
from monitor.watches.draft import Draft, draft
from monitor.web import asked, cards, picking
from monitor.web.asked import Asked
from monitor.web.rows import rows
from monitor.web.searching import listed
from monitor.web.site import Site

MOST = 10_000
"""Where counting ends."""


def add(app: FastAPI, site: Site) -> None:
    @app.get("/items", response_class=HTMLResponse)
    async def list_(request: Request) -> HTMLResponse:
        seen = await site.status()
        try:
            told = asked.read(request.query_params, now=seen.now, zone=site.zone)
            cursor = request.query_params.get("cursor", "")
            after = picking.spot(cursor) if cursor else None
        except asked.BadFilter as error:
            return site.missing(request, str(error), code=400)
        moment = cards.moment(site.config, seen.now, {})
        listing = await listed(site, told, after)
        return site.page(
            request,
            "items.html",
            now=seen.now,
            asked=told,
            address_words=urlencode(told.words),
            listing=listing,
            older=picking.cursor(listing.older) if listing.older else None,
            rows=await rows(site, listing.items, moment, spans=listing.spans),
            many=await site.store.how_many(told.wanted, at_most=MOST) if not told.q else None,
            most=MOST,
            outlets=sorted(site.config.outlets.values(), key=lambda each: each.name.casefold()),
            draft=_draft(site, told) if told.q and listing.mistake is None else None,
        )

    @app.get("/items/{item}", response_class=HTMLResponse)
    async def one(item: str, request: Request) -> Response:
        found = await site.store.item(item)
        if found is None:
            said = f"No item is called {item}. What is older than the retention rule allows is removed."
            return site.missing(request, said)
        if found.id != item:  # it was merged into another since
            return RedirectResponse(f"/items/{found.id}", status_code=303)
        revisions, alerts = await site.store.revisions(item), await site.store.alerts(item=item, limit=200)
        beside = await panel(site, found)
        now = (await site.status()).now
        story = await site.store.story(found.story) if found.story else None
        return site.page(
            request,
            "item.html",
            moment=cards.moment(site.config, now, await site.store.muted(now)),
            alerts=alerts,
            spans=cards.standing(alerts, found, revisions),
            revisions=revisions,
            changes=tuple(changes(revisions)),
            original=await site.store.item(found.copy_of) if found.copy_of else None,
            copies=_copies(found, story),
            origin=_origin(site, found, story),
            story=story,
            **beside,
        )


def _draft(site: Site, told: Asked) -> Draft:
    """The search as a watch, limited to what it was limited to."""
    return draft(told.q, told.q, site.config, outlet=told.wanted.outlet, language=told.wanted.language)


async def panel(site: Site, item: Item) -> dict[str, object]:
    """What the review of one item needs."""
    remarks = await site.store.remarks(item.id)
    return {
        "item": item,
        "review": (await site.store.reviews([item.id])).get(item.id),
        "remarks": remarks,
        "now": (await site.status()).now,
    }


# ------------------------------------------------------------------ what an item's page tells beside its text


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One edit: what it changed, and where."""

    revision: Revision
    title: tuple[Piece, ...]
    """Empty when the headline stayed."""
    edits: tuple[Edit, ...]
    classes: tuple[ChangeClass, ...]


def changes(revisions: Sequence[Revision]) -> Sequence[Changed]:
    """The edits between one text and the next, the newest first."""
    return [
        Changed(
            revision=after,
            title=compare(before.title, after.title, whole=True).pieces if before.title != after.title else (),
            edits=edits(before, after),
            classes=after.classes,
        )
        for before, after in pairwise(revisions)
    ][::-1]


def _copies(item: Item, story: Story | None) -> tuple[Item, ...]:
    root = item.copy_of or item.id
    return tuple(each for each in (story.items if story else ()) if each.copy_of == root and each.id != item.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose reporting an item is."""

    name: str
    own: bool
    words: str
    """What its text says that shows it."""
    voices: int
    """How many independent voices tell its story."""


def _origin(site: Site, item: Item, story: Story | None) -> Origin | None:
    said = whose(item)
    if said is None:
        return None
    roots = roots_of(story.items) if story else {}
    root = roots.get(item.id)
    name = wording_of(site.config).source(root.id if root is not None else said.id)
    return Origin(
        name=name, own=root is not None and root.how == "own", words=said.words,
        voices=len({each.id for each in roots.values()}),
    )  # fmt: skip
