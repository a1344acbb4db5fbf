"""``wirewatch backup`` and ``wirewatch restore``: the whole way, and a bar for who looks at it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.monitor.cli.desk import Desk

ROOT = Path(__file__).parents[3]
CLI = ("-c", "from monitor.cli import main; main()")


def test_f112_a_backup_is_put_back_and_what_came_since_comes_again_under_its_key(desk: Desk) -> None:
    desk.file("A deal in Doha")
    backup = desk.folder / "before.db"
    assert f"wirewatch restore {backup}" in desk.said("backup", str(backup))
    since = desk.file("Talks go on in Doha")
    said = desk.said("restore", str(backup), "--yes")
    assert "Restored from" in said
    assert ".replaced-" in said
    assert [item["title"] for item in desk.told("items", "list")] == ["A deal in Doha"]
    assert desk.file("Talks go on in Doha") == since


def test_a_restore_asks_first(desk: Desk) -> None:
    desk.file("A deal in Doha")
    backup = desk.folder / "before.db"
    desk.said("backup", str(backup))
    desk.file("Talks go on in Doha")
    refused = desk.run("restore", str(backup), answer="n\n")
    assert refused.exit_code == 1
    assert len(desk.told("items", "list")) == 2


def test_progress_is_shown_on_a_terminal_and_nowhere_else(desk: Desk) -> None:
    desk.file("A deal in Doha")
    backup = str(desk.folder / "shown.db")
    shown = _standard_error(desk, "backup", backup, terminal=True)
    assert ("Copying" in shown, "100%" in shown) == (True, True), shown
    shown = _standard_error(desk, "restore", backup, "--yes", terminal=True)
    assert ("100%" in shown, "Looking through the copy" in shown) == (True, True), shown
    assert _standard_error(desk, "restore", backup, "--yes", terminal=False) == ""


def _standard_error(desk: Desk, *command: str, terminal: bool) -> str:
    ours, theirs = pty.openpty() if terminal else os.pipe()
    try:
        whole = [sys.executable, *CLI, "--config", str(desk.folder), *command]
        with subprocess.Popen(whole, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            said = b""
            while piece := _read(ours):
                said += piece
            assert process.wait(20) == 0, said.decode()
    finally:
        os.close(ours)
    return said.decode()


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:  # a terminal whose other side is closed
        return b""
