"""Each core outlet's real shape, in pages of our own with invented news."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from config.model.outlets import ArticleSelectors, Selectors
from monitor.model.sources import Outcome
from spiders.readers import Reading

Page = Callable[..., Reading]


@pytest.mark.parametrize(
    ("name", "zone", "titles", "published", "language"),
    [
        ("bbc.xml", "Europe/London", "Delegations arrive in Doha for a third round of talks", (9, 15, 30), "en-gb"),
        ("aljazeera-en.xml", "UTC", "Mediators say talks in Doha continue", (10, 2, 11), "en"),
        ("aljazeera-ar.xml", "UTC", "الوفود تلتقي في الدوحة لليوم الثالث من المحادثات", (10, 5, 0), "ar"),
        (
            "haaretz-en.xml",
            "Asia/Jerusalem",
            "Delegation Returns to Doha as Talks Enter Third Day",
            (10, 10, 0),
            "en-us",
        ),
        ("haaretz-he.xml", "Asia/Jerusalem", "המשלחות נפגשו בדוחה ליום שלישי של שיחות", (10, 12, 0), "he"),
        ("ynet.xml", "Asia/Jerusalem", "המתווכות: השיחות בדוחה יימשכו גם מחר", (11, 45, 12), "he-il"),
    ],
)
def test_a_feed_in_the_outlets_shape_is_read_whole(
    page: Page, name: str, zone: str, titles: str, published: tuple[int, int, int], language: str
) -> None:
    reading = page(name, time_zone=zone)
    assert (reading.outcome, reading.marks) == (Outcome.OK, ())
    first = reading.entries[0]
    assert first.title == titles
    assert first.published == datetime(2026, 11, 22, *published, tzinfo=UTC)
    assert first.language == language
    assert first.url is not None
    assert first.url.startswith("https://www.")
    assert first.marks == ()


def test_bbc_keeps_the_wires_address_and_tells_live_pages_apart(page: Page) -> None:
    article, live = page("bbc.xml").entries
    assert article.url == "https://www.bbc.co.uk/news/articles/c0example001o?at_medium=RSS&at_campaign=rss"
    assert article.guid == "https://www.bbc.co.uk/news/articles/c0example001o#0"
    assert (article.kind, live.kind) == ("article", "live")


def test_al_jazeera_videos_are_told_apart_and_their_guid_never_becomes_the_link(page: Page) -> None:
    article, video = page("aljazeera-en.xml").entries
    assert (article.kind, video.kind) == ("article", "video")
    assert article.tags == ("News",)
    assert video.lead == ""


def test_ynet_descriptions_lose_the_picture_and_keep_the_text(page: Page) -> None:
    (entry,) = page("ynet.xml").entries
    assert entry.lead == "הצדדים קיבלו טיוטה חדשה, והמשלחות יישארו בעיר עד יום חמישי"
    assert "img" not in entry.html


def test_haaretz_names_its_author_and_keeps_the_gershayim(page: Page) -> None:
    assert page("haaretz-en.xml").entries[0].author == "Example Reporter"
    assert 'צה"ל' in page("haaretz-he.xml").entries[0].lead


def test_aps_sitemap_gives_titles_languages_and_eastern_time_where_no_zone_is_written(page: Page) -> None:
    reading = page("ap-sitemap.xml", "sitemap", time_zone="America/New_York")
    article, live = reading.entries
    assert reading.outcome is Outcome.OK
    assert article.title == "Mediators & delegations meet in Doha for a third day"
    assert article.published == datetime(2026, 11, 22, 9, 58, 13, tzinfo=UTC)
    assert article.updated == datetime(2026, 11, 22, 10, 20, 1, tzinfo=UTC)
    assert (article.language, live.language) == ("eng", "spa")
    assert live.published == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert live.kind == "live"


def test_an_aggregators_entry_names_its_publisher_and_the_publishers_address(page: Page) -> None:
    (entry,) = page("bing-reuters.xml", "aggregator").entries
    assert entry.publisher == "Reuters"
    assert entry.url == ("https://www.reuters.com/world/middle-east/qatar-says-new-draft-handed-both-sides-2026-11-22/")


def test_the_publisher_is_taken_off_an_aggregators_title_only_when_it_is_the_source(
    read_body: Page, rss: Callable[..., str]
) -> None:
    items = [
        f"<title>Talks resume - {name}</title><link>https://a.example/{name}</link><source url='https://x.example'>Desk</source>"
        for name in ("Desk", "Other")
    ]
    titles = [entry.title for entry in read_body(rss(*items), "aggregator").entries]
    assert titles == ["Talks resume", "Talks resume - Other"]
    assert read_body(rss(*items)).entries[0].publisher == ""


def test_qatars_listing_is_read_by_its_selectors(page: Page) -> None:
    selectors = Selectors(entry=".news-card", link="h3 a", title="h3", lead=".card-text", time="time")
    url = "https://mofa.gov.qa/en/latest-articles/statements"
    reading = page("qatar-mfa.html", "listing", selectors=selectors, url=url, time_zone="Asia/Qatar")
    first, second = reading.entries
    assert reading.outcome is Outcome.OK
    assert first.title == "Statement on the Doha Talks: Third Round"
    assert first.url == f"{url}/statement-on-the-doha-talks--third-round"
    assert first.published == datetime(2026, 11, 21, 21, tzinfo=UTC)
    assert first.lead == "The ministry thanks all parties for their participation."
    assert second.published == datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert (first.language, second.lead) == ("en", "")


def test_an_al_jazeera_page_gives_headline_times_and_paragraphs_without_what_is_dropped(page: Page) -> None:
    url = "https://www.aljazeera.com/news/2026/11/22/talks-in-doha-enter-a-third-day"
    reading = page(
        "aljazeera-article.html",
        "article",
        url=f"{url}?traffic_source=rss",
        article=ArticleSelectors(drop=(".more-on",)),
    )
    (entry,) = reading.entries
    assert reading.outcome is Outcome.OK
    assert entry.title == "Talks in Doha enter a third day"
    assert (entry.canonical, entry.url) == (url, f"{url}?traffic_source=rss")
    assert entry.published == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert entry.updated == datetime(2026, 11, 22, 11, 30, tzinfo=UTC)
    assert entry.author == "Al Jazeera Staff"
    assert len(entry.body.split("\n\n")) == 3
    assert "another story" not in entry.body
    assert entry.html.count("<p>") == 3


def test_a_ynet_pages_text_is_split_where_runs_of_spaces_stand(page: Page) -> None:
    (entry,) = page("ynet-article.html", "article", url="https://www.ynet.co.il/news/article/hkexample11g").entries
    assert len(entry.body.split("\n\n")) == 3
    assert 'צה"ל' in entry.body
    assert entry.published == datetime(2026, 11, 22, 11, 45, 12, tzinfo=UTC)
    assert entry.author == "כתבת לדוגמה, כתב לדוגמה"
    assert entry.language == "he"


def test_a_haaretz_page_that_is_only_a_beginning_is_marked_and_its_suffix_left(page: Page) -> None:
    (entry,) = page("haaretz-article.html", "article", url="https://www.haaretz.com/x").entries
    assert entry.title == "Delegation Returns to Doha | Haaretz"
    assert "paywalled: only the beginning" in entry.marks
    assert entry.author == "Example Reporter, Second Reporter"
    assert entry.published == datetime(2026, 11, 22, 10, 10, tzinfo=UTC)


def test_an_ap_live_pages_posts_become_the_body_each_under_its_headline(page: Page) -> None:
    (entry,) = page("ap-live.html", "article", url="https://apnews.com/live/doha-talks-11-22-2026").entries
    assert entry.kind == "live"
    assert entry.body.split("\n\n") == [
        "Mediators leave the venue",
        "The mediators left the venue shortly after noon. They did not speak to the press.",
        "Second session begins",
        "The second session of the day has begun, the host country said.",
    ]
    assert entry.author == "EXAMPLE REPORTER"
