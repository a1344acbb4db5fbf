"""Addresses as written, read one way only: scheme, name and port, or a refusal (F96, F99, F100)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from monitor.errors import AddressRefused

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.IGNORECASE)
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an address leads: what a connection needs, and nothing that two programs read differently."""

    scheme: str
    name: str
    port: int

    @property
    def host(self) -> str:
        """``scheme://name:port``: what politeness, robots rules and delay belong to."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """``name:port`` as it is written in ``[allow] fetch``."""
        return f"{f'[{self.name}]' if ':' in self.name else self.name}:{self.port}"


@lru_cache(maxsize=4096)  # sources are asked at the same addresses, day in, day out
def parse(url: str) -> Address:
    """Read an address as written; raises `AddressRefused` for anything but plain http or https (F99, F100)."""
    if _FORBIDDEN.search(url):
        raise AddressRefused("the address holds a space, a control character or a backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("the address cannot be read: its host or port is malformed") from None
    if parts.scheme not in ("http", "https"):
        raise AddressRefused(f"only http and https are fetched, not {parts.scheme or 'an address without a scheme'}")
    if "@" in parts.netloc:
        raise AddressRefused("the address carries a user part")
    if not parts.hostname or port == 0 or ("[" in parts.netloc and ":" not in parts.hostname):
        raise AddressRefused("the address names no host or no port")
    return Address(
        scheme=parts.scheme, name=_name(parts.hostname), port=port or (443 if parts.scheme == "https" else 80)
    )


def host_of(url: str) -> str:
    """``scheme://name:port`` of an address, the port always written; raises `AddressRefused`."""
    return parse(url).host


def _name(hostname: str) -> str:
    if ":" in hostname:
        try:
            return str(ipaddress.IPv6Address(hostname))
        except ValueError:
            raise AddressRefused(f"{hostname!r} is not an IPv6 address") from None
    try:  # full-width digits and dots, circled digits: what the name system would make of them (F96)
        name = hostname if hostname.isascii() else hostname.encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressRefused(f"{hostname!r} is not a host name") from None
    if not _NAME.fullmatch(name):
        raise AddressRefused(f"{hostname!r} is not a host name")
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]) and literal(name) is None:
        raise AddressRefused(f"{hostname!r} is a number in disguise; write an address as four plain numbers")
    return name.lower()


@lru_cache(maxsize=4096)
def literal(name: str) -> Ip | None:
    """The address that a name is itself, if it is one."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
