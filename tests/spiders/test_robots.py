"""Robots rules hold for every request, whoever comes first (RFC 9309)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from monitor.model.sources import Outcome, PageDue, RobotsCopy
from spiders.middlewares.robots import in_force, learned, refusing_line
from tests.newsserver import Answer, faults, rss

BODY = rss([{"title": "One", "link": "http://example.org/1"}])
FEED = Answer(body=BODY, headers={"Content-Type": "application/rss+xml"})
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def one(wire, run, *due, **settings):
    async def main():
        async with wire.running(settings=settings):
            return await wire.ask(*due)

    return run(main())


def test_a_refused_source_is_closed_with_the_rule_and_never_asked(wire, site, run):
    site.robots("User-agent: *\nDisallow: /private\nDisallow: /rss/*.xml  # feeds\n")
    site.on("/rss/a.xml", FEED)
    answer = one(wire, run, wire.source(site.url("/rss/a.xml")))
    assert answer.outcome is Outcome.CLOSED
    assert answer.reason == f'robots.txt of {site.host} refuses: "Disallow: /rss/*.xml"'
    assert site.paths() == ["/robots.txt"]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("User-agent: *\nDisallow: /\n", True),
        ("User-agent: Wirewatch\nDisallow:\n\nUser-agent: *\nDisallow: /\n", False),
        ("User-agent: wirewatch\nDisallow: /rss\n\nUser-agent: *\nAllow: /\n", True),
        ("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n", False),
        ("User-agent: *\nDisallow: /\nAllow: /rss\n", False),
        ("\ufeffUser-agent: *\nDisallow: /rss$\n", True),
        ("User-agent: *\nCrawl-delay: 0\nDisallow: /*.rss\n", False),
        ("<html>no rules here</html>", False),
        ("", False),
    ],
)
def test_the_group_that_names_us_counts_and_the_longest_rule_wins(wire, site, run, text, refused):
    site.robots(text)
    site.on("/rss", FEED)
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome is Outcome.CLOSED) is refused


def test_the_rule_that_is_named_comes_from_our_group():
    ours = "User-agent: a\nUser-agent: wirewatch\nDisallow: /x\nDisallow: /x/y\nAllow: /x/y/z\n\n"
    text = ours + "User-agent: *\nDisallow: /x/y/long"
    assert refusing_line(text, "http://h/x/y/long") == "Disallow: /x/y"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_rules_allow_everything(wire, site, run, status):
    site.robots("User-agent: *\nDisallow: /", status=status)
    site.on("/rss", FEED)
    assert one(wire, run, wire.source(site.url("/rss"))).outcome is Outcome.OK
    assert wire.keeper.copies[site.host].status == status


@pytest.mark.parametrize(
    "robots", [Answer(status=500), Answer(status=429), faults.drop, faults.stall, faults.endless_chunks]
)
def test_rules_that_cannot_be_read_fail_the_source_and_nothing_is_fetched(wire, site, run, robots):
    site.on("/robots.txt", robots)
    site.on("/rss", FEED)
    answer = one(wire, run, wire.source(site.url("/rss")), wire.source(site.url("/rss")), DOWNLOAD_TIMEOUT=0.5)
    assert answer.outcome is Outcome.FAILED
    assert "robots rules" in answer.reason
    assert site.paths() == ["/robots.txt"]


def test_the_last_good_copy_serves_for_a_day_while_the_host_does_not_answer(wire, site, run):
    site.robots("User-agent: *\nDisallow: /closed\n")
    site.on("/rss", FEED)
    state, closed = wire.source(site.url("/rss")), wire.source(site.url("/closed"))

    async def main():
        async with wire.running():
            await wire.visit(state)
            site.robots("", status=500)
            wire.clock.moved = timedelta(hours=25)
            await wire.visit(state, closed)
            wire.clock.moved = timedelta(hours=49)
            await wire.visit(state)
            site.robots("")
            wire.clock.moved = timedelta(hours=50)
            await wire.visit(state, closed)

    run(main())
    ok, failed, closed_outcome = Outcome.OK, Outcome.FAILED, Outcome.CLOSED
    assert [answer.outcome for answer in wire.answers] == [ok, ok, closed_outcome, failed, ok, failed]
    assert site.paths().count("/robots.txt") == 4
    assert wire.answers[-1].reason == "HTTP 404 Not Found"


def test_rules_are_asked_again_after_a_day_and_kept_between(wire, site, run):
    site.on("/rss", FEED)
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            for hours in (0, 1, 23, 25):
                wire.clock.moved = timedelta(hours=hours)
                await wire.visit(state)

    run(main())
    assert site.paths() == ["/robots.txt", "/rss", "/rss", "/rss", "/robots.txt", "/rss"]


def test_a_copy_that_comes_with_the_visit_or_from_the_keeper_is_used(wire, server, run):
    sites = [server.site(f"127.0.0.{number}") for number in (2, 3)]
    copies = [
        RobotsCopy(host=site.host, asked=datetime.now(UTC), status=200, text="User-agent: *\nDisallow: /rss")
        for site in sites
    ]
    wire.keeper.copies[sites[1].host] = copies[1]

    async def main():
        async with wire.running():
            await wire.visit(wire.source(sites[0].url("/rss")), robots=copies[0])
            await wire.visit(wire.source(sites[1].url("/rss")))

    run(main())
    assert [answer.outcome for answer in wire.answers] == [Outcome.CLOSED] * 2
    assert sites[0].requests == sites[1].requests == []


def test_concurrent_requests_wait_for_the_one_fetch(wire, server, run):
    """Ten hosts redirect to one at the same moment: its rules are asked once, before anything else there."""
    target = server.site("127.0.0.20")
    target.on("/robots.txt", faults.slow(0.2, Answer(body=b"User-agent: *\nDisallow: /no")))
    target.on("/yes", FEED)
    states = []
    for number in range(2, 12):
        site = server.site(f"127.0.0.{number}")
        site.on("/rss", Answer(status=302, headers={"Location": target.url("/yes" if number % 2 else "/no")}))
        states.append(wire.source(site.url("/rss"), outlet=f"o{number}"))

    async def main():
        async with wire.running():
            await asyncio.gather(*(wire.visit(state) for state in states))

    run(main())
    assert sorted(answer.outcome for answer in wire.answers) == [Outcome.CLOSED] * 5 + [Outcome.OK] * 5
    assert target.paths() == ["/robots.txt"] + ["/yes"] * 5
    assert target.most_at_once == 1


def test_redirect_targets_are_tested_on_the_same_host_too(wire, site, run):
    site.robots("User-agent: *\nDisallow: /closed")
    site.answer("/rss", status=301, headers={"Location": "/closed/rss"})
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome, site.paths()) == (Outcome.CLOSED, ["/robots.txt", "/rss"])


def test_a_publishers_permission_is_used_where_it_was_given_and_noted(wire, server, site, run):
    other = server.site("127.0.0.5")
    for each in (site, other):
        each.robots("User-agent: *\nDisallow: /")
    site.on("/rss", FEED)
    site.answer("/away", status=302, headers={"Location": other.url("/rss")})
    of = {"robots": "permitted: licence 2026-14"}
    answer = one(wire, run, wire.source(site.url("/rss"), of=of), wire.source(site.url("/away")))
    assert [each.outcome for each in wire.answers] == [Outcome.OK, Outcome.CLOSED]
    assert wire.answers[0].reason == "robots permitted: licence 2026-14"
    assert answer.reason.startswith("robots permitted: licence 2026-14; robots.txt of ")
    assert site.paths() == ["/rss", "/away"]


def test_a_page_is_tested_and_fetched_by_its_cleaned_address(wire, site, run):
    site.robots("User-agent: *\nDisallow: /*?traffic_source=")
    site.answer(
        "/a", headers={"Content-Type": "text/html"}, body="<html><body><article><h1>Head</h1></article></body></html>"
    )
    wire.source(site.url("/rss"), of={"tracking": ["traffic_source"]})
    page = PageDue(item="i", outlet="one", url=site.url("/a?traffic_source=rss"), host=site.host)
    answer = one(wire, run, page)
    assert answer.outcome is not Outcome.CLOSED
    assert (answer.page_of, answer.source, site.paths()) == ("i", "one/page", ["/robots.txt", "/a"])


def test_robots_txt_may_redirect_but_not_to_where_we_may_not_go(wire, server, site, run):
    other = server.site("127.0.0.5")
    other.answer("/r", body="User-agent: *\nDisallow: /rss")
    site.answer("/robots.txt", status=301, headers={"Location": other.url("/r")})
    assert one(wire, run, wire.source(site.url("/rss"))).outcome is Outcome.CLOSED
    wire.keeper.copies.clear()
    site.answer("/robots.txt", status=301, headers={"Location": "http://10.0.0.1/robots.txt"})
    assert one(wire, run, wire.source(site.url("/rss"))).outcome is Outcome.FAILED
    assert "/rss" not in site.paths()


def test_a_large_robots_txt_is_read_to_its_first_512_kib():
    text = "User-agent: *\nDisallow: /first\n" + "# filler\n" * 80_000 + "Disallow: /last\n"
    copy = learned("http://h:80", 200, text.encode(), None, NOW)
    assert len(copy.text) == 512 * 1024
    rules = in_force(copy, NOW)
    rules.check("http://h/last")
    with pytest.raises(Exception, match="Disallow: /first"):
        rules.check("http://h/first")


def test_a_crawl_delay_is_respected_up_to_a_minute():
    for written, delay in (("7", 7.0), ("3600", 60.0), ("-1", 0.0), ("soon", 0.0)):
        copy = learned("http://h:80", 200, f"User-agent: *\nCrawl-delay: {written}".encode(), None, NOW)
        assert in_force(copy, NOW).delay == delay
