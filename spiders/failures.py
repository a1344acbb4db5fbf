"""What went wrong on the wire, in words a person understands. Expected failures are answers, never errors."""

from __future__ import annotations

from collections.abc import Iterator

from OpenSSL import SSL
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    UnsupportedURLSchemeError,
)
from service_identity import VerificationError
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError

from monitor.errors import AddressRefused
from monitor.language.display import one_line
from spiders.download import CertificateRefused, HeadersTooLarge

EXPECTED = (
    AddressRefused,
    CannotResolveHostError,
    CertificateRefused,
    ConnectError,
    ConnectionClosed,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    SSL.Error,
    UnsupportedURLSchemeError,
    VerificationError,
)
"""What the world does; anything else is a bug of ours."""

_PLAIN: tuple[tuple[type[BaseException], str], ...] = (
    (HeadersTooLarge, "{error}"),
    (AddressRefused, "address refused: {error}"),
    (CannotResolveHostError, "the host's name does not resolve"),
    (DownloadConnectionRefusedError, "connection refused"),
    (DownloadTimeoutError, "no whole answer within the deadline"),
    (ParseError, "what answered does not speak HTTP"),
    (IgnoreRequest, "{error}"),
    (NotSupported, "{error}"),
    (ConnectError, "cannot connect: {error}"),
    (ConnectionClosed, "the connection was closed before a whole answer"),
)
LONGEST = 300


def in_words(error: BaseException) -> str:
    """One line about a failure of the `EXPECTED` kinds; the most telling of its causes is named."""
    causes = list(_causes(error))
    if tls := next((text for each in causes if (text := _tls(each))), ""):
        return tls
    for kind, words in _PLAIN:
        for each in causes:
            if isinstance(each, kind):
                return _short(words.format(error=each))
    return _short(f"{type(error).__name__}: {error}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what is behind it: Twisted keeps a list of reasons, Python a chain."""
    yield error
    for reason in getattr(error, "reasons", ()):
        if isinstance(reason, Failure) and reason.value is not None:
            yield from _causes(reason.value)
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)


def _tls(error: BaseException) -> str:
    if isinstance(error, CertificateRefused):
        return f"TLS: {error}"
    if isinstance(error, VerificationError):
        return "TLS: the certificate is for another host"
    if isinstance(error, SSL.Error):
        details = error.args[0] if error.args else ()
        said = ", ".join(part[2] for part in details if len(part) > 2 and part[2]) if isinstance(details, list) else ""
        return _short(f"TLS: {said or 'the handshake failed'}")
    return ""


def _short(text: str) -> str:
    return one_line(text)[:LONGEST]
