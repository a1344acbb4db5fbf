"""What a page counts: items by outlet and language over time, what watches found a day, and what a list of items needs
besides the items."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor import canary
from monitor.model.items import Hits, Match, Span, Wanted
from monitor.model.reviews import Tally
from monitor.model.stories import Placed
from monitor.model.texts import TextLanguage
from monitor.ports import Decide, Store
from tests.storage.desk import CHANNELS, NOW, candidate, decide, filing, telling

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
JERUSALEM = ZoneInfo("Asia/Jerusalem")


async def seen(
    store: Store, at: datetime, title: str = "Doha", *, outlet: str = "bbc", language: TextLanguage = "en"
) -> str:
    """File an item that was first seen then; its id."""
    each = candidate(f"{title} at {at}", keys=(f"url:{outlet} {title} {at}",), outlet=outlet, published=at)
    await store.file(filing([replace(each, language=language)], source_id=f"{outlet}/main", at=at), decide)
    return each.id


# ------------------------------------------------------------------ tallies


async def test_items_are_tallied_by_stretch_outlet_and_language(store: Store) -> None:
    for minutes, outlet, language, title in (
        (0, "bbc", "en", "Doha"), (5, "bbc", "en", "Football"), (59, "ap", "he", "Cairo"), (60, "bbc", "en", "Doha"),
        (61, "bbc", "ar", "Football"), (120, "bbc", "en", "Doha"),
    ):  # fmt: skip
        await seen(store, NOW + minutes * MINUTE, title, outlet=outlet, language=language)  # type: ignore[arg-type]
    await seen(store, NOW - MINUTE)
    found = await store.tallies(since=NOW, before=NOW + 2 * HOUR, step=HOUR)
    assert found == (
        Tally(at=NOW, outlet="ap", language="he", items=1, matched=1),
        Tally(at=NOW, outlet="bbc", language="en", items=2, matched=1),
        Tally(at=NOW + HOUR, outlet="bbc", language="ar", items=1, matched=0),
        Tally(at=NOW + HOUR, outlet="bbc", language="en", items=1, matched=1),
    )
    of_watch = await store.tallies(since=NOW, before=NOW + 2 * HOUR, step=HOUR, watch="doha")
    assert of_watch == (
        Tally(at=NOW, outlet="bbc", language="en", items=1, matched=1),
        Tally(at=NOW + HOUR, outlet="bbc", language="en", items=1, matched=1),
    )


async def test_the_last_stretch_ends_where_the_tallies_do(store: Store) -> None:
    for minutes in (0, 70, 95):
        await seen(store, NOW + minutes * MINUTE)
    found = await store.tallies(since=NOW, before=NOW + 90 * MINUTE, step=HOUR)
    assert [(each.at, each.items) for each in found] == [(NOW, 1), (NOW + HOUR, 1)]
    with pytest.raises(ValueError, match="stretch"):
        await store.tallies(since=NOW, before=NOW + HOUR, step=timedelta())


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 27), 23), ((2026, 10, 25), 25), ((2026, 11, 24), 24)])
async def test_a_day_of_tallies_is_the_zones_own_also_when_its_clock_changes(
    store: Store, day: tuple[int, int, int], hours: int
) -> None:
    midnight = datetime(*day, tzinfo=JERUSALEM)
    begins = midnight.astimezone(UTC)
    for at in (begins - MINUTE, begins, begins + hours * HOUR - MINUTE, begins + hours * HOUR):
        await seen(store, at)
    found = await store.tallies(since=midnight - DAY, before=midnight + 2 * DAY, step=DAY)
    assert [(each.at.astimezone(JERUSALEM).strftime("%m-%d %H:%M"), each.items) for each in found] == [
        (f"{midnight - DAY:%m-%d} 00:00", 1), (f"{midnight:%m-%d} 00:00", 2), (f"{midnight + DAY:%m-%d} 00:00", 1),
    ]  # fmt: skip


async def test_hours_are_hours_on_the_night_the_clock_changes(store: Store) -> None:
    midnight = datetime(2026, 10, 25, tzinfo=JERUSALEM)
    begins = midnight.astimezone(UTC)
    for hour in range(25):
        await seen(store, begins + hour * HOUR)
    found = await store.tallies(since=midnight, before=midnight + DAY, step=HOUR)
    assert [(each.at, each.items) for each in found] == [(begins + hour * HOUR, 1) for hour in range(25)]


# ------------------------------------------------------------------ hits


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 27), 23), ((2026, 10, 25), 25)])
async def test_hits_are_counted_by_the_days_of_a_zone_also_when_its_clock_changes(
    store: Store, day: tuple[int, int, int], hours: int
) -> None:
    midnight = datetime(*day, tzinfo=JERUSALEM)
    begins = midnight.astimezone(UTC)
    ends = begins + hours * HOUR
    items = [await seen(store, at) for at in (begins - HOUR, begins - MINUTE, begins, ends - MINUTE, ends)]
    await seen(store, begins, "Cairo")
    await store.remark(items[2:], by="Noa", kind="verdict", value="noise", now=NOW)
    await store.remark(items[3:4], by="Noa", kind="verdict", value="relevant", now=NOW)
    before, own, after = (f"{midnight + step * DAY:%Y-%m-%d}" for step in (-1, 0, 1))
    assert await store.hits(since=begins - 30 * MINUTE, zone=JERUSALEM) == (
        Hits(watch="doha", day=before, items=1, relevant=0, noise=0),
        Hits(watch="cairo", day=own, items=1, relevant=0, noise=0),
        Hits(watch="doha", day=own, items=2, relevant=1, noise=1),
        Hits(watch="doha", day=after, items=1, relevant=0, noise=1),
    )


async def test_an_item_that_two_texts_of_matched_is_one_hit(store: Store) -> None:
    await store.file(filing([candidate("Doha", keys=("url:a",))]), decide)
    await store.file(filing([candidate("Doha again", keys=("url:a",))], at=NOW + 30 * HOUR), decide)
    assert await store.hits(since=NOW - DAY, zone=JERUSALEM) == (
        Hits(watch="doha", day="2026-11-24", items=1, relevant=0, noise=0),
    )


async def test_canaries_and_silence_count_for_nothing(store: Store) -> None:
    assert await store.hits(since=NOW - DAY, zone=JERUSALEM) == ()
    assert await store.tallies(since=NOW, before=NOW + HOUR, step=HOUR) == ()
    song = candidate("A canary sings", keys=("guid:1",), outlet=canary.NAME)
    whole = filing([song], source_id=canary.SOURCE)
    await store.file(replace(whole, after=None, held=None), telling(watch=canary.NAME, channels=(canary.NAME,)))
    assert await store.hits(since=NOW - DAY, zone=JERUSALEM) == ()
    assert await store.tallies(since=NOW, before=NOW + HOUR, step=HOUR) == ()
    assert await store.tallies(since=NOW, before=NOW + HOUR, step=HOUR, watch="*") == ()
    assert await store.items(Wanted(watch="*")) == ()
    assert await store.how_many(Wanted(), at_most=9) == 0
    assert [item.id for item in await store.items(Wanted(watch="*", outlet=canary.NAME))] == [song.id]


# ------------------------------------------------------------------ what a list of items needs


async def test_matches_are_those_of_the_current_text_or_of_the_latest_that_had_one(store: Store) -> None:
    keys = ("url:a",)
    for hour, title in enumerate(("Cairo, Doha", "Doha and Cairo", "In Doha")):
        await store.file(filing([candidate(title, keys=keys)], at=NOW + hour * HOUR), decide)
    other = await seen(store, NOW, "Football")
    (item,) = await store.items(Wanted(watch="*"))
    found = await store.matches([item.id, other, "gone"])
    assert list(found) == [item.id]
    texts = {text.title: text.id for text in await store.revisions(item.id)}
    cairo, doha = found[item.id]
    assert (cairo.match.watch, cairo.revision, cairo.found) == ("cairo", texts["Doha and Cairo"], NOW + HOUR)
    assert (doha.revision, doha.found) == (item.revision, NOW + 2 * HOUR)
    assert doha.match == Match(watch="doha", spans=(Span(field="title", start=3, end=7, term="Doha"),), clause="Doha")


async def test_a_text_that_is_shown_again_is_the_one_whose_match_counts(store: Store) -> None:
    for hour, title in enumerate(("Doha", "In Doha", "Doha")):
        await store.file(filing([candidate(title, keys=("url:a",))], at=NOW + hour * HOUR), decide)
    (item,) = await store.items()
    assert item.title == "Doha"
    ((matched,),) = (await store.matches([item.id])).values()
    assert (matched.revision, matched.match.spans[0].start) == (item.revision, 0)


async def test_alerts_of_items_are_all_their_rows_at_once(store: Store) -> None:
    one, two, none = [await seen(store, NOW, title) for title in ("Doha and Cairo", "Doha", "Football")]
    found = await store.alerts_of([one, two, none, "gone"])
    assert {item: len(alerts) for item, alerts in found.items()} == {one: 2 * len(CHANNELS), two: len(CHANNELS)}
    assert found[one] == await store.alerts(item=one)


async def test_merged_items_are_found_by_the_id_that_is_asked_for(store: Store) -> None:
    first, second = candidate("Doha talks", keys=("url:a",)), candidate("Doha talks", keys=("guid:b",))
    both = candidate("Doha talks", keys=("url:a", "guid:b"))
    for each in (first, second, both):
        await store.file(filing([each]), decide)
    matches, alerts = await store.matches([second.id]), await store.alerts_of([second.id, first.id])
    assert matches[second.id] == (await store.matches([first.id]))[first.id]
    assert alerts[second.id] == alerts[first.id] != ()


async def test_items_of_a_story_are_asked_for_by_any_id_it_had(store: Store) -> None:
    def told(placed: Placed) -> Decide:
        return lambda change, ledger: replace(decide(change, ledger), placed=placed)

    talks, deal, later = (candidate(f"Doha {word}", keys=(f"url:{word}",)) for word in ("talks", "deal", "later"))
    await store.file(filing([talks]), told(Placed(story="s1", score=1.0, reason="")))
    await store.file(filing([deal], at=NOW + HOUR), told(Placed(story="s2", score=1.0, reason="")))
    await store.file(filing([later], at=NOW + 2 * HOUR), told(Placed(story="s1", score=0.7, reason="", merges=("s2",))))
    await seen(store, NOW, "Doha and no story")
    whole = [later.id, deal.id, talks.id]
    for wanted in (Wanted(story="s1"), Wanted(story="s2"), Wanted(story="s2", watch="*")):
        assert [item.id for item in await store.items(wanted)] == whole
        assert await store.how_many(wanted, at_most=9) == 3
    assert await store.items(Wanted(story="s1", watch="cairo")) == ()
    assert [item.id for item in await store.items(Wanted(story="s1", before=NOW + HOUR))] == [talks.id]
    assert await store.items(Wanted(story="")) == await store.items(Wanted(story="s9")) == ()
