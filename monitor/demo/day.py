"""The script of the demo: what is published when, where and with what expected of it, read from ``day/*.toml``.

One file an edition, named for its outlet; ``day.toml`` says when the day begins and what goes wrong, ``watches.toml``
is a file of watches as an operator would write it. Times of day in the files are UTC; texts are invented.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from config.model.fields import duration
from monitor.model.texts import Kind

FOLDER = Path(__file__).with_name("day")
Format = Literal["bbc", "aljazeera", "haaretz", "ynet", "news-sitemap", "bing"]
FaultKind = Literal["dead", "challenge", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new headline for a piece that is already published; ``expect`` names the watches that tell it as an edit."""

    at: datetime
    title: str
    expect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The same piece listed a second time, under another address."""

    at: datetime
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of news of the script. ``key`` is ``outlet/id``."""

    key: str
    outlet: str
    id: str
    at: datetime
    title: str
    lead: str = ""
    body: str = ""
    """What its article page holds, where the edition has pages."""
    author: str = ""
    kind: Kind = "article"
    language: str | None = None
    """Declared by the wire where it differs from the edition's."""
    link: str
    """Its address; begins with ``{base}`` where it stands on the edition's own loopback server."""
    feeds: tuple[str, ...]
    """Paths of the feeds that list it."""
    changes: tuple[Change, ...] = ()
    again: tuple[Again, ...] = ()
    copy_of: str | None = None
    expect: tuple[str, ...] = ()
    """Watches that find it in headline or lead."""
    expect_body: tuple[str, ...] = ()
    """Watches that find it in its article page only."""
    dropped: bool = False
    """The outlet's file says that such an entry is not kept."""

    @property
    def path(self) -> str:
        """The part of its address that no feed decorates; in an edition no two pieces share it."""
        return path_of(self.link.replace("{base}", "http://127.0.0.1"))

    def title_at(self, now: datetime) -> str:
        return next((change.title for change in reversed(self.changes) if change.at <= now), self.title)

    def changed_at(self, now: datetime) -> datetime:
        """When it was published or last changed, as seen at ``now``."""
        return max([self.at, *(change.at for change in self.changes if change.at <= now)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One address that lists pieces, and the wire format it uses."""

    path: str
    format: Format
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSource:
    """A source the demo adds to show one that robots rules close."""

    id: str
    kind: str
    path: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One outlet's part of the day."""

    outlet: str
    robots: str
    feeds: Mapping[str, Feed]
    tracking: str
    """What its feeds append to every link."""
    pages: bool
    """It has article pages, and the demo reads them."""
    closed: tuple[ClosedSource, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What an outlet does instead of answering, from ``start`` until ``end``.

    *dead*: drops the connection; *challenge*: 403 with a page that wants a browser; *error*: 500.
    """

    outlet: str
    kind: FaultKind
    start: datetime
    end: datetime
    told: bool
    """It lasts long enough for the service to say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One alert that must arrive: once for a piece and its copies together, and once for each edit that is told."""

    watch: str
    piece: str
    """Key of the piece; of the original, where copies exist."""
    edit: int = 0
    """0: the news itself; n: the n-th of its changes that this watch tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The whole script, placed on one date."""

    title: str
    start: datetime
    end: datetime
    baseline: timedelta
    editions: Mapping[str, Edition]
    faults: tuple[Fault, ...]
    watches: Path

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(piece for edition in self.editions.values() for piece in edition.pieces)

    def fault(self, outlet: str, now: datetime) -> Fault | None:
        """What is wrong with an outlet at ``now``, if anything."""
        return next((f for f in self.faults if f.outlet == outlet and f.start <= now < f.end), None)

    def find(self, outlet: str, url: str | None) -> Piece | None:
        """The piece an address leads to, whatever its host and parameters."""
        if url is None or outlet not in self.editions:
            return None
        path = path_of(url)
        return next((piece for piece in self.editions[outlet].pieces if piece.path == path), None)

    def root(self, piece: Piece) -> str:
        """Key of the piece, or of the one it copies."""
        return piece.copy_of or piece.key

    def expected(self, shown: Mapping[str, Collection[str]] | None = None) -> frozenset[Expected]:
        """Every alert the day must raise in a channel that takes all; what is older than the baseline is not told.

        ``shown``: piece → headlines that were published; then only what these must raise.
        """
        if shown is None:
            shown = {piece.key: (piece.title, *(change.title for change in piece.changes)) for piece in self.pieces}
        since = self.start - self.baseline
        told = [piece for piece in self.pieces if piece.at >= since and piece.key in shown and not piece.dropped]
        news = (Expected(watch=w, piece=self.root(p)) for p in told for w in p.expect + p.expect_body)
        return frozenset((*news, *(edit for piece in told for edit in _edits(piece, shown[piece.key]))))


def _edits(piece: Piece, shown: Collection[str]) -> Iterator[Expected]:
    told: Counter[str] = Counter()
    for watch in (watch for change in piece.changes if change.title in shown for watch in change.expect):
        told[watch] += 1
        yield Expected(watch=watch, piece=piece.key, edit=told[watch])


def path_of(url: str) -> str:
    """The path of an address, decoded and without a trailing slash."""
    return unquote(urlsplit(url).path).rstrip("/")


def load(on: date, folder: Path = FOLDER) -> Day:
    """The script as it plays on that date."""
    told = tomllib.loads((folder / "day.toml").read_text(encoding="utf-8"))
    files = sorted(path for path in folder.glob("*.toml") if path.stem not in ("day", "watches"))
    return Day(
        title=told["title"],
        start=_moment(on, told["start"]),
        end=_moment(on, told["end"]),
        baseline=duration(told["baseline"]),
        editions={path.stem: _edition(path, on) for path in files},
        faults=tuple(
            Fault(
                outlet=f["outlet"],
                kind=f["kind"],
                start=_moment(on, f["from"]),
                end=_moment(on, f["to"]),
                told=f["told"],
            )
            for f in told["fault"]
        ),
        watches=folder / "watches.toml",
    )


def _edition(path: Path, on: date) -> Edition:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    feeds = {feed["path"]: Feed(**feed) for feed in told["feed"]}
    pieces = [_piece(piece, path.stem, told["link"], tuple(feeds), on) for piece in told["piece"]]
    return Edition(
        outlet=path.stem,
        robots=told["robots"].lstrip(),
        feeds=feeds,
        tracking=told.get("tracking", ""),
        pages=told.get("pages", False),
        closed=tuple(ClosedSource(**source) for source in told.get("closed", ())),
        pieces=tuple(sorted(pieces, key=lambda piece: piece.at)),
    )


def _piece(told: dict[str, Any], outlet: str, link: str, feeds: tuple[str, ...], on: date) -> Piece:
    at = _moment(on, told.pop("at"))
    changes = tuple(
        Change(at=_moment(on, c["at"]), title=c["title"], expect=tuple(c.get("expect", ())))
        for c in told.pop("change", ())
    )
    again = tuple(Again(at=_moment(on, a["at"]), link=a["link"]) for a in told.pop("again", ()))
    link = told.pop("link", link)
    for many in ("expect", "expect_body", "feeds"):
        told[many] = tuple(told.get(many, feeds if many == "feeds" else ()))
    told["body"] = told.get("body", "").strip()
    piece = Piece(key=f"{outlet}/{told['id']}", outlet=outlet, at=at, link=link, changes=changes, **told)
    filled = tuple(replace(listing, link=_address(listing.link, piece)) for listing in again)
    return replace(piece, link=_address(link, piece), again=filled)


def _address(template: str, piece: Piece) -> str:
    """An address made as the outlet makes its own; ``{base}`` stays for the server to fill."""
    digest = hashlib.blake2b(piece.key.encode(), digest_size=16).hexdigest()
    # Brightspot: the upper 32 bits of a 48-bit millisecond counter stand in hex digits 5 to 12 of the id
    clock = f"{int(piece.at.timestamp() * 1000) >> 16:08x}"
    slug = quote(re.sub(r"\W+", "-", piece.title).strip("-").lower())
    return template.format(
        base="{base}",
        id=piece.id,
        slug=slug,
        slug_lower=re.sub(r"%..", lambda found: found[0].lower(), slug),
        hex=digest,
        uuid=f"0000{clock[:4]}-{clock[4:]}-d{digest[:3]}-a{digest[3:6]}-{digest[6:18]}",
        Y=piece.at.year,
        m=piece.at.month,
        d=piece.at.day,
        mm=f"{piece.at.month:02}",
        dd=f"{piece.at.day:02}",
    )


def _moment(on: date, clock: str) -> datetime:
    return datetime.combine(on, time.fromisoformat(clock), tzinfo=UTC)
