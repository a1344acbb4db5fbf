"""What statuses and redirects mean (faults 14 to 25)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scrapy.http import Response

from monitor.model.sources import Outcome, Validators
from spiders.middlewares import retry_after
from tests.newsserver import Answer, faults, rss

BODY = rss([{"title": "One", "link": "http://example.org/1"}])
FEED = Answer(body=BODY, headers={"Content-Type": "application/rss+xml"})
HELD = {"validators": Validators(etag='"held"', body_hash="held")}


def to(target, status=302):
    return Answer(status=status, headers={"Location": target})


def one(wire, run, state, **settings):
    async def main():
        async with wire.running(settings=settings):
            return await wire.ask(state)

    return run(main())


@pytest.mark.parametrize("content_type", ["text/html", "application/xml"])
def test_f014_a_web_page_is_not_a_feed(wire, site, run, content_type):
    page = "<!doctype html><html><head><title>Sorry</title></head><body><p>Something went wrong here.</p></body></html>"
    site.answer("/rss", headers={"Content-Type": content_type}, body=page)
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert (answer.outcome, answer.validators) == (Outcome.BLOCKED, HELD["validators"])
    assert "Something went wrong" in answer.excerpt


@pytest.mark.parametrize("status", [200, 403, 503])
def test_f015_a_challenge_is_named_whatever_its_status(wire, site, run, status):
    page = "<html><title>Just a moment...</title><body>Enable JavaScript and cookies to continue</body></html>"
    site.answer("/rss", status=status, headers={"Content-Type": "text/html"}, body=page)
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert answer.outcome is Outcome.BLOCKED
    assert "challenge" in answer.reason
    assert site.paths().count("/rss") == 1


def test_f016_a_consent_wall_on_another_host_is_named(wire, server, site, run):
    wall = server.site("127.0.0.5")
    wall.answer("/ask", headers={"Content-Type": "text/html"}, body="<html><body>We value your privacy</body></html>")
    site.on("/rss", to(wall.url("/ask")))
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome, answer.moved_to) == (Outcome.BLOCKED, None)
    assert "consent" in answer.reason


@pytest.mark.parametrize("script", [{"/rss": "/rss"}, {"/rss": "/b", "/b": "/rss"}])
def test_f017_a_loop_ends_after_five_hops(wire, site, run, script):
    for path, target in script.items():
        site.on(path, to(site.url(target)))
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert answer.outcome is Outcome.FAILED
    assert answer.reason.startswith("redirected more than 5 times")
    assert len(site.requests) == 1 + 6


def test_f017_slow_hops_share_one_deadline(wire, site, run):
    site.on("/rss", faults.slow(0.25, to(site.url("/rss"))))
    answer = one(wire, run, wire.source(site.url("/rss")), DOWNLOAD_TIMEOUT=0.6)
    assert answer.outcome is Outcome.FAILED
    assert "deadline" in answer.reason
    assert site.paths().count("/rss") < 5


@pytest.mark.parametrize("status", [301, 308])
def test_f018_a_permanent_move_is_followed_and_its_target_told(wire, site, run, status):
    site.on("/old", to("/new", status))
    site.on("/new", FEED)
    state = wire.source(site.url("/old"), state={**HELD, "last_plain": wire.clock.now()})
    answer = one(wire, run, state)
    assert (answer.outcome, answer.moved_to, answer.url) == (Outcome.OK, site.url("/new"), site.url("/old"))
    assert answer.final_url == site.url("/new")
    asked = {seen.path: seen.headers.get("if-none-match") for seen in site.requests}
    assert asked == {"/robots.txt": None, "/old": '"held"', "/new": None}


def test_f018_validators_go_along_a_move_that_was_followed_before(wire, site, run):
    site.on("/old", to("/new", 301))
    site.answer("/new", body=BODY, etag='"held"')
    state = wire.source(
        site.url("/old"), state={**HELD, "last_plain": wire.clock.now(), "moved_to": site.url("/new")}
    )  # fmt: skip
    answer = one(wire, run, state)
    assert (answer.outcome, answer.moved_to) == (Outcome.UNCHANGED, site.url("/new"))


@pytest.mark.parametrize("status", [302, 303, 307])
def test_f019_a_temporary_move_is_followed_and_never_told(wire, site, run, status):
    site.on("/rss", to("/elsewhere", status))
    site.on("/elsewhere", FEED)
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome, answer.moved_to) == (Outcome.OK, None)


def test_f019_a_permanent_move_behind_a_temporary_one_is_not_told(wire, site, run):
    site.on("/rss", to("/a", 302))
    site.on("/a", to("/b", 301))
    site.on("/b", FEED)
    assert one(wire, run, wire.source(site.url("/rss"))).moved_to is None


def test_f020_validators_do_not_follow_to_another_host_and_downgrades_are_refused(wire, server, site, run):
    other = server.site("127.0.0.5")
    other.on("/rss", FEED)
    site.on("/rss", to(other.url("/rss")))
    answer = one(wire, run, wire.source(site.url("/rss"), state={**HELD, "last_plain": wire.clock.now()}))
    assert answer.outcome is Outcome.OK
    assert "if-none-match" not in other.requests[-1].headers
    assert not {"cookie", "authorization", "referer"} & {name for seen in other.requests for name in seen.headers}


@pytest.mark.parametrize("status", [401, 403, 404, 500, 599])
def test_f021_a_refusal_is_a_failure_with_its_status(wire, site, run, status):
    site.answer("/rss", status=status, body="<p>no</p>")
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert (answer.outcome, answer.status, answer.validators) == (Outcome.FAILED, status, HELD["validators"])
    assert answer.reason.startswith(f"HTTP {status}")
    assert site.paths() == ["/robots.txt", "/rss"]


def test_f022_gone_is_gone(wire, site, run):
    site.answer("/rss", status=410, body="<html>gone</html>")
    assert one(wire, run, wire.source(site.url("/rss"))).outcome is Outcome.GONE


def test_f023_a_redirect_to_a_host_that_waits_does_not_knock_at_the_first_one_again_and_again(wire, server, site, run):
    waits = server.site("127.0.0.6")
    waits.answer("/busy", status=429, headers={"Retry-After": "7200"})
    site.on("/rss", to(waits.url("/busy")))
    told, led = wire.source(waits.url("/busy")), wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            return await wire.ask(told), await wire.ask(led)

    first, second = run(main())
    assert second.outcome is Outcome.FAILED
    assert second.not_before == first.not_before, "the source is not due before its redirect's target may be asked"


def test_f116_a_wish_grows_no_longer_when_the_clock_is_set_back(wire, site, run):
    site.answers("/rss", Answer(status=429, headers={"Retry-After": "120"}), FEED)
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            await wire.visit(state)
            wire.clock.moved = timedelta(days=-1)
            refused = await wire.visit(state)
            wire.clock.moved += timedelta(seconds=130)
            return refused, await wire.visit(state)

    refused, asked = run(main())
    assert (refused.requests, asked.requests) == (0, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_f023_retry_after_holds_for_all_sources_of_the_host(wire, site, run, status):
    site.answer("/a", status=status, headers={"Retry-After": "120"})
    site.on("/b", FEED)
    first, second = wire.source(site.url("/a")), wire.source(site.url("/b"))

    async def main():
        async with wire.running():
            report = await wire.visit(first, second)
            again = await wire.visit(second)
            wire.clock.moved = timedelta(seconds=121)
            await wire.visit(second)
            return report, again

    before = datetime.now(UTC)
    report, again = run(main())
    assert [(answer.source, answer.outcome) for answer in wire.answers] == [
        ("one/s0", Outcome.FAILED), ("one/s1", Outcome.OK)
    ]  # fmt: skip
    asked_for = wire.answers[0].not_before
    assert asked_for is not None
    assert timedelta(seconds=119) < asked_for - before < timedelta(seconds=130)
    assert report.next_ok >= asked_for
    assert (report.failure, report.requests, again.requests) == ("", 2, 0)
    assert site.paths() == ["/robots.txt", "/a", "/b"]


def wish(headers, now):
    return retry_after.wish(Response("http://a.example/", status=429, headers=headers), now)


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_f024_a_date_counts_from_the_servers_own_clock():
    server = NOW + timedelta(days=1)
    headers = {"Date": format_datetime(server), "Retry-After": format_datetime(server + timedelta(minutes=2))}
    assert wish(headers, NOW) == NOW + timedelta(minutes=2)
    assert wish({"Retry-After": "Tue, 24 Nov 2026 12:02:00 GMT"}, NOW) == NOW + timedelta(minutes=2)


@pytest.mark.parametrize("text", ["999999999", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_f025_a_huge_wish_is_a_day(text):
    assert wish({"Retry-After": text}, NOW) == NOW + timedelta(hours=24)


@pytest.mark.parametrize(
    "text", ["-5", "soon", "", "0", "1.5", "٣", "Mon, 99 Foo 2026", "Tue, 24 Nov 2020 12:02:00 GMT"]
)
def test_f025_nonsense_is_no_wish(text):
    assert wish({"Retry-After": text}, NOW) is None


def test_a_429_without_a_date_ends_the_visit_politely(wire, site, run):
    site.answer("/a", status=429)
    site.on("/b", FEED)

    async def main():
        async with wire.running():
            return await wire.visit(wire.source(site.url("/a")), wire.source(site.url("/b")))

    report = run(main())
    assert site.paths() == ["/robots.txt", "/a"]
    assert report.next_ok > datetime.now(UTC) + timedelta(minutes=4)
    assert wire.answers[0].not_before is None


def test_an_answer_says_what_was_asked_and_how_long_it_took(wire, site, run):
    site.on("/rss", FEED)
    answer = one(wire, run, replace(wire.source(site.url("/rss"))))
    assert (answer.source, answer.outlet, answer.status, answer.size) == ("one/s0", "one", 200, len(BODY))
    assert answer.at.tzinfo is not None
    assert answer.seconds > 0
