"""A disk that loses power: from recorded steps, the states that a file system may be found in afterwards.

What was synced is there. Of a file's later changes each may be there, missing, or torn at sectors of 512 bytes, in any
combination: each sector holds any of its contents since the last sync. Where nothing was synced before there may be
anything at all. Changes of names reach the disk in their order (every journaling file system keeps it), but how many
of them did is open until the folder is synced.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.rig.recording import Named, Renamed, Said, Step, Sync, SyncFolder, Truncate, Write, folder_of

SECTOR = 512


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    since: list[Write | Truncate] = field(default_factory=list)


@dataclass(slots=True)
class _Folder:
    synced: dict[str, int] = field(default_factory=dict)
    since: list[Named | Renamed] = field(default_factory=list)


class Disk:
    """Fed step by step with `take`; `after_power_cut` may be asked between any two. ``there``: names with what their
    files hold from the beginning, as the recording knows them."""

    def __init__(self, there: Mapping[str, bytes] | None = None) -> None:
        self._files: dict[int, _File] = {}
        self._folders: dict[str, _Folder] = {}
        for number, (name, content) in enumerate(sorted((there or {}).items()), 1):
            self._file(number).synced[:] = content
            self._folder(folder_of(name)).synced[name] = number

    def after(self, steps: Iterable[Step]) -> Disk:
        """This disk, after these steps."""
        for step in steps:
            self.take(step)
        return self

    def take(self, step: Step) -> None:
        match step:
            case Write(file=file) | Truncate(file=file):
                self._file(file).since.append(step)
            case Sync(file=file):
                own = self._file(file)
                for each in own.since:
                    _apply(own.synced, each)
                own.since.clear()
            case Named(name=name) | Renamed(new=name):
                self._folder(folder_of(name)).since.append(step)
            case SyncFolder(folder=folder):
                known = self._folder(folder)
                for change in known.since:
                    _rename(known.synced, change)
                known.since.clear()
            case Said():
                pass

    def after_power_cut(self, chance: random.Random) -> dict[str, bytes]:
        """One state that may be found: names with what the files hold."""
        kept, torn = chance.choice((0.0, 0.0, 0.1, 0.5, 0.9, 1.0)), chance.random() < 0.5
        found: dict[str, bytes] = {}
        contents: dict[int, bytes] = {}
        for folder in self._folders.values():
            names = dict(folder.synced)
            done = chance.choice((0, len(folder.since), chance.randint(0, len(folder.since))))
            for change in folder.since[:done]:
                _rename(names, change)
            for name, file in names.items():
                if file not in contents:
                    contents[file] = self._content(self._file(file), chance, kept, torn)
                found[name] = contents[file]
        return found

    def _file(self, number: int) -> _File:
        return self._files.setdefault(number, _File())

    def _folder(self, name: str) -> _Folder:
        return self._folders.setdefault(name, _Folder())

    @staticmethod
    def _content(file: _File, chance: random.Random, kept: float, torn: bool) -> bytes:
        content, safe = bytearray(file.synced), len(file.synced)
        for each in file.since:
            if torn and isinstance(each, Write):
                for piece in _sectors(each):
                    _perhaps(content, piece, chance, kept, safe)
            elif chance.random() < kept:
                _apply(content, each)
        return bytes(content)


def _perhaps(content: bytearray, piece: Write, chance: random.Random, kept: float, safe: int) -> None:
    if chance.random() < kept:
        _apply(content, piece)
    elif piece.offset >= safe and kept and chance.random() < 0.3:  # the size grew, the content did not arrive
        _apply(content, Write(piece.file, piece.offset, chance.randbytes(len(piece.content))))


def _sectors(write: Write) -> list[Write]:
    edges = range(write.offset - write.offset % SECTOR, write.offset + len(write.content), SECTOR)
    pieces = []
    for edge in edges:
        start, end = max(edge - write.offset, 0), min(edge + SECTOR - write.offset, len(write.content))
        pieces.append(Write(write.file, write.offset + start, write.content[start:end]))
    return pieces


def _apply(content: bytearray, change: Write | Truncate) -> None:
    if isinstance(change, Truncate):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    if len(content) < change.offset:
        content.extend(bytes(change.offset - len(content)))
    content[change.offset : change.offset + len(change.content)] = change.content


def _rename(names: dict[str, int], change: Named | Renamed) -> None:
    if isinstance(change, Renamed):
        names[change.new] = names.pop(change.old)
    elif change.file is None:
        names.pop(change.name, None)
    else:
        names[change.name] = change.file
