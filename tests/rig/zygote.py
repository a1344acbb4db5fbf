"""Processes that start at once: a warm parent has imported everything and forks a child for each run.

A start of the service costs about a second of CPU, nearly all of it imports; forked, it costs a tenth of that. The
parent (``python -m tests.rig.zygote MODULE``) has no thread, no event loop and no store, so a child begins like a
fresh process. ``MODULE.child(arguments)`` is what a child runs, ``MODULE.WARM`` what it
would import on its way, and ``MODULE.warm()`` prepares what a process needs once::

    with Zygote("tests.rig.killable", log) as zygote:
        pid = zygote.fork({"folder": "…", "point": "after_fetch"})
        assert zygote.wait(pid) == -signal.SIGKILL
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]


class Zygote:
    """The other side, in the process that drives the runs. What parent and children say goes to ``log``."""

    def __init__(self, module: str, log: Path) -> None:
        self._module, self._log = module, log
        self._children: set[int] = set()

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.rig.zygote", self._module], cwd=ROOT, stderr=log,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        for pid in tuple(self._children):
            self.kill(pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def fork(self, arguments: dict[str, Any]) -> int:
        """A child that runs ``MODULE.child(arguments)``; its pid."""
        pid = int(self._ask({"fork": arguments}))
        self._children.add(pid)
        return pid

    def wait(self, pid: int, seconds: float = 60.0) -> int:
        """How it ended, as `subprocess` says it: the exit code, or minus the signal. One that does not end in time is
        killed, and TimeoutError raised."""
        code = self._ask({"wait": pid, "seconds": seconds})
        if code is None:
            self.kill(pid)
            raise TimeoutError(f"process {pid} did not end within {seconds:g} s; see {self._log}")
        self._children.discard(pid)
        return int(code)

    def kill(self, pid: int) -> int:
        """SIGKILL, and how it ended: it may have ended before."""
        os.kill(pid, signal.SIGKILL)  # a child stays a zombie until it is waited for: the pid is its own
        return self.wait(pid, 10)

    @staticmethod
    def size(pid: int) -> dict[str, int]:
        """What a child takes: ``rss`` in bytes, and how many ``files`` it has open."""
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return {"rss": pages * os.sysconf("SC_PAGE_SIZE"), "files": files}

    def _ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the warm parent is gone; see {self._log}")
        return json.loads(answer)


# ------------------------------------------------------------------ the warm parent


def main(module: str) -> None:
    runs: Any = importlib.import_module(module)
    for name in runs.WARM:
        importlib.import_module(name)
    runs.warm()
    assert threading.active_count() == 1, "a fork would copy locks that other threads hold"
    assert "twisted.internet.reactor" not in sys.modules, "each child needs a loop of its own"
    gc.collect()
    gc.freeze()  # shared with the children: nothing here is ever looked through again
    for line in sys.stdin.buffer:
        command = json.loads(line)
        said = _forked(module, command["fork"]) if "fork" in command else _ended(command["wait"], command["seconds"])
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _forked(module: str, arguments: dict[str, Any]) -> int:
    if pid := os.fork():
        return pid
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)  # the driver's pipes are the parent's alone
        os.dup2(2, 1)
        code = int(sys.modules[module].child(arguments) or 0)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ended(pid: int, seconds: float) -> int | None:
    handle = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
    if not ready:
        return None
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main(sys.argv[1])
