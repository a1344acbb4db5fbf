"""The page over a real store, served by the real server on loopback."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.model.settings import Channel, Settings
from config.model.watches import Watch
from config.model.whole import Config
from monitor.alerts import links
from monitor.status import Status
from monitor.web.app import build
from monitor.web.server import serving
from storage import open_store
from tests.monitor.web.desk import NOW, Desk, outlet

playwright = pytest.importorskip("playwright.async_api", reason="the playwright package is not installed")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; without one what needs it is skipped, but for the CI's own machine, which installs it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
async def browser(anyio_backend: str, chromium: str) -> AsyncIterator[Any]:
    async with playwright.async_playwright() as running:
        opened = await running.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield opened
        await opened.close()


@pytest.fixture
async def page(browser: Any) -> AsyncIterator[Any]:
    opened = await browser.new_page()
    yield opened
    await opened.close()


@pytest.fixture
def config() -> Config:
    return Config(
        settings=Settings(channel=(Channel(id="desk", url="page"), Channel(id="duty", url="stdout"))),
        outlets={
            "bbc": outlet("bbc", "BBC News", "en", "Its feeds are open to everybody."),
            "kan": outlet("kan", "כאן", "he", "Only its feed may be read."),
        },
        watches={"doha": Watch(id="doha", title="Talks <in> Doha", when="doha")},
        concepts={},
    )


@pytest.fixture
def status() -> Status:
    return Status(
        started=NOW - timedelta(hours=1), now=NOW, last_tick=NOW, looked=NOW, crawler_alive=True, counts={}, sources=(),
        problems=(),
    )  # fmt: skip


@pytest.fixture
async def desk(anyio_backend: str, tmp_path: Path, config: Config, status: Status) -> AsyncIterator[Desk]:
    store = open_store(f"sqlite:///{tmp_path}/store.db", exclusive=True)
    made = Desk(store=store, config=config, status=status, signer=links.signer_of(tmp_path / "store.db.key"))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        app = build(store, made.edition, made.looked, signer=made.signer, live=made.live)
        made.url = await stack.enter_async_context(serving(app, "127.0.0.1:0", ending=made.live.close))
        yield made
