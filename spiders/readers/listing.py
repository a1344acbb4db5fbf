"""A section page and the outlet's selectors → entries. Finding nothing is damage, never "no news"."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from config.model.outlets import Selectors
from monitor.model.sources import Outcome
from spiders.readers import page
from spiders.readers.build import Builder, Raw
from spiders.readers.decoding import decode
from spiders.readers.task import EXCERPT, Reading, ReadTask, reading
from spiders.readers.text import cut, plain

_SHELL = 200
"""A page with less readable text than this is no section page but a shell or a wall."""


def read(task: ReadTask) -> Reading:
    """Read a listing page; every failure names the selector that found nothing."""
    if task.selectors is None:
        return Reading(outcome=Outcome.FAILED, reason="a listing page needs selectors, and the source has none")
    decoded = decode(task.body, charset=task.charset, content_type=task.content_type)
    if not decoded.text.strip():
        return Reading(outcome=Outcome.FAILED, reason="empty body", marks=decoded.marks)
    if hard := page.too_hard(decoded.text):
        return Reading(outcome=Outcome.FAILED, reason=hard, marks=decoded.marks)
    try:
        return _read(decoded.text, decoded.marks, task.selectors, task)
    except page.BadSelector as error:
        return Reading(outcome=Outcome.FAILED, reason=f"the selector {error} cannot be used")


def _read(text: str, marks: tuple[str, ...], selectors: Selectors, task: ReadTask) -> Reading:
    blocks = page.select(LexborHTMLParser(text), selectors.entry)
    if not blocks:
        words = plain(text)
        outcome = Outcome.BLOCKED if len(words) < _SHELL else Outcome.DEGRADED
        reason = f"nothing found by entry = {selectors.entry!r}"
        return Reading(outcome=outcome, reason=reason, marks=(*marks, reason), excerpt=cut(words, EXCERPT))
    language = page.language_of(text) or task.language
    raws = [_raw(block, selectors, language) for block in blocks]
    entries, left_out = Builder(task, base=page.base_of(text, task.url)).entries(raws)
    return reading(entries, marks + left_out + tuple(_unfound(raws, selectors)))


def _unfound(raws: list[Raw], selectors: Selectors) -> Iterator[str]:
    """Parts of the page that have moved: a selector that found nothing in any block."""
    if not any(raw.link for raw in raws):
        yield f"no address found by link = {selectors.link!r}"
    if selectors.title and not any(raw.title for raw in raws):
        yield f"no title found by title = {selectors.title!r}"
    if selectors.time and not any(raw.published for raw in raws):
        yield f"no time found by time = {selectors.time!r}"


def _raw(block: LexborNode, selectors: Selectors, language: str) -> Raw:
    link = _first(block, selectors.link)
    title = _first(block, selectors.title) if selectors.title else link
    return Raw(
        title=page.text_of(title),
        title_form="text",
        summary=page.text_of(_first(block, selectors.lead)),
        summary_form="text",
        link=link.attributes.get("href") if link is not None else None,
        published=_time(_first(block, selectors.time)),
        language=language,
    )


def _first(block: LexborNode, selector: str | None) -> LexborNode | None:
    """The first node inside the block, or the block itself when the selector names it."""
    if not selector:
        return None
    found = page.select(block, selector)
    return found[0] if found else None


def _time(node: LexborNode | None) -> str:
    """The machine's form where there is one: the visible text is for readers."""
    if node is None:
        return ""
    return node.attributes.get("datetime") or page.text_of(node)
