"""What a witness takes for read: answers that were written down, by the moment that the store has recorded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage.rows import when
from tests.rig.account import reading
from tests.rig.witness import Witness
from tests.rig.world import World

WORLD = World(122, sources=10, seconds=24 * 3600.0)
SOURCE = "n000/main"
BEFORE, THEN = 3600.0, 20 * 3600.0
Seen = Callable[..., frozenset[str]]


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """What a store has to hold that recorded `SOURCE` as asked at ``recorded``; ``polls`` are (seconds, whole)."""

    def told(*polls: tuple[float, bool], recorded: float) -> frozenset[str]:
        lines = [
            {"source": SOURCE, "at": when(WORLD.at(at)), "seconds": at, "etag": f"{at}", "all": whole, "fault": ""}
            for at, whole in polls
        ]
        (tmp_path / "polls.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
        with closing(sqlite3.connect(tmp_path / "store.db")) as db, db:
            db.execute("CREATE TABLE items (id TEXT)")
            db.execute("CREATE TABLE sources (id TEXT, last_polled TEXT, etag TEXT)")
            db.execute("INSERT INTO sources VALUES (?, ?, NULL)", (SOURCE, when(WORLD.at(recorded))))
        witness = Witness(WORLD, tmp_path)
        witness.look()
        with reading(tmp_path / "store.db") as db:
            return witness.truth(db, WORLD.at(THEN) + timedelta(hours=1), THEN, None).seen

    return told


def listed(seconds: float) -> frozenset[str]:
    return frozenset(WORLD.item("n000", article.number) for article in WORLD.listed("n000", "main", seconds))


def test_the_last_whole_answer_is_what_was_read(seen: Seen) -> None:
    assert listed(THEN) - listed(BEFORE), "the world goes on"
    assert seen((BEFORE, True), (THEN, True), recorded=THEN) == listed(THEN)


def test_after_an_answer_with_a_fault_it_is_the_one_before(seen: Seen) -> None:
    assert seen((BEFORE, True), (THEN, False), recorded=THEN) == listed(BEFORE)


def test_a_whole_answer_that_a_killed_life_never_filed_was_not_read_when_the_next_life_met_a_fault(seen: Seen) -> None:
    assert seen((BEFORE, True), (THEN, True), (THEN, False), recorded=THEN) == listed(BEFORE)


def test_an_answer_that_was_led_on_counts_by_its_end(seen: Seen) -> None:
    assert seen((BEFORE, True), (THEN, False), (THEN, True), recorded=THEN) == listed(THEN)


def test_an_answer_that_is_not_recorded_yet_was_not_read(seen: Seen) -> None:
    assert seen((BEFORE, True), (THEN, True), recorded=BEFORE) == listed(BEFORE)
