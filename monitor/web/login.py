"""The login: a name and the password, slowed down for whoever guesses; and the way out."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from urllib.parse import quote, unquote, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from monitor.web.guard import cookie_name, fields, secure
from monitor.web.sessions import LASTS, LONGEST_NAME, Sessions, name_of, opened_by
from monitor.web.site import Site, visitor_of

_NAME = "wirewatch-name"
_NO_DOOR = (
    "The configuration has neither a password nor a token any more, so the page is open on its own machine only. Set "
    "one, or restart wirewatch."
)
_YEAR = 365 * 24 * 3600
FREE = 5
"""Wrong passwords that cost no time, from one address."""
FREE_IN_ALL = 50
"""And from all addresses together; then everybody waits a little, whoever has a session does not notice."""
_FORGOTTEN = 3600.0
"""Seconds without a wrong password after which an address begins anew."""
_LONGEST_WAIT, _LONGEST_IN_ALL = 900.0, 30.0
_ADDRESSES = 1000
"""Addresses that are remembered; the one that failed longest ago is forgotten first."""


class Brake:
    """Makes whoever guesses passwords wait longer and longer. ``clock``: seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._in_all = (0, 0.0)

    def __len__(self) -> int:
        """Addresses that are remembered."""
        return len(self._failed)

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        now = self._clock()
        own = _left(self._failed.get(_group(address), (0, 0.0)), FREE, _LONGEST_WAIT, now)
        return max(own, _left(self._in_all, FREE_IN_ALL, _LONGEST_IN_ALL, now))

    def failed(self, address: str) -> None:
        """It was wrong."""
        group, now = _group(address), self._clock()
        self._failed[group] = _one_more(self._failed.pop(group, (0, 0.0)), now)
        self._in_all = _one_more(self._in_all, now)
        if len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)

    def passed(self, address: str) -> None:
        """It was right: the address begins anew."""
        self._failed.pop(_group(address), None)


def _one_more(failed: tuple[int, float], now: float) -> tuple[int, float]:
    many, last = failed
    return (many + 1 if now - last < _FORGOTTEN else 1), now


def _left(failed: tuple[int, float], free: int, longest: float, now: float) -> float:
    many, last = failed
    if many < free or now - last >= _FORGOTTEN:
        return 0.0
    return max(0.0, min(longest, 2.0 ** min(many - free + 2, 30)) - (now - last))


def _group(address: str) -> str:
    """Of IPv6 the network: one machine has 2^64 addresses there."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False))
    return address


def add(app: FastAPI, site: Site, *, brake: Brake | None = None, now: Callable[[], float] = time.time) -> None:
    """``now``: seconds since 1970, with which sessions begin."""
    sessions, slow = Sessions(site.signer), brake or Brake()

    def page(request: Request, there: str, *, name: str = "", said: str = "", code: int = 200) -> HTMLResponse:
        known = name or name_of(unquote(request.cookies.get(_NAME, "")))
        answer = site.page(request, "login.html", said=said, next=there, reviewer=known, longest=LONGEST_NAME)
        answer.status_code = code
        return answer

    @app.get("/login", response_class=HTMLResponse)
    async def login(request: Request) -> Response:
        there = local(request.query_params.get("next", ""))
        if visitor_of(request) is not None:
            return RedirectResponse(there, status_code=303)
        return page(request, there, said="" if site.config.settings.web.locked else _NO_DOOR)

    @app.post("/login", response_class=HTMLResponse)
    async def enter(request: Request) -> Response:
        told = fields(await request.body())
        name = name_of(told.get("name", [""])[0])
        there, address = local(told.get("next", [""])[0]), request.client.host if request.client else ""
        if left := slow.wait(address):
            said = f"Too many wrong passwords. Try again in {ceil(left)} seconds."
            answer = page(request, there, name=name, said=said, code=429)
            answer.headers["Retry-After"] = str(ceil(left))
            return answer
        if not name:
            return page(request, there, said="Your name is missing: it stands beside what you review.", code=422)
        door = opened_by(told.get("password", [""])[0].strip(), site.config)
        if door is None:
            slow.failed(address)
            return page(request, there, name=name, said="That is not the password.", code=403)
        slow.passed(address)
        entered = RedirectResponse(there, status_code=303)
        _keep(entered, cookie_name(site.config), sessions.begin(name, door, now()), LASTS)
        _keep(entered, _NAME, quote(name), _YEAR)
        return entered

    @app.post("/logout")
    async def leave() -> Response:
        left = RedirectResponse("/login", status_code=303)
        _keep(left, cookie_name(site.config), "", 0)
        return left

    def _keep(answer: Response, name: str, value: str, seconds: int) -> None:
        """Sent with a link from a mail, too; what changes anything needs more than this (`monitor.web.guard`)."""
        answer.set_cookie(
            name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure(site.config)
        )  # fmt: skip


def local(address: str) -> str:
    """A path of this page, whatever the address says: browsers drop controls and take ``\\`` for ``/``."""
    if not address.startswith("/") or address.startswith("//") or "\\" in address or not address.isprintable():
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path in ("/login", "/logout") or " " in address:
        return "/"
    return quote(address, safe="/%?#:@!$&'()*+,;=~[]")
