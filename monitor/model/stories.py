"""Stories, their links, and what reviewers decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from monitor.model.items import Item
from monitor.model.texts import TextLanguage


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLink:
    """A story of another language that seems to tell the same event. Shown, never merged."""

    story: str
    score: float
    reason: str
    by: str = ""
    """The reviewer whose word it is; empty: it was found by what the stories share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The story of a new item, and what else that changed."""

    story: str
    score: float
    reason: str
    merges: tuple[str, ...] = ()
    """Stories that are part of it from now on; nothing is told again for it."""
    links: tuple[StoryLink, ...] = ()
    """All of the story's, as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An event that items of several outlets tell, in one language."""

    id: str
    items: tuple[Item, ...]
    """In the order in which we saw them."""
    links: tuple[StoryLink, ...] = ()


CorrectionKind = Literal["split", "merge", "apart", "link", "unlink", "origin", "copy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a reviewer decided about stories, an origin or a copy, against what was found. All are kept; to take one
    back is a correction too."""

    number: int
    at: datetime
    by: str
    """The reviewer's name."""
    kind: CorrectionKind
    story: str = ""
    """The story it is about, by the id it had then: the one that was split, or is part of ``other`` since."""
    other: str = ""
    """The other story: the new one of a split, the one that was merged into, kept apart, linked or not."""
    items: tuple[str, ...] = ()
    """The items that were moved by it; or the one whose origin or original it is, with those moved along."""
    value: str = ""
    """The origin, or the item that was copied; empty: its own."""
    undoes: int | None = None
    """The correction that it takes back; ``kind`` and the stories are those of that one."""
    undone: bool = False
    """Taken back since: it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulings:
    """What corrections mean for who places items: read from the store when there are new ones."""

    number: int
    """Of the newest correction; 0: there is none."""
    stories: Mapping[str, str] = field(default_factory=dict)
    """Items that were moved → the story each stands in now."""
    apart: tuple[tuple[str, str], ...] = ()
    """All pairs of stories that are not to be merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorySize:
    """How much a story has gathered."""

    story: str
    items: int
    outlets: int
    linked: tuple[TextLanguage, ...] = ()
    """The languages of the stories linked to it."""
