"""The whole service over a store that fails: full for a while (F108), locked for a while (F109).

Time runs twenty times faster here: what the service does each minute it does every three seconds.
"""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from monitor.stories.identity import item_id
from tests.newsserver import NewsServer, Site
from tests.rig.running import Receiver, Room, until

FACTOR = 20


@dataclass(slots=True)
class Watched:
    """The service, a channel (``desk``), and a site to publish on."""

    room: Room
    process: subprocess.Popen[bytes]
    desk: Receiver
    site: Site

    def publish(self, count: int, *, lead: str = "") -> list[str]:
        """So many headlines that are watched; the keys of their alerts."""
        dated = format_datetime(datetime.now(UTC))
        urls = [self.site.url(f"/{number}") for number in range(count)]
        self.site.feed(
            "/feed",
            [
                {"title": f"Talks in Doha, part {n} of the story", "link": url, "guid": url, "pubDate": dated,
                 "description": f"{n} {lead}"}
                for n, url in enumerate(urls)
            ],
            etag=f'"{count}"',
        )  # fmt: skip
        return [f"talks|desk|{item_id('herald', f'url:{self.site.address}/{number}')}|new" for number in range(count)]

    def told(self) -> Counter[str]:
        """How often each alert of news was told, gathered ones included."""
        payloads = [each.json for each in self.desk.received]
        alerts = [alert for payload in payloads for alert in payload.get("alerts", (payload,))]
        return Counter(alert["key"] for alert in alerts if alert["watch"] == "talks")

    def notices(self) -> list[str]:
        return [each.json["headline"] for each in self.desk.received if each.key.startswith("wirewatch-notices|")]

    def etag(self) -> str | None:
        (row,) = self.room.rows("SELECT etag FROM sources")
        return None if row["etag"] is None else str(row["etag"])

    def said(self) -> str:
        return self.room.output.read_text()[-4000:]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with contextlib.ExitStack() as stack:
        server, desk = stack.enter_context(NewsServer()), stack.enter_context(Receiver())
        room = Room(tmp_path / "desk", server, channels={"desk": desk.channel}, baseline="100d")
        site = server.site("127.0.0.2")
        room.outlet("herald", site.url("/feed"), every="1m")
        room.write()
        process = room.start("-m", "tests.rig.hurried", str(room.path), str(FACTOR))
        found = Watched(room, process, desk, site)
        try:
            keys = found.publish(1)
            until(lambda: found.told() == Counter(keys), "the first is told", seconds=90)
            until(lambda: found.etag() == '"1"', "and its source known", seconds=90)
            yield found
        finally:
            process.terminate()
            assert process.wait(20) == 0, found.said()


def test_f108_a_full_disk_moves_no_validator_is_told_past_the_store_and_mends_itself(watched: Watched) -> None:
    log = watched.room.path / "wirewatch.db-wal"
    _soft, hard = resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    keys = watched.publish(60, lead="word " * 4000)
    until(lambda: any("The store fails" in title for title in watched.notices()), "the alarm", seconds=90)
    assert watched.etag() == '"1"'
    assert sum(watched.told().values()) == 1
    resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    until(lambda: watched.told() == Counter(keys), "everything is told, and once", seconds=90)
    until(lambda: any("works again" in title for title in watched.notices()), "and the end of it", seconds=90)
    assert watched.etag() == '"60"'
    assert [title.partition(":")[0] for title in watched.notices()] == ["The store fails", "The store works again"]


def test_f109_a_store_that_is_locked_for_minutes_loses_no_entry_and_tells_none_twice(watched: Watched) -> None:
    with contextlib.closing(sqlite3.connect(watched.room.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # another program writes, longer than any writer waits
        keys = watched.publish(5)
        until(lambda: any("The store fails" in title for title in watched.notices()), "the alarm", seconds=90)
        assert sum(watched.told().values()) == 1
        assert watched.process.poll() is None
        other.execute("ROLLBACK")
    until(lambda: watched.told() == Counter(keys), "everything is told, and once", seconds=90)
    until(lambda: any("works again" in title for title in watched.notices()), "and the end of it", seconds=90)
