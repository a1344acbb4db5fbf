"""Claims, leases and times of hosts and sources, in every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model.sources import RobotsCopy, Validators, VisitReport
from monitor.ports import Store
from tests.storage.desk import (
    LATER,
    LEASE,
    NOW,
    READ,
    candidate,
    claimed,
    decide,
    filing,
    queued,
    quiet,
    source,
    until,
)

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def test_registering_adds_keeps_restarts_and_sets_aside(store: Store) -> None:
    kept, moved, gone = (source(f"bbc/{name}") for name in ("kept", "moved", "gone"))
    await store.register([kept, moved, gone], pages_of=READ)
    for state in (kept, moved, gone):
        await store.file(filing(source_id=state.id), quiet)
    elsewhere = replace(moved, url="https://bbc.example/new.xml", next_due=NOW + DAY)
    await store.register([kept, elsewhere, source("bbc/new")], pages_of=READ)
    states = {state.id: state for state in await store.sources()}
    assert list(states) == ["bbc/kept", "bbc/moved", "bbc/new"]
    assert states["bbc/kept"].validators == Validators(etag='"1"')
    assert states["bbc/moved"] == replace(elsewhere, baselined=NOW)
    assert states["bbc/new"].baselined is None
    await store.register([kept, elsewhere, gone], pages_of=READ)
    assert {state.id: state for state in await store.sources()}["bbc/gone"].validators == Validators(etag='"1"')


async def test_f140_an_answer_from_an_earlier_address_is_filed_and_leaves_the_source_as_it_is(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (late,) = await store.claim(NOW, hosts=5, lease=LEASE)
    moved = source(url="https://elsewhere.example/new.xml", host="https://elsewhere.example:443")
    await store.register([moved], pages_of=READ)
    filed = await store.file(filing([candidate(keys=("url:a",))], fence=late.fence), decide)
    assert (filed.new, filed.alerts_due, filed.overtaken) == (1, 2, True)
    assert await store.sources() == (moved,)


async def test_f115_an_overtaken_visit_loses_no_news_and_writes_no_state(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (late,) = await store.claim(NOW, hosts=5, lease=LEASE)
    (newer,) = await store.claim(NOW + LEASE, hosts=5, lease=LEASE)
    assert [state.fence for state in late.sources + newer.sources] == [late.fence, newer.fence]
    kept = await store.file(filing(at=NOW + LEASE, etag='"new"', fence=newer.fence), decide)
    filed = await store.file(filing([candidate(keys=("url:a",))], at=NOW, etag='"old"', fence=late.fence), decide)
    assert (kept.overtaken, filed.overtaken, filed.new, filed.alerts_due) == (False, True, 1, 2)
    (state,) = await store.sources()
    assert (state.validators, state.last_polled) == (Validators(etag='"new"'), NOW + LEASE)


async def test_claim_leases_a_host_with_all_that_is_due_there(store: Store) -> None:
    first, second = source("bbc/a"), source("ap/b", host="https://bbc.example:443")
    later = source("bbc/c", next_due=NOW + HOUR)
    await store.register([first, second, later], pages_of=READ)
    copy = RobotsCopy(host="https://bbc.example:443", asked=NOW, status=200, text="User-agent: *", good_at=NOW)
    await store.keep_robots(copy)
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    assert (visit.host, visit.fence, visit.robots) == (copy.host, 1, copy)
    assert visit.sources == (replace(second, fence=1), replace(first, fence=1))
    assert await store.claim(NOW, hosts=5, lease=LEASE) == ()


async def test_claim_takes_the_longest_waiting_hosts_and_no_more_than_asked(store: Store) -> None:
    waiting = [source(f"o{n}/a", next_due=NOW - n * MINUTE) for n in range(5)]
    await store.register(waiting, pages_of=READ)
    visits = await store.claim(NOW, hosts=2, lease=LEASE)
    assert [visit.sources[0].outlet for visit in visits] == ["o4", "o3"]


async def test_a_host_is_not_asked_before_it_allows(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW + HOUR, requests=1))
    assert await store.claim(NOW + 59 * MINUTE, hosts=5, lease=LEASE) == ()
    assert len(await store.claim(NOW + HOUR, hosts=5, lease=LEASE)) == 1


async def test_f115_a_lease_ends_and_the_late_report_changes_nothing(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (late,) = await store.claim(NOW, hosts=5, lease=LEASE)
    (taken_over,) = await store.claim(NOW + LEASE, hosts=5, lease=LEASE)
    assert taken_over.fence == late.fence + 1
    await store.release(VisitReport(host=late.host, fence=late.fence, next_ok=NOW))
    assert await store.claim(NOW + LEASE, hosts=5, lease=LEASE) == ()
    await store.release(VisitReport(host=late.host, fence=taken_over.fence, next_ok=NOW))
    assert len(await store.claim(NOW + LEASE, hosts=5, lease=LEASE)) == 1


async def test_at_start_every_lease_is_given_back(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    await store.mark_due(["bbc/main"], NOW)
    assert len(await store.claim(NOW, hosts=5, lease=DAY)) == 1
    assert len(await claimed(store, NOW, lease=DAY)) == 2
    await store.release_all()
    assert len(await store.claim(NOW, hosts=5, lease=DAY)) == 1
    assert len(await claimed(store, NOW, lease=DAY)) == 2


async def test_sources_are_made_due_and_counted(store: Store) -> None:
    await store.register([source(next_due=NOW + DAY), source("ap/x", next_due=NOW + DAY)], pages_of=READ)
    assert await store.mark_due(["bbc/main", "nobody/x"], NOW) == 1
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    assert [state.id for state in visit.sources] == ["bbc/main"]


async def test_f116_whatever_waits_moves_with_a_clock_that_is_set_back(store: Store) -> None:
    await store.register(
        [source(next_due=NOW + 5 * MINUTE), source("ap/x", next_due=NOW - HOUR, host="https://b:443")], pages_of=READ
    )
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW + 2 * MINUTE))
    (alert,) = await queued(store, "Talks in Doha")
    (message,) = await claimed(store, NOW)
    await store.settle(message, LATER, now=NOW, due=NOW + 3 * MINUTE)
    (held,) = await queued(store, "Talks in Doha go on", held=until(NOW + 4 * MINUTE))
    await store.set_back(NOW - DAY, DAY)
    states = {state.id: state.next_due for state in await store.sources()}
    assert states == {"bbc/main": NOW - DAY + 15 * MINUTE, "ap/x": NOW - DAY - HOUR}
    assert await store.claim(NOW - DAY + MINUTE, hosts=5, lease=LEASE) == ()
    (again,) = await store.claim(NOW - DAY + 2 * MINUTE, hosts=5, lease=LEASE)
    assert again.host == visit.host
    for minutes, due in ((2, None), (3, alert), (4, held)):
        found = await claimed(store, NOW - DAY + minutes * MINUTE)
        assert [each.id for message in found for each in message.alerts] == ([due] if due else [])


async def test_robots_copies_are_replaced(store: Store) -> None:
    first = RobotsCopy(host="https://a.example:443", asked=NOW, status=None)
    assert await store.robots(first.host) is None
    await store.keep_robots(first)
    second = replace(first, asked=NOW + DAY, status=200, text="Disallow: /", good_at=NOW + DAY)
    await store.keep_robots(second)
    assert await store.robots(first.host) == second
