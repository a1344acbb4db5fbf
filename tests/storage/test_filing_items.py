"""What every store files: what is new, known or revised, and what cannot be filed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model.filing import Change, Decision
from monitor.model.items import Match, Span, Wanted
from monitor.model.sources import Outcome, Validators
from monitor.ports import Ledger, Store
from monitor.stories import identity
from tests.questions import searched
from tests.storage.desk import (
    CHANNELS,
    NOW,
    READ,
    candidate,
    decide,
    failing_on,
    filing,
    only_item,
    quiet,
    rows_due,
    source,
)

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


# ------------------------------------------------------------------ filing: new, known, revised


async def test_a_new_entry_becomes_an_item_with_its_match_and_its_alert_rows(store: Store) -> None:
    each = candidate(keys=("url:a",), lead="Mediators met.", html="<p>Mediators met.</p>", author="A. Writer")
    filed = await store.file(filing([each]), decide)
    assert (filed.new, filed.alerts_due, filed.items) == (1, 2, (each.id,))
    item = await store.item(each.id)
    assert item is not None
    assert (item.title, item.lead, item.html, item.author) == (
        "Talks resume in Doha", "Mediators met.", "<p>Mediators met.</p>", "A. Writer",
    )  # fmt: skip
    assert (item.first_seen, item.published, item.published_assumed, item.late) == (NOW, NOW, False, False)
    assert item.revision == identity.revision_id(each.id, each.text_hash)
    alerts = await store.alerts()
    assert {alert.key for alert in alerts} == {f"doha|{channel}|{each.id}|new" for channel in CHANNELS}
    assert alerts[0].match == Match(
        watch="doha", spans=(Span(field="title", start=16, end=20, term="Doha"),), clause="Doha"
    )
    assert alerts[0].revision == item.revision
    assert len({alert.id for alert in alerts}) == 2
    assert all(len(alert.id) == 10 for alert in alerts)


async def test_an_unknown_date_becomes_the_time_of_first_sight_and_says_so(store: Store) -> None:
    await store.file(filing([candidate(published=None)]), quiet)
    (item,) = await store.items()
    assert (item.published, item.published_assumed) == (NOW, True)


async def test_filing_the_same_answer_again_changes_nothing(store: Store) -> None:
    answer = filing([candidate(keys=("url:a",)), candidate("Cairo hosts envoys", keys=("url:b",))])
    await store.file(answer, decide)
    before = await store.count()
    filed = await store.file(answer, decide)
    assert (filed.known, filed.new, filed.alerts_due) == (2, 0, 0)
    assert await store.count() == before


async def test_f043_a_lone_surrogate_is_stored_as_a_replacement_mark(store: Store) -> None:
    each = candidate("Doha \ud800 talks", keys=("url:\ud800a",), author="\udfff", lead="a\0b")
    filed = await store.file(filing([each]), decide)
    assert (filed.new, filed.quarantined, filed.alerts_due) == (1, 0, 2)
    (item,) = await store.items()
    assert (item.title, item.author, item.lead) == ("Doha \ufffd talks", "\ufffd", "a\ufffdb")
    again = await store.file(filing([each]), decide)
    assert again.known == 1


async def test_f057_a_shuffled_feed_holds_nothing_new(store: Store) -> None:
    entries = [candidate(f"Doha talks, day {day}", keys=(f"url:{day}",)) for day in range(8)]
    await store.file(filing(entries), decide)
    filed = await store.file(filing(entries[::-1], at=NOW + HOUR), decide)
    assert (filed.known, filed.alerts_due) == (8, 0)


async def test_f058_a_feed_that_moved_on_whole_is_counted_as_all_new(store: Store) -> None:
    await store.file(filing([candidate(f"Doha {day}", keys=(f"url:{day}",)) for day in range(3)]), decide)
    later = [candidate(f"Doha {day}", keys=(f"url:{day}",)) for day in range(10, 13)]
    filed = await store.file(filing(later, at=NOW + HOUR), decide)
    assert (filed.new, filed.known, filed.adopted) == (3, 0, 0)


async def test_f059_a_source_that_changes_all_its_addresses_keeps_its_items(store: Store) -> None:
    entries = [candidate(f"Doha talks, day {day}", keys=(f"url:old/{day}",)) for day in range(6)]
    await store.file(filing(entries), decide)
    moved = [candidate(f"Doha talks, day {day}", keys=(f"url:new/{day}",)) for day in range(1, 6)]
    fresh = candidate("Doha: a deal", keys=("url:new/9",))
    filed = await store.file(filing([fresh, *moved], at=NOW + HOUR), decide)
    assert (filed.new, filed.known, filed.adopted, filed.alerts_due) == (1, 5, 5, 2)
    again = await store.file(filing([fresh, *moved], at=NOW + 2 * HOUR), decide)
    assert (again.known, again.adopted) == (6, 0)


@pytest.mark.parametrize("days", [1, 9])
async def test_f059_flashes_that_come_back_under_their_old_headlines_are_new(store: Store, days: int) -> None:
    """Sirens sound in the same places again: as news of another day they are told."""
    towns = ("Sderot", "Ashkelon", "Nahal Oz", "Zikim")
    for day in (0, days):
        at = NOW + day * DAY
        flashes = [candidate(f"Doha: sirens in {town}", keys=(f"url:{day}/{town}",), published=at) for town in towns]
        filed = await store.file(filing(flashes, at=at), decide)
        assert (filed.new, filed.adopted) == (4, 0), day
    assert await rows_due(store) == 16


async def test_f059_undated_headlines_that_come_back_after_days_are_new(store: Store) -> None:
    for day in (0, 3):
        lists = [candidate(f"Doha briefing, {part}", keys=(f"url:{day}/{part}",), published=None) for part in "abcd"]
        filed = await store.file(filing(lists, at=NOW + day * DAY), decide)
        assert (filed.new, filed.adopted) == (4, 0), day


async def test_f059_one_repeated_headline_is_not_a_move(store: Store) -> None:
    listed = [candidate("Doha: morning briefing", keys=("url:1",)), candidate("Doha talks", keys=("url:2",))]
    await store.file(filing(listed), decide)
    today = [candidate("Doha: morning briefing", keys=("url:3",)), *listed]
    filed = await store.file(filing(today, at=NOW + DAY), decide)
    assert (filed.new, filed.known, filed.adopted) == (1, 2, 0)


async def test_f061_another_guid_at_every_poll_is_the_same_item(store: Store) -> None:
    for poll in range(4):
        await store.file(filing([candidate(keys=("url:a", f"guid:{poll}"))], at=NOW + poll * MINUTE), decide)
    assert (await store.count())["items"] == 1
    assert await rows_due(store) == 2


async def test_f062_entries_with_links_of_their_own_are_told_apart(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}", f"guid:{n}")) for n in range(3)]
    assert (await store.file(filing(entries), decide)).new == 3


async def test_f063_a_guid_used_again_for_another_article_is_a_new_item(store: Store) -> None:
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:talks"))]), decide)
    filed = await store.file(filing([candidate("Doha deal", keys=("url:b", "guid:deal"))]), decide)
    assert (filed.new, filed.alerts_due) == (1, 2)


async def test_any_known_key_finds_the_item_and_its_other_keys_are_learnt(store: Store) -> None:
    await store.file(filing([candidate(keys=("id:1", "url:a"))]), decide)
    await store.file(filing([candidate(keys=("url:a", "guid:g"))]), decide)
    filed = await store.file(filing([candidate(keys=("guid:g",))]), decide)
    assert (filed.known, (await store.count())["items"]) == (1, 1)


async def test_f069_one_item_in_three_sources_alerts_once_and_their_texts_do_not_take_turns(store: Store) -> None:
    leads = {"bbc/world": "Long lead about Doha.", "bbc/top": "Short.", "bbc/asia": ""}
    for _ in range(3):
        for name, lead in leads.items():
            each = candidate(keys=("url:a",), lead=lead)
            await store.file(filing([each], source_id=name), decide)
    pending = await store.alerts(condition="pending")
    assert len(pending) == 2
    (item,) = await store.items()
    assert (item.revisions, item.lead) == (2, "Short.")


async def test_f069_the_same_key_at_two_outlets_is_two_items(store: Store) -> None:
    for outlet in ("bbc", "ap"):
        await store.file(filing([candidate(keys=("url:a",), outlet=outlet)], source_id=f"{outlet}/main"), decide)
    assert (await store.count())["items"] == 2


async def test_f070_a_rewritten_headline_is_matched_again_as_a_revision(store: Store) -> None:
    changes: list[Change] = []

    def watched(change: Change, ledger: Ledger) -> Decision:
        changes.append(change)
        return decide(change, ledger)

    await store.file(filing([candidate("Talks resume", keys=("url:a",))]), watched)
    filed = await store.file(filing([candidate("Talks resume in Doha", keys=("url:a",))], at=NOW + HOUR), watched)
    assert (filed.revised, filed.alerts_due) == (1, 2)
    change = changes[-1]
    assert (change.fresh, change.completed, change.title_changed, change.matched_before) == (
        False, False, True, frozenset(),
    )  # fmt: skip
    first, second = await store.revisions(change.item.id)
    assert (first.title, second.title, second.seen) == ("Talks resume", "Talks resume in Doha", NOW + HOUR)
    alerts = await store.alerts(item=change.item.id)
    assert {alert.state for alert in alerts} == {f"edited:{second.id}"}
    assert await searched(store, "Doha")


async def test_a_change_names_the_watches_that_matched_before(store: Store) -> None:
    changes: list[Change] = []

    def watched(change: Change, ledger: Ledger) -> Decision:
        changes.append(change)
        return decide(change, ledger)

    for title in ("Doha talks", "Doha talks end", "Cairo talks"):
        await store.file(filing([candidate(title, keys=("url:a",))]), watched)
    assert [change.matched_before for change in changes] == [frozenset(), {"doha"}, {"doha"}]


async def test_f071_a_counter_in_the_text_keeps_24_revisions_and_the_first(store: Store) -> None:
    for poll in range(40):
        each = candidate(keys=("url:a",), lead=f"Read {poll} times")
        await store.file(filing([each], at=NOW + poll * MINUTE), decide)
    item = await only_item(store)
    kept = await store.revisions(item)
    assert [text.lead for text in kept] == [f"Read {n} times" for n in (0, *range(17, 40))]
    found = await store.item(item)
    assert found is not None
    assert (found.revisions, found.lead) == (24, "Read 39 times")
    assert len(await store.alerts(condition="pending")) == 2


async def test_f032_a_mirror_with_an_old_copy_makes_no_revisions(store: Store) -> None:
    old = candidate("Talks in Doha", keys=("url:a",), updated=NOW - HOUR)
    new = candidate("Deal in Doha", keys=("url:a",), updated=NOW)
    for poll in range(6):
        await store.file(filing([(old, new)[poll % 2]], at=NOW + poll * MINUTE), decide)
    await store.file(filing([old], at=NOW + HOUR), decide)
    (item,) = await store.items()
    assert (item.title, item.revisions) == ("Deal in Doha", 2)


async def test_a_source_that_goes_back_to_an_earlier_text_shows_it_without_a_revision(store: Store) -> None:
    for poll, title in enumerate(["Talks in Doha", "Deal in Doha", "Talks in Doha"]):
        filed = await store.file(filing([candidate(title, keys=("url:a",))], at=NOW + poll * MINUTE), decide)
    assert (filed.known, filed.revised) == (1, 0)
    (item,) = await store.items()
    assert (item.title, item.revisions) == ("Talks in Doha", 2)
    assert item.revision == identity.revision_id(item.id, identity.text_hash("Talks in Doha", ""))
    assert not await searched(store, "deal")


async def test_f072_an_item_that_was_withdrawn_and_comes_back_is_known(store: Store) -> None:
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    await store.file(filing([candidate("Other", keys=("url:b",))], at=NOW + DAY), decide)
    filed = await store.file(filing([candidate(keys=("url:a",))], at=NOW + 30 * DAY), decide)
    assert (filed.known, filed.alerts_due) == (1, 0)


async def test_f072_an_old_entry_that_surfaces_is_filed_and_marked_late(store: Store) -> None:
    young = candidate("Young", keys=("url:y",), published=NOW - HOUR)
    first = candidate("First poll", keys=("url:f",), published=NOW - 9 * DAY)
    await store.file(filing([young, first]), decide)
    old = candidate("Old news of Doha", keys=("url:o",), published=NOW - DAY)
    fresh = candidate("Fresh", keys=("url:n",), published=NOW)
    undated = candidate("Undated", keys=("url:u",), published=None)
    filed = await store.file(filing([fresh, old, undated], at=NOW + HOUR), decide)
    assert (filed.new, filed.alerts_due) == (3, 2)
    late = {item.title: item.late for item in await store.items()}
    assert late == {"Young": False, "First poll": False, "Old news of Doha": True, "Fresh": False, "Undated": False}


async def test_a_weak_key_counts_for_48_hours_after_the_last_sighting(store: Store) -> None:
    each = candidate("Doha: live")
    for hours in (0, 40, 80):  # seen again and again: the same item
        assert (await store.file(filing([each], at=NOW + hours * HOUR), decide)).new == (hours == 0)
    filed = await store.file(filing([each], at=NOW + 129 * HOUR), decide)
    assert (filed.new, filed.alerts_due) == (1, 2)
    assert len({item.id for item in await store.items()}) == 2
    assert (await store.file(filing([each], at=NOW + 130 * HOUR), decide)).known == 1


async def test_unchanged_answers_keep_what_they_do_not_name_in_sight(store: Store) -> None:
    each = candidate("Doha: live")
    await store.file(filing([each]), decide)
    for hours in (30, 60, 90):
        await store.file(filing(at=NOW + hours * HOUR, outcome=Outcome.UNCHANGED), decide)
    filed = await store.file(filing([each], at=NOW + 100 * HOUR), decide)
    assert filed.known == 1


async def test_entries_of_one_answer_keep_their_order_in_listings(store: Store) -> None:
    await store.file(filing([candidate(f"Item {n}", keys=(f"url:{n}",)) for n in range(5)]), quiet)
    listed = await store.items()
    assert [item.title for item in listed] == [f"Item {n}" for n in range(5)]
    assert [item.title for item in await store.items(oldest_first=True)] == [f"Item {n}" for n in (4, 3, 2, 1, 0)]
    page = await store.items(limit=2)
    rest = await store.items(Wanted(before=page[-1].first_seen))
    assert [item.title for item in page + rest] == [f"Item {n}" for n in range(5)]


# ------------------------------------------------------------------ quarantine and validators


async def test_one_entry_that_fails_is_undone_alone_and_the_validators_stay(store: Store) -> None:
    entries = [candidate(title, keys=(f"url:{title}",)) for title in ("Doha one", "Doha bad", "Doha two")]
    await store.register([source()], pages_of=READ)
    filed = await store.file(filing(entries), failing_on("bad"))
    assert (filed.new, filed.quarantined, filed.alerts_due) == (2, 1, 4)
    assert sorted(item.title for item in await store.items()) == ["Doha one", "Doha two"]
    (state,) = await store.sources()
    assert state.validators == Validators()
    assert state.next_due == NOW + 15 * MINUTE
    assert (await store.count())["quarantined"] == 1

    filed = await store.file(filing(entries, at=NOW + HOUR, etag='"2"'), decide)
    assert (filed.new, filed.known, filed.quarantined, filed.alerts_due) == (1, 2, 0, 2)
    (state,) = await store.sources()
    assert state.validators == Validators(etag='"2"')
    assert (await store.count())["quarantined"] == 0


async def test_an_entry_in_quarantine_is_one_record_however_often_it_fails(store: Store) -> None:
    for poll in range(3):
        await store.file(filing([candidate("bad", keys=("url:a",))], at=NOW + poll * HOUR), failing_on("bad"))
    assert (await store.count())["quarantined"] == 1


# ------------------------------------------------------------------ a link that flashes share


async def test_f068_a_flash_that_is_listed_alone_under_a_shared_link_stays_its_own_item(store: Store) -> None:
    """Its link led to another flash first; its guid and headline say what it is."""
    await store.file(filing([candidate("Doha: first", keys=("url:ticker", "guid:1"))]), decide)
    await store.file(filing([candidate("Doha: second", keys=("guid:2",))], at=NOW + MINUTE), decide)
    again = candidate("Doha: second", keys=("url:ticker", "guid:2"))
    filed = await store.file(filing([again], at=NOW + HOUR), decide)
    assert (filed.known, filed.merged, filed.revised) == (1, 0, 0)
    assert {item.title for item in await store.items()} == {"Doha: first", "Doha: second"}
    assert (await store.count())["suppressed"] == 0
