"""The running service, from the wire to the receiver, under a clock that stands where it is put."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from monitor.stories.identity import item_id
from tests.newsserver import Answer, NewsServer, Site, faults, rss
from tests.rig.running import START, TALKS, Clocked, Receiver, Room, until

FEED = {"Content-Type": "application/rss+xml; charset=utf-8"}


@pytest.fixture(scope="module")
def server() -> Iterator[NewsServer]:
    with NewsServer() as running:
        yield running


@pytest.fixture(scope="module")
def service(server: NewsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clocked, Receiver]]:
    with Receiver() as hook:
        room = Room(tmp_path_factory.mktemp("service") / "desk", server, channels={"desk": hook.channel})
        idle = server.site("127.0.1.1")
        idle.feed("/feed", [])
        room.outlet("idle", idle.url("/feed"))
        with Clocked(room, START) as desk:
            yield desk, hook


@pytest.fixture
def desk(service: tuple[Clocked, Receiver]) -> Clocked:
    """The module's service, three days later (so that no earlier headline is near), with no outlet but the test's."""
    desk, hook = service
    desk.room.outlets = {"idle": desk.room.outlets["idle"]}
    desk.room.watches = TALKS
    desk.room.channels = {"desk": hook.channel}
    hook.clear()
    desk.reload()
    desk.later(days=3)
    hook.clear()
    return desk


@pytest.fixture
def hook(service: tuple[Clocked, Receiver]) -> Receiver:
    return service[1]


@pytest.fixture
def site(server: NewsServer, request: pytest.FixtureRequest) -> Site:
    """A host of the test's own."""
    return server.site(f"127.0.2.{len(server.sites) + 1}")


def watched(desk: Clocked, hook: Receiver, name: str, site: Site, *titles: str) -> None:
    """An outlet that was polled once: its ``titles`` are old news."""
    site.feed("/feed", [desk.entry(title, site.url(f"/{title[:9]}"), age=timedelta(days=2)) for title in titles])
    desk.room.outlet(name, site.url("/feed"))
    desk.reload()
    hook.clear()


def key(outlet: str, site: Site, path: str, state: str = "new", watch: str = "talks") -> str:
    return f"{watch}|desk|{item_id(outlet, f'url:{site.address}{path}')}|{state}"


def of(desk: Clocked, outlet: str) -> list[tuple[str, str, str, str]]:
    return desk.room.alerts(f"AND items.outlet = '{outlet}'")


def test_what_is_published_between_two_polls_is_told_once(desk: Clocked, hook: Receiver, site: Site) -> None:
    watched(desk, hook, "first", site, "An old story")
    site.feed("/feed", [desk.entry("Doha hosts talks again", site.url("/a"))])
    desk.later(minutes=6)
    desk.later(minutes=6)
    assert hook.news() == [key("first", site, "/a")]


# ------------------------------------------------------------------ the wire


def test_f002_after_an_outage_every_source_is_asked_within_one_interval_and_not_at_once(
    desk: Clocked, server: NewsServer
) -> None:
    idle = desk.room.outlets["idle"]
    sites = [server.site(f"127.0.3.{number}") for number in range(1, 13)]
    known = len(desk.room.notices())
    desk.room.outlets.clear()
    for number, each in enumerate(sites):
        each.on("/feed", faults.drop)
        desk.room.outlet(f"outage{number}", each.url("/feed"), every="15m")
    desk.reload()
    for _ in range(8):
        desk.later(minutes=30)
    due = {
        row["outlet"]: row["next_due"]
        for row in desk.room.rows("SELECT outlet, next_due FROM sources WHERE in_force AND failures > 3")
    }
    assert len(due) == len(sites)
    assert len(set(due.values())) == len(sites), "no two march in step"
    for each in sites:
        each.feed("/feed", [])
        each.requests.clear()
    desk.later(minutes=59)
    desk.later(minutes=8)
    assert all(each.paths().count("/feed") == 1 for each in sites)
    assert desk.room.notices()[known:] == ["No source answers: the network is out, it seems", "The network is back"]
    desk.room.outlets = {"idle": idle}


def test_f023_f025_a_wish_holds_for_every_source_of_the_host_and_a_long_one_is_told(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    site.answer("/one", status=429, headers={"Retry-After": "7200"})
    site.feed("/two", [])
    desk.room.outlet("wish", site.url("/one"), every="5m")
    desk.room.outlet("wish-too", site.url("/two"), every="5m")
    desk.reload()
    asked = [path for path in site.paths() if path != "/robots.txt"]
    assert "/one" in asked
    for _ in range(11):
        desk.later(minutes=10)
    assert [path for path in site.paths() if path != "/robots.txt"] == asked, "nobody asks before the two hours end"
    assert [title for title in desk.room.notices() if title.startswith("wish/feed asks to be left alone")]
    site.feed("/one", [])
    desk.later(minutes=15)
    assert set(site.paths()[-2:]) == {"/one", "/two"}


def test_f026_what_was_published_while_the_server_failed_is_told_by_the_first_good_answer(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    watched(desk, hook, "f26", site, "An old story")
    site.answer("/feed", status=500)
    for _ in range(4):
        desk.later(minutes=61)
    entries = [desk.entry(f"Doha talks resume on floor {n}", site.url(f"/{n}"), age=timedelta(hours=n)) for n in (1, 3)]
    site.feed("/feed", entries)
    desk.later(minutes=70)
    assert sorted(hook.news()) == sorted([key("f26", site, "/1"), key("f26", site, "/3")])
    assert [title for title in desk.room.notices() if title.startswith("f26/")] == [
        "f26/feed does not answer", "f26/feed is back",
    ]  # fmt: skip


def test_f046_an_emptied_feed_is_told_and_its_return_repeats_nothing(desk: Clocked, hook: Receiver, site: Site) -> None:
    entries = [desk.entry("Talks in Doha reach hour nine", site.url("/a"))]
    site.feed("/feed", entries)
    desk.room.outlet("f46", site.url("/feed"))
    desk.reload()
    site.feed("/feed", [])
    for _ in range(3):
        desk.later(minutes=6)
    assert [title for title in desk.room.notices() if title.startswith("f46/")] == ["f46/feed is damaged"]
    assert "emptied" in " ".join(desk.status()["problems"])
    site.feed("/feed", entries)
    desk.later(minutes=6)
    assert [title for title in desk.room.notices() if title.startswith("f46/")][1:] == ["f46/feed is back"]
    assert hook.news() == [key("f46", site, "/a")]


def test_f047_a_cut_feed_is_filed_as_far_as_it_is_whole_and_the_next_poll_doubles_nothing(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    watched(desk, hook, "f47", site, "An old story")
    entries = [desk.entry(f"Talks in Doha enter phase {n}", site.url(f"/{n}")) for n in range(6)]
    whole = rss(entries)
    cut = whole[: whole.index(b"phase 3")]
    site.answers("/feed", faults.short(cut, promised=len(whole)), Answer(headers=FEED, body=whole, etag='"whole"'))
    desk.later(minutes=6)
    assert sorted(hook.news()) == sorted(key("f47", site, f"/{n}") for n in range(3))
    (state,) = desk.room.rows("SELECT outcome, etag FROM sources WHERE id = 'f47/feed'")
    assert state["outcome"] == "degraded"
    desk.later(minutes=6)
    assert sorted(hook.news()) == sorted(key("f47", site, f"/{n}") for n in range(6))


# ------------------------------------------------------------------ identity


def test_f066_a_first_poll_tells_the_young_and_lists_the_rest(desk: Clocked, hook: Receiver, site: Site) -> None:
    young = desk.entry("Doha talks: young", site.url("/young"), age=timedelta(hours=1))
    old = desk.entry("Doha talks: old", site.url("/old"), age=timedelta(hours=3))
    undated = {**desk.entry("Doha talks: undated", site.url("/undated")), "pubDate": ""}
    site.feed("/feed", [young, old, undated])
    desk.room.outlet("f66", site.url("/feed"))
    desk.reload()
    assert hook.news() == [key("f66", site, "/young")]
    assert sorted(of(desk, "f66")) == [
        ("Doha talks: old", "new", "suppressed", "baseline"),
        ("Doha talks: undated", "new", "suppressed", "baseline"),
        ("Doha talks: young", "new", "delivered", ""),
    ]


def test_f069_a_headline_at_five_outlets_is_told_once_a_watch_and_the_copies_say_by_what(
    desk: Clocked, hook: Receiver, server: NewsServer
) -> None:
    desk.room.watches = TALKS + '[[watch]]\nid = "envoy"\ntitle = "Envoys"\nwhen = "envoy"\n'
    title = "Envoy lands in Doha as talks enter their final round"
    names = [f"copy{number}" for number in range(5)]
    for number, name in enumerate(names):
        each = server.site(f"127.0.4.{number + 1}")
        watched(desk, hook, name, each, f"Yesterday at {name} nothing was said")
    for number in range(len(names)):
        each = server.site(f"127.0.4.{number + 1}")
        each.feed("/feed", [desk.entry(title, each.url("/x"))])
    desk.later(minutes=6)
    assert sorted(each.partition("|")[0] for each in hook.news()) == ["envoy", "talks"]
    rows = [row for name in names for row in of(desk, name)]
    told = [row for row in rows if row[2] == "delivered"]
    copies = [row for row in rows if row[2] == "suppressed"]
    assert (len(told), len(copies)) == (2, 8)
    ids = {row["id"] for row in desk.room.rows("SELECT id FROM alerts WHERE condition = 'delivered'")}
    assert all(reason.startswith("told with ") and reason.removeprefix("told with ") in ids for *_, reason in copies)
    assert len(desk.room.rows(f"SELECT 1 FROM items WHERE copy_of IS NOT NULL AND outlet IN {tuple(names)}")) == 4


def test_f070_a_headline_that_matches_only_since_its_edit_is_told_as_changed(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    watched(desk, hook, "f70", site, "An old story")
    site.feed("/feed", [desk.entry("Mediators meet in the Gulf", site.url("/a"))])
    desk.later(minutes=6)
    assert hook.news() == []
    site.feed("/feed", [desk.entry("Mediators meet for talks in Doha", site.url("/a"))])
    desk.later(minutes=6)
    (only,) = hook.received
    assert only.key.startswith(key("f70", site, "/a", "edited"))
    assert "Mediators meet in the Gulf" in only.body.decode(), "the message says what stood there before"


def test_f071_a_counter_in_the_summary_repeats_no_alert(desk: Clocked, hook: Receiver, site: Site) -> None:
    watched(desk, hook, "f71", site, "An old story")
    for count in range(4):
        entry = desk.entry("Talks in Doha go on", site.url("/a"), description=f"Read by {count} people in Doha.")
        site.feed("/feed", [entry])
        desk.later(minutes=6)
    assert hook.news() == [key("f71", site, "/a")]
    (row,) = desk.room.rows("SELECT revisions FROM items WHERE outlet = 'f71' AND url LIKE '%/a'")
    assert row["revisions"] == 4
    quiet = [row for row in of(desk, "f71") if row[1] == "edited"]
    assert len(quiet) == 3
    assert all(row[2] == "suppressed" and row[3] for row in quiet)


def test_f072_what_is_withdrawn_and_comes_back_is_not_told_again_and_old_entries_that_surface_are_marked(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    watched(desk, hook, "f72", site, "An old story")
    told = desk.entry("Talks in Doha: the list", site.url("/a"))
    site.feed("/feed", [told])
    desk.later(minutes=6)
    site.feed("/feed", [desk.entry("Something else", site.url("/b"))])
    desk.later(minutes=6)
    site.feed("/feed", [told, desk.entry("An older report from Doha", site.url("/c"), age=timedelta(hours=20))])
    desk.later(minutes=6)
    assert hook.news() == [key("f72", site, "/a")]
    (surfaced,) = desk.room.rows("SELECT late FROM items WHERE outlet = 'f72' AND url LIKE '%/c'")
    assert surfaced["late"] == 1


def test_f076_f077_f078_f082_absurd_dates_are_assumed_and_told_like_any_other(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    desk.room.watches = TALKS + 'max_age = "1d"\n'
    watched(desk, hook, "dates", site, "An old story")
    written = {
        "/none": "", "/words": "כ״ה בכסלו תשפ״ז", "/epoch": "Thu, 01 Jan 1970 00:00:00 GMT", "/seconds": "1759588200",
        "/future": "Tue, 24 Nov 2106 09:00:00 GMT", "/nine": "Fri, 31 Dec 9999 23:59:59 GMT",
    }  # fmt: skip
    site.feed(
        "/feed",
        [
            {**desk.entry(f"Doha talks, reported {path[1:]}", site.url(path)), "pubDate": d}
            for path, d in written.items()
        ],
    )
    desk.later(minutes=6)
    assert sorted(hook.news()) == sorted(key("dates", site, path) for path in written)
    assumed = desk.room.rows("SELECT published, first_seen, published_assumed FROM items WHERE outlet = 'dates'")
    assert sum(row["published_assumed"] for row in assumed) >= len(written) - 1


# ------------------------------------------------------------------ article pages


PAGE = """<html><head><title>Ministers meet</title></head><body><article><h1>Ministers meet on Monday</h1>
<p>The ministers met on Monday evening and spoke for three hours about the next steps they could take together.</p>
<p>{body}</p><p>They said that another meeting would follow within the week, at a place that is not yet agreed.</p>
</article></body></html>"""


def test_a_page_is_read_for_what_matched_and_what_only_its_body_says_is_told_as_completed(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    desk.room.watches = (
        '[[watch]]\nid = "ministers"\ntitle = "M"\nwhen = "ministers"\n'
        '[[watch]]\nid = "corridor"\ntitle = "C"\nwhen = "body:corridor"\n'
    )
    site.feed("/feed", [])
    desk.room.outlet("paged", site.url("/feed"), pages='"matched"', access='"page"')
    desk.reload()
    site.answer("/m", headers={"Content-Type": "text/html"}, body=PAGE.format(body="A corridor for aid was agreed."))
    site.answer("/n", headers={"Content-Type": "text/html"}, body=PAGE.format(body="Nobody asks for this page."))
    site.feed(
        "/feed", [desk.entry("Ministers meet on Monday", site.url("/m")), desk.entry("Weather: rain", site.url("/n"))]
    )
    desk.later(minutes=6)
    assert hook.news() == [
        key("paged", site, "/m", watch="ministers"),
        key("paged", site, "/m", "completed", watch="corridor"),
    ]
    assert "/n" not in site.paths()


def test_a_page_is_read_again_for_its_edits_and_until_it_is_taken_down(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    desk.room.watches = (
        '[[watch]]\nid = "ministers"\ntitle = "M"\nwhen = "ministers"\non = ["new", "edited", "withdrawn"]\n'
    )
    site.feed("/feed", [])
    desk.room.outlet("reread", site.url("/feed"), pages='"matched"', access='"page"', keep='"body"')
    desk.reload()
    html = {"Content-Type": "text/html"}
    site.answer("/m", headers=html, body=PAGE.format(body="Seven lorries wait at the crossing."), etag='"1"')
    site.feed("/feed", [desk.entry("Ministers meet on Monday", site.url("/m"))])
    desk.later(minutes=6)
    desk.later(minutes=16)
    assert (site.paths().count("/m"), len(hook.news())) == (2, 1)
    assert [seen.headers.get("if-none-match") for seen in site.requests if seen.path == "/m"] == [None, '"1"']

    site.answer("/m", headers=html, body=PAGE.format(body="Nine lorries wait at the crossing."), etag='"2"')
    desk.later(hours=1)
    assert [each.rpartition("|")[2].partition(":")[0] for each in hook.news()] == ["new", "edited"]

    site.answer("/m", status=404, body="Gone.")
    desk.later(hours=2)
    assert len(hook.news()) == 2
    desk.later(minutes=11)
    assert key("reread", site, "/m", "withdrawn", watch="ministers") in hook.news()
    (row,) = desk.room.rows("SELECT withdrawn FROM items WHERE outlet = 'reread'")
    assert row["withdrawn"] is not None
    desk.later(hours=9)
    assert len(hook.news()) == 3


def test_a_page_that_robots_refuse_is_not_asked_for_and_its_item_is_told_all_the_same(
    desk: Clocked, hook: Receiver, site: Site
) -> None:
    site.robots("User-agent: *\nDisallow: /closed/\n")
    site.feed("/feed", [])
    desk.room.outlet("shut", site.url("/feed"), pages='"all"', access='"page"')
    desk.reload()
    site.answer("/closed/a", headers={"Content-Type": "text/html"}, body=PAGE.format(body="Never read."))
    site.feed("/feed", [desk.entry("Doha talks behind closed doors", site.url("/closed/a"))])
    desk.later(minutes=6)
    assert hook.news() == [key("shut", site, "/closed/a")]
    assert "/closed/a" not in site.paths()
    assert desk.room.rows("SELECT 1 FROM pages WHERE outlet = 'shut'") == []


# ------------------------------------------------------------------ the clock


def test_f116_f118_a_clock_that_jumps_makes_at_most_one_poll_more_and_leaves_nobody_waiting(
    desk: Clocked, server: NewsServer
) -> None:
    sites = [server.site(f"127.0.5.{number}") for number in range(1, 7)]
    for number, each in enumerate(sites):
        each.feed("/feed", [])
        desk.room.outlet(f"jump{number}", each.url("/feed"), every="15m")
    desk.reload()

    def asked(**parts: float) -> list[int]:
        for each in sites:
            each.requests.clear()
        desk.later(settle=True, **parts)
        return [each.paths().count("/feed") for each in sites]

    assert asked(hours=6) == [1] * 6, "six hours asleep: one poll a source on waking"
    assert asked(minutes=1) == [0] * 6, "and no second one"
    assert asked(hours=-1) == [0] * 6
    assert asked(minutes=34) == [1] * 6, "set back by an hour: nobody waits for two intervals"
    assert asked(days=-1) == [0] * 6
    assert asked(minutes=34) == [1] * 6
    assert asked(days=1) == [1] * 6
    assert desk.status()["state"] != "failing"


def test_f119_a_hundred_sources_due_at_once_are_all_asked(desk: Clocked, server: NewsServer) -> None:
    sites = [server.site(f"127.0.6.{number}") for number in range(1, 101)]
    for number, each in enumerate(sites):
        each.feed("/feed", [])
        desk.room.outlet(f"many{number}", each.url("/feed"), every="1h")
    desk.reload()
    assert [each.paths().count("/feed") for each in sites] == [1] * 100
    assert len({row[0] for row in desk.room.rows("SELECT next_due FROM sources WHERE outlet LIKE 'many%'")}) == 100


def test_f118_a_hundred_sources_are_asked_within_a_minute_of_waking_each_once_and_spread_and_told_in_one_note(
    desk: Clocked, server: NewsServer
) -> None:
    sites = [server.site(f"127.0.6.{number}") for number in range(1, 101)]
    for number, each in enumerate(sites):
        each.feed("/feed", [desk.entry(f"Old story {number}", each.url("/old"), age=timedelta(days=2))])
        desk.room.outlet(f"asleep{number}", each.url("/feed"), every="15m")
    desk.reload()
    known = len(desk.room.notices())
    for number, each in enumerate(sites):
        each.requests.clear()
        each.feed("/feed", [desk.entry(f"Another {number}.{n}", each.url(f"/{n}")) for n in range(9)])
    desk.later(hours=6)
    at_once = [each.paths().count("/feed") for each in sites]
    assert max(at_once) == 1
    assert sum(at_once) <= 32, "no storm"
    assert not [line for line in desk.status()["problems"] if "has waited" in line]
    for _second in range(6):
        desk.later(seconds=10)
    assert [each.paths().count("/feed") for each in sites] == [1] * 100
    assert desk.room.notices()[known:] == ["Nothing was watched for 6.0 hours"]


def test_f120_a_poll_that_outlasts_its_interval_is_never_doubled(desk: Clocked, hook: Receiver, site: Site) -> None:
    watched(desk, hook, "f120", site, "An old story")
    body, gate = rss([desk.entry("Slow talks in Doha", site.url("/a"))]), threading.Event()
    site.requests.clear()
    site.on("/feed", faults.held(gate, Answer(headers=FEED, body=body)))
    desk.later(minutes=5.6, settle=False)
    until(lambda: "/feed" in site.paths(), "it is being asked")
    for _ in range(2):  # two more intervals pass while it is under way
        desk.later(minutes=5.6, settle=False)
    assert site.paths().count("/feed") == 1
    gate.set()
    desk.settle()
    assert site.most_at_once == 1
    assert site.paths().count("/feed") <= 2
    assert hook.news() == [key("f120", site, "/a")]
