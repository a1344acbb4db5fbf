"""Exports of any filter, as CSV and as JSON Lines, with what reviewers said; sent in portions as they are read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from monitor.errors import QueryError
from monitor.model.items import Item
from monitor.shapes import ItemRow, ReviewRow, cells
from monitor.web import picking
from monitor.web.api import reviewed
from monitor.web.asked import BadFilter
from monitor.web.asking import ReviewedItem
from monitor.web.site import Site

_COLUMNS = (*ItemRow.__annotations__, *ReviewRow.__annotations__)
_BOM = "\ufeff"
"""By it spreadsheets know that Hebrew and Arabic are UTF-8."""

Write = Callable[[Sequence[ReviewedItem], bool], str]
"""Rows as text; with ``True`` what stands before the first."""


def add(app: FastAPI, site: Site) -> None:
    @app.get("/export.csv")
    async def csv_(request: Request) -> Response:
        return await _answered(site, request, "wirewatch.csv", "text/csv; charset=utf-8; header=present", _csv)

    @app.get("/export.jsonl")
    async def jsonl(request: Request) -> Response:
        return await _answered(site, request, "wirewatch.jsonl", "application/jsonl; charset=utf-8", _jsonl)


async def _answered(site: Site, request: Request, name: str, kind: str, write: Write) -> Response:
    """The first portion is read before anything is said, so that a filter that cannot be read is told as such."""
    try:
        told = await picking.asking(site, request.query_params)
        portions = picking.walked(site, told)
        first = await anext(portions, None)
    except (BadFilter, QueryError) as error:
        return PlainTextResponse(str(error), status_code=400)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_written(site, first or (), portions, write), media_type=kind, headers=headers)


async def _written(
    site: Site, first: tuple[Item, ...], portions: AsyncIterator[tuple[Item, ...]], write: Write
) -> AsyncIterator[str]:
    yield write(await reviewed(site, first), True)
    async for portion in portions:
        yield write(await reviewed(site, portion), False)


def _csv(rows: Sequence[ReviewedItem], begins: bool) -> str:
    """RFC 4180."""
    told = io.StringIO()
    writer = csv.DictWriter(told, fieldnames=_COLUMNS)
    if begins:
        told.write(_BOM)
        writer.writeheader()
    writer.writerows(map(cells, rows))
    return told.getvalue()


def _jsonl(rows: Sequence[ReviewedItem], _begins: bool) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, default=datetime.isoformat) + "\n" for row in rows)
