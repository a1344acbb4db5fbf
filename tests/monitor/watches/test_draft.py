"""A search kept as a watch: its text is TOML that reads back, and stands in a file without harm."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import load
from config.model.whole import Config
from monitor.edition import open_edition
from monitor.watches.draft import draft, toml

SHIPPED = load(None)
QUERY = '(@hostage NEAR/5 deal) AND\n  (doha OR «כיכר החטופים») AND NOT title:(football OR "World Cup")'


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_reads_back_from_its_toml(text: str) -> None:
    kept = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    assert tomllib.loads(f"a = {toml(text)}\nb = 1\n") == {"a": kept, "b": 1}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('"hostage deal"', "'\"hostage deal\"'"),
        ("o'clock", '"o\'clock"'),
        ('"o\'clock"', "'''\n\"o'clock\"'''"),
        ("two\nlines", "'''\ntwo\nlines'''"),
        ("הסכם 'שלום'", "\"הסכם 'שלום'\""),
        ("a\u200fb\\", '"a\\u200fb\\\\"'),
        ("end'''", "\"end'''\""),
    ],
)
def test_quotation_marks_are_left_alone_where_that_can_be(text: str, written: str) -> None:
    assert toml(text) == written


def folder(path: Path, watches: str = "") -> Path:
    (path / "wirewatch.toml").write_text("# as it ships\n")
    (path / "watches").mkdir()
    (path / "watches" / "news.toml").write_text(watches or '[[watch]]\nid = "doha"\ntitle = "Doha"\nwhen = "doha"\n')
    return path


@pytest.mark.parametrize("query", [QUERY, "צה״ל", "الدوحة", "/o'clock\\b/", "=us", '"it\'s" deal'])
@pytest.mark.parametrize("title", ["", "Talks, “again”", "עסקה", 'A "b"\n\\c'])
def test_a_draft_is_a_watch_that_is_in_force_when_it_is_put_there(tmp_path: Path, query: str, title: str) -> None:
    config = load(folder(tmp_path))
    made = draft(query, title, config, outlet="bbc", language="he")
    assert (tmp_path / made.file).parent.is_dir()
    assert not (tmp_path / made.file).exists()
    (tmp_path / made.file).write_text(made.text, "utf-8")
    watch = open_edition(tmp_path).by_id[made.id]
    assert watch.title
    assert (watch.outlets, "\n" in watch.title) == (("bbc",), False)
    assert watch.when.endswith(") AND lang:he")


def test_ids_and_files_are_new_ones(tmp_path: Path) -> None:
    config = load(folder(tmp_path))
    first = draft("doha", "Doha", config)
    assert (first.id, first.file, first.shipped) == ("doha-2", "watches/doha-2.toml", False)
    assert draft("cairo", "News!", config).file == "watches/news-2.toml"
    assert [draft(query, title, config).id for query, title in (
        ("@deal", "عسقة"), ("חטופים", "חטופים"), ("x", "Émile  & Zoë"), ("x", "wirewatch"), ("x", "w" * 90),
    )] == ["deal", "watch", "emile-zoe", "wirewatch-2", "w" * 40]  # fmt: skip


def test_where_the_shipped_watches_are_in_force_it_says_so(tmp_path: Path) -> None:
    assert draft("doha", "Doha", SHIPPED).shipped
    (tmp_path / "wirewatch.toml").write_text("# as it ships\n")
    config: Config = load(tmp_path)
    assert draft("doha", "Doha", config).shipped
