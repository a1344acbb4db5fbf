"""Signed links that acknowledge an alert: whoever got the message may say so, nobody else can.

The signature is made of the alert's id and a key that stands in a file of its own beside the store. Who has lost the
key file has lost the links of messages already sent, and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from urllib.parse import quote

from config.model.settings import store_path
from config.model.whole import Config

_KEY = 32
_SIGNATURE = 16
"""Bytes."""


class Signer:
    """Signs alerts' ids. Its key is shown nowhere."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, alert_id: str) -> str:
        """128 bits of HMAC-SHA256 in lower-case base32: letters and digits, whole in any mail or chat."""
        digest = self.seal("acknowledge", alert_id.encode("utf-8", "surrogatepass"))[:_SIGNATURE]
        return base64.b32encode(digest).decode().rstrip("=").lower()

    def seal(self, purpose: str, told: bytes) -> bytes:
        """256 bits of HMAC-SHA256 that say nothing of the key, nor of what is sealed for another purpose (a word)."""
        return hmac.digest(self._key, purpose.encode() + b"|" + told, hashlib.sha256)

    def good(self, alert_id: str, signature: str) -> bool:
        """In the same time for any wrong signature."""
        return hmac.compare_digest(self.sign(alert_id).encode(), signature.encode("utf-8", "surrogatepass"))


def signer_of(path: Path) -> Signer:
    """With the key in ``path``, which is made (readable by its owner only) when it is not there.

    OSError when it can be neither read nor made; ValueError when something else stands there.
    """
    with contextlib.suppress(FileNotFoundError):
        return Signer(_read(path))
    with contextlib.suppress(FileExistsError):  # another process was first: its key counts
        _make(path)
    return Signer(_read(path))


def acknowledge_link(public_url: str, alert: str, signer: Signer) -> str:
    """``PUBLIC_URL/acknowledge/ALERT/SIGNATURE``, for an alert's id."""
    return f"{public_url.rstrip('/')}/acknowledge/{quote(alert, safe='')}/{signer.sign(alert)}"


def key_file(config: Config) -> Path:
    """Beside the store; a store that is no file has it in the configuration's folder."""
    folder = Path(config.folder) if config.folder else None
    store = store_path(config.settings.store.url, folder)
    return store.with_name(f"{store.name}.key") if store is not None else (folder or Path.cwd()) / "wirewatch.key"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        key = file.read(_KEY + 1)
    if len(key) != _KEY:
        raise ValueError(f"{path.name} is not a key of wirewatch: remove it, and links in messages sent so far end")
    return key


def _make(path: Path) -> None:
    """Whole or not at all: the name is given when the key is on disk."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY))
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    finally:
        beside.unlink()
