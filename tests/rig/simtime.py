"""Simulated time for a whole service: it stands while anything is being done, and then goes on to the next step.

`SimClock` is the service's clock: wall time, the machine's seconds and every sleep. `Turner` turns it. It waits until
the process has nothing to do: no callback is ready, no timer is due, and nobody waits for real work (a thread, the
store, a socket), which `Busy` counts.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

STEP = 15.0
"""Seconds of one turn: whatever sleeps wakes at the next."""
_SOON = 0.002
_FACE = struct.Struct("<ddd")


@dataclass(slots=True)
class Face:
    """What a clock shows, as it is handed from one life to the next."""

    seconds: float = 0.0
    """Of the world."""
    ahead: float = 0.0
    """Seconds that the wall clock is wrong by."""
    slept: float = 0.0
    """Seconds of the world in which the machine slept."""


class SimClock:
    """`monitor.ports.Clock`. ``beginning`` is the moment at which the world's seconds are counted from."""

    pace = 1.0

    def __init__(self, beginning: datetime, face: Face) -> None:
        self._beginning, self.face = beginning, face
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._beginning + timedelta(seconds=self.face.seconds + self.face.ahead)

    def monotonic(self) -> float:
        return self.face.seconds - self.face.slept

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic() + seconds, next(self._order), woken))
        await woken

    @property
    def next_in(self) -> float:
        """Seconds until the first sleeper wakes; `STEP` when nobody sleeps."""
        return max(0.0, self._sleepers[0][0] - self.monotonic()) if self._sleepers else STEP

    def turn(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.face.seconds += seconds
        while self._sleepers and self._sleepers[0][0] <= self.monotonic():
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def sleep_machine(self, seconds: float) -> None:
        """The machine sleeps: the wall clock goes on, its own seconds do not (F118)."""
        self.face.seconds += seconds
        self.face.slept += seconds

    def set_wrong(self, seconds: float) -> None:
        """The wall clock is set to be wrong by so much (F116)."""
        self.face.ahead = seconds


class Kept:
    """A clock's face in a file, so that a kill does not set the time back."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def write(self, face: Face) -> None:
        os.pwrite(self._file, _FACE.pack(face.seconds, face.ahead, face.slept), 0)

    def read(self) -> Face:
        content = os.pread(self._file, _FACE.size, 0)
        return Face(*_FACE.unpack(content)) if content else Face()


class Busy:
    """Counts who waits for something that takes real time."""

    def __init__(self) -> None:
        self._waiting = 0
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        self._waiting += 1
        self._free.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._free.set()

    async def over(self) -> None:
        await self._free.wait()

    @property
    def now(self) -> bool:
        return self._waiting > 0

    def watch_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count what is run in threads by this loop from now on."""
        begin: Callable[..., Any] = loop.run_in_executor

        def counted(*args: Any) -> Any:
            future = begin(*args)
            waiting = self.waiting()
            waiting.__enter__()
            future.add_done_callback(lambda _: waiting.__exit__(None, None, None))
            return future

        loop.run_in_executor = counted  # type: ignore[assignment,method-assign]

    def counted(self, whole: Any) -> Any:
        """The same object, whose asynchronous methods are counted."""
        return _Counted(whole, self)


class _Counted:
    def __init__(self, whole: Any, busy: Busy) -> None:
        self._whole, self._busy = whole, busy

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._whole, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def counted(*args: Any, **more: Any) -> Any:
            with self._busy.waiting():
                return await found(*args, **more)

        setattr(self, name, counted)
        return counted


class Turner:
    """Turns the clock while nothing is done; ``each`` is awaited after each turn. ``exactly``: to the moment at which
    the next sleeper wakes, however soon, instead of by `STEP`."""

    def __init__(
        self, clock: SimClock, busy: Busy, each: Callable[[], Awaitable[None]], *, exactly: bool = False
    ) -> None:
        self._clock, self._busy, self._each, self._exactly = clock, busy, each, exactly

    async def run(self) -> None:
        while True:
            await self._idle()
            self._clock.turn(self._clock.next_in if self._exactly else STEP)
            await self._each()

    async def _idle(self) -> None:
        """Until there is nothing to do but to let time pass."""
        loop: Any = asyncio.get_running_loop()
        while True:
            if self._busy.now:
                await self._busy.over()
            elif loop._ready:
                await asyncio.sleep(0)
            elif _due(loop):
                await asyncio.sleep(_SOON)
            else:
                await asyncio.sleep(0)  # once around: what was ready has run
                if not (self._busy.now or loop._ready or _due(loop)):
                    return


def _due(loop: Any) -> bool:
    soon = loop.time() + _SOON
    return any(not timer._cancelled and timer._when <= soon for timer in loop._scheduled[:8])
