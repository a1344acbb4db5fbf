"""What most commands begin with: the configuration in force and its store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from config.load import load
from config.model.watches import Watch
from config.model.whole import Config
from config.wording import near
from monitor.errors import UnknownName
from monitor.model.stories import Story
from monitor.ports import Store
from storage import is_there, open_store

Result = TypeVar("Result")


def store_of(config: Config, *, exclusive: bool = False, given_up: Callable[[], bool] = lambda: False) -> Store:
    """The store the configuration names; relative paths start at the configuration's folder. See `open_store`."""
    folder = Path(config.folder) if config.folder else None
    return open_store(config.settings.store.url, folder=folder, exclusive=exclusive, given_up=given_up)


def has_store(config: Config) -> bool:
    """Whether the store is there already: looking must not make one."""
    return is_there(config.settings.store.url, Path(config.folder) if config.folder else None)


def with_store(folder: Path | None, ask: Callable[[Config, Store], Awaitable[Result]]) -> Result:
    """Open the store beside a service that may be running, ask, and close it."""

    async def asked() -> Result:
        config = load(folder)
        store = store_of(config)
        try:
            return await ask(config, store)
        finally:
            await store.close()

    return asyncio.run(asked())


async def known_story(store: Store, name: str) -> Story:
    """By its own id, one it had, or that of one of its items; `UnknownName`."""
    held = await store.story(name)
    if held is None and (item := await store.item(name)) is not None and item.story:
        held = await store.story(item.story)
    if held is None:
        raise UnknownName(f"No story or item is called {name}; ids stand in `wirewatch stories list`.")
    return held


def known_watch(config: Config, name: str) -> Watch:
    """The watch of that id; `UnknownName` with the nearest one for a slip of the pen."""
    if name not in config.watches:
        meant = near(name, config.watches) or "see `wirewatch watches list`."
        raise UnknownName(f"No watch is called {name}; {meant}")
    return config.watches[name]
