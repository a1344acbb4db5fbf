"""The desk's own decisions: which answers are still wanted, and which trouble is everybody's."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.model.outlets import Outlet
from config.model.settings import Settings
from config.model.whole import Config
from monitor import health, rhythm
from monitor.clock import SystemClock
from monitor.desk import Desk
from monitor.edition import edition
from monitor.model.entries import Answer, Entry
from monitor.model.items import Wanted
from monitor.model.sources import Outcome, PageDue, SourceState, Validators
from monitor.ports import Store
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


# ------------------------------------------------------------------ answers, filed by a real store


class SetClock:
    pace = 1.0

    def __init__(self) -> None:
        self.wall = NOW

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.wall.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the desk never waits")


@dataclass
class Room:
    """A desk over a store, told what its sources answer."""

    desk: Desk
    store: Store
    clock: SetClock
    known: int = 0

    async def answers(self, name: str, outcome: Outcome, titles: Sequence[str] = (), **more: Any) -> SourceState:
        """One poll of a source, now; its state afterwards."""
        now = self.clock.now()
        due = await self.state(name)
        home = self.desk.edition.outlets[due.outlet].home
        told: dict[str, Any] = {
            "validators": Validators(etag=f"{outcome}{titles}"),
            "status": None if outcome is Outcome.FAILED else 200,
            "entries": tuple(Entry(title=title, url=f"{home}{title}", published=now) for title in titles),
            **more,
        }
        answer = Answer(
            source=name, outlet=due.outlet, url=due.url, final_url=due.url, at=now, outcome=outcome, **told
        )  # fmt: skip
        edition = self.desk.edition
        filing = self.desk.identified(self.desk.normalised(answer, edition), due, edition)
        await self.desk.filed(self.desk.matched(filing, (), edition), due, edition)
        return await self.state(name)

    async def state(self, name: str) -> SourceState:
        (found,) = [each for each in await self.store.sources() if each.id == name]
        return found

    async def notices(self) -> list[str]:
        """Those told since this was last asked, oldest first."""
        found = [
            each.title for each in await self.store.items(Wanted(outlet=health.OUTLET), limit=500, oldest_first=True)
        ]
        new, self.known = found[self.known :], len(found)
        return new

    def later(self, **parts: float) -> None:
        self.clock.wall += timedelta(**parts)


def several(*kinds: str, **more: Any) -> Outlet:
    """An outlet with a source of each kind."""
    selectors = {"entry": "article"}
    source = [
        {"id": f"{kind}{place or ''}", "kind": kind, "url": f"https://herald.example/{place}"}
        | ({"selectors": selectors} if kind == "listing" else {})
        for place, kind in enumerate(kinds)
    ]
    return Outlet.model_validate({**outlet("herald", "https://x.example/").model_dump(), "source": source, **more})


async def opened_room(tmp_path: Path, *outlets: Outlet) -> Room:
    store, clock = open_store(f"sqlite:///{tmp_path}/room.db"), SetClock()
    titles = TitleIndex(lambda title: frozenset(title.split()))
    desk = Desk(edition(configured(*outlets)), store, clock, titles=titles, jitter=lambda: 0.5)
    states = [
        replace(state(f"{each.id}/{source.id}"), url=source.url) for each in outlets for source in each.source
    ]  # fmt: skip
    await store.register(states, pages_of={})
    return Room(desk, store, clock)


TITLES = tuple("abcdefgh")


@pytest.mark.anyio
async def test_f058_after_a_gap_the_sitemap_is_asked_at_once_the_source_sooner_and_the_desk_told(
    tmp_path: Path,
) -> None:
    room = await opened_room(tmp_path, several("feed", "sitemap", "sitemap"))
    for name in ("herald/feed", "herald/sitemap1", "herald/sitemap2"):
        await room.answers(name, Outcome.OK, [f"{name[7:]}{title}" for title in TITLES])
    room.later(minutes=15)
    first = await room.answers("herald/feed", Outcome.OK, [f"new {title}" for title in TITLES])
    now = room.clock.now()
    assert first.next_due == now + timedelta(minutes=5)
    assert [(await room.state(f"herald/sitemap{n}")).next_due for n in (1, 2)] == [now, now]
    assert await room.notices() == ["herald/feed may have published more than it lists"]
    (item,) = await room.store.items(Wanted(outlet=health.OUTLET))
    assert "herald/sitemap1, herald/sitemap2, asked now" in item.lead
    room.later(minutes=5)
    await room.answers("herald/feed", Outcome.OK, [f"newer {title}" for title in TITLES])
    assert await room.notices() == [], "once a day"
    await room.store.close()


@pytest.mark.anyio
async def test_f118_a_gap_after_six_hours_asleep_is_no_alarm_of_the_source(tmp_path: Path) -> None:
    room = await opened_room(tmp_path, several("feed", "sitemap"))
    await room.answers("herald/feed", Outcome.OK, TITLES)
    await room.answers("herald/sitemap1", Outcome.OK, [f"s{title}" for title in TITLES])
    room.later(hours=6)
    await room.answers("herald/feed", Outcome.OK, [f"new {title}" for title in TITLES])
    assert await room.notices() == []
    assert (await room.state("herald/sitemap1")).next_due == room.clock.now(), "what is missing is looked for"
    await room.store.close()


@pytest.mark.anyio
async def test_f058_a_gap_leaves_an_open_episode_open(tmp_path: Path) -> None:
    """Both are told after the filing, and each writes the source's state."""
    room = await opened_room(tmp_path, several("feed"))
    await room.answers("herald/feed", Outcome.OK, TITLES)
    learnt = (await room.state("herald/feed")).rhythm
    assert learnt is not None
    room.later(minutes=15)
    due = await room.state("herald/feed")
    unusual = replace(due, rhythm=replace(learnt, watched=500.0, usual=90.0, short_polls=2))
    await room.desk.tell((), after=unusual)
    after = await room.answers("herald/feed", Outcome.OK, [f"new {title}" for title in TITLES])
    assert after.episode("shrunk") is not None
    assert sorted(await room.notices()) == [
        "herald/feed lists far less than usual", "herald/feed may have published more than it lists",
    ]  # fmt: skip
    await room.store.close()


@pytest.mark.anyio
async def test_f002_an_outage_is_one_notice_over_a_restart_in_its_middle_and_each_keeps_its_own_trouble(
    tmp_path: Path,
) -> None:
    outlets = [outlet(f"o{number}", f"https://o{number}.example/feed") for number in range(5)]
    names = [f"{each.id}/feed" for each in outlets]
    room = await opened_room(tmp_path, *outlets)
    for name in names:
        await room.answers(name, Outcome.OK, TITLES)
    await room.answers(names[0], Outcome.BLOCKED, excerpt="Just a moment...")
    assert await room.notices() == ["o0/feed answers with something that is not its news"]
    for _poll in range(3):
        room.later(minutes=20)
        for name in names[:3]:
            await room.answers(name, Outcome.FAILED)
    await room.store.close()
    room = Room((restarted := await opened_room(tmp_path, *outlets)).desk, restarted.store, restarted.clock, 1)
    room.clock.wall = NOW + timedelta(hours=1)
    for _poll in range(4):
        room.later(minutes=20)
        for name in names:
            await room.answers(name, Outcome.FAILED)
    assert await room.notices() == ["No source answers: the network is out, it seems"]
    room.later(minutes=20)
    for name in names[:4]:
        await room.answers(name, Outcome.OK, TITLES)
    assert sorted(await room.notices()) == ["The network is back", "o0/feed is back"]
    for _poll in range(3):
        room.later(minutes=20)
        await room.answers(names[4], Outcome.FAILED)
    assert await room.notices() == ["o4/feed does not answer"], "others answer: it is not the network's any more"
    room.later(minutes=20)
    last = await room.answers(names[4], Outcome.OK, TITLES)
    assert (await room.notices(), last.alarm) == (["o4/feed is back"], None)
    await room.store.close()


@pytest.mark.anyio
async def test_f046_a_news_sitemap_is_emptied_only_when_something_was_to_be_expected_for_two_days(
    tmp_path: Path,
) -> None:
    room = await opened_room(tmp_path, several("sitemap", "feed"))
    names = ("herald/sitemap", "herald/feed1")
    for name in names:
        learnt = (await room.answers(name, Outcome.OK, TITLES)).rhythm
        assert learnt is not None
        weekly = replace(learnt, watched=500.0, longest=timedelta(days=9), slots=_busy_now(learnt.slots))
        await room.desk.tell((), after=replace(await room.state(name), rhythm=weekly))
    room.later(days=3)
    for name in names:
        await room.answers(name, Outcome.OK)
    assert await room.notices() == ["herald/feed1 is damaged"]
    room.later(days=4, hours=2)
    for name in names:
        await room.answers(name, Outcome.OK)
    told = [title for title in await room.notices() if title.endswith("damaged")]
    assert told == ["herald/sitemap is damaged"], "Tuesday's noon is over, and it lists nothing of it"
    await room.store.close()


@pytest.mark.anyio
async def test_f120_a_source_that_is_always_late_is_told_once_a_day(tmp_path: Path) -> None:
    room = await opened_room(tmp_path, several("feed"))
    for _poll in range(4):
        due = await room.state("herald/feed")
        room.clock.wall = max(room.clock.wall, due.next_due) + timedelta(minutes=20)
        after = await room.answers("herald/feed", Outcome.OK, TITLES)
        assert after.late == timedelta(minutes=20)
    assert await room.notices() == ["herald/feed cannot be asked as often as its file says"]
    await room.store.close()


@pytest.mark.anyio
async def test_a_rhythm_survives_the_store_and_ends_with_the_address(tmp_path: Path) -> None:
    room = await opened_room(tmp_path, several("feed"))
    before = (await room.answers("herald/feed", Outcome.OK, TITLES)).rhythm
    room.later(minutes=15)
    after = (await room.answers("herald/feed", Outcome.OK, (*TITLES, "new"))).rhythm
    assert before is not None
    assert after is not None
    assert (after.last_new, after.watched, after.since) == (room.clock.now(), 0.25, before.since)
    moved = replace(await room.state("herald/feed"), url="https://herald.example/other", rhythm=None)
    await room.store.register([moved], pages_of={})
    assert (await room.state("herald/feed")).rhythm is None
    await room.store.close()


@pytest.mark.anyio
async def test_an_aggregator_is_never_asked_sooner_than_its_file_says(tmp_path: Path) -> None:
    room = await opened_room(tmp_path, several("aggregator", "feed"))
    for name in ("herald/aggregator", "herald/feed1"):
        await room.answers(name, Outcome.OK, TITLES)
        learnt = (await room.state(name)).rhythm
        assert learnt is not None
        busy = replace(learnt, watched=500.0, slots=_busy_now(learnt.slots))
        await room.desk.tell((), after=replace(await room.state(name), rhythm=busy))
    room.later(minutes=15)
    waits = [
        (await room.answers(name, Outcome.UNCHANGED)).next_due - room.clock.now()
        for name in ("herald/aggregator", "herald/feed1")
    ]
    assert waits[0] == timedelta(minutes=15)
    assert waits[1] < timedelta(minutes=10)
    await room.store.close()


def _busy_now(slots: bytes) -> bytes:
    """All that ever came, came on Tuesdays at noon."""
    hour = 24 + 12
    values = [0.0] * 336
    values[hour] = 50.0
    values[168:] = [3.0] * 168
    return rhythm._WEEK.pack(*values) + rhythm._SUMS.pack(50.0, 504.0)
