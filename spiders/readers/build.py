"""The one notion of an entry's fields: every reader fills a `Raw`, and `Builder` makes the `Entry` of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal
from urllib.parse import urlsplit

from monitor.model.entries import Entry
from monitor.model.texts import Kind
from spiders.readers import text as texts
from spiders.readers.dates import read_date, zone_named
from spiders.readers.links import resolve, unwrapped, web_address
from spiders.readers.task import ReadTask

MOST_ENTRIES = 5_000
MOST_TEXT = 16_000_000
"""Characters of one reading; entries after that keep title and lead only (P5)."""

_TITLE, _LEAD, _BODY, _NAME, _GUID, _TAG = 1_000, 2_000, 200_000, 300, 2_000, 100
_LEAD_FROM_BODY = 500
_TAGS = 40
_MOST_CREDITS = 5

Form = Literal["text", "html", "rss"]
"""How a field is written: as text, as HTML, or as an RSS title (text that may hold HTML references)."""

# RSS titles carry markup for emphasis; everything else stays as the characters it is (F83).
_EMPHASIS = re.compile(r"</?(?:b|i|em|strong|u|sup|sub|span|wbr|small|mark)\s*/?>", re.IGNORECASE)
_BREAK = re.compile(r"(?:<|&lt;)br\s*/?(?:>|&gt;)", re.IGNORECASE)
_NAMED_ADDRESS = re.compile(r"[^\s()<>@]+@[^\s()<>@]+\s*\(([^()]*)\)")
_ADDRESS = re.compile(r"<[^<>]*@[^<>]*>|\(?[^\s()<>@]+@[^\s()<>@]+\.[^\s()<>@]+\)?")
_LIVE = re.compile(r"/(?:live|liveblog|live-updates|ty-article-live)(?:[/-]|$)|/liveblog[_-]")
_OPINION = re.compile(r"/(?:opinions?|commentisfree|ty-article-opinion)(?:/|$)")
_VIDEO = re.compile(r"/(?:videos?|av)(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One entry's fields as the format carries them: XML or JSON is undone, nothing else."""

    title: str = ""
    title_form: Form = "rss"
    summary: str = ""
    summary_form: Form = "html"
    content: str = ""
    content_form: Form = "html"
    link: str | None = None
    guid: str | None = None
    guid_is_link: bool = True
    base: str | None = None
    """Against which the entry's links are resolved, where it is not the answer's address."""
    authors: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    publisher: str = ""
    published: str = ""
    updated: str = ""
    language: str | None = None
    tags: tuple[str, ...] = ()
    media: str = ""
    """The kind of the enclosure (``video/mp4``)."""
    kind: Kind | None = None


class Builder:
    """Makes the entries of one answer. What the outlet decides (zone, final address, kind of source) is set once."""

    def __init__(self, task: ReadTask, *, base: str | None = None, time_zone: str | None = None) -> None:
        """``base`` and ``time_zone`` replace the task's where the document says better."""
        self._base = base or task.url
        self._zone: tzinfo = zone_named(time_zone or task.time_zone)
        self._now = task.now
        self._aggregator = task.kind == "aggregator"

    def entries(self, raws: Iterable[Raw]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
        """The entries in their order, at most `MOST_ENTRIES`, and marks for what was left out."""
        made: list[Entry] = []
        marks: list[str] = []
        room = MOST_TEXT
        for raw in raws:
            if len(made) == MOST_ENTRIES:
                marks.append(f"only the first {MOST_ENTRIES} entries read")
                break
            entry = self.entry(raw if room > 0 else _short(raw))
            if entry is None:
                marks.append("entry without title, link and text skipped")
                continue
            room -= len(entry.body) + len(entry.html) + len(entry.lead)
            made.append(entry)
        if room <= 0:
            marks.append(f"texts dropped after {MOST_TEXT} characters")
        return tuple(made), tuple(marks)

    def entry(self, raw: Raw) -> Entry | None:
        """One entry; ``None`` when it names nothing and says nothing."""
        marks: list[str] = []
        base = (resolve(raw.base, self._base) if raw.base else None) or self._base
        url = self._url(raw, base, marks)
        summary, content = _text(raw.summary, raw.summary_form, base), _text(raw.content, raw.content_form, base)
        marks += [mark for mark in (summary.mark, content.mark) if mark]
        lead, body = _lead_and_body(summary.text, content.text, marks)
        title = self._title(raw, marks)
        publisher = _capped(texts.one_line(raw.publisher), _NAME, "publisher", marks) if self._aggregator else ""
        title = title.removesuffix(f" - {publisher}") if publisher else title
        if not texts.visible(title):
            title = texts.cut(texts.one_line(lead), 120) or url or ""
            marks.append("title missing")
        if not title:
            return None
        published, published_text = self._published(raw, marks)
        return Entry(
            title=title,
            lead=lead,
            body=body,
            html=content.html or summary.html,
            url=url,
            guid=texts.cut(texts.one_line(raw.guid or ""), _GUID) or None,
            author=_capped(author_names(raw.authors), _NAME, "author", marks),
            credits=_credits(raw.credits),
            publisher=publisher,
            published=published,
            published_text=published_text,
            updated=self.moment(raw.updated),
            language=texts.one_line(raw.language or "")[:35] or None,
            kind=raw.kind or kind_of(url, raw.media),
            tags=_tags(raw.tags),
            marks=tuple(dict.fromkeys(marks)),
        )

    def moment(self, text: str) -> datetime | None:
        """A date as written → UTC, in the outlet's zone when it names none."""
        return read_date(text, zone=self._zone, now=self._now)

    def _url(self, raw: Raw, base: str, marks: list[str]) -> str | None:
        link = (raw.link or "").strip()
        url = resolve(link, base) or (web_address(raw.guid) if raw.guid_is_link and not link else None)
        if link and url is None:
            marks.append(f"link refused: {texts.cut(texts.one_line(link), 60)}")
        return unwrapped(url) if url and self._aggregator else url

    def _title(self, raw: Raw, marks: list[str]) -> str:
        return _capped(title_text(raw.title, raw.title_form), _TITLE, "title", marks)

    def _published(self, raw: Raw, marks: list[str]) -> tuple[datetime | None, str]:
        written = texts.cut(texts.one_line(raw.published or raw.updated), 100)
        published = self.moment(raw.published) if raw.published.strip() else self.moment(raw.updated)
        if published is not None or not written:
            return published, ""
        marks.append("date assumed")
        return None, written


def title_text(title: str, form: Form) -> str:
    """A title as one line of text. HTML references of RSS titles are decoded once (F41), markup that is not
    mere emphasis stays as characters (F83); a title declared as HTML is read as HTML."""
    if form == "text":
        return texts.one_line(title)
    if form == "html":
        return texts.one_line(texts.plain(title))
    title = _BREAK.sub(" ", title)
    return texts.one_line(html.unescape(_EMPHASIS.sub("", title) if "<" in title else title))


def author_names(authors: Iterable[str]) -> str:
    """Names only, once each: mail addresses are not shown (RSS writes ``mail (Name)``)."""
    names = (_name(texts.one_line(author[: _NAME * 4])) for author in authors)
    return ", ".join(dict.fromkeys(name for name in names if name))


def kind_of(url: str | None, media: str = "") -> Kind:
    """What the address says the article is."""
    if media.startswith("video"):
        return "video"
    path = urlsplit(url).path if url else ""
    if _LIVE.search(path):
        return "live"
    if _OPINION.search(path):
        return "opinion"
    return "video" if _VIDEO.search(path) else "article"


def _name(author: str) -> str:
    author = html.unescape(author)
    if "@" not in author:
        return author.strip(" ,")
    return _ADDRESS.sub("", _NAMED_ADDRESS.sub(r"\1", author)).strip(' ,()"')


def _text(written: str, form: Form, base: str) -> texts.Fragment:
    if not written:
        return texts.Fragment(text="")
    if form == "text":
        return texts.Fragment(text=texts.paragraphs(written))
    return texts.fragment(written, base=base)


def _lead_and_body(summary: str, content: str, marks: list[str]) -> tuple[str, str]:
    """A long summary with nothing else is the body; a body without summary lends its first paragraph."""
    body = content
    if len(summary) > _LEAD and len(summary) > len(content):
        body = summary
    lead = summary or content.split("\n\n", 1)[0][: _LEAD_FROM_BODY + 8]
    lead = texts.cut(lead, _LEAD if summary else _LEAD_FROM_BODY)
    return lead, _capped(body, _BODY, "body", marks)


def _capped(text: str, limit: int, what: str, marks: list[str]) -> str:
    if len(text) <= limit:
        return text
    marks.append(f"{what} cut")
    return texts.cut(text, limit)


def _credits(named: Iterable[str]) -> tuple[str, ...]:
    told = dict.fromkeys(texts.cut(texts.one_line(html.unescape(each[: _NAME * 4])), _NAME) for each in named)
    return tuple(each for each in told if each)[:_MOST_CREDITS]


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    named = dict.fromkeys(texts.cut(texts.one_line(html.unescape(tag[: _TAG * 4])), _TAG) for tag in tags)
    return tuple(tag for tag in named if tag)[:_TAGS]


def _short(raw: Raw) -> Raw:
    return Raw(
        title=texts.cut(raw.title, _TITLE), title_form=raw.title_form, summary=texts.cut(raw.summary, _LEAD),
        link=raw.link, guid=raw.guid, guid_is_link=raw.guid_is_link, base=raw.base, published=raw.published,
        updated=raw.updated, language=raw.language, publisher=raw.publisher,
    )  # fmt: skip
