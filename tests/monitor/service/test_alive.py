"""The whole service and a dead-man switch outside: signs of life come while it is well, and stay out when it is not.

Time runs sixty times faster here: what the service does each minute it does each second.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.newsserver import NewsServer, Site
from tests.rig.running import TALKS, Receiver, Room, until

FACTOR = 60
MINUTE = 60 / FACTOR
SECRET = "canary-in-the-address"


@dataclass(slots=True)
class Alive:
    """The service, its switch outside (``signs``), a channel (``desk``), and a site to publish on."""

    room: Room
    process: subprocess.Popen[bytes]
    signs: Receiver
    desk: Receiver
    site: Site
    port: int

    def signs_come(self) -> None:
        before = len(self.signs.received)
        until(lambda: len(self.signs.received) > before, f"a sign of life; {self.said()[-2000:]}", seconds=60)

    def no_sign_comes(self) -> None:
        """Once this one minute is over: one may be on its way."""
        time.sleep(MINUTE)
        before = len(self.signs.received)
        time.sleep(2 * MINUTE)
        assert len(self.signs.received) == before

    def withheld(self, why: str) -> None:
        until(lambda: self._reasons()[-1:] and why in self._reasons()[-1], f"withheld: {why}", seconds=60)

    def _reasons(self) -> list[str]:
        """What was said of the signs of life, in order."""
        return [line for line in self.said().splitlines() if "sign of life" in line]

    def said(self) -> str:
        return self.room.output.read_text()

    def health(self) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def publish(self, *titles: str) -> None:
        dated = format_datetime(datetime.now(UTC))
        addresses = [self.site.url(f"/{place}") for place in range(len(titles))]
        self.site.feed(
            "/feed",
            [
                {"title": title, "link": url, "guid": url, "pubDate": dated}
                for title, url in zip(titles, addresses, strict=True)
            ],
        )


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[Alive]:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(NewsServer())
        signs, desk = stack.enter_context(Receiver()), stack.enter_context(Receiver())
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        room = Room(
            tmp_path / "desk", server, channels={"desk": desk.channel}, web=f"127.0.0.1:{port}", baseline="100d",
            service='heartbeat_url = "env:DEADMAN"\n',
        )  # fmt: skip
        site = server.site("127.0.0.2")
        site.feed("/feed", [])
        room.outlet("herald", site.url("/feed"))
        room.write()
        process = room.start(
            "-m", "tests.rig.hurried", str(room.path), str(FACTOR), DEADMAN=f"{signs.hook.url}?{SECRET}"
        )  # fmt: skip
        made = Alive(room, process, signs, desk, site, port)
        try:
            yield made
        finally:
            made.process.send_signal(signal.SIGCONT)
            made.process.terminate()
            made.process.wait(20)
        assert SECRET not in made.said()


def test_f134_signs_of_life_come_while_all_is_well(alive: Alive) -> None:
    until(lambda: len(alive.signs.received) >= 3, "one each minute", seconds=60)
    assert {(each.method, each.path) for each in alive.signs.received} == {("GET", f"/hook?{SECRET}")}
    until(lambda: alive.health()[0] == 200, "it is well")
    until(lambda: alive.health()[1]["problems"] == [], "and nothing is in trouble")


def test_f134_none_comes_while_the_store_cannot_be_written(alive: Alive) -> None:
    alive.signs_come()
    with contextlib.closing(sqlite3.connect(alive.room.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # another program holds the store
        alive.no_sign_comes()
        other.execute("ROLLBACK")
    alive.signs_come()


def test_f132_f134_none_comes_while_all_channels_are_down_and_health_is_failing(alive: Alive) -> None:
    alive.signs_come()
    alive.desk.hook.then = 500
    alive.publish("Talks in Doha resume today", "Talks in Doha: what is known so far")
    alive.withheld("No channel answers")
    alive.no_sign_comes()
    status, said = alive.health()
    assert (status, said["state"]) == (503, "failing")
    assert said["problems"][0].startswith("No channel answers, so nobody is told.")
    assert "Channel desk does not answer: its alerts wait and are tried again." in said["problems"]
    asked = alive.room.run("health")
    assert (asked.returncode, "No channel answers" in asked.stdout) == (1, True)
    alive.desk.hook.then = 200
    alive.signs_come()
    until(lambda: len(set(alive.desk.news())) == 2, "what waited is told")
    assert alive.health()[0] == 200


def test_f134_none_comes_while_the_dispatcher_is_stuck(alive: Alive) -> None:
    alive.signs_come()
    alive.process.send_signal(signal.SIGUSR1)
    alive.withheld("The outbox was last looked at")
    alive.no_sign_comes()
    until(lambda: alive.health()[1]["problems"][0].startswith("The outbox was last looked at"), "/health says so")
    assert alive.health()[0] == 503
    alive.process.send_signal(signal.SIGUSR2)
    alive.signs_come()


def test_f134_none_comes_while_the_process_stands_still_and_none_when_it_is_gone(alive: Alive) -> None:
    alive.signs_come()
    os.kill(alive.process.pid, signal.SIGSTOP)
    alive.no_sign_comes()
    os.kill(alive.process.pid, signal.SIGCONT)
    alive.signs_come()
    alive.process.kill()
    alive.process.wait(10)
    alive.no_sign_comes()


def test_f134_none_comes_while_a_canary_stays_out_and_the_desk_is_told_once_with_its_end(alive: Alive) -> None:
    with Receiver() as test:
        test.hook.then = 500
        alive.room.channels["test"] = test.channel
        alive.room.service += 'canary = "test"\nnotify = ["desk"]\n'
        alive.room.write()
        until(lambda: "event=watching" in alive.said(), "it watches")
        alive.process.send_signal(signal.SIGTERM)
        assert alive.process.wait(20) == 0
        alive.process = alive.room.start(
            "-m", "tests.rig.hurried", str(alive.room.path), str(FACTOR), DEADMAN=f"{alive.signs.hook.url}?{SECRET}"
        )  # fmt: skip
        alive.signs_come()
        alive.withheld("The hourly canary did not arrive")
        alive.no_sign_comes()
        status, said = alive.health()
        assert (status, said["state"]) == (200, "degraded")
        assert said["problems"][0].startswith("The hourly canary did not arrive")
        until(lambda: alive.desk.received, "the desk is told")
        test.hook.then = 200
        alive.signs_come()
        until(lambda: len(alive.desk.received) == 2, "and of the end")
        assert alive.room.notices() == [
            "The hourly canary did not arrive at test", "The hourly canary arrives again",
        ]  # fmt: skip
        assert all(each.key.startswith("wirewatch-notices|desk|") for each in alive.desk.received)
        assert {each.key.partition("|")[0] for each in test.received} == {"wirewatch-canary"}


def test_f144_out_of_descriptors_it_goes_on_says_so_and_mends_itself(alive: Alive) -> None:
    alive.signs_come()
    _soft, hard = resource.prlimit(alive.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(alive.process.pid, resource.RLIMIT_NOFILE, (3, hard))  # nothing more can be opened
    alive.publish("Talks in Doha resume today")
    until(lambda: "Too many open files" in alive.said() or "the store fails" in alive.said(), "it says so", seconds=60)
    alive.room.save("watches/test.toml", TALKS.replace("Talks in Doha", "Talks"))
    alive.no_sign_comes()
    assert alive.process.poll() is None, "nobody has to restart it"
    resource.prlimit(alive.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
    alive.signs_come()
    until(alive.desk.news, "what was published meanwhile is told", seconds=90)
    until(lambda: alive.health()[1]["state"] == "ok", "all is well", seconds=90)
    until(lambda: "configuration in force" in alive.said(), "and what was saved meanwhile is taken")


def test_f141_a_stop_while_another_program_holds_the_store_ends_in_order(alive: Alive) -> None:
    """Not within ten seconds: a write that waits for another program is not broken off."""
    alive.signs_come()
    with contextlib.closing(sqlite3.connect(alive.room.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        alive.process.terminate()
        assert alive.process.wait(60) == 0
        other.execute("ROLLBACK")
    assert "leases are not given back; the next start does it" in alive.said()
    assert "ended badly" not in alive.said()
