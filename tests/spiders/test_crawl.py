"""The resident crawler: start, renewal, errors, stop. No visit is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path

from monitor.model.sources import Outcome
from spiders import guard
from spiders.crawl import install_reactor
from tests.newsserver import Answer, faults, rss

ROOT = Path(__file__).parents[2]
BODY = rss([{"title": "One", "link": "http://example.org/1"}])
FEED = Answer(body=BODY, headers={"Content-Type": "application/rss+xml"})


def test_a_visit_before_start_or_after_stop_is_reported_not_lost(wire, site, run):
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            assert wire.crawler.alive
        assert not wire.crawler.alive
        return await wire.visit(state)

    assert run(main()).failure == "the crawler is stopped"
    assert site.requests == []


def test_renewal_finishes_what_is_under_way_and_takes_what_comes(wire, server, run):
    slow, quick = server.site("127.0.0.2"), server.site("127.0.0.3")
    slow.on("/rss", faults.slow(0.6, FEED))
    quick.on("/rss", FEED)
    first, then = wire.source(slow.url("/rss"), outlet="slow"), wire.source(quick.url("/rss"), outlet="quick")

    async def main():
        async with wire.running(renewed=0.2):
            under_way = asyncio.create_task(wire.visit(first))
            crawler = wire.crawler._current
            while wire.crawler._current is crawler:
                await asyncio.sleep(0.01)
            after = await wire.visit(then)
            return await under_way, after

    before, after = run(main())
    assert (before.failure, after.failure) == ("", "")
    assert sorted(answer.outcome for answer in wire.answers) == [Outcome.OK, Outcome.OK]


def test_a_crawler_that_dies_is_replaced_and_its_visits_are_reported(wire, server, run, caplog):
    stalled, quick = server.site("127.0.0.2"), server.site("127.0.0.3")
    stalled.on("/rss", faults.stall)
    quick.on("/rss", FEED)
    first, then = wire.source(stalled.url("/rss"), outlet="slow"), wire.source(quick.url("/rss"), outlet="quick")

    async def main():
        async with wire.running(settings={"DOWNLOAD_TIMEOUT": 0.5}, retried=0.01):
            crawler = wire.crawler._current
            under_way = asyncio.create_task(wire.visit(first))
            while not stalled.paths()[1:]:
                await asyncio.sleep(0.01)
            await crawler._crawler.engine.close_spider_async(reason="broken on purpose")
            lost = await under_way
            while wire.crawler._current is crawler:
                await asyncio.sleep(0.01)
            return lost, await wire.visit(then)

    lost, served = run(main())
    assert lost.host == stalled.host
    assert served.failure == ""
    assert wire.answers[-1].outcome is Outcome.OK
    assert "crawler ended by itself" in caplog.text


def test_a_crawler_that_cannot_start_is_tried_again(wire, site, run, caplog):
    site.on("/rss", FEED)
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running(retried=0.01):
            dead = wire.crawler._current
            wire.crawler._settings["SCHEDULER"] = "nowhere.Nothing"
            await dead._crawler.engine.close_spider_async(reason="broken on purpose")
            while "cannot start" not in caplog.text:
                await asyncio.sleep(0.01)
            refused, alive = await wire.visit(state), wire.crawler.alive
            del wire.crawler._settings["SCHEDULER"]
            while not wire.crawler.alive:
                await asyncio.sleep(0.01)
            return refused, alive, await wire.visit(state)

    refused, alive, served = run(main())
    assert (refused.failure, alive, served.failure) == ("the crawler is being renewed", False, "")


def test_a_bug_in_one_visit_is_reported_and_the_crawler_goes_on(wire, site, run, caplog):
    site.on("/rss", FEED)

    class Broken:
        async def read(self, task):
            raise ZeroDivisionError("a bug")

    good, wire.reader = wire.reader, Broken()
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            broken = await wire.visit(state)
            wire.crawler._equipment.workers.read = good.read
            return broken, await wire.visit(state), wire.crawler.alive

    broken, well, alive = run(main())
    assert broken.failure == "ZeroDivisionError: a bug"
    assert (well.failure, alive) == ("", True)
    assert "visit broke off" in caplog.text


def test_f141_stop_keeps_to_its_grace_and_reports_what_it_broke_off(wire, site, run, loop):
    site.on("/rss", faults.stall)
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running(grace=0.2):
            under_way = asyncio.create_task(wire.visit(state))
            while not site.paths()[1:]:
                await asyncio.sleep(0.01)
            began = loop.time()
        return await under_way, loop.time() - began

    report, took = run(main())
    assert report.failure == "the crawler was stopped"
    assert took < 5  # of a deadline of thirty
    assert wire.arrivals == []


def test_stop_lets_what_is_under_way_end(wire, site, run):
    site.on("/rss", faults.slow(0.3, FEED))
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running(grace=5):
            under_way = asyncio.create_task(wire.visit(state))
            while not site.paths()[1:]:
                await asyncio.sleep(0.01)
        return await under_way

    assert run(main()).failure == ""
    assert wire.answers[0].outcome is Outcome.OK


def test_500_visits_leak_no_descriptors(wire, server, run):
    sites = [server.site(f"127.0.0.{number}") for number in range(2, 12)]
    for site in sites:
        site.answer("/rss", status=200, body=BODY, headers={"Connection": "close"}, etag='"a"')
        site.robots("")
    states = [wire.source(site.url("/rss"), outlet=f"o{number}") for number, site in enumerate(sites)]

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def main():
        async with wire.running():
            await asyncio.gather(*(wire.visit(state) for state in states))
            before = descriptors()
            for _ in range(50):
                await asyncio.gather(*(wire.visit(state) for state in states))
            for _ in range(100):
                if descriptors() <= before:
                    break
                await asyncio.sleep(0.02)
            return before, descriptors()

    before, after = run(main())
    assert len(wire.arrivals) == 510
    assert after <= before + 2 * len(sites)  # connections kept for a moment, on both ends


START_UP = """
    import asyncio, sys
    from config.model.outlets import Outlet
    from config.model.settings import Settings
    from config.model.whole import Config
    from monitor.clock import SystemClock
    from monitor.model.sources import SourceState, Visit
    from spiders.crawl import ResidentCrawler, run
    from spiders.readers import read
    from spiders.spider import Forgetful

    class Reader:
        async def read(self, task):
            return read(task)

    class Collect:
        def __init__(self, crawler): self.crawler = crawler
        @classmethod
        def from_crawler(cls, crawler): return cls(crawler)
        def process_item(self, item):
            self.crawler.spider.desk.append(item.answer)
            return item

    async def main():
        allowed, *urls = sys.argv[1:]
        sources = [dict(id=f"s{n}", kind="feed", url=url) for n, url in enumerate(urls)]
        outlet = Outlet.model_validate(dict(
            id="one", name="one", home="https://example.org", language="en", time_zone="UTC", access="feed", why="test",
            delay="0s", robots="permitted: test", source=sources))
        config = Config(settings=Settings.model_validate(dict(allow=dict(fetch=[allowed]))), outlets=dict(one=outlet),
                        watches={}, concepts={})
        answers, clock = [], SystemClock()
        crawler = ResidentCrawler(config=lambda: config, hosts=Forgetful(), workers=Reader(), desk=answers, clock=clock,
                                  settings=dict(ITEM_PIPELINES={Collect: 1}))
        await crawler.start()
        for n, url in enumerate(urls):
            state = SourceState(id=f"one/s{n}", outlet="one", url=url, host="h", next_due=clock.now())
            await crawler.visit(Visit(host="h", fence=n, sources=(state,)))
        await crawler.stop(5)
        for answer in answers:
            print(answer.outcome, answer.reason, sep="|")
        return 7

    sys.exit(run(main))
"""


def test_f095_the_guard_is_on_in_the_services_own_start_up(server, tmp_path):
    """In a process of its own, by `spiders.crawl.run`, with nothing installed by a test."""
    allowed, canary = server.site("127.0.0.2"), server.site("127.0.0.3")
    allowed.on("/rss", FEED)
    port = canary.port
    inside = [
        f"http://127.0.0.3:{port}/rss", f"http://localhost:{port}/rss", f"http://[::ffff:127.0.0.3]:{port}/rss",
        f"http://2130706435:{port}/rss", f"http://127.3:{port}/rss", f"http://0x7f.3:{port}/rss",
        f"http://127.0.0.3.:{port}/rss", f"http://[::1]:{port}/rss",
    ]  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(START_UP), allowed.netloc, allowed.url("/rss"), *inside],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 7, ended.stderr
    first, *rest = ended.stdout.splitlines()
    assert first.startswith("ok|")
    assert len(rest) == len(inside)
    assert all(line.startswith("failed|robots permitted: test; address refused: ") for line in rest), rest
    assert canary.requests == []
    assert ended.stderr == ""


def test_without_the_guard_nothing_starts_and_an_error_in_main_is_raised():
    script = """
        from spiders import crawl, guard
        async def main():
            from twisted.internet import reactor
            reactor.installNameResolver(guard.installed().original_resolver)
            guard.installed()
        crawl.run(main)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith(
        "RuntimeError: no address guard is installed on the reactor: start through spiders.crawl"
    )


def test_installing_the_reactor_again_changes_nothing(loop):
    before = guard.installed()
    install_reactor()
    assert guard.installed() is before
