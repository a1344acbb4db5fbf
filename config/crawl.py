"""Scrapy's settings: the stages an answer passes, and every limit, in one place.

Scrapy 2.19 ships with TLS unverified, ``file:`` allowed, bodies of 1 GiB, a remote-control port, and retries on 429
(read in its source); ``tests/spiders/test_settings.py`` asserts what is in force in a crawler of our own start-up.
"""

from __future__ import annotations

from typing import Any

MOST_BODY = 16 * 1024 * 1024  # bytes, decoded; a source's file may raise its own (``max_bytes``)
DEADLINE = 30.0  # seconds for a whole exchange: name, connection, headers, body (F5, F6)
MOST_REDIRECTS = 5

BOT_NAME = "wirewatch"
USER_AGENT = "wirewatch/0.1 (+https://example.org/contact)"  # the configuration's stands in each request
SPIDER_MODULES: list[str] = []
SPIDER_LOADER_CLASS = "spiders.spider.OutletLoader"

# --- the path of an answer

ITEM_PIPELINES = {
    "spiders.pipelines.Normalise": 100,
    "spiders.pipelines.Identify": 200,
    "spiders.pipelines.Match": 300,
    "spiders.pipelines.File": 400,
}
CONCURRENT_ITEMS = 1  # an item is a whole answer; more only start tasks (measured: twice the cost)

# --- the manners of a request, first to last on the way out, last to first on the way back

DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    "spiders.middlewares.address.AddressMiddleware": 100,
    "spiders.middlewares.retry_after.RetryAfterMiddleware": 200,
    "spiders.middlewares.robots.RobotsMiddleware": 300,
    "spiders.middlewares.redirect.RedirectMiddleware": 400,
    "spiders.middlewares.conditional.ConditionalMiddleware": 500,
    "spiders.middlewares.decoding.DecodingMiddleware": 600,
    # Scrapy's own are replaced by ours or not wanted; nothing is left to a default that may change.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": None,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": None,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,  # what failed is asked again by the schedule
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,  # a proxy would connect past the guard
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
}
SPIDER_MIDDLEWARES: dict[str, int | None] = {
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
}
DOWNLOAD_HANDLERS: dict[str, str | None] = {
    "http": "spiders.download.Handler",
    "https": "spiders.download.Handler",
    "file": None,
    "ftp": None,
    "s3": None,
    "data": None,
}

# --- limits

DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_TLS_MIN_VERSION = "TLSv1.2"
DOWNLOAD_TIMEOUT = DEADLINE
DOWNLOAD_MAXSIZE = MOST_BODY
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = False  # a cut body is still read, and marked (F8)
REDIRECT_MAX_TIMES = MOST_REDIRECTS
CONCURRENT_REQUESTS = 0  # bounded by visits, see ResidentCrawler
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 2.0
DOWNLOAD_DELAY_JITTER = 0.0  # a publisher's delay is a lower limit, not an average
REACTOR_THREADPOOL_MAXSIZE = 32  # look-ups of names wait in threads; one that never answers holds one (F1)
TWISTED_DNS_RESOLVER = "spiders.guard.GuardedResolver"  # counts for the ``scrapy`` command only, see spiders/guard.py
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
SCHEDULER_PRIORITY_QUEUE = "scrapy.pqueues.ScrapyPriorityQueue"  # the default scans every host at each pop

# --- what stays off

COOKIES_ENABLED = False
REDIRECT_ENABLED = False  # ours: robots rules, guard and memory of permanent moves at every hop
METAREFRESH_ENABLED = False
RETRY_ENABLED = False
RETRY_HTTP_CODES: list[int] = []
ROBOTSTXT_OBEY = False  # ours, which waits for the rules; Scrapy's lets concurrent requests through before
COMPRESSION_ENABLED = False  # ours, bounded and by content
HTTPPROXY_ENABLED = False
HTTPCACHE_ENABLED = False
REFERER_ENABLED = False
AUTOTHROTTLE_ENABLED = False
AJAXCRAWL_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
MEMUSAGE_ENABLED = False
DOWNLOADER_STATS = False

# --- quiet

LOG_LEVEL = "WARNING"
LOGSTATS_INTERVAL = 0.0
STATS_DUMP = False
LOG_FORMATTER = "spiders.spider.Quiet"
FEED_EXPORT_ENCODING = "utf-8"


def settings(**overrides: Any) -> dict[str, Any]:
    """The whole of this module as a mapping, for a crawler that is started without the ``scrapy`` command."""
    return {name: value for name, value in globals().items() if name.isupper()} | overrides
