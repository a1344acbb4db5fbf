"""The account of a run adds up, and names what is lost, unexpected and repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reliability.conftest import Case
from tests.rig.account import in_flight, messages_in_flight, reading


def test_a_sound_run_adds_up(case: Case) -> None:
    found = case.account()
    assert found.whole
    assert (found.due, found.ok, found.pending, found.dead, found.suppressed) == (8, 4, 3, 1, 0)
    assert (found.lost, found.unexpected, found.duplicated, found.recovered) == ((), (), {}, 0)
    assert found.attempts == 4


@pytest.mark.parametrize(
    "planted",
    ["DELETE FROM alerts WHERE condition = 'pending'", "UPDATE alerts SET condition = 'delivered'"],
    ids=["no row", "a row that says delivered"],
)
def test_what_is_due_and_will_never_arrive_is_lost(case: Case, planted: str) -> None:
    case.plant(planted)
    found = case.account()
    assert found.lost
    assert found.whole


def test_what_nobody_published_is_unexpected_and_what_may_follow_is_not(case: Case) -> None:
    first = case.record[0]
    case.record += [
        replace(first, key="x", members=(f"{first.members[0].rpartition('|')[0]}|edited:1",)),
        replace(first, key="y", members=("doha|desk|other|new",)),
        replace(first, key="z", members=("wirewatch-notices|desk|1|new",)),
    ]
    assert len(case.account().unexpected) == 2
    case.truth = replace(case.truth, may=frozenset({first.members[0].rpartition("|")[0]}))
    assert case.account().unexpected == ("doha|desk|other|new",)


def test_a_repeat_counts_by_its_members_and_one_after_a_failure_is_recovered(case: Case) -> None:
    first, second = case.record[0], case.record[1]
    case.record.insert(0, replace(first, taken=False, answered=False))
    case.record.append(replace(second, key="gathered", members=(*second.members, *second.members)))
    found = case.account()
    assert found.duplicated == {second.members[0]: 2}
    assert found.recovered == 2
    assert found.attempts == 7


def test_suppressed_rows_are_counted_as_such(case: Case) -> None:
    case.plant("UPDATE alerts SET condition = 'suppressed', reason = 'muted' WHERE condition = 'pending'")
    assert case.account().suppressed == 3


def test_in_flight_is_what_a_receiver_has_and_the_store_does_not_know(case: Case) -> None:
    taken = case.record[0]
    case.plant("UPDATE alerts SET condition = 'pending' WHERE key = ?", (taken.members[0],))
    with reading(case.path) as db:
        keys = in_flight(db, case.record)
    assert keys == frozenset(taken.members)
    assert messages_in_flight(case.record, keys) == {"desk": 1}
