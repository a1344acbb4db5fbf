"""A store that fails for longer than a minute is told straight through the channels, once, and so is its end (F108)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from config.model.settings import Settings
from monitor import health
from monitor.clock import SystemClock
from monitor.distress import ATTEMPTS, PATIENCE, QUIET, Distress, parcel
from monitor.errors import StoreFull
from monitor.model.messages import Delivery, Parcel
from monitor.stories.identity import candidates

pytestmark = pytest.mark.anyio
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SENT, LATER, REFUSED = (Delivery(verdict=verdict) for verdict in ("sent", "later", "refused"))


class HandClock(SystemClock):
    """Both clocks stand where they are put."""

    def __init__(self) -> None:
        self.steady = 1000.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.steady - 1000)

    def monotonic(self) -> float:
        return self.steady


@dataclass(slots=True)
class Inbox:
    id: str
    at_once: int = 1
    names: int = 1
    answer: Delivery | Exception = SENT
    tried: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Delivery:
        self.tried.append(parcel)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        pass

    @property
    def titles(self) -> list[str]:
        return [each.tellings[0].item.title for each in self.tried]


class Desk:
    """A store that is full or not, and two channels."""

    def __init__(self) -> None:
        self.clock, self.full = HandClock(), True
        self.desk, self.duty = Inbox("desk"), Inbox("duty")
        self.channels = {"desk": self.desk, "duty": self.duty}
        self.distress = Distress(lambda: self.channels, self._write, self.clock)
        self.writes = 0

    async def _write(self) -> None:
        self.writes += 1
        if self.full:
            raise StoreFull("wirewatch.db: database or disk is full")

    async def pass_by(self, seconds: float, *, reported: bool = False) -> None:
        """Time passes in steps of five seconds; ``reported``: somebody else meets the failure at each of them."""
        for _ in range(int(seconds / 5)):
            self.clock.steady += 5
            if reported:
                self.distress.failing(StoreFull("wirewatch.db: database or disk is full"))
            await self.distress.look()


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    found.distress.failing(StoreFull("wirewatch.db: database or disk is full"))
    return found


async def test_f108_a_failing_store_is_told_past_it_after_a_minute_once_on_each_channel(desk: Desk) -> None:
    await desk.pass_by(PATIENCE - 5)
    assert desk.desk.tried == []
    await desk.pass_by(600)
    for channel in (desk.desk, desk.duty):
        (told,) = channel.tried
        assert "The store fails" in told.tellings[0].item.title
        assert "database or disk is full" in told.tellings[0].item.lead
        assert "Since 2026-11-24 09:00 UTC" in told.tellings[0].item.lead


async def test_f108_its_end_is_told_to_those_who_heard_of_it_once(desk: Desk) -> None:
    desk.duty.answer = LATER
    await desk.pass_by(PATIENCE)
    desk.full, desk.duty.answer = False, SENT
    desk.duty.tried.clear()
    await desk.pass_by(600)
    assert [title.partition(":")[0] for title in desk.desk.titles] == ["The store fails", "The store works again"]
    assert "from 2026-11-24 09:00 to 09:01 UTC" in desk.desk.tried[1].tellings[0].item.lead
    assert desk.duty.tried == [], "it never heard of the beginning"
    writes = desk.writes
    await desk.pass_by(60)
    assert desk.writes == writes, "a store that works is left alone"


async def test_f108_a_failure_of_less_than_a_minute_is_told_to_nobody(desk: Desk) -> None:
    desk.full = False
    await desk.pass_by(600)
    assert desk.desk.tried == desk.duty.tried == []
    assert desk.writes == 1


async def test_f108_small_writes_that_still_fit_in_end_nothing_while_others_fail(desk: Desk) -> None:
    desk.full = False
    for _ in range(int(PATIENCE / 5)):
        desk.distress.well()
        await desk.pass_by(5, reported=True)
    assert len(desk.desk.tried) == 1
    await desk.pass_by(QUIET + 5)
    assert desk.desk.titles[1:] == ["The store works again"]


async def test_f108_a_channel_that_does_not_take_it_is_asked_again_each_minute_and_the_others_are_not(
    desk: Desk,
) -> None:
    desk.duty.answer = LATER
    await desk.pass_by(PATIENCE + 290)
    assert (len(desk.desk.tried), len(desk.duty.tried)) == (1, 5)
    assert len({each.message.key for each in desk.duty.tried}) == 1
    desk.duty.answer = SENT
    await desk.pass_by(600)
    assert (len(desk.desk.tried), len(desk.duty.tried)) == (1, 6)


@pytest.mark.parametrize(("answer", "most"), [(REFUSED, 1), (LATER, ATTEMPTS), (ValueError("no"), ATTEMPTS)])
async def test_f108_nobody_is_asked_for_ever(desk: Desk, answer: Delivery | Exception, most: int) -> None:
    desk.duty.answer = answer
    await desk.pass_by(PATIENCE + 2 * ATTEMPTS * 60)
    assert (len(desk.desk.tried), len(desk.duty.tried)) == (1, most)


async def test_f108_each_episode_has_its_own_key_and_its_beginning_and_end_differ(desk: Desk) -> None:
    for _ in range(2):
        desk.full = True
        desk.distress.failing(StoreFull("full"))
        await desk.pass_by(PATIENCE)
        desk.full = False
        await desk.pass_by(QUIET + 5)
    keys = [each.message.key for each in desk.desk.tried]
    assert (len(keys), len(set(keys))) == (4, 4)
    assert {key.rpartition("|")[2] for key in keys} == {"new"}


async def test_f108_a_channel_of_a_reload_is_told_too(desk: Desk) -> None:
    await desk.pass_by(PATIENCE)
    desk.channels = {"new": Inbox("new")}
    await desk.pass_by(5)
    assert len(desk.channels["new"].tried) == 1


async def test_a_message_has_the_key_that_the_store_would_give_it() -> None:
    entry = health.notice("store", "service", "The store fails", "Since now.", now=START)
    sent = parcel(entry, "desk", START)
    (filed,) = candidates((entry,), health.built_in_outlet(), None)
    assert sent.message.key == f"{health.built_in_watch(Settings()).id}|desk|{filed.id}|new"
    assert [each.key for each in sent.message.alerts] == [sent.message.key]


async def test_the_loop_ends_with_the_service(desk: Desk) -> None:
    stop = asyncio.Event()
    distress = Distress(lambda: desk.channels, desk._write, SystemClock())
    running = asyncio.create_task(distress.run(stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(running, 5)
