"""SIGKILL at every named point: nothing is lost, and what repeats carries the same key (F106, P1-P3)."""

from __future__ import annotations

import asyncio
import signal

from monitor.stories.identity import item_id
from tests.hook import Hook
from tests.monitor.conftest import Folder, entry, judged, until_async
from tests.newsserver import NewsServer
from tests.rig.killable import POINTS

ENTRIES = 12
MOST_AT_ONCE = 8
"""Messages one channel has under way at once."""


def test_the_points_are_those_of_the_fault_list() -> None:
    assert POINTS == ("after_fetch", "mid_file", "after_file", "after_claim", "after_send", "after_mark")


def test_f106_a_kill_at_every_point_in_turn_loses_nothing_and_repeats_only_with_the_same_key(
    folder: Folder, server: NewsServer
) -> None:
    asyncio.run(_killed_at_every_point(folder, server))


async def _killed_at_every_point(folder: Folder, server: NewsServer) -> None:
    """One store, killed and started again six times, each time at the next point; then left in peace."""
    for number, name in enumerate(HEADLINES):
        site = folder.outlets[name] = server.site(f"127.0.0.{number + 2}")
        site.feed("/feed", [entry(site, headline(name, n), f"/{name}/{n}") for n in range(ENTRIES)])
    async with Hook() as hook:
        folder.hooks = {"desk": hook.url}
        folder.write()
        expected = expected_keys(folder)
        for point in POINTS:
            killed = folder.start("-m", "tests.rig.killable", str(folder.path), point, "1")
            assert await asyncio.to_thread(killed.wait, 60) == -signal.SIGKILL, f"{point}: {folder.output.read_text()}"
            assert [row[0] for row in folder.rows("PRAGMA integrity_check")] == ["ok"], point

        last = folder.start("-m", "tests.rig.killable", str(folder.path), "none", "1")
        try:
            await until_async(
                lambda: (
                    set(expected) <= {each.key for each in hook.received}
                    and not folder.rows("SELECT 1 FROM alerts WHERE condition = 'pending'")
                ),
                "every alert arrived and is recorded",
                60,
            )
        finally:
            last.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(last.wait, 15) == 0, folder.output.read_text()

        verdict = judged(folder, expected, [each.key for each in hook.received])
        assert (verdict.lost, verdict.unexpected, verdict.pending) == ([], [], 0)
        # Only sends that were under way when a kill came after `claim` may repeat.
        assert sum(count - 1 for count in verdict.repeated.values()) <= 3 * MOST_AT_ONCE


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
