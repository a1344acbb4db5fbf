"""Corrections of stories, origins and copies by whoever reviews: each is kept, holds for what comes later, and can be
taken back."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.errors import CannotCorrect, UnknownName
from monitor.model.stories import Correction
from monitor.stories.reported import by_word
from monitor.web.site import Site, visitor_of

_Word = Annotated[str, Form(max_length=400)]


def add(app: FastAPI, site: Site) -> None:
    async def corrected(request: Request, doing: Awaitable[Correction], back: str, *, new: bool = False) -> Response:
        """Do it and go ``back``; ``new``: to the story that it made."""
        try:
            done = await doing
        except (CannotCorrect, UnknownName) as error:
            return site.missing(request, f"Nothing was changed. {error}", code=409)
        site.live.tell("reviewed", {"items": list(done.items)})
        return RedirectResponse(f"/stories/{done.other}" if new else back, status_code=303)

    @app.post("/stories/{story}/split")
    async def split(story: str, request: Request, item: Annotated[list[str] | None, Form()] = None) -> Response:
        told = site.store.split(story, item or [], by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/stories/{story}", new=True)

    @app.post("/stories/{story}/merge")
    async def merge(story: str, request: Request, into: _Word) -> Response:
        told = site.store.merge_stories(story, _id(into), by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/stories/{story}")

    @app.post("/stories/{story}/link")
    async def link(story: str, request: Request, other: _Word) -> Response:
        told = site.store.link_stories(story, _id(other), by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/stories/{story}")

    @app.post("/stories/{story}/unlink")
    async def unlink(story: str, request: Request, other: _Word) -> Response:
        told = site.store.unlink_stories(story, other, by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/stories/{story}")

    @app.post("/items/{item}/origin")
    async def origin(item: str, request: Request, origin: _Word = "") -> Response:
        edition = site.edition()
        try:
            named = by_word(origin.strip(), edition.sources, edition.outlets) if origin.strip() else None
        except UnknownName as error:
            return site.missing(request, f"Nothing was changed. {error}", code=409)
        told = site.store.correct_origin(item, named, by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/items/{item}")

    @app.post("/items/{item}/copy")
    async def copy(item: str, request: Request) -> Response:
        """It is no copy."""
        told = site.store.correct_copy(item, None, by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/items/{item}")

    @app.post("/corrections/undo")
    async def undo(request: Request, number: Annotated[int, Form(ge=0, le=2**53)], back: _Word) -> Response:
        told = site.store.undo_correction(number, by=_name(request), now=(await site.status()).now)
        return await corrected(request, told, f"/stories/{_id(back)}")


def _name(request: Request) -> str:
    visitor = visitor_of(request)
    assert visitor is not None  # the guard lets nobody else through
    return visitor.name


def _id(told: str) -> str:
    """The id of a story, which may be pasted as the address of its page."""
    return told.strip().rstrip("/").rpartition("/")[2].partition("?")[0]
