"""The script of the demo agrees with itself and with the real watch engine."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from config.load import load as load_config
from config.model.watches import Watch, WatchFile
from config.model.whole import Config
from monitor.demo.day import Day, Expected, Piece, load, path_of
from monitor.language.identify import identify
from monitor.language.tokens import tokenise
from monitor.stories.addresses import rules
from monitor.stories.copies import TitleIndex
from monitor.watches.compile import compile_watches
from monitor.watches.engine import ItemText

Matches = Callable[[Piece, str, str], tuple[str, ...]]


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load_config(None)


@pytest.fixture
def watches(day: Day) -> tuple[Watch, ...]:
    return WatchFile.model_validate(tomllib.loads(day.watches.read_text(encoding="utf-8"))).watch


@pytest.fixture
def matches(day: Day, watches: tuple[Watch, ...], shipped: Config) -> Matches:
    compiled, bad = compile_watches(watches, shipped.concepts, outlets=list(day.editions))
    assert not bad

    def found(piece: Piece, title: str, body: str) -> tuple[str, ...]:
        text = ItemText(
            title=title,
            lead=piece.lead,
            body=body,
            outlet=piece.outlet,
            language=shipped.outlets[piece.outlet].language,
            kind=piece.kind,
        )
        watches = sorted(match.watch for match in compiled.match(text))
        if shipped.outlets[piece.outlet].keep == "headline":  # the lead may be left out: it decides nothing
            assert sorted(match.watch for match in compiled.match(replace(text, lead=""))) == watches
        return tuple(watches)

    return found


def test_the_day_has_all_nine_editions_and_three_languages(day: Day, shipped: Config) -> None:
    assert set(day.editions) == {
        "reuters", "ap", "bbc", "aljazeera-en", "aljazeera-ar", "haaretz-en", "haaretz-he", "ynet", "ynetnews",
    }  # fmt: skip
    assert {shipped.outlets[outlet].language for outlet in day.editions} == {"en", "he", "ar"}
    assert 60 <= len(day.pieces) <= 80


def test_every_headline_matches_exactly_what_it_is_expected_to_match(day: Day, matches: Matches) -> None:
    got = {piece.key: matches(piece, piece.title, "") for piece in day.pieces}
    assert got == {piece.key: tuple(sorted(piece.expect)) for piece in day.pieces}


def test_every_article_page_adds_exactly_what_is_expected_of_it(day: Day, matches: Matches) -> None:
    read = [piece for piece in day.pieces if day.editions[piece.outlet].pages]
    got = {piece.key: matches(piece, piece.title, piece.body or piece.lead) for piece in read}
    assert got == {piece.key: tuple(sorted(piece.expect + piece.expect_body)) for piece in read}
    assert any(piece.expect_body for piece in read)


def test_every_new_headline_is_told_by_the_watches_that_ask_for_edits(
    day: Day, matches: Matches, watches: tuple[Watch, ...]
) -> None:
    asking = {watch.id for watch in watches if "edited" in watch.on}
    changes = [(piece, change) for piece in day.pieces for change in piece.changes]
    assert changes
    for piece, change in changes:
        found = matches(piece, change.title, "")
        assert set(change.expect) == set(found) & asking, piece.key
        assert set(found) <= set(piece.expect), f"{piece.key}: an edit that matches for the first time is another case"


def test_the_examples_of_the_watches_hold(watches: tuple[Watch, ...], matches: Matches, day: Day) -> None:
    sample = day.editions["bbc"].pieces[0]
    for watch in watches:
        assert watch.examples.hit
        assert watch.examples.miss
        for title in watch.examples.hit:
            assert watch.id in matches(sample, title, ""), title
        for title in watch.examples.miss:
            assert watch.id not in matches(sample, title, ""), title


def test_copies_are_exactly_those_that_the_script_calls_so(day: Day, shipped: Config) -> None:
    index = TitleIndex(lambda title: frozenset(token.norm for token in tokenise(title)))
    called: dict[str, str] = {}
    for piece in sorted(day.pieces, key=lambda piece: piece.at):
        language = shipped.outlets[piece.outlet].language
        if copy := index.find(piece.outlet, language, piece.title, piece.at, exists=lambda _item: True):
            called[piece.key] = copy.of
        index.add(piece.key, piece.outlet, language, piece.title, piece.at)
    assert called == {piece.key: piece.copy_of for piece in day.pieces if piece.copy_of}


def test_no_two_pieces_of_an_edition_share_an_address(day: Day) -> None:
    places = [(piece.outlet, piece.path) for piece in day.pieces]
    assert len(set(places)) == len(places)


def test_headlines_are_in_the_language_of_their_edition(day: Day, shipped: Config) -> None:
    for piece in day.pieces:
        if piece.language is None:
            declared = shipped.outlets[piece.outlet].language
            assert identify(piece.title, declared) == declared, piece.title


def test_there_is_an_item_that_matches_only_in_hebrew(day: Day) -> None:
    finding = {piece.outlet for piece in day.pieces if "families" in piece.expect}
    assert finding == {"haaretz-he"}


def test_there_are_near_misses_and_a_recurring_headline(day: Day) -> None:
    silent = [piece.title for piece in day.pieces if not piece.expect]
    assert any("Doha" in title for title in silent)
    assert any("דוחה" in title for title in silent)
    assert any("الدوحة" in title for title in silent)
    titles = [piece.title for piece in day.editions["bbc"].pieces]
    assert len(set(titles)) < len(titles)


def test_every_feed_has_something_from_the_start(day: Day) -> None:
    for edition in day.editions.values():
        for path in edition.feeds:
            assert any(path in piece.feeds and piece.at <= day.start for piece in edition.pieces), path


def test_nothing_that_must_be_told_is_near_the_baseline_or_the_end(day: Day) -> None:
    """A slow start and one poll of delay change nothing."""
    edge = day.start - day.baseline
    for piece in day.pieces:
        if piece.expect or piece.expect_body:
            assert not edge - timedelta(minutes=30) < piece.at < edge + timedelta(hours=2), piece.key
        assert piece.changed_at(day.end) <= day.end - timedelta(hours=1)


def test_what_is_older_than_the_baseline_is_not_expected_to_be_told(day: Day) -> None:
    old = [piece for piece in day.pieces if piece.expect and piece.at < day.start - day.baseline]
    assert old
    assert not {expected.piece for expected in day.expected()} & {piece.key for piece in old}


def test_a_copy_is_expected_once_with_its_original_and_an_edit_once_more(day: Day) -> None:
    expected = day.expected()
    assert Expected(watch="doha-talks", piece="ap/draft") in expected
    assert not any(each.piece.startswith("haaretz-en/draft") for each in expected)
    assert Expected(watch="hostage-deal", piece="bbc/c1demo00004o") in expected
    assert Expected(watch="hostage-deal", piece="bbc/c1demo00004o", edit=1) in expected


def test_only_what_was_shown_is_expected_of_a_day_that_was_cut_short(day: Day) -> None:
    shown = {"bbc/c1demo00004o": {"Mediators propose release of 10 hostages in first phase"}}
    assert day.expected(shown) == {Expected(watch="hostage-deal", piece="bbc/c1demo00004o")}


def test_something_is_published_while_each_fault_lasts(day: Day) -> None:
    for fault in day.faults:
        assert fault.start > day.start
        assert any(fault.start <= piece.at < fault.end for piece in day.editions[fault.outlet].pieces)
        assert day.fault(fault.outlet, fault.start) == fault
        assert day.fault(fault.outlet, fault.end) is None
        assert day.fault(fault.outlet, fault.start - timedelta(minutes=1)) is None


def test_addresses_are_found_again_whatever_decorates_them(day: Day) -> None:
    for piece in day.pieces:
        link = piece.link.replace("{base}", "http://127.0.0.1:1234")
        assert day.find(piece.outlet, link) == piece
        assert day.find(piece.outlet, link + "?at_medium=RSS") == piece
        for again in piece.again:
            assert day.find(piece.outlet, again.link.replace("{base}", "http://127.0.0.1:1234")) == piece
    assert day.find("bbc", "https://www.bbc.co.uk/news/articles/c0000000000o") is None
    assert day.find("wirewatch", None) is None


def test_addresses_follow_each_outlets_own_rules(day: Day, shipped: Config) -> None:
    """The shipped identity rules name every piece that keeps its real host."""
    for piece in day.pieces:
        if not piece.link.startswith("{base}"):
            rule = rules(shipped.outlets[piece.outlet])
            address = rule.compared(piece.link)
            assert address is not None
            assert rule.id_of(address), piece.link


def test_the_ids_of_haaretz_carry_the_time_of_creation(day: Day) -> None:
    piece = day.editions["haaretz-en"].pieces[0]
    digits = piece.path.rpartition("/")[2].replace("-", "")[4:12]
    created = datetime.fromtimestamp((int(digits, 16) << 16) / 1000, tz=piece.at.tzinfo)
    assert timedelta() <= piece.at - created < timedelta(seconds=66)


def test_the_day_plays_on_any_date() -> None:
    other = load(date(2027, 3, 1))
    assert other.start == datetime.fromisoformat("2027-03-01T04:00+00:00")
    assert any("/2027/3/1/" in piece.link for piece in other.pieces)


def test_a_path_is_compared_decoded() -> None:
    assert path_of("https://a.example/%d8%a7/") == path_of("https://a.example/%D8%A7?x=1#y")


def test_every_feed_of_the_demo_stands_in_a_shipped_outlet_file(day: Day, shipped: Config) -> None:
    for outlet, edition in day.editions.items():
        paths = {path_of(source.url) for source in shipped.outlets[outlet].source}
        assert set(edition.feeds) <= paths, outlet
