"""Editable copies of what ships, with the schemas that let an editor explain and complete every key."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from config.document import Kind
from config.errors import NotWritten
from config.load import PARTS, shipped
from config.schema import MODELS, schema

_ABOUT: Mapping[Kind, str] = {
    "wirewatch": "Settings and channels. This copy replaces the shipped wirewatch.toml.",
    "outlet": "One outlet. The files in this folder replace all shipped outlets: remove the ones you do not want.",
    "watches": "The watches of one beat. The files in this folder replace all shipped watches.",
    "concepts": "The concepts that watches name as @NAME. This copy replaces the shipped one; to add to the shipped\n"
    "# concepts instead, keep only your own tables here and write extend = true below version.",
    "claims": "How texts hedge and deny, by which edits are classed. This copy replaces the shipped one; extend =\n"
    "# true below version adds its tables to the shipped ones.",
    "origins": "How texts name whose reporting they are. This copy replaces the shipped one; extend = true below\n"
    "# version adds its tables to the shipped ones.",
}


def init(folder: Path) -> tuple[Path, ...]:
    """Write editable copies of everything that ships into ``folder``, and say which files were written.

    Nothing is ever overwritten: with one of its files in the way, nothing is written at all. Raises `NotWritten`,
    which names the files in the way, or what was written when it broke off half way.
    """
    texts = dict(_texts())
    if in_the_way := [name for name in texts if os.path.lexists(folder / name)]:
        raise NotWritten(f"nothing was written to {folder}: these files are in the way: {', '.join(in_the_way)}")
    written: list[Path] = []
    for name, text in texts.items():
        try:
            _write(folder / name, text)
        except OSError as error:
            done = ", ".join(str(path.relative_to(folder)) for path in written) or "nothing"
            why = error.strerror or type(error).__name__
            raise NotWritten(f"{folder / name} cannot be written: {why}; written so far: {done}", written) from error
        written.append(folder / name)
    return tuple(written)


def _texts() -> Iterator[tuple[str, str]]:
    for part, kind in PARTS.items():
        base = shipped() / part
        for path in [base] if part.endswith(".toml") else sorted(base.glob("*.toml")):
            name = path.relative_to(shipped()).as_posix()
            up = "../" * name.count("/")
            opening = f"#:schema {up or './'}schema/{kind}.json\n# {_ABOUT[kind]}\n\n"
            yield name, opening + path.read_text(encoding="utf-8")
    for kind in MODELS:
        yield f"schema/{kind}.json", json.dumps(schema(kind), ensure_ascii=False, indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    """A new file, whole or not at all; never writable by others, whatever the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        try:
            path.chmod(path.stat().st_mode & ~0o022)
            file.write(text)
            file.flush()
        except OSError:
            path.unlink()
            raise
