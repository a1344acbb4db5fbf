"""A configuration saved while the service runs: it comes into force whole, or the last good one stays whole."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.stories.identity import item_id
from tests.newsserver import Answer, NewsServer, Site, faults, rss
from tests.rig.running import START, TALKS, Clocked, Receiver, Room, running, until


@pytest.fixture(scope="module")
def server() -> Iterator[NewsServer]:
    with NewsServer() as running:
        yield running


# ------------------------------------------------------------------ under a standing clock


@pytest.fixture(scope="module")
def clocked(server: NewsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clocked, Receiver]]:
    with Receiver() as hook:
        room = Room(tmp_path_factory.mktemp("clocked") / "desk", server, channels={"desk": hook.channel})
        idle = server.site("127.0.1.1")
        idle.feed("/feed", [])
        room.outlet("idle", idle.url("/feed"))
        with Clocked(room, START) as desk:
            yield desk, hook


@pytest.fixture
def hook(clocked: tuple[Clocked, Receiver]) -> Receiver:
    clocked[1].clear()
    return clocked[1]


@pytest.fixture
def desk(clocked: tuple[Clocked, Receiver], hook: Receiver) -> Clocked:
    desk = clocked[0]
    desk.room.outlets = {"idle": desk.room.outlets["idle"]}
    desk.room.watches, desk.room.channels = TALKS, {"desk": hook.channel}
    desk.reload()
    desk.later(days=3)
    hook.clear()
    return desk


@pytest.fixture
def site(server: NewsServer) -> Site:
    return server.site(f"127.0.2.{len(server.sites) + 1}")


def test_f105_in_a_burst_of_reloads_each_item_is_matched_by_one_whole_set_of_watches(
    desk: Clocked, hook: Receiver, server: NewsServer
) -> None:
    """Two sets take turns, each of two watches that always match together."""

    def pair(name: str) -> str:
        return "".join(f'[[watch]]\nid = "{name}-{n}"\ntitle = "T"\nwhen = "doha"\n' for n in (1, 2))

    sites = [server.site(f"127.0.7.{number}") for number in range(1, 9)]
    for number, each in enumerate(sites):
        each.feed("/feed", [])
        desk.room.outlet(f"burst{number}", each.url("/feed"))
    desk.reload()
    for number, each in enumerate(sites):
        entries = [desk.entry(f"Doha item {number} {n} {'word ' * n}", each.url(f"/{n}")) for n in range(15)]
        each.feed("/feed", entries)
    desk.room.watches = pair("a")
    desk.reload()
    desk.later(minutes=6, settle=False)
    for turn in range(6):
        desk.room.watches = pair("ab"[turn % 2])
        desk.reload(settle=False)
    desk.settle()
    found: dict[str, set[str]] = {}
    for row in desk.room.rows(
        "SELECT item, watch FROM matches JOIN items ON items.id = item WHERE outlet LIKE 'burst%'"
    ):
        found.setdefault(row["item"], set()).add(row["watch"])
    assert len(found) == len(sites) * 15
    assert {frozenset(watches) for watches in found.values()} <= {
        frozenset({"a-1", "a-2"}), frozenset({"b-1", "b-2"}),
    }  # fmt: skip
    assert set(hook.keys.values()) == {1}


def test_f133_alerts_that_wait_for_a_removed_channel_become_dead_letters_and_can_be_seen(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    site.feed("/feed", [desk.entry("Talks in Doha: somebody must be told", site.url("/a"))])
    hook.hook.then = 500
    desk.room.channels = {"duty": hook.channel}
    desk.room.outlet("f133", site.url("/feed"))
    desk.reload(settle=False)
    until(
        lambda: desk.room.rows("SELECT 1 FROM alerts WHERE channel = 'duty' AND last_error <> ''"), "one vain attempt"
    )
    desk.room.channels = {"desk": hook.channel}
    hook.clear()
    desk.reload()
    (row,) = desk.room.rows("SELECT condition, reason FROM alerts WHERE channel = 'duty'")
    assert row["condition"] == "dead"
    assert row["reason"].startswith("channel duty is not configured any more")
    assert any("could not be delivered" in problem for problem in desk.status()["problems"])
    until(
        lambda: [title for title in desk.room.notices() if title.endswith("could not be delivered to duty")],
        "the desk is told of it on the channel that is left",
    )
    until(
        lambda: not desk.room.rows("SELECT 1 FROM alerts WHERE condition = 'dead' AND told = 0"), "it is marked as told"
    )
    listed = desk.room.run("alerts", "list", "--state", "dead", "--json")
    assert [json.loads(line)["channel"] for line in listed.stdout.splitlines()] == ["duty"]


def test_f140_a_source_that_leaves_and_returns_keeps_its_history_and_floods_nobody(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    site.feed("/feed", [desk.entry(f"Doha talks, part {n}", site.url(f"/{n}")) for n in range(5)])
    desk.room.outlet("f140", site.url("/feed"))
    desk.reload()
    assert len(hook.news()) == 5
    file = desk.room.outlets.pop("f140")
    desk.reload()
    asked = len(site.requests)
    desk.later(hours=5)
    assert len(site.requests) == asked, "what is not configured is not asked"
    desk.room.outlets["f140"] = file
    desk.reload()
    desk.later(minutes=10)
    assert len(site.requests) > asked
    assert len(hook.news()) == 5
    assert len(desk.room.rows("SELECT 1 FROM items WHERE outlet = 'f140'")) == 5


def test_f140_an_answer_that_arrives_after_its_source_left_is_dropped_in_order(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    body = rss([desk.entry("Doha talks, too late", site.url("/a"))])
    site.on("/feed", faults.slow(1.0, Answer(headers={"Content-Type": "application/rss+xml"}, body=body)))
    desk.room.outlet("late", site.url("/feed"))
    desk.reload(settle=False)
    until(lambda: "/feed" in site.paths(), "the source is being asked")
    del desk.room.outlets["late"]
    desk.reload()
    assert desk.room.rows("SELECT 1 FROM items WHERE outlet = 'late'") == []
    said = desk.room.output.read_text()
    assert "NoLongerWatched source=late/feed" in said
    assert "answer not filed source=late/feed" not in said


def test_f140_an_address_changed_while_the_old_one_is_asked_is_the_one_asked_from_then_on(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    site.on("/old", faults.slow(1.0, Answer(headers={"Content-Type": "application/rss+xml"}, body=rss([]))))
    site.feed("/new", [desk.entry("Doha talks at the new address", site.url("/a"))])
    desk.room.outlet("moves", site.url("/old"))
    desk.reload(settle=False)
    until(lambda: "/old" in site.paths(), "the old address is being asked")
    desk.room.outlet("moves", site.url("/new"))
    desk.reload()
    desk.later(minutes=6)
    assert site.paths().count("/old") == 1
    assert hook.news() == [f"talks|desk|{item_id('moves', f'url:{site.address}/a')}|new"]


# ------------------------------------------------------------------ `wirewatch run` and a folder that is saved


class Saved:
    """A running ``wirewatch run``, and what it says of its folder."""

    def __init__(self, room: Room, hook: Receiver, port: int) -> None:
        self.room, self.hook, self.port = room, hook, port

    def health(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/health")
            said: dict[str, Any] = json.loads(connection.getresponse().read())
            return said
        finally:
            connection.close()

    def refused(self) -> str:
        return next((each for each in self.health()["problems"] if "is refused" in each), "")

    def taken(self, times: int) -> bool:
        return self.room.output.read_text().count("configuration in force") >= times

    def count(self) -> int:
        return self.room.output.read_text().count("configuration in force")


@pytest.fixture(scope="module")
def saved(server: NewsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    port = free_port()
    with Receiver() as hook:
        path = tmp_path_factory.mktemp("saved")
        (path / "first").mkdir()
        (path / "desk").symlink_to(path / "first", target_is_directory=True)
        room = Room(path / "desk", server, channels={"desk": hook.channel}, web=f"127.0.0.1:{port}")
        site = server.site("127.0.8.1")
        site.feed("/feed", [])
        room.outlet("steady", site.url("/feed"))
        with running(room):
            until(lambda: "wirewatch is watching" in room.output.read_text(), "it watches")
            until(lambda: site.paths().count("/feed"), "the first poll")
            yield Saved(room, hook, port)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


BROKEN = {
    "half written": '[[watch]]\nid = "talks"\nwhen = "do',
    "unknown key": TALKS + 'colour = "red"\n',
    "bad query": TALKS.replace("doha AND talks", "doha AND ("),
    "duplicate": TALKS + TALKS,
    "wrong type": TALKS.replace('"Talks in Doha"', "7"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_f138_a_broken_save_leaves_the_last_good_one_whole_and_is_told(saved: Saved, how: str) -> None:
    told = len(saved.room.notices())
    saved.room.save("watches/test.toml", BROKEN[how])
    until(saved.refused, "/health says so")
    taken = saved.count()
    assert "watches/test.toml" in saved.refused()
    assert saved.health()["state"] == "degraded"
    asked = saved.room.run("health")
    assert asked.returncode == 0
    assert "refused" in asked.stdout
    until(lambda: len(saved.room.notices()) == told + 1, "one notice")
    assert "the last good one stays in force" in saved.room.notices()[-1]
    assert saved.count() == taken
    saved.room.save("watches/test.toml", TALKS)
    until(lambda: not saved.refused(), "the mended one is taken")
    until(lambda: any("bad-reload" in each.body.decode() or "refused" in each.body.decode()
                      for each in saved.hook.received), "the channel was told")  # fmt: skip


def test_f138_an_unreadable_file_and_a_missing_secret_are_refused_in_the_same_way(saved: Saved) -> None:
    saved.room.save("outlets/half.toml", 'id = "half"\n')
    until(saved.refused, "a file without its keys")
    (saved.room.path / "outlets/half.toml").unlink()
    until(lambda: not saved.refused(), "mended")
    text = (saved.room.path / "wirewatch.toml").read_text()
    saved.room.save("wirewatch.toml", text + '[[channel]]\nid = "more"\nurl = "env:NOBODY_SET_THIS"\n')
    until(saved.refused, "a reference to nothing")
    assert "NOBODY_SET_THIS" in saved.refused()
    saved.room.save("wirewatch.toml", text)
    until(lambda: not saved.refused(), "mended")


def test_f139_saves_in_a_burst_end_with_the_last_one_in_force_and_double_nothing(
    saved: Saved, server: NewsServer
) -> None:
    """Whole files, two hands at once, an editor that renames and one that writes in place."""
    site = server.site("127.0.8.2")
    site.feed("/feed", [(f"Doha talks in a burst, number {n} {'very ' * n}", f"/{n}") for n in range(10)])
    dated = saved.room.baseline
    saved.room.outlet("burst", site.url("/feed"))

    def hand(name: str, in_place: bool) -> None:
        for turn in range(15):
            text = TALKS.replace('"talks"', f'"{name}"').replace("Talks in Doha", f"Turn {turn}")
            if in_place:
                (saved.room.path / f"watches/{name}.toml").write_text(text, "utf-8")
            else:
                saved.room.save(f"watches/{name}.toml", text)

    hands = [threading.Thread(target=hand, args=args) for args in (("left", True), ("right", False))]
    for each in hands:
        each.start()
    saved.room.write()
    for each in hands:
        each.join()
    assert dated == saved.room.baseline
    until(lambda: site.paths().count("/feed"), "the new outlet is asked")
    until(lambda: len(saved.room.rows("SELECT 1 FROM items WHERE outlet = 'burst'")) == 10, "its items are filed")
    until(lambda: not saved.refused(), "what is in force is what stands there")
    for name in ("left", "right"):
        (saved.room.path / f"watches/{name}.toml").unlink()
    repeated = {key: times for key, times in saved.hook.keys.items() if times > 1}
    assert repeated == {}


def test_f139_a_folder_swapped_by_its_link_is_taken(saved: Saved, server: NewsServer) -> None:
    """The way of deployments: a new folder beside the old one, and one rename of a link."""
    site = server.site("127.0.8.1")
    site.feed("/swapped", [])
    real = saved.room.path.resolve()
    second = real.parent / "second"
    shutil.copytree(real / "outlets", second / "outlets")
    shutil.copytree(real / "watches", second / "watches")
    shutil.copy(real / "wirewatch.toml", second)
    name = "swapped"
    saved.room.outlet(name, site.url("/swapped"))
    (second / "outlets" / f"{name}.toml").write_text(saved.room.outlets[name], "utf-8")
    (second / "wirewatch.toml").write_text(
        (real / "wirewatch.toml").read_text() + f'\n[store]\nurl = "sqlite:///{real}/wirewatch.db"\n'
    )
    link = real.parent / "next"
    link.symlink_to(second, target_is_directory=True)
    link.replace(real.parent / "desk")
    try:
        until(lambda: site.paths().count("/swapped"), "the outlet of the new folder is asked")
    finally:
        link.symlink_to(real, target_is_directory=True)
        link.replace(real.parent / "desk")
        saved.room.outlets.pop(name)
    until(lambda: saved.taken(1) and not saved.refused(), "the old folder is back in force")


def test_f141_hang_up_reads_the_configuration_again(saved: Saved) -> None:
    pid = int(Path(f"{saved.room.store.resolve()}.lock").read_text().partition('"pid": ')[2].partition(",")[0])
    taken = saved.count()
    os.kill(pid, signal.SIGHUP)
    until(lambda: saved.count() > taken, "read again")
