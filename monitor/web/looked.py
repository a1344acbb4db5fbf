"""When somebody last said "I am up to date", kept in a cookie of their browser: the brief begins there."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Request, Response

_NAME = "looked"
_YEAR = 365 * 24 * 3600


def last_look(request: Request) -> datetime | None:
    """``None``: never, or the cookie is not ours."""
    try:
        return datetime.fromtimestamp(int(request.cookies.get(_NAME, "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def remember_look(response: Response, at: datetime, *, secure: bool) -> None:
    """From then on."""
    response.set_cookie(
        _NAME, str(int(at.timestamp())), max_age=_YEAR, httponly=True, samesite="strict", path="/", secure=secure
    )  # fmt: skip
