"""The status page with ``/health`` and ``/metrics``, served on loopback inside the service's own loop.

Nothing here writes. Every page is rendered on the server with escaping on; the policy forbids scripts, remote loads
and inline styles, and a request whose Host is not ours is refused (a foreign name that was made to point here, F146).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined

from config.model import Config
from monitor.model import Outcome
from monitor.ports import Store
from monitor.status import Status
from monitor.web.metrics import CONTENT_TYPE, metrics

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_RTL = frozenset({"he", "ar"})
_MOODS = {
    Outcome.OK: "good", Outcome.UNCHANGED: "good", Outcome.DEGRADED: "fair", Outcome.CLOSED: "shut",
}  # fmt: skip


def build(store: Store, config: Callable[[], Config], status: Callable[[], Awaitable[Status]]) -> FastAPI:
    """The application over a store, the configuration in force and the service's status."""
    app = FastAPI(title="wirewatch", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Environment(
        loader=PackageLoader("monitor.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages.filters |= {"ago": _ago, "host": _host, "clean": _clean}
    pages.globals |= {"dir_of": lambda language: "rtl" if language in _RTL else "ltr", "mood_of": _mood}

    @app.middleware("http")
    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if not _ours(request.headers.get("host", ""), config()):
            return PlainTextResponse("This page answers to its own name only.", status_code=421)
        response = await answer(request)
        response.headers.update(_HEADERS)
        return response

    @app.get("/", response_class=HTMLResponse)
    async def now() -> HTMLResponse:
        seen, held = await status(), config()
        alerts = await store.alerts(limit=30)
        told = {alert.item: await store.item(alert.item) for alert in alerts}
        return HTMLResponse(
            pages.get_template("now.html").render(
                status=seen,
                config=held,
                zone=ZoneInfo(held.settings.service.time_zone),
                alerts=[(alert, told[alert.item]) for alert in alerts],
                items=await store.items(limit=40),
            )
        )

    @app.get("/items/{item}", response_class=HTMLResponse)
    async def item(item: str) -> HTMLResponse:
        held = config()
        found = await store.item(item)
        if found is None:
            return HTMLResponse(pages.get_template("missing.html").render(item=item), status_code=404)
        return HTMLResponse(
            pages.get_template("item.html").render(
                item=found,
                outlet=held.outlets.get(found.outlet),
                zone=ZoneInfo(held.settings.service.time_zone),
                revisions=await store.revisions(item),
                alerts=await store.alerts(item=item, limit=100),
            )
        )

    @app.get("/health")
    async def health() -> JSONResponse:
        seen = await status()
        return JSONResponse(health_of(seen), status_code=503 if seen.state == "failing" else 200)

    @app.get("/metrics")
    async def prometheus() -> Response:
        return Response(metrics(await status()), media_type=CONTENT_TYPE)

    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app


def health_of(seen: Status) -> dict[str, Any]:
    """What ``/health`` says: honest, and short enough to read."""
    return {
        "state": seen.state,
        "problems": list(seen.problems),
        "last_tick": seen.last_tick.isoformat() if seen.last_tick else None,
        "sources": len(seen.sources),
        "items": seen.counts.get("items", 0),
        "alerts": {state: seen.counts.get(state, 0) for state in ("pending", "delivered", "dead", "suppressed")},
        "lateness_seconds": round(seen.lateness.total_seconds(), 1),
    }


def _ours(host: str, config: Config) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    public = urlsplit(config.settings.web.public_url).hostname if config.settings.web.public_url else None
    return name in ("localhost", "::1", public) or name.startswith("127.")


def _ago(then: datetime | None, now: datetime) -> str:
    if then is None:
        return "never"
    gone = now - then
    if gone < timedelta(minutes=1):
        return "just now"
    minutes = int(gone.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _host(url: str | None) -> str:
    return urlsplit(url).hostname or "" if url else ""


def _clean(text: str) -> str:
    """Line breaks and controls become spaces; letters, marks and direction marks stay."""
    return "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)


def _mood(outcome: Outcome | None) -> str:
    return "wait" if outcome is None else _MOODS.get(outcome, "bad")
