"""The page behind an alert's signed link: the alert, and a button with which somebody says to have seen to it.

The signature is what permits it, so whoever has the link needs no login, and no other site can press the button. To
look changes nothing: mail scanners follow links. A wrong signature is told nothing more than any other wrong address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from config.model import Config
from monitor.alerts.links import Signer
from monitor.model import Alert, Item, Revision
from monitor.ports import Store
from monitor.status import Status
from monitor.web import cards, words

_ROOT = "../../"
"""From this page's address to the page's own: it is reached by a public address, which may have a path."""
_ROWS_AT_MOST = 200


def policy(*, forms: str) -> str:
    """The content security policy of a page whose forms may be sent to ``forms``."""
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def add(
    app: FastAPI,
    *,
    store: Store,
    config: Callable[[], Config],
    status: Callable[[], Awaitable[Status]],
    signer: Signer,
    page: Callable[..., HTMLResponse],
) -> None:
    """Answer at ``/acknowledge/ALERT/SIGNATURE``."""

    async def signed(alert: str, signature: str) -> Alert:
        if not signer.good(alert, signature):
            raise HTTPException(404)
        found = await store.alert(alert)
        if found is None:
            raise HTTPException(404)
        return found

    async def shown(alert: Alert, *, before: datetime | None, done: bool) -> HTMLResponse:
        now, held, item = (await status()).now, config(), await store.item(alert.item)
        answer = page(
            "acknowledge.html",
            root=_ROOT,
            alert=alert,
            item=item,
            title=_headline(alert, item, await store.revisions(alert.item)),
            moment=cards.moment(held, now, await store.muted(now)),
            before=before,
            done=done,
        )
        answer.headers["Content-Security-Policy"] = policy(forms="'self'")
        return answer

    @app.get("/acknowledge/{alert}/{signature}", response_class=HTMLResponse)
    async def look(alert: str, signature: str) -> HTMLResponse:
        found = await signed(alert, signature)
        return await shown(found, before=await _acknowledged(store, found), done=False)

    @app.post("/acknowledge/{alert}/{signature}", response_class=HTMLResponse)
    async def press(alert: str, signature: str) -> HTMLResponse:
        found = await signed(alert, signature)
        before = await _acknowledged(store, found)
        await store.acknowledge([found.id], (await status()).now)
        return await shown(await store.alert(found.id) or found, before=before, done=True)


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
