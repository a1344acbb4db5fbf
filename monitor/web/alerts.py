"""Alerts: the outbox as people read it, and what they can do: acknowledge, send again, mute a watch."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, get_args
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from config.model.fields import duration
from monitor.model.alerts import Alert, Condition
from monitor.web import cards, words
from monitor.web.site import Site
from monitor.web.templating import is_part

ROWS = 40
_EACH = 8
"""Rows read for each headline wanted, since it has one for each watch and channel."""
_MUTES = ("1h", "4h", "1d", "7d")
_FILTERS = ("condition", "watch", "channel")
_Cards = Annotated[list[str] | None, Form()]


def add(app: FastAPI, site: Site) -> None:
    @app.get("/alerts", response_class=HTMLResponse)
    async def list_(request: Request) -> HTMLResponse:
        seen = await site.status()
        asked = {name: value for name in _FILTERS if (value := request.query_params.get(name, ""))}
        condition = _condition(asked.get("condition", ""))
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        found = await site.store.alerts(
            condition=condition, watch=asked.get("watch"), channel=asked.get("channel"), limit=ROWS * _EACH
        )
        shown = await cards.gathered(site.store, site.config, found, ROWS, moment)
        return site.page(
            request,
            "alerts.html",
            now=seen.now,
            status=seen,
            moment=moment,
            filters=asked,
            condition=condition or "",
            watch=asked.get("watch", ""),
            channel=asked.get("channel", ""),
            cards=shown,
            more=len(shown) == ROWS,
            muted=[(name, moment.until(end)) for name, end in moment.muted.items()],
        )

    @app.post("/alerts/acknowledge")
    async def acknowledge(request: Request, card: _Cards = None) -> Response:
        """All rows of the headlines' states: whatever watch and channel, somebody has seen to it."""
        rows = [row.id for row in await _rows(card) if row.acknowledged is None]
        done = await site.store.acknowledge(rows, (await site.status()).now)
        return await _answered(request, card or [], f"{words.counted(len(done), 'alert')} acknowledged")

    @app.post("/alerts/resend")
    async def resend(request: Request, card: _Cards = None, condition: Annotated[str, Form()] = "") -> Response:
        """What could not be delivered; from the list of what was held back, that."""
        wanted = "suppressed" if condition == "suppressed" else "dead"
        rows = [row.id for row in await _rows(card) if row.condition == wanted]
        done = await site.store.resend(rows, (await site.status()).now)
        return await _answered(request, card or [], f"{words.counted(len(done), 'alert')} to be sent again")

    @app.post("/watches/{watch}/mute")
    async def mute(watch: str, request: Request, span: Annotated[str, Form()]) -> Response:
        if watch not in site.config.watches:
            return site.missing(request, f"No watch is called {watch} in the configuration in force.")
        now = (await site.status()).now
        until = now + _span(span) if span else None
        await site.store.mute(watch, until, now)
        return RedirectResponse(f"/watches/{watch}", status_code=303)

    async def _rows(chosen: list[str] | None) -> list[Alert]:
        """The rows of cards, which are called by their item and state."""
        if not chosen:
            raise HTTPException(400, "No alert was chosen.")
        states = {tuple(each.split("|", 1)) for each in chosen[:ROWS]}
        held = await site.store.alerts_of([item for item, *_state in states])
        return [row for item, rows in held.items() for row in rows if (item, row.state) in states]

    async def _answered(request: Request, chosen: list[str], said: str) -> Response:
        rows = await _rows(chosen)
        site.live.tell("reviewed", {"items": sorted({row.item for row in rows})})
        if not is_part(request):
            return RedirectResponse("/alerts", status_code=303)
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        answer = site.page(
            request, "cards.html", now=seen.now, moment=moment,
            cards=await cards.gathered(site.store, site.config, rows, ROWS, moment),
        )  # fmt: skip
        answer.headers["X-Said"] = quote(said)
        return answer


def _condition(asked: str) -> Condition | None:
    return next((each for each in get_args(Condition) if each == asked), None)


def _span(said: str) -> timedelta:
    return duration(said if said in _MUTES else _MUTES[0])
