"""Reviews: one door through which every verdict, star and note goes, and the undo of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, cast, get_args
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from monitor.model.reviews import Remark, RemarkKind, Verdict
from monitor.web import cards, words
from monitor.web.items import panel
from monitor.web.login import local
from monitor.web.now import MOST, TO_REVIEW
from monitor.web.rows import rows
from monitor.web.site import Site, visitor_of
from monitor.web.templating import is_part

LONGEST_NOTE = 4000
"""Letters."""
AT_ONCE = 500
"""Items of one bulk review."""


def add(app: FastAPI, site: Site) -> None:
    @app.post("/review")
    async def review(
        request: Request,
        act: Annotated[str, Form()],
        item: Annotated[list[str] | None, Form()] = None,
        note: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "/",
    ) -> Response:
        """``act`` is ``verdict:noise``, ``star:yes``, ``note``; a third part names the one item it is about."""
        kind, value, one = _read(act, note)
        items = [one] if one else (item or [])[:AT_ONCE]
        if not items:
            raise HTTPException(400, "No item was chosen.")
        now = (await site.status()).now
        done = await site.store.remark(items, by=_name(request), kind=kind, value=value, now=now)
        if not done:
            raise HTTPException(404, "None of these items is here any more.")
        return await _answered(request, done, _said(kind, value, len(done)), back)

    @app.post("/review/undo")
    async def undo(request: Request, undo: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
        """``undo``: the numbers of remarks, with spaces between them."""
        try:
            numbers = [int(each[:18]) for each in undo.split()][:AT_ONCE]  # the store's numbers have 64 bits
        except ValueError:
            raise HTTPException(400, "These are no numbers of remarks.") from None
        done = await site.store.undo(numbers, by=_name(request))
        said = f"{words.counted(len(done), 'remark')} taken back" if done else "Nothing was yours to take back"
        return await _answered(request, done, said, back, undone=True)

    async def _answered(
        request: Request, done: Sequence[Remark], said: str, back: str, *, undone: bool = False
    ) -> Response:
        names = [*dict.fromkeys(remark.item for remark in done)]
        if done:
            site.live.tell("reviewed", {"items": names})
        if not is_part(request):
            return RedirectResponse(local(back), status_code=303)
        return await _parts(request, names, said, () if undone else done)

    async def _parts(request: Request, names: Sequence[str], said: str, done: Iterable[Remark]) -> HTMLResponse:
        """The rows anew, and the panel of an item's own page."""
        seen = await site.status()
        moment = cards.moment(site.config, seen.now, await site.store.muted(seen.now))
        items = [found for name in names if (found := await site.store.item(name)) is not None]
        html = site.render(request, "list.html", rows=await rows(site, items, moment), now=seen.now, moment=moment)
        if len(items) == 1:
            html += site.render(request, "panel.html", **await panel(site, items[0]))
        waiting = await site.store.how_many(TO_REVIEW, at_most=MOST)
        headers = {"X-Said": quote(said), "X-Waiting": str(waiting)}
        if numbers := " ".join(str(remark.number) for remark in done):
            headers["X-Remarks"] = numbers
        return HTMLResponse(html, headers=headers)


def _read(act: str, note: str) -> tuple[RemarkKind, str, str]:
    """Kind, value and item of an act."""
    kind, _, rest = act.partition(":")
    value, _, item = rest.partition(":")
    if kind == "note":
        if not note.strip():
            raise HTTPException(400, "The note is empty.")
        return "note", note.strip()[:LONGEST_NOTE], item
    if (kind == "verdict" and value in ("", *get_args(Verdict))) or (kind == "star" and value in ("", "yes")):
        return cast(RemarkKind, kind), value, item
    raise HTTPException(400, f"{act} is no review.")


def _name(request: Request) -> str:
    visitor = visitor_of(request)
    assert visitor is not None  # the guard lets nobody else through
    return visitor.name


def _said(kind: RemarkKind, value: str, many: int) -> str:
    what = words.counted(many, "item")
    if kind == "note":
        return f"Note kept with {what}"
    if kind == "star":
        return f"{what} starred" if value else f"Star taken from {what}"
    return f"{what}: {value}" if value else f"Verdict of {what} taken back"
