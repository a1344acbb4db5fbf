"""What every store must do, whatever it is made of. A new one is done when these pass on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.model.alerts import NewAlert, Tended
from monitor.model.entries import Candidate
from monitor.model.filing import Change, Decision
from monitor.model.items import Match, Span, Wanted
from monitor.model.sources import Outcome, RobotsCopy, Validators, VisitReport
from monitor.ports import Ledger, Store
from monitor.stories import identity
from tests.questions import searched
from tests.storage.desk import (
    CHANNELS,
    LATER,
    LEASE,
    NOW,
    READ,
    REFUSED,
    SENT,
    candidate,
    claimed,
    decide,
    filing,
    queued,
    quiet,
    source,
    until,
)

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def rows_due(store: Store) -> int:
    counts = await store.count()
    return sum(counts[each] for each in ("pending", "delivered", "dead", "suppressed"))


async def only_item(store: Store) -> str:
    (item,) = await store.items()
    return item.id


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


async def test_a_page_that_cannot_be_filed_is_given_up_after_three_attempts_and_its_reason_kept(store: Store) -> None:
    each = candidate("Doha talks", keys=("url:a",), url="https://pages.example/a")
    await store.register([], pages_of=READ)
    await store.file(filing([each]), reads_page)
    page, asked = candidate("Doha bad page", keys=("url:a",), body="Text."), []
    for hour in range(5):
        at = NOW + hour * HOUR
        visits = [visit for visit in await store.claim(at, hosts=9, lease=LEASE) if visit.pages]
        asked += [due.attempts for visit in visits for due in visit.pages]
        if visits:
            await store.file(filing([page], page_of=each.id, at=at), failing_on("bad"))  # type: ignore[arg-type]
    assert asked == [0, 1, 2]
    assert (await store.count())["quarantined"] == 1


def failing_on(word: str) -> object:
    def decide_or_fail(change: Change, ledger: Ledger) -> Decision:
        if word in change.candidate.entry.title:
            raise ValueError(f"cannot judge {word}")
        return decide(change, ledger)

    return decide_or_fail


async def test_one_entry_that_fails_is_undone_alone_and_the_validators_stay(store: Store) -> None:
    entries = [candidate(title, keys=(f"url:{title}",)) for title in ("Doha one", "Doha bad", "Doha two")]
    await store.register([source()], pages_of=READ)
    filed = await store.file(filing(entries), failing_on("bad"))  # type: ignore[arg-type]
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
        await store.file(filing([candidate("bad", keys=("url:a",))], at=NOW + poll * HOUR), failing_on("bad"))  # type: ignore[arg-type]
    assert (await store.count())["quarantined"] == 1


# ------------------------------------------------------------------ merging


async def merged(store: Store) -> tuple[Candidate, Candidate]:
    """Two items, then an entry that carries a key of each."""
    first = candidate("Doha talks", keys=("url:a",))
    second = candidate("Doha talks", keys=("guid:b",))
    await store.file(filing([first]), decide)
    await store.file(filing([second], at=NOW + HOUR), decide)
    return first, second


async def test_two_items_found_to_be_one_are_merged_into_the_earlier(store: Store) -> None:
    first, second = await merged(store)
    both = candidate("Doha talks", keys=("url:a", "guid:b", "url:c"))
    filed = await store.file(filing([both], at=NOW + 2 * HOUR), decide)
    assert (filed.merged, filed.known, filed.alerts_due) == (1, 0, 0)
    (item,) = await store.items()
    assert item.id == first.id
    assert await store.item(second.id) == item  # its links still work
    assert (await store.file(filing([candidate("Doha talks", keys=("url:c",))]), decide)).known == 1
    assert len(await searched(store, "Doha")) == 1


async def test_a_merged_twin_that_waits_is_suppressed_and_keys_stay_as_they_were(store: Store) -> None:
    first, second = await merged(store)
    keys = {alert.key for alert in await store.alerts()}
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    alerts = await store.alerts(item=first.id)
    assert {alert.key for alert in alerts} == keys
    assert {(alert.condition, alert.reason) for alert in alerts if second.id in alert.key} == {("suppressed", "merged")}
    assert {alert.condition for alert in alerts if first.id in alert.key} == {"pending"}


async def test_of_two_merged_twins_the_one_that_was_sent_stays(store: Store) -> None:
    _, second = await merged(store)
    for message in await claimed(store, NOW + HOUR):
        if message.alerts[0].item == second.id:
            assert await store.settle(message, SENT, now=NOW + HOUR, due=None)
        else:
            assert await store.settle(message, LATER, now=NOW + HOUR, due=NOW + 2 * HOUR)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    assert {alert.condition for alert in await store.alerts()} == {"delivered", "suppressed"}
    assert await claimed(store, NOW + DAY) == ()


async def test_a_merged_twin_whose_other_was_never_told_stays_due(store: Store) -> None:
    first, second = await merged(store)
    for message in await claimed(store, NOW):
        assert message.alerts[0].item == first.id
        await store.settle(message, REFUSED, now=NOW, due=None)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    due = await claimed(store, NOW + DAY)
    assert [second.id in message.key for message in due] == [True, True]


async def test_a_send_under_way_while_its_item_is_merged_is_recorded(store: Store) -> None:
    await merged(store)
    under_way = await claimed(store, NOW + HOUR)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)
    for message in under_way:
        assert await store.settle(message, SENT, now=NOW + HOUR, due=None)
    assert {alert.condition for alert in await store.alerts()} == {"delivered"}


async def test_after_a_merge_the_same_state_is_not_told_again(store: Store) -> None:
    first, _ = await merged(store)
    await store.file(filing([candidate("Doha talks", keys=("url:a", "guid:b"))]), decide)

    def insist(change: Change, _ledger: Ledger) -> Decision:
        row = NewAlert(watch="doha", channel="desk", item=change.item.id, state="new", severity="normal")
        return Decision(alerts=(row,))

    filed = await store.file(filing([candidate("Doha deal", keys=("url:a",))]), insist)
    assert (filed.revised, filed.alerts_due) == (1, 0)
    assert first.id == await only_item(store)


# ------------------------------------------------------------------ article pages


def reads_page(change: Change, ledger: Ledger) -> Decision:
    return replace(decide(change, ledger), read_page=change.fresh)


async def test_the_first_body_completes_the_text_and_is_no_edit(store: Store) -> None:
    changes: list[Change] = []

    def watched(change: Change, ledger: Ledger) -> Decision:
        changes.append(change)
        return reads_page(change, ledger)

    each = candidate("Talks resume", keys=("url:a",), lead="A lead.", url="https://pages.example/a")
    await store.register([], pages_of=READ)
    await store.file(filing([each]), watched)
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    assert (visit.host, [page.item for page in visit.pages]) == ("https://pages.example:443", [each.id])
    body = candidate(
        "Talks resume", keys=("url:a", "url:canonical"), body="Envoys arrived in Doha.", html="<p>Envoys</p>"
    )
    filed = await store.file(filing([body], page_of=each.id, at=NOW + MINUTE), watched)
    assert (filed.revised, filed.alerts_due) == (1, 2)
    change = changes[-1]
    assert (change.fresh, change.completed, change.title_changed) == (False, True, False)
    item = await store.item(each.id)
    assert item is not None
    assert (item.title, item.lead, item.body, item.html) == (
        "Talks resume", "A lead.", "Envoys arrived in Doha.", "<p>Envoys</p>",
    )  # fmt: skip
    assert {alert.state for alert in await store.alerts()} == {"completed"}
    assert (await store.alerts())[0].match is not None
    assert [found.id for found in await searched(store, "envoys lead")] == [each.id]
    assert await store.claim(NOW + DAY, hosts=5, lease=LEASE) != ()  # bbc itself
    assert (await store.file(filing([each], at=NOW + DAY), watched)).known == 1
    kept = await store.item(each.id)
    assert kept is not None
    assert kept.body == "Envoys arrived in Doha."
    assert (await store.file(filing([candidate(keys=("url:canonical",), lead="A lead.")]), watched)).new == 0


async def test_a_page_with_another_headline_is_a_text_of_its_item_whatever_its_keys(store: Store) -> None:
    each = candidate("Talks resume", keys=("url:a",), lead="A lead.")
    other = candidate("Something else", keys=("url:home",))
    await store.file(filing([each, other]), reads_page)
    page = candidate("Talks resume in Doha after a week", keys=("url:home", "url:x"), body="The text.")
    filed = await store.file(filing([page], page_of=each.id, at=NOW + MINUTE), reads_page)
    assert (filed.revised, filed.merged) == (1, 0)
    item = await store.item(each.id)
    assert item is not None
    assert (item.title, item.lead, item.body) == ("Talks resume", "A lead.", "The text.")
    assert (item.revisions, len(await searched(store, "week"))) == (1, 0)
    assert (await store.count())["items"] == 2  # the wrong canonical address melts nothing
    again = await store.file(filing([each, other], at=NOW + HOUR), reads_page)
    assert again.known == 2


def words_of_page(change: Change, ledger: Ledger) -> Decision:
    """As the desk with ``keep = "lead"``: the watches have read a body that is not handed to the store."""
    if change.fresh:
        return replace(decide(change, ledger), read_page=True)
    spans = (Span(field="title", start=0, end=5, term="x"), Span(field="author", start=0, end=5, term="x"))
    found = Match(watch="doha", spans=spans, clause="Doha")
    quiet_if_known = "not in edited: wording" if "doha" in change.matched_before else ""
    state = "completed" if change.completed else f"edited:{change.revision.id}"
    row = NewAlert(
        watch="doha", channel="desk", item=change.item.id, state=state, severity="normal", suppressed=quiet_if_known
    )
    return Decision(matches=(found,), alerts=(row,))


@pytest.mark.parametrize("kept", ["", "Envoys arrived in Doha."], ids=["keep=lead", "keep=body"])
@pytest.mark.parametrize("title", ["Talks resume", "Talks resume | Site name"])
async def test_p1_what_a_page_matches_is_told_as_completed_whatever_is_kept_of_it(
    store: Store, kept: str, title: str
) -> None:
    each = candidate("Talks resume", keys=("url:a",), lead="A lead.")
    await store.file(filing([each]), words_of_page)
    page = candidate(title, keys=("url:a",), lead="A lead.", body=kept)
    filed = await store.file(filing([page], page_of=each.id, at=NOW + MINUTE), words_of_page)
    assert (filed.alerts_due, filed.alerts_suppressed, filed.revised) == (1, 0, bool(kept))
    item = await store.item(each.id)
    assert item is not None
    assert (item.title, item.lead, item.body, item.revisions) == ("Talks resume", "A lead.", kept, 1)
    (alert,) = await store.alerts()
    assert (alert.state, alert.revision) == ("completed", item.revision)
    assert alert.match is not None
    own = ["title", "author"] if title == item.title else ["author"]
    assert [span.field for span in alert.match.spans] == own

    again = candidate("Talks resume at last | Site name", keys=("url:a",), lead="Another.", body=kept)
    filed = await store.file(filing([again], page_of=each.id, at=NOW + HOUR), words_of_page)
    assert (filed.known, filed.alerts_due + filed.alerts_suppressed) == (1, 0)
    assert (await store.file(filing([each], at=NOW + HOUR), words_of_page)).known == 1


async def test_a_page_read_again_with_another_body_is_a_new_text_and_not_completed_twice(store: Store) -> None:
    each = candidate("Talks resume", keys=("url:a",), lead="A lead.")
    await store.file(filing([each]), quiet)
    changes: list[Change] = []

    def watched(change: Change, _ledger: Ledger) -> Decision:
        changes.append(change)
        return Decision()

    for body in ("First.", "Second.", "Second."):
        page = candidate("Talks | Site name", keys=("url:a",), body=body)
        await store.file(filing([page], page_of=each.id), watched)
    assert [(change.completed, change.title_changed) for change in changes] == [(True, False), (False, False)]
    item = await store.item(each.id)
    assert item is not None
    assert (item.body, item.title) == ("Second.", "Talks resume")


async def test_a_page_tells_the_lead_that_its_feed_does_not(store: Store) -> None:
    each = candidate("Talks resume", keys=("url:a",))
    await store.file(filing([each]), quiet)
    page = candidate("Talks resume | Site name", keys=("url:a",), lead="A lead.", body="Text.")
    changes: list[Change] = []

    def watched(change: Change, ledger: Ledger) -> Decision:
        changes.append(change)
        return decide(change, ledger)

    await store.file(filing([page], page_of=each.id, at=NOW + MINUTE), watched)
    assert (await store.file(filing([each], at=NOW + HOUR), watched)).known == 1
    ((done,), item) = changes, await store.item(each.id)
    assert item is not None
    assert (done.completed, done.revision.id, done.revision.lead) == (True, item.revision, "A lead.")
    assert (item.title, item.lead, item.body, item.revisions) == ("Talks resume", "A lead.", "Text.", 2)


async def test_p1_the_waiting_page_of_an_item_that_is_merged_is_judged(store: Store) -> None:
    first, second = candidate("Talks", keys=("url:a",)), candidate("Talks", keys=("guid:b",))
    await store.file(filing([first]), reads_page)
    await store.file(filing([candidate("Talks", keys=("url:a",))], page_of=first.id), quiet)
    await store.file(filing([second], at=NOW + HOUR), reads_page)
    await store.file(filing([candidate("Talks", keys=("url:a", "guid:b"))], at=NOW + HOUR), quiet)
    filed = await store.file(filing([second], page_of=second.id, at=NOW + HOUR), words_of_page)
    assert filed.alerts_due == 1


async def test_an_edit_of_the_headline_keeps_the_body_that_the_feed_does_not_tell(store: Store) -> None:
    each = candidate("Talks resume", keys=("url:a",))
    await store.file(filing([each]), quiet)
    await store.file(filing([candidate("Talks resume", keys=("url:a",), body="Text.")], page_of=each.id), quiet)
    await store.file(filing([candidate("Talks end", keys=("url:a",))], at=NOW + HOUR), quiet)
    item = await store.item(each.id)
    assert item is not None
    assert (item.title, item.body) == ("Talks end", "Text.")


async def test_a_source_that_goes_back_to_a_text_without_a_body_takes_no_body_away(store: Store) -> None:
    bare = candidate("Talks resume", keys=("url:a",))
    full = candidate("Talks end", keys=("url:a",), body="Text.")
    for each in (bare, full, bare):
        await store.file(filing([each]), quiet)
    item = await store.item(bare.id)
    assert item is not None
    assert (item.title, item.body) == ("Talks resume", "Text.")
    filed = await store.file(filing([full]), quiet)
    assert (filed.known, filed.revised) == (1, 0)


async def test_a_page_waits_until_it_is_settled_or_put_off(store: Store) -> None:
    each = candidate(keys=("url:a",), url="https://pages.example/a")
    await store.register([], pages_of=READ)
    await store.file(filing([each]), reads_page)
    await store.settle_page(each.id, retry_at=NOW + HOUR)
    assert [visit for visit in await store.claim(NOW, hosts=9, lease=LEASE) if visit.pages] == []
    (visit,) = [visit for visit in await store.claim(NOW + HOUR, hosts=9, lease=LEASE) if visit.pages]
    assert visit.pages[0].attempts == 1
    await store.settle_page(each.id, retry_at=None)
    assert [visit for visit in await store.claim(NOW + DAY, hosts=9, lease=LEASE) if visit.pages] == []


async def test_a_visit_holds_ten_pages_at_most(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",), url=f"https://pages.example/{n}") for n in range(13)]
    await store.register([], pages_of=READ)
    await store.file(filing(entries), reads_page)
    (visit,) = [visit for visit in await store.claim(NOW, hosts=9, lease=LEASE) if visit.pages]
    assert len(visit.pages) == 10


async def test_no_more_pages_of_an_outlet_are_handed_out_in_any_hour_than_its_cap(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",), url=f"https://host{n % 5}.example/{n}") for n in range(50)]
    others = [candidate(f"Doha {n}", keys=(f"url:{n}",), outlet="ap", url=f"https://host0.example/{n}") for n in (1, 2)]
    await store.register([], pages_of={"bbc": 30, "ap": 5})
    await store.file(filing(entries), reads_page)
    await store.file(filing(others, source_id="ap/main"), reads_page)
    handed: list[tuple[datetime, str]] = []
    for minute in range(0, 121, 5):
        now = NOW + minute * MINUTE
        for visit in await store.claim(now, hosts=9, lease=LEASE):
            assert visit.sources or visit.pages
            handed += [(now, page.outlet) for page in visit.pages]
            for page in visit.pages:
                await store.settle_page(page.item, retry_at=None)
            await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=now))
    times = [at for at, outlet in handed if outlet == "bbc"]
    assert (len(times), len(handed)) == (50, 52)
    assert max(sum(start <= at < start + HOUR for at in times) for start in times) == 30
    assert times[30] == NOW + HOUR


async def test_f116_a_cap_of_pages_waits_no_longer_for_a_clock_that_is_set_back(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",), url=f"https://p{n}.example/") for n in range(2)]
    await store.register([], pages_of={"bbc": 1})
    await store.file(filing(entries), reads_page)

    async def pages(now: datetime) -> int:
        return sum(len(visit.pages) for visit in await store.claim(now, hosts=9, lease=LEASE))

    assert await pages(NOW) == 1
    await store.set_back(NOW + 20 * MINUTE, 10 * MINUTE)
    assert (await pages(NOW + 49 * MINUTE), await pages(NOW + 50 * MINUTE)) == (0, 1)


async def test_pages_of_an_outlet_that_reads_none_any_more_are_forgotten_and_hold_no_host(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",), url=f"https://p{n}.example/") for n in range(2)]
    await store.register([], pages_of=READ)
    await store.file(filing(entries[:1]), reads_page)
    await store.register([], pages_of={"ap": 30})
    await store.file(filing(entries[1:]), reads_page)  # an answer that was on its way
    assert [visit for visit in await store.claim(NOW, hosts=9, lease=LEASE) if visit.host != source().host] == []
    await store.register([], pages_of={"ap": 30})
    await store.register([], pages_of=READ)
    assert await store.claim(NOW + DAY, hosts=9, lease=LEASE) == ()


# ------------------------------------------------------------------ copies and the ledger


async def test_the_ledger_knows_the_group_of_copies_and_what_was_told(store: Store) -> None:
    original, copy, second = (candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(3))
    seen: dict[str, object] = {}

    def of(copy_of: str | None) -> object:
        def judge(change: Change, ledger: Ledger) -> Decision:
            if copy_of:
                seen["copies"] = ledger.copies(copy_of)
                seen["told"] = ledger.told([copy_of, *ledger.copies(copy_of)])
                seen["exists"] = (ledger.exists(copy_of), ledger.exists("nobody"))
            return replace(decide(change, ledger), copy_of=copy_of, copy_reason="same words" if copy_of else "")

        return judge

    await store.file(filing([original]), of(None))  # type: ignore[arg-type]
    await store.file(filing([copy], at=NOW + MINUTE), of(original.id))  # type: ignore[arg-type]
    await store.file(filing([second], at=NOW + HOUR), of(copy.id))  # type: ignore[arg-type]
    told = {alert.channel: alert.id for alert in await store.alerts(item=original.id)}
    assert seen["copies"] == (original.id,)
    assert seen["told"] == {("doha", "desk"): told["desk"], ("doha", "duty"): told["duty"]}
    assert seen["exists"] == (True, False)
    items = {item.id: item for item in await store.items()}
    assert items[copy.id].copy_of == items[second.id].copy_of == original.id
    assert items[copy.id].copy_reason == "same words"


async def test_a_copy_of_an_item_that_is_gone_is_filed_without_the_link(store: Store) -> None:
    def judge(change: Change, ledger: Ledger) -> Decision:
        return replace(decide(change, ledger), copy_of="nobody", copy_reason="same words")

    filed = await store.file(filing([candidate(keys=("url:a",))]), judge)
    assert (filed.new, filed.alerts_due) == (1, 2)
    assert (await store.items())[0].copy_of is None


# ------------------------------------------------------------------ reading


async def test_unchanged_names_what_holds_no_new_text(store: Store) -> None:
    held = candidate("Held", keys=("url:a",), lead="Lead")
    await store.file(filing([held]), quiet)
    untold_lead = candidate("Held", keys=("url:a",))
    edited = candidate("Edited", keys=("url:a",))
    with_body = candidate("Held", keys=("url:a",), lead="Lead", body="First body")
    unknown = candidate("Unknown", keys=("url:z",))
    assert await store.unchanged("bbc", [held]) == {held.id}
    assert await store.unchanged("bbc", [untold_lead]) == {held.id}
    assert await store.unchanged("ap", [held]) == frozenset()
    for each in (edited, with_body, unknown):
        assert await store.unchanged("bbc", [each]) == frozenset()


async def test_items_are_filtered_by_outlet_language_watch_and_time(store: Store) -> None:
    await store.file(filing([candidate("Doha talks", keys=("url:a",))]), decide)
    hebrew = replace(candidate("שיחות", keys=("url:b",), outlet="ap"), language="he")
    await store.file(filing([hebrew], source_id="ap/main", at=NOW + HOUR), decide)
    assert [item.outlet for item in await store.items()] == ["ap", "bbc"]
    assert [item.outlet for item in await store.items(Wanted(outlet="bbc"))] == ["bbc"]
    assert [item.outlet for item in await store.items(Wanted(language="he"))] == ["ap"]
    assert [item.outlet for item in await store.items(Wanted(watch="doha"))] == ["bbc"]
    assert [item.outlet for item in await store.items(Wanted(since=NOW + HOUR))] == ["ap"]
    assert [item.outlet for item in await store.items(Wanted(before=NOW + HOUR))] == ["bbc"]
    assert [item.outlet for item in await store.items(oldest_first=True, limit=1)] == ["bbc"]
    assert await store.item("nobody") is None


async def test_counts_name_every_kind_and_condition(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    assert await store.count() == {
        "items": 1, "revisions": 1, "matches": 1, "quarantined": 0, "sources": 1,
        "pending": 2, "delivered": 0, "dead": 0, "suppressed": 0,
    }  # fmt: skip


async def test_p1_every_row_is_in_one_condition_through_its_whole_life(store: Store) -> None:
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",)) for n in range(4)]
    await store.file(filing(entries), decide)
    for message, delivery in zip(await claimed(store, NOW, messages=3), (SENT, LATER, REFUSED) * 2, strict=True):
        await store.settle(message, delivery, now=NOW, due=NOW + HOUR)
        assert await rows_due(store) == 8
    found = await store.tend(NOW, channels=["desk"], watches=["doha"], escalations=(), give_up=DAY)
    assert found == Tended(buried=2)
    assert await rows_due(store) == 8


# ------------------------------------------------------------------ the schedule


async def test_registering_adds_keeps_restarts_and_sets_aside(store: Store) -> None:
    kept, moved, gone = (source(f"bbc/{name}") for name in ("kept", "moved", "gone"))
    await store.register([kept, moved, gone], pages_of=READ)
    for state in (kept, moved, gone):
        await store.file(filing(source_id=state.id), quiet)
    elsewhere = replace(moved, url="https://bbc.example/new.xml", next_due=NOW + DAY)
    await store.register([kept, elsewhere, source("bbc/new")], pages_of=READ)
    states = {state.id: state for state in await store.sources()}
    assert list(states) == ["bbc/kept", "bbc/moved", "bbc/new"]
    assert states["bbc/kept"].validators == Validators(etag='"1"')
    assert states["bbc/moved"] == replace(elsewhere, baselined=NOW)
    assert states["bbc/new"].baselined is None
    await store.register([kept, elsewhere, gone], pages_of=READ)
    assert {state.id: state for state in await store.sources()}["bbc/gone"].validators == Validators(etag='"1"')


async def test_f140_an_answer_from_an_earlier_address_is_filed_and_leaves_the_source_as_it_is(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (late,) = await store.claim(NOW, hosts=5, lease=LEASE)
    moved = source(url="https://elsewhere.example/new.xml", host="https://elsewhere.example:443")
    await store.register([moved], pages_of=READ)
    filed = await store.file(filing([candidate(keys=("url:a",))], fence=late.fence), decide)
    assert (filed.new, filed.alerts_due, filed.overtaken) == (1, 2, True)
    assert await store.sources() == (moved,)


async def test_f115_an_overtaken_visit_loses_no_news_and_writes_no_state(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (late,) = await store.claim(NOW, hosts=5, lease=LEASE)
    (newer,) = await store.claim(NOW + LEASE, hosts=5, lease=LEASE)
    assert [state.fence for state in late.sources + newer.sources] == [late.fence, newer.fence]
    kept = await store.file(filing(at=NOW + LEASE, etag='"new"', fence=newer.fence), decide)
    filed = await store.file(filing([candidate(keys=("url:a",))], at=NOW, etag='"old"', fence=late.fence), decide)
    assert (kept.overtaken, filed.overtaken, filed.new, filed.alerts_due) == (False, True, 1, 2)
    (state,) = await store.sources()
    assert (state.validators, state.last_polled) == (Validators(etag='"new"'), NOW + LEASE)


async def test_claim_leases_a_host_with_all_that_is_due_there(store: Store) -> None:
    first, second = source("bbc/a"), source("ap/b", host="https://bbc.example:443")
    later = source("bbc/c", next_due=NOW + HOUR)
    await store.register([first, second, later], pages_of=READ)
    copy = RobotsCopy(host="https://bbc.example:443", asked=NOW, status=200, text="User-agent: *", good_at=NOW)
    await store.keep_robots(copy)
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    assert (visit.host, visit.fence, visit.robots) == (copy.host, 1, copy)
    assert visit.sources == (replace(second, fence=1), replace(first, fence=1))
    assert await store.claim(NOW, hosts=5, lease=LEASE) == ()


async def test_claim_takes_the_longest_waiting_hosts_and_no_more_than_asked(store: Store) -> None:
    waiting = [source(f"o{n}/a", next_due=NOW - n * MINUTE) for n in range(5)]
    await store.register(waiting, pages_of=READ)
    visits = await store.claim(NOW, hosts=2, lease=LEASE)
    assert [visit.sources[0].outlet for visit in visits] == ["o4", "o3"]


async def test_a_host_is_not_asked_before_it_allows(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW + HOUR, requests=1))
    assert await store.claim(NOW + 59 * MINUTE, hosts=5, lease=LEASE) == ()
    assert len(await store.claim(NOW + HOUR, hosts=5, lease=LEASE)) == 1


async def test_f115_a_lease_ends_and_the_late_report_changes_nothing(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    (late,) = await store.claim(NOW, hosts=5, lease=LEASE)
    (taken_over,) = await store.claim(NOW + LEASE, hosts=5, lease=LEASE)
    assert taken_over.fence == late.fence + 1
    await store.release(VisitReport(host=late.host, fence=late.fence, next_ok=NOW))
    assert await store.claim(NOW + LEASE, hosts=5, lease=LEASE) == ()
    await store.release(VisitReport(host=late.host, fence=taken_over.fence, next_ok=NOW))
    assert len(await store.claim(NOW + LEASE, hosts=5, lease=LEASE)) == 1


async def test_at_start_every_lease_is_given_back(store: Store) -> None:
    await store.register([source()], pages_of=READ)
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    await store.mark_due(["bbc/main"], NOW)
    assert len(await store.claim(NOW, hosts=5, lease=DAY)) == 1
    assert len(await claimed(store, NOW, lease=DAY)) == 2
    await store.release_all()
    assert len(await store.claim(NOW, hosts=5, lease=DAY)) == 1
    assert len(await claimed(store, NOW, lease=DAY)) == 2


async def test_sources_are_made_due_and_counted(store: Store) -> None:
    await store.register([source(next_due=NOW + DAY), source("ap/x", next_due=NOW + DAY)], pages_of=READ)
    assert await store.mark_due(["bbc/main", "nobody/x"], NOW) == 1
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    assert [state.id for state in visit.sources] == ["bbc/main"]


async def test_f116_whatever_waits_moves_with_a_clock_that_is_set_back(store: Store) -> None:
    await store.register(
        [source(next_due=NOW + 5 * MINUTE), source("ap/x", next_due=NOW - HOUR, host="https://b:443")], pages_of=READ
    )
    (visit,) = await store.claim(NOW, hosts=5, lease=LEASE)
    await store.release(VisitReport(host=visit.host, fence=visit.fence, next_ok=NOW + 2 * MINUTE))
    (alert,) = await queued(store, "Talks in Doha")
    (message,) = await claimed(store, NOW)
    await store.settle(message, LATER, now=NOW, due=NOW + 3 * MINUTE)
    (held,) = await queued(store, "Talks in Doha go on", held=until(NOW + 4 * MINUTE))
    await store.set_back(NOW - DAY, DAY)
    states = {state.id: state.next_due for state in await store.sources()}
    assert states == {"bbc/main": NOW - DAY + 15 * MINUTE, "ap/x": NOW - DAY - HOUR}
    assert await store.claim(NOW - DAY + MINUTE, hosts=5, lease=LEASE) == ()
    (again,) = await store.claim(NOW - DAY + 2 * MINUTE, hosts=5, lease=LEASE)
    assert again.host == visit.host
    for minutes, due in ((2, None), (3, alert), (4, held)):
        found = await claimed(store, NOW - DAY + minutes * MINUTE)
        assert [each.id for message in found for each in message.alerts] == ([due] if due else [])


async def test_robots_copies_are_replaced(store: Store) -> None:
    first = RobotsCopy(host="https://a.example:443", asked=NOW, status=None)
    assert await store.robots(first.host) is None
    await store.keep_robots(first)
    second = replace(first, asked=NOW + DAY, status=200, text="Disallow: /", good_at=NOW + DAY)
    await store.keep_robots(second)
    assert await store.robots(first.host) == second


# ------------------------------------------------------------------ retention


async def test_prune_removes_bodies_then_revisions_then_identity(store: Store) -> None:
    old = candidate("Doha talks", keys=("url:a",), body="An old text about fishermen", html="<p>x</p>")
    await store.file(filing([old]), decide)
    await store.file(filing([candidate("Doha deal", keys=("url:a",))], at=NOW + MINUTE), decide)
    for message in await claimed(store, NOW + HOUR):
        await store.settle(message, SENT, now=NOW, due=None)
    fresh = candidate("Fresh", keys=("url:b",), body="A text about sailors")
    await store.file(filing([fresh], at=NOW + 10 * DAY), decide)
    never = NOW - 400 * DAY

    assert await store.prune(bodies_before=NOW + DAY, revisions_before=never, identity_before=never) == 2
    item = await store.item(old.id)
    assert item is not None
    assert (item.title, item.body, item.html) == ("Doha deal", "", "")
    assert await searched(store, "fishermen") == []
    assert len(await searched(store, "Doha")) == len(await searched(store, "sailors")) == 1

    assert await store.prune(bodies_before=never, revisions_before=NOW + DAY, identity_before=never) == 1
    assert [text.title for text in await store.revisions(old.id)] == ["Doha deal"]

    # The item, and the messages that told it.
    assert await store.prune(bodies_before=never, revisions_before=never, identity_before=NOW + DAY) == 1 + 2
    assert await store.item(old.id) is None
    assert await searched(store, "Doha") == []
    assert (await rows_due(store), (await store.count())["matches"]) == (0, 0)
    assert await store.check() == ()


async def test_an_item_that_its_source_still_lists_is_never_forgotten(store: Store) -> None:
    each = candidate(keys=("url:a",))
    await store.register([source()], pages_of=READ)
    await store.file(filing([each]), quiet)
    for day in range(1, 9):
        await store.file(filing(at=NOW + day * DAY, outcome=Outcome.UNCHANGED), quiet)
    late = NOW + 8 * DAY
    assert await store.prune(bodies_before=late, revisions_before=late, identity_before=late) == 0
    assert (await store.file(filing([each], at=late), decide)).known == 1


async def test_an_alert_that_waits_keeps_its_item(store: Store) -> None:
    await store.file(filing([candidate(keys=("url:a",))]), decide)
    await store.file(filing([candidate("Other", keys=("url:b",))], at=NOW + 20 * DAY), quiet)
    late = NOW + 10 * DAY
    await store.prune(bodies_before=late, revisions_before=late, identity_before=late)
    assert (await store.count())["pending"] == 2
