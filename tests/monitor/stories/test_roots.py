"""To whose reporting the articles of a story go back: copies, credits and cites, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.origins import Origin, Origins
from monitor.stories.roots import AGENCY_LEAD, UNNAMED, Credited, Root, roots

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KINDS: dict[str, Any] = {"reuters": "agency", "afp": "agency", UNNAMED: "agency", "statement:idf": "body"}


def voices(items: Sequence[Credited]) -> int:
    """How many independent ones tell a story."""
    return len({root.id for root in roots(items).values()})


def origin(name: str, relation: Any, *, aside: bool = False) -> Origin:
    return Origin(id=name, kind=KINDS.get(name, "outlet"), relation=relation, aside=aside)


def article(
    item: str, outlet: str, minutes: int = 0, *named: tuple[str, str], copy_of: str | None = None, aside: bool = False
) -> Credited:
    """An article that is ``outlet``'s, so many minutes after noon, and says of sources what ``named`` holds."""
    found = tuple(origin(name, relation, aside=aside) for relation, name in named)
    told = Origins(own=origin(outlet, "own"), found=found)
    return Credited(item=item, published=NOON + timedelta(minutes=minutes), origins=told, copy_of=copy_of)


def ids(*items: Credited) -> dict[str, str]:
    return {item: root.id for item, root in roots(items).items()}


# ------------------------------------------------------------------ voices


def test_outlets_that_report_themselves_are_as_many_voices() -> None:
    items = [article("a", "bbc"), article("b", "haaretz", 5), article("c", "ynet", 9)]
    assert voices(items) == 3
    assert {root.how for root in roots(items).values()} == {"own"}


def test_two_articles_of_one_outlet_are_one_voice() -> None:
    assert voices([article("a", "haaretz"), article("b", "haaretz", 5)]) == 1


def test_two_outlets_that_tell_one_statement_are_one_voice() -> None:
    told = ("statement", "statement:idf")
    items = [article("a", "bbc", 0, told), article("b", "ynet", 5, told), article("c", "statement:idf", -5)]
    assert ids(*items) == dict.fromkeys("abc", "statement:idf")
    assert roots(items)["a"].path == ("c",)


def test_five_copies_of_one_agencys_text_are_one_voice_though_only_one_credits_it() -> None:
    copies = [article(f"c{number}", f"daily-{number}", number, copy_of="c0" if number else None) for number in range(4)]
    last = article("c4", "daily-4", 4, ("credit", "afp"), copy_of="c0")
    assert voices([*copies, last]) == 1
    assert set(ids(*copies, last).values()) == {"afp"}


def test_a_cite_is_followed_to_what_the_cited_article_goes_back_to() -> None:
    items = [
        article("a", "channel12", 0),
        article("b", "axios", 10, ("cite", "channel12")),
        article("c", "bbc", 20, ("cite", "axios")),
    ]
    assert set(ids(*items).values()) == {"channel12"}
    assert roots(items)["c"] == Root(id="channel12", kind="outlet", how="cite", path=("b", "a"))


def test_a_source_that_has_no_article_in_the_story_is_the_root_itself() -> None:
    assert roots([article("a", "bbc", 0, ("cite", "axios"))]) == {"a": Root(id="axios", kind="outlet", how="cite")}


def test_of_a_source_with_two_articles_the_earliest_is_followed() -> None:
    items = [
        article("a", "axios", 0, ("statement", "statement:idf")),
        article("b", "axios", 5),
        article("c", "bbc", 9, ("cite", "axios")),
    ]
    assert ids(*items)["c"] == "statement:idf"


def test_what_is_only_named_in_passing_is_not_followed() -> None:
    assert ids(article("a", "bbc", 0, ("cite", "axios"), aside=True)) == {"a": "bbc"}


def test_a_credit_goes_before_a_cite() -> None:
    assert ids(article("a", "bbc", 0, ("credit", "afp"), ("cite", "axios"))) == {"a": "afp"}


# ------------------------------------------------------------------ time


def test_an_article_does_not_go_back_to_a_later_one() -> None:
    items = [article("a", "bbc", 0, ("cite", "axios")), article("b", "axios", 10, ("cite", "channel12"))]
    assert roots(items)["a"] == Root(id="axios", kind="outlet", how="cite")


@pytest.mark.parametrize(("minutes", "root"), [(30, "reuters"), (31, "daily")])
def test_an_agency_goes_before_its_client_for_half_an_hour(minutes: int, root: str) -> None:
    items = [article("a", "daily", 0), article("b", "reuters", minutes, copy_of="a")]
    assert ids(*items) == dict.fromkeys("ab", root)


def test_of_equal_times_the_agency_is_the_root() -> None:
    items = [article("a", "daily", -30), article("b", "reuters", 0, copy_of="a")]
    assert roots(items)["a"] == Root(id="reuters", kind="agency", how="copy", path=("b",))


def test_an_agencys_own_text_is_not_another_agencys_because_a_copy_says_so() -> None:
    items = [article("a", "reuters"), article("b", "daily", 5, ("credit", "afp"), copy_of="a")]
    assert ids(*items) == dict.fromkeys("ab", "reuters")


def test_a_later_article_in_a_group_of_copies_is_not_followed_from_before() -> None:
    items = [
        article("a", "daily", 0),
        article("b", "axios", 60, copy_of="a"),
        article("c", "bbc", 30, ("cite", "axios")),
        article("d", "ynet", 90, ("cite", "axios")),
    ]
    assert ids(*items) == {"a": "daily", "b": "daily", "c": "axios", "d": "daily"}


def test_at_the_same_minute_what_names_nobody_is_first() -> None:
    items = [
        article("a", "bbc", 0, ("cite", "axios")),
        article("z", "axios", 0),
    ]
    assert roots(items)["a"].path == ("z",)


def test_two_that_cite_each_other_at_the_same_minute_go_back_to_one() -> None:
    items = [article("a", "axios", 0, ("cite", "ynet")), article("b", "ynet", 0, ("cite", "axios"))]
    assert len(set(ids(*items).values())) == 1


# ------------------------------------------------------------------ copies


def test_a_copy_says_whose_words_it_repeats() -> None:
    items = [article("a", "bbc"), article("b", "daily", 5, copy_of="a")]
    assert roots(items)["b"] == Root(id="bbc", kind="outlet", how="copy", path=("a",))
    assert roots(items)["a"].how == "own"


def test_a_copy_of_what_is_not_in_the_story_is_its_outlets_own() -> None:
    assert ids(article("b", "daily", 5, copy_of="elsewhere")) == {"b": "daily"}


def test_a_copy_that_cites_the_first_is_a_copy_of_its_own_reporting() -> None:
    items = [article("a", "bbc"), article("b", "daily", 5, ("cite", "bbc"), copy_of="a")]
    assert roots(items) == {
        "a": Root(id="bbc", kind="outlet", how="own"),
        "b": Root(id="bbc", kind="outlet", how="copy", path=("a",)),
    }


# ------------------------------------------------------------------ agencies without a name


def test_agencies_without_a_name_are_no_voice_beside_one_that_has_a_name() -> None:
    some = article("a", "daily", 0, ("credit", UNNAMED))
    assert voices([some, article("b", "bbc", 5)]) == 2
    assert voices([some, article("b", "reuters", 5)]) == 1
    assert ids(some, article("b", "gazette", 5, ("credit", "afp"))) == dict.fromkeys("ab", "afp")


def test_an_item_stands_in_a_story_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        roots([article("a", "bbc"), article("a", "bbc")])


def test_no_articles_are_no_voice() -> None:
    assert voices([]) == 0


# ------------------------------------------------------------------ any story

OUTLETS = ["reuters", "afp", "bbc", "axios", "ynet", "statement:idf"]
NAMED = st.tuples(st.sampled_from(["credit", "cite", "statement"]), st.sampled_from([*OUTLETS, UNNAMED]))


@st.composite
def stories(draw: Any) -> list[Credited]:
    count = draw(st.integers(0, 9))
    names = [f"i{number}" for number in range(count)]
    made = []
    for name in names:
        outlet = draw(st.sampled_from(OUTLETS))
        named = [each for each in draw(st.lists(NAMED, max_size=2)) if each[1] != outlet]
        copy_of = draw(st.none() | st.sampled_from([*(each for each in names if each != name), "elsewhere"]))
        minutes = draw(st.integers(0, 8)) * 15
        made.append(article(name, outlet, minutes, *named, copy_of=copy_of, aside=draw(st.booleans())))
    return made


def effective(item: Credited) -> datetime:
    return item.published - (AGENCY_LEAD if item.origins.own.kind == "agency" else timedelta())


@given(story=stories(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_articles_changes_nothing(story: list[Credited], order: Any) -> None:
    shuffled = list(story)
    order.shuffle(shuffled)
    assert dict(roots(shuffled)) == dict(roots(story))


@given(story=stories())
def test_every_path_goes_back_in_time_and_never_in_a_circle(story: list[Credited]) -> None:
    items = {item.item: item for item in story}
    for item, root in roots(story).items():
        path = (item, *root.path)
        assert len(set(path)) == len(path)
        times = [effective(items[each]) for each in path]
        assert times == sorted(times, reverse=True)


@given(story=stories())
def test_own_reporting_is_what_nothing_else_is_said_of(story: list[Credited]) -> None:
    items = {item.item: item for item in story}
    for item, root in roots(story).items():
        own = items[item].origins.own
        if root.how == "own":
            assert (root.id, root.path) == (own.id, ())
            assert items[item].origins.whose == own
        else:
            assert items[item].origins.whose != own or touched_by_a_copy(items, item)


def touched_by_a_copy(items: dict[str, Credited], item: str) -> bool:
    return items[item].copy_of in items or any(each.copy_of == item for each in items.values())


@given(story=stories())
def test_there_are_never_more_voices_than_articles_and_a_copy_adds_none(story: list[Credited]) -> None:
    count = voices(story)
    assert (count > 0) == bool(story)
    assert count <= len(story)
    if story:
        first = min(story, key=lambda item: (effective(item), item.item))
        again = replace(first, item="copy", published=first.published + timedelta(days=1), copy_of=first.item)
        assert voices([*story, again]) <= count


@given(story=stories())
def test_copies_of_each_other_have_one_root(story: list[Credited]) -> None:
    found = roots(story)
    for item in story:
        if item.copy_of and item.copy_of in found:
            assert found[item.copy_of].id == found[item.item].id
