"""A stub of the name system: maps names to addresses, refuses, stalls, or answers differently the second time.

It takes the place of what looks names up (Twisted's ``nameResolver`` before the guard), so the guard stays on::

    names = Names({"news.example": ["127.0.0.2"], "gone.example": None, "rebind.example": [["8.8.8.8"], ["127.0.0.1"]]})
    with names.installed(): ...
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from scrapy.resolver import HostResolution, dnscache
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

STALL = "stall"
Told = list[Any] | str | None
"""A list of addresses; a list of lists, one for each look-up in turn; `STALL`; ``None``: no such name."""


@implementer(IHostnameResolver)
class Names:
    def __init__(self, names: Mapping[str, Told]) -> None:
        self._names = {name: list(told) if isinstance(told, list) else told for name, told in names.items()}
        self.asked: list[str] = []

    def resolveHostName(  # noqa: N802
        self, resolutionReceiver: Any, hostName: str, portNumber: int = 0, addressTypes: Any = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> HostResolution:  # fmt: skip
        self.asked.append(hostName)
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        told = self._names.get(hostName)
        if told == STALL:
            return resolution
        if told and isinstance(told[0], list):
            told = told.pop(0) if len(told) > 1 else told[0]
        for address in told or ():
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution

    @contextlib.contextmanager
    def installed(self) -> Iterator[Names]:
        """In force behind the guard of this process, with an empty cache before and after."""
        from spiders import guard  # noqa: PLC0415  (the reactor has to be there first)

        resolver = guard.installed()
        before, resolver.original_resolver = resolver.original_resolver, self
        dnscache.clear()
        try:
            yield self
        finally:
            resolver.original_resolver = before
            dnscache.clear()
