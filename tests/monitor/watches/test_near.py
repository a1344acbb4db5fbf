"""NEAR, PRE, NEAR/s, NEAR/p and atleastN against a slow and simple reading of what they promise."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.watches import Watch
from monitor.model.items import Match
from monitor.watches import engine
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.engine import ItemText

Find = Callable[..., Match | None]

# Made-up words that are no form of one another.
WORDS = ["bax", "dox", "fyx"]
TERMS: dict[str, list[tuple[str, ...]]] = {
    "bax": [("bax",)],
    "dox": [("dox",)],
    "fyx": [("fyx",)],
    '"bax dox"': [("bax", "dox")],
    "(bax OR fyx)": [("bax",), ("fyx",)],
    '(dox OR "fyx bax")': [("dox",), ("fyx", "bax")],
}


def compiled(query: str) -> WatchSet:
    watches, bad = compile_watches([Watch(id="q", title="", when=query)], {}, outlets=())
    assert not bad, bad
    return watches


def places(term: str, tokens: list[str]) -> set[tuple[int, int]]:
    """Where a term stands: start and end, read off the text."""
    return {
        (start, start + len(form))
        for form in TERMS[term]
        for start in range(len(tokens))
        if tuple(tokens[start : start + len(form)]) == form
    }


def joined(
    left: set[tuple[int, int]], right: set[tuple[int, int]], reach: int, *, ordered: bool
) -> set[tuple[int, int]]:
    found = set()
    for a, b in product(left, right):
        if b[0] >= a[1] and b[0] - (a[1] - 1) <= reach:
            found.add((a[0], b[1]))
        if not ordered and a[0] >= b[1] and a[0] - (b[1] - 1) <= reach:
            found.add((b[0], a[1]))
    return found


TEXT = st.lists(st.sampled_from([*WORDS, "zu", "zu"]), max_size=14)
TERM = st.sampled_from(sorted(TERMS))
OPERATOR = st.tuples(st.sampled_from(["NEAR", "PRE"]), st.integers(1, 6))


@given(TEXT, TERM, st.lists(st.tuples(OPERATOR, TERM), min_size=1, max_size=3))
def test_chains_of_near_and_pre_bind_to_the_left(
    tokens: list[str], first: str, rest: list[tuple[tuple[str, int], str]]
) -> None:
    query, expected = first, places(first, tokens)
    for (operator, reach), term in rest:
        query += f" {operator}/{reach} {term}"
        expected = joined(expected, places(term, tokens), reach, ordered=operator == "PRE")
    assert bool(compiled(query).match(ItemText(" ".join(tokens)))) == bool(expected)


@given(st.lists(st.sampled_from([*WORDS, "zu", "!", "\n\n"]), max_size=16), TERM, TERM, st.sampled_from("sp"))
def test_near_s_and_near_p_stay_within_sentence_and_paragraph(parts: list[str], a: str, b: str, unit: str) -> None:
    text = "".join(f" {part}" if part not in ("!", "\n\n") else part for part in parts).replace("!", "! ")
    pieces = text.replace("\n\n", "! ").split("! ") if unit == "s" else text.split("\n\n")
    expected = any(
        joined(places(a, tokens), places(b, tokens), 99, ordered=False)
        for piece in pieces
        if (tokens := piece.replace("!", " ").split())
    )
    assert bool(compiled(f"{a} NEAR/{unit} {b}").match(ItemText("", body=text))) == expected


@given(TEXT, TERM, st.integers(1, 5))
def test_atleast_counts_places_that_do_not_overlap(tokens: list[str], term: str, least: int) -> None:
    count, reached = 0, 0
    for start, end in sorted(places(term, tokens)):
        if start >= reached:
            count += 1
        reached = max(reached, end)
    assert bool(compiled(f"atleast{least}({term})").match(ItemText(" ".join(tokens)))) == (count >= least)


@pytest.mark.parametrize(
    ("query", "text", "hit"),
    [
        ("hostage NEAR/1 deal", "hostage deal", True),
        ("hostage NEAR/1 deal", "hostage and deal", False),
        ("hostage NEAR/2 deal", "deal for hostages", True),
        ("hostage PRE/2 deal", "deal for hostages", False),
        ("deal NEAR/5 deal", "a deal", False),
        ("deal NEAR/5 deal", "deal or no deal", True),
        ("@hostage NEAR/3 @deal", "עסקת החטופים", True),
        ("hostage NEAR/s deal", "Hostages return. A deal holds.", False),
        ("hostage NEAR/s deal", "U.S. hostages in a deal.", True),
        ("hostage NEAR/p deal", "Hostages return. A deal holds.", True),
        ("hostage NEAR/p deal", "Hostages return.\n\nA deal holds.", False),
        ("title:(hostage NEAR/3 deal)", "hostage deal", True),
        ("lead:(hostage NEAR/3 deal)", "hostage deal", False),
    ],
)
def test_nearness(query: str, text: str, hit: bool, find: Find) -> None:
    assert (find(query, text) is not None) is hit


def test_nearness_does_not_reach_from_one_field_into_another(find: Find) -> None:
    assert find("hostage NEAR/5 deal", ItemText("hostage", lead="deal")) is None


def test_a_chain_with_too_many_places_is_in_doubt_and_ends(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_PLACES", 50)
    match = find("zu NEAR/9 zu NEAR/2 doha", ItemText("", body="zu " * 500 + "x x x doha"))
    assert match is not None
    assert match.undecided
