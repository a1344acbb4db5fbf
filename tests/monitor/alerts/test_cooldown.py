"""Cooldown over the real desk, store and dispatcher: nothing is discarded, and a story is not told again too soon."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.model.outlets import Outlet, Source
from config.model.settings import Channel, Settings
from config.model.watches import Watch
from config.model.whole import Config
from monitor.alerts.dispatch import Dispatcher
from monitor.desk import Desk
from monitor.edition import edition
from monitor.model.alerts import Alert
from monitor.model.entries import Answer, Entry
from monitor.model.messages import Delivery, Message
from monitor.model.sources import Outcome, SourceState
from monitor.stories.copies import TitleIndex
from storage.sqlite.store import SqliteStore
from tests.monitor.alerts.conftest import NOW, SetClock
from tests.monitor.alerts.dispatching import SENT, Scripted

COOLDOWN = timedelta(minutes=30)
STEP, LONG_STEP = 300, 1800
"""Seconds between two looks of the dispatcher."""
WORDS = ("tonight", "again", "quietly", "at last", "in private", "as planned", "after all", "behind doors")
SUBJECTS = ("Mediators talk about the hostages", "Envoys talk of aid and of the crossing")


def configured(rules: dict[str, Any], severity: str) -> Config:
    outlets = {
        name: Outlet(
            id=name, name=name, home=f"https://{name}.example/", language="en", time_zone="UTC", access="feed",
            why="A test.", source=(Source(id="feed", kind="feed", url=f"https://{name}.example/feed"),),
        )
        for name in ("herald", "courier")
    }  # fmt: skip
    watch = Watch.model_validate(
        {
            "id": "talks", "title": "Talks", "when": "talk", "severity": severity, "on": ("new", "edited"),
            "edited": ("number", "wording", "typo", "name", "date"), "cooldown": COOLDOWN,
        }
    )  # fmt: skip
    desk = Channel.model_validate({"id": "desk", "url": "page", "min_severity": "low", **rules})
    told = Settings.model_validate({"service": {"time_zone": "UTC"}, "channel": (desk,)})
    return Config(settings=told, outlets=outlets, watches={"talks": watch}, concepts={})


@dataclass
class Newsroom:
    """Two outlets that tell two stories in ever other words; the second repeats what the first says."""

    store: SqliteStore
    config: Config
    clock: SetClock = field(default_factory=SetClock)
    left: list[tuple[datetime, Message]] = field(default_factory=list)
    titles: dict[tuple[str, int], str] = field(default_factory=dict)
    pressing: set[str] = field(default_factory=set)
    """Headlines that bring another number."""

    def __post_init__(self) -> None:
        titles = TitleIndex(lambda title: frozenset(title.lower().split()))
        self.desk = Desk(edition(self.config), self.store, self.clock, titles=titles, jitter=lambda: 0.5)
        channels = {"desk": Scripted("desk", self._take)}
        self.dispatcher = Dispatcher(self.store, self.store, lambda: channels, self.clock, random.Random(1))

    async def _take(self, message: Message) -> Delivery:
        self.left.append((self.clock.now(), message))
        return SENT

    async def publish(self, outlet: str, story: int, title: str) -> None:
        state = SourceState(
            id=f"{outlet}/feed", outlet=outlet, url=f"https://{outlet}.example/feed",
            host=f"https://{outlet}.example:443", next_due=self.clock.now(), baselined=NOW - timedelta(days=9),
        )  # fmt: skip
        entry = Entry(title=title, url=f"https://{outlet}.example/story-{story}", published=self.clock.now())
        answer = Answer(
            source=state.id, outlet=outlet, url=state.url, final_url=state.url, at=self.clock.now(),
            outcome=Outcome.OK, entries=(entry,),
        )  # fmt: skip
        compiled = self.desk.edition
        filing = self.desk.identified(self.desk.normalised(answer, compiled), state, compiled)
        filing = self.desk.matched(filing, await self.desk.unchanged(filing), compiled)
        await self.desk.filed(filing, state, compiled)
        self.titles[outlet, story] = title

    async def play(self, minutes: int, story: int, action: str, word: str) -> None:
        await self.wait(timedelta(minutes=minutes))
        last = self.titles.get(("herald", story))
        if action == "repeated" and last is not None:
            await self.publish("courier", story, last)
        elif action == "number" and last is not None:
            title = f"{SUBJECTS[story]} with {len(self.titles) + self.clock.now().minute} envoys {word}"
            self.pressing.add(title)
            await self.publish("herald", story, title)
        else:
            await self.publish("herald", story, f"{SUBJECTS[story]} {word}")
        await self.dispatcher.drain()

    async def wait(self, length: timedelta, step: float = STEP) -> None:
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.clock.advance(min(step, (end - self.clock.now()).total_seconds()))
            await self.dispatcher.drain()

    async def stories(self) -> dict[str, str]:
        """Item → the first that told its story."""
        return {item.id: item.copy_of or item.id for item in await self.store.items()}

    async def holds(self) -> None:
        """What waits of a story waits for one moment."""
        stories, waiting = await self.stories(), defaultdict(set)
        for alert in await self.store.alerts(condition="pending", limit=999):
            if not await self._presses(alert):
                waiting[stories[alert.item]].add((alert.due, alert.gather))
        assert all(len(moments) == 1 for moments in waiting.values())

    async def ends(self) -> None:
        await self.wait(timedelta(days=2), LONG_STEP)
        alerts = await self.store.alerts(limit=999)
        assert {alert.condition for alert in alerts} <= {"delivered", "suppressed"}
        sent = [alert.key for _, message in self.left for alert in message.alerts]
        assert sorted(sent) == sorted(alert.key for alert in alerts if alert.condition == "delivered")
        for alert in alerts:
            assert alert.condition == "delivered" or alert.reason.startswith(("told with ", "not in edited"))
        stories = await self.stories()
        for story in set(stories.values()):
            await self._apart([at for at in self.left if any(stories[each.item] == story for each in at[1].alerts)])

    async def _apart(self, told: list[tuple[datetime, Message]]) -> None:
        for (at, message), (then, following) in pairwise(told):
            pressing = [await self._presses(alert) for alert in (*message.alerts, *following.alerts)]
            assert then - at >= COOLDOWN or any(pressing)

    async def _presses(self, alert: Alert) -> bool:
        """It brings another number, or takes one away."""
        texts = {text.id: text for text in await self.store.revisions(alert.item)}
        text = texts[alert.revision]
        return text.title in self.pressing or "number" in text.classes


@asynccontextmanager
async def newsroom(folder: str | Path, rules: dict[str, Any], severity: str) -> AsyncIterator[Newsroom]:
    store = SqliteStore(Path(folder) / "store.db", exclusive=True)
    await store._writer.alone(lambda db: db.execute("PRAGMA synchronous = OFF"))  # no power is cut here
    try:
        yield Newsroom(store, configured(rules, severity))
    finally:
        await store.close()


@pytest.mark.anyio
async def test_what_is_told_of_a_story_waits_together_whoever_tells_it_but_for_a_changed_number(tmp_path: Path) -> None:
    async with newsroom(tmp_path, {}, "normal") as room:
        await room.play(0, 0, "wording", "tonight")
        await room.play(1, 0, "repeated", "")
        (told,) = [alert for alert in await room.store.alerts() if alert.condition == "delivered"]
        await room.publish("courier", 0, f"{SUBJECTS[0]} behind closed doors")
        await room.publish("herald", 0, f"{SUBJECTS[0]} in private")
        await room.play(0, 0, "number", "again")
        waiting = await room.store.alerts(condition="pending")
        item = await room.store.item(told.item)
        assert item is not None
        assert {(each.gather, each.due) for each in waiting} == {(f"cooldown:talks:{item.story}", NOW + COOLDOWN)}
        assert len(waiting) == 2
        assert [len(message.alerts) for _, message in room.left] == [1, 1], "the first, and the number"
        await room.wait(NOW + COOLDOWN - room.clock.now())
        at, message = room.left[-1]
        assert (at, message.kind, len(message.alerts)) == (NOW + COOLDOWN, "cooldown", 2)


@pytest.mark.anyio
async def test_f137_what_a_muted_watch_finds_is_filed_as_muted_and_told_again_when_the_mute_is_over(
    tmp_path: Path,
) -> None:
    async with newsroom(tmp_path, {}, "critical") as room:
        await room.store.mute("talks", NOW + timedelta(hours=1), NOW)
        await room.play(1, 0, "wording", "tonight")
        await room.play(60, 1, "wording", "tonight")
        found = {alert.item: (alert.condition, alert.reason) for alert in await room.store.alerts()}
        assert sorted(found.values()) == [("delivered", ""), ("suppressed", "muted")]


steps = st.lists(
    st.tuples(
        st.integers(0, 25), st.sampled_from([0, 0, 0, 1]),
        st.sampled_from(["wording", "wording", "number", "repeated"]), st.sampled_from(WORDS),
    ),
    min_size=3, max_size=10,
)  # fmt: skip
rules = st.sampled_from(
    [{}, {"digest": "15m"}, {"digest": "1h"}, {"digest_at": "13:10"}, {"quiet": {"from": "13:00", "to": "15:00"}}]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(played=steps, rule=rules, severity=st.sampled_from(["low", "high", "critical"]))
def test_p1_a_cooldown_discards_nothing_and_tells_a_story_once_in_its_time(
    played: list[tuple[int, int, str, str]], rule: dict[str, Any], severity: str
) -> None:
    async def body(folder: str) -> None:
        async with newsroom(folder, rule, severity) as room:
            for step in played:
                await room.play(*step)
                await room.holds()
            if severity == "critical":
                assert all(message.kind == "alert" for _, message in room.left), "critical waits for nothing"
            else:
                await room.ends()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(body(folder))
