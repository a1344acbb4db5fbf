"""One response to one request, and the `Answer` it is. Pure but for the reader, which runs in a worker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from monitor.entries import CUT_SHORT
from monitor.model.entries import Answer, Entry
from monitor.model.sources import Outcome, Validators
from spiders.middlewares.conditional import NOT_MODIFIED, conditional, given
from spiders.readers.judge import judge
from spiders.readers.task import EXCERPT, Reading

if TYPE_CHECKING:
    from scrapy.http import Response

GONE = 410
_DAMAGE_FLAGS = frozenset({"dataloss", "cut"})
_DAMAGE_MARKS = ("not well-formed",)
"""Marks of a body that lacks something the next poll may bring: validators do not move (F8, F47)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, as far as the answer repeats it."""

    source: str
    outlet: str
    kind: str
    url: str
    held: Validators
    page_of: str | None = None
    note: str = ""
    """Set before every reason: what the operator states (``robots permitted: …``)."""


def failed(
    question: Question, reason: str, *, at: datetime, outcome: Outcome = Outcome.FAILED, seconds: float
) -> Answer:
    """The answer when there was no response to judge."""
    return Answer(
        source=question.source, outlet=question.outlet, url=question.url, final_url=question.url, at=at,
        outcome=outcome, reason=noted(question, reason), validators=question.held, page_of=question.page_of,
        seconds=seconds,
    )  # fmt: skip


def answered(question: Question, response: Response, *, at: datetime, seconds: float) -> tuple[Answer, bool]:
    """The answer as far as status, headers and hash decide it, and whether a reader has to decide the rest."""
    request = response.request
    answer = Answer(
        source=question.source,
        outlet=question.outlet,
        url=question.url,
        final_url=response.url,
        at=at,
        outcome=Outcome.FAILED,
        reason=noted(question, ""),
        status=response.status,
        conditional=request is not None and conditional(request),
        validators=question.held,
        not_before=request.meta.get("wish") if request is not None else None,
        moved_to=request.meta.get("moved_to") if request is not None else None,
        page_of=question.page_of,
        size=len(response.body),
        seconds=seconds,
    )
    if response.status == NOT_MODIFIED:
        return _not_modified(question, response, answer), False
    if response.status == GONE:
        return replace(
            answer, outcome=Outcome.GONE, reason=noted(question, "HTTP 410: gone for good, says the server")
        ), False
    good = 200 <= response.status < 300
    verdict = judge(
        url=question.url, final_url=response.url, status=response.status, headers=headers(response),
        body=response.body, kind=question.kind,
    )  # fmt: skip
    if verdict is not None and (good or verdict.outcome is Outcome.BLOCKED):  # a challenge comes with any status (F15)
        judged = replace(answer, outcome=verdict.outcome, reason=noted(question, verdict.reason))
        return replace(judged, excerpt=verdict.excerpt), False
    if not good:
        reason = _status_in_words(response.status)
        if answer.not_before is not None:
            reason += f"; asks to be left alone until {answer.not_before:%Y-%m-%d %H:%M:%S} UTC"
        return replace(answer, reason=noted(question, reason), excerpt=_excerpt(response.body)), False
    fresh = replace(given(response), body_hash=body_hash(response.body))
    if not damaged(response) and fresh.body_hash == question.held.body_hash:
        return replace(answer, outcome=Outcome.UNCHANGED, validators=fresh), False
    return replace(answer, validators=fresh), True


def read(question: Question, answer: Answer, reading: Reading, *, cut: bool) -> Answer:
    """The answer completed by what a reader made of the body. Validators move only when nothing was lost (P3)."""
    outcome, marks, reason = reading.outcome, reading.marks, reading.reason
    if cut and outcome is Outcome.OK:
        outcome = Outcome.DEGRADED
    if cut:
        marks = (*marks, CUT_SHORT)
        reason = "; ".join(filter(None, (CUT_SHORT, reason)))
    whole = outcome in (Outcome.OK, Outcome.DEGRADED) and not cut
    whole = whole and not any(mark.startswith(_DAMAGE_MARKS) for mark in marks)
    return replace(
        answer,
        outcome=outcome,
        reason=noted(question, reason),
        excerpt=reading.excerpt,
        entries=reading.entries,
        marks=marks,
        validators=answer.validators if whole else question.held,
    )


def astray(question: Question, answer: Answer) -> Answer:
    """The answer of an article's address that leads to a front page: nothing of it is the article's."""
    if answer.outcome not in (Outcome.OK, Outcome.DEGRADED, Outcome.UNCHANGED):
        return answer
    return replace(
        answer,
        outcome=Outcome.GONE,
        reason=noted(question, f"the article's address leads to {answer.final_url}"),
        entries=(),
        validators=question.held,
    )


def merged(question: Question, index: Answer, children: list[Answer]) -> Answer:
    """A sitemap index and its children as one answer.

    Its only validator is the hash of all bodies: an index may stay as it is while a child changes, so neither is
    asked for conditionally. ``children`` carry their hash in their validators.
    """
    entries: tuple[Entry, ...] = tuple(entry for child in children for entry in child.entries)
    lost = [f"{child.url}: {child.reason or child.outcome}" for child in children if not _whole(child)]
    marks = tuple(dict.fromkeys((*index.marks, *(mark for child in children for mark in child.marks), *lost)))
    digest = body_hash(b"".join((each.validators.body_hash or "").encode() for each in (index, *children)))
    if not lost and digest == question.held.body_hash:
        return replace(index, outcome=Outcome.UNCHANGED, validators=Validators(body_hash=digest), reason=question.note)
    outcome = Outcome.OK if not marks else Outcome.DEGRADED
    if children and all(child.outcome not in (Outcome.OK, Outcome.DEGRADED) for child in children):
        outcome = Outcome.FAILED
    return replace(
        index,
        outcome=outcome,
        reason=noted(question, "; ".join(marks)),
        entries=entries,
        marks=marks,
        validators=question.held if lost else Validators(body_hash=digest),
        size=index.size + sum(child.size for child in children),
    )


def _whole(child: Answer) -> bool:
    return child.outcome is Outcome.OK or (child.outcome is Outcome.DEGRADED and child.validators.body_hash is not None)


def _not_modified(question: Question, response: Response, answer: Answer) -> Answer:
    if not answer.conditional:
        return replace(
            answer, reason=noted(question, "answered 304 (unchanged) twice to a request without a condition")
        )
    new, held = given(response), question.held
    validators = replace(held, etag=new.etag or held.etag, last_modified=new.last_modified or held.last_modified)
    return replace(answer, outcome=Outcome.UNCHANGED, validators=validators, size=0)


def noted(question: Question, reason: str) -> str:
    return "; ".join(filter(None, (question.note, reason)))


def damaged(response: Response) -> bool:
    """The body did not arrive whole."""
    return not _DAMAGE_FLAGS.isdisjoint(response.flags)


def body_hash(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def headers(response: Response) -> Mapping[str, str]:
    """Header fields by lower-case name; a repeated one joined as RFC 9110, 5.3 allows."""
    return {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }


def _status_in_words(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _excerpt(body: bytes) -> str:
    return " ".join(body[: 4 * EXCERPT].decode("utf-8", "replace").split())[:EXCERPT]
