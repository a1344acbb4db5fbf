"""What a source may answer instead of its feed: faults of the fault list, each one function.

A fault takes what the source would have said and a source of chance, and gives the `Reply`. The same replies are given
by the wire in the service's own process (`tests.rig.wire`) and by the news server on sockets (`tests.rig.sockets`).
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Literal

How = Literal["whole", "unresolved", "refused", "cut off", "silent", "garbage", "short"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0
    """Seconds until it comes."""
    how: How = "whole"
    lists_all: bool = False
    """Every entry that the source has now can be read in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """What the source has to say. ``old``: how it read some hours ago; ``churned``: with another guid each time."""

    text: str
    old: str
    churned: str
    shuffled: str
    etag: str
    host: str
    now: datetime
    conditional: bool
    """The request carries the ETag that is in force."""

    @property
    def body(self) -> bytes:
        return self.text.encode()


Fault = Callable[[Good, random.Random], Reply]
XML = "application/rss+xml; charset=utf-8"
_PAGE = b"<!doctype html><html><head><title>%b</title></head><body><p>%b</p></body></html>"


def honest(good: Good) -> Reply:
    if good.conditional:
        return Reply(status=304, headers={"ETag": good.etag}, lists_all=True)
    return Reply(headers={"Content-Type": XML, "ETag": good.etag}, body=good.body, lists_all=True)


def _body(good: Good, text: str | bytes, *, all_: bool, **headers: str) -> Reply:
    """A body without validators: they are no fault's business."""
    body = text.encode() if isinstance(text, str) else text
    return Reply(headers={"Content-Type": XML, **headers}, body=body, lists_all=all_)


def _page(title: bytes, said: bytes, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, headers={"Content-Type": "text/html", **headers}, body=_PAGE % (title, said))


def _wish(good: Good, chance: random.Random) -> Reply:
    """F23-F25"""
    date = format_datetime(good.now)
    said = chance.choice(
        ("120", "600", "3600", "soon", "-5", format_datetime(good.now + timedelta(minutes=10)), "999999999")
    )
    if said == "999999999" and chance.random() < 0.9:
        said = "300"
    return Reply(status=chance.choice((429, 503)), headers={"Retry-After": said, "Date": date})


def _cut(good: Good, chance: random.Random) -> Reply:
    """F38, F47: anywhere, also inside a letter."""
    return _body(good, good.body[: int(len(good.body) * chance.uniform(0.3, 0.95))], all_=False)


def _one_bad_byte(good: Good, chance: random.Random) -> Reply:
    """F37"""
    place = good.body.find(b"</title>", len(good.body) // 2)
    return _body(good, good.body[:place] + b"\xff" + good.body[place:], all_=False)


def _misdeclared(good: Good, chance: random.Random) -> Reply:
    """F35, F36: UTF-8 under another name."""
    name = chance.choice(("windows-1255", "iso-8859-8-i", "us-ascii", "x-unknown", "windows-1256"))
    return replace(_body(good, good.text, all_=True), headers={"Content-Type": f"text/xml; charset={name}"})


def _gzipped(good: Good, chance: random.Random) -> Reply:
    """F13: declared and plain, plain and declared, cut short."""
    packed = gzip.compress(good.body, 1)
    kind = chance.randrange(4)
    if kind == 0:
        return _body(good, good.body, all_=True, **{"Content-Encoding": "gzip"})
    if kind == 1:
        return _body(good, packed, all_=True)
    if kind == 2:
        return _body(good, packed[: len(packed) // 2], all_=False, **{"Content-Encoding": "gzip"})
    return _body(good, packed, all_=True, **{"Content-Encoding": "gzip"})


@cache
def _bomb_bytes() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join((*(packer.compress(bytes(1 << 20)) for _ in range(64)), packer.flush()))


def _dressed(good: Good, chance: random.Random) -> Reply:
    """F48, F49: something before and after, another type."""
    kind = chance.randrange(4)
    if kind == 0:
        return _body(good, "\n\n\ufeff" + good.text, all_=True)
    if kind == 1:
        return _body(good, "Warning: include() failed in line 3\n" + good.text, all_=True)
    if kind == 2:
        return _body(good, good.text + "<!-- served in 3 ms -->\n<p>junk", all_=True)
    plain = chance.choice(("text/plain", "application/octet-stream", "text/html"))
    return replace(_body(good, good.text, all_=True), headers={"Content-Type": plain})


def _redirect(good: Good, chance: random.Random) -> Reply:
    """F16-F19, F98: a loop, a consent wall, the same feed elsewhere, a place inside."""
    target = chance.choice(
        ("/loop", "/moved", "https://consent.example/wall", "http://10.0.0.7/feed", "http://169.254.169.254/latest",
         "http://127.0.0.1:9/", "file:///etc/passwd", f"https://{good.host}\\@inside.example/")
    )  # fmt: skip
    return Reply(status=chance.choice((301, 302, 307, 308)), headers={"Location": target})


FAULTS: Mapping[str, Fault] = {
    "F1 no such name": lambda good, chance: Reply(how="unresolved"),
    "F4 refused": lambda good, chance: Reply(how="refused"),
    "F4 cut off": lambda good, chance: Reply(how="cut off"),
    "F4 garbage": lambda good, chance: Reply(how="garbage"),
    "F5 silence": lambda good, chance: Reply(how="silent"),
    "F8 short": lambda good, chance: replace(_cut(good, chance), how="short"),
    "F11 bomb": lambda good, chance: _body(good, _bomb_bytes(), all_=False, **{"Content-Encoding": "gzip"}),
    "F13 gzip": _gzipped,
    "F14 web page": lambda good, chance: _page(b"Welcome", b"Our news in your language"),
    "F15 challenge": lambda good, chance: _page(
        b"Just a moment...", b"Checking your browser", chance.choice((200, 403, 503)), **{"cf-mitigated": "challenge"}
    ),
    "F16 redirect": _redirect,
    "F21 refusing": lambda good, chance: Reply(status=chance.choice((401, 403, 404))),
    "F22 gone": lambda good, chance: Reply(status=410) if chance.random() < 0.2 else Reply(status=404),
    "F23 wish": _wish,
    "F26 trouble": lambda good, chance: Reply(status=chance.choice((500, 502, 504))),
    "F27 304 unasked": lambda good, chance: Reply(status=304),
    "F28 ETag each time": lambda good, chance: replace(
        _body(good, good.text, all_=True), headers={"Content-Type": XML, "ETag": f'"{chance.random()}"'}
    ),
    "F32 old mirror": lambda good, chance: _body(good, good.old, all_=False),
    "F36 misdeclared": _misdeclared,
    "F37 one bad byte": _one_bad_byte,
    "F42 controls": lambda good, chance: _body(good, good.text.replace("</title>", "\x0b\x1b</title>"), all_=False),
    "F45 empty": lambda good, chance: _body(good, b"", all_=False),
    "F46 no items": lambda good, chance: _body(
        good, '<rss version="2.0"><channel><title>t</title></channel></rss>', all_=False
    ),
    "F47 cut": _cut,
    "F48 dressed": _dressed,
    "F50 JSON": lambda good, chance: replace(
        _body(good, '{"error": "try later"}', all_=False), headers={"Content-Type": "application/json"}
    ),
    "F57 another order": lambda good, chance: _body(good, good.shuffled, all_=True),
    "F61 guid churn": lambda good, chance: _body(good, good.churned, all_=True),
    "F6 slow": lambda good, chance: replace(honest(good), after=chance.uniform(5, 25)),
}  # fmt: skip
