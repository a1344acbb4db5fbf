"""`init`: editable copies of what ships, nothing overwritten, and a word on what stands after a failure."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from config.errors import NotWritten
from config.load import load, shipped
from config.scaffold import init
from config.schema import MODELS


def test_the_copies_mean_what_ships_and_are_taken_without_a_warning(tmp_path: Path) -> None:
    old = os.umask(0o002)
    try:
        files = init(tmp_path / "new")
    finally:
        os.umask(old)
    ours, theirs = load(tmp_path / "new", environ={}), load(None, environ={})
    assert (ours.settings, ours.outlets, ours.concepts) == (theirs.settings, theirs.outlets, theirs.concepts)
    assert dict(ours.watches) == dict(theirs.watches)
    assert not ours.warnings
    assert {place.file.split("/")[0] for place in ours.places.values()} <= {
        path.name for path in (tmp_path / "new").iterdir()
    }
    assert all(path.is_file() for path in files)


def test_each_copy_opens_with_its_schema_and_what_it_is(tmp_path: Path) -> None:
    for path in init(tmp_path):
        if path.suffix != ".toml":
            continue
        first, second, *_ = path.read_text("utf-8").split("\n")
        there = path.parent / first.removeprefix("#:schema ")
        assert json.loads(there.read_text("utf-8"))["$schema"].startswith("https://json-schema.org/")
        assert second.startswith("# ")


def test_all_files_and_all_schemas_are_written(tmp_path: Path) -> None:
    names = {path.relative_to(tmp_path).as_posix() for path in init(tmp_path)}
    assert names == {path.relative_to(shipped()).as_posix() for path in shipped().rglob("*.toml")} | {
        f"schema/{kind}.json" for kind in MODELS
    }


def test_nothing_is_written_when_anything_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "wirewatch.toml").write_text("# mine")
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema/outlet.json").symlink_to("nowhere")
    with pytest.raises(NotWritten, match=r"wirewatch\.toml, schema/outlet\.json$") as caught:
        init(tmp_path)
    assert caught.value.written == ()
    assert (tmp_path / "wirewatch.toml").read_text() == "# mine"
    assert not (tmp_path / "concepts.toml").exists()


def test_a_failure_half_way_says_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "schema").write_text("a file where the folder of schemas should be")
    with pytest.raises(NotWritten, match=r"written so far: wirewatch\.toml, ") as caught:
        init(tmp_path)
    assert tmp_path / "concepts.toml" in caught.value.written
    assert all(path.is_file() for path in caught.value.written)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))  # the settings fit, the concepts do not
    try:
        with pytest.raises(NotWritten, match="cannot be written") as caught:
            init(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(caught.value.written)
    assert tmp_path / "wirewatch.toml" in caught.value.written
