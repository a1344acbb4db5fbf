"""``make bench``: every benchmark in turn, each with its own command line."""

from __future__ import annotations

import subprocess
import sys
import time

ALL = (
    "start",
    "replay",
    "polling",
    "feeds_suite",
    "articles",
    "keywords",
    "watches",
    "stories",
    "copies",
    "search",
    "cadence",
    "reliability",
)


def main() -> int:
    """0 when every benchmark ran."""
    failed = []
    for name in sys.argv[1:] or ALL:
        print(f"\n== python -m benchmarks.{name}", flush=True)
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
        print(f"({time.monotonic() - began:.0f} s)", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
