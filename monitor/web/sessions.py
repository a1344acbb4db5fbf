"""Who has shown a password or a token: what opens the page, and the sealed cookie that says so until it ends.

The cookie holds a name and the time of the login, sealed with the key beside the store, so that a session outlives a
restart. It also holds a mark of what opened it: where that secret is changed or taken out of the configuration, the
session ends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from config.model.whole import Config
from monitor.alerts.links import Signer
from monitor.language.display import one_line
from monitor.web.site import Visitor

LASTS = 30 * 24 * 3600
"""Seconds from login to logout."""
LONGEST_NAME = 40
_LONGEST = 1024
_MARK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A secret of the configuration that opens the page, and how far."""

    id: str
    """A token's; of the password empty."""
    secret: str
    may: Literal["read", "review"]

    def __repr__(self) -> str:
        return f"Door({self.id!r})"


def doors(config: Config) -> Iterator[Door]:
    """All there are. None, though the page is locked: nobody gets in."""
    web = config.settings.web
    if web.password is not None and (secret := config.secrets.get("web.password")) is not None:
        yield Door(id="", secret=secret.get_secret_value(), may="review")
    for token in web.token:
        if (secret := config.secrets.get(f"web.token.{token.id}.secret")) is not None:
            yield Door(id=token.id, secret=secret.get_secret_value(), may=token.may)


def opened_by(shown: str, config: Config, *, tokens_only: bool = False) -> Door | None:
    """The door that this secret opens, found in the same time whichever it is, or none."""
    found: Door | None = None
    given = _digest(shown)
    for door in doors(config):
        if hmac.compare_digest(given, _digest(door.secret)) and not (tokens_only and not door.id):
            found = door
    return found


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def name_of(written: str) -> str:
    """A reviewer's name as it may stand beside reviews; empty when nothing of it may."""
    kept = "".join(each for each in one_line(written) if unicodedata.category(each) != "Cf")
    return kept.strip()[:LONGEST_NAME].strip()


class Sessions:
    """Makes and reads the cookie's value."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def begin(self, name: str, door: Door, now: float) -> str:
        """``now`` in seconds since 1970."""
        told = {"name": name, "at": int(now), "by": self._mark(door), "id": secrets.token_urlsafe(32)}
        payload = json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()
        return f"{_text(payload)}.{_text(self._signer.seal('session', payload))}"

    def visitor(self, cookie: str, config: Config, now: float) -> Visitor | None:
        """Whose session it is; ``None``: it is not ours, or over."""
        payload = self._unsealed(cookie)
        if payload is None:
            return None
        told = json.loads(payload)
        if not 0 <= now - told["at"] < LASTS:
            return None
        for door in doors(config):
            if hmac.compare_digest(told["by"], self._mark(door)):
                csrf = _text(self._signer.seal("csrf", payload))
                return Visitor(name=told["name"], may=door.may, csrf=csrf, signed_in=True)
        return None

    def here(self) -> Visitor:
        """Whoever sits at this machine, where there is no login. No session holds the word that forms carry: a page of
        another site cannot read it, which is what it is for."""
        return Visitor(name="here", may="review", csrf=_text(self._signer.seal("csrf", b"here")))

    def _unsealed(self, cookie: str) -> bytes | None:
        """What was sealed by us."""
        if len(cookie) > _LONGEST:
            return None
        written, _, seal = cookie.partition(".")
        try:
            payload, given = _bytes(written), _bytes(seal)
        except (ValueError, binascii.Error):
            return None
        return payload if hmac.compare_digest(given, self._signer.seal("session", payload)) else None

    def _mark(self, door: Door) -> str:
        """Tells one secret from another, and nothing of it."""
        sealed = self._signer.seal("door", f"{door.id}|{door.secret}".encode("utf-8", "surrogatepass"))
        return _text(sealed[:_MARK])


def _text(told: bytes) -> str:
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _bytes(written: str) -> bytes:
    return base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
