"""Who may ask what: everything is refused that is not allowed here, before any route is looked for.

A request must name the page by one of its own names; whoever asks must be known, except for what is open to everybody;
and what changes anything must come from a page of ours, or carry a token.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.model.whole import Config
from monitor.web.sessions import Sessions, opened_by
from monitor.web.site import Site, Visitor

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    # To other sites none; "no-referrer" would also take the Origin from our own forms (Fetch standard, 3.2).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LONGEST_BODY = 256 * 1024
"""Bytes of a form or a JSON text that is sent to us."""
_PATIENCE = 20.0
"""Seconds in which a body must have come."""
_FIELDS = 2000
_OPEN = re.compile(r"/health|/login|/static/.*|/acknowledge/.*", re.DOTALL)
"""Paths that anybody may ask for: nothing of them needs a name, and what they can change needs a secret of its own."""
_OWN = re.compile(r"/logout|/looked|/watches/[^/]+/try")
"""What is sent here changes nothing for others, so whoever may read may send it."""
_MACHINES = re.compile(r"/api/.*|/feed\..*|/live|/metrics", re.DOTALL)
"""Asked by programs, which are told 401 and not led to a login page."""
_READING = ("GET", "HEAD", "OPTIONS")


def protect(app: FastAPI, site: Site, *, now: Callable[[], float] = time.time) -> None:
    """Put the guard before every route of the application. ``now``: seconds since 1970, by which sessions end."""
    app.add_middleware(Guard, site=site, now=now)


class _Refused(Exception):
    """What is answered instead; ``headers`` with ``_`` for ``-``."""

    def __init__(self, code: int, said: str, **headers: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Guard:
    """An ASGI layer and not a function around each answer: streams pass through it as they come."""

    def __init__(self, app: ASGIApp, site: Site, now: Callable[[], float]) -> None:
        self._app, self._site, self._now = app, site, now
        self._sessions = Sessions(site.signer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            receive = await self._admitted(scope, receive)
        except _Refused as refused:
            await _answer(scope, refused)(scope, receive, safe)
            return
        await self._app(scope, receive, safe)

    async def _admitted(self, scope: Scope, receive: Receive) -> Receive:
        """What the routes then read the request from; raises `_Refused`."""
        headers, config = Headers(scope=scope), self._site.config
        if not _ours(headers.get("host", ""), config):
            raise _Refused(421, "This page answers to its own name only.")
        path, changes = scope["path"], scope["method"] not in _READING
        if "\n" in path:  # no name has one, and the routes' patterns do not see past it
            raise _Refused(404, "There is nothing at this address.")
        is_open = _OPEN.fullmatch(path) is not None
        visitor = self._visitor(scope, headers, config, is_open=is_open)
        scope.setdefault("state", {})["visitor"] = visitor
        if visitor is None and not is_open:
            raise _unknown(scope, headers)
        if not changes:
            return receive
        if visitor is not None and not is_open and visitor.may == "read" and _OWN.fullmatch(path) is None:
            raise _Refused(403, "You may read here, not review.")
        if _by_token(headers, visitor):
            return _replayed(await _body(headers, receive), receive)
        if not path.startswith("/acknowledge/") and not _from_us(headers, config):
            raise _Refused(403, "This was not sent from a page of ours.")
        body = await _body(headers, receive)
        if not is_open and visitor is not None and not _carries(visitor.csrf, headers, body):
            raise _Refused(403, "The page that sent this is out of date: reload it and try again.")
        return _replayed(body, receive)

    def _visitor(self, scope: Scope, headers: Headers, config: Config, *, is_open: bool) -> Visitor | None:
        if shown := headers.get("authorization"):
            return self._bearer(shown, config, reading=scope["method"] in _READING, is_open=is_open)
        if not config.settings.web.locked:
            return self._sessions.here() if _at_home(scope) and not _passed_on(headers) else None
        cookie = Request(scope).cookies.get(cookie_name(config), "")
        return self._sessions.visitor(cookie, config, self._now())

    def _bearer(self, shown: str, config: Config, *, reading: bool, is_open: bool) -> Visitor | None:
        """A token as RFC 6750 sends it, or for feed readers, and only to read, as the password of RFC 7617. A browser
        sends the latter by itself, also when another site asks it to."""
        scheme, _, given = shown.partition(" ")
        secret = given.strip() if scheme.lower() == "bearer" else _basic(given) if scheme.lower() == "basic" else ""
        door = opened_by(secret, config, tokens_only=True) if secret else None
        if door is None or (scheme.lower() == "basic" and not reading):
            if is_open:
                return None
            raise _Refused(401, "This token opens nothing here.", WWW_Authenticate="Bearer")
        return Visitor(name=door.id, may=door.may)


# ------------------------------------------------------------------ where it is asked for


def cookie_name(config: Config) -> str:
    """Of the session; a browser takes ``__Host-`` only from us, over TLS (RFC 6265bis, 4.1.3)."""
    return "__Host-wirewatch" if secure(config) else "wirewatch"


def secure(config: Config) -> bool:
    """Whether the page is reached over TLS."""
    return config.settings.web.public_url.startswith("https:")


def _ours(host: str, config: Config) -> bool:
    """Whether a Host header names this page: localhost, a loopback address, the host of ``public_url``, or the address
    it was told to listen on. Of one that means all addresses, any: a name can be made to lead here (DNS rebinding), an
    address cannot."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not name or "@" in host:
        return False
    web = config.settings.web
    if name in ("localhost", urlsplit(web.public_url).hostname) or _is(name, "is_loopback"):
        return True
    return _is(name, "version") if _is(web.host, "is_unspecified") else name == web.host


def _is(name: str, what: str) -> bool:
    try:
        return bool(getattr(ip_address(name), what))
    except ValueError:  # a name, and one such as 127.0.0.1.example is anybody's
        return False


def _passed_on(headers: Headers) -> bool:
    """Whether a proxy brought it: behind one, everybody seems to be on this machine."""
    try:
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return True
    forwarded = any(each in headers for each in ("x-forwarded-for", "forwarded", "x-real-ip"))
    return forwarded or not (name == "localhost" or _is(name, "is_loopback"))


def _at_home(scope: Scope) -> bool:
    """Whether the request came in over loopback: the password may have been taken out of the configuration while the
    page still listens for other machines."""
    server = scope.get("server")
    if not server:
        return False
    try:
        own = ip_address(server[0])
    except ValueError:
        return False
    return (getattr(own, "ipv4_mapped", None) or own).is_loopback


# ------------------------------------------------------------------ whether we asked for it ourselves


def _from_us(headers: Headers, config: Config) -> bool:
    """Whether a page of ours sent it, as the browser says (Fetch standard: Origin, Sec-Fetch-Site)."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site not in (None, "same-origin"):
        return False
    if origin is None or origin == "null":
        return site == "same-origin"
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    public = urlsplit(config.settings.web.public_url)
    if public.netloc and parts.netloc.lower() == public.netloc.lower():
        return parts.scheme == public.scheme
    return parts.scheme in ("http", "https") and parts.netloc.lower() == headers.get("host", "").lower()


def _by_token(headers: Headers, visitor: Visitor | None) -> bool:
    return visitor is not None and not visitor.csrf and "authorization" in headers


def _carries(csrf: str, headers: Headers, body: bytes) -> bool:
    given = headers.get("x-csrf")
    if given is None and headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        given = fields(body).get("csrf", [""])[0]
    return given is not None and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), csrf.encode())


_FORM = "application/x-www-form-urlencoded"


def fields(body: bytes) -> dict[str, list[str]]:
    """A form's fields; none when it has too many to be ours."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return {}


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The whole of it."""
    too_long = _Refused(413, "That is more than this page takes at once.", Connection="close")
    if int(headers.get("content-length", "0")) > LONGEST_BODY:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Refused(400, "The request broke off.")
                body += message.get("body", b"")
                if len(body) > LONGEST_BODY:
                    raise too_long
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise _Refused(408, "The request took too long.", Connection="close") from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more; after it, whatever comes."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def _basic(given: str) -> str:
    """The password; the name may be anything."""
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


# ------------------------------------------------------------------ what is answered


def _unknown(scope: Scope, headers: Headers) -> _Refused:
    """To somebody whom we do not know: people are led to the login."""
    path, asked = scope["path"], scope["query_string"].decode("latin-1")
    wants_page = "text/html" in headers.get("accept", "")
    if scope["method"] == "GET" and wants_page and _MACHINES.fullmatch(path) is None:
        there = quote(path, safe="/%:@+,~!$&'()*;=") + (f"?{asked}" if asked else "")
        return _Refused(303, "", Location=f"/login?{urlencode({'next': there})}" if there != "/" else "/login")
    scheme = 'Basic realm="wirewatch", charset="UTF-8"' if re.match(r"/(feed|export)\.", path) else "Bearer"
    return _Refused(401, "Sign in, or show a token.", WWW_Authenticate=scheme)


def _answer(scope: Scope, refused: _Refused) -> Response:
    headers = refused.headers
    if refused.code == 303:
        return RedirectResponse(headers["Location"], status_code=303)
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": refused.said}, status_code=refused.code, headers=headers)
    return PlainTextResponse(refused.said, status_code=refused.code, headers=headers)
