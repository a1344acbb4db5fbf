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
from typing import Any, NamedTuple

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


def pair(name: str) -> str:
    """A set of two watches that always match together."""
    return "".join(f'[[watch]]\nid = "{name}-{n}"\ntitle = "T"\nwhen = "doha"\n' for n in (1, 2))


def watched_by(desk: Clocked, outlets: str) -> dict[str, set[str]]:
    """Item → the watches it was matched with; those of its alerts are the same."""
    found: dict[str, set[str]] = {}
    told: dict[str, set[str]] = {}
    for row in desk.room.rows(
        "SELECT item, watch FROM matches JOIN items ON items.id = item WHERE outlet LIKE ?", outlets
    ):
        found.setdefault(row["item"], set()).add(row["watch"])
    for row in desk.room.rows(
        "SELECT item, watch FROM alerts JOIN items ON items.id = item WHERE outlet LIKE ?", outlets
    ):
        told.setdefault(row["item"], set()).add(row["watch"])
    assert told == found
    return found


def test_f105_a_configuration_that_comes_while_an_answer_is_being_filed_leaves_it_to_the_one_it_began_with(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    site.feed("/feed", [])
    desk.room.watches = pair("a")
    desk.room.outlet("crossed", site.url("/feed"))
    desk.reload()
    titles = ["Doha: ministers arrive", "Rain over Doha", "A port near Doha reopens", "Doha hosts a chess final"]
    site.feed("/feed", [desk.entry(title, site.url(f"/{n}")) for n, title in enumerate(titles)])
    desk.hold(minutes=6)
    assert desk.ask(held=True), "an answer is in the middle of its filing"
    desk.room.watches = pair("b")
    assert desk.reload(settle=False)
    assert desk.ask(crossed=True), "the other set came into force before that filing ended"
    desk.settle()
    assert list(watched_by(desk, "crossed").values()) == [{"a-1", "a-2"}] * len(titles)
    site.feed("/feed", [desk.entry("Doha, and then?", site.url("/then"))])
    desk.later(minutes=6)
    assert sorted(map(sorted, watched_by(desk, "crossed").values()))[-1] == ["b-1", "b-2"]
    assert set(hook.keys.values()) == {1}
    fates = desk.room.rows(
        "SELECT alerts.watch, alerts.condition, alerts.reason FROM alerts JOIN items ON items.id = alerts.item"
        " WHERE items.outlet = 'crossed'"
    )
    assert len(fates) == 2 * len(titles) + 2
    left = {(row["condition"], row["reason"]) for row in fates if row["watch"].startswith("a")}
    assert left <= {("delivered", ""), ("suppressed", "watch removed")}, "its watches are gone: nothing waits for ever"
    assert {(row["condition"], row["watch"]) for row in fates if row["watch"].startswith("b")} == {
        ("delivered", "b-1"), ("delivered", "b-2"),
    }  # fmt: skip
    assert desk.room.rows("SELECT 1 FROM quarantine") == []


def test_f105_in_a_burst_of_reloads_each_item_is_matched_by_one_whole_set_of_watches(
    desk: Clocked, hook: Receiver, server: NewsServer
) -> None:
    """Two sets take turns while many answers are on their way."""
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
    found = watched_by(desk, "burst%")
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
        lambda: desk.room.rows("SELECT 1 FROM messages WHERE channel = 'duty' AND last_error <> ''"), "one vain attempt"
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


# ------------------------------------------------------------------ broken saves


SETTINGS, OUTLET, WATCHES = "wirewatch.toml", "outlets/f138.toml", "watches/test.toml"


class Broken(NamedTuple):
    """One save: ``old`` in a good file becomes ``new`` (the whole file where ``old`` is empty), which ``says`` so."""

    file: str
    old: str
    new: str | bytes
    says: str = ""


BROKEN = {
    # whole files
    "settings: empty": Broken(SETTINGS, "", b""),
    "settings: a zero byte": Broken(SETTINGS, "", b"\0"),
    "settings: UTF-16": Broken(SETTINGS, "", "[service]\n".encode("utf-16")),
    "settings: JSON": Broken(SETTINGS, "", "{}"),
    "settings: YAML": Broken(SETTINGS, "", "service:\n  time_zone: UTC\n"),
    "settings: an editor's conflict": Broken(SETTINGS, "", "<<<<<<< mine\n[service]\n=======\n>>>>>>> theirs\n"),
    "outlet: empty": Broken(OUTLET, "", b""),
    "outlet: not UTF-8": Broken(OUTLET, 'why = "A test."', 'why = "\u05e9\u05dc\u05d5\u05dd"'.encode("cp1255")),
    "outlet: a web page": Broken(OUTLET, "", "<!doctype html><title>404</title>"),
    "outlet: only its id": Broken(OUTLET, "", 'id = "f138"\n'),
    "watches: empty": Broken(WATCHES, "", b""),
    "watches: the settings": Broken(WATCHES, "", "[service]\n"),
    # half-written
    "half: inside a key": Broken(WATCHES, 'title = "Talks in Doha"\nwhen = "doha AND talks"\n', "tit"),
    "half: inside a string": Broken(WATCHES, 'when = "doha AND talks"\n', 'when = "doha A'),
    "half: inside a header": Broken(WATCHES, TALKS, "[[wat"),
    "half: before a value": Broken(WATCHES, '"doha AND talks"\n', ""),
    "half: inside a list": Broken(WATCHES, 'when = "doha AND talks"\n', 'on = ["new",'),
    "half: inside a letter": Broken(WATCHES, TALKS, TALKS.encode() + "# \u05e9".encode()[:-1]),
    "half: inside a long string": Broken(WATCHES, '"doha AND talks"\n', "\'\'\'\ndoha"),
    # keys
    "a key nobody knows": Broken(WATCHES, 'when =', 'colour = "red"\nwhen =', "colour"),
    "a key misspelt": Broken(WATCHES, "title =", "titel =", "watch.talks.title"),
    "a key twice": Broken(WATCHES, "title =", 'title = "Other"\ntitle =', "title"),
    "a key missing": Broken(WATCHES, 'title = "Talks in Doha"\n', "", "title"),
    "a table nobody knows": Broken(SETTINGS, "[allow]", "[alow]", "alow"),
    "a table twice": Broken(SETTINGS, "[allow]", "[web]\n[allow]", "web"),
    "a key of a channel nobody knows": Broken(SETTINGS, "[[channel]]", '[[channel]]\ncolour = "red"', "colour"),
    # values
    "a number for a text": Broken(WATCHES, '"Talks in Doha"', "7", "watch.talks.title"),
    "a text for a list": Broken(WATCHES, "when =", 'outlets = "f138"\nwhen =', "watch.talks.outlets"),
    "a severity nobody knows": Broken(WATCHES, "when =", 'severity = "hihg"\nwhen =', "watch.talks.severity"),
    "a duration without unit": Broken(WATCHES, "when =", 'max_age = "2"\nwhen =', "watch.talks.max_age"),
    "a zone that is none": Broken(SETTINGS, '"UTC"', '"Doha"', "service.time_zone"),
    "a page for all the world": Broken(SETTINGS, '"127.0.0.1:0"', '"0.0.0.0:80"', "web.address"),
    "an id with spaces": Broken(WATCHES, 'id = "talks"', 'id = "the talks"', "must be an id"),
    "an address that is none": Broken(OUTLET, 'kind = "feed"\nurl = "', 'kind = "feed"\nurl = "news of ', "url"),
    "an address with a password": Broken(OUTLET, 'url = "http://', 'url = "http://me:secret@', "url"),
    "a kind nobody knows": Broken(OUTLET, 'kind = "feed"', 'kind = "rss"', "kind"),
    "a cadence out of order": Broken(OUTLET, 'min = "1m"', 'min = "9h"', "cadence"),
    "a pattern that is none": Broken(OUTLET, 'kind = "feed"', 'kind = "feed"\nonly = "("', "only"),
    "a listing without selectors": Broken(OUTLET, 'kind = "feed"', 'kind = "listing"', "kind"),
    # queries
    "a query left open": Broken(WATCHES, '"doha AND talks"', '"doha AND ("', "watch.talks.when"),
    "a query of nothing": Broken(WATCHES, '"doha AND talks"', '""', "watch.talks.when"),
    "a query that mixes AND and OR": Broken(WATCHES, "doha AND talks", "doha AND talks OR envoy", "watch.talks.when"),
    "a query with a concept nobody knows": Broken(WATCHES, '"doha AND talks"', '"@nobody"', "watch.talks.when"),
    "a pattern in a query that is none": Broken(WATCHES, '"doha AND talks"', '"/[/"', "watch.talks.when"),
    "a query for an outlet nobody knows": Broken(WATCHES, "doha AND talks", "outlet:nobody doha", "watch.talks.when"),
    # between files
    "a watch twice": Broken(WATCHES, TALKS, TALKS + TALKS, "talks"),
    "a channel twice": Broken(SETTINGS, "[[channel]]", '[[channel]]\nid = "desk"\nurl = "page"\n[[channel]]', "desk"),
    "a channel nobody knows": Broken(WATCHES, "when =", 'notify = ["nobody"]\nwhen =', "watch.talks.notify"),
    "an outlet nobody knows": Broken(WATCHES, "when =", 'outlets = ["nobody"]\nwhen =', "watch.talks.outlets"),
    "notices to nobody": Broken(SETTINGS, "[web]", 'notify = ["nobody"]\n[web]', "service.notify"),
    "an outlet under another name": Broken(OUTLET, 'id = "f138"', 'id = "other"', "outlet.f138.id"),
    "an id of the service's own": Broken(WATCHES, 'id = "talks"', 'id = "wirewatch-notices"', "kept for notices"),
    # secrets
    "a secret in the clear": Broken(SETTINGS, "[[channel]]", '[[channel]]\nsecret = "whsec_x"', "never hold it"),
    "an environment value that is missing": Broken(
        SETTINGS, "[[channel]]", '[[channel]]\nid = "more"\nurl = "env:NOBODY_SET_THIS"\n[[channel]]', "NOBODY_SET_THIS"
    ),
    "a secret's file that is missing": Broken(
        SETTINGS, "[[channel]]", '[[channel]]\nid = "more"\nurl = { file = "nobody" }\n[[channel]]', "channel.more"
    ),
    "a channel that Apprise does not know": Broken(
        SETTINGS, "[[channel]]", '[[channel]]\nid = "more"\nurl = { file = "odd" }\n[[channel]]', "channel.more"
    ),
}  # fmt: skip


def broken_text(good: str, how: Broken) -> bytes:
    new = how.new if isinstance(how.new, bytes) else how.new.encode()
    if not how.old:
        return new
    assert how.old in good, "the good file holds what is to be broken"
    return good.encode().replace(how.old.encode(), new, 1)


def test_f138_of_fifty_broken_saves_each_is_refused_by_its_place_and_no_poll_and_no_alert_is_missed(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    assert len(BROKEN) >= 50
    site.feed("/feed", [])
    desk.room.outlet("f138", site.url("/feed"), every="5m")
    (desk.room.path / "odd").write_text("nosuchservice://canary-in-a-file")
    (desk.room.path / "odd").chmod(0o600)
    desk.reload()
    good = {name: (desk.room.path / name).read_text("utf-8") for name in (SETTINGS, OUTLET, WATCHES)}
    told, seen = [], []
    for number, (name, how) in enumerate(BROKEN.items()):
        desk.room.save(how.file, broken_text(good[how.file], how))
        assert desk.ask(reload=1) is False, name
        (problem,) = [each for each in desk.status()["problems"] if "is refused" in each]
        assert f"is refused: {how.file}:" in problem, name
        assert how.says in problem, name
        assert "canary-in" not in problem
        asked = site.paths().count("/feed")
        site.feed("/feed", [desk.entry(f"Talks in Doha, day {number} of {'many ' * number}", site.url(f"/{number}"))])
        desk.later(minutes=6)
        assert site.paths().count("/feed") == asked + 1, f"{name}: polled on time"
        told.append(f"talks|desk|{item_id('f138', f'url:{site.address}/{number}')}|new")
        seen.append(len(desk.room.notices()))
        desk.room.save(how.file, good[how.file])
    assert desk.ask(reload=1) is True
    assert not [each for each in desk.status()["problems"] if "is refused" in each]
    desk.later(minutes=6)
    assert seen == list(range(seen[0], seen[0] + len(seen))), "one notice for each"
    states = desk.room.rows("SELECT key, condition FROM alerts JOIN items ON items.id = item WHERE outlet = 'f138'")
    assert sorted(row["key"] for row in states) == sorted(told)
    assert {row["condition"] for row in states} <= {"delivered", "suppressed"}
    assert {key: times for key, times in hook.keys.items() if times > 1} == {}


@pytest.mark.parametrize("how", ["a folder", "a link to nowhere", "a pipe"])
def test_f138_a_file_that_cannot_be_read_is_refused_by_its_name(desk: Clocked, site: Site, how: str) -> None:
    odd = desk.room.path / "watches" / "odd.toml"
    if how == "a folder":
        odd.mkdir()
    elif how == "a link to nowhere":
        odd.symlink_to(odd.parent / "nobody")
    else:
        os.mkfifo(odd)
    try:
        assert desk.ask(reload=1) is False
        assert any("is refused: watches/odd.toml:" in each for each in desk.status()["problems"])
    finally:
        if how == "a folder":
            odd.rmdir()
        else:
            odd.unlink()
    assert desk.ask(reload=1) is True


# ------------------------------------------------------------------ bursts


RELOADS = int(os.environ.get("WIREWATCH_RELOADS", "60"))
"""A thousand take three minutes: ``WIREWATCH_RELOADS=1000 pytest tests/monitor/test_reload.py -k thousand``."""
AT_ONCE = 10


def test_f139_in_a_thousand_reloads_no_poll_is_missed_and_no_alert_is_doubled(
    desk: Clocked, hook: Receiver, server: NewsServer
) -> None:
    """Ten at once, while files change under them and answers are on their way."""
    sites = [server.site(f"127.0.9.{number}") for number in range(1, 6)]
    for number, each in enumerate(sites):
        each.feed("/feed", [])
        desk.room.outlet(f"steady{number}", each.url("/feed"), every="5m")
    desk.reload()
    expected = []
    for turn in range(RELOADS // AT_ONCE):
        asked = [each.paths().count("/feed") for each in sites]
        for number, each in enumerate(sites):
            title = f"Talks in Doha, {'very ' * turn} slowly {'word ' * number}"
            each.feed("/feed", [desk.entry(title, each.url(f"/{turn}"))])
            expected.append(item_id(f"steady{number}", f"url:{each.address}/{turn}"))
        desk.room.watches = TALKS.replace("Talks in Doha", f"Turn {turn}") + (pair("more") if turn % 2 else "")
        desk.room.outlet("passing", sites[0].url(f"/passing{turn}"))
        if turn % 3 == 0:
            del desk.room.outlets["passing"]
        desk.later(minutes=6, settle=False)
        assert desk.reload(times=AT_ONCE, settle=False)
        desk.settle()
        assert [each.paths().count("/feed") for each in sites] == [count + 1 for count in asked], f"turn {turn}"
    for _ in range(3):  # what was gathered as a flood leaves
        desk.later(minutes=6)
    rows = desk.room.rows(
        "SELECT item, watch, alerts.condition FROM alerts JOIN items ON items.id = item WHERE outlet LIKE 'steady%'"
    )
    assert sorted(row["item"] for row in rows if row["watch"] == "talks") == sorted(expected)
    assert {row["condition"] for row in rows} <= {"delivered", "suppressed"}
    assert {key: times for key, times in hook.keys.items() if times > 1} == {}


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
    body, gate = rss([desk.entry("Doha talks, too late", site.url("/a"))]), threading.Event()
    site.on("/feed", faults.held(gate, Answer(headers={"Content-Type": "application/rss+xml"}, body=body)))
    desk.room.outlet("late", site.url("/feed"))
    desk.reload(settle=False)
    until(lambda: "/feed" in site.paths(), "the source is being asked")
    del desk.room.outlets["late"]
    desk.reload(settle=False)
    gate.set()
    desk.settle()
    assert desk.room.rows("SELECT 1 FROM items WHERE outlet = 'late'") == []
    said = desk.room.output.read_text()
    assert "NoLongerWatched source=late/feed" in said
    assert "answer not filed source=late/feed" not in said


def test_f140_an_address_changed_while_the_old_one_is_asked_is_the_one_asked_from_then_on(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    gate = threading.Event()
    site.on("/old", faults.held(gate, Answer(headers={"Content-Type": "application/rss+xml"}, body=rss([]))))
    site.feed("/new", [desk.entry("Doha talks at the new address", site.url("/a"))])
    desk.room.outlet("moves", site.url("/old"))
    desk.reload(settle=False)
    until(lambda: "/old" in site.paths(), "the old address is being asked")
    desk.room.outlet("moves", site.url("/new"))
    desk.reload(settle=False)
    gate.set()
    desk.settle()
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


SAVED = {
    "half written": '[[watch]]\nid = "talks"\nwhen = "do',
    "bad query": TALKS.replace("doha AND talks", "doha AND ("),
}


@pytest.mark.parametrize("how", SAVED)
def test_f138_a_broken_save_leaves_the_last_good_one_whole_and_is_told(saved: Saved, how: str) -> None:
    told = len(saved.room.notices())
    saved.room.save("watches/test.toml", SAVED[how])
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
