"""Records, in order, everything that SQLite and the store do to the files of one folder.

`Recording.start` puts a layer between SQLite and its own file layer (a VFS, https://www.sqlite.org/vfs.html) in the
very library that Python's ``sqlite3`` uses, and wraps the few calls of ``os`` that the store makes by itself.
Everything is passed on: the files are real, the store is the real one. It stays in force until the process ends, so it
is for processes of their own (`tests.rig.storelife`).
"""

from __future__ import annotations

import _sqlite3
import ctypes as c
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# ------------------------------------------------------------------ what is recorded


@dataclass(frozen=True, slots=True)
class Write:
    file: int
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """Everything done to a file so far is on the disk."""

    file: int


@dataclass(frozen=True, slots=True)
class Named:
    """A name (relative to the folder) came to stand for a file; ``file`` is None: for none."""

    name: str
    file: int | None


@dataclass(frozen=True, slots=True)
class Renamed:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """All names in a folder ("." is the recorded one) are on the disk."""

    folder: str


@dataclass(frozen=True, slots=True)
class Said:
    """Something was acknowledged to a caller."""

    what: tuple[Any, ...]


Step = Write | Truncate | Sync | Named | Renamed | SyncFolder | Said


def folder_of(name: str) -> str:
    return str(Path(name).parent)


# ------------------------------------------------------------------ SQLite's own structures (sqlite3.h)

_OPEN = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_int, c.c_void_p)
_DELETE = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, c.c_int)
_WRITE = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_int, c.c_int64)
_TRUNCATE = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int64)
_SYNC = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int)
_OPEN_CREATES, _OPEN_JOURNALS = 0x4, 0x800 | 0x80000  # main journal, write-ahead log
_IOERR = 10


class _Vfs(c.Structure):
    _fields_ = [
        ("iVersion", c.c_int), ("szOsFile", c.c_int), ("mxPathname", c.c_int), ("pNext", c.c_void_p),
        ("zName", c.c_char_p), ("pAppData", c.c_void_p), ("xOpen", _OPEN), ("xDelete", _DELETE),
        *((name, c.c_void_p) for name in (
            "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose", "xRandomness", "xSleep",
            "xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall",
        )),
    ]  # fmt: skip


class _Methods(c.Structure):
    _fields_ = [
        ("iVersion", c.c_int), ("xClose", c.c_void_p), ("xRead", c.c_void_p), ("xWrite", _WRITE),
        ("xTruncate", _TRUNCATE), ("xSync", _SYNC),
        *((name, c.c_void_p) for name in (
            "xFileSize", "xLock", "xUnlock", "xCheckReservedLock", "xFileControl", "xSectorSize",
            "xDeviceCharacteristics", "xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch",
        )),
    ]  # fmt: skip


def _path_of(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}").readlink()


def library() -> Any | None:
    """The SQLite that Python's ``sqlite3`` calls; ``None`` where its symbols cannot be reached."""
    found = c.CDLL(getattr(_sqlite3, "__file__", None))
    if not hasattr(found, "sqlite3_vfs_register"):
        return None
    found.sqlite3_vfs_find.restype = c.POINTER(_Vfs)
    found.sqlite3_vfs_find.argtypes = [c.c_char_p]
    found.sqlite3_vfs_register.argtypes = [c.POINTER(_Vfs), c.c_int]
    return found


# ------------------------------------------------------------------ the recording


class Recording:
    """``steps`` grow while the process works; `say` adds what a caller was told. Files that are there from the
    beginning are numbered from 1 in the order of their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.steps: list[Step] = []
        self.broken: list[BaseException] = []
        """Faults of the recording itself: it is worth nothing when there are any."""
        there = sorted(str(each.relative_to(self.folder)) for each in self.folder.rglob("*") if each.is_file())
        self._names = {name: number for number, name in enumerate(there, 1)}
        self._open: dict[int, int] = {}  # address of an open sqlite3_file -> file
        self._new_journals: dict[int, str] = {}  # address -> folder that its first sync brings to the disk too
        self._files = len(self._names)
        self._order = threading.RLock()
        self._methods: dict[int, _Methods] = {}
        self._kept: list[Any] = []  # what C points at must not be collected

    def start(self) -> None:
        self._between()
        self._wrap_os()

    def say(self, *what: Any) -> None:
        with self._order:
            self.steps.append(Said(what))

    # -------------------------------------------------------------- names

    def _name(self, path: str | os.PathLike[str]) -> str | None:
        """A path as a name in the folder; ``None`` outside it. A shared-memory file is rebuilt after any crash."""
        whole = Path(path).resolve()
        if self.folder not in whole.parents or whole.name.endswith("-shm"):
            return None
        return str(whole.relative_to(self.folder))

    def _file(self, name: str) -> int:
        """The file that a name stands for; a new one when it stands for none."""
        if name not in self._names:
            self._files += 1
            self._names[name] = self._files
            self.steps.append(Named(name, self._files))
        return self._names[name]

    def _gone(self, name: str) -> None:
        if self._names.pop(name, None) is not None:
            self.steps.append(Named(name, None))

    def _of(self, handle: int) -> str | None:
        return self._name(_path_of(handle))

    # -------------------------------------------------------------- between SQLite and its files

    def _between(self) -> None:
        sqlite = library()
        assert sqlite is not None, "SQLite's symbols cannot be reached from here"
        theirs = sqlite.sqlite3_vfs_find(None).contents
        ours = _Vfs.from_buffer_copy(theirs)
        self._their_open, self._their_delete = theirs.xOpen, theirs.xDelete
        ours.zName, ours.pNext = b"recording", None
        ours.xOpen, ours.xDelete = self._callback(_OPEN, self._opened), self._callback(_DELETE, self._deleted)
        self._kept += [ours, theirs, sqlite]
        assert sqlite.sqlite3_vfs_register(c.byref(ours), 1) == 0

    def _callback(self, kind: Any, method: Callable[..., int]) -> Any:
        def called(*args: Any) -> int:
            try:
                with self._order:
                    return method(*args)
            except BaseException as error:  # noqa: BLE001 - C cannot take it; `broken` tells
                self.broken.append(error)
                return _IOERR

        callback = kind(called)
        self._kept.append(callback)
        return callback

    def _opened(self, vfs: int, path: int | None, file: int, flags: int, told: int | None) -> int:
        name = self._name(os.fsdecode(c.string_at(path))) if path else None
        fresh = name is not None and name not in self._names
        answer = self._their_open(vfs, path, file, flags, told)
        self._open.pop(file, None)
        self._new_journals.pop(file, None)
        if answer == 0 and name is not None:
            self._open[file] = self._file(name)
            if fresh and flags & _OPEN_CREATES and flags & _OPEN_JOURNALS:
                self._new_journals[file] = folder_of(name)
            methods = c.c_void_p.from_address(file)
            assert methods.value is not None
            methods.value = c.addressof(self._recorded(methods.value))
        return answer

    def _recorded(self, address: int) -> _Methods:
        """Their methods with ours in the three places that change a file."""
        if address not in self._methods:
            theirs = _Methods.from_address(address)
            ours = _Methods.from_buffer_copy(theirs)

            def write(file: int, content: int, size: int, offset: int) -> int:
                answer = int(theirs.xWrite(file, content, size, offset))
                self.steps.append(Write(self._open[file], offset, c.string_at(content, size)))
                return answer

            def truncate(file: int, size: int) -> int:
                answer = int(theirs.xTruncate(file, size))
                self.steps.append(Truncate(self._open[file], size))
                return answer

            def sync(file: int, flags: int) -> int:
                answer = int(theirs.xSync(file, flags))
                self.steps.append(Sync(self._open[file]))
                if (folder := self._new_journals.pop(file, None)) is not None:
                    self.steps.append(SyncFolder(folder))  # UNIXFILE_DIRSYNC of os_unix.c
                return answer

            ours.xWrite = self._callback(_WRITE, write)
            ours.xTruncate = self._callback(_TRUNCATE, truncate)
            ours.xSync = self._callback(_SYNC, sync)
            self._methods[address] = ours
        return self._methods[address]

    def _deleted(self, vfs: int, path: bytes, sync_folder: int) -> int:
        answer = int(self._their_delete(vfs, path, sync_folder))
        if answer == 0 and (name := self._name(os.fsdecode(path))) is not None:
            self._gone(name)
            if sync_folder:
                self.steps.append(SyncFolder(folder_of(name)))
        return answer

    # -------------------------------------------------------------- what the store asks the system for itself

    def _wrap_os(self) -> None:
        for name, record in (
            ("open", self._os_open), ("pwrite", self._os_pwrite), ("fsync", self._os_fsync), ("link", self._os_link),
            ("rename", self._os_rename), ("replace", self._os_rename), ("unlink", self._os_unlink),
        ):  # fmt: skip
            setattr(os, name, self._wrapped(getattr(os, name), record))

    def _wrapped(self, original: Callable[..., Any], record: Callable[..., None]) -> Callable[..., Any]:
        def called(*args: Any, **more: Any) -> Any:
            with self._order:
                answer = original(*args, **more)
                record(answer, *args, **more)
            return answer

        return called

    def _os_open(self, handle: int, path: Any, flags: int, *_more: Any, **_other: Any) -> None:
        if flags & os.O_CREAT and (name := self._of(handle)) is not None:
            self._file(name)

    def _os_pwrite(self, _written: int, handle: int, content: bytes, offset: int) -> None:
        if (name := self._of(handle)) is not None:
            self.steps.append(Write(self._file(name), offset, bytes(content)))

    def _os_fsync(self, _none: None, handle: int) -> None:
        path = _path_of(handle)
        if path.is_dir():
            self.steps.append(SyncFolder(str(path.relative_to(self.folder))))
        elif (name := self._name(path)) is not None:
            self.steps.append(Sync(self._file(name)))

    def _os_link(self, _none: None, old: Any, new: Any, **_more: Any) -> None:
        source, target = self._name(old), self._name(new)
        assert source is not None
        assert target is not None
        self._names[target] = self._file(source)
        self.steps.append(Named(target, self._names[target]))

    def _os_rename(self, _none: None, old: Any, new: Any, **_more: Any) -> None:
        source, target = self._name(old), self._name(new)
        if source is None and target is None:
            return
        assert source is not None
        assert target is not None
        self._names[target] = self._names.pop(source)
        self.steps.append(Renamed(source, target))

    def _os_unlink(self, _none: None, path: Any, *, dir_fd: int | None = None) -> None:
        beside = Path() if dir_fd is None else _path_of(dir_fd)
        if (name := self._name(beside / path)) is not None:
            self._gone(name)
