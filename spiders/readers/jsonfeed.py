"""JSON Feed (jsonfeed.org, 1.0 and 1.1) and GDELT's article list → entries; other JSON is an error message (F50)."""

from __future__ import annotations

import json
from typing import Any

from monitor.model.sources import Outcome
from spiders.readers.build import Builder, Raw
from spiders.readers.task import EXCERPT, Reading, ReadTask, reading
from spiders.readers.text import cut, one_line

_GDELT_LANGUAGES = {"english": "en", "hebrew": "he", "arabic": "ar"}


def read(text: str, task: ReadTask, marks: tuple[str, ...]) -> Reading:
    """Read JSON that answered for a feed."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _refused("JSON that cannot be read", text, marks)
    raws = _raws(found)
    if raws is None:
        return _refused("JSON, but not a feed", text, marks)
    entries, left_out = Builder(task).entries(raws)
    return reading(entries, marks + left_out + (() if entries else ("no entries",)))


def _refused(reason: str, text: str, marks: tuple[str, ...]) -> Reading:
    excerpt = cut(one_line(text[: EXCERPT * 4]), EXCERPT)
    return Reading(outcome=Outcome.FAILED, reason=reason, excerpt=excerpt, marks=marks)


def _raws(found: Any) -> list[Raw] | None:
    if not isinstance(found, dict):
        return None
    if isinstance(items := found.get("items"), list) and "jsonfeed.org" in _string(found.get("version")):
        language = _string(found.get("language")) or None
        return [_item(item, language) for item in items if isinstance(item, dict)]
    articles = found.get("articles")
    if isinstance(articles, list) and all(isinstance(item, dict) and "seendate" in item for item in articles):
        return [_gdelt(item) for item in articles]
    return None


def _item(item: dict[str, Any], language: str | None) -> Raw:
    people = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    tags = item.get("tags")
    html, text = _string(item.get("content_html")), _string(item.get("content_text"))
    return Raw(
        title=_string(item.get("title")),
        title_form="text",
        summary=_string(item.get("summary")),
        summary_form="text",
        content=html or text,
        content_form="html" if html else "text",
        link=_string(item.get("url")) or _string(item.get("external_url")) or None,
        guid=_string(item.get("id")) or None,
        authors=tuple(_string(person.get("name")) for person in people or () if isinstance(person, dict)),
        published=_string(item.get("date_published")),
        updated=_string(item.get("date_modified")),
        language=_string(item.get("language")) or language,
        tags=tuple(map(_string, tags)) if isinstance(tags, list) else (),
    )


def _gdelt(item: dict[str, Any]) -> Raw:
    """``seendate`` is when GDELT saw it, the only time it gives, always in UTC."""
    language = _string(item.get("language")).lower()
    return Raw(
        title=_string(item.get("title")),
        title_form="text",
        link=_string(item.get("url")) or None,
        publisher=_string(item.get("domain")),
        published=_string(item.get("seendate")),
        language=_GDELT_LANGUAGES.get(language, language) or None,
    )


def _string(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
