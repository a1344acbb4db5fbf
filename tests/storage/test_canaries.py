"""Canaries are kept apart from news, and a pulse is a write."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor import canary
from monitor.errors import StoreError
from monitor.model.alerts import NewAlert
from monitor.model.filing import Change, Decision
from monitor.model.items import Match, Wanted
from monitor.ports import Ledger, Store
from storage.sqlite.store import SqliteStore
from tests.questions import searched
from tests.storage.desk import NOW, SENT, candidate, claimed, filing, queued, source

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def singing(change: Change, _ledger: Ledger) -> Decision:
    row = NewAlert(watch=canary.NAME, channel=canary.NAME, item=change.item.id, state="new", severity="low")
    return Decision(matches=(Match(watch=canary.NAME, clause="canary"),), alerts=(row,))


async def let_out(store: Store, name: str, *, age: timedelta = timedelta()) -> str:
    song = candidate(f"Canary {name} sings of Doha", keys=(f"guid:{name}",), outlet=canary.NAME)
    whole = filing([song], source_id=canary.SOURCE, at=NOW - age)
    await store.file(replace(whole, after=None, held=None), singing)
    return song.id


async def arrive(store: Store) -> int:
    messages = await claimed(store, NOW, channels=(canary.NAME,))
    for message in messages:
        assert await store.settle(message, SENT, now=NOW, due=None)
    return len(messages)


async def test_they_stand_in_no_list_search_or_count(store: Store) -> None:
    await store.register([source()], pages_of={})
    await queued(store, "Talks resume in Doha")
    before = await store.count()
    song = await let_out(store, "one")
    assert await store.count() == before
    assert [item.title for item in await store.items()] == ["Talks resume in Doha"]
    assert [item.title for item in await store.items(Wanted(language="en", since=NOW - DAY))] == [
        "Talks resume in Doha"
    ]
    assert [item.title for item in await searched(store, "doha")] == ["Talks resume in Doha"]
    assert {row.watch for row in await store.alerts(condition="pending")} == {"doha"}
    await arrive(store)
    assert await store.count() == before
    assert await store.alerts(condition="delivered") == ()
    assert [item.id for item in await store.items(Wanted(outlet=canary.NAME))] == [song]
    for asked in ({"watch": canary.NAME}, {"channel": canary.NAME}, {"item": song}):
        assert [row.item for row in await store.alerts(**asked)] == [song]


async def test_old_ones_go_with_all_that_is_theirs_but_for_what_is_still_to_be_sent(store: SqliteStore) -> None:
    await let_out(store, "old", age=3 * DAY)
    assert await arrive(store) == 1
    waiting, young = await let_out(store, "waiting", age=3 * DAY), await let_out(store, "young")
    (news,) = await queued(store, "Talks resume in Doha", at=NOW - 3 * DAY)
    assert await store.forget_canaries(NOW - 2 * DAY) == 1
    assert {item.id for item in await store.items(Wanted(outlet=canary.NAME))} == {waiting, young}
    assert await store.alert(news) is not None
    assert await store._readers.read(lambda db: db.execute("SELECT count(*) FROM messages").fetchone()[0]) == 0
    assert await store.check() == ()
    assert await arrive(store) == 2
    assert await store.forget_canaries(NOW - 2 * DAY) == 1, "it has arrived since"


async def test_they_are_forgotten_before_news_of_their_age(store: Store) -> None:
    await queued(store, "Talks resume in Doha", at=NOW - 9 * DAY)
    assert await store.forget_canaries(NOW) == 0
    assert len(await store.items()) == 1


# ------------------------------------------------------------------ the pulse


@contextlib.contextmanager
def no_space() -> Iterator[None]:
    """No file of this process can grow or change beyond its first page."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


async def test_f134_a_pulse_fails_where_nothing_can_be_written_and_a_look_that_finds_nothing_does_not(
    store: Store,
) -> None:
    """Which is why the sign of life leans on a pulse."""
    await store.pulse(NOW)
    with no_space():
        await store.tend(NOW, channels=(), watches=(), escalations=(), give_up=DAY)
        with pytest.raises(StoreError):
            await store.pulse(NOW + DAY)
    await store.pulse(NOW + DAY)


async def test_a_pulse_leaves_nothing_that_grows(store: SqliteStore) -> None:
    for minute in range(30):
        await store.pulse(NOW + timedelta(minutes=minute))
    assert await store._readers.read(lambda db: db.execute("SELECT count(*) FROM pulse").fetchone()[0]) == 1
