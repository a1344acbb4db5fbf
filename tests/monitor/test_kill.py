"""SIGKILL at every named point: nothing is lost, and what repeats carries the same key (F106, P1-P3)."""

from __future__ import annotations

import asyncio
import signal

import pytest

from monitor.stories.identity import item_id
from tests.hook import Hook
from tests.monitor.conftest import Folder, entry, judged, until_async
from tests.newsserver import NewsServer
from tests.rig.killable import POINTS

ENTRIES = 12


def test_the_points_are_those_of_the_fault_list() -> None:
    assert POINTS == ("after_fetch", "mid_file", "after_file", "after_claim", "after_send", "after_mark")


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_f106_a_kill_at_any_point_loses_nothing_and_repeats_only_with_the_same_key(
    point: str, nth: int, folder: Folder, server: NewsServer
) -> None:
    asyncio.run(_killed_and_started_again(point, nth, folder, server))


async def _killed_and_started_again(point: str, nth: int, folder: Folder, server: NewsServer) -> None:
    for number, name in enumerate(("herald", "courier", "gazette")):
        folder.outlets[name] = server.site(f"127.0.0.{number + 2}")
        site = folder.outlets[name]
        site.feed("/feed", [entry(site, headline(name, n), f"/{name}/{n}") for n in range(ENTRIES)])
    async with Hook() as hook:
        folder.hooks = {"desk": hook.url}
        folder.write()
        expected = expected_keys(folder)

        first = folder.start("-m", "tests.rig.killable", str(folder.path), point, str(nth))
        assert await asyncio.to_thread(first.wait, 60) == -signal.SIGKILL, folder.output.read_text()
        in_flight = 8  # the most that one channel sends at once

        second = folder.start("-m", "tests.rig.killable", str(folder.path), "none", "1")
        try:
            await until_async(
                lambda: (
                    set(expected) <= {each.key for each in hook.received}
                    and not folder.rows("SELECT 1 FROM alerts WHERE condition = 'pending'")
                ),
                "every alert arrived and is recorded",
                90,
            )
        finally:
            second.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(second.wait, 15) == 0, folder.output.read_text()

        verdict = judged(folder, expected, [each.key for each in hook.received])
        assert verdict.lost == []
        assert verdict.unexpected == []
        assert verdict.pending == 0
        assert sum(count - 1 for count in verdict.repeated.values()) <= in_flight
        assert [row[0] for row in folder.rows("PRAGMA integrity_check")] == ["ok"]


HEADLINES = {
    "herald": "Mediators in Doha extend talks by {} hours, officials say",
    "courier": "Delegation number {} lands in Doha for a round of talks",
    "gazette": "Why day {} of the talks matters to traders in Doha's old market",
}


def headline(outlet: str, number: int) -> str:
    """Different at each outlet, so that none is another's copy."""
    return HEADLINES[outlet].format(number)


def expected_keys(folder: Folder) -> list[str]:
    """The keys by their definition, counted apart from the service."""
    return [
        f"talks|desk|{item_id(name, f'url:{site.address}/{name}/{n}')}|new"
        for name, site in folder.outlets.items()
        for n in range(ENTRIES)
    ]
