"""A loopback news server that misbehaves on request: raw sockets on 127.0.x.y, one behaviour a path.

::

    with NewsServer() as server:
        site = server.site("127.0.0.2")
        site.feed("/rss", [("A deal is near", "/a")])          # a whole feed; answers 304 when it may
        site.answer("/old", status=301, headers={"Location": site.url("/rss")})
        site.answers("/flaky", Answer(status=503), Answer(body=b"..."))   # in turn; the last one stays
        site.on("/drip", faults.drip(b"...", every=0.5))       # see tests/newsserver/faults.py
        ...
        assert [seen.path for seen in site.requests] == ["/robots.txt", "/rss"]

It runs in a thread of its own, so that tests, subprocesses and event loops can talk to it alike. All sites share one
port; addresses act as hosts. ``server.allow`` lists exactly their ``host:port`` for ``[allow] fetch``.
"""

from tests.newsserver.server import Answer, NewsServer, Seen, Site, Wire, rss

__all__ = ["Answer", "NewsServer", "Seen", "Site", "Wire", "rss"]
