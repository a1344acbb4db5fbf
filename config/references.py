"""Secrets: followed from the reference in the file to the value, and from there only into `Config.secrets`.

A message about a secret names its reference and never its value.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config.document import Document
from config.errors import Problem
from config.positions import Path as KeyPath
from config.smtp import SCHEMES, mail_server

_LIMIT = 64 * 1024
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the references lead to."""

    values: Mapping[str, SecretStr]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


class _Unresolved(Exception):
    """A reference that leads to nothing usable; the text says why, without the value."""


def follow(document: Document, folder: Path, environ: Mapping[str, str]) -> Secrets:
    """Follow every reference in ``document``; files are looked for from ``folder``."""
    values: dict[str, SecretStr] = {}
    problems: list[Problem] = []
    warnings: list[str] = []
    for path, reference in _references(document):
        try:
            value = _value(reference, folder, environ)
            _check(path)(value)
        except _Unresolved as why:
            problems.append(document.problem(path, f"{reference}: {why}"))
            continue
        values[document.key(path)] = SecretStr(value)
        if reference.startswith("file:"):
            warnings += exposed(_file(reference, folder), reference, secret=True)
    problems += _signed_without_webhook(document, values)
    problems += _shown_twice(document, values)
    return Secrets(values=values, problems=tuple(problems), warnings=tuple(warnings))


def exposed(path: Path, name: str, *, secret: bool) -> Iterator[str]:
    """Warnings about a file that other accounts of the machine can change, or read though it is ``secret``."""
    if os.name != "posix":
        return
    mode = path.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield f"{name}: can be changed by other accounts of this machine; run: chmod go-w on it"
    if secret and mode & stat.S_IROTH:
        yield f"{name}: holds a secret and can be read by every account of this machine; run: chmod o-r on it"


def _channels(document: Document) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    channels = document.data.get("channel")
    for index, channel in enumerate(channels if isinstance(channels, list) else ()):
        if isinstance(channel, dict):
            yield ("channel", index), channel


def _references(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Well-formed references only; the others are refused by the model."""
    heartbeat = document.at(("service", "heartbeat_url"))
    if isinstance(heartbeat, str) and _REFERENCE.fullmatch(heartbeat):
        yield ("service", "heartbeat_url"), heartbeat
    for path, channel in _channels(document):
        url, secret = channel.get("url"), channel.get("secret")
        if isinstance(url, dict) and isinstance(url.get("file"), str):
            yield (*path, "url"), f"file:{url['file']}"
        elif isinstance(url, str) and re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", url):
            yield (*path, "url"), url
        if isinstance(secret, str) and _REFERENCE.fullmatch(secret):
            yield (*path, "secret"), secret
    for path in _doors(document):
        shown = document.at(path)
        if isinstance(shown, str) and _REFERENCE.fullmatch(shown):
            yield path, shown


def _doors(document: Document) -> Iterator[KeyPath]:
    """Where the secrets stand that open the page."""
    yield "web", "password"
    tokens = document.at(("web", "token"))
    yield from (("web", "token", index, "secret") for index in range(len(tokens) if isinstance(tokens, list) else 0))


def _file(reference: str, folder: Path) -> Path:
    return folder / reference.removeprefix("file:")


def _value(reference: str, folder: Path, environ: Mapping[str, str]) -> str:
    if reference.startswith("env:"):
        value = environ.get(reference.removeprefix("env:"))
        if value is None:
            raise _Unresolved("there is no such environment variable")
    else:
        value = _content(_file(reference, folder))
    value = value.strip()
    if not value:
        raise _Unresolved("is empty")
    return value


def _content(path: Path) -> str:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise _Unresolved("is not a file")
        if about.st_size > _LIMIT:
            raise _Unresolved("is too long to be a secret")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _Unresolved(f"cannot be read: {error.strerror or type(error).__name__}") from None
    except ValueError:  # not UTF-8, or a name with a NUL in it; the error would quote the bytes
        raise _Unresolved("cannot be read: not a file of UTF-8 text") from None


def _check_address(value: str) -> None:
    """What can be said of any channel address without trying it."""
    if value in ("page", "stdout"):
        return
    if not value.isprintable() or " " in value:
        raise _Unresolved("leads to more than one address: it has spaces or line ends in it")
    if not _SCHEME.match(value):
        raise _Unresolved("leads to no address: it begins with no scheme, such as slack: or mailtos:")
    if value.startswith("env:"):
        raise _Unresolved("leads to another reference: put the address itself there")
    if value.startswith("webhook:") and not re.match(r"webhook:https?://[^/\s]", value):
        raise _Unresolved("leads to a webhook without a whole address: webhook:https://…")
    if value.partition(":")[0].lower() in SCHEMES:
        try:
            mail_server(value)
        except ValueError as why:  # it repeats nothing of the value
            raise _Unresolved(f"leads to no mail server: {why}") from None


def _check_web_address(value: str) -> None:
    """What an HTTP client can ask, with a path that is often the secret itself."""
    if not value.isprintable() or " " in value or not re.match(r"https?://[^/\s]", value):
        raise _Unresolved("leads to no web address: https://…")


def _check_signing(value: str) -> None:
    """Standard Webhooks, "Signature scheme": ``whsec_`` and the key in base64, 24 to 64 bytes."""
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True) if value.startswith("whsec_") else b""
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise _Unresolved("leads to no signing secret: whsec_ and 24 to 64 bytes in base64")


def _check_password(value: str) -> None:
    """Attempts are slowed down, so it need not resist millions of them; one of a few letters is guessed."""
    if len(value) < 10 or not value.isprintable():
        raise _Unresolved("leads to no good password: at least 10 characters on one line")


def _check_token(value: str) -> None:
    """RFC 6750, 2.1, allows these letters; 24 of them are no word of anybody's."""
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]{24,}=*", value):
        raise _Unresolved("leads to no token: at least 24 letters, digits and ._~+/- (openssl rand -hex 24 makes one)")


_CHECKS: Mapping[tuple[str, str], Callable[[str], None]] = {
    ("channel", "url"): _check_address,
    ("channel", "secret"): _check_signing,
    ("service", "heartbeat_url"): _check_web_address,
    ("web", "password"): _check_password,
    ("web", "secret"): _check_token,
}
"""By the table and the key that refers to it."""


def _check(path: KeyPath) -> Callable[[str], None]:
    return _CHECKS[str(path[0]), str(path[-1])]


def _signed_without_webhook(document: Document, values: Mapping[str, SecretStr]) -> Iterator[Problem]:
    for path, channel in _channels(document):
        found = values.get(document.key((*path, "url")))
        address = found.get_secret_value() if found else channel.get("url")
        known = found is not None or (isinstance(address, str) and re.match(r"page$|stdout$|file:.", address))
        if "secret" in channel and known and not str(address).startswith("webhook:"):
            yield document.problem(
                (*path, "secret"), "only a webhook is signed", "remove it, or send to webhook:https://…"
            )


def _shown_twice(document: Document, values: Mapping[str, SecretStr]) -> Iterator[Problem]:
    """What opens the page must say who comes: two doors with one key are one door."""
    seen: dict[str, str] = {}
    for path in _doors(document):
        key = document.key(path)
        if (secret := values.get(key)) is None:
            continue
        if (first := seen.setdefault(secret.get_secret_value(), key)) != key:
            yield document.problem(path, f"the secret of {first} again", "give each its own")
