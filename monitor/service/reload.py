"""Reloading: a saved configuration comes into force whole, or the last good one stays in force whole and it is said."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from config.errors import ConfigError
from monitor import health
from monitor.clock import rest
from monitor.desk import Desk
from monitor.edition import open_edition, remarks
from monitor.log import keep_out
from monitor.ports import Clock
from monitor.service.channels import Channels
from monitor.service.running import Running

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds after which the folder is looked at though nothing was heard: the system tells nothing of a link or a folder
that another took the place of (F139)."""
REFUSED_AGAIN = 60.0
"""Seconds after which a folder that was refused is read again."""
_NOT_OURS = (".db", ".db-wal", ".db-shm", ".db-journal", ".lock", ".jsonl", ".log")
"""What the service itself writes may stand in the same folder."""


class Reload:
    """``taken`` is awaited each time after a new configuration came into force."""

    def __init__(
        self,
        folder: Path | None,
        desk: Desk,
        channels: Channels,
        clock: Clock,
        running: Running,
        *,
        taken: Callable[[], Awaitable[None]],
    ) -> None:
        self._folder, self._desk, self._channels = folder, desk, channels
        self._clock, self._running, self._taken = clock, running, taken
        self._one_at_a_time, self._saved = asyncio.Lock(), asyncio.Event()
        self._stamps = _stamps(folder) if folder is not None else frozenset()
        self._told, self._read_at = "", 0.0

    async def on_save(self, stop: asyncio.Event) -> None:
        """Until ``stop``: take what is saved in the folder."""
        if self._folder is None:
            return
        hearing = asyncio.create_task(self._hear(self._folder, stop))
        try:
            while not stop.is_set():
                await rest(self._clock, LOOK_EVERY, stop, self._saved)
                self._saved.clear()
                try:
                    await self._look(await asyncio.to_thread(_stamps, self._folder))
                except Exception:  # neither a fault of ours in reading a file nor one of the system ends the watching
                    log.exception("configuration not taken, trying again")
                    self._stamps = frozenset()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, folder: Path, stop: asyncio.Event) -> None:
        """What the system tells of changes in the folder makes a look come sooner; without it they come all the same
        (no watch is left, the folder was replaced)."""
        from watchfiles import Change, awatch  # noqa: PLC0415  (0.1 s that only a running service needs)

        def may_be_ours(_change: Change, path: str) -> bool:
            return not path.endswith(_NOT_OURS)

        try:
            async for _changes in awatch(folder, stop_event=stop, debounce=200, watch_filter=may_be_ours):
                self._saved.set()
        except (OSError, RuntimeError) as error:
            log.warning("saves are not heard of, the folder is looked at instead", extra={"error": str(error)})

    async def _look(self, fresh: frozenset[tuple[str, int, int, int]]) -> None:
        """Read the folder if anything in it changed. One that was refused is read again after a while all the same: a
        secret that was missing lies elsewhere, and what could not be read perhaps can be now."""
        again = bool(self._running.refused) and self._clock.monotonic() - self._read_at >= REFUSED_AGAIN
        if fresh != self._stamps or again:
            self._stamps = fresh
            await self.now()

    def soon(self) -> None:
        """Have the folder read again, though nothing in it seems changed (a secret's file did, perhaps)."""
        self._stamps = frozenset()
        self._saved.set()

    async def now(self) -> bool:
        """Read the folder again; False when it is refused (F138: the last good one stays in force). One at a time:
        an earlier reading must not come into force after a later one (F139)."""
        async with self._one_at_a_time:
            self._read_at = self._clock.monotonic()
            return await self._read()

    async def _read(self) -> bool:
        try:
            compiled = await asyncio.to_thread(open_edition, self._folder)
            keep_out(compiled.config.secret_values)
            await self._desk.prepare(compiled)
            made = await self._channels.made_for(compiled.config)
        except ConfigError as error:
            await self._refuse(tuple(map(str, error.problems)))
            return False
        self._running.refused = self._told = ""
        self._channels.replace(compiled.config, made)
        self._desk.edition = compiled
        await self._taken()
        for remark in remarks(compiled):
            log.warning("remark on the configuration", extra={"remark": remark})
        outlets, watches = len(compiled.config.outlets), len(compiled.config.watches)
        log.info("configuration in force", extra={"outlets": outlets, "watches": watches})
        return True

    async def _refuse(self, said: tuple[str, ...]) -> None:
        """Told once for each first problem: another save with the same one is no news."""
        self._running.refused = said[0]
        if self._told != said[0]:
            await self._desk.tell((health.bad_reload(said, now=self._clock.now()),))
            self._told = said[0]


def _stamps(folder: Path) -> frozenset[tuple[str, int, int, int]]:
    """What every file of the configuration is now, links followed: it differs after any change."""
    found = []
    for path in (*folder.glob("*.toml"), *folder.glob("*/*.toml")):
        with contextlib.suppress(OSError):  # taken away or locked meanwhile: `load` says so
            seen = path.stat()
            found.append((str(path), seen.st_ino, seen.st_size, seen.st_mtime_ns))
    return frozenset(found)
