"""The store over SQLite: `monitor.ports.Store`, each method one job for the writer or for a reader."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from monitor.errors import StoreError
from monitor.model.alerts import Alert, Condition, Escalation, Tended
from monitor.model.entries import Candidate
from monitor.model.filing import Filed, Filing
from monitor.model.items import EVERYTHING, Hits, Item, Matched, Revision, Spot, Wanted, Whereabouts
from monitor.model.messages import Delivery, Message, Room
from monitor.model.reviews import Remark, RemarkKind, Review, Tally
from monitor.model.sought import Sought
from monitor.model.sources import RobotsCopy, SourceState, Visit, VisitReport
from monitor.model.stories import Story, StorySize
from monitor.ports import Decide, Progress, Settle
from storage.sqlite import (
    archive,
    corroborating,
    decisions,
    filing,
    listing,
    messages,
    outbox,
    pages,
    reviews,
    schedule,
    search,
    stories,
    tallies,
    tending,
    upkeep,
)
from storage.sqlite.correcting import Correcting
from storage.sqlite.errors import translate
from storage.sqlite.lock import ServiceLock
from storage.sqlite.opening import PATIENCE, connect, open_writer
from storage.sqlite.readers import Readers
from storage.sqlite.writer import Writer

T = TypeVar("T")
log = logging.getLogger(__name__)


class SqliteStore(Correcting):
    """One file. ``patience`` is how many seconds a writer waits for another process before `StoreBusy`."""

    def __init__(
        self,
        path: Path,
        *,
        exclusive: bool = False,
        patience: float = PATIENCE,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self.path = path
        self._lock = ServiceLock(path)
        if exclusive and path.parent.is_dir():
            self._lock.take()
        try:
            self._db = open_writer(path, self._lock, patience=patience, given_up=given_up)
        except BaseException:
            self._lock.drop()
            raise
        noted = {"committed": self._lock.committed} if self._lock.held else {}
        self._writer = Writer(self._db, str(path), patience=patience, **noted)
        self._readers = Readers(partial(connect, path, read_only=True, patience=patience), str(path))
        self._closed = False

    # -------------------------------------------------------------- schedule

    async def register(self, sources: Sequence[SourceState], pages_of: Mapping[str, int]) -> None:
        await self._writer.write(lambda db: schedule.register(db, sources, pages_of))

    async def claim(self, now: datetime, *, hosts: int, lease: timedelta) -> tuple[Visit, ...]:
        return await self._writer.write(lambda db: schedule.claim(db, now, hosts=hosts, lease=lease))

    async def release(self, report: VisitReport) -> None:
        await self._writer.write(lambda db: schedule.release(db, report))

    async def release_all(self) -> None:
        await self._writer.write(schedule.release_all)

    async def set_back(self, now: datetime, by: timedelta) -> None:
        await self._writer.write(lambda db: schedule.set_back(db, now, by))

    async def spread(self, now: datetime, *, at_once: int, over: timedelta) -> int:
        return await self._writer.write(lambda db: schedule.spread(db, now, at_once=at_once, over=over))

    async def mark_due(self, sources: Sequence[str], now: datetime) -> int:
        return await self._writer.write(lambda db: schedule.mark_due(db, sources, now))

    async def sources(self) -> tuple[SourceState, ...]:
        return await self._readers.read(schedule.sources)

    async def robots(self, host: str) -> RobotsCopy | None:
        return await self._readers.read(lambda db: schedule.robots(db, host))

    async def keep_robots(self, copy: RobotsCopy) -> None:
        await self._writer.write(lambda db: schedule.keep_robots(db, copy))

    async def settle_page(self, item: str, *, retry_at: datetime | None) -> None:
        await self._writer.write(lambda db: pages.settle(db, item, retry_at))

    # -------------------------------------------------------------- archive

    async def unchanged(self, outlet: str, candidates: Sequence[Candidate]) -> frozenset[str]:
        return await self._readers.read(lambda db: archive.unchanged(db, outlet, candidates))

    async def file(self, filing_: Filing, decide: Decide, settle: Settle | None = None) -> Filed:
        """``decide`` and ``settle`` are called in the writer's thread."""
        return await self._writer.write(lambda db: filing.file(db, filing_, decide, settle))

    async def reconsider(self, settle: Settle, now: datetime) -> int:
        """``settle`` is called in the writer's thread."""

        def look(db: sqlite3.Connection) -> int:
            return sum(corroborating.settle(db, settle(None, decisions.Ledger(db, now)), now))

        return await self._writer.write(look)

    async def item(self, item: str) -> Item | None:
        return await self._readers.read(lambda db: archive.item(db, item))

    async def items(
        self, wanted: Wanted = EVERYTHING, *, limit: int = 50, oldest_first: bool = False, after: Spot | None = None
    ) -> tuple[Item, ...]:
        return await self._readers.read(
            lambda db: listing.items(db, wanted, limit=limit, oldest_first=oldest_first, after=after)
        )

    async def how_many(self, wanted: Wanted = EVERYTHING, *, at_most: int) -> int:
        return await self._readers.read(lambda db: listing.how_many(db, wanted, at_most))

    async def matches(self, items: Sequence[str]) -> Mapping[str, tuple[Matched, ...]]:
        return await self._readers.read(lambda db: archive.matches(db, items))

    def holding(
        self, sought: Sought, wanted: Wanted = EVERYTHING, *, most: int, after: Spot | None = None
    ) -> AsyncGenerator[tuple[Item, ...], None]:
        return search.portions(self._readers, sought, wanted, most=most, after=after)

    async def revisions(self, item: str) -> tuple[Revision, ...]:
        return await self._readers.read(lambda db: archive.revisions(db, item))

    async def whereabouts(self, item: str) -> tuple[Whereabouts, ...]:
        return await self._readers.read(lambda db: pages.whereabouts(db, item))

    async def story(self, story: str) -> Story | None:
        return await self._readers.read(lambda db: stories.story(db, story))

    async def event(self, story: str) -> tuple[Story, ...]:
        return await self._readers.read(lambda db: corroborating.stories_of(db, story))

    async def story_sizes(self, names: Sequence[str], /) -> Mapping[str, StorySize]:
        return await self._readers.read(lambda db: stories.sizes(db, names))

    async def stories(
        self,
        *,
        limit: int = 50,
        language: str | None = None,
        watch: str | None = None,
        since: datetime | None = None,
        outlets: int = 1,
    ) -> tuple[Story, ...]:
        read = partial(
            stories.stories, limit=limit, language=language, watch=watch, since=since, outlets=outlets
        )  # fmt: skip
        return await self._readers.read(read)

    async def count(self) -> Mapping[str, int]:
        return await self._readers.read(archive.count)

    async def prune(self, *, bodies_before: datetime, revisions_before: datetime, identity_before: datetime) -> int:
        bodies = await self._readers.read(lambda db: upkeep.old_bodies(db, bodies_before))
        count = await self._by_portions(bodies, upkeep.empty_bodies)
        revisions = await self._readers.read(lambda db: upkeep.old_revisions(db, revisions_before))
        count += await self._by_portions(revisions, upkeep.drop_revisions)
        items = await self._readers.read(lambda db: upkeep.forgotten(db, identity_before))
        count += await self._by_portions(items, partial(upkeep.forget, before=identity_before))
        count += await self._writer.write(lambda db: upkeep.forget_quarantine(db, identity_before))
        count += await self._writer.write(lambda db: upkeep.forget_messages(db, identity_before))
        count += await self._writer.write(upkeep.forget_stories)
        if count:
            await self._writer.alone(upkeep.give_back)
        return count

    async def forget_canaries(self, before: datetime) -> int:
        return await self._writer.write(lambda db: upkeep.forget_canaries(db, before))

    async def _by_portions(self, old: list[T], remove: Callable[[sqlite3.Connection, list[T]], int]) -> int:
        count = 0
        for start in range(0, len(old), upkeep.PORTION):
            portion = old[start : start + upkeep.PORTION]

            def job(db: sqlite3.Connection, portion: list[T] = portion) -> int:
                return remove(db, portion)

            count += await self._writer.write(job)
        return count

    # -------------------------------------------------------------- outbox

    async def claim_messages(
        self, now: datetime, *, rooms: Mapping[str, Room], lease: timedelta
    ) -> tuple[Message, ...]:
        return await self._writer.write(lambda db: messages.claim(db, now, rooms=rooms, lease=lease))

    async def settle(self, message: Message, delivery: Delivery, *, now: datetime, due: datetime | None) -> bool:
        return await self._writer.write(lambda db: messages.settle(db, message, delivery, now=now, due=due))

    async def alerts(
        self,
        *,
        condition: Condition | None = None,
        watch: str | None = None,
        channel: str | None = None,
        item: str | None = None,
        message: str | None = None,
        since: datetime | None = None,
        changes: bool = False,
        limit: int = 50,
    ) -> tuple[Alert, ...]:
        read = partial(
            outbox.alerts, condition=condition, watch=watch, channel=channel, item=item, message=message, since=since,
            changes=changes, limit=limit,
        )  # fmt: skip
        return await self._readers.read(read)

    async def alerts_of(self, items: Sequence[str]) -> Mapping[str, tuple[Alert, ...]]:
        return await self._readers.read(lambda db: outbox.alerts_of(db, decisions.resolved(db, items)))

    async def alert(self, alert: str) -> Alert | None:
        return await self._readers.read(lambda db: outbox.alert(db, alert))

    async def oldest_due(self, now: datetime) -> Mapping[str, datetime]:
        return await self._readers.read(lambda db: outbox.oldest_due(db, now))

    async def resend(self, alerts: Sequence[str], now: datetime) -> tuple[str, ...]:
        return await self._writer.write(lambda db: outbox.resend(db, alerts, now))

    async def acknowledge(self, alerts: Sequence[str], now: datetime) -> tuple[str, ...]:
        return await self._writer.write(lambda db: outbox.acknowledge(db, alerts, now))

    async def mute(self, watch: str, until: datetime | None, now: datetime) -> int:
        return await self._writer.write(lambda db: outbox.mute(db, watch, until, now))

    async def muted(self, now: datetime) -> Mapping[str, datetime]:
        return await self._readers.read(lambda db: outbox.muted(db, now))

    async def hurry(self, channel: str, now: datetime) -> int:
        return await self._writer.write(lambda db: messages.hurry(db, channel, now))

    async def tend(
        self,
        now: datetime,
        *,
        channels: Collection[str],
        watches: Collection[str],
        escalations: Sequence[Escalation],
        give_up: timedelta,
    ) -> Tended:
        look = partial(
            tending.tend, now=now, channels=channels, watches=watches, escalations=escalations, give_up=give_up
        )
        return await self._writer.write(look)

    async def untold_dead(self) -> tuple[Alert, ...]:
        return await self._readers.read(outbox.untold_dead)

    async def mark_told(self, alerts: Sequence[str]) -> None:
        await self._writer.write(lambda db: outbox.mark_told(db, alerts))

    # -------------------------------------------------------------- reviews

    async def remark(
        self, items: Sequence[str], *, by: str, kind: RemarkKind, value: str, now: datetime
    ) -> tuple[Remark, ...]:
        write = partial(reviews.remark, items=items, by=by, kind=kind, value=value, now=now)
        return await self._writer.write(write)

    async def undo(self, remarks: Sequence[int], *, by: str) -> tuple[Remark, ...]:
        return await self._writer.write(lambda db: reviews.undo(db, remarks, by=by))

    async def reviews(self, items: Sequence[str]) -> Mapping[str, Review]:
        return await self._readers.read(lambda db: reviews.reviews(db, items))

    async def remarks(self, item: str) -> tuple[Remark, ...]:
        return await self._readers.read(lambda db: reviews.remarks(db, item))

    async def tallies(
        self, *, since: datetime, before: datetime, step: timedelta, watch: str | None = None
    ) -> tuple[Tally, ...]:
        return await self._readers.read(partial(tallies.tallies, since=since, before=before, step=step, watch=watch))

    async def hits(self, *, since: datetime, zone: ZoneInfo) -> tuple[Hits, ...]:
        return await self._readers.read(lambda db: tallies.hits(db, since=since, zone=zone))

    # -------------------------------------------------------------- the whole

    async def backup(self, path: str, progress: Progress = lambda done, whole: None) -> None:
        """On a connection of its own: nobody waits for it. One that is cancelled leaves nothing behind."""
        given_up = threading.Event()
        try:
            await asyncio.to_thread(upkeep.backup, self.path, path, progress, given_up.is_set)
        except asyncio.CancelledError:
            given_up.set()
            raise

    @property
    def risks(self) -> tuple[str, ...]:
        return upkeep.risks()

    async def pulse(self, now: datetime) -> None:
        await self._writer.write(lambda db: upkeep.pulse(db, now))

    async def check(self) -> tuple[str, ...]:
        return await self._readers.read(lambda db: upkeep.check(db, self.path))

    def give_up_sooner(self) -> None:
        self._writer.give_up_sooner()

    async def close(self) -> None:
        """Finish what was asked, bring everything into the main file, and let the lock go. May be called twice."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        self._readers.close()
        try:
            # After a service that was killed, the first command to leave tidies up in its place.
            if self._lock.held or (self._lock.note("running") and self._lock.try_take()):
                self._bring_home()
        except (sqlite3.Error, StoreError) as error:
            if translate(error) is None:
                raise
            # Everything is in the log, and the note says "running": the next to open brings it home.
            log.warning("the store's log could not be emptied", extra={"error": str(error)})
        finally:
            self._db.close()
            self._lock.drop()

    def _bring_home(self) -> None:
        """Say that the service has stopped once nothing is in the log any more; another process may be reading it
        still, and then the next to close says so."""
        self._db.execute("PRAGMA busy_timeout = 500")
        busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            self._lock.say("stopped")
