"""Article pages that wait to be read, and what their texts become, in every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.model.alerts import NewAlert
from monitor.model.filing import Change, Decision
from monitor.model.items import Match, Span
from monitor.model.sources import VisitReport
from monitor.ports import Ledger, Store
from tests.questions import searched
from tests.storage.desk import (
    LEASE,
    NOW,
    READ,
    candidate,
    decide,
    failing_on,
    filing,
    quiet,
    reads_page,
    source,
)

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


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
            await store.file(filing([page], page_of=each.id, at=at), failing_on("bad"))
    assert asked == [0, 1, 2]
    assert (await store.count())["quarantined"] == 1
