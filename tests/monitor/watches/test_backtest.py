"""What watches would have done over the past; remarks on watches; their own examples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.model.lexicon import Concept
from config.model.watches import Examples, Watch
from monitor.model.items import Item
from monitor.watches.backtest import PastItem, backtest, compare, item_text
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.engine import ItemText
from monitor.watches.examples import failed_examples
from monitor.watches.lint import archive_lint, lint

Compile = Callable[..., WatchSet]
JERUSALEM = ZoneInfo("Asia/Jerusalem")
START = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)


def past_items() -> list[PastItem]:
    titles = ["Doha talks", "דוחא", "Cairo talks", "Weather", "Doha and Cairo"]
    return [
        PastItem(
            id=f"i{n}",
            at=START + timedelta(hours=n),
            text=ItemText(title, outlet="bbc" if n % 2 else "ap", language="en"),
        )
        for n, title in enumerate(titles)
    ]


def test_a_backtest_counts_by_day_outlet_and_language_and_shows_the_overlap(watching: Compile) -> None:
    report = backtest(watching("@doha", "talks", "nothing"), past_items(), zone=JERUSALEM)
    assert (report.tested, report.days) == (5, 2)
    doha = report.watches["q0"]
    assert [fire.item for fire in doha.fires] == ["i0", "i1", "i4"]
    assert doha.per_day == {"2026-11-20": 1, "2026-11-21": 2}
    assert doha.per_outlet == {"ap": 2, "bbc": 1}
    assert doha.overlap == {"q1": 1}
    assert report.watches["q2"].fires == ()


def test_a_backtest_makes_exactly_the_matches_the_engine_makes(watching: Compile) -> None:
    watches = watching("@doha", "talks", "/c.iro/")
    live = {(item.id, match) for item in past_items() for match in watches.match(item.text)}
    report = backtest(watches, past_items(), zone=UTC)
    assert {(fire.item, fire.match) for one in report.watches.values() for fire in one.fires} == live
    assert backtest(watches, past_items(), zone=UTC) == report


def test_an_empty_archive_is_an_empty_report(watching: Compile) -> None:
    report = backtest(watching("doha"), [], zone=UTC)
    assert (report.tested, report.days, report.watches["q0"].fires) == (0, 0, ())


def test_a_difference_lists_what_comes_and_what_goes(watching: Compile) -> None:
    old = backtest(watching("talks"), past_items(), zone=UTC)
    new = backtest(watching("doha"), past_items(), zone=UTC)
    difference = compare(old, new)
    assert [fire.item for fire in difference.more["q0"]] == ["i4"]
    assert [fire.item for fire in difference.fewer["q0"]] == ["i2"]


def test_an_undecided_match_is_counted(watching: Compile) -> None:
    item = PastItem(id="i", at=START, text=ItemText("a" * 60 + "!"))
    assert backtest(watching("/(a|aa)+$/"), [item], zone=UTC).watches["q0"].undecided == 1


def test_an_archived_item_is_matched_as_it_was_live() -> None:
    item = Item(
        id="i",
        outlet="bbc",
        source="bbc/world",
        url=None,
        title="T",
        lead="L",
        language="en",
        kind="live",
        author="A",
        published=START,
        published_assumed=False,
        first_seen=START,
        revision="r",
        body="B",
    )
    expected = ItemText("T", "L", "B", author="A", outlet="bbc", source="bbc/world", language="en", kind="live")
    assert item_text(item) == expected


LINTED = [
    ("doha or qatar", "or", "operators are written in capitals"),
    ("ho*", "ho*", "fewer than three letters"),
    ("doha NEAR/12 qatar", "doha NEAR/12 qatar", "NEAR over 10"),
    ("/d.ha/", "/d.ha/", "tried on every item"),
    ("outlet:bbc", "outlet:bbc", "tried on every item"),
    ("the", "the", "very common words"),
    ('doha OR "of the"', '"of the"', "very common words"),
    ("doha GAZA", "GAZA", "in capitals only"),
    ("החטופים", "החטופים", "with a particle attached"),
    ("بالدوحة", "بالدوحة", "with a particle attached"),
    ("@lacking", "@lacking", "has no Hebrew and no Arabic form"),
]


@pytest.fixture(scope="module")
def lexicon(concepts: dict[str, Concept]) -> dict[str, Concept]:
    return {**concepts, "lacking": Concept(kind="name", group="place", en=("Lackland",))}


def linted(query: str, lexicon: dict[str, Concept]) -> list[tuple[str, str]]:
    watches, bad = compile_watches([Watch(id="q", title="", when=query)], lexicon, outlets=("bbc",))
    assert not bad
    return [(query[remark.start : remark.end], remark.message) for remark in lint(watches.query("q"), lexicon)]


@pytest.mark.parametrize(("query", "place", "message"), LINTED)
def test_a_doubtful_query_is_remarked_on_in_its_place(
    query: str, place: str, message: str, lexicon: dict[str, Concept]
) -> None:
    assert [(at, message in said) for at, said in linted(query, lexicon)] == [(place, True)]


@pytest.mark.parametrize(
    "query",
    [
        "doha AND qatar",
        "הסכם",
        "חטופים",
        "=החטופים",
        "doha NEAR/10 qatar",
        "doha AND /q.tar/",
        "IDF",
        "hos*",
        "@doha",
        "אל־ת'אני",
    ],
)
def test_a_sound_query_is_not_remarked_on(query: str, lexicon: dict[str, Concept]) -> None:
    assert linted(query, lexicon) == []


@pytest.mark.parametrize(
    ("matched", "total", "message"),
    [(0, 500, "matched none of the 500"), (50, 500, "fires on 10 %"), (5, 500, None), (0, 0, None)],
)
def test_the_archive_tells_of_watches_that_find_nothing_or_too_much(
    matched: int, total: int, message: str | None
) -> None:
    remarks = [remark.message for remark in archive_lint(matched, total)]
    assert len(remarks) == (message is not None)
    assert all(message in remark for remark in remarks if message)


def test_an_example_that_does_not_hold_is_told_with_its_explanation(concepts: dict[str, Concept]) -> None:
    examples = Examples(hit=("Doha talks", "Cairo talks"), miss=("Doha opera", "Weather"))
    watch = Watch(id="w", title="", when="@doha", outlets=("bbc",), examples=examples)
    watches, _ = compile_watches([watch], concepts, outlets=("bbc",))
    failed = failed_examples([watch, watch.model_copy(update={"id": "refused"})], watches)
    assert [(one.expected, one.number, one.text) for one in failed] == [
        ("hit", 1, "Cairo talks"),
        ("miss", 0, "Doha opera"),
    ]
    assert failed[0].explanation.failures
    assert failed[1].explanation.clause == "@doha"
