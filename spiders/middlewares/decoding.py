"""Content codings undone within limits: bombs stop at the limit (F11), and what a server says it sent is checked
against what it sent (F13)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]
import zstandard
from scrapy.exceptions import IgnoreRequest

from config.crawl import MOST_BODY

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

MOST_LAYERS = 3
"""A file that is stored compressed, sent compressed, is two; more is somebody's joke."""
PIECE = 64 * 1024
MOST_WINDOW = 8 * 1024 * 1024  # RFC 8878, 3.1.1.1.2: what a decoder should support

GZIP, ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"


class TooLarge(IgnoreRequest):
    """A body over the limit; the message names both sizes (F12)."""

    def __init__(self, size: str, limit: int) -> None:
        super().__init__(f"too large: {size}, and the limit is {limit:,} bytes")


class BadCoding(IgnoreRequest):
    """A body that is not in the coding it claims, nor in any we know."""


class DecodingMiddleware:
    """Asks for the codings we undo, and undoes them. A coding that ends early flags the response ``cut``."""

    def process_request(self, request: Request) -> None:
        request.headers["Accept-Encoding"] = "gzip, deflate, br, zstd"

    def process_response(self, request: Request, response: Response) -> Response:
        named = _named(response)
        if not response.body or not (named or response.body.startswith((GZIP, ZSTD))):
            return response
        body, whole = undone(response.body, named, request.meta.get("download_maxsize", MOST_BODY))
        response.headers.pop("Content-Encoding", None)
        return response.replace(body=body, flags=response.flags if whole else [*response.flags, "cut"])


def undone(body: bytes, named: list[str], limit: int) -> tuple[bytes, bool]:
    """The decoded body, and whether it was whole. Raises `TooLarge` and `BadCoding`.

    Codings that announce themselves (gzip, zstd) are recognised by content, named or not; the others by name, and a
    body that is not in the coding it claims is taken as it is when it reads as text.
    """
    if len(named) > MOST_LAYERS:
        raise BadCoding(f"coded {len(named)} times over: {', '.join(named)}")
    whole = True
    for _ in range(MOST_LAYERS):
        coding = _coding(body, named)
        if coding is None:
            return body, whole
        packed = len(body)
        try:
            unpacked, complete = _joined(_PIECES[coding](body), packed, limit)
        except (zlib.error, brotli.error, zstandard.ZstdError):
            unpacked, complete = b"", False
        if not (unpacked or complete):
            if _reads_as_text(body):
                return body, whole
            raise BadCoding(f"the body claims to be {coding}, and nothing can be unpacked from it")
        body, whole = unpacked, whole and complete
    return body, whole


def _named(response: Response) -> list[str]:
    text = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower()
    return [each for part in text.split(",") if (each := part.strip()) and each != "identity"]


def _coding(body: bytes, named: list[str]) -> str | None:
    said = named.pop().removeprefix("x-") if named else None
    if body.startswith(GZIP):
        return "gzip"
    if body.startswith(ZSTD):
        return "zstd"
    if said in ("br", "deflate"):
        return said
    if said is not None and not _reads_as_text(body):
        raise BadCoding(f"the body claims to be {said} and is not")
    return None


def _reads_as_text(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"[")


def _joined(pieces: Iterator[bytes | None], packed: int, limit: int) -> tuple[bytes, bool]:
    """All pieces; ``None`` among them says that the coding ended early."""
    out, whole = bytearray(), True
    for piece in pieces:
        if piece is None:
            whole = False
            continue
        out += piece
        if len(out) > limit:
            raise TooLarge(f"{packed:,} bytes that unpack to more than {len(out) - 1:,}", limit)
    return bytes(out), whole


def _inflated(body: bytes, wbits: int) -> Iterator[bytes | None]:
    rest, first = body, True
    while first or rest.startswith(GZIP):  # gzip may hold several members (RFC 1952, 2.2)
        inflater = zlib.decompressobj(wbits)
        while not inflater.eof:
            try:
                piece = inflater.decompress(rest, PIECE)
            except zlib.error:
                if first:
                    raise
                piece = b""
            rest = inflater.unconsumed_tail
            if not piece and not inflater.eof:
                yield None
                return
            first = False
            yield piece
        rest = inflater.unused_data


def _gzip(body: bytes) -> Iterator[bytes | None]:
    return _inflated(body, 31)


def _deflate(body: bytes) -> Iterator[bytes | None]:
    zlib_wrapped = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0  # RFC 1950, 2.2
    return _inflated(body, 15 if zlib_wrapped else -15)


def _brotli(body: bytes) -> Iterator[bytes | None]:
    decoder = brotli.Decompressor()
    piece = decoder.process(body, output_buffer_limit=PIECE)
    while piece:
        yield piece
        piece = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=PIECE)
    if not decoder.is_finished():
        yield None


def _zstd(body: bytes) -> Iterator[bytes | None]:
    reader = zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW).stream_reader(
        BytesIO(body), read_across_frames=True
    )
    seen = False
    while piece := reader.read(PIECE):
        seen = True
        yield piece
    if not seen:  # the decoder tells no more of a frame that ends early; the reader notices what is missing
        yield None


_PIECES: dict[str, Callable[[bytes], Iterator[bytes | None]]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
