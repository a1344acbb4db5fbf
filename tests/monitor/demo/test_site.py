"""The loopback site answers as a good server does, and misbehaves in the hours of the script only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime, parsedate_to_datetime

import aiohttp
import pytest

from monitor.demo.day import Day
from monitor.demo.site import DemoSite
from tests.monitor.demo.conftest import SetClock

BBC = "/news/world/middle_east/rss.xml"
Get = Callable[..., Awaitable[tuple[int, Mapping[str, str], str]]]
Play = Callable[[DemoSite, Get], Awaitable[None]]


def play(day: Day, clock: SetClock, work: Play) -> DemoSite:
    """Run ``work`` against the site; returns the closed site with what it counted."""

    async def run() -> DemoSite:
        async with DemoSite(day, clock) as site, aiohttp.ClientSession() as session:

            async def get(outlet: str, path: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                async with session.get(site.base(outlet) + path, headers=named) as answer:
                    return answer.status, answer.headers.copy(), await answer.text()

            await work(site, get)
        return site

    return asyncio.run(run())


def test_each_outlet_has_a_port_of_its_own_on_loopback(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        assert len(set(site.bases.values())) == len(day.editions)
        assert all(base.startswith("http://127.0.0.1:") for base in site.bases.values())

    play(day, clock, work)


def test_every_feed_and_every_robots_txt_is_served(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        for outlet, edition in day.editions.items():
            status, headers, text = await get(outlet, "/robots.txt")
            assert (status, text) == (200, edition.robots)
            for path in edition.feeds:
                status, headers, text = await get(outlet, path + "?format=rss")
                assert status == 200
                assert "xml" in headers["Content-Type"]
                assert text.startswith("<?xml")

    site = play(day, clock, work)
    assert sum(counts["feed"] for counts in site.served.values()) == sum(len(e.feeds) for e in day.editions.values())


def test_an_unchanged_feed_answers_304_to_either_validator(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        _status, first, _text = await get("bbc", BBC)
        status, headers, text = await get("bbc", BBC, If_None_Match=first["ETag"])
        assert (status, text, headers["ETag"]) == (304, "", first["ETag"])
        assert (await get("bbc", BBC, If_None_Match=f'"other", W/{first["ETag"]}'))[0] == 304
        assert (await get("bbc", BBC, If_Modified_Since=first["Last-Modified"]))[0] == 304

    assert play(day, clock, work).served["bbc"] == {"feed": 1, "unchanged": 3}


def test_a_changed_feed_answers_whole_and_the_etag_decides_alone(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        _status, first, _text = await get("bbc", BBC)
        clock.at(6, 30)
        assert (await get("bbc", BBC, If_None_Match=first["ETag"]))[0] == 200
        assert (await get("bbc", BBC, If_Modified_Since=first["Last-Modified"]))[0] == 200
        later = format_datetime(parsedate_to_datetime(first["Last-Modified"]).replace(year=2030), usegmt=True)
        assert (await get("bbc", BBC, If_None_Match=first["ETag"], If_Modified_Since=later))[0] == 200

    play(day, clock, work)


@pytest.mark.parametrize("date", ["yesterday", "", "Tue, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_cannot_be_read_makes_no_304(day: Day, clock: SetClock, date: str) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        assert (await get("bbc", BBC, If_Modified_Since=date))[0] == 200

    play(day, clock, work)


def test_article_pages_exist_from_their_hour_and_only_where_the_edition_has_pages(day: Day, clock: SetClock) -> None:
    guide = next(piece for piece in day.pieces if piece.key == "aljazeera-en/guide")
    arabic = next(piece for piece in day.pieces if piece.key == "aljazeera-ar/arrival")

    async def work(site: DemoSite, get: Get) -> None:
        path = guide.link.replace("{base}", "")
        assert (await get("aljazeera-en", path))[0] == 404
        clock.at(12)
        status, headers, text = await get("aljazeera-en", path)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert '"articleBody": "The evening session in Doha' in text
        assert f'rel="canonical" href="{site.base("aljazeera-en")}{path}"' in text
        assert (await get("aljazeera-ar", arabic.link.replace("{base}", "")))[0] == 200
        assert (await get("bbc", "/news/articles/c1demo00001o"))[0] == 404

    assert play(day, clock, work).served["aljazeera-en"] == {"missing": 1, "page": 1}


def test_a_dead_outlet_drops_every_connection_in_its_hours_and_comes_back(day: Day, clock: SetClock) -> None:
    path = "/Integration/StoryRss3082.xml"

    async def work(site: DemoSite, get: Get) -> None:
        clock.at(9, 29)
        assert (await get("ynetnews", path))[0] == 200
        clock.at(9, 30)
        for each in (path, "/robots.txt"):
            with pytest.raises(aiohttp.ClientConnectionError):
                await get("ynetnews", each)
        clock.at(13, 0)
        assert (await get("ynetnews", path))[0] == 200

    counts = play(day, clock, work).served["ynetnews"]
    assert counts["feed"] == 2
    assert counts["dead"] >= 2  # the client may try once more


def test_a_challenged_outlet_answers_403_with_a_page_but_gives_robots_txt(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        clock.at(15)
        status, headers, text = await get("ap", "/news-sitemap-content.xml")
        assert (status, headers["cf-mitigated"]) == (403, "challenge")
        assert "Just a moment" in text
        assert (await get("ap", "/robots.txt"))[0] == 200
        clock.at(16, 30)
        assert (await get("ap", "/news-sitemap-content.xml"))[0] == 200

    assert play(day, clock, work).served["ap"] == {"challenge": 1, "robots": 1, "feed": 1}


def test_a_failing_outlet_answers_500(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        clock.at(11, 10)
        assert (await get("haaretz-he", "/srv/rss---feedly"))[0] == 500

    play(day, clock, work)


def test_what_was_shown_is_known_by_piece_and_headline(day: Day, clock: SetClock) -> None:
    async def work(site: DemoSite, get: Get) -> None:
        for hour in (10, 14):
            clock.at(hour)
            await get("bbc", BBC)

    shown = play(day, clock, work).shown
    assert shown["bbc/c1demo00004o"] == {
        "Mediators propose release of 10 hostages in first phase",
        "Mediators propose release of 12 hostages in first phase",
    }
    assert "bbc/c1demo00006o" not in shown  # published later
    assert "ynet/hkdemo00001" not in shown  # nobody asked
