"""The download handler: Scrapy's, with what it leaves open closed.

- one TLS context for all connections (building one reads every root certificate: 22 ms each, measured);
- headers are counted and refused above 64 KiB (F10);
- a connection that the guard refused says so, instead of "no such name";
- each request that goes out is counted for its visit, robots.txt included;
- a host with one address is connected to there: Twisted's race of addresses costs a seventh of a poll (measured).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from OpenSSL import SSL
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
    _ScrapyAgent,
)
from scrapy.exceptions import CannotResolveHostError, DownloadCancelledError
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet._sslverify import ClientTLSOptions, _verifyCB
from twisted.internet.address import IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IResolutionReceiver, IStreamClientEndpoint
from twisted.internet.ssl import CertificateOptions, platformTrust
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.iweb import IAgentEndpointFactory, IPolicyForHTTPS
from zope.interface import implementer  # type: ignore[import-untyped]

from monitor.errors import AddressRefused
from spiders import guard
from spiders.middlewares.decoding import TooLarge

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.interfaces import IAddress, IHostResolution, IProtocolFactory
    from twisted.web._newclient import HTTP11ClientProtocol
    from twisted.web.client import URI
    from twisted.web.iweb import IResponse

MOST_HEADERS = 64 * 1024
KEEP_ALIVE = 20
"""Seconds an idle connection is kept: longer than the pause inside a visit, shorter than between two polls."""


class HeadersTooLarge(Exception):
    """The header section went over the limit."""

    def __init__(self) -> None:
        super().__init__(f"headers larger than {MOST_HEADERS} bytes")


class _Parser(_LenientHTTPClientParser):
    """Scrapy's lenient parser, counting; interim responses (1xx) count too, so that they cannot go on for ever."""

    MAX_LENGTH = MOST_HEADERS
    seen = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        self.seen += len(line) + 1
        if self.seen > MOST_HEADERS:
            raise HeadersTooLarge
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        raise HeadersTooLarge


class _Protocol(_LenientHTTP11ClientProtocol):
    def request(self, request: Any) -> Deferred[IResponse]:
        answered = super().request(request)
        if self._parser is not None:
            self._parser.__class__ = _Parser  # as Scrapy does in the class above, which hard-codes its own
        return answered


class _Factory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:  # noqa: N802
        return _Protocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class CertificateRefused(Exception):
    """A certificate that does not verify; the message says what is wrong with it (F7)."""


_WHAT_IS_WRONG = {  # X509_V_ERR_… of OpenSSL
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "leads to an authority that is not trusted",
    20: "leads to an authority that is not known",
    21: "comes without the certificates that lead to its authority",
}


class _Verified(ClientTLSOptions):
    """Twisted's verification, naming what it refuses: OpenSSL's own error says "certificate verify failed"."""

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N802, N803
        connection = super().clientConnectionForTLS(tlsProtocol)
        verified = _verifyCB(tlsProtocol, self._hostnameIsDnsName, self._hostnameASCII)

        def named(conn: SSL.Connection, cert: Any, error: int, depth: int, good: bool) -> bool:
            if not good:
                why = _WHAT_IS_WRONG.get(error, f"does not verify (OpenSSL's error {error})")
                tlsProtocol.failVerification(Failure(CertificateRefused(f"the certificate {why}")))  # type: ignore[no-untyped-call]
                return False
            return verified(conn, cert, error, depth, good)

        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, named)  # type: ignore[arg-type]
        return connection


class _Unverified(ClientTLSOptions):
    """Any certificate will do: for a source whose file says ``verify_tls = false``."""

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N802, N803
        connection = super().clientConnectionForTLS(tlsProtocol)
        connection.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        return connection


@implementer(IPolicyForHTTPS)
class _Tls:
    """One context for every connection; only the name to verify differs."""

    def __init__(self, *, verify: bool) -> None:
        self._options = CertificateOptions(trustRoot=platformTrust() if verify else None)  # type: ignore[no-untyped-call]
        self._kind: type[ClientTLSOptions] = _Verified if verify else _Unverified

    def creatorForNetloc(self, hostname: bytes, port: int) -> ClientTLSOptions:  # noqa: N802
        return self._kind(self._options._makeTLSConnection, hostname.decode("ascii"))


_VERIFIED: list[_Tls] = []
"""The one verifying context of this process, made with the first crawler and kept over its renewals."""


@implementer(IResolutionReceiver)
class _Addresses:
    """What a name leads to, once all of it is known and the guard has let it through."""

    def __init__(self) -> None:
        self.found: list[IAddress] = []
        self.complete: Deferred[list[IAddress]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        pass

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        self.found.append(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self.complete.callback(self.found)


@implementer(IStreamClientEndpoint)
class _HostEndpoint:
    """A host by its name or address, looked up through the reactor's resolver, which is the guard."""

    def __init__(self, reactor: Any, host: str, port: int, timeout: float) -> None:
        self._reactor, self._host, self._port, self._timeout = reactor, host, port, timeout

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        addresses = _Addresses()
        self._reactor.nameResolver.resolveHostName(addresses, self._host, self._port)
        return addresses.complete.addCallback(self._connected, factory)

    def _connected(self, addresses: list[Any], factory: IProtocolFactory) -> Deferred[Any]:
        if not addresses:
            raise DNSLookupError(f"no results for hostname lookup: {self._host}")
        if len(addresses) > 1:  # they are tried side by side (F3)
            named = HostnameEndpoint(self._reactor, self._host, self._port, self._timeout)
            return named.connect(factory)
        (address,) = addresses
        kind = TCP6ClientEndpoint if isinstance(address, IPv6Address) else TCP4ClientEndpoint
        return kind(self._reactor, address.host, address.port, self._timeout).connect(factory)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    def __init__(self, reactor: Any, tls: Any, timeout: float) -> None:
        self._reactor, self._tls, self._timeout = reactor, tls, timeout

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:  # noqa: N802
        host: Any = _HostEndpoint(self._reactor, uri.host.decode("ascii"), uri.port, self._timeout)
        if uri.scheme == b"http":
            return cast("IStreamClientEndpoint", host)
        return wrapClientTLS(self._tls.creatorForNetloc(uri.host, uri.port), host)


class _Exchange(_ScrapyAgent):
    """Scrapy's exchange of one request for one response, over our endpoints; there are no proxies."""

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        from twisted.internet import reactor  # noqa: PLC0415

        endpoints = _Endpoints(reactor, self._contextFactory, timeout)
        return cast("Agent", Agent.usingEndpointFactory(reactor, endpoints, self._pool))  # type: ignore[no-untyped-call]


class Handler(HTTP11DownloadHandler):
    """Fetches over http and https. ``meta["verify_tls"] = False`` is the only way round verification."""

    lazy = False

    def __init__(self, crawler: Crawler, *, verify: bool = True) -> None:
        super().__init__(crawler)
        self._pool._factory = _Factory
        self._pool.cachedConnectionTimeout = KEEP_ALIVE
        self._pool.retryAutomatically = False  # Twisted's knocks again at once (F4)
        if verify and not _VERIFIED:
            _VERIFIED.append(_Tls(verify=True))
        self._contextFactory = cast("IPolicyForHTTPS", _VERIFIED[0] if verify else _Tls(verify=False))
        self._guard = guard.installed()
        self._unverified: Handler | None = None  # its own pool: an unverified connection serves no other source

    async def download_request(self, request: Request) -> Response:
        if not request.meta.get("verify_tls", True) and self._contextFactory in _VERIFIED:
            self._unverified = self._unverified or Handler(self._crawler, verify=False)
            return await self._unverified.download_request(request)
        if (trip := request.meta.get("trip")) is not None:
            trip.requests += 1
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(self._exchange().download_request(request))
        except CannotResolveHostError as error:
            address = guard.parse(request.url)
            if why := self._guard.why(address.name, address.port):
                raise AddressRefused(why) from error
            raise
        except DownloadCancelledError as error:
            # Scrapy's word for a body over the limit; it names the announced size, and none while it streams.
            limit = request.meta.get("download_maxsize", self._default_maxsize)
            announced = re.search(r"Expected to receive (\d+) bytes", str(error))
            raise TooLarge(
                f"{int(announced[1]):,} bytes" if announced else f"more than {limit:,} bytes", limit
            ) from error

    def _exchange(self) -> _Exchange:
        return _Exchange(
            contextFactory=self._contextFactory,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
        )

    async def close(self) -> None:
        if self._unverified is not None:
            await self._unverified.close()
        await super().close()


__all__ = ["CertificateRefused", "Handler", "HeadersTooLarge"]
