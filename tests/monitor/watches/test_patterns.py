"""``/regex/``: time limits, word edges in four scripts, what is matched (faults F101, F103)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model.items import Match
from monitor.watches.compile import WatchSet
from monitor.watches.engine import ItemText

Find = Callable[..., Match | None]
Compile = Callable[..., WatchSet]

HOSTILE = [
    "(a+)+$",
    "(a|aa)+$",
    "(a|a?)+b$",
    "(.*a){25}$",
    "(a*)*b",
    "([a-z]+)*[0-9]$",
    "(?:a+){10,}b",
    "(x+x+)+y",
    r"(\w+\s?)+[?]$",
    r"^(\d+)+!$",
    "(a+a+)+b",
    "((a+)b?)+$",
    r"(\w*)*!",
    "(a|b|ab)*c",
    r"(?:\w+)+\.$",
    "(.+)+x",
    "(a{1,20}){1,20}b",
    r"^(?:a?){29}a{29}c",
    "(aa|aab?)*c",
    r"([^b]+)*b",
    "(?=(a+))a*b(a+)+c",
    r"(\S+)*\s!",
    "(a.?)+c",
    "(..)*.?c$",
    "(?:(?:a+)+)+b",
    r"(\w|_)+\d$",
    "(a+?)+?b",
    r"(?i:A+)+b",
    "((a|a)+)+b",
    "(.|a)+b$",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_f101_a_pattern_that_backtracks_for_ever_ends_and_is_told_as_undecided(pattern: str, watching: Compile) -> None:
    watches = watching(f"/{pattern}/", "doha")
    text = ItemText("Doha", lead="a" * 29 + " " + "x" * 40 + " " + "a" * 3_000 + "!", body="1" * 40)
    found = watches.match(text)
    assert [match.watch for match in found if not match.undecided][-1] == "q1", "other watches are decided"
    assert all(match.undecided in ("", f"/{pattern}/") for match in found)


def test_f101_doubt_survives_not_and_and_but_not_a_certain_miss(find: Find) -> None:
    slow, text = "/(a|aa)+$/", ItemText("Doha " + "a" * 60 + "!")
    for query in (slow, f"doha AND {slow}", f"doha AND NOT {slow}", f"title:{slow}", f"cairo OR {slow}"):
        match = find(query, text)
        assert match is not None, query
        assert match.undecided == slow
    assert find(f"cairo AND {slow}", text) is None
    certain = find(f"doha OR {slow}", text)
    assert certain is not None
    assert certain.undecided == ""


@pytest.mark.parametrize(
    ("word", "inside", "outside"),
    [
        ("deal", ["ideal", "dealer", "deal's"], ["a deal.", "deal", "(deal)", "deal-maker"]),
        ("דוחא", ["בדוחא", "דוחאי"], ["העיר דוחא.", "דוחא", "אל־דוחא", "ד\u05d5\u05bc\u05d7\u05d0"]),
        ("قطر", ["القطرية", "بقطر"], ["دولة قطر.", "قطر", "قَطَر، قال"]),
        ("сделка", ["сделках", "несделка"], ["сделка!", "а сделка"]),
        ("צה", ['צה"ל'], ["צה"]),
    ],
)
def test_f103_word_edges_are_right_beside_every_script(
    word: str, inside: list[str], outside: list[str], find: Find
) -> None:
    query = rf"/\b{word}\b/"
    assert [text for text in inside if find(query, text)] == []
    assert [text for text in outside if not find(query, text)] == []


def test_patterns_see_the_normalised_text_and_point_into_the_original(find: Find) -> None:
    text = ItemText("שִׂיחוֹת בְּדוֹחָא: ٣ חטופים")
    match = find(r"/בדוחא: \d חטופים/", text)
    assert match is not None
    assert [text.title[span.start : span.end] for span in match.spans] == ["בְּדוֹחָא: ٣ חטופים"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("/doha/", "DOHA"),
        (r"/\d+ hostages/", "12 hostages"),
        (r"/[\b]x|doha/", "doha"),
        ('/צה"ל/', "צה״ל"),
        (r"/a\/b/", "a/b"),
        (r"/\\b|doha/", "doha"),
    ],
)
def test_patterns_ignore_case_and_keep_their_escapes(query: str, text: str, find: Find) -> None:
    assert find(query, text) is not None
