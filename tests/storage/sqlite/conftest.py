"""One SQLite file, and a store over it as the service opens it, but for its patience."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.sqlite.store import SqliteStore
from tests.storage.sqlite.files import PATIENCE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path, anyio_backend: str) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(path, exclusive=True, patience=PATIENCE)
    yield opened
    await opened.close()
