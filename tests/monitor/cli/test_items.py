"""``wirewatch items``: listing by review, saying what one thinks, and exporting it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from monitor.model.items import Item
from monitor.model.reviews import Remark
from tests.monitor.cli.desk import Desk


def filed(desk: Desk, *titles: str) -> list[str]:
    for title in titles:
        desk.file(title)
    items: tuple[Item, ...] = desk.ask(lambda store: store.items())
    return [next(item.id for item in items if item.title == title) for title in titles]


def remarks(desk: Desk, item: str) -> list[tuple[str, str, str]]:
    said: tuple[Remark, ...] = desk.ask(lambda store: store.remarks(item))
    return [(each.by, each.kind, each.value) for each in said]


def exported(desk: Desk, form: str, *filters: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk.said("items", "export", "--format", form, *filters).splitlines()]


def test_a_verdict_a_star_and_a_note_are_said_of_several_items_at_once(desk: Desk) -> None:
    one, two = filed(desk, "Talks in Doha", "A deal in Doha")
    told = desk.said(
        "items", "review", one, two, "--verdict", "relevant", "--star", "--note", "Ask the desk", "--by", "Noa"
    )
    assert told == "2 items reviewed by Noa\n"
    expected = [("Noa", "verdict", "relevant"), ("Noa", "star", "yes"), ("Noa", "note", "Ask the desk")]
    assert remarks(desk, one) == remarks(desk, two) == expected
    shown = desk.said("items", "show", one)
    assert "review: relevant (Noa), starred" in shown
    assert "note by Noa" in shown
    (row,) = desk.told("items", "show", one)
    assert (row["verdict"], row["starred"], row["by"]) == ("relevant", True, "Noa")


def test_items_are_listed_by_their_review(desk: Desk) -> None:
    one, two = filed(desk, "Talks in Doha", "A deal in Doha")
    desk.said("items", "review", one, "--verdict", "noise", "--by", "Noa")
    assert [row["id"] for row in desk.told("items", "list", "--review", "unreviewed")] == [two]
    assert [row["id"] for row in desk.told("items", "list", "--review", "noise", "--watch", "*")] == [one]
    desk.said("items", "review", one, "--verdict", "none", "--by", "Sami")
    assert {row["id"] for row in desk.told("items", "list", "--review", "unreviewed")} == {one, two}
    assert desk.told("items", "list", "--review", "starred") == []


def test_a_star_is_taken_back(desk: Desk) -> None:
    (one,) = filed(desk, "Talks in Doha")
    desk.said("items", "review", one, "--star", "--by", "Noa")
    desk.said("items", "review", one, "--no-star", "--by", "Noa")
    assert desk.told("items", "list", "--review", "starred") == []


def test_without_a_name_the_login_reviews(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ruth")
    (one,) = filed(desk, "Talks in Doha")
    assert desk.said("items", "review", one, "--verdict", "later") == "1 item reviewed by ruth\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((), "say what"),
        (("--note", "  "), "a note needs a text"),
        (("--star", "--by", " "), "whose remark"),
        (("--verdict", "maybe"), "relevant"),
    ],
)
def test_what_is_no_review_is_refused_with_words(desk: Desk, said: tuple[str, ...], words: str) -> None:
    (one,) = filed(desk, "Talks in Doha")
    result = desk.run("items", "review", one, *said)
    assert result.exit_code == 2
    assert words in result.output
    assert remarks(desk, one) == []


def test_of_items_one_of_which_is_unknown_none_is_reviewed(desk: Desk) -> None:
    (one,) = filed(desk, "Talks in Doha")
    result = desk.run("items", "review", one, "nothing", "--star", "--by", "Noa")
    assert result.exit_code == 1
    assert "No item is called nothing" in result.output
    assert remarks(desk, one) == []


def test_an_export_says_what_reviewers_said(desk: Desk) -> None:
    one, _two = filed(desk, "Talks in Doha", "A deal in Doha")
    desk.said("items", "review", one, "--verdict", "relevant", "--star", "--note", "=1+1", "--by", "Noa")
    desk.said("items", "review", one, "--note", "Asked", "--by", "Sami")
    found = {row["title"]: row for row in exported(desk, "jsonl")}
    reviewed, other = found["Talks in Doha"], found["A deal in Doha"]
    assert (reviewed["verdict"], reviewed["starred"], reviewed["by"]) == ("relevant", True, "Noa")
    assert [(note["by"], note["text"]) for note in reviewed["notes"]] == [("Noa", "=1+1"), ("Sami", "Asked")]
    assert (other["verdict"], other["starred"], other["by"], other["notes"]) == ("", False, "", [])
    rows = {row["title"]: row for row in csv.DictReader(io.StringIO(desk.said("items", "export", "--format", "csv")))}
    assert rows["Talks in Doha"]["notes"] == "Noa: =1+1; Sami: Asked"
    assert rows["Talks in Doha"]["starred"] == "True"
    assert [row["title"] for row in exported(desk, "jsonl", "--review", "relevant")] == ["Talks in Doha"]


def test_f92_a_note_is_no_formula_in_a_spreadsheet(desk: Desk) -> None:
    (one,) = filed(desk, "Talks in Doha")
    desk.said("items", "review", one, "--note", "2", "--by", "=HYPERLINK(1)")
    (row,) = csv.DictReader(io.StringIO(desk.said("items", "export", "--format", "csv")))
    assert row["notes"] == "'=HYPERLINK(1): 2"
