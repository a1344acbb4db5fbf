"""The page of now: trouble first, then what watches found and nobody reviewed, then everything, as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from monitor.model.items import Wanted
from monitor.web import cards, charts
from monitor.web.looked import last_look
from monitor.web.rows import Row, rows
from monitor.web.site import Site

FOUND, LATEST = 25, 30
"""Rows of the two lists; the items' page has the rest."""
MOST = 1000
"""Where counting what waits ends: "1000 or more" says enough."""
HOURS = 24
TO_REVIEW = Wanted(watch="*", review="unreviewed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What came after the last look."""

    at: datetime
    items: int
    found: int


def add(app: FastAPI, site: Site) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def now(request: Request) -> HTMLResponse:
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        sources = cards.source_lines(seen.sources, site.config)
        begin = seen.now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * charts.HOUR
        tallies = await site.store.tallies(since=begin, before=seen.now + timedelta(microseconds=1), step=charts.HOUR)
        return site.page(
            request,
            "now.html",
            now=seen.now,
            status=seen,
            moment=moment,
            muted=[(cards.watch_title(name, site.config), moment.until(end)) for name, end in moment.muted.items()],
            found=await _list(site, moment, "found"),
            latest=await _list(site, moment, "latest"),
            waiting=await site.store.how_many(TO_REVIEW, at_most=MOST),
            most=MOST,
            since=await _since(site, last_look(request)),
            sources=sources,
            troubled=[line for line in sources if line.mood in ("bad", "fair")],
            moods={mood: sum(line.mood == mood for line in sources) for mood in cards.NEED},
            coverage=charts.coverage(tallies, since=begin, hours=HOURS, zone=site.zone),
        )

    @app.get("/rows/{which}", response_class=HTMLResponse)
    async def part(which: str, request: Request) -> HTMLResponse:
        """One of the lists as it is now, for the page's script."""
        if which not in ("found", "latest"):
            return site.missing(request, "There is no such list.")
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        answer = site.page(request, "list.html", rows=await _list(site, moment, which), now=seen.now, moment=moment)
        answer.headers["X-Waiting"] = str(await site.store.how_many(TO_REVIEW, at_most=MOST))
        return answer


async def _list(site: Site, moment: cards.Moment, which: str) -> tuple[Row, ...]:
    if which == "found":
        return await rows(site, await site.store.items(TO_REVIEW, limit=FOUND), moment)
    latest = await rows(site, await site.store.items(limit=2 * LATEST), moment)
    return tuple(row for row in latest if not row.chips or row.review.verdict)[:LATEST]


async def _since(site: Site, at: datetime | None) -> Since | None:
    if at is None:
        return None
    return Since(
        at=at,
        items=await site.store.how_many(Wanted(since=at), at_most=MOST),
        found=await site.store.how_many(Wanted(since=at, watch="*"), at_most=MOST),
    )
