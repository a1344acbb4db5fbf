"""A store's files from outside: made, looked into with SQLite alone, left by a service that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from storage import open_store
from tests.storage.desk import candidate, decide, filing

ROOT = Path(__file__).parents[3]
PATIENCE = 0.2
"""Seconds that the store of these tests waits for another process's lock."""


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


async def made(path: Path, articles: int = 3, body: str = "") -> None:
    """A store with some articles, closed."""
    store = open_store(url(path), exclusive=True)
    await store.file(filing([candidate(f"Doha {n}", keys=(f"url:{n}",), body=body) for n in range(articles)]), decide)
    await store.close()


def rows(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What a file holds, read by SQLite alone."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(query, values).fetchall()


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every table with all its rows, and every other thing of the schema with its text."""
    tables = rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    found = {name: sorted(rows(path, f'SELECT * FROM "{name}"'), key=repr) for (name,) in tables}
    return {**found, "the schema": rows(path, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")}


@contextlib.contextmanager
def filer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """`tests.storage.filer` over this store: it starts services that are to be killed."""
    command = [sys.executable, "-m", "tests.storage.filer", url(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        try:
            yield starter
        finally:
            assert starter.stdin is not None
            starter.stdin.close()


def begun(starter: subprocess.Popen[str]) -> int:
    """Start one service; its process id."""
    assert starter.stdin is not None
    starter.stdin.write("\n")
    starter.stdin.flush()
    return int(said(starter))


def said(starter: subprocess.Popen[str]) -> str:
    assert starter.stdout is not None
    return starter.stdout.readline().strip()


def kill_after(path: Path, articles: int) -> None:
    """A service that files some articles and is killed."""
    with filer(path) as starter:
        child = begun(starter)
        for _ in range(articles):
            said(starter)
        os.kill(child, signal.SIGKILL)
        while said(starter) != "gone":
            pass
