"""Conditional requests (RFC 9110, 13.1): validators go back byte for byte as the server wrote them (F29-F31)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model.sources import Validators

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

NOT_MODIFIED = 304


class ConditionalMiddleware:
    """``meta["validators"]`` makes a request conditional; a 304 to one that was not is asked again, once (F27)."""

    def process_request(self, request: Request) -> None:
        held: Validators | None = request.meta.get("validators")
        request.headers.pop("If-None-Match", None)
        request.headers.pop("If-Modified-Since", None)
        if held is None:
            return
        if held.etag is not None:
            request.headers["If-None-Match"] = held.etag.encode("latin-1", "replace")
        if held.last_modified is not None:
            request.headers["If-Modified-Since"] = held.last_modified.encode("latin-1", "replace")

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if response.status == NOT_MODIFIED and not conditional(request) and not request.meta.get("asked_plainly"):
            again = request.replace(meta={**request.meta, "asked_plainly": True})
            again.headers["Cache-Control"] = "no-cache"
            return again
        return response


def conditional(request: Request) -> bool:
    """Whether a request carried validators."""
    return "If-None-Match" in request.headers or "If-Modified-Since" in request.headers


def given(response: Response) -> Validators:
    """The validators an answer gives, as text that turns back into the same bytes."""
    return Validators(etag=_text(response, "ETag"), last_modified=_text(response, "Last-Modified"))


def _text(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
