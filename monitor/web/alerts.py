"""Alerts: the outbox as people read it, and what they can do: acknowledge, send again, mute a watch."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, get_args

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from config.model import duration
from monitor.model import Alert, Condition
from monitor.web import cards
from monitor.web.site import Site
from monitor.web.templating import is_part

ROWS = 40
_EACH = 8
"""Rows read for each headline wanted, since it has one for each watch and channel."""
_MUTES = ("1h", "4h", "1d", "7d")


def add(app: FastAPI, site: Site) -> None:
    @app.get("/alerts", response_class=HTMLResponse)
    async def list_(request: Request) -> HTMLResponse:
        seen = await site.status()
        condition = next((each for each in get_args(Condition) if each == request.query_params.get("condition")), None)
        watch = request.query_params.get("watch") or None
        channel = request.query_params.get("channel") or None
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        found = await site.store.alerts(condition=condition, watch=watch, channel=channel, limit=ROWS * _EACH)
        return site.page(
            request,
            "alerts.html",
            now=seen.now,
            status=seen,
            moment=moment,
            condition=condition or "",
            watch=watch or "",
            channel=channel or "",
            cards=await cards.gathered(site.store, site.config, found, ROWS, moment),
            muted=[
                (name, cards.watch_title(name, site.config), moment.until(end)) for name, end in moment.muted.items()
            ],
            waiting=seen.oldest_due,
        )

    @app.post("/alerts/acknowledge")
    async def acknowledge(request: Request, alert: Annotated[list[str], Form()]) -> Response:
        now = (await site.status()).now
        done = await site.store.acknowledge(alert, now)
        return await _answered(request, done, f"{len(done)} acknowledged")

    @app.post("/alerts/resend")
    async def resend(request: Request, alert: Annotated[list[str], Form()]) -> Response:
        now = (await site.status()).now
        done = await site.store.resend(alert, now)
        return await _answered(request, done, f"{len(done)} to be sent again")

    @app.post("/watches/{watch}/mute")
    async def mute(watch: str, span: Annotated[str, Form()]) -> Response:
        now = (await site.status()).now
        until = now + _span(span) if span else None
        await site.store.mute(watch, until, now)
        return RedirectResponse(f"/watches/{watch}", status_code=303)

    async def _answered(request: Request, done: tuple[str, ...], said: str) -> Response:
        if not is_part(request):
            return RedirectResponse("/alerts", status_code=303)
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        rows: list[Alert] = [row for each in done if (row := await site.store.alert(each)) is not None]
        answer = site.page(
            request, "cards.html", now=seen.now, moment=moment,
            cards=await cards.gathered(site.store, site.config, rows, ROWS, moment),
        )  # fmt: skip
        answer.headers["X-Said"] = said.replace(" ", "%20")
        return answer


def _span(said: str) -> timedelta:
    return duration(said if said in _MUTES else _MUTES[0])
