"""The review page with its doors for other tools, served inside the service's own loop.

Every page is rendered on the server with escaping on; the policy forbids inline scripts and styles and anything from
elsewhere. What may be asked by whom is decided in one place, before any route (``guard.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from monitor.alerts.links import Signer
from monitor.edition import Edition
from monitor.errors import StoreError
from monitor.ports import Store
from monitor.status import Status
from monitor.web import (
    acknowledging,
    alerts,
    api,
    brief,
    correcting,
    export,
    feeds,
    guard,
    items,
    login,
    now,
    probes,
    reviewing,
    sources,
    stories,
    watches,
)
from monitor.web.live import Live
from monitor.web.site import Site
from monitor.web.templating import templates

_PARTS = (
    now, brief, items, stories, sources, alerts, watches, reviewing, correcting, probes, acknowledging, login,
    feeds, export, api,
)  # fmt: skip
"""Each adds its routes with ``add(app, site)``."""


def build(
    store: Store,
    edition: Callable[[], Edition],
    status: Callable[[], Awaitable[Status]],
    *,
    signer: Signer,
    live: Live,
) -> FastAPI:
    """The application over a store, the edition in force and the service's status. ``signer`` knows the links with
    which alerts are acknowledged; ``live`` hears of what is filed."""
    app = FastAPI(title="wirewatch", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    site = Site(store=store, edition=edition, status=status, signer=signer, live=live, pages=templates())
    app.add_middleware(GZipMiddleware, minimum_size=2000)
    guard.protect(app, site)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        said = "There is nothing at this address." if error.status_code == 404 else error.detail
        return site.missing(request, said, code=error.status_code)

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> Response:
        said = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        return site.missing(request, f"Nothing was changed. {said}", code=422)

    @app.exception_handler(Exception)
    async def failed(request: Request, _error: Exception) -> Response:
        """A fault of ours: the log has it whole."""
        answer = site.missing(request, "This page could not be made: the service's log says why.", code=500)
        answer.headers.update(guard.HEADERS)  # it is answered outside of the guard
        return answer

    @app.exception_handler(StoreError)
    async def storeless(request: Request, error: StoreError) -> Response:
        return site.missing(request, f"The store does not answer: {error}", code=503)

    for part in _PARTS:
        part.add(app, site)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
