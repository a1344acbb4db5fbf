"""Start and stop: in order within ten seconds; one service a store; the command line beside it and alone."""

from __future__ import annotations

import csv
import ctypes
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.hook import NEVER
from tests.newsserver import Answer, NewsServer, Site, faults, rss
from tests.rig.running import CLI, ROOT, TALKS, Receiver, Room, running, until

PROMISED = 10.0
"""Seconds after SIGTERM within which the service has ended (F141)."""
FEED = {"Content-Type": "application/rss+xml"}


@pytest.fixture
def server() -> Iterator[NewsServer]:
    with NewsServer() as running:
        yield running


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as hook:
        yield hook


@pytest.fixture
def room(server: NewsServer, hook: Receiver, tmp_path: Path) -> Room:
    return Room(tmp_path / "desk", server, channels={"desk": hook.channel})


def entry(site: Site, title: str, path: str, **age: float) -> dict[str, str]:
    url = site.url(path)
    return {"title": title, "link": url, "guid": url, "pubDate": format_datetime(datetime.now(UTC) - timedelta(**age))}


def stopped(process: subprocess.Popen[bytes], *, signals: int = 1) -> float:
    """Seconds from the first signal to the end; the end must be in order."""
    began = time.monotonic()
    for _ in range(signals):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert process.wait(30) == 0
    return time.monotonic() - began


def leases(room: Room) -> list[sqlite3.Row]:
    return room.rows("SELECT host FROM hosts WHERE leased_until IS NOT NULL") + room.rows(
        "SELECT id FROM messages WHERE condition = 'pending' AND leased_until IS NOT NULL"
    )


@pytest.mark.parametrize("signals", [1, 2])
def test_f141_stopped_in_a_poll_and_in_a_send_it_ends_in_time_with_everything_whole(
    room: Room, hook: Receiver, server: NewsServer, signals: int
) -> None:
    stalled, quick = server.site("127.0.0.2"), server.site("127.0.0.3")
    stalled.on("/feed", faults.stall)
    quick.feed("/feed", [entry(quick, f"Talks in Doha, {n} of 9 {'or ' * n}", f"/{n}") for n in range(9)])
    hook.hook.then = NEVER
    room.outlet("stalled", stalled.url("/feed"))
    room.outlet("quick", quick.url("/feed"))
    room.write()
    process = room.start(*CLI, "run")
    try:
        until(lambda: "/feed" in stalled.paths(), "a poll is under way")
        until(lambda: hook.received, "a send is under way")
        assert stopped(process, signals=signals) < PROMISED
    finally:
        process.kill()
    assert leases(room) == []
    assert len(room.rows("SELECT 1 FROM items WHERE outlet = 'quick'")) == 9
    assert {condition for _title, _state, condition, _reason in room.alerts()} == {"pending"}
    assert [row[0] for row in room.rows("PRAGMA integrity_check")] == ["ok"]
    assert "Traceback" not in room.output.read_text()

    hook.clear()
    with running(room):
        until(lambda: len(set(hook.keys)) == 9, "what was not sent is sent by the next service")
        until(lambda: {condition for _t, _s, condition, _r in room.alerts()} == {"delivered"}, "told")


def test_f109_f141_stopped_while_another_program_holds_the_store_it_ends_in_time_and_loses_nothing(
    room: Room, hook: Receiver, server: NewsServer
) -> None:
    sites = [server.site(f"127.0.0.{number}") for number in (2, 3, 4)]
    for number, site in enumerate(sites):
        site.on("/feed", faults.stall)
        room.outlet(f"site{number}", site.url("/feed"))
    room.write()
    process = room.start(*CLI, "run")
    try:
        until(lambda: all("/feed" in site.paths() for site in sites), "polls are under way")
        with closing(sqlite3.connect(room.store, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number, site in enumerate(sites):
                site.feed("/feed", [entry(site, f"Talks in Doha, site {number}", "/a")])
            room.run("fetch", "site0")  # refused or not: somebody else wants to write, too
            assert stopped(process) < PROMISED
    finally:
        process.kill()
    assert "Traceback" not in room.output.read_text()
    with running(room):
        until(lambda: len(set(hook.keys)) == 3, "the next service finds and tells everything")
    assert sorted(condition for _t, _s, condition, _r in room.alerts()) == ["delivered"] * 3


def test_f142_a_second_service_is_refused_by_the_firsts_name_and_commands_work_beside_it(
    room: Room, server: NewsServer, tmp_path: Path
) -> None:
    site = server.site("127.0.0.2")
    site.feed("/feed", [entry(site, "Talks in Doha begin", "/a")])
    room.outlet("one", site.url("/feed"))
    with running(room) as process:
        until(lambda: room.store.exists() and room.alerts(), "the first poll is filed")
        second = room.run("run")
        assert (second.returncode, str(process.pid) in second.stderr) == (4, True)
        assert "Traceback" not in second.stderr
        listed = room.run("items", "list", "--json")
        assert [json.loads(line)["title"] for line in listed.stdout.splitlines()] == ["Talks in Doha begin"]
        asked = site.paths().count("/feed")
        fetched = room.run("fetch", "one")
        assert (fetched.returncode, fetched.stdout) == (0, "1 source due now: the running service asks them.\n")
        until(lambda: site.paths().count("/feed") > asked, "the running service asks")
        copy = tmp_path / "copy.db"
        assert room.run("backup", str(copy)).returncode == 0
        with closing(sqlite3.connect(copy)) as kept:
            assert kept.execute("SELECT count(*) FROM items WHERE outlet = 'one'").fetchone() == (1,)
        assert room.run("outlets", "status", "--json").returncode == 0


def test_f144_a_page_address_that_is_taken_ends_the_start_with_a_clear_word(room: Room, server: NewsServer) -> None:
    site = server.site("127.0.0.2")
    site.feed("/feed", [])
    room.outlet("one", site.url("/feed"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        room.web = f"127.0.0.1:{taken.getsockname()[1]}"
        room.write()
        refused = room.run("run")
    assert refused.returncode == 1
    assert room.web in refused.stderr
    assert "[web] address" in refused.stderr
    assert "Traceback" not in refused.stderr
    room.web = "127.0.0.1:0"
    with running(room):
        until(lambda: "/feed" in site.paths(), "the store was let go of, so the next start works")


def test_f144_a_port_that_may_not_be_used_ends_the_start_with_a_clear_word(room: Room, server: NewsServer) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) > 80 and os.geteuid() == 0:
        without = _without_binding
    elif os.geteuid() == 0:
        pytest.skip("here everybody may use every port")
    else:
        without = None
    room.outlet("one", server.site("127.0.0.2").url("/feed"))
    room.web = "127.0.0.1:80"
    room.write()
    refused = subprocess.run(
        [sys.executable, *CLI, "run"], cwd=ROOT, text=True, timeout=60, env=room.environment({}), capture_output=True,
        check=False, preexec_fn=without,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "127.0.0.1:80: Permission denied" in refused.stderr
    assert "[web] address" in refused.stderr
    assert "Traceback" not in refused.stderr


def _without_binding() -> None:
    """Take from root the right to ports below 1024 (CAP_NET_BIND_SERVICE), by prctl(PR_CAPBSET_DROP)."""
    ctypes.CDLL(None).prctl(24, 10, 0, 0, 0)


def test_f144_with_a_full_process_table_a_source_fails_by_its_reason_and_comes_back_by_itself(
    room: Room, hook: Receiver, server: NewsServer
) -> None:
    site = server.site("127.0.0.2")
    site.feed("/feed", [])
    room.outlet("one", site.url("/feed"))
    room.write()
    process = room.start("-m", "tests.rig.forkless")
    try:
        until(lambda: room.store.exists() and room.rows("SELECT 1 FROM sources WHERE last_polled <> ''"), "it polls")
        process.send_signal(signal.SIGUSR1)
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        site.feed("/feed", [entry(site, "Talks in Doha begin", "/a")])
        assert room.run("fetch", "one").returncode == 0
        until(lambda: room.rows("SELECT 1 FROM sources WHERE reason LIKE '%worker%'"), "the reason is kept", seconds=60)
        assert process.poll() is None
        assert hook.news() == []
        process.send_signal(signal.SIGUSR2)
        assert room.run("fetch", "one").returncode == 0
        until(hook.news, "what was published meanwhile is told", seconds=60)
        assert stopped(process) < PROMISED
    finally:
        process.kill()
        process.wait(10)


def test_f014_a_blocked_source_is_told_once_over_a_restart_and_told_back_once(
    room: Room, hook: Receiver, server: NewsServer
) -> None:
    site = server.site("127.0.0.2")
    site.answer("/feed", headers={"Content-Type": "text/html"}, body="<html><body>Please wait</body></html>")
    room.outlet("one", site.url("/feed"))

    def once() -> None:
        assert room.run("fetch", "one").returncode == 0

    room.write()
    once()
    once()
    assert room.notices() == ["one/feed answers with something that is not its news"]
    site.feed("/feed", [])
    once()
    assert room.notices()[1:] == ["one/feed is back"]
    assert [each.partition("|")[0] for each in hook.keys.elements()] == ["wirewatch-notices"] * 2


CANARIES = {
    "WIREWATCH_HOOK": "canary-in-the-address",
    "WIREWATCH_SIGN": "whsec_Y2FuYXJ5LWluLXRoZS1zZWNyZXQtb2YtYS1ob29r",
}


def test_f135_no_secret_is_in_the_log_the_page_the_listings_or_the_store(
    room: Room, hook: Receiver, server: NewsServer, tmp_path: Path
) -> None:
    site = server.site("127.0.0.2")
    site.feed("/feed", [entry(site, "Talks in Doha begin", "/a")])
    room.outlet("one", site.url("/feed"))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    room.web = f"127.0.0.1:{port}"
    file = tmp_path / "address"
    file.write_text("json://user:canary-in-a-file@127.0.0.1:9/never\n")
    file.chmod(0o600)
    room.channels = {
        "desk": '"env:WIREWATCH_HOOK"\nsecret = "env:WIREWATCH_SIGN"',
        "down": f'{{ file = "{file}" }}',
    }
    secrets = {
        "WIREWATCH_HOOK": f"webhook:{hook.hook.url}?token={CANARIES['WIREWATCH_HOOK']}",
        "WIREWATCH_SIGN": CANARIES["WIREWATCH_SIGN"],
    }
    said = []
    with running(room, "--log-level", "DEBUG", **secrets):
        until(lambda: hook.received, "an alert is delivered with its signature")
        until(lambda: room.rows("SELECT 1 FROM messages WHERE channel = 'down' AND last_error <> ''"), "one fails")
        said += [room.run(*command, **secrets).stdout for command in (
            ("health", "--json"), ("channels", "list", "--json"), ("alerts", "list", "--json"), ("check",),
            ("channels", "test", "down"),
        )]  # fmt: skip
        said += [fetched(port, path) for path in ("/", "/health", "/metrics")]
        room.save("watches/test.toml", TALKS + "nonsense")
        until(lambda: "is refused" in fetched(port, "/health"), "a broken save is told")
        said.append(fetched(port, "/health"))
    assert hook.received[0].path.endswith(CANARIES["WIREWATCH_HOOK"])
    assert "webhook-signature" in hook.received[0].headers
    said += [room.output.read_text(), room.run("run", "--once").stderr]
    with closing(sqlite3.connect(room.store)) as kept:
        said.append("\n".join(kept.iterdump()))
    for canary in (*CANARIES.values(), "canary-in-a-file"):
        assert not [text[max(0, text.find(canary) - 200) :][:400] for text in said if canary in text]


def fetched(port: int, path: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: sock.recv(65536), b"")).decode("utf-8", "replace")


# ------------------------------------------------------------------ the command line alone


def test_run_once_polls_files_delivers_and_the_listings_have_stable_names(
    room: Room, hook: Receiver, server: NewsServer
) -> None:
    site, other = server.site("127.0.0.2"), server.site("127.0.0.3")
    site.feed("/feed", [entry(site, "Talks in Doha begin at noon today", "/a"), entry(site, "=SUM(1)", "/b", hours=9)])
    other.on("/feed", Answer(headers=FEED, body=rss([entry(other, "שיחות בדוחה על עסקת החטופים", "/h")])))
    room.outlet("one", site.url("/feed"))
    room.outlet("two", other.url("/feed"), language='"he"')
    room.write()
    assert room.run("health").returncode == 1, "no service answers"
    ran = room.run("run", "--once")
    assert ran.returncode == 0
    assert "2 sources asked; 3 items held; alerts: 1 sent, 0 to be tried again, 0 undeliverable" in ran.stderr
    assert len(hook.received) == 1

    listed = [json.loads(line) for line in room.run("items", "list", "--json").stdout.splitlines()]
    assert len(listed) == 3
    assert {
        "id", "outlet", "url", "title", "summary", "language", "published", "first_seen", "copy_of",
    } <= listed[0].keys()  # fmt: skip
    by_title = {each["title"]: each for each in listed}
    first = by_title["Talks in Doha begin at noon today"]
    assert (first["outlet"], first["url"], first["language"], first["copy_of"]) == ("one", site.url("/a"), "en", None)
    assert datetime.fromisoformat(first["published"]).tzinfo is not None

    (shown,) = [json.loads(line) for line in room.run("items", "show", first["id"], "--json").stdout.splitlines()]
    (alert,) = shown["alerts"]
    assert {"id", "key", "watch", "channel", "state", "reason", "attempts", "item"} <= alert.keys()
    assert (alert["state"], alert["watch"], alert["attempts"], alert["item"]) == ("delivered", "talks", 1, first["id"])

    found = [json.loads(line)["outlet"] for line in room.run("items", "search", "חטופים", "--json").stdout.splitlines()]
    assert found == ["two"]
    exported = [json.loads(line) for line in room.run("items", "export").stdout.splitlines()]
    assert {each["id"] for each in exported} == {each["id"] for each in listed}
    table = list(csv.DictReader(io.StringIO(room.run("items", "export", "--format", "csv").stdout)))
    assert "'=SUM(1)" in {row["title"] for row in table}

    again = room.run("run", "--once")
    assert "0 sources asked" in again.stderr
    assert "3 entries kept" not in room.run("fetch", "one").stderr
    assert len(hook.received) == 1


def test_f133_run_once_ends_what_waits_for_a_removed_channel_and_tells_it_on_one_that_is_there(
    room: Room, hook: Receiver, server: NewsServer
) -> None:
    site = server.site("127.0.0.2")
    site.feed("/feed", [entry(site, "Talks in Doha begin at noon today", "/a")])
    room.outlet("one", site.url("/feed"))
    hook.hook.then = 500
    room.channels = {"duty": hook.channel}
    room.write()
    assert "1 to be tried again" in room.run("run", "--once").stderr
    hook.clear()
    room.channels = {"desk": hook.channel}
    room.write()
    assert room.run("run", "--once").returncode == 0
    assert room.rows("SELECT condition FROM alerts WHERE channel = 'duty'")[0]["condition"] == "dead"
    assert [each.key.partition("|")[0] for each in hook.received] == ["wirewatch-notices"]
    assert room.notices()[0].endswith("could not be delivered to duty")
    assert room.rows("SELECT 1 FROM items WHERE outlet = 'wirewatch-canary'") == [], "a canary is for who stays"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("items", "show", "nobody"), 1),
        (("fetch", "nobody"), 1),
        (("alerts", "resend", "nobody"), 1),
        (("items", "list", "--since", "yesterday-ish"), 2),
        (("run", "--colour"), 2),
    ],
)
def test_a_command_that_cannot_do_it_says_so_and_with_which_code(
    room: Room, server: NewsServer, command: tuple[str, ...], code: int
) -> None:
    site = server.site("127.0.0.2")
    room.outlet("one", site.url("/feed"))
    room.write()
    ended = room.run(*command)
    assert ended.returncode == code
    assert ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_broken_configuration_is_code_2_and_a_store_that_is_none_is_code_3(room: Room, server: NewsServer) -> None:
    room.outlet("one", server.site("127.0.0.2").url("/feed"))
    room.write()
    room.store.write_bytes(b"no database at all " * 400)
    assert room.run("items", "list").returncode == 3
    assert room.run("run", "--once").returncode == 3
    room.save("watches/test.toml", "[[watch]]\n")
    for command in (("run",), ("check",), ("items", "list")):
        ended = room.run(*command)
        assert ended.returncode == 2
        assert "watches/test.toml" in ended.stderr
        assert "Traceback" not in ended.stderr
