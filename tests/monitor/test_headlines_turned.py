"""A headline that has most of another outlet's words and tells the opposite is told; the same news is not."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.load import load
from monitor.desk import Desk
from monitor.edition import edition
from monitor.language.tokens import norms
from monitor.stories.copies import TitleIndex, says_the_same
from tests.monitor.newsroom import Newsroom, entry, open_newsroom

pytestmark = pytest.mark.anyio
WATCH = """
[[watch]]
id = "deal"
title = "A deal"
when = "(hostage AND deal) OR (חטופים AND עסקה) OR صفقة"
severity = "critical"
"""
TURNED = [
    ("Hostage deal reached in Doha", "Qatar denies hostage deal reached in Doha"),
    ("Israel accepts hostage deal", "Israel rejects hostage deal"),
    ("Hamas accepts new hostage deal with Israel", "Hamas rejects new hostage deal with Israel"),
    ("Hostage deal reached in Doha talks", "No hostage deal reached in Doha talks"),
    ("Hostage deal reached in Doha talks", "Hostage deal reportedly reached in Doha talks"),
    ("ישראל הסכימה לעסקה לשחרור חטופים", "ישראל לא הסכימה לעסקה לשחרור חטופים"),
    ("حماس توافق على صفقة الرهائن الجديدة", "حماس لا توافق على صفقة الرهائن الجديدة"),
]
SAME = [
    ("Israel and Hamas agree on hostage deal in Doha", "Israel, Hamas agree hostage deal in Doha"),
    ("Hostage deal reached in Doha talks", "Hostage deal reached in Doha talks, officials say"),
    ("ישראל הסכימה לעסקה לשחרור חטופים", "דיווח: ישראל הסכימה לעסקה לשחרור חטופים"),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    made = open_newsroom(tmp_path, WATCH)
    made.desk = Desk(
        edition(load(tmp_path)), made.store, made.clock, jitter=random.Random(1).random,
        titles=TitleIndex(lambda title: frozenset(norms(title))),
    )  # fmt: skip
    yield made
    await made.store.close()


async def told(room: Newsroom, first: str, second: str) -> list[str]:
    """What became of the alerts of two outlets, the earlier first."""
    for number, (source, title) in enumerate((("bbc/middle-east", first), ("ap/world", second)), 1):
        await room.files(source, entry(number, title, f"Report {number}."))
        await room.later(7)
    items = await room.items()
    rows = {alert.item: alert for alert in await room.store.alerts(limit=9)}
    copy = next(item for item in items.values() if item.title == second)
    assert copy.copy_of, "it is a copy all the same"
    return [rows[item.id].condition for item in items.values() if item.title == first] + [rows[copy.id].condition]


@pytest.mark.parametrize(("first", "second"), TURNED)
async def test_a_copy_that_turns_the_sense_is_told(room: Newsroom, first: str, second: str) -> None:
    assert await told(room, first, second) == ["pending", "pending"]


@pytest.mark.parametrize(("first", "second"), SAME)
async def test_a_copy_that_tells_the_same_is_told_with_the_first(room: Newsroom, first: str, second: str) -> None:
    assert await told(room, first, second) == ["pending", "suppressed"]


def test_which_comes_first_does_not_matter_and_nothing_says_the_same_as_its_opposite() -> None:
    for one, other in (*TURNED, *SAME):
        assert says_the_same(one, other) == says_the_same(other, one)
        assert says_the_same(one, one)
