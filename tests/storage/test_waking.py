"""What the schedule's columns keep of a source's week, and how they spread what was not asked for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.sources import Rhythm, SourceState, VisitReport
from monitor.ports import Store
from monitor.rhythm import LANGUAGES
from storage import rows
from tests.storage.desk import LEASE, NOW, filing, quiet, source

MINUTE = timedelta(minutes=1)

moments = st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=4000), NOW.replace(tzinfo=None)).map(
    lambda at: at.replace(tzinfo=NOW.tzinfo)
)
counts = st.integers(0, 255)
shares = st.floats(0, 1)
rhythms = st.builds(
    Rhythm, since=moments, seen=moments, last_new=moments, longest=st.timedeltas(timedelta(), timedelta(days=90)),
    watched=st.floats(0, 1e6), slots=st.binary(max_size=1352), listed=st.binary(max_size=80), usual=st.floats(0, 1e4),
    mix=st.lists(shares, max_size=6).map(tuple), garbled=shares, short_polls=counts, foreign_polls=counts,
    foreign=st.sampled_from(LANGUAGES), garbled_polls=counts,
)  # fmt: skip


@given(rhythm=rhythms, late=st.timedeltas(timedelta(), timedelta(days=2)))
@settings(max_examples=80)
def test_a_rhythm_is_kept_as_it_is(rhythm: Rhythm, late: timedelta) -> None:
    state = source(rhythm=rhythm, late=late, next_due=NOW)
    assert rows.source(rows.source_columns(state)) == state


@pytest.mark.anyio
async def test_a_rhythm_is_kept_in_the_store_and_read_by_a_claim(store: Store) -> None:
    await store.register([source()], pages_of={})
    rhythm = Rhythm(since=NOW, seen=NOW, last_new=NOW, slots=b"abcd", listed=b"efgh", mix=(1.0, 0.0, 0.0, 0.0))
    kept = replace(source(), rhythm=rhythm, late=MINUTE, last_polled=NOW)
    await store.file(replace(filing(), after=kept, held=kept), quiet)
    (visit,) = await store.claim(NOW, hosts=9, lease=LEASE)
    (claimed,) = visit.sources
    assert (claimed.rhythm, claimed.late) == (rhythm, MINUTE)
    assert await store.sources() == (replace(claimed, fence=0),)


def many(count: int) -> list[SourceState]:
    """The last was due longest ago."""
    return [source(f"o{number:02d}/x", next_due=NOW - number * MINUTE) for number in range(count)]


async def due(store: Store) -> dict[str, timedelta]:
    return {state.id: state.next_due - NOW for state in await store.sources()}


@pytest.mark.anyio
async def test_f118_what_is_overdue_longest_is_due_now_and_the_others_evenly_within_the_time(store: Store) -> None:
    later = source("later/x", next_due=NOW + MINUTE)
    await store.register([*many(10), later], pages_of={})
    assert await store.spread(NOW, at_once=4, over=MINUTE) == 10
    waits = await due(store)
    assert [waits[f"o{number:02d}/x"].total_seconds() for number in reversed(range(10))] == [
        0, 0, 0, 0, 10, 20, 30, 40, 50, 60,
    ]  # fmt: skip
    assert waits["later/x"] == MINUTE


@pytest.mark.anyio
async def test_f118_sources_of_one_host_stay_together(store: Store) -> None:
    together = [replace(source(f"one/{name}"), host="https://one.example:443") for name in "abc"]
    await store.register([*many(3), *together], pages_of={})
    await store.spread(NOW, at_once=1, over=MINUTE)
    waits = await due(store)
    assert len({waits[f"one/{name}"] for name in "abc"}) == 1
    assert len(set(waits.values())) == 4


@pytest.mark.anyio
async def test_f118_few_are_due_at_once_and_those_that_left_the_configuration_stay_as_they_are(store: Store) -> None:
    await store.register(many(5), pages_of={})
    await store.register(many(4), pages_of={})
    assert await store.spread(NOW, at_once=32, over=MINUTE) == 4
    assert set((await due(store)).values()) == {timedelta()}
    await store.register(many(5), pages_of={})
    assert (await due(store))["o04/x"] == -4 * MINUTE


@pytest.mark.anyio
async def test_f119_nobody_is_late_while_its_host_wished_to_be_left_alone(store: Store) -> None:
    await store.register([source("o00/x", next_due=NOW)], pages_of={})
    (visit,) = await store.claim(NOW, hosts=9, lease=LEASE)
    assert visit.sources[0].next_due == NOW
    await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW + 90 * MINUTE))
    (visit,) = await store.claim(NOW + 100 * MINUTE, hosts=9, lease=LEASE)
    assert visit.sources[0].next_due == NOW + 90 * MINUTE
