"""Our own webhook sender, by the Standard Webhooks specification 1.0 (standardwebhooks.com).

Every attempt of one message carries the same ``webhook-id``, so a receiver can drop repeats. Redirects are never
followed (F127): only the address the operator wrote is ever asked.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from monitor import retry_after
from monitor.alerts.gathered import worded
from monitor.alerts.wording import NAMES, Wording
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Clock

DEADLINE = 20.0
ANSWER_BYTES = 16 * 1024
"""How much of an answer is read: enough for a chat's ``retry_after``."""

NEVER = frozenset({401, 403, 404, 410})
UNFIT = frozenset({400, 413})
_LATER_WITH_WISH = frozenset({429, 503})


class WebhookChannel:
    """One address that takes a message's JSON by POST. Created anywhere, used on one event loop."""

    at_once = 8
    names = NAMES

    def __init__(
        self, name: str, url: str, *, secret: str | None, wording: Wording, clock: Clock, deadline: float = DEADLINE
    ) -> None:
        self.id = name
        self._url = url
        self._key = signing_key(secret) if secret else None
        self._wording = wording
        self._clock = clock
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        """The address may be a secret (P12)."""
        return f"<webhook {self.id}>"

    async def send(self, parcel: Parcel) -> Delivery:
        """The deadline holds for everything, the second and shorter try included (F129)."""
        try:
            async with asyncio.timeout(self._deadline):
                for brief in (False, True):
                    now = self._clock.now()
                    payload = worded(parcel, self._wording, brief=brief).payload(now)
                    status, delivery = await self._post(parcel.message.key, _json(payload), now)
                    if status not in UNFIT:
                        return delivery
                return delivery
        except TimeoutError:
            return Delivery(verdict="later", detail=f"no answer within {self._deadline:g} s")
        except aiohttp.InvalidURL:
            return Delivery(verdict="refused", detail="the channel's address is not an address")
        except (aiohttp.ClientError, OSError) as error:
            # The class only: messages of these errors spell addresses.
            return Delivery(verdict="later", detail=f"not reached ({type(error).__name__})")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, key: str, body: bytes, now: datetime) -> tuple[int, Delivery]:
        headers = self._headers(key, body, now)
        async with self._open().post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
            said = b""
            if answer.status in _LATER_WITH_WISH:
                said = await _beginning(answer.content)
            return answer.status, judged(answer.status, answer.headers, said, now)

    def _headers(self, key: str, body: bytes, now: datetime) -> dict[str, str]:
        message, stamp = webhook_id(key), str(int(now.timestamp()))
        headers = {
            "content-type": "application/json",
            "user-agent": "wirewatch",
            "webhook-id": message,
            "webhook-timestamp": stamp,
            "x-wirewatch-key": key,
        }
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, message, stamp, body)
        return headers

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._deadline),
                trust_env=False,  # a proxy from the environment would learn what is sent
            )
        return self._session


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """A wish that drips in slowly is a wish not heard; the status was."""
    try:
        async with asyncio.timeout(2):
            return await content.read(ANSWER_BYTES)
    except TimeoutError:
        return b""


def webhook_id(key: str) -> str:
    """Stable over attempts, restarts and restores: made of the message's key alone."""
    return "msg_" + hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def signing_key(secret: str) -> bytes:
    """``whsec_`` and base64, as the specification writes secrets; ValueError (without the secret) for others."""
    head, _, tail = secret.strip().partition("whsec_")
    try:
        key = base64.b64decode(tail, validate=True) if not head else b""
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError('the secret must be "whsec_" followed by base64')
    return key


def signature(key: bytes, message: str, stamp: str, body: bytes) -> str:
    signed = hmac.new(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


def judged(status: int, headers: Mapping[str, str], said: bytes, now: datetime) -> Delivery:
    """What an answer means for the message (F123-F127)."""
    if 200 <= status < 300:
        return Delivery(verdict="sent", detail=f"status {status}")
    detail = f"status {status}"
    if 300 <= status < 400:
        return Delivery(verdict="later", detail=f"{detail}: a redirect, never followed")
    if status in NEVER or status in UNFIT:
        return Delivery(verdict="refused", detail=detail)
    wish = None
    if status in _LATER_WITH_WISH:
        wish = retry_after.wish(headers.get("Retry-After", ""), headers.get("Date", ""), now) or wish_inside(said)
    return Delivery(verdict="later", detail=detail, retry_after=wish)


def wish_inside(said: bytes) -> timedelta | None:
    """As chats say it: ``retry_after`` in seconds, at the top or under ``parameters``."""
    try:
        told = json.loads(said)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    for place in (told, told.get("parameters")):
        seconds = place.get("retry_after") if isinstance(place, dict) else None
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return _bounded(float(seconds))
    return None


def _bounded(seconds: float) -> timedelta | None:
    if math.isnan(seconds) or seconds <= 0:
        return None
    return timedelta(seconds=min(seconds, retry_after.LONGEST.total_seconds()))


def _json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
