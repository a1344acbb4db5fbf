"""What a reader is asked and what it answers: plain values that travel to a worker process and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from config.model.outlets import ArticleSelectors, Selectors
from monitor.model.entries import Entry
from monitor.model.sources import Outcome

TaskKind = Literal["feed", "sitemap", "listing", "aggregator", "article"]

EXCERPT = 200
"""Characters of a refused answer that are kept for the desk (F14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTask:
    """One body to be read. ``body`` is already content-decoded (gzip and the like undone by the wire)."""

    kind: TaskKind
    body: bytes
    url: str
    """The final address: relative links are resolved against it."""
    content_type: str = ""
    charset: str | None = None
    """The outlet's, tried after strict UTF-8 and before what the answer declares."""
    time_zone: str = "UTC"
    """The outlet's, for dates that name none."""
    language: str = "en"
    selectors: Selectors | None = None
    article: ArticleSelectors | None = None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read. Only ``ok`` and ``degraded`` carry entries; any mark makes an answer degraded."""

    outcome: Outcome
    reason: str = ""
    entries: tuple[Entry, ...] = ()
    marks: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Child addresses of a sitemap index, newest first, to be fetched in the same visit."""
    excerpt: str = ""


def reading(entries: tuple[Entry, ...], marks: tuple[str, ...], more: tuple[str, ...] = ()) -> Reading:
    """``ok`` when nothing was damaged, else ``degraded`` with the marks as its reason."""
    marks = tuple(dict.fromkeys(mark for mark in marks if mark))
    outcome = Outcome.DEGRADED if marks else Outcome.OK
    return Reading(outcome=outcome, reason="; ".join(marks), entries=entries, marks=marks, more=more)
