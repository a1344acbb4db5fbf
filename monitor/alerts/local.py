"""Channels that need no network: the page, standard output, a file of JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TextIO

from monitor.alerts.gathered import worded
from monitor.alerts.markup import PLAIN
from monitor.alerts.wording import NAMES, Wording
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Clock

_SENT = Delivery(verdict="sent")


class PageChannel:
    """The review page shows the store itself: what is in it has arrived."""

    at_once = 8
    names = NAMES

    def __init__(self, name: str) -> None:
        self.id = name

    async def send(self, parcel: Parcel) -> Delivery:
        return _SENT

    async def close(self) -> None:
        return None


class StdoutChannel:
    """One readable block a message, for a terminal or a pipe."""

    at_once = 1
    names = NAMES

    def __init__(self, name: str, *, wording: Wording, stream: TextIO | None = None) -> None:
        self.id = name
        self._wording = wording
        self._stream = stream

    async def send(self, parcel: Parcel) -> Delivery:
        body = worded(parcel, self._wording).text(PLAIN)
        stream = self._stream or sys.stdout
        try:
            stream.write(body + "\n\n")
            stream.flush()
        except (OSError, ValueError) as error:  # the pipe's reader is gone; a closed stream
            return Delivery(verdict="later", detail=f"standard output: {type(error).__name__}")
        return _SENT

    async def close(self) -> None:
        return None


class FileChannel:
    """One JSON line a message, on disk before it counts as sent."""

    at_once = 1
    names = NAMES

    def __init__(self, name: str, path: Path, *, wording: Wording, clock: Clock) -> None:
        self.id = name
        self._path = path
        self._wording = wording
        self._clock = clock
        self._turn = asyncio.Lock()

    async def send(self, parcel: Parcel) -> Delivery:
        payload = worded(parcel, self._wording).payload(self._clock.now())
        line = json.dumps(payload, ensure_ascii=False).encode() + b"\n"
        try:
            async with self._turn:
                await asyncio.to_thread(self._append, line)
        except OSError as error:
            return Delivery(verdict="later", detail=f"{self._path.name}: {error.strerror or type(error).__name__}")
        return _SENT

    async def close(self) -> None:
        return None

    def _append(self, line: bytes) -> None:
        """A line that a full disk broke off is ended before the next one, so that it spoils no other."""
        with self._path.open("a+b") as file:
            if file.seek(0, os.SEEK_END) and _last_byte(self._path) != b"\n":
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)
