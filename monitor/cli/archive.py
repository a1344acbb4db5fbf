"""Walking the whole archive in portions, oldest first, with progress: for exports and backtests."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import datetime

import click

from monitor.model import Item
from monitor.ports import Store

_PORTION = 2000


async def walked(
    store: Store,
    label: str,
    *,
    since: datetime | None = None,
    outlet: str | None = None,
    language: str | None = None,
    watch: str | None = None,
) -> AsyncIterator[Item]:
    """Every item that fits, oldest first; a bar on a terminal's standard error shows how far it is."""
    total = (await store.count())["items"]
    shown: set[str] = set()
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        while portion := await store.items(
            limit=_PORTION, since=since, outlet=outlet, language=language, watch=watch, oldest_first=True
        ):
            fresh = [item for item in portion if item.id not in shown]
            for item in fresh:
                yield item
            bar.update(len(fresh))
            if not fresh or len(portion) < _PORTION:
                return
            since = portion[-1].first_seen  # the next portion begins with this moment again
            shown = {item.id for item in portion if item.first_seen == since}
