"""The part of the store that reviewers correct through: `monitor.ports.Corrections`, each method one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.model.items import Reported
from monitor.model.stories import Correction, Rulings
from storage import rows
from storage.sqlite import corrections, stories, undoing
from storage.sqlite.readers import Readers
from storage.sqlite.writer import Writer


class Correcting:
    """Over the writer and the readers of the store that it is a part of."""

    _writer: Writer
    _readers: Readers

    async def split(self, story: str, items: Sequence[str], *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.split(db, story, items, _said(by, now)))

    async def merge_stories(self, story: str, into: str, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.merge(db, story, into, _said(by, now)))

    async def keep_apart(self, one: str, other: str, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.rule(db, "apart", one, other, _said(by, now)))

    async def link_stories(self, one: str, other: str, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.rule(db, "link", one, other, _said(by, now)))

    async def unlink_stories(self, one: str, other: str, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.rule(db, "unlink", one, other, _said(by, now)))

    async def correct_origin(self, item: str, origin: Reported | None, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.set_origin(db, item, origin, _said(by, now)))

    async def correct_copy(self, item: str, of: str | None, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: corrections.set_copy(db, item, of, _said(by, now)))

    async def undo_correction(self, number: int, *, by: str, now: datetime) -> Correction:
        return await self._correct(lambda db: undoing.undo(db, number, _said(by, now)))

    async def corrections(self, *, story: str | None = None, limit: int = 50) -> tuple[Correction, ...]:
        return await self._readers.read(lambda db: corrections.listed(db, story, limit))

    async def rulings(self) -> Rulings:
        return await self._readers.read(stories.standing)

    async def _correct(self, work: Callable[[sqlite3.Connection], Correction]) -> Correction:
        """Between the transactions that others share: one that is undone must not take a correction with it of which
        somebody has learnt."""
        return await self._writer.alone(corrections.by_itself(work))


def _said(by: str, now: datetime) -> corrections.Said:
    return corrections.Said(by=rows.writable(by), at=now)
