"""A visit: one request at a time to a host, sources then pages, each answer filed before the report."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.model.sources import Outcome, PageDue, Validators
from spiders.visits import AFTER_TROUBLE
from tests.newsserver import Answer, faults, rss

BODY = rss([{"title": "One", "link": "http://example.org/1"}])
FEED = Answer(body=BODY, headers={"Content-Type": "application/rss+xml"})


def test_requests_go_one_at_a_time_in_order_with_the_delay_between(wire, server, run):
    first, second = server.site("127.0.0.2"), server.site("127.0.0.3")
    for site in (first, second):
        site.on("*", faults.slow(0.02, FEED))
    visits = [
        [wire.source(site.url(f"/{number}"), outlet=name, of={"delay": "1s"}) for number in range(2)]
        for site, name in ((first, "one"), (second, "two"))
    ]

    async def main():
        async with wire.running():
            return await asyncio.gather(*(wire.visit(*states) for states in visits))

    before = datetime.now(UTC)
    reports = run(main())
    for site, report in zip((first, second), reports, strict=True):
        assert site.paths() == ["/robots.txt", "/0", "/1"]
        assert site.most_at_once == 1
        gaps = [after.at - earlier.at for earlier, after in zip(site.requests, site.requests[1:], strict=False)]
        assert min(gaps) > 0.95
        assert report.requests == 3
        assert report.next_ok >= before + timedelta(seconds=3)


def test_a_crawl_delay_is_kept_and_told_to_the_schedule(wire, site, run):
    site.robots("User-agent: *\nCrawl-delay: 1")
    site.on("/rss", FEED)

    async def main():
        async with wire.running():
            return await wire.visit(wire.source(site.url("/rss"))), datetime.now(UTC)

    report, ended = run(main())
    assert site.requests[1].at - site.requests[0].at > 0.95
    assert report.next_ok > ended + timedelta(seconds=0.9)


def test_a_failing_source_leaves_the_others_alone_and_pages_come_last(wire, site, run):
    site.answer("/bad", status=500)
    site.on("/good", FEED)
    page = "<html><title>Head</title><body><article><h1>A head</h1><p>Some text here.</p></article></body></html>"
    site.answer("/page", headers={"Content-Type": "text/html"}, body=page)
    bad, good = wire.source(site.url("/bad")), wire.source(site.url("/good"))
    due = PageDue(item="item1", outlet="one", url=site.url("/page"), host=site.host)

    async def main():
        async with wire.running():
            return await wire.visit(bad, good, due)

    report = run(main())
    assert [answer.outcome for answer in wire.answers[:2]] == [Outcome.FAILED, Outcome.OK]
    assert (wire.answers[2].page_of, wire.answers[2].source, wire.answers[2].status) == ("item1", "one/page", 200)
    assert [arrival.due for arrival in wire.arrivals] == [bad, good, due]
    assert (report.requests, report.failure) == (4, "")
    assert wire.reader.tasks[-1].kind == "article"


def test_the_report_comes_after_the_last_pipeline_and_names_what_was_not_filed(wire, site, run):
    site.on("/a", FEED)
    site.on("/b", FEED)
    filed = []

    async def desk(arrival):
        await asyncio.sleep(0.05)
        if arrival.answer.source.endswith("s0"):
            raise OSError("disk full")
        filed.append(arrival)

    wire.arrivals = desk

    async def main():
        async with wire.running():
            report = await wire.visit(wire.source(site.url("/a")), wire.source(site.url("/b")))
            return report, len(filed), datetime.now(UTC)

    report, count, now = run(main())
    assert report.failure == "not filed: OSError: disk full"
    assert count == 1
    assert report.next_ok > now + timedelta(seconds=50)


def test_the_configured_user_agent_and_language_are_sent_with_robots_too(wire, site, run):
    site.on("/rss", FEED)

    async def main():
        async with wire.running():
            await wire.visit(wire.source(site.url("/rss"), of={"language": "he"}))

    run(main())
    agent = wire.config().settings.service.user_agent
    assert {seen.headers["user-agent"] for seen in site.requests} == {agent}
    assert site.requests[1].headers["accept-language"].startswith("he")


def sitemap(*urls):
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'.encode()


def index(*urls):
    entries = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>'.encode()


def test_the_children_of_a_sitemap_index_make_one_answer(wire, site, run):
    site.answer("/index.xml", body=index(*(site.url(f"/{number}.xml") for number in range(7))), etag='"index"')
    for number in range(7):
        site.answer(f"/{number}.xml", body=sitemap(site.url(f"/news/{number}")), etag='"child"')
    state = wire.source(site.url("/index.xml"), kind="sitemap")

    async def main():
        async with wire.running():
            first = await wire.ask(state)
            held = replace(state, validators=first.validators, last_plain=wire.clock.now())
            same = await wire.ask(held)
            site.answer("/3.xml", status=500)
            broken = await wire.ask(held)
            site.answer("/3.xml", body=sitemap(site.url("/news/new")))
            return first, same, broken, await wire.ask(held)

    first, same, broken, changed = run(main())
    assert (first.outcome, len(first.entries), len(wire.arrivals)) == (Outcome.OK, 5, 4)
    assert first.validators == Validators(body_hash=first.validators.body_hash)
    assert (same.outcome, same.validators) == (Outcome.UNCHANGED, first.validators)
    assert (broken.outcome, broken.validators, len(broken.entries)) == (Outcome.DEGRADED, first.validators, 4)
    assert "/3.xml: HTTP 500" in broken.reason
    assert changed.outcome is Outcome.OK
    assert changed.validators != first.validators
    assert site.paths()[:7] == ["/robots.txt", "/index.xml", *(f"/{number}.xml" for number in range(5))]


def test_a_source_taken_from_the_configuration_is_passed_over(wire, site, run):
    site.on("/rss", FEED)
    state = wire.source(site.url("/rss"))

    before = datetime.now(UTC)

    async def main():
        async with wire.running():
            gone = replace(state, id="one/gone")
            return await wire.visit(gone, replace(state, id="none/s0", outlet="none"))

    report = run(main())
    assert (report.requests, report.failure, wire.arrivals) == (0, "", [])
    assert report.next_ok >= before + AFTER_TROUBLE
