"""The inbox takes alerts, knows a repeat by its key, and refuses what is no alert."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from monitor.demo.inbox import Inbox, Payload
from tests.monitor.demo.conftest import SetClock


def deliver(clock: SetClock, *bodies: Any) -> tuple[Inbox, list[int], list[Payload]]:
    shown: list[Payload] = []

    async def run() -> tuple[Inbox, list[int]]:
        async with Inbox(clock, on_alert=shown.append) as inbox, aiohttp.ClientSession() as session:
            statuses = []
            for body in bodies:
                sent = {"data": body} if isinstance(body, bytes) else {"json": body}
                async with session.post(inbox.url, **sent) as answer:
                    statuses.append(answer.status)
            return inbox, statuses

    inbox, statuses = asyncio.run(run())
    return inbox, statuses, shown


def test_each_alert_is_kept_and_shown_once_and_repeats_are_counted(clock: SetClock) -> None:
    one, two = {"key": "a|inbox|1|new", "headline": "דוחא"}, {"key": "b|inbox|1|new"}
    inbox, statuses, shown = deliver(clock, one, two, one)
    assert statuses == [204, 204, 204]
    assert [each.key for each in inbox.received] == ["a|inbox|1|new", "b|inbox|1|new"]
    assert [each.at for each in inbox.received] == [clock.now()] * 2
    assert shown == [one, two]
    assert inbox.arrivals == {"a|inbox|1|new": 2, "b|inbox|1|new": 1}
    assert inbox.repeats == 1


def test_what_is_no_alert_is_refused(clock: SetClock) -> None:
    inbox, statuses, shown = deliver(clock, b"{", b"\xff", {"headline": "no key"}, ["key"], b"null", {"key": ["a"]})
    assert statuses == [400] * 6
    assert not inbox.received
    assert not shown


def test_only_posts_are_taken(clock: SetClock) -> None:
    async def get() -> int:
        async with Inbox(clock) as inbox, aiohttp.ClientSession() as session, session.get(inbox.url) as answer:
            return answer.status

    assert asyncio.run(get()) == 405
