"""Article pages in a store: which are asked when, what another reading makes of an item, and where articles went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.model.filing import Change, Decision, Filed, PageAfter
from monitor.model.items import Item
from monitor.model.sources import PageDue, Validators
from monitor.ports import Ledger, Store
from tests.storage.desk import LEASE, NOW, READ, SENT, candidate, claimed, decide, filing, quiet, reads_page, source

pytestmark = pytest.mark.anyio
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PAGE = "https://pages.example/a"
FIRST = "Envoys arrived in Doha on Monday.\n\nNobody spoke."
SECOND = "Envoys arrived in Doha on Tuesday.\n\nNobody spoke."


class Watched:
    """Every change is kept; what is withdrawn makes no rows here."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def __call__(self, change: Change, ledger: Ledger) -> Decision:
        self.changes.append(change)
        return Decision() if change.withdrawn else reads_page(change, ledger)


def there(at: datetime = NOW, **more: Any) -> PageAfter:
    values = {"again": at + HOUR, "fate": "there", "read": at, "validators": Validators(etag='"1"'), **more}
    return PageAfter(**values)


async def read(store: Store, item: str, body: str, *, at: datetime = NOW, by: Any = quiet, title: str = "Talks in Doha",
               keys: Sequence[str] = ("url:a",), page: PageAfter | None = None, **entry: Any) -> Filed:  # fmt: skip
    told = candidate(title, keys=keys, body=body, url=PAGE, **entry)
    return await store.file(replace(filing([told], page_of=item, at=at), page=page or there(at)), by)


async def answered(store: Store, item: str, page: PageAfter, *, at: datetime, by: Any = quiet) -> Filed:
    """An answer without a text."""
    return await store.file(replace(filing([], page_of=item, at=at), page=page), by)


async def told(store: Store, *, by: Any = reads_page) -> Item:
    """An item that a watch matched, whose page was read once."""
    await store.register([], pages_of=READ)
    each = candidate("Talks in Doha", keys=("url:a",), lead="A lead.", url=PAGE)
    await store.file(filing([each]), by)
    await read(store, each.id, FIRST, by=by)
    return await held(store, each.id)


async def held(store: Store, item: str) -> Item:
    found = await store.item(item)
    assert found is not None
    return found


async def due(store: Store, at: datetime) -> list[PageDue]:
    return [page for visit in await store.claim(at, hosts=99, lease=LEASE) for page in visit.pages]


async def story_of_address(store: Store, item: str) -> list[tuple[str, str]]:
    return [(each.what, each.words) for each in await store.whereabouts(item)]


# ------------------------------------------------------------------ when


async def test_a_page_that_was_read_comes_again_with_what_is_known_of_it(store: Store) -> None:
    item = await told(store)
    assert await due(store, NOW + HOUR - MINUTE) == []
    (page,) = await due(store, NOW + HOUR)
    assert (page.item, page.url, page.read, page.first_seen) == (item.id, PAGE, NOW, item.first_seen)
    assert (page.validators, page.attempts, page.missing) == (Validators(etag='"1"'), 0, None)


async def test_the_page_of_an_item_that_no_watch_matched_is_read_once(store: Store) -> None:
    await store.register([], pages_of=READ)
    each = candidate("Weather: rain", keys=("url:a",), url=PAGE)
    await store.file(filing([each]), lambda change, ledger: Decision(read_page=change.fresh))
    await read(store, each.id, "It rains.")
    assert await due(store, NOW + 99 * HOUR) == []


async def test_a_page_without_a_next_time_is_not_asked_again(store: Store) -> None:
    item = await told(store)
    await answered(store, item.id, PageAfter(again=None), at=NOW + HOUR)
    assert await due(store, NOW + 99 * HOUR) == []


async def test_pages_that_were_never_read_come_first_and_a_third_of_an_hour_is_theirs(store: Store) -> None:
    await store.register([], pages_of={"bbc": 6})
    old = [candidate(f"Doha old {n}", keys=(f"url:{n}",), url=f"https://p.example/{n}") for n in range(8)]
    await store.file(filing(old), reads_page)
    for each in old:
        await store.file(replace(filing([each], page_of=each.id), page=there(again=NOW + HOUR)), quiet)
    new = [candidate(f"Doha new {n}", keys=(f"url:n{n}",), url=f"https://p.example/n{n}") for n in range(3)]
    await store.file(filing(new, at=NOW + 2 * HOUR), reads_page)
    handed = await due(store, NOW + 2 * HOUR)
    assert [page.read is None for page in handed] == [True, True, True, False]
    for page in handed:
        await store.settle_page(page.item, retry_at=None)
    await store.release_all()
    assert await due(store, NOW + 2 * HOUR + MINUTE) == []
    late = candidate("Doha late", keys=("url:late",), url="https://p.example/late")
    await store.file(filing([late], at=NOW + 2 * HOUR + MINUTE), reads_page)
    assert [page.item for page in await due(store, NOW + 2 * HOUR + MINUTE)] == [late.id]


async def test_a_host_with_nothing_but_pages_that_must_wait_takes_no_other_hosts_turn(store: Store) -> None:
    await store.register([source()], pages_of={"bbc": 3})
    entries = [candidate(f"Doha {n}", keys=(f"url:{n}",), url=f"https://p{n}.example/") for n in range(3)]
    await store.file(filing(entries), reads_page)
    for each in entries:
        await store.file(replace(filing([each], page_of=each.id), page=there(again=NOW + MINUTE)), quiet)
    handed = await due(store, NOW + MINUTE)
    for page in handed:
        await store.settle_page(page.item, retry_at=None)
    await store.release_all()
    (visit,) = await store.claim(NOW + HOUR - MINUTE, hosts=1, lease=LEASE)
    assert (len(handed), visit.host, visit.pages) == (2, source().host, ())


# ------------------------------------------------------------------ read again


async def test_another_text_of_a_page_is_an_edit_with_the_text_before_it(store: Store) -> None:
    item, watched = await told(store), Watched()
    filed = await read(store, item.id, SECOND, at=NOW + HOUR, by=watched)
    (change,) = watched.changes
    assert (filed.revised, change.completed, change.fresh, change.title_changed) == (1, False, False, False)
    assert change.before is not None
    assert (change.before.body, change.item.body) == (FIRST, SECOND)
    assert [each.body for each in await store.revisions(item.id)] == [FIRST, SECOND]
    assert (await store.alerts(item=item.id))[0].state == f"edited:{change.revision.id}"
    again = await store.file(filing([candidate("Talks in Doha", keys=("url:a",), lead="A lead.")]), watched)
    assert (again.known, len(watched.changes)) == (1, 1)


async def test_what_stands_around_an_article_makes_no_edit(store: Store) -> None:
    item, watched = await told(store), Watched()
    around = f"Updated 5 minutes ago\n\n{FIRST}\n\nTwelve killed in Rafah, officials say\n\n1,204 shares"
    for number, body in enumerate((around, around.replace("Twelve", "Thirty"), FIRST.replace("\n\n", "\n"))):
        filed = await read(store, item.id, body, at=NOW + (number + 1) * HOUR, by=watched)
        assert filed.known == 1
    assert watched.changes == []
    assert (await held(store, item.id)).revisions == 1


async def test_f032_a_page_that_goes_back_to_a_text_it_had_makes_no_edit_of_it(store: Store) -> None:
    item, watched = await told(store), Watched()
    for hour, body in enumerate((SECOND, FIRST, SECOND, FIRST), start=1):
        await read(store, item.id, body, at=NOW + hour * HOUR, by=watched)
        assert (await held(store, item.id)).body == body
    assert len(watched.changes) == 1
    assert (await held(store, item.id)).revisions == 2


async def test_a_headline_that_its_source_takes_back_after_an_edit_of_the_page_is_shown_again(store: Store) -> None:
    item = await told(store)
    other = candidate("Talks in Doha end", keys=("url:a",), lead="A lead.")
    await store.file(filing([other], at=NOW + MINUTE), quiet)
    await read(store, item.id, SECOND, at=NOW + HOUR)
    first = candidate("Talks in Doha", keys=("url:a",), lead="A lead.")
    await store.file(filing([first], at=NOW + 2 * HOUR), quiet)
    assert (await held(store, item.id)).title == "Talks in Doha"
    await store.file(filing([other], at=NOW + 3 * HOUR), quiet)
    shown = await held(store, item.id)
    assert (shown.title, shown.body) == ("Talks in Doha end", SECOND)


async def test_the_beginning_of_an_article_that_is_for_subscribers_now_takes_nothing_away(store: Store) -> None:
    item, watched = await told(store), Watched()
    cut = FIRST.partition("\n")[0]
    await read(store, item.id, cut, at=NOW + HOUR, by=watched, marks=("paywalled: only the beginning",))
    assert (watched.changes, (await held(store, item.id)).body) == ([], FIRST)


async def test_an_item_whose_page_says_to_be_a_live_blog_is_one(store: Store) -> None:
    item = await told(store)
    assert item.kind == "article"
    await read(store, item.id, FIRST, at=NOW + HOUR, kind="live")
    assert (await held(store, item.id)).kind == "live"


async def test_the_posts_of_a_live_page_are_items_of_their_own(store: Store) -> None:
    item = await told(store)
    page = candidate("Talks in Doha", keys=("url:a",), body=FIRST, url=PAGE, kind="live")
    posts = [
        candidate(f"Doha: post {n}", keys=(f"url:a#{n}",), url=f"{PAGE}#{n}", kind="live", post=True) for n in (1, 2)
    ]
    at = NOW + HOUR
    filed = await store.file(replace(filing([page, *posts], page_of=item.id, at=at), page=there(at)), decide)
    assert (filed.known, filed.new, filed.alerts_due) == (1, 2, 4)
    filed = await store.file(
        replace(filing([page, *posts], page_of=item.id, at=at + HOUR), page=there(at)), decide
    )  # fmt: skip
    assert (filed.known, filed.new) == (3, 0)
    assert [(await held(store, each.id)).kind for each in posts] == ["live", "live"]


# ------------------------------------------------------------------ gone, back, moved


def gone(at: datetime, since: datetime | None = None) -> PageAfter:
    return PageAfter(again=at + HOUR, fate="withdrawn", since=since or at, words="HTTP 404", read=NOW)


async def test_a_withdrawn_item_is_marked_and_decided_once(store: Store) -> None:
    item, watched = await told(store), Watched()
    since = NOW + HOUR
    for hour in (1, 2, 3):
        await answered(store, item.id, gone(NOW + hour * HOUR, since), at=NOW + hour * HOUR, by=watched)
    (change,) = watched.changes
    assert (change.withdrawn, change.item.id, change.item.body) == (True, item.id, FIRST)
    assert change.matched_before == {"doha"}
    assert (await held(store, item.id)).withdrawn == since
    assert await story_of_address(store, item.id) == [("withdrawn", "HTTP 404")]


async def test_a_page_that_was_asked_at_an_address_the_item_has_no_more_says_nothing_of_it(store: Store) -> None:
    item, watched = await told(store), Watched()
    old = replace(gone(NOW + HOUR), asked="https://pages.example/before-it-moved")
    await answered(store, item.id, old, at=NOW + HOUR, by=watched)
    assert (await held(store, item.id)).withdrawn is None
    assert watched.changes == []
    assert [page.item for page in await due(store, NOW + HOUR)] == [item.id], "it stays due where it is now"


async def test_a_host_that_answers_404_to_everything_has_taken_nothing_down(store: Store) -> None:
    await store.register([], pages_of=READ)
    items = [candidate(f"Talks in Doha {n}", keys=(f"url:{n}",), url=f"https://pages.example/{n}") for n in range(3)]
    await store.file(filing(items), reads_page)
    for each in items:
        await store.file(replace(filing([each], page_of=each.id), page=there()), quiet)
    watched, since = Watched(), NOW + HOUR
    for each in items:
        missing = PageAfter(again=since + HOUR, attempts=1, read=NOW, missing=since)
        await answered(store, each.id, missing, at=since)
    later = since + HOUR
    await answered(store, items[0].id, replace(gone(later, since), missing=since), at=later, by=watched)
    assert (await held(store, items[0].id)).withdrawn is None
    assert watched.changes == []
    await answered(store, items[1].id, there(later, read=later), at=later)  # the host gives pages again
    await answered(store, items[0].id, replace(gone(later, since), missing=since), at=later, by=watched)
    assert (await held(store, items[0].id)).withdrawn == since
    assert [change.withdrawn for change in watched.changes] == [True]


async def test_an_article_that_is_there_again_is_not_withdrawn_any_more(store: Store) -> None:
    item, watched = await told(store), Watched()
    await answered(store, item.id, gone(NOW + HOUR), at=NOW + HOUR, by=watched)
    await answered(store, item.id, there(NOW + 2 * HOUR), at=NOW + 2 * HOUR, by=watched)  # unchanged
    assert (await held(store, item.id)).withdrawn is None
    await answered(store, item.id, there(NOW + 3 * HOUR), at=NOW + 3 * HOUR, by=watched)
    assert [what for what, _ in await story_of_address(store, item.id)] == ["withdrawn", "back"]
    assert len(watched.changes) == 1


async def test_f072_a_withdrawn_article_that_its_feed_lists_with_a_new_text_is_back_and_the_same_text_is_not(
    store: Store,
) -> None:
    item = await told(store)
    await answered(store, item.id, gone(NOW + HOUR), at=NOW + HOUR)
    same = candidate("Talks in Doha", keys=("url:a",), lead="A lead.")
    await store.file(filing([same], at=NOW + 2 * HOUR), quiet)
    assert (await held(store, item.id)).withdrawn is not None
    other = candidate("Talks in Doha go on", keys=("url:a",), lead="A lead.")
    filed = await store.file(filing([other], at=NOW + 3 * HOUR), quiet)
    assert (filed.revised, (await held(store, item.id)).withdrawn) == (1, None)


async def test_an_address_that_leads_elsewhere_is_said_once_and_takes_no_text(store: Store) -> None:
    item, watched = await told(store), Watched()
    lost = PageAfter(again=NOW + 9 * HOUR, fate="lost", words="it leads to the home page", read=NOW)
    for hour in (1, 2):
        await answered(store, item.id, lost, at=NOW + hour * HOUR, by=watched)
    kept = await held(store, item.id)
    assert (kept.body, kept.withdrawn, watched.changes) == (FIRST, None, [])
    assert await story_of_address(store, item.id) == [("lost", "it leads to the home page")]


async def test_a_page_that_moved_for_good_is_known_and_shown_and_asked_at_its_new_address(store: Store) -> None:
    item = await told(store)
    new = "https://other.example/b"
    page = there(NOW + HOUR, moved_to=new, led_on=True)
    await read(store, item.id, FIRST, at=NOW + HOUR, keys=("url:b",), page=page)
    kept = await held(store, item.id)
    assert (kept.id, kept.url) == (item.id, new)
    assert await story_of_address(store, item.id) == [("moved", f"{PAGE} → {new}")]
    (asked,) = await due(store, NOW + 2 * HOUR)
    assert (asked.url, asked.host, asked.validators.etag) == (new, "https://other.example:443", '"1"')
    listed = candidate("Talks in Doha", keys=("url:b",), lead="A lead.", url=new)
    filed = await store.file(filing([listed], at=NOW + 2 * HOUR), decide)
    assert (filed.known, filed.alerts_due) == (1, 0)


@pytest.mark.parametrize("body", [SECOND, "All of this text is about railways, and about nothing else at all."])
async def test_an_address_that_leads_to_another_article_takes_nothing_of_it(store: Store, body: str) -> None:
    item, watched = await told(store), Watched()
    await store.file(filing([candidate("Rail timetable", keys=("url:rail",))]), quiet)
    keys = ("url:rail",) if body == SECOND else ("url:new",)
    page = there(NOW + HOUR, moved_to="https://other.example/rail", led_on=True)
    await read(store, item.id, body, at=NOW + HOUR, keys=keys, by=watched, page=page)
    kept = await held(store, item.id)
    assert (kept.body, kept.url, watched.changes) == (FIRST, PAGE, [])
    assert [what for what, _ in await story_of_address(store, item.id)] == ["lost"]


async def test_an_address_that_leads_to_another_live_page_takes_none_of_its_posts(store: Store) -> None:
    item = await told(store)
    at = NOW + HOUR
    other = candidate("Rail timetable", keys=("url:rail",), body="All of this is about railways.", url=PAGE)
    entries = [replace(other.entry, published=at), replace(other.entry, title="Doha: a post of it", post=True)]
    page = replace(other, entry=entries[0])
    post = replace(
        candidate("Doha: a post of it", keys=("url:rail#1",), url="https://pages.example/rail#1"), entry=entries[1]
    )
    led = there(at, led_on=True)
    await store.file(replace(filing([post, page], page_of=item.id, at=at), page=led), decide)
    assert [each.id for each in await store.items()] == [item.id]


async def test_f059_an_article_that_its_feed_lists_at_another_address_moved(store: Store) -> None:
    first = candidate("Talks in Doha", keys=("url:a", "guid:g"), url="https://bbc.example/a")
    await store.file(filing([first]), decide)
    moved = candidate("Talks in Doha", keys=("url:b", "guid:g"), url="https://bbc.example/b")
    filed = await store.file(filing([moved], at=NOW + HOUR), decide)
    assert (filed.known, filed.alerts_due) == (1, 0)
    assert (await held(store, first.id)).url == "https://bbc.example/b"
    assert await story_of_address(store, first.id) == [("moved", "https://bbc.example/a → https://bbc.example/b")]


LEAD = "Mediators handed both sides a draft of twelve pages in Doha on Tuesday evening."


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ({}, True),
        ({"lead": LEAD.replace("evening", "night")}, True),
        ({"lead": LEAD.replace("twelve", "13")}, False),
        ({"lead": "Talks go on."}, False),
        ({"lead": ""}, False),
        ({"published": NOW + HOUR}, False),
        ({"published": None}, False),
        ({"kind": "video"}, False),
    ],
)
async def test_f059_an_article_with_a_new_address_and_guid_is_the_same_by_title_lead_and_date(
    store: Store, more: dict[str, Any], same: bool
) -> None:
    first = candidate("Talks in Doha", keys=("url:a",), lead=LEAD, url="https://bbc.example/a")
    await store.file(filing([first]), decide)
    moved = candidate("Talks in Doha", keys=("url:b",), **{"lead": LEAD, "url": "https://bbc.example/b", **more})
    filed = await store.file(filing([moved], at=NOW + HOUR), decide)
    assert (filed.new == 0) is same
    assert bool(await store.whereabouts(first.id)) is same


async def test_two_articles_that_one_answer_lists_with_the_same_words_are_two(store: Store) -> None:
    first = candidate("Talks in Doha", keys=("url:a",), lead=LEAD, url="https://bbc.example/a")
    other = candidate("Talks in Doha", keys=("url:b",), lead=LEAD, url="https://bbc.example/b")
    await store.file(filing([first]), decide)
    assert (await store.file(filing([first, other], at=NOW + HOUR), decide)).new == 1


async def test_f067_an_address_that_rotates_is_told_a_few_times_only(store: Store) -> None:
    for number in range(9):
        each = candidate("Talks in Doha", keys=(f"url:{number}", "guid:g"), url=f"https://bbc.example/{number}")
        await store.file(filing([each], at=NOW + number * HOUR), quiet)
    first = candidate(keys=("url:0",))
    assert len(await store.whereabouts(first.id)) == 5
    assert (await held(store, first.id)).url == "https://bbc.example/8"


async def test_an_article_published_again_with_a_new_date_is_no_news_and_with_a_new_text_an_edit(store: Store) -> None:
    first = candidate("Talks in Doha", keys=("url:a",), lead=LEAD)
    await store.file(filing([first]), decide)
    again = candidate("Talks in Doha", keys=("url:a",), lead=LEAD, published=NOW + 20 * HOUR)
    filed = await store.file(filing([again], at=NOW + 20 * HOUR), decide)
    assert (filed.known, filed.alerts_due, (await held(store, first.id)).published) == (1, 0, NOW)
    watched = Watched()
    anew = candidate("Talks in Doha", keys=("url:a",), lead="Another lead.", published=NOW + 21 * HOUR)
    await store.file(filing([anew], at=NOW + 21 * HOUR), watched)
    assert [(change.fresh, change.completed) for change in watched.changes] == [(False, False)]


async def test_an_item_merged_with_one_that_is_there_is_not_withdrawn(store: Store) -> None:
    item = await told(store)
    await answered(store, item.id, gone(NOW + HOUR), at=NOW + HOUR)
    other = candidate("Talks in Doha", keys=("url:b",), lead="Short.")
    await store.file(filing([other], at=NOW + 2 * HOUR), quiet)
    both = candidate("Talks in Doha", keys=("url:a", "url:b"), lead="A lead.")
    assert (await store.file(filing([both], at=NOW + 3 * HOUR), quiet)).merged == 1
    assert (await held(store, item.id)).withdrawn is None
    assert [what for what, _ in await story_of_address(store, other.id)] == ["withdrawn"]


async def test_p1_a_page_read_already_is_judged_anew_when_its_item_takes_in_one_with_an_unread_page(
    store: Store,
) -> None:
    item, watched = await told(store), Watched()
    other = candidate("Talks in Doha", keys=("url:b",), lead="Short.", url="https://pages.example/b")
    await store.file(filing([other], at=NOW + MINUTE), reads_page)
    both = candidate("Talks in Doha", keys=("url:a", "url:b"), lead="A lead.")
    await store.file(filing([both], at=NOW + 2 * MINUTE), quiet)
    (page,) = await due(store, NOW + 3 * MINUTE)
    assert (page.item, page.read, page.validators) == (item.id, None, Validators())
    await read(store, item.id, FIRST, at=NOW + 3 * MINUTE, by=watched)
    assert [change.completed for change in watched.changes] == [True]


async def test_what_befell_an_item_goes_with_it(store: Store) -> None:
    item = await told(store)
    for message in await claimed(store, NOW):
        await store.settle(message, SENT, now=NOW, due=None)
    await answered(store, item.id, gone(NOW + HOUR), at=NOW + HOUR)
    later = NOW + 500 * 24 * HOUR
    await store.register([], pages_of=READ)  # no source lists it any more
    await store.prune(bodies_before=later, revisions_before=later, identity_before=later)
    assert await store.item(item.id) is None
    assert await store.whereabouts(item.id) == ()
    assert await store.check() == ()
