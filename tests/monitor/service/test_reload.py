"""A folder is read again when it changed, when it was refused a while ago, and when nobody hears of changes."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from monitor import log
from monitor.model.items import Wanted
from monitor.service.reload import REFUSED_AGAIN, Reload
from monitor.service.running import Running
from storage.sqlite.store import SqliteStore
from tests.config.right import RIGHT
from tests.monitor.service.conftest import START, Parts

pytestmark = pytest.mark.anyio


class Folder:
    """A configuration on disk, and the part of the service that takes it."""

    def __init__(self, path: Path, store: SqliteStore) -> None:
        self.path = path
        for name, text in RIGHT.items():
            self.save(name, text)
        self.parts = Parts(store, load(path))
        self.running = Running(self.parts.clock, started=START)
        self.taken = 0
        self.reload = Reload(
            path, self.parts.desk, self.parts.channels, self.parts.clock, self.running, taken=self._taken
        )  # fmt: skip

    async def _taken(self) -> None:
        self.taken += 1

    def save(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True, parents=True)
        (self.path / name).write_text(text, "utf-8")

    @property
    def notices(self) -> Any:
        return self.parts.store.items(Wanted(outlet="wirewatch"))


@pytest.fixture
def folder(tmp_path: Path, store: SqliteStore) -> Folder:
    return Folder(tmp_path / "desk", store)


@pytest.fixture
async def watching(folder: Folder) -> AsyncIterator[Folder]:
    stop = asyncio.Event()
    task = asyncio.create_task(folder.reload.on_save(stop))
    yield folder
    stop.set()
    await asyncio.wait_for(task, 10)


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_folder_that_did_not_change_is_not_read_again(folder: Folder) -> None:
    assert await folder.reload.now()
    await folder.reload._look(folder.reload._stamps)
    assert folder.taken == 1


async def test_f138_one_that_was_refused_for_a_secret_that_lies_elsewhere_is_taken_when_it_is_there(
    folder: Folder, tmp_path: Path
) -> None:
    secret = tmp_path / "elsewhere"
    folder.save("wirewatch.toml", f'{RIGHT["wirewatch.toml"]}[[channel]]\nid = "duty"\nurl = {{ file = "{secret}" }}\n')
    assert not await folder.reload.now()
    assert "cannot be read" in folder.running.refused
    secret.write_text("json://127.0.0.1:9/x")
    secret.chmod(0o600)
    await folder.reload._look(folder.reload._stamps)
    assert folder.running.refused, "not at once: a broken save is no reason to read all the time"
    folder.parts.clock.later(REFUSED_AGAIN)
    await folder.reload._look(folder.reload._stamps)
    assert folder.running.refused == ""
    assert set(folder.parts.channels.in_force) == {"newsroom", "duty", "wirewatch-canary"}
    assert len(await folder.notices) == 1, "the refusal was told once"


@pytest.fixture(params=[False, True], ids=["lines", "json"])
def logged(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the service's log says."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    log.set_up(stream, json=request.param, level="INFO")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_f135_a_secret_that_came_with_a_reload_stays_out_of_the_log_and_so_does_the_one_before(
    folder: Folder, tmp_path: Path, logged: io.StringIO
) -> None:
    secret = tmp_path / "elsewhere"
    folder.save("wirewatch.toml", f'{RIGHT["wirewatch.toml"]}[[channel]]\nid = "duty"\nurl = {{ file = "{secret}" }}\n')
    for word in ("zaunkoenig", "goldhaehnchen"):
        secret.write_text(f"json://127.0.0.1:9/{word}")
        secret.chmod(0o600)
        assert await folder.reload.now()
        logging.getLogger("monitor").error("gone wrong", extra={"error": f"POST {secret.read_text()} failed"})
    logging.getLogger("monitor").error("still json://127.0.0.1:9/zaunkoenig")
    said = logged.getvalue()
    assert said.count("•••") == 3
    assert "zaunkoenig" not in said
    assert "goldhaehnchen" not in said


async def test_f138_the_same_refusal_is_told_once_and_another_is_told(folder: Folder) -> None:
    for title in ("7", "8", "7 "):
        folder.save("watches/doha.toml", RIGHT["watches/doha.toml"].replace('"A deal"', title))
        assert not await folder.reload.now()
        folder.parts.clock.later(5)
    assert len(await folder.notices) == 1
    folder.save("watches/doha.toml", "[[wat")
    assert not await folder.reload.now()
    assert len(await folder.notices) == 2
    folder.save("watches/doha.toml", RIGHT["watches/doha.toml"])
    assert await folder.reload.now()
    assert folder.running.refused == ""


async def test_f144_a_save_is_taken_though_the_system_has_no_watch_left(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_args: object, **_more: object) -> Any:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchfiles.awatch", none_left)
    stop = asyncio.Event()
    task = asyncio.create_task(folder.reload.on_save(stop))
    folder.save("watches/doha.toml", RIGHT["watches/doha.toml"].replace("A deal", "Another"))
    await until(lambda: folder.taken)
    assert folder.parts.desk.edition.config.watches["deal"].title == "Another"
    stop.set()
    await asyncio.wait_for(task, 10)


async def test_f144_a_folder_that_cannot_be_looked_at_for_a_while_ends_nothing(
    watching: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def out_of_descriptors(*_args: object) -> Any:
        tried.append(1)
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("monitor.service.reload._stamps", out_of_descriptors)
        await until(lambda: len(tried) > 2)
        watching.save("watches/doha.toml", RIGHT["watches/doha.toml"].replace("A deal", "Another"))
    await until(lambda: watching.taken)
    assert watching.parts.desk.edition.config.watches["deal"].title == "Another"


async def test_f139_readings_at_once_come_into_force_one_after_the_other_and_the_last_is_what_stands_there(
    folder: Folder,
) -> None:
    for number in range(5):
        folder.save("watches/doha.toml", RIGHT["watches/doha.toml"].replace("A deal", f"Deal {number}"))
        reading = [asyncio.create_task(folder.reload.now()) for _ in range(3)]
        await asyncio.sleep(0)
    assert all(await asyncio.gather(*reading))
    assert folder.parts.desk.edition.config.watches["deal"].title == "Deal 4"


async def test_channels_are_opened_anew_only_when_what_they_are_made_of_changed(folder: Folder) -> None:
    before = folder.parts.channels.in_force
    folder.save("outlets/bbc.toml", RIGHT["outlets/bbc.toml"].replace("It publishes feeds.", "It does."))
    assert await folder.reload.now()
    assert folder.parts.channels.in_force is before
    folder.save("watches/doha.toml", RIGHT["watches/doha.toml"].replace("A deal", "Another"))
    assert await folder.reload.now()
    assert folder.parts.channels.in_force is not before, "messages bear the watch's title"
    assert folder.parts.inboxes["newsroom"].closed == 0, "what is on its way ends first"
    await folder.parts.channels.close()
    assert folder.parts.inboxes["newsroom"].closed == 2, "those of before and those in force"
