"""The status page with ``/health`` and ``/metrics``, served on loopback inside the service's own loop.

Nothing here writes but the button behind a signed link (``acknowledging.py``). Every page is rendered on the server
with escaping on; the policy forbids scripts, remote loads and inline styles, and a request whose Host is not ours is
refused (a foreign name that was made to point here, F146).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from config.model import Config, written
from monitor.alerts.links import Signer
from monitor.alerts.text import isolated, web_link
from monitor.errors import StoreError
from monitor.model import Alert
from monitor.ports import Store
from monitor.status import Status
from monitor.web import acknowledging, cards, words
from monitor.web.metrics import CONTENT_TYPE, metrics

_HEADERS = {
    "Content-Security-Policy": acknowledging.policy(forms="'none'"),
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TOLD, HELD, UNDELIVERED, LATEST = 20, 10, 10, 30
"""How many headlines each part of the page shows."""
_ROWS_EACH, _ROWS_AT_MOST = 8, 200
"""Rows read for each headline wanted, since it has one for each watch and channel; and rows shown of one item."""


def build(
    store: Store, config: Callable[[], Config], status: Callable[[], Awaitable[Status]], *, signer: Signer
) -> FastAPI:
    """The application over a store, the configuration in force and the service's status. ``signer`` knows the links
    with which alerts are acknowledged."""
    app = FastAPI(title="wirewatch", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    pages = _templates()

    def page(name: str, *, code: int = 200, **values: object) -> HTMLResponse:
        held = config()
        zone = ZoneInfo(held.settings.service.time_zone)
        known = {"config": held, "zone": zone, "root": "/"}
        return HTMLResponse(pages.get_template(name).render(known | values), status_code=code)

    @app.middleware("http")
    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if _ours(request.headers.get("host", ""), config()):
            response = await answer(request)
        else:
            response = PlainTextResponse("This page answers to its own name only.", status_code=421)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        said = "There is nothing at this address." if error.status_code == 404 else error.detail
        return page("missing.html", code=error.status_code, said=said)

    @app.exception_handler(StoreError)
    async def storeless(_request: Request, error: StoreError) -> Response:
        return page("missing.html", code=503, said=f"The store does not answer: {error}")

    @app.get("/", response_class=HTMLResponse)
    async def now() -> HTMLResponse:
        seen, held = await status(), config()
        moment = cards.moment(held, seen.now, await store.muted(seen.now))
        sources = cards.source_lines(seen.sources, held)
        dead = await store.alerts(condition="dead", limit=UNDELIVERED * _ROWS_EACH)
        suppressed = await store.alerts(condition="suppressed", limit=HELD * _ROWS_EACH)
        return page(
            "now.html",
            status=seen,
            muted=[(cards.watch_title(watch, held), moment.until(end)) for watch, end in moment.muted.items()],
            undelivered=await _cards(store, held, dead, UNDELIVERED, moment),
            told=await _cards(store, held, await _told(store), TOLD, moment),
            held_back=await _cards(store, held, suppressed, HELD, moment, silent=True),
            items=await store.items(limit=LATEST),
            sources=sources,
            moods={
                mood: sum(line.mood == mood for line in sources) for mood in ("good", "fair", "bad", "shut", "wait")
            },
        )

    @app.get("/items/{item}", response_class=HTMLResponse)
    async def item(item: str) -> HTMLResponse:
        found = await store.item(item)
        if found is None:
            said = f"No item is called {item}. What is older than the retention rule allows is removed."
            return page("missing.html", code=404, said=said)
        revisions, alerts = await store.revisions(item), await store.alerts(item=item, limit=_ROWS_AT_MOST)
        now = (await status()).now
        return page(
            "item.html",
            item=found,
            now=now,
            moment=cards.moment(config(), now, await store.muted(now)),
            outlet=config().outlets.get(found.outlet),
            revisions=revisions,
            alerts=alerts,
            spans=cards.standing(alerts, found, revisions),
            original=await store.item(found.copy_of) if found.copy_of else None,
        )

    @app.get("/outlets/{outlet}", response_class=HTMLResponse)
    async def outlet(outlet: str) -> HTMLResponse:
        held = config()
        if outlet not in held.outlets:
            said = f"No outlet is called {outlet} in the configuration in force."
            return page("missing.html", code=404, said=said)
        seen = await status()
        return page(
            "outlet.html",
            status=seen,
            outlet=held.outlets[outlet],
            sources=cards.source_lines([each for each in seen.sources if each.outlet == outlet], held),
            items=await store.items(outlet=outlet, limit=10),
        )

    @app.get("/health")
    async def health() -> JSONResponse:
        try:
            said = health_of(await status())
        except StoreError as error:  # whoever asks wants to know just this
            said = _storeless(error)
        return JSONResponse(said, status_code=503 if said["state"] == "failing" else 200)

    @app.get("/metrics")
    async def prometheus() -> Response:
        return Response(metrics(await status()), media_type=CONTENT_TYPE)

    acknowledging.add(app, store=store, config=config, status=status, signer=signer, page=page)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app


def _templates() -> Environment:
    pages = Environment(
        loader=PackageLoader("monitor.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages.filters |= {
        "relative": words.relative, "dir": words.direction, "clean": words.clean, "reason": words.reason,
        "link": web_link, "host": _host, "isolated": isolated, "written": written, "utc": _utc, "count": words.counted,
    }  # fmt: skip
    pages.globals |= {
        "marked": words.marked, "paragraphs": words.paragraphs, "watch_title": cards.watch_title,
        "outlet_name": cards.outlet_name, "said": cards.said, "why": cards.why,
    }  # fmt: skip
    return pages


async def _told(store: Store) -> list[Alert]:
    """Rows that were sent or will be, newest first."""
    waiting = await store.alerts(condition="pending", limit=TOLD * _ROWS_EACH)
    sent = await store.alerts(condition="delivered", limit=TOLD * _ROWS_EACH)
    return sorted((*waiting, *sent), key=lambda row: row.created, reverse=True)


async def _cards(
    store: Store, config: Config, seeds: Iterable[Alert], limit: int, moment: cards.Moment, *, silent: bool = False
) -> tuple[cards.Card, ...]:
    """A card for each headline that ``seeds`` name, with all its rows. ``silent``: only those of which nothing is
    told, on any channel; what was kept from one channel only stands with what was told."""
    made: list[cards.Card] = []
    for item, state in dict.fromkeys((row.item, row.state) for row in seeds):
        if len(made) >= limit:
            break
        rows = [row for row in await store.alerts(item=item, limit=_ROWS_AT_MOST) if row.state == state]
        if silent and any(row.condition != "suppressed" for row in rows):
            continue
        held = await store.item(item)
        old = held is not None and any(row.revision != held.revision for row in rows)
        made.append(cards.card(rows[::-1], held, await store.revisions(item) if old else (), config, moment))
    return tuple(made)


def health_of(seen: Status) -> dict[str, Any]:
    """What ``/health`` says: honest, and short enough to read."""
    return {
        "state": seen.state,
        "problems": [said for said in (seen.failure, *seen.problems) if said],
        "last_tick": seen.last_tick.isoformat() if seen.last_tick else None,
        "sources": len(seen.sources),
        "items": seen.counts.get("items", 0),
        "alerts": {state: seen.counts.get(state, 0) for state in ("pending", "delivered", "dead", "suppressed")},
        "lateness_seconds": round(seen.lateness.total_seconds(), 1),
    }


def _storeless(error: StoreError) -> dict[str, Any]:
    """`health_of` a service whose store does not answer: what stands in it is unknown."""
    unknown = dict.fromkeys(("last_tick", "sources", "items", "alerts", "lateness_seconds"))
    return {"state": "failing", "problems": [f"The store does not answer: {error}"], **unknown}


def _ours(host: str, config: Config) -> bool:
    """Whether a Host header names this page: localhost, a loopback address, or the host of ``public_url``."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    public = urlsplit(config.settings.web.public_url).hostname
    if not name or "@" in host:
        return False
    return name in ("localhost", public) or _loopback(name)


def _loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:  # a name, and one such as 127.0.0.1.example is anybody's
        return False


def _host(url: str | None) -> str:
    return urlsplit(url).hostname or "" if url else ""


def _utc(then: datetime) -> str:
    return then.isoformat(timespec="seconds")
