"""Build the wheel and assert what it holds: the four folders with their data, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOMS = {"config", "monitor", "spiders", "storage"}
MUST = {
    "config/defaults/wirewatch.toml",
    "config/defaults/concepts.toml",
    "config/defaults/claims.toml",
    "config/defaults/origins.toml",
    "config/defaults/outlets/bbc.toml",
    "config/defaults/watches/doha.toml",
    "monitor/web/templates/now.html",
    "monitor/web/static/wirewatch.css",
    "monitor/cli/__init__.py",
}


def main() -> int:
    """0 when the wheel holds what it must; else the differences are printed."""
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(build, cwd=root, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    strange = {top for top in tops - ROOMS if not top.endswith(".dist-info")}
    missing = (MUST - names) | (ROOMS - tops)
    caches = {name for name in names if "__pycache__" in name}
    for what, found in (("missing", missing), ("not ours", strange), ("caches", caches)):
        if found:
            print(f"wheel: {what}: {', '.join(sorted(found))}")
    return 1 if missing or strange or caches else 0


if __name__ == "__main__":
    sys.exit(main())
