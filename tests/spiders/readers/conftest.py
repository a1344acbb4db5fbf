"""What the reader tests share: one moment, tasks, feeds written in a line, pages in each outlet's shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.readers import Reading, ReadTask, read

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAGES = Path(__file__).parent / "pages"


@pytest.fixture
def read_body() -> Callable[..., Reading]:
    """Read bytes (or text, as UTF-8) as the kind given; everything else has a default."""

    def reading(body: bytes | str, kind: Any = "feed", **given: Any) -> Reading:
        raw = body.encode() if isinstance(body, str) else body
        fields: dict[str, Any] = {"url": "https://news.example/feed", "now": NOW} | given
        return read(ReadTask(kind=kind, body=raw, **fields))

    return reading


@pytest.fixture
def page(read_body: Callable[..., Reading]) -> Callable[..., Reading]:
    """Read one of our written pages."""

    def reading(name: str, kind: Any = "feed", **given: Any) -> Reading:
        return read_body((PAGES / name).read_bytes(), kind, **given)

    return reading


@pytest.fixture
def rss() -> Callable[..., str]:
    """An RSS 2.0 document of the items given as markup."""

    def document(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
        inside = "".join(f"<item>{item}</item>" for item in items)
        return f'{head}<rss version="2.0"><channel><title>News</title>{inside}</channel></rss>'

    return document
