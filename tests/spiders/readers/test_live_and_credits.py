"""What a page's data says besides its text: the posts of a live blog, and whose text it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from spiders.readers import Reading

Read = Callable[..., Reading]
URL = "https://news.example/live/talks"
TEXT = "The delegations met for a third day of talks, officials of the host country said on Sunday morning."


def article(head: str = "", **told: Any) -> str:
    data = json.dumps({"@type": "NewsArticle", "headline": "Talks", "articleBody": TEXT, **told})
    return (
        f'<html><head>{head}<script type="application/ld+json">{data}</script></head>'
        f"<body><article><p>{TEXT}</p></article></body></html>"
    )


def update(number: int, **told: Any) -> dict[str, Any]:
    return {
        "@type": "BlogPosting", "headline": f"Post {number}", "articleBody": f"Envoy {number} arrived.",
        "datePublished": f"2026-11-24T1{number}:00:00Z", **told,
    }  # fmt: skip


def live(*updates: dict[str, Any]) -> str:
    told: dict[str, Any] = {"@type": "LiveBlogPosting", "liveBlogUpdate": list(updates)}
    return article(**told)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ({"url": f"{URL}#post-1"}, f"{URL}#post-1"),
        ({"url": f"{URL}?update=1"}, f"{URL}?update=1"),
        ({"url": "/live/talks#post-1"}, f"{URL}#post-1"),
        ({"@id": "#post-1"}, f"{URL}#post-1"),
        ({"url": URL, "@id": f"{URL}#post-1"}, f"{URL}#post-1"),
        ({"mainEntityOfPage": {"@id": f"{URL}#post-1"}}, f"{URL}#post-1"),
    ],
)
def test_a_post_with_an_address_of_its_own_is_an_entry(read_body: Read, told: dict[str, str], url: str) -> None:
    page, post = read_body(live(update(1, **told, author={"name": "A. Name"})), "article", url=URL).entries
    assert (page.post, page.kind, page.url) == (False, "live", URL)
    assert "Envoy 1 arrived." in page.body
    assert (post.post, post.kind, post.url, post.title) == (True, "live", url, "Post 1")
    assert (post.body, post.lead, post.author) == ("Envoy 1 arrived.", "Envoy 1 arrived.", "A. Name")
    assert post.published == datetime(2026, 11, 24, 11, tzinfo=UTC)


@pytest.mark.parametrize("told", [{}, {"url": URL}, {"url": "javascript:alert(1)"}])
def test_a_post_without_one_is_a_part_of_its_page_only(read_body: Read, told: dict[str, str]) -> None:
    (page,) = read_body(live(update(1, **told), update(2, **told)), "article", url=URL).entries
    assert "Post 1\n\nEnvoy 1 arrived.\n\nPost 2" in page.body


def test_a_post_without_headline_is_called_by_its_first_line(read_body: Read) -> None:
    told = update(1, url=f"{URL}#1", headline="", articleBody="First line.\nSecond line.")
    _, post = read_body(live(told), "article", url=URL).entries
    assert (post.title, post.body) == ("First line.", "First line.\n\nSecond line.")


# ------------------------------------------------------------------ credits


@pytest.mark.parametrize(
    ("told", "head", "named"),
    [
        ({"creditText": "Reuters"}, "", ("Reuters",)),
        ({"sourceOrganization": {"@type": "Organization", "name": "AFP &amp; AP"}}, "", ("AFP & AP",)),
        ({"sourceOrganization": [{"name": "AFP"}, {"name": "AP"}]}, "", ("AFP", "AP")),
        ({"image": {"@type": "ImageObject", "creditText": "Reuters"}}, "", ()),
        ({"publisher": {"name": "One"}}, "", ()),
        ({}, '<meta property="article:publisher" content="Reuters">', ("Reuters",)),
        ({}, '<meta property="article:publisher" content="https://social.example/one">', ()),
    ],
)
def test_the_texts_own_credits_are_read_and_no_pictures(
    read_body: Read, told: dict[str, Any], head: str, named: tuple[str, ...]
) -> None:
    (entry,) = read_body(article(head, **told), "article", url=URL).entries
    assert entry.credits == named
