"""What changed since a moment: found, edited, withdrawn, confirmed; stories that grew; what could not be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from monitor.model.items import Wanted
from monitor.web import asked, cards, overview
from monitor.web.guard import secure
from monitor.web.looked import last_look, remember_look
from monitor.web.rows import rows
from monitor.web.site import Site

ROWS = 100
_STORIES = 12
_EACH = 8
"""Rows read for each headline wanted: it has one for each watch and channel."""
_DAY = timedelta(days=1)


def add(app: FastAPI, site: Site) -> None:
    @app.get("/brief", response_class=HTMLResponse)
    async def brief(request: Request) -> HTMLResponse:
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        try:
            begin = asked.wanted(request.query_params, now=seen.now, zone=site.zone).since
        except asked.BadFilter as error:
            return site.missing(request, str(error), code=400)
        begin = begin or last_look(request) or seen.now - _DAY
        found = await site.store.items(Wanted(since=begin, watch="*"), limit=ROWS)
        changed = await site.store.alerts(since=begin, changes=True, limit=ROWS * _EACH)
        dead = await site.store.alerts(since=begin, condition="dead", limit=ROWS * _EACH)
        return site.page(
            request,
            "brief.html",
            now=seen.now,
            begin=begin,
            status=seen,
            found=await rows(site, found, moment),
            whole=await site.store.how_many(Wanted(since=begin), at_most=10_000),
            changed=await cards.gathered(site.store, site.config, changed, ROWS, moment),
            dead=await cards.gathered(site.store, site.config, dead, ROWS, moment),
            stories=await overview.stories(site, since=begin, limit=_STORIES),
            troubled=[line for line in cards.source_lines(seen.sources, site.config) if line.mood in ("bad", "fair")],
        )

    @app.post("/looked")
    async def looked(at: Annotated[datetime | None, Form()] = None) -> Response:
        """``at``: until when the page showed what there was; what came after it is in the next brief."""
        now = (await site.status()).now
        seen = at if at is not None and at.tzinfo is not None and at <= now else now
        answer = RedirectResponse("/", status_code=303)
        remember_look(answer, seen, secure=secure(site.config))
        return answer
