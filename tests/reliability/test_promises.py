"""The checker of the promises finds each violation that is planted, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.rows import when
from tests.reliability.conftest import LATER, Case
from tests.rig.promises import PROMISES
from tests.rig.record import Sent, told_in
from tests.storage.desk import NOW

ONE_DELIVERED = "(SELECT number FROM alerts WHERE condition = 'delivered' LIMIT 1)"
ONE_PENDING = "(SELECT number FROM alerts WHERE condition = 'pending' LIMIT 1)"
SOME_ITEM = "(SELECT id FROM items LIMIT 1)"
NEW_TEXT = (
    "INSERT INTO revisions (id, item, seen, source, title, lead, body, html, text_hash)"
    f" SELECT ?1, id, ?2, source, 't', '', '', ?3, ?1 FROM items WHERE id = {SOME_ITEM}"
)


def test_a_sound_run_breaks_no_promise(case: Case) -> None:
    assert case.broken() == ()


STATEMENTS: dict[str, tuple[str, ...]] = {
    "P1 a match without its row": (f"DELETE FROM alerts WHERE number = {ONE_PENDING}",),
    "P1 a dead letter without a reason": ("UPDATE alerts SET reason = '' WHERE condition = 'dead'",),
    "P1 a row that never leaves": (
        "UPDATE alerts SET condition = 'pending' WHERE number = " + ONE_DELIVERED,
    ),
    "P1 a row told with one that told nobody": (
        "UPDATE alerts SET condition = 'suppressed', reason = 'told with ' ||"
        f" (SELECT id FROM alerts WHERE condition = 'dead') WHERE number = {ONE_PENDING}",
    ),
    "P2 another key": (f"UPDATE alerts SET key = key || 'x' WHERE number = {ONE_PENDING}",),
    "P2 a message of one under another key": (
        f"UPDATE messages SET key = 'x' WHERE number = (SELECT message FROM alerts WHERE number = {ONE_DELIVERED})",
    ),
    "P2 sent after it was recorded": (f"UPDATE alerts SET delivered = '2026-11-24T12:00:01.000000+00:00'"
        f" WHERE number = {ONE_DELIVERED}",),
    "P3 an alert without item": (f"UPDATE alerts SET item = 'nobody' WHERE number = {ONE_PENDING}",),
    "P3 an alert without match": (f"UPDATE alerts SET revision = 'none' WHERE number = {ONE_PENDING}",),
    "P3 a match without item": ("INSERT INTO matches VALUES ('nobody', 'doha', 'r', '[]', '', '', '')",),
    "P3 an item without text": (f"UPDATE items SET current = 999 WHERE id = {SOME_ITEM}",),
    "P3 an item without key": (f"DELETE FROM item_keys WHERE item = {SOME_ITEM}",),
    "P3 a key without item": ("INSERT INTO item_keys VALUES ('bbc', 'url:9', 'nobody', NULL)",),
    "P3 an item that is not in the index": ("DELETE FROM search WHERE rowid = 1",),
    "P5 an alert tried for ever": (
        f"UPDATE alerts SET due = '2026-11-20T12:00:00.000000+00:00' WHERE number = {ONE_PENDING}",
    ),
    "P5 a long excerpt": ("UPDATE sources SET excerpt = printf('%.201c', 'x')",),
    "P5 a long headline": (f"UPDATE revisions SET title = printf('%.20001c', 'x') WHERE item = {SOME_ITEM}",),
    "P6 a source asked late": ("UPDATE sources SET late = 901",),
    "P7 a blocked source of which nobody was told": ("UPDATE sources SET outcome = 'blocked'",),
    "P7 an episode without a notice": ("UPDATE sources SET alarm = 'source:bbc/main:2026-11-24T12:00:00+00:00'",),
    "P8 a source that is asked much later": ("UPDATE sources SET next_due = '2026-11-24T13:00:00.000000+00:00'",),
    "P8 a source that was taken off": ("UPDATE sources SET in_force = 0",),
    "P9 a doubt that nobody is told": (
        "UPDATE matches SET undecided = 'a+' WHERE watch = 'cairo'", "DELETE FROM alerts WHERE watch = 'cairo'",
    ),
    "P9 a doubt told as certain": ("UPDATE matches SET undecided = 'a+'",),
    "P10 a control letter": (f"UPDATE revisions SET title = 'a' || char(27) || 'b' WHERE item = {SOME_ITEM}",),
    "P10 live markup": (f"UPDATE revisions SET html = '<p onclick=x>' WHERE item = {SOME_ITEM}",),
    "P12 a secret in the store": (f"UPDATE items SET author = 'canary-secret' WHERE id = {SOME_ITEM}",),
}  # fmt: skip


@pytest.mark.parametrize("planted", STATEMENTS)
def test_each_violation_planted_in_a_store_is_found_and_named(case: Case, planted: str) -> None:
    for statement in STATEMENTS[planted]:
        case.plant(statement)
    found = case.broken()
    promise = planted.split(maxsplit=1)[0]
    assert any(said.startswith(f"{promise}: ") for said in found), found


def _more_texts_than_are_kept(case: Case) -> None:
    case.plant(NEW_TEXT, *((f"r{number}", when(NOW), "") for number in range(24)))


def _a_message_of_too_many(case: Case) -> None:
    case.plant(
        "INSERT INTO alerts (id, key, watch, channel, item, revision, state, severity, rank, condition, reason,"
        " created, due, message) SELECT ?1, ?1, watch, channel, item, revision, ?1, severity, rank, 'delivered',"
        " '', created, due, 1 FROM alerts LIMIT 1",
        *((f"a{number}",) for number in range(201)),
    )


def _again(sent: Sent, **changes: object) -> Sent:
    return replace(sent, **changes)  # type: ignore[arg-type]


OUTSIDE: dict[str, Callable[[Case], None]] = {
    "P1 nothing arrived of what is recorded": lambda case: case.record.clear(),
    "P1 a key that is due and has no row": lambda case: _true(case, due=frozenset({"doha|desk|x|new"})),
    "P2 a repeat without an excuse": lambda case: case.record.append(_again(case.record[0], life=2)),
    "P2 a message that changed": lambda case: case.record.append(_again(case.record[0], members=("a", "b"))),
    "P2 an alert in two messages": lambda case: case.record.append(_again(case.record[0], key="gathered|desk|1")),
    "P3 validators past what is filed": lambda case: _true(case, listed={("bbc/main", '"1"'): frozenset({"other"})}),
    "P4 what was listed is not filed": lambda case: _true(case, seen=frozenset({"other"})),
    "P4 an article that is two items": lambda case: _true(case, articles=frozenset()),
    "P5 more texts than are kept": _more_texts_than_are_kept,
    "P5 a message of too many": _a_message_of_too_many,
    "P6 what may leave waits": lambda case: _true(case, sound=frozenset({"duty"}), now=LATER + timedelta(hours=1)),
    "P10 a headline of two lines": lambda case: _said(case, '{"key": "k", "headline": "a\\nb", "undecided": null}'),
    "P11 somebody was asked": lambda case: _true(case, trespasses=("http://10.0.0.1/",)),
    "P12 a secret was sent": lambda case: _said(case, '{"key": "k", "headline": "canary-secret", "undecided": null}'),
}  # fmt: skip


@pytest.mark.parametrize("planted", OUTSIDE)
def test_each_violation_outside_the_store_is_found_and_named(case: Case, planted: str) -> None:
    OUTSIDE[planted](case)
    found = case.broken()
    promise = planted.split(maxsplit=1)[0]
    assert any(said.startswith(f"{promise}: ") for said in found), found


def test_every_promise_has_a_planted_violation() -> None:
    assert {planted.split()[0] for planted in (*STATEMENTS, *OUTSIDE)} == set(PROMISES)


def test_a_repeat_is_excused_by_an_answer_that_was_lost_or_a_kill_before_it_was_recorded(case: Case) -> None:
    first, second = case.record[0], case.record[1]
    before = first.at - timedelta(seconds=1)
    case.record.insert(0, _again(first, answered=False, at=before))
    case.record.insert(1, _again(second, at=before, life=0))
    _true(case, in_flight={0: frozenset(second.members)})
    assert case.broken() == ()


def test_a_message_of_several_tells_the_keys_of_its_members() -> None:
    assert told_in({"kind": "alert", "key": "a"}) == ("a",)
    assert told_in({"kind": "flood", "key": "gathered|x|y", "alerts": [{"key": "a"}, {"key": "b"}]}) == ("a", "b")


def _true(case: Case, **changes: object) -> None:
    case.truth = replace(case.truth, **changes)  # type: ignore[arg-type]


def _said(case: Case, body: str) -> None:
    case.record[0] = replace(case.record[0], body=body)
