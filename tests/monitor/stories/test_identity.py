"""Which entries are one item: the faults of feeds, one answer after another, as the store sees them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.outlets import Source
from monitor.entries import normalise
from monitor.model.entries import Entry
from monitor.stories.identity import candidates, changed, item_id, keys, revision_id, text_hash

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FEED = Source(id="feed", kind="feed", url="https://news.example.org/feed")


def entry(n: int, **other: object) -> Entry:
    told = {
        "title": f"Headline number {n}",
        "lead": f"Lead {n}.",
        "url": f"https://news.example.org/a/{n}",
        "guid": f"guid-{n:06}",
    }
    return Entry(**{**told, **other})  # type: ignore[arg-type]


class Shelf:
    """What the store does with keys: any key that is known finds the item, and all its keys are then known."""

    def __init__(self, outlet, source: Source | None = FEED) -> None:
        self.outlet, self.source = outlet, source
        self.known: dict[str, int] = {}
        self.items = 0

    def poll(self, *entries: Entry) -> int:
        """File one answer; how many of its entries were new items."""
        before = self.items
        for each in candidates(entries, self.outlet, self.source):
            met = {self.known[key] for key in each.keys if key in self.known}
            if not met:
                self.items += 1
            item = min(met, default=self.items)
            self.known = {key: item if found in met else found for key, found in self.known.items()}
            self.known.update(dict.fromkeys(each.keys, item))
        return self.items - before


@pytest.fixture
def shelf(plain_outlet) -> Shelf:
    return Shelf(plain_outlet)


def test_f057_the_order_of_entries_makes_nothing_new(shelf) -> None:
    told = [entry(n) for n in range(8)]
    assert shelf.poll(*told) == 8
    assert shelf.poll(*reversed(told)) == 0
    assert shelf.poll(*told[3:], *told[:3]) == 0


def test_f059_a_new_feed_format_with_other_guids_keeps_the_items(shelf) -> None:
    assert shelf.poll(*(entry(n) for n in range(5))) == 5
    assert shelf.poll(*(entry(n, guid=f"tag:news.example.org,2026:/{n}", lead="") for n in range(5))) == 0


def test_f059_a_new_path_scheme_keeps_the_items_whose_guid_and_title_stay(shelf) -> None:
    assert shelf.poll(*(entry(n) for n in range(5))) == 5
    assert shelf.poll(*(entry(n, url=f"https://news.example.org/2026/{n}/slug") for n in range(5))) == 0


def test_f059_a_new_path_keeps_the_outlets_own_id(outlet_named) -> None:
    post = Shelf(outlet_named("jerusalem-post"))
    assert post.poll(entry(1, url="https://www.jpost.com/israel-news/article-876543", guid=None)) == 1
    assert (
        post.poll(entry(1, url="https://www.jpost.com/breaking-news/article-876543", guid=None, title="Other words"))
        == 0
    )


def test_f061_a_guid_that_changes_at_every_poll_is_the_same_item_by_its_link(shelf) -> None:
    assert shelf.poll(entry(1, guid="f47ac10b-58cc-4372-a567-0e02b2c3d479")) == 1
    assert shelf.poll(entry(1, guid="9b2f0c1d-1111-4222-8333-444455556666", title="The headline changed")) == 0


def test_f061_a_random_guid_without_link_is_the_same_item_by_title_and_lead(shelf) -> None:
    assert shelf.poll(entry(1, url=None, guid="f47ac10b-58cc-4372-a567-0e02b2c3d479")) == 1
    assert shelf.poll(entry(1, url=None, guid="9b2f0c1d-1111-4222-8333-444455556666")) == 0


def test_f061_two_random_guids_in_one_answer_are_two_items_though_the_texts_are_one(shelf) -> None:
    told = [entry(1, url=None, guid=f"f47ac10b-58cc-4372-a567-0e02b2c3d47{n}") for n in range(2)]
    assert shelf.poll(*told) == 2
    assert shelf.poll(*told) == 0


def test_f062_one_guid_for_all_entries_leaves_them_apart_by_link(shelf) -> None:
    told = [entry(n, guid="always") for n in range(4)]
    assert shelf.poll(*told) == 4
    assert shelf.poll(*told) == 0
    assert shelf.poll(entry(9, guid="always")) == 1


def test_f062_one_guid_for_all_entries_without_links_leaves_them_apart_by_title(shelf) -> None:
    told = [entry(n, guid="always", url=None) for n in range(4)]
    assert shelf.poll(*told) == 4
    assert shelf.poll(*told) == 0


def test_f063_a_guid_used_again_with_new_link_and_title_is_a_new_item(shelf) -> None:
    assert shelf.poll(entry(1, guid="slot-a")) == 1
    assert shelf.poll(entry(2, guid="slot-a")) == 1


def test_f063_the_same_guid_and_title_at_a_new_link_is_the_same_item(shelf) -> None:
    assert shelf.poll(entry(1)) == 1
    assert shelf.poll(entry(1, url="https://news.example.org/moved/1")) == 0


def test_f064_without_guid_the_link_identifies(shelf) -> None:
    assert shelf.poll(entry(1, guid=None)) == 1
    assert shelf.poll(entry(1, guid=None, title="Edited", lead="Edited.")) == 0


def test_f064_without_link_the_guid_identifies(shelf) -> None:
    assert shelf.poll(entry(1, url=None)) == 1
    assert shelf.poll(entry(1, url=None, title="Edited", lead="Edited.")) == 0


def test_f064_without_both_title_and_lead_identify_for_a_while(shelf, plain_outlet) -> None:
    bare = entry(1, url=None, guid=None)
    assert shelf.poll(bare, entry(1, url=None, guid=None, lead="Another flash.")) == 2
    assert shelf.poll(replace(bare, title="  headline NUMBER 1 ")) == 0
    (found,) = candidates([bare], plain_outlet, FEED)
    assert found.weak_key
    assert [key.partition(":")[0] for key in found.keys] == ["title"]


@pytest.mark.parametrize(
    "guid", ["1", "item-12", "Row 3", "0", "", "  ", "2026-11-24T10:00:00Z", "Tue, 24 Nov 2026 10:00:00 GMT"]
)
def test_f075_a_place_or_a_date_is_no_guid(plain_outlet, guid) -> None:
    assert all(key.startswith("title:") for key in keys(entry(1, url=None, guid=guid), plain_outlet))


def test_f067_a_rotating_parameter_makes_nothing_new(shelf) -> None:
    assert (
        shelf.poll(*(entry(n, url=f"https://news.example.org/a/{n}?nocache=1764{n}", guid=None) for n in range(3))) == 3
    )
    assert (
        shelf.poll(*(entry(n, url=f"https://news.example.org/a/{n}?nocache=1765{n}", guid=None) for n in range(3))) == 0
    )


def test_f067_aggregator_ids_that_change_are_the_same_item_by_title_where_the_source_says_so(plain_outlet) -> None:
    marked = FEED.model_copy(update={"title_is_identity": True})
    told = [
        entry(1, url=f"https://news.example.org/redirect/{token}", guid=token, lead=token)
        for token in ("tokenone", "tokentwo")
    ]
    for source, new in ((marked, 0), (FEED, 1)):
        shelf = Shelf(plain_outlet, source)
        assert shelf.poll(told[0]) == 1
        assert shelf.poll(told[1]) == new


def test_f068_one_link_for_all_entries_is_not_their_identity(shelf) -> None:
    told = [entry(n, url="https://news.example.org/flashes", guid=None) for n in range(5)]
    assert shelf.poll(*told) == 5
    assert shelf.poll(*told) == 0
    assert shelf.poll(*told[1:], entry(7, url="https://news.example.org/flashes", guid=None)) == 1


def test_f068_flashes_with_one_link_and_one_title_are_told_apart_by_guid_and_lead(shelf) -> None:
    told = [entry(n, url="https://news.example.org/flashes", title="Flash") for n in range(3)]
    assert shelf.poll(*told) == 3
    assert shelf.poll(*reversed(told)) == 0


@pytest.mark.parametrize(
    "url",
    ["https://news.example.org", "https://www.news.example.org/", "http://news.example.org/index.html?utm_source=x"],
)
def test_f068_the_home_page_is_never_an_articles_link_even_alone(shelf, url) -> None:
    assert shelf.poll(entry(1, url=url, guid=None)) == 1
    assert shelf.poll(entry(2, url=url, guid=None)) == 1


def test_f072_an_entry_that_comes_back_is_not_new(shelf) -> None:
    first, second, third = (entry(n) for n in range(3))
    assert shelf.poll(first, second) == 2
    assert shelf.poll(second, third) == 1
    assert shelf.poll(first, third) == 0


def test_f069_an_item_in_three_sources_of_an_outlet_is_one_item(outlet_named) -> None:
    bbc = Shelf(outlet_named("bbc"))
    at = "/news/articles/c1a2b3c4d5eo"
    assert bbc.poll(entry(1, url=f"https://www.bbc.co.uk{at}?at_medium=RSS", guid=f"https://www.bbc.co.uk{at}#0")) == 1
    assert bbc.poll(entry(1, url=f"https://www.bbc.com{at}", guid=None, lead="")) == 0
    assert (
        bbc.poll(entry(1, url=f"https://www.bbc.com{at}", canonical=f"https://www.bbc.com{at}", guid=None, title="h1"))
        == 0
    )


@pytest.mark.parametrize(
    "title", ["What we know so far", "Evening briefing", "The week in pictures", "מה קרה הלילה", "أبرز الأخبار"]
)
def test_recurring_headlines_at_their_own_links_stay_apart(shelf, title) -> None:
    told = [entry(n, title=title, lead="The latest.") for n in range(4)]
    assert shelf.poll(*told[:2]) == 2
    assert shelf.poll(*told) == 2


def test_a_link_of_the_page_meets_the_link_of_the_next_feed(shelf) -> None:
    assert (
        shelf.poll(
            entry(1, url="https://news.example.org/x?story=1", guid=None, canonical="https://news.example.org/talks")
        )
        == 1
    )
    assert shelf.poll(entry(1, url="https://news.example.org/talks", guid=None, title="Edited")) == 0


@pytest.mark.parametrize(
    ("outlet", "url", "canonical"),
    [
        ("ap", "https://apnews.com/live/doha#000001a1-2b3c-d4e5-a1b2-c3d4e5f60718", "https://apnews.com/live/doha"),
        ("aljazeera-en", "https://www.aljazeera.com/news/liveblog/2026/11/3/x?update=7", "https://www.aljazeera.com/news/liveblog/2026/11/3/x"),
        ("jerusalem-post", "https://www.jpost.com/israel-news/article-876543", "https://www.reuters.com/world/x-2026-11-03/"),
        ("jerusalem-post", "https://www.jpost.com/israel-news/article-876543", "https://www.jpost.com/israel-news"),
        ("jerusalem-post", "https://www.jpost.com/israel-news/article-876543", "https://www.jpost.com/"),
        ("unknown", "https://news.example.org/a/1", "https://other.example.com/a/1"),
    ],
)  # fmt: skip
def test_a_canonical_link_is_not_believed_when_it_names_something_else(outlet_named, outlet, url, canonical) -> None:
    told = Entry(title="Talks resume", url=url)
    assert keys(replace(told, canonical=canonical), outlet_named(outlet)) == keys(told, outlet_named(outlet))


def test_a_guid_that_is_the_posts_short_address_outlives_link_and_title(outlet_named) -> None:
    times = Shelf(outlet_named("times-of-israel"))
    guid = "https://www.timesofisrael.com/?p=3456789"
    assert times.poll(entry(1, url="https://www.timesofisrael.com/old-slug/", guid=guid)) == 1
    assert times.poll(entry(1, url="https://www.timesofisrael.com/new-slug/", guid=guid, title="New words")) == 0


def test_an_article_that_stands_twice_in_an_answer_is_one_candidate_with_both_leads(plain_outlet) -> None:
    told = [entry(1), entry(1, url="http://www.news.example.org/a/1?utm_source=x", lead="Said otherwise."), entry(2)]
    found = candidates(told, plain_outlet, FEED)
    assert len(found) == 2
    assert found[0].entry.lead == "Said otherwise.\n\nLead 1."


def test_on_a_listing_page_picture_title_and_more_are_links_to_one_article(plain_outlet) -> None:
    listing = Source(id="list", kind="listing", url="https://news.example.org/list", selectors={"entry": "a"})
    told = [
        normalise(Entry(title=title, url="https://news.example.org/statements/a-statement"), plain_outlet, listing, NOW)
        for title in ("", "A statement on the talks", "More")
    ]
    (found,) = candidates([each for each in told if each], plain_outlet, listing)
    assert found.entry.title == "A statement on the talks"


def test_a_title_that_is_only_a_stand_in_does_not_make_a_link_shared(plain_outlet) -> None:
    told = [
        normalise(entry(1, title=title, guid=None, lead=""), plain_outlet, FEED, NOW) for title in ("", "The talks")
    ]
    (found,) = candidates([each for each in told if each], plain_outlet, FEED)
    assert found.entry.title == "The talks"
    assert not found.weak_key


ENTRIES = st.builds(
    Entry,
    title=st.sampled_from(["Talks", "talks ", "Deal", "עסקה", "", "!"]),
    lead=st.sampled_from(["", "One.", "Two."]),
    url=st.sampled_from([None, "https://news.example.org/", *(f"https://news.example.org/{n}" for n in "abc")]),
    guid=st.sampled_from([None, "1", "guid-aaaa", "guid-bbbb", "f47ac10b-58cc-4372-a567-0e02b2c3d479"]),
    canonical=st.sampled_from([None, "https://news.example.org/a"]),
)


@given(told=st.lists(ENTRIES, max_size=7), data=st.data(), titled=st.booleans())
def test_the_order_of_entries_changes_no_candidate(plain_outlet, told, data, titled) -> None:
    source = FEED.model_copy(update={"title_is_identity": titled})
    found = candidates(told, plain_outlet, source)
    again = candidates(data.draw(st.permutations(told)), plain_outlet, source)
    assert {each.id: each for each in again} == {each.id: each for each in found}


@given(told=st.lists(ENTRIES, max_size=7), titled=st.booleans())
def test_the_candidates_of_an_answer_share_no_id_and_no_key(plain_outlet, told, titled) -> None:
    found = candidates(told, plain_outlet, FEED.model_copy(update={"title_is_identity": titled}))
    all_keys = [key for each in found for key in each.keys]
    assert len(set(all_keys)) == len(all_keys)
    assert len({each.id for each in found}) == len(found)
    assert all(each.id == item_id("unknown", each.keys[0]) for each in found)
    assert all(each.weak_key == all(key.startswith("title:") for key in each.keys) for each in found)
    ranks = [[("id", "url", "guid", "title").index(key.partition(":")[0]) for key in each.keys] for each in found]
    assert ranks == [sorted(each) for each in ranks]


@given(told=ENTRIES, title=st.text("abcאבג \u00ad\u200f", max_size=12))
def test_f081_dates_take_no_part_in_identity_or_text(plain_outlet, told, title) -> None:
    told = replace(told, title=title)
    dated = replace(told, published=NOW, updated=NOW + timedelta(minutes=1), published_text="now")
    one, other = (candidates([each], plain_outlet, FEED)[0] for each in (told, dated))
    assert (one.keys, one.text_hash) == (other.keys, other.text_hash)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Talks  resume\n", "Talks resume"), ("Al­Jazeera", "AlJazeera"), ("\u200fצה״ל הודיע", "צה״ל הודיע"),
        ("café", "café"), ("a\u00a0b", "a b"), ("\u2067עסקה\u2069", "עסקה"),
    ],
)  # fmt: skip
def test_invisible_letters_and_white_space_are_no_edit(one, other) -> None:
    assert text_hash(one, one) == text_hash(other, other)


@pytest.mark.parametrize(
    ("one", "other"), [("12 killed", "14 killed"), ("Deal reached?", "Deal reached"), ("deal", "Deal")]
)
def test_every_visible_change_is_an_edit(one, other) -> None:
    assert changed(text_hash(one, ""), text_hash(other, ""))
    assert changed(text_hash("t", one), text_hash("t", other))


def test_a_source_without_leads_takes_no_lead_away_but_a_lead_that_comes_is_told() -> None:
    with_lead, without = text_hash("Talks resume", "In Doha."), text_hash("Talks resume", " ")
    assert not changed(held=with_lead, told=without)
    assert changed(held=without, told=with_lead)
    assert not changed(held=with_lead, told=with_lead)
    assert changed(held=with_lead, told=text_hash("Talks end", ""))


def test_an_aggregators_snippet_is_no_text_of_the_outlet(outlet_named) -> None:
    reuters = outlet_named("reuters")
    told = [
        Entry(title="Talks resume", lead=lead, url="https://www.reuters.com/world/x-2026-11-03/")
        for lead in ("One", "Two")
    ]
    one, other = (candidates([each], reuters, reuters.source[0])[0] for each in told)
    assert one.text_hash == other.text_hash


def test_ids_are_sixteen_digits_and_belong_to_their_outlet_and_item() -> None:
    assert item_id("bbc", "id:c1o") != item_id("ap", "id:c1o")
    assert revision_id("a", "b") != revision_id("b", "a")
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in (item_id("bbc", "id:c1o"), revision_id("a", "b")))


def test_an_items_id_never_changes_between_versions() -> None:
    assert item_id("bbc", "id:c1a2b3c4d5eo") == "8090610cbb554eba"
    assert text_hash("Talks resume", "In Doha.") == "6b80e83c737a7e6e1374d777215203b6"


def test_the_language_is_the_titles_own(outlet_named) -> None:
    haaretz = outlet_named("haaretz-he")
    told = [
        Entry(title="עסקת החטופים", url="https://www.haaretz.co.il/a"),
        Entry(title="Hostage deal", url="https://www.haaretz.co.il/b"),
        Entry(title="صفقة التبادل", lead="עברית", url="https://www.haaretz.co.il/c"),
        Entry(title="11/9", lead="The day after", url="https://www.haaretz.co.il/d"),
    ]
    found = {each.entry.title: each.language for each in candidates(told, haaretz, haaretz.source[0])}
    assert [found[each.title] for each in told[:3]] == ["he", "en", "ar"]


# ------------------------------------------------------------------ two headlines of one article, a ticker that grows


@pytest.mark.parametrize("guid", [None, "https://www.bbc.com/news/articles/c1l0zzzzzzzo", "opaque-guid-1234"])
def test_an_article_that_is_listed_under_its_old_and_its_new_headline_is_one_item(outlet_named, guid) -> None:
    shelf = Shelf(outlet_named("bbc"))
    old = entry(1, title="Hostage freed", url="https://www.bbc.com/news/articles/c1l0zzzzzzzo", guid=guid)
    new = entry(1, title="Hostage freed after talks", url=old.url, guid=guid)
    assert shelf.poll(old) == 1
    assert shelf.poll(new, old) == 0
    assert shelf.poll(new) == 0


def test_of_two_headlines_of_one_article_watches_read_both(plain_outlet) -> None:
    old, new = (entry(1, title=title, lead="") for title in ("Talks in Doha go on for a tenth day", "Deal reached"))
    (found,) = candidates([new, old], plain_outlet, FEED)
    assert {"Deal reached", "Talks in Doha go on for a tenth day"} == {found.entry.title, found.entry.lead}


def test_f068_a_ticker_whose_flashes_share_a_link_grows_without_telling_one_twice(shelf) -> None:
    flashes = [entry(n, url="https://news.example.org/ticker", lead="") for n in range(4)]
    assert [shelf.poll(*flashes[:many][::-1]) for many in (1, 2, 3, 4)] == [1, 1, 1, 1]
