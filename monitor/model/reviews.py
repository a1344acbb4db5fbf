"""What reviewers say of items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitor.model.texts import TextLanguage

Verdict = Literal["relevant", "noise", "later"]


Reviewed = Literal["unreviewed", "relevant", "noise", "later", "starred"]
"""What items can be asked for by their review."""


RemarkKind = Literal["verdict", "star", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One act of a reviewer. All are kept; of verdicts and stars the last counts, notes stand beside each other."""

    number: int
    item: str
    by: str
    """The reviewer's name."""
    at: datetime
    kind: RemarkKind
    value: str
    """A verdict or empty (taken back); ``yes`` or empty for a star; a note's text."""
    undone: bool = False
    """Taken back by undo: it counts as if it had not been said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What reviewers said of an item, as it counts now."""

    item: str
    verdict: Verdict | None = None
    starred: bool = False
    notes: tuple[Remark, ...] = ()
    """The oldest first."""
    by: str = ""
    """Whose verdict it is."""
    at: datetime | None = None
    """When the verdict was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many items of an outlet in a language were first seen in one stretch of time."""

    at: datetime
    """Its beginning."""
    outlet: str
    language: TextLanguage
    items: int
    matched: int
