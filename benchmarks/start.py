"""From a fresh clone to the first alert, and how soon ``--help`` answers.

``.venv/bin/python -m benchmarks.start`` clones the committed checkout into a temporary folder and runs ``make demo``
there: with an empty package cache, then with a warm one; with ``uv`` if it is there, and with ``venv`` and ``pip``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
ALERT = ("LOW ·", "NORMAL ·", "HIGH ·", "CRITICAL ·")


def first_alert(tools: Mapping[str, str], cache: Path) -> float:
    """Seconds from ``git clone`` to the first alert on the terminal."""
    caches = {"PIP_CACHE_DIR": str(cache / "pip"), "UV_CACHE_DIR": str(cache / "uv")}
    environment = {**os.environ, **caches, "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        clone = Path(folder) / "wirewatch"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        command = ["make", "--no-print-directory", *(f"{name}={value}" for name, value in tools.items()), "demo"]
        with subprocess.Popen(
            command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as demo:
            assert demo.stdout is not None
            for line in demo.stdout:
                if line.startswith(ALERT):
                    demo.terminate()
                    return round(time.monotonic() - began, 1)
    raise RuntimeError("the demo ended without an alert")


def help_seconds() -> float:
    """The median of nine calls of ``wirewatch --help``."""
    program = Path(sys.executable).with_name("wirewatch")
    taken = []
    for _ in range(9):
        began = time.monotonic()
        subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.monotonic() - began)
    return round(statistics.median(taken), 3)


def main() -> None:
    result: dict[str, object] = {"help": help_seconds()}
    ways = {"pip": {"UV": ""}} | ({"uv": {}} if shutil.which("uv") else {})
    for name, tools in ways.items():
        with tempfile.TemporaryDirectory() as cache:
            for state in ("empty cache", "warm cache"):
                result[f"{name}, {state}"] = first_alert(tools, Path(cache))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
