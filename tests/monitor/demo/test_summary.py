"""The summary says what came of the day, in words, and finds what is missing, doubled or unexpected."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from config.load import load as load_config
from config.model.whole import Config
from monitor.demo.day import Day, Piece
from monitor.demo.reckoning import Reckoning, reckon
from monitor.demo.summary import isolate, summarise, wants_colour
from monitor.model.alerts import Alert
from monitor.model.items import Item
from monitor.model.sources import Outcome, SourceState


class Result:
    """What a perfect run leaves behind; a test spoils one thing and reckons."""

    def __init__(self, day: Day, shipped: Config) -> None:
        self.day = day
        languages = {outlet: shipped.outlets[outlet].language for outlet in day.editions}
        self.served = {outlet: Counter(feed=3) for outlet in day.editions}
        for fault in day.faults:
            self.served[fault.outlet][fault.kind] += 4
        self.shown = {p.key: {p.title, *(change.title for change in p.changes)} for p in day.pieces}
        self.items = {p.key: item(p, languages[p.outlet]) for p in day.pieces if not p.dropped}
        self.arrivals: dict[str, int] = {}
        for expected in sorted(day.expected(), key=lambda e: (e.edit, e.watch, e.piece)):
            state = "edited:0123456789abcdef" if expected.edit else "new"
            self.arrivals[f"{expected.watch}|inbox|{self.items[expected.piece].id}|{state}"] = 1
        self.alerts: list[Alert] = []
        self.sources: list[SourceState] = []
        self.notices = [
            replace(
                self.items["bbc/c1demo00001o"],
                id=f"notice-{fault.outlet}-{hours}",
                outlet="wirewatch",
                title=f"{fault.outlet}/feed {said}",
                first_seen=fault.start + timedelta(hours=hours),
            )
            for fault in day.faults
            if fault.told
            for hours, said in ((1, "does not answer"), (4, "is back"))
        ]
        for notice in self.notices:
            self.arrivals[f"wirewatch-notices|inbox|{notice.id}|new"] = 1

    def reckon(self) -> Reckoning:
        return reckon(
            day=self.day,
            served=self.served,
            shown=self.shown,
            arrivals=self.arrivals,
            items=[*self.items.values(), *self.notices],
            alerts=self.alerts,
            sources=self.sources,
        )


def item(piece: Piece, language: str) -> Item:
    return Item(
        id=piece.key.replace("/", "-"),
        outlet=piece.outlet,
        source=f"{piece.outlet}/feed",
        url=piece.link.replace("{base}", "http://127.0.0.1:4321"),
        title=piece.changes[-1].title if piece.changes else piece.title,
        lead=piece.lead,
        language=language,  # type: ignore[arg-type]
        kind=piece.kind,
        author="",
        published=piece.at,
        published_assumed=False,
        first_seen=piece.at + timedelta(minutes=10),
        revision="0",
        revisions=1 + len(piece.changes),
        copy_of=piece.copy_of.replace("/", "-") if piece.copy_of else None,
    )


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load_config(None)


@pytest.fixture
def result(day: Day, shipped: Config) -> Result:
    return Result(day, shipped)


def test_a_perfect_day_is_whole_and_says_so(result: Result) -> None:
    reckoning = result.reckon()
    assert reckoning.whole
    text = summarise(reckoning)
    published = len(result.items)
    assert f"{published} articles published by 9 outlets: {published} found, none lost, none doubled" in text
    assert "3 of 3 copies of another outlet's headline recognised" in text
    assert "4 of 4 articles with a new headline" in text
    assert "2 of 2 articles listed under two addresses kept as one" in text
    assert "2 of 2 articles under one recurring headline kept apart" in text
    expected = len(result.day.expected())
    assert f"{expected} of {expected} expected alerts delivered: none missing, none doubled, none unexpected" in text
    assert text.count("wirewatch ") >= 3


def test_a_lost_article_and_its_missing_alert_are_named(result: Result) -> None:
    lost = result.items.pop("reuters/open")
    result.arrivals = {key: n for key, n in result.arrivals.items() if f"|{lost.id}|" not in key}
    reckoning = result.reckon()
    assert [piece.key for piece in reckoning.lost] == ["reuters/open"]
    assert [missing.piece for missing in reckoning.missing] == ["reuters/open"]
    assert not reckoning.whole
    text = summarise(reckoning)
    assert f"lost: reuters/open {isolate(lost.title)}" in text
    assert "missing: doha-talks on reuters/open" in text


def test_an_article_held_twice_is_doubled(result: Result) -> None:
    held = result.items["bbc/c1demo00003o"]
    result.items["again"] = replace(held, id="another", url=f"{held.url}?at_medium=x")
    reckoning = result.reckon()
    assert [piece.key for piece in reckoning.doubled] == ["bbc/c1demo00003o"]
    assert reckoning.addresses == (1, 2)
    assert not reckoning.whole


def test_an_item_the_script_does_not_know_or_that_should_have_been_dropped_is_a_stranger(result: Result) -> None:
    spanish = next(piece for piece in result.day.pieces if piece.dropped)
    result.items["spanish"] = item(spanish, "en")
    result.items["other"] = replace(result.items["ap/rates"], id="other", url="https://apnews.com/article/other")
    reckoning = result.reckon()
    assert {stranger.id for stranger in reckoning.strangers} == {"ap-spanish", "other"}
    assert "not in the script: ap" in summarise(reckoning)


def test_a_copy_told_beside_its_original_is_a_doubled_alert(result: Result) -> None:
    result.arrivals["doha-talks|inbox|haaretz-en-draft|new"] = 1
    reckoning = result.reckon()
    assert reckoning.doubled_alerts == 1
    assert not reckoning.unexpected
    assert not reckoning.whole


def test_a_copy_told_in_place_of_its_original_is_right(result: Result) -> None:
    """Who is asked first decides which of the group is called the original."""
    del result.arrivals["doha-talks|inbox|ap-draft|new"]
    result.arrivals["doha-talks|inbox|haaretz-en-draft|new"] = 1
    result.items["ap/draft"] = replace(result.items["ap/draft"], copy_of="haaretz-en-draft")
    result.items["haaretz-en/draft"] = replace(result.items["haaretz-en/draft"], copy_of=None)
    assert result.reckon().whole


def test_a_message_that_arrives_twice_is_doubled(result: Result) -> None:
    result.arrivals[next(iter(result.arrivals))] += 1
    assert result.reckon().doubled_alerts == 1


def test_an_alert_nobody_expected_is_named(result: Result) -> None:
    result.arrivals["doha-talks|inbox|bbc-c1demo00005o|new"] = 1
    reckoning = result.reckon()
    assert len(reckoning.unexpected) == 1
    assert "unexpected: doha-talks on \u2068Doha hosts draw" in summarise(reckoning)


def test_an_edit_that_was_told_as_news_is_missing_as_an_edit(result: Result) -> None:
    edits = [key for key in result.arrivals if key.endswith("edited:0123456789abcdef")]
    for key in edits:
        del result.arrivals[key]
    reckoning = result.reckon()
    assert {missing.edit for missing in reckoning.missing} == {1}
    assert "(edited)" in summarise(reckoning)


def test_a_day_that_was_cut_short_is_judged_by_what_was_shown(result: Result) -> None:
    for piece in result.day.pieces:
        if piece.at.hour >= 12:
            del result.shown[piece.key]
            if kept := result.items.pop(piece.key, None):
                result.arrivals = {key: n for key, n in result.arrivals.items() if f"|{kept.id}|" not in key}
        else:
            result.shown[piece.key] = {piece.title}
    result.arrivals = {key: n for key, n in result.arrivals.items() if "edited" not in key}
    reckoning = result.reckon()
    assert not reckoning.missing
    assert not reckoning.lost
    assert not reckoning.whole
    assert "never asked for" in summarise(reckoning)


def test_each_fault_is_told_with_what_the_service_said(result: Result) -> None:
    reckoning = result.reckon()
    assert reckoning.whole
    text = summarise(reckoning)
    assert "ynetnews dropped every connection from 09:30 to 13:00 (met 4 times)" in text
    assert "told at 10:30 ynetnews/feed does not answer" in text
    assert "told at 13:30 ynetnews/feed is back" in text
    assert "ap sent a page for browsers in place of news" in text
    assert text.count("over before it was worth telling") == 1
    assert "nobody was told" not in text


def test_a_long_fault_that_nobody_was_told_of_spoils_the_day(result: Result) -> None:
    result.notices = [notice for notice in result.notices if not notice.title.startswith("ap/")]
    reckoning = result.reckon()
    assert not reckoning.whole
    assert summarise(reckoning).count("nobody was told") == 1


def test_a_closed_source_is_shown_with_its_rule(result: Result) -> None:
    result.sources.append(
        SourceState(
            id="reuters/own-sitemap",
            outlet="reuters",
            url="http://127.0.0.1:1/arc/",
            host="http://127.0.0.1:1",
            next_due=result.day.end,
            outcome=Outcome.CLOSED,
            reason="Disallow: /arc/",
        )
    )
    text = summarise(result.reckon())
    assert "reuters/own-sitemap: closed by robots.txt, shown and never asked: Disallow: /arc/" in text


def test_what_was_held_back_is_counted_by_reason(result: Result) -> None:
    for number, (condition, reason) in enumerate(
        (
            ("suppressed", "baseline"),
            ("suppressed", "told with a1"),
            ("suppressed", "told with b2"),
            ("dead", "refused"),
        )
    ):
        result.alerts.append(
            Alert(
                id=str(number),
                key=f"w|inbox|{number}|new",
                watch="w",
                channel="inbox",
                item=str(number),
                revision="0",
                state="new",
                severity="normal",
                condition=condition,  # type: ignore[arg-type]
                reason=reason,
                created=result.day.start,
                due=result.day.start,
            )
        )
    result.alerts.append(replace(result.alerts[0], channel="page"))
    reckoning = result.reckon()
    text = summarise(reckoning)
    assert "found and not sent, with the reason: 1 baseline, 2 told with another alert" in text
    assert "1 could not be delivered" in text
    assert not reckoning.whole


def test_matches_are_counted_by_language_and_titles_do_not_turn_the_line(result: Result) -> None:
    lines = summarise(result.reckon()).splitlines()
    families = next(line for line in lines if "משפחות החטופים" in line)
    assert families.split()[:4] == ["0", "2", "0", "2"]
    assert families.endswith("\u2068משפחות החטופים\u2069")
    truce = next(line for line in lines if "الهدنة" in line)
    assert truce.split()[:4] == ["0", "0", "2", "2"]
    for line in lines:
        assert line.count("\u2068") == line.count("\u2069")


def test_colour_is_used_only_when_asked_for(result: Result) -> None:
    assert "\x1b" not in summarise(result.reckon())
    assert "\x1b[32m" in summarise(result.reckon(), colour=True)
    result.items.pop("ap/rates")
    assert "\x1b[31m" in summarise(result.reckon(), colour=True)


def test_no_color_and_files_are_obeyed() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert wants_colour(Terminal(), {})
    assert wants_colour(Terminal(), {"NO_COLOR": ""})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})
