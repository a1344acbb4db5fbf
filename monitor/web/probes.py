"""What machines ask: ``/health``, ``/metrics``, and the stream of what happens."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from monitor.errors import StoreError
from monitor.status import Status
from monitor.web.metrics import CONTENT_TYPE, metrics
from monitor.web.sessions import doors
from monitor.web.site import Site

LISTENERS = 200
"""Pages that are told at once of what happens; each costs a connection."""


def add(app: FastAPI, site: Site) -> None:
    @app.get("/health")
    async def health() -> JSONResponse:
        try:
            said = health_of(await site.status())
        except StoreError as error:  # whoever asks wants to know just this
            said = _storeless(error)
        return JSONResponse(said, status_code=503 if said["state"] == "failing" else 200)

    @app.get("/metrics")
    async def prometheus() -> Response:
        return Response(metrics(await site.status()), media_type=CONTENT_TYPE)

    @app.get("/live")
    async def live() -> Response:
        if len(site.live) >= LISTENERS:
            return PlainTextResponse("Too many pages listen already.", status_code=503, headers={"Retry-After": "60"})
        opened = tuple(doors(site.config))
        stream = site.live.stream(allowed=lambda: tuple(doors(site.config)) == opened)
        headers = {"X-Accel-Buffering": "no"}  # a proxy must pass each event on as it comes
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


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
