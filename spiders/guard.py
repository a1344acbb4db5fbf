"""The address guard: only public addresses, decided at connect time, at the address that will be used (F95-F99).

Two looks, one rule. `parse` reads an address as written, before a request is made of it, and refuses what two
programs could read differently. `GuardedResolver` stands between every connection and the name system: it sees
the name, the port and all its addresses, and one bad address refuses the whole answer. Nothing is looked up
again between that check and the connection, so a name cannot change in between (F97).

An exception is an exact ``host:port`` written in ``[allow] fetch``.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy.resolver import CachingHostnameResolver, HostResolution, dnscache
from scrapy.utils.datatypes import LocalCache
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from monitor.errors import AddressRefused
from monitor.hosts import Address, Ip, host_of, literal, parse

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IHostResolution

NAMES_KEPT = 10_000
NAME_FRESH = 300.0
"""Seconds a looked-up name is used again; Scrapy's own cache keeps it for the life of the process."""

# Beside `is_global`, which calls some of these global (F96): Python 3.11 does so for multicast and fec0::/10.
_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out for the public network
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(each)
    for each in ("2001::/23", "2001:db8::/32", "3fff::/20")  # IETF (Teredo among them), documentation
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")


def check(url: str, allowed: Collection[str] = ()) -> Address:
    """`parse`, and for a host that is an address itself the rule of `refusal`; names are judged when they connect."""
    address = parse(url)
    ip = literal(address.name)
    if ip is not None and address.netloc not in allowed and (why := refusal(ip)):
        raise AddressRefused(why)
    return address


def refusal(ip: Ip) -> str:
    """Why a connection to this address is refused; empty when it is public."""
    inner = embedded(ip)
    if inner is not None:
        why = refusal(inner)
        return f"{ip} stands for {why}" if why else ""
    if isinstance(ip, ipaddress.IPv4Address):
        public = ip.is_global and not any(ip in network for network in _NOT_PUBLIC_4)
    else:
        public = (
            ip in _PUBLIC_6
            and ip.is_global
            and ip.scope_id is None
            and not any(ip in network for network in _NOT_PUBLIC_6)
        )
    return "" if public else f"{ip}, which is not a public address"


def embedded(ip: Ip) -> ipaddress.IPv4Address | None:
    """The IPv4 address a translated or tunnelled IPv6 address leads to."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _MAPPED or ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return ipaddress.IPv4Address((int(ip) >> 80) & 0xFFFFFFFF)
    return None


@implementer(IResolutionReceiver)
class _Screen:
    """Holds back every address of one look-up until all of them are judged."""

    def __init__(self, receiver: Any, name: str, port: int, guard: GuardedResolver) -> None:
        self._receiver, self._name, self._port, self._guard = receiver, name, port, guard
        self._addresses: list[Any] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803 (Twisted's names)
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        self._addresses.append(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        if not self._guard.refuses(self._name, self._port, [each.host for each in self._addresses]):
            for address in self._addresses:
                self._receiver.addressResolved(address)
        self._receiver.resolutionComplete()


class GuardedResolver(CachingHostnameResolver):
    """Scrapy's caching resolver with the guard outside its cache: what was cached is judged again at each use.

    Installed on the reactor by our own start-up (`spiders.crawl.install_reactor`), because the setting
    ``TWISTED_DNS_RESOLVER`` counts for the ``scrapy`` command only.
    """

    def __init__(self, reactor: Any, cache_size: int = NAMES_KEPT) -> None:
        super().__init__(reactor, cache_size)
        self.allowed: Callable[[], Collection[str]] = tuple
        """The ``host:port`` exceptions in force, asked at each connection, so that a reload counts at once."""
        self._looked_up: LocalCache[str, float] = LocalCache(NAMES_KEPT)
        self._refusals: LocalCache[tuple[str, int], str] = LocalCache(NAMES_KEPT)

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> Self:
        return cls(reactor)

    def resolveHostName(  # noqa: N802
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        screen = _Screen(resolutionReceiver, hostName, portNumber, self)
        ip = literal(hostName)
        if ip is not None:  # no look-up, so no thread
            return _stated(screen, ip, hostName, portNumber)
        now = time.monotonic()
        if now - self._looked_up.get(hostName, now) > NAME_FRESH:
            dnscache.pop(hostName, None)
        if hostName not in dnscache:
            self._looked_up[hostName] = now
        return super().resolveHostName(screen, hostName, portNumber, addressTypes, transportSemantics)  # type: ignore[arg-type]

    def refuses(self, name: str, port: int, addresses: Sequence[str]) -> bool:
        """Judge all addresses of one answer together, and remember why for `why`."""
        netloc = f"{f'[{name}]' if ':' in name else name}:{port}"
        if netloc in self.allowed():
            self._refusals.pop((name, port), None)
            return False
        bad = [why for each in addresses if (why := refusal(ipaddress.ip_address(each)))]
        if bad:
            named = "" if literal(name) else f"{name} leads to "
            self._refusals[name, port] = named + bad[0]
        else:
            self._refusals.pop((name, port), None)
        return bool(bad)

    def why(self, name: str, port: int) -> str:
        """Why the last connection to this place was refused here; empty when it was not."""
        return self._refusals.get((name, port), "")


def _stated(screen: _Screen, ip: Ip, name: str, port: int) -> IHostResolution:
    kind = IPv4Address if isinstance(ip, ipaddress.IPv4Address) else IPv6Address
    resolution: Any = HostResolution(name)
    screen.resolutionBegan(resolution)
    address: Any = kind("TCP", name, port)
    screen.addressResolved(address)
    screen.resolutionComplete()
    return cast("IHostResolution", resolution)


def installed() -> GuardedResolver:
    """The guard of this process; RuntimeError when the reactor has none, so that nothing is fetched unguarded."""
    from twisted.internet import reactor  # noqa: PLC0415  (importing it earlier would install the wrong one)

    resolver = reactor.nameResolver
    if not isinstance(resolver, GuardedResolver):
        raise RuntimeError("no address guard is installed on the reactor: start through spiders.crawl")
    return resolver


__all__ = ["Address", "GuardedResolver", "check", "embedded", "host_of", "installed", "parse", "refusal"]
