"""A search finds exactly what a watch with its query finds in the items' present texts, newest first."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import health
from monitor.clock import SystemClock
from monitor.model.filing import Filing
from monitor.model.items import EVERYTHING, Item, Match, Spot, Wanted
from monitor.ports import Store
from monitor.watches import search as searching
from monitor.watches.backtest import item_text
from monitor.watches.search import Found, Question, search
from storage import open_store
from storage.sqlite import search as candidates
from tests.questions import OUTLETS, articles, asked, asked_or_refused, filled, pools, queries, written
from tests.storage.desk import NOW, candidate, decide, filing, quiet

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
CLOCK = SystemClock()


async def found(
    store: Store, query: str | Question, wanted: Wanted = EVERYTHING, *, limit: int = 1000, most: int = 1000,
    seconds: float = 60.0, after: Spot | None = None,
) -> Found:  # fmt: skip
    question = asked(query) if isinstance(query, str) else query
    return await search(store, question, wanted, clock=CLOCK, limit=limit, most=most, seconds=seconds, after=after)


async def titles(store: Store, query: str, wanted: Wanted = EVERYTHING) -> list[str]:
    return [hit.item.title for hit in (await found(store, query, wanted)).hits]


async def by_engine(store: Store, question: Question, wanted: Wanted) -> list[tuple[Item, Match]]:
    """The slow way: the engine over every item that is listed."""
    judged = [(item, question.match(item_text(item))) for item in await store.items(wanted, limit=1000)]
    return [(item, match) for item, match in judged if match is not None]


async def filed(store: Store, *titles: str, start: int = 0) -> None:
    """Each title a minute after the one before."""
    for number, title in enumerate(titles, start):
        await store.file(filing([candidate(title, keys=(f"url:{number}",))], at=NOW + number * MINUTE), quiet)


# ------------------------------------------------------------------ exactly what the engine finds


@st.composite
def answers(draw: st.DrawFn) -> Filing:
    """Templates of one answer, of one outlet."""
    own = draw(st.lists(articles(), min_size=1, max_size=5))
    outlet = next(each for each in OUTLETS if f"//{each}." in str(own[0].entry.url))
    ours = [each for each in own if f"//{outlet}." in str(each.entry.url)]
    feed = draw(st.sampled_from(["main", "world"]))
    return filing(ours, source_id=f"{outlet}/{feed}", at=NOW + timedelta(seconds=draw(st.integers(0, 9))))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)  # fmt: skip
@given(pools, st.lists(answers(), min_size=1, max_size=4), st.lists(queries, min_size=8, max_size=16))
def test_a_search_finds_exactly_what_the_engine_finds(pool: list[str], told: list[Filing], asking: list[str]) -> None:
    """Also after edits, and with items that turn out to be one."""

    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(f"sqlite:///{folder}/store.db", exclusive=True)
            for each in told:
                own = tuple(written(template, pool) for template in each.candidates)
                await store.file(replace(each, candidates=own), quiet)
            for query in asking:
                question = asked_or_refused(filled(query, pool))
                for wanted in (EVERYTHING, Wanted(language="he", since=NOW + timedelta(seconds=2))):
                    if question is not None:
                        got = await found(store, question, wanted)
                        assert [(hit.item, hit.match) for hit in got.hits] == await by_engine(store, question, wanted)
                        assert got.complete
            await store.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("doha talks", "Talks resume in DOHA"),
        ("hostage", "the hostages' families"),
        ("חטופים", "עסקת החטופים"),
        ("חטוף", "שחרור חטופיו"),
        ('צה"ל', "בצה״ל נערכים"),
        ("הארץ", 'נכתב ב"הארץ" אמש'),
        ("الدوحة", "محادثات بالدوحة"),
        ("صفقة", "والصفقة قريبة"),
        ("@doha NOT cairo", "שיחות בדוחה"),
        ("lang:en outlet:bbc kind:article source:main url:example author:cohen talks", "Talks"),
    ],
)
async def test_a_word_is_found_in_its_forms_in_three_languages(store: Store, query: str, title: str) -> None:
    entries = [candidate(title, keys=("url:a",), author="A. Cohen"), candidate("Football", keys=("url:b",))]
    await store.file(filing(entries), quiet)
    assert await titles(store, query) == [title]


async def test_a_hit_comes_with_the_words_that_make_it(store: Store) -> None:
    await store.file(filing([candidate("Talks in Doha", lead="A deal is near.")]), quiet)
    (hit,) = (await found(store, "@doha AND (deal OR cairo)")).hits
    assert [(span.field, span.start, span.end, span.term) for span in hit.match.spans] == [
        ("title", 9, 13, "@doha"), ("lead", 2, 6, "deal"),
    ]  # fmt: skip
    assert hit.match.clause == "@doha AND deal"


# ------------------------------------------------------------------ the present text


async def test_an_edit_is_found_by_its_new_words_only(store: Store) -> None:
    await store.file(filing([candidate("Talks in Doha", keys=("url:a",))]), quiet)
    edited = candidate("Talks in Cairo", keys=("url:a",), kind="live", author="B. Levi")
    await store.file(filing([replace(edited, language="und")], at=NOW + MINUTE), quiet)
    assert await titles(store, "doha") == await titles(store, "lang:en") == await titles(store, "kind:article") == []
    for query in ("cairo", "lang:und", "kind:live", "author:levi"):
        assert await titles(store, query) == ["Talks in Cairo"]


async def test_an_article_that_moved_is_found_by_its_new_address(store: Store) -> None:
    await store.file(filing([candidate("Talks", keys=("url:a", "guid:g"), url="https://bbc.example/rail")]), quiet)
    moved = candidate("Talks", keys=("url:b", "guid:g"), url="https://bbc.example/harbour")
    await store.file(filing([moved], at=NOW + MINUTE), quiet)
    assert (await titles(store, "url:harbour"), await titles(store, "url:rail")) == (["Talks"], [])


async def test_a_body_that_was_removed_is_not_found_any_more(store: Store) -> None:
    await store.file(filing([candidate("Talks", keys=("url:a",), body="They met in Doha.")]), quiet)
    assert await titles(store, "body:doha") == ["Talks"]
    later = NOW + timedelta(days=1)
    await store.prune(bodies_before=later, revisions_before=later, identity_before=NOW - timedelta(days=400))
    assert await titles(store, "body:doha") == []
    assert await titles(store, "talks") == ["Talks"]


async def test_the_services_own_notices_are_found_only_where_their_outlet_is_asked_for(store: Store) -> None:
    notice = candidate("bbc/main is silent", keys=("guid:a",), outlet=health.OUTLET)
    await store.file(replace(filing([notice], source_id=f"{health.OUTLET}/health"), after=None, held=None), quiet)
    await filed(store, "A silent march")
    assert await titles(store, "silent") == ["A silent march"]
    assert await titles(store, "silent", Wanted(outlet=health.OUTLET)) == ["bbc/main is silent"]


# ------------------------------------------------------------------ order, filters, portions


async def test_the_newest_come_first_and_a_search_goes_on_where_it_ended(store: Store) -> None:
    await filed(store, *(f"Doha talks, day {number}" for number in range(7)))
    first = await found(store, "doha", limit=3)
    assert [hit.item.title[-1] for hit in first.hits] == ["6", "5", "4"]
    assert (first.complete, first.given_up) == (False, False)
    assert first.back_to == Spot(NOW + 4 * MINUTE, first.hits[-1].item.id)
    second = await found(store, "doha", limit=4, after=first.back_to)
    assert [hit.item.title[-1] for hit in second.hits] == ["3", "2", "1", "0"]
    assert second.complete, "nobody is sent on to an empty page"


async def test_filters_and_query_hold_together(store: Store) -> None:
    for number, (title, outlet) in enumerate([("Doha", "bbc"), ("Doha and Cairo", "ap"), ("Cairo", "bbc")]):
        entry = candidate(title, keys=(f"url:{number}",), outlet=outlet)
        await store.file(filing([entry], source_id=f"{outlet}/main", at=NOW + number * MINUTE), decide)
    assert await titles(store, "doha OR cairo", Wanted(outlet="bbc")) == ["Cairo", "Doha"]
    assert await titles(store, "doha OR cairo", Wanted(watch="cairo")) == ["Cairo", "Doha and Cairo"]
    assert await titles(store, "doha", Wanted(watch="*")) == ["Doha and Cairo", "Doha"]
    assert await titles(store, "doha", Wanted(since=NOW + MINUTE)) == ["Doha and Cairo"]
    assert await titles(store, "doha", Wanted(before=NOW + MINUTE, language="en")) == ["Doha"]
    (item,) = await store.items(Wanted(outlet="ap"))
    await store.remark([item.id], by="A", kind="verdict", value="noise", now=NOW)
    assert await titles(store, "doha", Wanted(review="noise")) == ["Doha and Cairo"]
    assert await titles(store, "doha", Wanted(review="unreviewed")) == ["Doha"]


@pytest.mark.parametrize("few", [0, 2_000])
async def test_many_candidates_are_listed_as_few_are(
    store: Store, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """In portions that end anywhere."""
    monkeypatch.setattr(candidates, "_FEW", few)
    monkeypatch.setattr(candidates, "_FIRST", 3)
    monkeypatch.setattr(candidates, "PORTION", 2)
    await filed(store, *(f"Doha {'and Cairo ' * (number % 3 == 0)}{number}" for number in range(40)))
    got = await found(store, '"doha and cairo"')
    assert [hit.item.title for hit in got.hits] == [f"Doha and Cairo {number}" for number in range(39, -1, -3)]
    assert got.complete
    assert [hit.item.title for hit in (await found(store, r"/cairo 3\d/", Wanted(outlet="bbc"))).hits] == [
        f"Doha and Cairo {number}" for number in (39, 36, 33, 30)
    ]


async def test_a_search_that_looked_at_too_much_says_so_and_where_it_ended(store: Store) -> None:
    await filed(store, "Doha 0", *(f"Cairo {number}" for number in range(1, 200)))
    got = await found(store, "/doha/", most=100)
    assert (got.hits, got.looked_at, got.complete, got.given_up) == ((), 100, False, True)
    assert got.back_to is not None
    assert got.back_to.first_seen == NOW + 100 * MINUTE
    rest = await found(store, "/doha/", most=100, after=got.back_to)
    assert [hit.item.title for hit in rest.hits] == ["Doha 0"]


async def test_a_search_ends_when_its_time_is_over(store: Store) -> None:
    class Ticking(SystemClock):
        ticks = 0.0

        def monotonic(self) -> float:
            self.ticks += 1
            return self.ticks

    await filed(store, *(f"Cairo {number}" for number in range(3 * candidates.PORTION)))
    got = await search(store, asked("/doha/"), clock=Ticking(), seconds=2.5)
    assert (got.looked_at, got.given_up) == (2 * candidates.PORTION, True)


async def test_the_words_of_a_query_are_no_words_of_the_databases_language(store: Store) -> None:
    await filed(store, "and or not near", "Doha")
    for query in ('"and" "or"', "«not*»", "near", "=and"):
        assert await titles(store, query) == ["and or not near"]


def test_a_question_is_called_search_in_its_matches() -> None:
    match = asked("doha").match(searching.pasted("Talks\nin Doha"))
    assert match is not None
    assert (match.watch, [span.field for span in match.spans]) == ("search", ["body"])
