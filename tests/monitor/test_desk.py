"""The desk's own decisions: which answers are still wanted, and which trouble is everybody's."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.model import Config, Outlet, Settings
from monitor import health
from monitor.clock import SystemClock
from monitor.desk import Desk, edition
from monitor.model import Outcome, PageDue, SourceState
from monitor.stories.copies import TitleIndex
from storage import open_store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def outlet(name: str, url: str) -> Outlet:
    told: dict[str, Any] = {
        "id": name, "name": name, "home": f"https://{name}.example/", "language": "en", "time_zone": "UTC",
        "access": "feed", "why": "A test.", "source": [{"id": "feed", "kind": "feed", "url": url}],
    }  # fmt: skip
    return Outlet.model_validate(told)


def configured(*outlets: Outlet) -> Config:
    return Config(settings=Settings(), outlets={each.id: each for each in outlets}, watches={}, concepts={})


def state(name: str, **more: Any) -> SourceState:
    of, _, _ = name.partition("/")
    return SourceState(id=name, outlet=of, url=f"https://{of}.example/feed", host=f"https://{of}.example:443",
                       next_due=NOW, **more)  # fmt: skip


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = open_store(f"sqlite:///{tmp_path}/desk.db")
    first = edition(configured(outlet("herald", "https://herald.example/feed")))
    titles = TitleIndex(lambda title: frozenset(title.split()))
    yield Desk(first, store, SystemClock(), titles=titles, jitter=random.Random(1).random)
    await store.close()


@pytest.mark.anyio
async def test_f140_only_what_the_edition_still_watches_is_wanted(desk: Desk) -> None:
    page = PageDue(item="x", outlet="herald", url="https://herald.example/a", host="https://herald.example:443")
    assert desk.wants(state("herald/feed"), desk.edition)
    assert desk.wants(page, desk.edition)
    assert not desk.wants(state("herald/gone"), desk.edition)
    assert not desk.wants(state("courier/feed"), desk.edition)
    moved = edition(configured(outlet("herald", "https://herald.example/other")))
    assert not desk.wants(state("herald/feed"), moved)


def test_f002_a_network_that_is_out_is_one_notice_and_one_bad_answer_shows_that_it_is_not() -> None:
    out = [state(f"o{n}/feed", outcome=Outcome.FAILED, failures=3, last_polled=NOW) for n in range(4)]
    first, told = health.shared(out[0], (), out, now=NOW)
    assert [each.title for each in told] == ["No source answers: the network is out, it seems"]
    second, more = health.shared(out[1], (), [first, *out[1:]], now=NOW)
    assert (second.alarm, more) == (first.alarm, ())
    refused = state("o9/feed", outcome=Outcome.FAILED, status=503, last_polled=NOW)
    own = (health.notice("source", "o0/feed", "t", "l", now=NOW),)
    assert health.shared(out[0], own, [*out, refused], now=NOW) == (out[0], own)
    assert health.shared(out[0], own, out[:2], now=NOW) == (out[0], own), "two say nothing about the network"
