"""Scrapy's defaults are not ours: what is in force in a crawler of our own start-up, not what a file says."""

from __future__ import annotations

import pytest
from scrapy import Request
from twisted.internet.tcp import Port

FORBIDDEN = ("file:///etc/passwd", "ftp://example.org/a", "s3://bucket/a", "data:text/plain,a", "gopher://example.org/")


@pytest.fixture
def crawler(wire, run):
    async def main():
        async with wire.running(settings={}):
            yielded = wire.crawler._current._crawler
            return (
                yielded,
                yielded.settings.copy(),
                list(yielded.engine.downloader.middleware.middlewares),
                list(yielded.engine.scraper.spidermw.middlewares),
                list(yielded.extensions.middlewares),
                dict(yielded.engine.downloader.handlers._schemes),
            )

    return run(main())


def test_every_limit_is_in_force(crawler):
    settings = crawler[1]
    expected = {
        "DOWNLOAD_VERIFY_CERTIFICATES": True, "DOWNLOAD_MAXSIZE": 16 * 1024 * 1024, "DOWNLOAD_TIMEOUT": 30.0,
        "REDIRECT_MAX_TIMES": 5, "METAREFRESH_ENABLED": False, "COOKIES_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False, "RETRY_ENABLED": False, "RETRY_HTTP_CODES": [], "REFERER_ENABLED": False,
        "AJAXCRAWL_ENABLED": False, "HTTPCACHE_ENABLED": False, "HTTPPROXY_ENABLED": False, "CONCURRENT_ITEMS": 1,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY_JITTER": 0.0, "DOWNLOAD_FAIL_ON_DATALOSS": False,
        "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.ScrapyPriorityQueue", "STATS_DUMP": False, "LOG_LEVEL": "WARNING",
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "DOWNLOAD_TLS_MIN_VERSION": "TLSv1.2",
    }  # fmt: skip
    assert {name: settings[name] for name in expected} == expected


def test_only_our_own_manners_are_loaded_in_their_order(crawler):
    names = [type(each).__name__ for each in crawler[2]]
    assert names == [
        "AddressMiddleware", "RetryAfterMiddleware", "RobotsMiddleware", "RedirectMiddleware", "ConditionalMiddleware",
        "DecodingMiddleware",
    ]  # fmt: skip
    assert {type(each).__module__.split(".")[0] for each in crawler[2]} == {"spiders"}
    assert "RefererMiddleware" not in {type(each).__name__ for each in crawler[3]}
    extensions = {type(each).__name__ for each in crawler[4]}
    assert not extensions & {"TelnetConsole", "RemoteControl", "MemoryUsage", "AutoThrottle", "LogStats"}


def test_f100_no_handler_exists_but_for_http_and_https(crawler):
    assert set(crawler[5]) == {"http", "https"}


def test_f100_a_forbidden_scheme_ends_at_the_address(wire, site, run):
    async def main():
        async with wire.running():
            engine = wire.crawler._current._crawler.engine
            seen = []
            for url in FORBIDDEN:
                with pytest.raises(Exception, match="only http and https") as refused:
                    await engine.download_async(Request(url, meta={"delay": 0}))
                seen.append(refused.typename)
            return seen

    assert run(main()) == ["AddressRefused"] * len(FORBIDDEN)


def test_nothing_listens_while_a_crawler_runs(wire, run):
    from twisted.internet import reactor  # noqa: PLC0415  (it has to be installed first)

    async def main():
        async with wire.running():
            return [reader for reader in reactor.getReaders() if isinstance(reader, Port)]

    assert run(main()) == []
