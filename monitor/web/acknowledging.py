"""The page behind an alert's signed link: the alert, and a button with which somebody says to have seen to it.

The signature is what permits it, so whoever has the link needs no login, and no other site can press the button. To
look changes nothing: mail scanners follow links. A wrong signature is told nothing more than any other wrong address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from monitor.model.alerts import Alert
from monitor.model.items import Item, Revision
from monitor.ports import Store
from monitor.web import cards, words
from monitor.web.site import Site

_ROOT = "../../"
"""From this page's address to the page's own: it is reached by a public address, which may have a path."""
_ROWS_AT_MOST = 200
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No scripts here: it is opened from mail and chat."""


def add(app: FastAPI, site: Site) -> None:
    """Answer at ``/acknowledge/ALERT/SIGNATURE``."""

    async def signed(alert: str, signature: str) -> Alert:
        if not site.signer.good(alert, signature):
            raise HTTPException(404)
        found = await site.store.alert(alert)
        if found is None:
            raise HTTPException(404)
        return found

    async def shown(request: Request, alert: Alert, *, before: datetime | None, done: bool) -> HTMLResponse:
        now, item = (await site.status()).now, await site.store.item(alert.item)
        answer = site.page(
            request,
            "acknowledge.html",
            root=_ROOT,
            alert=alert,
            item=item,
            title=_headline(alert, item, await site.store.revisions(alert.item)),
            moment=cards.moment(site.config, now, await site.store.muted(now)),
            before=before,
            done=done,
        )
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the permission
        return answer

    @app.get("/acknowledge/{alert}/{signature}", response_class=HTMLResponse)
    async def look(alert: str, signature: str, request: Request) -> HTMLResponse:
        found = await signed(alert, signature)
        return await shown(request, found, before=await _acknowledged(site.store, found), done=False)

    @app.post("/acknowledge/{alert}/{signature}", response_class=HTMLResponse)
    async def press(alert: str, signature: str, request: Request) -> HTMLResponse:
        found = await signed(alert, signature)
        before = await _acknowledged(site.store, found)
        await site.store.acknowledge([found.id], (await site.status()).now)
        return await shown(request, await site.store.alert(found.id) or found, before=before, done=True)


def _headline(alert: Alert, item: Item | None, revisions: Sequence[Revision]) -> tuple[words.Piece, ...]:
    """As it was told: in the text that matched, while that is kept."""
    for text in revisions:
        if text.id == alert.revision:
            return words.marked(text.title, alert.match.spans if alert.match else (), "title")
    return words.marked(item.title, (), "title") if item else ()


async def _acknowledged(store: Store, alert: Alert) -> datetime | None:
    """When somebody first saw to it, on whatever channel; what was acknowledged before it was made is another thing."""
    rows = await store.alerts(watch=alert.watch, item=alert.item, limit=_ROWS_AT_MOST)
    seen = [row.acknowledged for row in (alert, *rows) if row.acknowledged and row.acknowledged >= alert.created]
    return min(seen, default=None)
