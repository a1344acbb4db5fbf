"""Whether a write-ahead log that a killed service left can be what it wrote (https://www.sqlite.org/fileformat2.html,
section 4).

SQLite reads a log up to the first frame whose checksum is wrong and takes the rest for a transaction that was not
finished. That is right after a kill or a power cut; but where a disk damaged the log in its middle, acknowledged
changes after it would be gone in silence (F110). Since each commit waits for the disk, a crash can leave at most one
commit after the first wrong frame: its own.
"""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")
_MAGIC, _VERSION = 0x377F0682, 3007000  # the magic's lowest bit tells the checksum's byte order
_MASK = 0xFFFFFFFF
Sums = tuple[int, int]


class _Head(NamedTuple):
    page: int
    """Bytes of a page."""
    salts: tuple[int, int]
    """Of the log's present round; frames of an earlier one have others, and may stand after the last."""
    order: str
    sums: Sums


def damaged(log: Path, seconds: float) -> bool:
    """Whether no crash explains what stands in the log; False for one that is missing or empty, or that could not be
    read through in so many ``seconds`` (about 5 MB each)."""
    if not log.exists() or log.stat().st_size <= _HEADER.size:
        return False
    with log.open("rb") as file:
        head = _read_head(file)
        # It is on the disk before any frame is written.
        return head is None or _commits_after_damage(file, head, time.monotonic() + seconds) > 1


def _read_head(file: BinaryIO) -> _Head | None:
    raw = file.read(_HEADER.size)
    magic, version, page, _round, salt, other_salt, *sums = _HEADER.unpack(raw)
    order = ">" if magic & 1 else "<"
    if (magic & ~1, version, tuple(sums)) != (_MAGIC, _VERSION, _summed(raw[:24], order, (0, 0))):
        return None
    return _Head(page, (salt, other_salt), order, (sums[0], sums[1]))


def _commits_after_damage(file: BinaryIO, head: _Head, until: float) -> int:
    commits, sound, sums = 0, True, head.sums
    while time.monotonic() < until and len(start := file.read(_FRAME.size)) == _FRAME.size:
        _number, pages, *salts, first, second = _FRAME.unpack(start)
        content = file.read(head.page)
        ours = tuple(salts) == head.salts and len(content) == head.page
        if sound and ours:
            sums = _summed(content, head.order, _summed(start[:8], head.order, sums))
        sound = sound and ours and sums == (first, second)
        commits += ours and not sound and pages > 0
    return commits


def _summed(content: bytes, order: str, sums: Sums) -> Sums:
    first, second = sums
    for one, other in struct.iter_unpack(f"{order}2I", content):
        first = (first + one + second) & _MASK
        second = (second + other + first) & _MASK
    return first, second
