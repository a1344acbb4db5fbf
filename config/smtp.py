"""The address of a mail channel: ``smtp://USER:PASSWORD@HOST:587?from=wire@example.org&to=desk@example.org``.

It carries a password, so it comes by reference, and no error here repeats any part of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

SCHEMES = ("smtp", "smtps")
_PORTS = {"smtp": 587, "smtps": 465}
_KEYS = ("from", "to", "tls")
# RFC 5321, 4.1.2 without quoted names and address literals, and 4.5.3.1: 64 octets before the @, 255 behind.
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_MAILBOX = re.compile(rf"(?=.{{1,64}}@.{{1,255}}$){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")

Tls = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in, by whom, and for whom. Nothing of it is shown."""

    host: str = field(repr=False)
    port: int = field(repr=False)
    tls: Tls
    """From the first byte (``smtps://``), by STARTTLS or not at all (``tls=none``, and a loopback host)."""
    user: str = field(repr=False)
    """Empty: nobody logs in."""
    password: str = field(repr=False)
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    """Each once."""


def mail_server(address: str) -> MailServer:
    """What the address says. ValueError, in words for the operator and without any of it, when that is not clear."""
    parts = _split(address)
    told = _query(parts.query)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("a user name needs a password, and a password a user name")
    if not (user + password).isprintable():
        raise ValueError("the user name or password holds a control character")
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        tls=_tls(parts, told.get("tls", "")),
        user=user,
        password=password,
        sender=_sender(told.get("from", "")),
        recipients=_recipients(told.get("to", "")),
    )


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_RESERVED) from None
    if parts.scheme not in SCHEMES:
        raise ValueError("it begins with neither smtp:// nor smtps://")
    if not host or port == 0 or parts.path not in ("", "/") or parts.fragment or re.search(r"[^\w.:%-]", host):
        raise ValueError(_RESERVED)
    return parts


_RESERVED = (
    "write smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS&to=ADDRESS,ADDRESS; inside user name and password"
    " / is %2F, ? is %3F, # is %23, @ is %40, : is %3A and % is %25"
)


def _query(query: str) -> dict[str, str]:
    """Names and values, still encoded; a ``+`` is a plus, as mail addresses use it."""
    told: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name not in _KEYS or name in told:
            raise ValueError(f"behind the ? stand {', '.join(_KEYS)}, each once, joined by &")
        told[name] = value
    return told


def _tls(parts: SplitResult, told: str) -> Tls:
    if told not in ("", "none", "starttls") or (told and parts.scheme == "smtps"):
        raise ValueError("tls is starttls or none, and smtps:// needs no tls")
    if parts.scheme == "smtps":
        return "implicit"
    if told == "none" or (not told and _is_loopback(parts.hostname or "")):
        return "none"
    return "starttls"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sender(told: str) -> str:
    found = tuple(_addresses(told))
    if len(found) != 1:
        raise ValueError("from= names the one address that the mail comes from")
    return found[0]


def _recipients(told: str) -> tuple[str, ...]:
    found = {address.lower(): address for address in _addresses(told)}
    if not found:
        raise ValueError("to= names the addresses that the mail goes to, with commas between them")
    return tuple(found.values())


def _addresses(told: str) -> Iterator[str]:
    for address in unquote(told).split(",") if told else ():
        if _MAILBOX.fullmatch(address) is None:
            raise ValueError("from= and to= hold plain addresses, name@example.org, in ASCII (a domain as xn--…)")
        yield address
