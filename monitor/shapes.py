"""How what we hold looks to programs: one shape for each thing, on the command line, in the API and in exports.

The field names are a promise. Unknown is ``null``, empty is empty; times are in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from config.model.fields import ChangeClass, Severity, written
from config.model.outlets import Outlet
from config.model.watches import Watch
from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, Condition
from monitor.model.items import Item, Matched, Revision
from monitor.model.reviews import Remark, RemarkKind, Review, Verdict
from monitor.model.sources import SourceState
from monitor.model.stories import Correction, CorrectionKind, Story
from monitor.model.texts import Kind, TextLanguage
from monitor.stories.reported import roots_of, whose
from monitor.stories.timeline import Moment, Timeline, What


class ItemRow(TypedDict):
    """An item as every listing and export gives it."""

    id: str
    outlet: str
    source: str
    url: str | None
    title: str
    summary: str
    language: TextLanguage
    kind: Kind
    author: str
    published: datetime
    published_assumed: bool
    first_seen: datetime
    withdrawn: datetime | None
    copy_of: str | None
    story: str
    origin: str
    relation: Literal["own", "credit", "cite", "statement", ""]
    revisions: int
    marks: list[str]


def item_row(item: Item) -> ItemRow:
    origin = whose(item)
    return {
        "id": item.id,
        "outlet": item.outlet,
        "source": item.source,
        "url": item.url,
        "title": item.title,
        "summary": item.lead,
        "language": item.language,
        "kind": item.kind,
        "author": item.author,
        "published": item.published,
        "published_assumed": item.published_assumed,
        "first_seen": item.first_seen,
        "withdrawn": item.withdrawn,
        "copy_of": item.copy_of,
        "story": item.story,
        "origin": origin.id if origin is not None else "",
        "relation": origin.relation if origin is not None else "",
        "revisions": item.revisions,
        "marks": list(item.marks),
    }


class NoteRow(TypedDict):
    by: str
    at: datetime
    text: str


class ReviewRow(TypedDict):
    """What reviewers said of an item, as counts now; stands beside `ItemRow`. ``by``: whose verdict."""

    verdict: Verdict | Literal[""]
    starred: bool
    notes: list[NoteRow]
    by: str


def review_row(review: Review | None) -> ReviewRow:
    counts = review or Review(item="")
    return {
        "verdict": counts.verdict or "",
        "starred": counts.starred,
        "notes": [{"by": note.by, "at": note.at, "text": note.value} for note in counts.notes],
        "by": counts.by,
    }


class RemarkRow(TypedDict):
    """One act of a reviewer. ``number`` undoes it."""

    number: int
    item: str
    by: str
    at: datetime
    kind: RemarkKind
    value: str
    undone: bool


def remark_row(remark: Remark) -> RemarkRow:
    return {
        "number": remark.number,
        "item": remark.item,
        "by": remark.by,
        "at": remark.at,
        "kind": remark.kind,
        "value": remark.value,
        "undone": remark.undone,
    }


class TextRow(TypedDict):
    """One text that an item had. ``changed``: what the edit to it changed."""

    revision: str
    seen: datetime
    title: str
    lead: str
    changed: list[ChangeClass]


def text_row(revision: Revision) -> TextRow:
    return {
        "revision": revision.id,
        "seen": revision.seen,
        "title": revision.title,
        "lead": revision.lead,
        "changed": list(revision.classes),
    }


class SpanRow(TypedDict):
    """Where a watch's words stand: offsets in letters into one field of the text."""

    field: Literal["title", "lead", "body", "author", "url"]
    start: int
    end: int
    term: str


class MatchRow(TypedDict):
    """A watch that found an item, and in which text."""

    watch: str
    revision: str
    found: datetime
    clause: str
    undecided: str
    spans: list[SpanRow]


def match_row(matched: Matched) -> MatchRow:
    return {
        "watch": matched.match.watch,
        "revision": matched.revision,
        "found": matched.found,
        "clause": matched.match.clause,
        "undecided": matched.match.undecided,
        "spans": [
            {"field": span.field, "start": span.start, "end": span.end, "term": span.term}
            for span in matched.match.spans
        ],
    }


class AlertRow(TypedDict):
    """An alert as every listing gives it. ``state``: pending, delivered, dead or suppressed; ``event``: why it exists
    (new, completed, edited:REVISION, withdrawn, escalated…); ``gather``: what it waits to leave together with."""

    id: str
    key: str
    watch: str
    channel: str
    state: Condition
    event: str
    severity: Severity
    reason: str
    attempts: int
    item: str
    created: datetime
    due: datetime
    gather: str
    message: str
    delivered: datetime | None
    acknowledged: datetime | None


def alert_row(alert: Alert) -> AlertRow:
    return {
        "id": alert.id,
        "key": alert.key,
        "watch": alert.watch,
        "channel": alert.channel,
        "state": alert.condition,
        "event": alert.state,
        "severity": alert.severity,
        "reason": alert.reason or alert.last_error,
        "attempts": alert.attempts,
        "item": alert.item,
        "created": alert.created,
        "due": alert.due,
        "gather": alert.gather,
        "message": alert.message,
        "delivered": alert.delivered,
        "acknowledged": alert.acknowledged,
    }


class SourceRow(TypedDict):
    """A source and how it is. ``state``: ok, unchanged, degraded, blocked, failed, gone, closed or not asked yet."""

    source: str
    outlet: str
    state: str
    reason: str
    status: int | None
    failures: int
    entries: int | None
    last_good: datetime | None
    last_polled: datetime | None
    next_due: datetime
    url: str
    excerpt: str


def source_row(state: SourceState) -> SourceRow:
    return {
        "source": state.id,
        "outlet": state.outlet,
        "state": state.outcome.value if state.outcome else "not asked yet",
        "reason": state.reason,
        "status": state.status,
        "failures": state.failures,
        "entries": state.entries,
        "last_good": state.last_good,
        "last_polled": state.last_polled,
        "next_due": state.next_due,
        "url": state.url,
        "excerpt": state.excerpt,
    }


class OutletRow(TypedDict):
    """An outlet in force. ``why``: what its publisher permits, and why it is watched this way."""

    id: str
    name: str
    language: str
    access: str
    sources: int
    pages: str
    why: str


def outlet_row(outlet: Outlet) -> OutletRow:
    return {
        "id": outlet.id,
        "name": outlet.name,
        "language": outlet.language,
        "access": outlet.access,
        "sources": len(outlet.source),
        "pages": outlet.pages,
        "why": outlet.why,
    }


class CorroborationRow(TypedDict):
    """How many independent origins a watch waits for, within what time ("90m")."""

    origins: int
    within: str


class WatchRow(TypedDict):
    """A watch in force."""

    id: str
    title: str
    when: str
    severity: Severity
    outlets: list[str]
    on: list[str]
    notify: list[str]
    corroborated: CorroborationRow | None
    muted_until: datetime | None


def watch_row(watch: Watch, muted_until: datetime | None) -> WatchRow:
    rule = watch.corroborated
    return {
        "id": watch.id,
        "title": watch.title,
        "when": watch.when.strip(),
        "severity": watch.severity,
        "outlets": list(watch.outlets),
        "on": list(watch.on),
        "notify": list(watch.notify),
        "corroborated": None if rule is None else {"origins": rule.origins, "within": written(rule.within)},
        "muted_until": muted_until,
    }


class LinkRow(TypedDict):
    """A story of another language that seems to tell the same. ``by``: the reviewer who says so, or empty."""

    story: str
    score: float
    reason: str
    by: str


class StoryRow(TypedDict):
    """An event that items of several outlets tell. ``first``: the outlet that told it first; ``origins``: how many
    independent voices."""

    id: str
    headline: str
    language: TextLanguage
    first_seen: datetime
    last_seen: datetime
    first: str
    items: int
    outlets: int
    origins: int
    links: list[LinkRow]


def story_row(story: Story, wording: Wording) -> StoryRow:
    first, roots = story.items[0], roots_of(story.items)
    return {
        "id": story.id,
        "headline": first.title,
        "language": first.language,
        "first_seen": first.first_seen,
        "last_seen": story.items[-1].first_seen,
        "first": wording.outlet(first.outlet),
        "items": len(story.items),
        "outlets": len({item.outlet for item in story.items}),
        "origins": len({root.id for root in roots.values()}),
        "links": [
            {"story": each.story, "score": each.score, "reason": each.reason, "by": each.by} for each in story.links
        ],
    }


class CorrectionRow(TypedDict):
    """What a reviewer corrected. ``number`` takes it back; ``value``: the origin or the original, empty: its own;
    ``undoes``: the correction that it takes back."""

    number: int
    at: datetime
    by: str
    kind: CorrectionKind
    story: str
    other: str
    items: list[str]
    value: str
    undoes: int | None
    undone: bool


def correction_row(correction: Correction) -> CorrectionRow:
    return {
        "number": correction.number,
        "at": correction.at,
        "by": correction.by,
        "kind": correction.kind,
        "story": correction.story,
        "other": correction.other,
        "items": list(correction.items),
        "value": correction.value,
        "undoes": correction.undoes,
        "undone": correction.undone,
    }


class MomentRow(TypedDict):
    """One thing that happened to a story; ``at`` in ISO 8601."""

    at: str
    what: What
    outlet: str
    language: TextLanguage
    headline: str
    before: str
    changed: list[ChangeClass]
    origin: str
    how: str
    denies: bool
    hedges: bool
    item: str
    url: str
    why: str


def moment_row(moment: Moment) -> MomentRow:
    return {
        "at": moment.at.isoformat(),
        "what": moment.what,
        "outlet": moment.outlet,
        "language": moment.language,
        "headline": moment.headline,
        "before": moment.before,
        "changed": list(moment.changed),
        "origin": moment.root.id if moment.root is not None else "",
        "how": moment.root.how if moment.root is not None else "",
        "denies": moment.denies,
        "hedges": moment.hedges,
        "item": moment.item,
        "url": moment.url or "",
        "why": moment.why,
    }


class TimelineRow(TypedDict):
    """A story as it went; ``origins``: the ids of the independent voices."""

    story: str
    headline: str
    language: TextLanguage
    outlets: list[str]
    origins: list[str]
    moments: list[MomentRow]


def timeline_row(told: Timeline) -> TimelineRow:
    return {
        "story": told.story,
        "headline": told.headline,
        "language": told.language,
        "outlets": list(told.outlets),
        "origins": list(told.origins),
        "moments": [moment_row(moment) for moment in told.moments],
    }


# ------------------------------------------------------------------ cells of a spreadsheet


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones are taken for formulas, too


def cells(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as CSV has it: notes as ``NAME: TEXT; NAME: TEXT``, lists with spaces between."""
    return {key: defused(_cell(value)) for key, value in row.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "; ".join(f"{note['by']}: {note['text']}" for note in value)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def defused(text: str) -> str:
    """A spreadsheet must not take a headline for a formula (F92)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
