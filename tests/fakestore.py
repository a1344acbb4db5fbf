"""An outbox and an archive in memory, with the promises of `monitor.ports` that the dispatcher leans on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from config.model import SEVERITIES
from monitor.model import Alert, Delivery, Item, Revision


class FakeStore:
    """Rows by id. Only what the dispatcher and its tests call."""

    def __init__(self) -> None:
        self.rows: dict[str, Alert] = {}
        self.leased: dict[str, datetime] = {}
        self.held: dict[str, Item] = {}
        self.texts: dict[str, tuple[Revision, ...]] = {}

    def add(self, alert: Alert, item: Item) -> None:
        self.rows[alert.id] = alert
        self.held[item.id] = item

    def count(self, condition: str) -> int:
        return sum(row.condition == condition for row in self.rows.values())

    async def claim_alerts(self, now: datetime, *, limit: int, lease: timedelta) -> tuple[Alert, ...]:
        due = [
            row
            for row in self.rows.values()
            if row.condition == "pending" and row.due <= now and self.leased.get(row.id, now) <= now
        ]
        due.sort(key=lambda row: (-SEVERITIES.index(row.severity), row.created, row.id))
        taken = [replace(row, fence=row.fence + 1, attempts=row.attempts + 1) for row in due[:limit]]
        for row in taken:
            self.rows[row.id] = row
            self.leased[row.id] = now + lease
        return tuple(taken)

    async def settle(self, alert: Alert, delivery: Delivery, *, now: datetime, due: datetime | None) -> bool:
        row = self.rows[alert.id]
        if row.fence != alert.fence or row.condition != "pending":
            return False
        self.leased.pop(row.id, None)
        if delivery.verdict == "sent":
            self.rows[row.id] = replace(row, condition="delivered", delivered=now)
        elif delivery.verdict == "later" and due is not None:
            self.rows[row.id] = replace(row, due=due, last_error=delivery.detail)
        else:
            self.rows[row.id] = replace(row, condition="dead", reason=delivery.detail)
        return True

    async def hurry(self, channel: str, now: datetime) -> int:
        waiting = [
            row
            for row in self.rows.values()
            if row.channel == channel and row.condition == "pending" and row.due > now and row.id not in self.leased
        ]
        for row in waiting:
            self.rows[row.id] = replace(row, due=now)
        return len(waiting)

    async def item(self, item: str) -> Item | None:
        return self.held.get(item)

    async def revisions(self, item: str) -> Sequence[Revision]:
        return self.texts.get(item, ())
