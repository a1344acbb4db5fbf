"""``wirewatch run`` where the process table is full from SIGUSR1 to SIGUSR2: ``python -m tests.rig.forkless``."""

from __future__ import annotations

import errno
import multiprocessing.util
import os
import signal
from typing import Any

from monitor.cli import main

_start = multiprocessing.util.spawnv_passfds


def _full(*_args: Any) -> int:
    """What fork(2) says then."""
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _become(start: Any) -> Any:
    def switched(_number: int, _frame: object) -> None:
        multiprocessing.util.spawnv_passfds = start

    return switched


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _become(_full))
    signal.signal(signal.SIGUSR2, _become(_start))
    main(["run"])
