"""A newsroom that is corrected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.load import load
from monitor.edition import edition
from tests.monitor.corrections.room import Room, made


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    (tmp_path / "watches").mkdir()
    (tmp_path / "watches/all.toml").write_text(
        '[[watch]]\nid = "sea"\ntitle = "At sea"\nwhen = "ferry OR strike"\n', "utf-8"
    )
    (tmp_path / "wirewatch.toml").write_text('[[channel]]\nid = "desk"\nurl = "page"\nmin_severity = "low"\n', "utf-8")
    room = await made(tmp_path, edition(load(tmp_path)))
    yield room
    await room.reviewer.close()
    await room.store.close()
