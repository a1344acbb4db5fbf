"""Watches: what each says, finds and is worth by the reviews of it, and a box to try it on a text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse

from config.load import place_in
from config.model.watches import Watch
from config.model.whole import Place
from monitor.model.items import Hits, Wanted
from monitor.watches.explain import Explanation
from monitor.watches.search import pasted
from monitor.web import cards, words
from monitor.web.charts import Spark, sparkline
from monitor.web.rows import rows
from monitor.web.site import Site

DAYS = 30
LONGEST = 20_000
"""Letters of a text that is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    day: str
    items: int
    relevant: int
    noise: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a watch found in the last `DAYS` days, and what reviewers thought of it."""

    days: tuple[Day, ...]
    """Each day, also those on which it found nothing; the oldest first."""
    spark: Spark
    items: int
    relevant: int
    noise: int

    @property
    def judged(self) -> int:
        return self.relevant + self.noise

    @property
    def precision(self) -> float | None:
        """The relevant among those that were judged; ``None``: none was."""
        return self.relevant / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    watch: Watch
    record: Record
    muted: str
    """Until when; empty: it speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A text that a watch was tried on."""

    text: str
    pieces: tuple[words.Piece, ...]
    explanation: Explanation


def add(app: FastAPI, site: Site) -> None:
    @app.get("/watches", response_class=HTMLResponse)
    async def list_(request: Request) -> HTMLResponse:
        seen = await site.status()
        muted = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        records = await _records(site)
        listed = [
            Listed(
                watch=watch, record=records[name], muted=muted.until(muted.muted[name]) if name in muted.muted else ""
            )
            for name, watch in site.config.watches.items()
        ]
        return site.page(request, "watches.html", now=seen.now, listed=listed, days=DAYS)

    @app.get("/watches/{watch}", response_class=HTMLResponse)
    async def one(watch: str, request: Request) -> HTMLResponse:
        return await _page(watch, request, None)

    @app.post("/watches/{watch}/try", response_class=HTMLResponse)
    async def tried(watch: str, request: Request, text: Annotated[str, Form()] = "") -> HTMLResponse:
        """Changes nothing: what the watch makes of a text, with its reasons."""
        if watch not in site.config.watches:
            return site.missing(request, f"No watch is called {watch} in the configuration in force.")
        return await _page(watch, request, _try(site, watch, text.strip()[:LONGEST]) if text.strip() else None)

    async def _page(watch: str, request: Request, tried: Tried | None) -> HTMLResponse:
        held = site.config.watches.get(watch)
        if held is None:
            return site.missing(request, f"No watch is called {watch} in the configuration in force.")
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        latest = await site.store.items(Wanted(watch=watch), limit=20)
        return site.page(
            request,
            "watch.html",
            now=seen.now,
            watch=held,
            place=place_in(site.config, f"watch.{watch}.when", 0),
            record=(await _records(site))[watch],
            days=DAYS,
            moment=moment,
            muted=moment.until(moment.muted[watch]) if watch in moment.muted else "",
            rows=await rows(site, latest, moment),
            tried=tried,
            snippet=snippet(held, place_in(site.config, f"watch.{watch}.when", 0)),
        )


async def _records(site: Site) -> dict[str, Record]:
    now = (await site.status()).now
    today = now.astimezone(site.zone).date()
    begin = now - timedelta(days=DAYS - 1)
    found: dict[str, list[Hits]] = defaultdict(list)
    for each in await site.store.hits(since=begin, zone=site.zone):
        found[each.watch].append(each)
    return {name: _record(found[name], today) for name in site.config.watches}


def _record(hits: Iterable[Hits], today: date) -> Record:
    by_day = {each.day: each for each in hits}
    days = [(today - timedelta(days=back)).isoformat() for back in range(DAYS)][::-1]
    told = [
        Day(day=day, items=held.items, relevant=held.relevant, noise=held.noise)
        if (held := by_day.get(day)) is not None
        else Day(day=day, items=0, relevant=0, noise=0)
        for day in days
    ]
    sums: Counter[str] = Counter()
    for day in told:
        sums.update(items=day.items, relevant=day.relevant, noise=day.noise)
    return Record(
        days=tuple(told), spark=sparkline([day.items for day in told]), items=sums["items"], relevant=sums["relevant"],
        noise=sums["noise"],
    )  # fmt: skip


def _try(site: Site, watch: str, text: str) -> Tried:
    item = pasted(text)
    explanation = site.edition().watches.explain(watch, item)
    return Tried(text=text, pieces=words.marked(item.title, explanation.spans, "title"), explanation=explanation)


def snippet(watch: Watch, place: Place) -> str:
    """The lines to put beside a watch's ``when`` in its file, for what people change most."""
    return "\n".join(
        (
            f'# {place.file}, in the [[watch]] with id = "{watch.id}":',
            f'severity = "{watch.severity}"          # low, normal, high, critical',
            'cooldown = "30m"             # what follows in the same story waits, and leaves in one message',
            'on = ["new", "edited"]       # also tell changed numbers, names, quotes, hedges, denials',
            "# beside the query: AND NOT title:(…) leaves out what is noise",
        )
    )
