"""JSON-LD in a page: the blocks found by scanning (no tree, whatever the page's depth), and the article in them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from monitor.model.texts import Kind
from spiders.readers.text import plain

_SCRIPT = re.compile(r"<script\b[^<>]{0,500}?application/ld\+json[^<>]{0,500}>", re.IGNORECASE)
_WRAPPING = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$")
_BREAKS = re.compile(r" {3,}|\n")  # ynet's articleBody marks paragraphs by runs of spaces
_MOST_BLOCKS, _MOST_NODES = 30, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One update of a live blog."""

    headline: str
    body: str
    url: str
    published: str
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What JSON-LD says of the page's article; empty means that it does not say."""

    headline: str = ""
    description: str = ""
    body: str = ""
    posts: int = 0
    """Updates of a live blog that are in ``body``."""
    updates: tuple[Post, ...] = ()
    """Those updates that have an address of their own."""
    authors: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    """``creditText`` and source organisation of the article itself, never of its pictures."""
    published: str = ""
    modified: str = ""
    url: str = ""
    language: str = ""
    kind: Kind | None = None
    paywalled: bool = False
    tags: tuple[str, ...] = ()


def find(page: str) -> tuple[Article | None, bool]:
    """The page's article, and whether a block could not be read."""
    nodes: list[dict[str, Any]] = []
    damaged = False
    for block in _blocks(page):
        try:
            found = json.loads(_WRAPPING.sub("", block), strict=False)
        except (ValueError, RecursionError):
            damaged = True
            continue
        nodes.extend(_nodes(found))
    best = max((node for node in nodes if _rank(node)), key=_rank, default=None)
    return (_article(best) if best is not None else None), damaged


def _blocks(page: str) -> Iterator[str]:
    position = 0
    for _ in range(_MOST_BLOCKS):
        found = _SCRIPT.search(page, position)
        end = page.find("</script", found.end()) if found else -1
        if found is None or end < 0:
            return
        yield page[found.end() : end]
        position = end


def _nodes(found: Any) -> Iterator[dict[str, Any]]:
    """Objects of a block: itself, an array's, an ``@graph``'s."""
    waiting, count = [found], 0
    while waiting and count < _MOST_NODES:
        node = waiting.pop(0)
        count += 1
        if isinstance(node, list):
            waiting.extend(node[:_MOST_NODES])
        elif isinstance(node, dict):
            yield node
            waiting.extend(node["@graph"] if isinstance(node.get("@graph"), list) else ())


def _types(node: dict[str, Any]) -> frozenset[str]:
    kinds = node.get("@type")
    return frozenset(map(str, kinds if isinstance(kinds, list) else [kinds]))


def _rank(node: dict[str, Any]) -> int:
    """Live blogs before articles before posts before videos; 0: not an article."""
    kinds = _types(node)
    if "LiveBlogPosting" in kinds:
        return 4
    if any(kind.endswith("Article") for kind in kinds):
        return 3
    if "BlogPosting" in kinds or "Report" in kinds:
        return 2
    return 1 if "VideoObject" in kinds else 0


def _article(node: dict[str, Any]) -> Article:
    kinds = _types(node)
    posts = list(_posts(node)) if "LiveBlogPosting" in kinds else []
    told = [f"{post.headline}\n\n{post.body}".strip() for post in posts]
    return Article(
        headline=_string(node.get("headline")) or _string(node.get("name")),
        description=_string(node.get("description")),
        body="\n\n".join(filter(None, [body_text(_string(node.get("articleBody"))), *told])),
        posts=len(posts),
        updates=tuple(post for post in posts if post.url),
        authors=tuple(_people(node.get("author"))),
        credits=tuple(_credits(node)),
        published=_string(node.get("datePublished")) or _string(node.get("uploadDate")),
        modified=_string(node.get("dateModified")),
        url=_address(node),
        language=_string(node.get("inLanguage")),
        kind=_kind(kinds),
        paywalled=str(node.get("isAccessibleForFree")).strip().lower() in ("false", "http://schema.org/false"),
        tags=_keywords(node.get("keywords")),
    )


def _posts(node: dict[str, Any]) -> Iterator[Post]:
    """The updates of a live blog that say something."""
    updates = node.get("liveBlogUpdate")
    for update in updates if isinstance(updates, list) else [updates]:
        if isinstance(update, dict):
            headline, body = (
                one_paragraph(_string(update.get("headline"))),
                body_text(_string(update.get("articleBody"))),
            )
            if headline or body:
                yield Post(
                    headline=headline, body=body, url=_own_address(update),
                    published=_string(update.get("datePublished")), authors=tuple(_people(update.get("author"))),
                )  # fmt: skip


def _own_address(update: dict[str, Any]) -> str:
    """Of an update: the page's with something that names the post."""
    told = [_string(update.get("url")), _string(update.get("@id")), _address(update)]
    return next((each for each in told if "#" in each or "?" in each), next(filter(None, told), ""))


def _credits(node: dict[str, Any]) -> Iterator[str]:
    yield _string(node.get("creditText"))
    yield from _people(node.get("sourceOrganization"))


def one_paragraph(text: str) -> str:
    return " ".join(body_text(text).split())


def body_text(body: str) -> str:
    """An ``articleBody`` as paragraphs. References are decoded once; what is markup then (some publish
    theirs escaped) is removed."""
    body = html.unescape(body.strip())
    if "</" in body or "<br" in body:
        return plain(_BREAKS.sub("<p>", body))
    return "\n\n".join(filter(None, (" ".join(part.split()) for part in _BREAKS.split(body))))


def _kind(kinds: frozenset[str]) -> Kind | None:
    if "LiveBlogPosting" in kinds:
        return "live"
    if any(kind.startswith("Opinion") for kind in kinds):
        return "opinion"
    return "video" if kinds == {"VideoObject"} else None


def _people(value: Any) -> Iterable[str]:
    for person in value if isinstance(value, list) else [value]:
        name = _string(person.get("name")) if isinstance(person, dict) else _string(person)
        if name:
            yield name


def _address(node: dict[str, Any]) -> str:
    page = node.get("mainEntityOfPage")
    page = page.get("@id") if isinstance(page, dict) else page
    return _string(node.get("url")) or _string(page)


def _keywords(value: Any) -> tuple[str, ...]:
    return tuple(map(_string, value)) if isinstance(value, list) else tuple(_string(value).split(","))


def _string(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""
