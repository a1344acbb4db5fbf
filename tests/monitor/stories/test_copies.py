"""Which headline of another outlet is a copy, and of which item."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.copies import TitleIndex

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEADLINE = "Mediators report progress in talks on hostage deal in Doha"


def words(title: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", title.casefold()))


@pytest.fixture
def index() -> TitleIndex:
    return TitleIndex(words)


def find(
    index: TitleIndex, title: str, *, outlet: str = "ap", language: str = "en", seen: datetime = NOW
) -> str | None:
    found = index.find(outlet, language, title, seen, exists=lambda item: True)
    return found.of if found else None


@pytest.mark.parametrize(
    "title",
    [
        HEADLINE, HEADLINE.upper(), HEADLINE + " - sources", "Mediators report progress in talks on hostage deal",
        "LIVE: mediators report progress in Doha talks on hostage deal", "Mediators report progress in Doha",
        "Mediators report new progress in talks on a hostage deal in Doha, officials say",
    ],
)  # fmt: skip
def test_a_headline_with_small_edits_at_another_outlet_is_a_copy(index, title) -> None:
    index.add("a", "reuters", "en", HEADLINE, NOW)
    assert find(index, title) == "a"


@pytest.mark.parametrize(
    "title",
    [
        "Mediators report no end of talks in Cairo on aid", "Families of hostages gather in Tel Aviv", "Doha talks",
        "Mediators report progress in talks on hostage deal in Doha after 14 days", "",
    ],
)  # fmt: skip
def test_another_headline_is_no_copy(index, title) -> None:
    index.add("a", "reuters", "en", HEADLINE, NOW)
    assert find(index, title) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Strike kills 12 people in the north of the strip", "Strike kills 14 people in the north of the strip"),
        ("Strike kills 12 people in the north", "Strike kills 12 people in the north, 40 wounded in the south"),
        ("המספר עלה: 12 הרוגים בתקיפה בצפון הרצועה", "המספר עלה: 14 הרוגים בתקיפה בצפון הרצועה"),
    ],
)
def test_a_headline_whose_numbers_differ_is_news_in_every_arm_of_the_rule(index, one, other) -> None:
    index.add("a", "reuters", "en", one, NOW)
    assert find(index, other) is None
    assert find(index, one) == "a"


def test_only_other_outlets_and_the_same_language_count(index) -> None:
    index.add("a", "reuters", "en", HEADLINE, NOW)
    assert find(index, HEADLINE, outlet="reuters") is None
    assert find(index, HEADLINE, language="he") is None


def test_a_copy_is_linked_to_the_item_that_was_seen_first_in_whatever_order_they_were_filed(index) -> None:
    index.add("late", "ap", "en", HEADLINE, NOW)
    index.add("first", "reuters", "en", HEADLINE, NOW - timedelta(hours=3))
    index.add("second", "bbc", "en", HEADLINE, NOW - timedelta(hours=2))
    assert find(index, HEADLINE, outlet="nbc") == "first"


def test_an_item_that_is_not_held_any_more_is_passed_over(index) -> None:
    index.add("gone", "reuters", "en", HEADLINE, NOW - timedelta(hours=1))
    index.add("held", "bbc", "en", HEADLINE, NOW)
    found = index.find("ap", "en", HEADLINE, NOW, exists=lambda item: item != "gone")
    assert found is not None
    assert found.of == "held"


def test_the_reason_says_how_many_words_are_the_same(index) -> None:
    index.add("a", "reuters", "en", HEADLINE, NOW)
    told = [
        index.find("ap", "en", title, NOW, exists=lambda item: True)
        for title in (HEADLINE, "Mediators report progress in Doha")
    ]
    assert [each.reason for each in told if each] == [
        "the same headline: 9 of 9 words",
        "one headline within the other: 5 of 5 words",
    ]


def test_headlines_older_than_48_hours_are_no_original_and_are_forgotten(index) -> None:
    index.add("a", "reuters", "en", HEADLINE, NOW)
    assert find(index, HEADLINE, seen=NOW + timedelta(hours=48)) == "a"
    assert find(index, HEADLINE, seen=NOW + timedelta(hours=48, seconds=1)) is None
    assert len(index) == 0


def test_a_clock_that_was_set_back_finds_nothing_from_beyond_the_window(index) -> None:
    index.add("a", "reuters", "en", HEADLINE, NOW)
    assert find(index, HEADLINE, seen=NOW - timedelta(hours=49)) is None
    assert find(index, HEADLINE, seen=NOW - timedelta(hours=1)) == "a"


@pytest.mark.parametrize("title", ["Breaking news", "Live", "מבזק", "عاجل"])
def test_a_headline_of_one_or_two_words_is_nobodys_copy(index, title) -> None:
    index.add("a", "reuters", "en", title, NOW)
    assert find(index, title) is None


TITLES = st.lists(st.sampled_from("abcdefghij12"), max_size=12).map(" ".join)


@given(held=st.lists(TITLES, max_size=25), asked=TITLES)
def test_the_index_finds_what_comparing_with_every_headline_finds(held, asked) -> None:
    index = TitleIndex(words)
    for n, title in enumerate(held):
        index.add(str(n), "reuters", "en", title, NOW + timedelta(seconds=n))
    first = next((str(n) for n, title in enumerate(held) if is_copy(words(asked), words(title))), None)
    assert find(index, asked, seen=NOW + timedelta(minutes=1)) == first


def is_copy(one: frozenset[str], other: frozenset[str]) -> bool:
    """The rule as it is written down."""
    if min(len(one), len(other)) < 3 or {w for w in one if w.isdigit()} != {w for w in other if w.isdigit()}:
        return False
    jaccard, shorter = len(one & other) / len(one | other), min(len(one), len(other))
    return jaccard >= 0.6 or (shorter >= 5 and len(one & other) / shorter >= 0.9)
