"""The demo's configuration is a real folder, made from the shipped outlets, with every address on this machine."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from protego import Protego

from config.load import load, shipped
from config.model.whole import Config
from monitor.demo.day import Day
from monitor.demo.site import DemoSite
from monitor.demo.stage import demo_config
from monitor.stories.addresses import rules
from tests.monitor.demo.conftest import SetClock


@pytest.fixture
def staged(day: Day, clock: SetClock, tmp_path: Path) -> tuple[Config, dict[str, str], Path]:
    async def stage() -> tuple[Config, dict[str, str]]:
        async with DemoSite(day, clock) as site:
            config = demo_config(
                site,
                inbox_url="http://127.0.0.1:9/alerts",
                folder=tmp_path / "demo",
                page_address="127.0.0.1:8737",
            )
            return config, dict(site.bases)

    config, bases = asyncio.run(stage())
    return config, bases, tmp_path / "demo"


def test_the_folder_can_be_read_again_as_an_operators(staged: tuple[Config, dict[str, str], Path]) -> None:
    config, _bases, folder = staged
    again = load(folder)
    assert again.outlets == config.outlets
    assert again.watches == config.watches
    assert again.settings == config.settings
    assert again.concepts == load(None).concepts


def test_every_source_of_every_edition_is_on_loopback_and_exactly_these_ports_are_allowed(
    staged: tuple[Config, dict[str, str], Path], day: Day
) -> None:
    config, bases, _folder = staged
    assert set(config.outlets) == set(day.editions)
    for outlet in config.outlets.values():
        assert outlet.delay == timedelta()
        for source in outlet.source:
            assert source.url.startswith(bases[outlet.id] + "/")
            assert source.every is None
    assert set(config.settings.allow.fetch) == {urlsplit(base).netloc for base in bases.values()}


def test_paths_and_queries_stay_those_of_the_real_outlets(staged: tuple[Config, dict[str, str], Path]) -> None:
    config, bases, _folder = staged
    real = load(shipped())
    for outlet in config.outlets.values():
        theirs = {
            urlsplit(source.url)._replace(scheme="", netloc="").geturl() for source in real.outlets[outlet.id].source
        }
        ours = {source.id: source.url.removeprefix(bases[outlet.id]) for source in outlet.source}
        assert {address for name, address in ours.items() if name != "own-sitemap"} <= theirs


def test_every_feed_of_the_day_is_polled(staged: tuple[Config, dict[str, str], Path], day: Day) -> None:
    config, _bases, _folder = staged
    for outlet, edition in day.editions.items():
        assert set(edition.feeds) <= {urlsplit(source.url).path for source in config.outlets[outlet].source}


def test_a_source_that_robots_rules_close_is_among_them(staged: tuple[Config, dict[str, str], Path], day: Day) -> None:
    config, bases, _folder = staged
    sources = {source.id: source.url for source in config.outlets["reuters"].source}
    parsed = Protego.parse(day.editions["reuters"].robots)
    allowed = {name for name, url in sources.items() if parsed.can_fetch(url, "wirewatch-demo")}
    assert set(sources) - allowed == {"own-sitemap"}
    for outlet, edition in day.editions.items():
        open_to_us = Protego.parse(edition.robots)
        pages = [piece.link for piece in edition.pieces if piece.link.startswith("{base}")]
        for url in [*(bases[outlet] + path for path in edition.feeds), *pages]:
            assert open_to_us.can_fetch(url.replace("{base}", bases[outlet]), "wirewatch-demo"), url


def test_alerts_go_to_the_inbox_the_terminal_and_the_page(staged: tuple[Config, dict[str, str], Path]) -> None:
    config, _bases, _folder = staged
    channels = {channel.id: channel.url for channel in config.settings.channel}
    assert channels == {"inbox": "webhook:http://127.0.0.1:9/alerts", "terminal": "stdout", "page": "page"}
    assert config.settings.web.address == "127.0.0.1:8737"


def test_identity_works_on_loopback_pages_as_on_the_real_host(
    staged: tuple[Config, dict[str, str], Path], day: Day
) -> None:
    config, bases, _folder = staged
    for outlet in ("aljazeera-en", "aljazeera-ar"):
        rule = rules(config.outlets[outlet])
        for piece in day.editions[outlet].pieces:
            links = [piece.link + "?traffic_source=rss", *(again.link for again in piece.again)]
            compared = [rule.compared(link.replace("{base}", bases[outlet])) for link in links]
            ids = {rule.id_of(address) for address in compared if address is not None}
            assert len(ids) == 1, piece.key
            assert ids != {None}, piece.key
            assert all(address is not None and rule.own(address.host) for address in compared)


def test_the_same_folder_can_be_staged_twice(day: Day, clock: SetClock, tmp_path: Path) -> None:
    async def twice() -> None:
        for _ in range(2):
            async with DemoSite(day, clock) as site:
                demo_config(site, inbox_url="http://127.0.0.1:9/alerts", folder=tmp_path, page_address="127.0.0.1:8737")

    asyncio.run(twice())
    assert load(tmp_path).outlets
