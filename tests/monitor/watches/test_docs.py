"""What docs/watches.md says a query finds, it finds; what it says is not found, is not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.model.watches import Watch
from monitor.model.items import Match

Find = Callable[..., Match | None]
PAGE = (Path(__file__).parents[3] / "docs" / "watches.md").read_text("utf-8")
_CODE = re.compile("`([^`]+)`")


def rows() -> Iterator[tuple[str, list[str], list[str]]]:
    """Query, texts it finds, texts it does not find, of the tables that begin with ``when``."""
    for table in re.findall(r"(?m)^\| `when` .*\n\|[-| ]+\n((?:\|.*\n)+)", PAGE):
        for row in table.splitlines():
            queries, finds, misses = (_CODE.findall(cell) for cell in row.strip("|").split(" | "))
            for query in queries:
                yield query, finds, misses


ROWS = list(rows())


def test_the_tables_were_read() -> None:
    assert len(ROWS) > 20
    assert sum(len(finds) for _, finds, _ in ROWS) > 25


@pytest.mark.parametrize(("query", "finds", "misses"), ROWS, ids=[query for query, _, _ in ROWS])
def test_the_page_tells_the_truth(query: str, finds: list[str], misses: list[str], find: Find) -> None:
    assert [text for text in finds if find(query, text) is None] == []
    assert [text for text in misses if find(query, text) is not None] == []


def test_every_watch_on_the_page_is_a_watch_and_its_examples_hold(find: Find) -> None:
    blocks = [block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[[watch]]" in block]
    watches = [Watch.model_validate(watch) for block in blocks for watch in tomllib.loads(block)["watch"]]
    assert watches
    for watch in watches:
        assert all(find(watch.when, text) for text in watch.examples.hit)
        assert not any(find(watch.when, text) for text in watch.examples.miss)
