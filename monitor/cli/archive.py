"""Walking the whole archive in portions, oldest first, with progress: for exports and backtests."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import click

from monitor.model.items import Item, Wanted
from monitor.ports import Store

_PORTION = 2000


async def walked(store: Store, label: str, wanted: Wanted) -> AsyncIterator[tuple[Item, ...]]:
    """Every item that is wanted, oldest first, in portions; a bar on a terminal's standard error shows how far it
    is."""
    total = (await store.count())["items"]
    shown: set[str] = set()
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        while portion := await store.items(wanted, limit=_PORTION, oldest_first=True):
            fresh = tuple(item for item in portion if item.id not in shown)
            if fresh:
                yield fresh
            bar.update(len(fresh))
            if not fresh or len(portion) < _PORTION:
                return
            last = portion[-1].first_seen  # the next portion begins with this moment again
            wanted = replace(wanted, since=last)
            shown = {item.id for item in portion if item.first_seen == last}
