"""What may be asked of the API and told to it: the addresses' words and the bodies, as its description shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from monitor.model.alerts import Condition
from monitor.model.reviews import RemarkKind, Reviewed
from monitor.model.texts import TextLanguage
from monitor.shapes import (
    AlertRow,
    ItemRow,
    MatchRow,
    OutletRow,
    RemarkRow,
    ReviewRow,
    SourceRow,
    StoryRow,
    TextRow,
    TimelineRow,
    WatchRow,
)

LONGEST_NOTE = 4000
"""Letters."""
AT_ONCE = 500
"""Items or alerts of one request."""
_LARGEST = 2**53 - 1

Name = Annotated[str, Field(max_length=200)]
Names = Annotated[list[Name], Field(min_length=1, max_length=AT_ONCE)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)


class Filter(_Asked):
    """Which items: every part that is given must hold."""

    q: Annotated[str, Field(max_length=4000)] = ""
    """A query in the language of watches."""
    outlet: Name | None = None
    language: TextLanguage | None = None
    watch: Name | None = None
    """Only what this watch found; ``*``: what any did."""
    story: Name | None = None
    review: Reviewed | None = None
    since: Name | None = None
    """First seen since: how far back (``6h``, ``30d``) or a date (``2026-11-24T12:00``)."""
    before: Name | None = None
    """First seen before; written as `since`."""

    def words(self) -> dict[str, str]:
        """As an address has them."""
        return {name: value for name in Filter.model_fields if (value := getattr(self, name))}


class Paged(Filter):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=300)] = ""
    """``next`` of the page before; empty: the first page."""


class StoriesAsked(_Asked):
    language: TextLanguage | None = None
    watch: Name | None = None
    """Only stories with an item that this watch found."""
    since: Name | None = None
    """Told since: how far back (``6h``, ``30d``) or a date."""
    outlets: Annotated[int, Field(ge=1, le=1000)] = 2
    """Told by at least so many."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class AlertsAsked(_Asked):
    state: Condition | None = None
    watch: Name | None = None
    channel: Name | None = None
    item: Name | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 50


class Reviewing(_Asked):
    """One act about several items."""

    items: Names
    kind: RemarkKind
    value: Annotated[str, Field(max_length=LONGEST_NOTE)]
    """A verdict (``relevant``, ``noise``, ``later``), ``yes`` for a star, a note's text. Empty takes the verdict or the
    star back."""

    @model_validator(mode="after")
    def _said(self) -> Reviewing:
        known = {"verdict": ("", "relevant", "noise", "later"), "star": ("", "yes")}.get(self.kind)
        if known is not None and self.value not in known:
            raise ValueError(f"the value of a {self.kind} is one of {', '.join(each or '(empty)' for each in known)}")
        if self.kind == "note" and not self.value.strip():
            raise ValueError("a note needs a text")
        return self


class Undoing(_Asked):
    remarks: Annotated[list[Annotated[int, Field(ge=1, le=_LARGEST)]], Field(min_length=1, max_length=AT_ONCE)]
    """Numbers of remarks; only your own are taken back."""


class Alerts(_Asked):
    alerts: Names


class Muting(_Asked):
    span: Annotated[str, Field(max_length=20)]
    """How long (``4h``, ``7d``); empty: it speaks again."""


# ------------------------------------------------------------------ answers


class Problem(TypedDict):
    """Why nothing was done."""

    error: str


class ReviewedItem(ItemRow, ReviewRow):
    """An item with what reviewers said of it."""


class Items(TypedDict):
    """``next``: the cursor of the page that follows; null on the last one."""

    items: list[ReviewedItem]
    next: str | None


class WholeItem(ReviewedItem):
    """An item with its texts, what watches found in it, what became of it, and all that was said of it."""

    body: str
    texts: list[TextRow]
    matches: list[MatchRow]
    alerts: list[AlertRow]
    remarks: list[RemarkRow]


class Stories(TypedDict):
    stories: list[StoryRow]


class WholeStory(StoryRow):
    """A story with its items, its timeline, and the stories of other languages that seem to tell the same."""

    members: list[ItemRow]
    timeline: TimelineRow
    linked: list[StoryRow]


class Sources(TypedDict):
    sources: list[SourceRow]


class Outlets(TypedDict):
    outlets: list[OutletRow]


class Watches(TypedDict):
    watches: list[WatchRow]


class AlertRows(TypedDict):
    alerts: list[AlertRow]


class Remarks(TypedDict):
    remarks: list[RemarkRow]


class Done(TypedDict):
    """The ids of those that were."""

    alerts: list[str]


class Muted(TypedDict):
    """``suppressed``: how many rows that waited to leave are not sent."""

    watch: str
    muted_until: datetime | None
    suppressed: int


class StatusRow(TypedDict):
    """As ``/health`` says it."""

    state: Literal["ok", "degraded", "failing"]
    problems: list[str]
    last_tick: datetime | None
    sources: int
    items: int
    alerts: dict[str, int]
    lateness_seconds: float
