"""Sources: all of them with state and rhythm, and the page of one outlet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from monitor.model.items import Wanted
from monitor.restdays import week_of
from monitor.rhythm import ENOUGH
from monitor.web import cards
from monitor.web.charts import Spark, sparkline, usual_day
from monitor.web.rows import rows
from monitor.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One source with how much it usually lists in each hour of today."""

    line: cards.SourceLine
    usual: Spark | None
    """``None``: too little is known yet."""
    a_day: float
    """Entries."""


def add(app: FastAPI, site: Site) -> None:
    @app.get("/sources", response_class=HTMLResponse)
    async def list_(request: Request) -> HTMLResponse:
        seen = await site.status()
        known = _known(cards.source_lines(seen.sources, site.config))
        return site.page(
            request, "sources.html", now=seen.now, status=seen, known=known,
            moods=Counter(each.line.mood for each in known),
        )  # fmt: skip

    @app.get("/outlets/{outlet}", response_class=HTMLResponse)
    async def one(outlet: str, request: Request) -> HTMLResponse:
        held = site.config
        if outlet not in held.outlets:
            return site.missing(request, f"No outlet is called {outlet} in the configuration in force.")
        seen = await site.status()
        own = cards.source_lines([each for each in seen.sources if each.outlet == outlet], held)
        latest = await site.store.items(Wanted(outlet=outlet), limit=20)
        return site.page(
            request, "outlet.html", now=seen.now, status=seen, outlet=held.outlets[outlet], known=_known(own),
            rows=await rows(site, latest, cards.moment(held, seen.now, {})),
        )  # fmt: skip


def _known(lines: Iterable[cards.SourceLine]) -> tuple[Known, ...]:
    return tuple(_one(line) for line in lines)


def _one(line: cards.SourceLine) -> Known:
    learnt = line.state.rhythm
    if learnt is None or line.outlet is None or learnt.watched < ENOUGH:
        return Known(line=line, usual=None, a_day=0.0)
    usual = usual_day(learnt, week_of(line.outlet))
    return Known(line=line, usual=sparkline(usual, width=96, height=20), a_day=sum(usual))
