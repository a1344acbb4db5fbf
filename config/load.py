"""A folder of TOML -> `Config`, or every problem of every file at once.

The folder holds ``wirewatch.toml``, ``outlets/*.toml`` (one outlet a file), ``watches/*.toml`` (one beat a file),
``concepts.toml``, ``claims.toml`` and ``origins.toml``. Each of the six that it lacks is taken from what ships; one
that it has replaces the shipped one whole, except that ``extend = true`` at the top of the last three adds to the
shipped tables. Files whose names begin with a dot are editors' own and are not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config import crosscheck, references, wording
from config.document import Document, Kind, read
from config.errors import ConfigError, Problem
from config.model.lexicon import ClaimFile, Claims, ClaimWords, Concept, ConceptFile
from config.model.origins import OriginFile, OriginTables
from config.model.outlets import Outlet
from config.model.settings import Settings
from config.model.watches import Watch, WatchFile
from config.model.whole import Config, Place, Written
from config.positions import spot_in
from config.schema import MODELS

PARTS: Mapping[str, Kind] = {
    "wirewatch.toml": "wirewatch",
    "outlets": "outlet",
    "watches": "watches",
    "concepts.toml": "concepts",
    "claims.toml": "claims",
    "origins.toml": "origins",
}
"""What a folder may hold, and the kind of each."""
_TABLES: Mapping[Kind, tuple[str, ...]] = {
    "concepts": ("concepts",),
    "claims": ("hedges", "denials"),
    "origins": ("agencies", "outlets", "bodies", "patterns", "words"),
}
"""Of the files that may extend the shipped ones: what holds the tables that are added and replaced by name."""


def shipped() -> Path:
    """The folder of what ships and works unedited."""
    return Path(__file__).parent / "defaults"


def load(
    folder: Path | None,
    *,
    environ: Mapping[str, str] = os.environ,
    watches: Path | None = None,
    outlet: Path | None = None,
) -> Config:
    """The configuration in ``folder``, completed by what ships; ``None``: what ships.

    ``watches`` is a file that stands in for all of the folder's watches (a draft); ``outlet`` is one more outlet's
    file, in place of the folder's of the same name (a trial).

    Raises `ConfigError` with every problem found, each at its place. References to secrets are followed here, through
    ``environ`` and the files they name.
    """
    if folder is not None:
        _listed(folder)
    told = _read(folder, watches, outlet)
    problems = [*told.problems, *crosscheck.problems(told.documents, unreadable=told.unreadable)]
    secrets = references.follow(told.settings_document, folder, environ) if folder and told.settings_document else None
    problems += secrets.problems if secrets else ()
    places, strings = _places(told.documents)
    config = Config(
        settings=told.settings,
        outlets={outlet.id: outlet for outlet in told.outlets},
        watches={watch.id: watch for watch in told.watches},
        concepts=told.concepts,
        claims=Claims(hedges=told.hedges, denials=told.denials),
        origins=OriginTables.model_validate(told.origins),
        places=places,
        strings=strings,
        secrets=secrets.values if secrets else {},
        warnings=(*_warnings(folder, told.settings), *(secrets.warnings if secrets else ())),
        folder=str(folder) if folder else None,
    )
    if problems:
        raise ConfigError(in_order(problems), readable=config)
    return config


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Settings first, then outlets, watches, concepts, claims, origins; in each file by place."""
    return sorted(problems, key=lambda each: (_rank(each), each.file, each.line, each.column))


def place_in(config: Config, key: str, offset: int) -> Place:
    """The place in its file of character ``offset`` of the string value at ``key`` (``watch.ID.when``).

    For a value that stands in no file, the place is that of the key, or says that it is built in.
    """
    string = config.strings.get(key)
    if string is None:
        return config.places.get(key) or Place(file="(built in)", line=1, column=1)
    down, column = spot_in(string.text, offset)
    at = string.at
    return Place(file=at.file, line=at.line + down, column=column if down else at.column + column - 1)


# ------------------------------------------------------------------ reading


def _listed(folder: Path) -> None:
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise ConfigError([_unlisted(str(folder), error, f"wirewatch init {folder} writes one")]) from None


def _unlisted(name: str, error: OSError, advice: str = "") -> Problem:
    """A folder's problem, which has no line and no key."""
    message = f"cannot be read as a folder: {error.strerror or type(error).__name__}"
    return Problem(file=name, line=1, column=1, key="", message=message, suggestion=advice)


@dataclass(slots=True)
class _Told:
    """What the files said, in the order they were read."""

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    settings_document: Document | None = None
    outlets: list[Outlet] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    concepts: dict[str, Concept] = field(default_factory=dict)
    hedges: dict[str, ClaimWords] = field(default_factory=dict)
    denials: dict[str, ClaimWords] = field(default_factory=dict)
    origins: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The tables of `OriginTables` by their kinds."""

    def take(self, document: Document | Problem) -> None:
        if isinstance(document, Problem):
            self.problems.append(document)
            self.unreadable.append(document.file)
            return
        self.documents.append(document)
        if document.kind == "wirewatch":
            self.settings_document = document
        try:
            self.file(MODELS[document.kind].model_validate(document.data))
        except ValidationError as error:
            self.problems += wording.problems(document, error)

    def file(self, value: BaseModel) -> None:
        match value:
            case Settings():
                self.settings = value
            case Outlet():
                self.outlets.append(value)
            case WatchFile():
                self.watches += value.watch
            case ConceptFile():
                self.concepts |= value.concepts
            case ClaimFile():
                self.hedges |= value.hedges
                self.denials |= value.denials
            case OriginFile():
                for table in _TABLES["origins"]:
                    self.origins.setdefault(table, {}).update(getattr(value, table))


def _read(folder: Path | None, draft: Path | None, trial: Path | None) -> _Told:
    told = _Told()
    for part, kind in PARTS.items():
        if part == "watches" and draft is not None:
            told.take(read(draft, kind=kind, name=str(draft)))
            continue
        if kind in _TABLES:
            _read_extending(told, folder, part, kind)
            continue
        base, label = _origin(folder, part)
        try:
            paths = _files(base / part)
        except OSError as error:
            told.problems.append(_unlisted(f"{label}{part}", error))
            continue
        if part == "outlets" and trial is not None:
            paths = [path for path in paths if path.stem != trial.stem]
            told.take(read(trial, kind=kind, name=str(trial)))
        for path in paths:
            told.take(read(path, kind=kind, name=f"{label}{path.relative_to(base).as_posix()}"))
    return told


def _read_extending(told: _Told, folder: Path | None, part: str, kind: Kind) -> None:
    base, label = _origin(folder, part)
    own = read(base / part, kind=kind, name=f"{label}{part}")
    if base != shipped() and isinstance(own, Document) and own.data.get("extend") is True:
        told.take(read(shipped() / part, kind=kind, name=f"shipped/{part}"))
    told.take(own)


def _origin(folder: Path | None, part: str) -> tuple[Path, str]:
    """Where ``part`` is taken from, and how names of its files begin. A dangling link counts as there."""
    if folder is not None and os.path.lexists(folder / part):
        return folder, ""
    return shipped(), "shipped/"


def _files(part: Path) -> list[Path]:
    if part.suffix == ".toml":
        return [part]
    return sorted(path for path in part.iterdir() if path.suffix == ".toml" and not path.name.startswith("."))


def _rank(problem: Problem) -> int:
    """Settings first, then outlets, watches, concepts, claims, origins."""
    parts = problem.file.removeprefix("shipped/").split("/")
    return list(PARTS).index(parts[0]) if parts[0] in PARTS else len(PARTS)


# ------------------------------------------------------------------ places and warnings


def _places(documents: Iterable[Document]) -> tuple[dict[str, Place], dict[str, Written]]:
    places: dict[str, Place] = {}
    strings: dict[str, Written] = {}
    for document in documents:
        tables = _TABLES.get(document.kind, ())
        replaced = {(table, name) for table in tables for name in document.data.get(table, ())}
        for key in [key for key in places if tuple(key.split(".")[:2]) in replaced]:  # shipped ones, where extended
            del places[key]
            strings.pop(key, None)
        for path, mark in document.layout.marks.items():
            key = document.key(path)
            places[key] = Place(file=document.name, line=mark.key[0], column=mark.key[1])
            if mark.string:
                at = Place(file=document.name, line=mark.value[0], column=mark.value[1])
                strings[key] = Written(at=at, text=mark.string)
    return places, strings


def _warnings(folder: Path | None, settings: Settings) -> Iterator[str]:
    if not settings.channel:
        yield "wirewatch.toml: no [[channel]]: articles are filed and matched, and nobody is told"
    if folder is None:
        return
    for path in sorted(folder.iterdir()):
        if path.name in PARTS or path.name.startswith("."):
            continue
        meant = wording.near(path.name, PARTS)
        if path.suffix == ".toml" or (meant and path.is_dir()):
            yield f"{path.name}: not read{'; ' + meant if meant else ''}"
    for part in ("outlets", "watches"):
        yield from _unread(folder, part)
    file = folder / "wirewatch.toml"
    if file.exists():
        yield from references.exposed(file, "wirewatch.toml", secret=False)


def _unread(folder: Path, part: str) -> Iterator[str]:
    if not (folder / part).is_dir():
        return
    if not _files(folder / part):
        yield f"{part}/: holds no .toml file, and replaces what ships: there are none"
    for path in sorted((folder / part).iterdir()):
        if path.suffix != ".toml" and wording.near(path.suffix, [".toml"]) and not path.name.startswith("."):
            yield f"{part}/{path.name}: not read: its name does not end in .toml"
