"""When an article's page is read again, and what an answer says of the article."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.model.outlets import Outlet
from monitor import pages
from monitor.model.entries import Answer
from monitor.model.sources import Outcome, PageDue, Validators

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
URL = "https://www.bbc.example/news/articles/c1o"
HELD, FRESH = Validators(etag='"1"'), Validators(etag='"2"')
DUE = PageDue(
    item="i", outlet="bbc", url=URL, host="https://www.bbc.example:443", first_seen=NOW, read=NOW, validators=HELD
)
UNREAD = replace(DUE, read=None, validators=Validators())


def outlet(**more: Any) -> Outlet:
    told = {
        "id": "bbc", "name": "BBC", "home": "https://www.bbc.example/", "language": "en", "time_zone": "UTC",
        "access": "page", "why": "A test.", "pages": "matched",
        "source": [{"id": "feed", "kind": "feed", "url": "https://www.bbc.example/feed"}], **more,
    }  # fmt: skip
    return Outlet.model_validate(told)


def answer(outcome: Outcome = Outcome.OK, status: int | None = 200, **more: Any) -> Answer:
    values = {"url": URL, "final_url": URL, "validators": FRESH, "page_of": "i", **more}
    return Answer(source="bbc/page", outlet="bbc", at=NOW, outcome=outcome, status=status, **values)


NOT_FOUND = answer(Outcome.FAILED, 404, reason="HTTP 404 Not Found")


def test_a_page_is_read_again_at_growing_distances_and_then_no_more() -> None:
    at, times = NOW + timedelta(seconds=20), []
    while (again := pages.after(answer(), DUE, outlet(), now=at).again) is not None:
        times.append(again - NOW)
        at = again + timedelta(seconds=90)  # the host had other pages first
    assert times == [15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, 24 * HOUR, 72 * HOUR]


def test_times_that_passed_meanwhile_are_left_out_and_the_next_is_never_near() -> None:
    after = [pages.after(answer(), DUE, outlet(), now=NOW + minutes * MINUTE).again for minutes in (5, 6, 200)]
    assert after == [NOW + 15 * MINUTE, NOW + HOUR, NOW + 8 * HOUR]


@pytest.mark.parametrize("more", [{"reread": []}, {"pages": "none"}])
def test_an_outlets_file_may_say_that_nothing_is_read_again(more: dict[str, Any]) -> None:
    assert pages.after(answer(), UNREAD, outlet(**more), now=NOW).again is None


@pytest.mark.parametrize("times", [["5m"], ["15m", "20m"], ["1h", "30m"]])
def test_times_that_do_not_grow_by_ten_minutes_are_refused(times: list[str]) -> None:
    with pytest.raises(ValueError, match="must grow, by 10m"):
        outlet(reread=times)


def test_what_was_read_is_remembered_for_the_next_request() -> None:
    whole = pages.after(answer(), UNREAD, outlet(), now=NOW + MINUTE)
    same = pages.after(answer(Outcome.UNCHANGED, 304), DUE, outlet(), now=NOW + HOUR)
    assert (whole.fate, whole.read, whole.validators) == ("there", NOW + MINUTE, FRESH)
    assert (same.fate, same.read, same.validators, same.attempts) == ("there", NOW, FRESH, 0)


@pytest.mark.parametrize("mark", ["the answer was cut short on its way", "text lost: page nested deeper than 1000"])
def test_half_a_text_is_compared_with_nothing_and_does_not_count_as_read(mark: str) -> None:
    half = answer(Outcome.DEGRADED, marks=(mark,), validators=HELD)
    assert not pages.is_whole(half)
    assert pages.after(half, DUE, outlet(), now=NOW + HOUR).read == NOW


def test_trouble_is_tried_three_times_and_then_waits_for_the_next_time() -> None:
    trouble = answer(Outcome.FAILED, 503)
    due, now, waits = UNREAD, NOW, []
    for _ in range(3):
        page = pages.after(trouble, due, outlet(), now=now)
        assert page.again is not None
        waits.append((page.again - now, page.attempts))
        due, now = replace(due, attempts=page.attempts), page.again
    assert waits == [(10 * MINUTE, 1), (10 * MINUTE, 2), (40 * MINUTE, 0)]
    wish = replace(trouble, not_before=NOW + 2 * HOUR)
    assert pages.after(wish, UNREAD, outlet(), now=NOW).again == NOW + 2 * HOUR


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.CLOSED])
def test_what_robots_or_a_challenge_refuse_is_not_asked_again(outcome: Outcome) -> None:
    page = pages.after(answer(outcome, 404), DUE, outlet(), now=NOW)
    assert (page.again, page.fate) == (None, "unknown")


# ------------------------------------------------------------------ withdrawn


def test_a_404_is_a_withdrawal_when_it_is_so_again_ten_minutes_later() -> None:
    first = pages.after(NOT_FOUND, DUE, outlet(), now=NOW + HOUR)
    assert (first.fate, first.again, first.missing) == ("unknown", NOW + HOUR + 10 * MINUTE, NOW + HOUR)
    waiting = replace(DUE, missing=first.missing, attempts=first.attempts)
    early = pages.after(NOT_FOUND, waiting, outlet(), now=NOW + HOUR + 9 * MINUTE)
    assert (early.fate, early.again) == ("unknown", NOW + HOUR + 10 * MINUTE)
    sure = pages.after(NOT_FOUND, waiting, outlet(), now=NOW + HOUR + 10 * MINUTE)
    assert (sure.fate, sure.since, sure.words, sure.again) == ("withdrawn", NOW + HOUR, "HTTP 404", NOW + 3 * HOUR)


@pytest.mark.parametrize("between", [answer(), answer(Outcome.UNCHANGED, 304), answer(Outcome.FAILED, 503)])
def test_a_404_that_is_none_the_next_time_was_a_hiccup(between: Answer) -> None:
    page = pages.after(between, replace(DUE, missing=NOW, attempts=1), outlet(), now=NOW + HOUR)
    assert (page.fate == "withdrawn", page.missing) == (False, None)


def test_a_410_is_a_withdrawal_at_once() -> None:
    page = pages.after(answer(Outcome.GONE, 410), DUE, outlet(), now=NOW + HOUR)
    assert (page.fate, page.since, page.words) == ("withdrawn", NOW + HOUR, "HTTP 410")


def test_a_page_that_was_never_read_cannot_be_withdrawn() -> None:
    """An outlet may answer so to every program."""
    asked = replace(UNREAD, attempts=2, missing=NOW - HOUR)
    assert pages.after(NOT_FOUND, asked, outlet(), now=NOW).fate == "unknown"
    gone = pages.after(answer(Outcome.GONE, 410), asked, outlet(), now=NOW)
    assert (gone.fate, gone.again) == ("unknown", None)


def test_a_clock_that_is_set_back_makes_no_404_sure_before_its_time() -> None:
    page = pages.after(NOT_FOUND, replace(DUE, missing=NOW + 5 * HOUR), outlet(), now=NOW)
    assert (page.fate, page.missing, page.again) == ("unknown", NOW, NOW + 10 * MINUTE)


def test_an_article_that_is_no_article_any_more_is_lost() -> None:
    page = pages.after(answer(Outcome.GONE, 200, reason="it leads to the home page"), DUE, outlet(), now=NOW)
    assert (page.fate, page.words) == ("lost", "it leads to the home page")


# ------------------------------------------------------------------ where an address leads

IDS = ({"pattern": r"^bbc\.example/news/articles/(c\w+o)$"},)


@pytest.mark.parametrize(
    ("to", "moved"),
    [
        ("https://www.bbc.example/news/articles/c2o?utm_source=x", "https://www.bbc.example/news/articles/c2o"),
        ("https://bbc.example/news/articles/c1o/", ""),  # the same article
        ("https://other.example/news/articles/c2o", ""),  # another house
        (None, ""),
    ],
)
def test_a_permanent_redirect_to_another_address_of_the_outlet_is_a_move(to: str | None, moved: str) -> None:
    page = pages.after(answer(moved_to=to, final_url=to or URL), DUE, outlet(), now=NOW)
    assert page.moved_to == moved
    assert page.led_on is (to is not None and "c2o" in to)


@pytest.mark.parametrize(
    ("asked", "final", "front"),
    [
        ("/news/articles/c1o", "/", True),
        ("/news/articles/c1o", "/?missing=1", True),
        ("/2026/11/24/doha/envoys-meet-again", "/2026/11/24", True),
        ("/world/envoys-meet-again", "/world", True),
        ("/world/envoys-meet-again", "/404", True),
        ("/world/envoys-meet-again", "/page-not-found", True),
        ("/2026/envoys-meet-again", "/middle-east", True),
        ("/world/envoys-meet-again", "/news/envoys-meet-again", False),
        ("/world/envoys-meet-again", "/talks-resume-in-doha", False),
        ("/world/12345", "/12345", False),
        ("/world/envoys-meet-again", "/world/envoys-meet-again?utm_source=x", False),
        ("/", "/", False),
    ],
)  # fmt: skip
def test_a_front_page_is_known_by_its_address(asked: str, final: str, front: bool) -> None:
    house = "https://www.bbc.example"
    assert pages.leads_to_front(house + asked, house + final, outlet()) is front


def test_where_an_outlets_articles_have_ids_what_has_none_is_no_article() -> None:
    house = outlet(identity=list(IDS))
    assert pages.leads_to_front(URL, "https://www.bbc.example/news/the-latest-in-three-minutes", house)
    assert not pages.leads_to_front(URL, "https://www.bbc.example/news/articles/c2o", house)


def test_a_link_through_another_house_may_lead_to_any_address_but_the_home_page() -> None:
    link = "https://feeds.example/r/1/2/3"
    assert not pages.leads_to_front(link, "https://www.bbc.example/world", outlet())
    assert pages.leads_to_front(link, "https://www.bbc.example/", outlet())
