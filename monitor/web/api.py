"""The API under ``/api/v1``: what the page shows and does, for other tools. It describes itself: ``openapi.json``.

Errors are JSON too (``{"error": …}``), whatever went wrong. Who may ask what is the guard's business, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from config.model.fields import duration
from monitor import shapes
from monitor.alerts.channels import wording_of
from monitor.errors import QueryError, StoreError
from monitor.model.items import Item
from monitor.stories.timeline import timeline
from monitor.web import asking, picking
from monitor.web.asked import BadFilter
from monitor.web.asking import Problem
from monitor.web.guard import HEADERS
from monitor.web.probes import health_of
from monitor.web.site import Site, visitor_of

VERSION = "1"
_FULL = 300
"""Items of a story whose texts are compared for its timeline."""
_ALERTS_OF_ONE = 1000

_ALWAYS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The filter or the query cannot be read"},
    401: {"model": Problem, "description": "No token, or one that opens nothing"},
    403: {"model": Problem, "description": "The token may read, not review"},
    413: {"model": Problem, "description": "The body is too long"},
    421: {"model": Problem, "description": "The page is not called so"},
    422: {"model": Problem, "description": "Something is not written as it should be"},
    503: {"model": Problem, "description": "The store does not answer"},
}
_NAMED: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "Nothing is called so"}}
Id = Annotated[str, Path(max_length=200)]


def add(app: FastAPI, site: Site) -> None:
    api = FastAPI(
        title="wirewatch", version=VERSION, docs_url=None, redoc_url=None, redirect_slashes=False, responses=_ALWAYS,
        dependencies=[Depends(HTTPBearer(auto_error=False, description="A [[web.token]] of wirewatch.toml"))],
    )  # fmt: skip
    _refusals(api)
    _items(api, site)
    _stories(api, site)
    _rest(api, site)
    _reviews(api, site)
    _alerts(api, site)
    app.mount("/api/v1", api, name="api")


def _refusals(api: FastAPI) -> None:
    @api.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, error.detail, error.headers)

    @api.exception_handler(RequestValidationError)
    async def unreadable(_request: Request, error: RequestValidationError) -> JSONResponse:
        said = [f"{'.'.join(map(str, each['loc'][1:])) or 'the body'}: {each['msg']}" for each in error.errors()]
        return _problem(422, "; ".join(said))

    @api.exception_handler(BadFilter)
    async def unfiltered(_request: Request, error: BadFilter) -> JSONResponse:
        return _problem(400, str(error))

    @api.exception_handler(QueryError)
    async def unasked(_request: Request, error: QueryError) -> JSONResponse:
        return _problem(400, f"q, letter {error.start + 1}: {error}")

    @api.exception_handler(Exception)
    async def failed(_request: Request, _error: Exception) -> JSONResponse:
        return _problem(500, "This could not be answered: the service's log says why.", HEADERS)

    @api.exception_handler(StoreError)
    async def storeless(_request: Request, error: StoreError) -> JSONResponse:
        return _problem(503, f"The store does not answer: {error}")


def _problem(code: int, said: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    text = said.encode("utf-8", "replace").decode()
    return JSONResponse({"error": text}, status_code=code, headers=dict(headers or {}))


def _nothing(what: str, name: str) -> HTTPException:
    return HTTPException(404, f"No {what} is called {name}.")


# ------------------------------------------------------------------ reading


def _items(api: FastAPI, site: Site) -> None:
    @api.get("/items", operation_id="items")
    async def items(told: Annotated[asking.Paged, Query()]) -> asking.Items:
        """Items, the newest first."""
        spot = picking.spot(told.cursor) if told.cursor else None
        found = await picking.picked(site, await picking.asking(site, told.words()), limit=told.limit, after=spot)
        follows = picking.cursor(found.next) if found.next is not None else None
        return {"items": await reviewed(site, found.items), "next": follows}

    @api.get("/items/{item}", operation_id="item", responses=_NAMED)
    async def one(item: Id) -> asking.WholeItem:
        """One item, also by the id of one that was merged into it."""
        found = await site.store.item(item)
        if found is None:
            raise _nothing("item", item)
        [row] = await reviewed(site, [found])
        alerts = await site.store.alerts(item=found.id, limit=_ALERTS_OF_ONE)
        return {
            **row,
            "body": found.body,
            "texts": [shapes.text_row(each) for each in await site.store.revisions(found.id)],
            "matches": [shapes.match_row(each) for each in (await site.store.matches([found.id])).get(found.id, ())],
            "alerts": [shapes.alert_row(each) for each in alerts],
            "remarks": [shapes.remark_row(each) for each in await site.store.remarks(found.id)],
        }


async def reviewed(site: Site, items: Sequence[Item]) -> list[asking.ReviewedItem]:
    """Items with what reviewers said of them."""
    said = await site.store.reviews([item.id for item in items])
    return [{**shapes.item_row(item), **shapes.review_row(said.get(item.id))} for item in items]


def _stories(api: FastAPI, site: Site) -> None:
    @api.get("/stories", operation_id="stories")
    async def stories(told: Annotated[asking.StoriesAsked, Query()]) -> asking.Stories:
        """Stories, the last told first."""
        wanted = (await picking.asking(site, {"since": told.since or ""})).wanted
        found = await site.store.stories(
            limit=told.limit, language=told.language, watch=told.watch, since=wanted.since, outlets=told.outlets
        )
        names = wording_of(site.config)
        return {"stories": [shapes.story_row(each, names) for each in found]}

    @api.get("/stories/{story}", operation_id="story", responses=_NAMED)
    async def one(story: Id) -> asking.WholeStory:
        """One story, by its own id, by that of a story that was merged into it, or by that of one of its items."""
        held = await site.store.story(story)
        if held is None and (item := await site.store.item(story)) is not None and item.story:
            held = await site.store.story(item.story)
        if held is None:
            raise _nothing("story or item", story)
        linked = [other for link in held.links if (other := await site.store.story(link.story)) is not None]
        compared = held.items[-_FULL:]
        revisions = {item.id: await site.store.revisions(item.id) for item in compared if item.revisions > 1}
        whereabouts = {item.id: await site.store.whereabouts(item.id) for item in compared}
        corrected = await site.store.corrections(story=held.id)
        told = timeline(held, revisions, linked, site.edition().phrases, whereabouts, corrections=corrected)
        names = wording_of(site.config)
        return {
            **shapes.story_row(held, names),
            "members": [shapes.item_row(item) for item in held.items],
            "timeline": shapes.timeline_row(told),
            "linked": [shapes.story_row(each, names) for each in linked],
        }


def _rest(api: FastAPI, site: Site) -> None:
    @api.get("/sources", operation_id="sources")
    async def sources() -> asking.Sources:
        """Every source in force, and how it is."""
        return {"sources": [shapes.source_row(each) for each in await site.store.sources()]}

    @api.get("/outlets", operation_id="outlets")
    async def outlets() -> asking.Outlets:
        """Every outlet in force."""
        return {"outlets": [shapes.outlet_row(each) for each in site.config.outlets.values()]}

    @api.get("/watches", operation_id="watches")
    async def watches() -> asking.Watches:
        """Every watch in force."""
        muted = await site.store.muted((await site.status()).now)
        return {"watches": [shapes.watch_row(each, muted.get(each.id)) for each in site.config.watches.values()]}

    @api.get("/status", operation_id="status")
    async def status() -> asking.StatusRow:
        """How the service is."""
        told: asking.StatusRow = asking.StatusRow(**health_of(await site.status()))  # type: ignore[typeddict-item]
        return told


# ------------------------------------------------------------------ changing


def _reviews(api: FastAPI, site: Site) -> None:
    @api.post("/reviews", operation_id="review", responses=_NAMED)
    async def review(said: asking.Reviewing, request: Request) -> asking.Remarks:
        """Give a verdict, a star or a note to items; what was written. Needs a token that may review."""
        now = (await site.status()).now
        done = await site.store.remark(said.items, by=_name(request), kind=said.kind, value=said.value, now=now)
        if not done:
            raise HTTPException(404, "None of these items is here.")
        site.live.tell("reviewed", {"items": [*dict.fromkeys(each.item for each in done)]})
        return {"remarks": [shapes.remark_row(each) for each in done]}

    @api.post("/reviews/undo", operation_id="undo")
    async def undo(said: asking.Undoing, request: Request) -> asking.Remarks:
        """Take back remarks of your own; those that were. Needs a token that may review."""
        done = await site.store.undo(said.remarks, by=_name(request))
        if done:
            site.live.tell("reviewed", {"items": [*dict.fromkeys(each.item for each in done)]})
        return {"remarks": [shapes.remark_row(each) for each in done]}


def _name(request: Request) -> str:
    visitor = visitor_of(request)
    assert visitor is not None  # the guard lets nobody else through
    return visitor.name


def _alerts(api: FastAPI, site: Site) -> None:
    @api.get("/alerts", operation_id="alerts")
    async def alerts(told: Annotated[asking.AlertsAsked, Query()]) -> asking.AlertRows:
        """Alerts, the newest first; also what is not sent, with its reason."""
        found = await site.store.alerts(
            condition=told.state, watch=told.watch, channel=told.channel, item=told.item, limit=told.limit
        )
        return {"alerts": [shapes.alert_row(each) for each in found]}

    @api.get("/alerts/{alert}", operation_id="alert", responses=_NAMED)
    async def one(alert: Id) -> shapes.AlertRow:
        """One alert."""
        found = await site.store.alert(alert)
        if found is None:
            raise _nothing("alert", alert)
        return shapes.alert_row(found)

    @api.post("/alerts/acknowledge", operation_id="acknowledge")
    async def acknowledge(said: asking.Alerts) -> asking.Done:
        """Say that somebody sees to these alerts; those that exist. Needs a token that may review."""
        return {"alerts": [*await site.store.acknowledge(said.alerts, (await site.status()).now)]}

    @api.post("/alerts/resend", operation_id="resend")
    async def resend(said: asking.Alerts) -> asking.Done:
        """Send dead or suppressed alerts now; those that will be. Needs a token that may review."""
        return {"alerts": [*await site.store.resend(said.alerts, (await site.status()).now)]}

    @api.post("/watches/{watch}/mute", operation_id="mute", responses=_NAMED)
    async def mute(watch: Id, said: asking.Muting) -> asking.Muted:
        """Let a watch say nothing for a while. Needs a token that may review."""
        if watch not in site.config.watches:
            raise _nothing("watch", watch)
        now = (await site.status()).now
        try:
            until = now + duration(said.span) if said.span else None
        except ValueError as error:
            raise HTTPException(400, f"span: {error}") from None
        return {"watch": watch, "muted_until": until, "suppressed": await site.store.mute(watch, until, now)}
