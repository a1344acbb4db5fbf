"""``wirewatch items search``: the archive by a query of the watches' language, and a query kept as a watch."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from tests.monitor.cli.desk import Desk

HEBREW = "עסקת החטופים קרובה"


def titles(desk: Desk, *args: str) -> list[str]:
    return [each["title"] for each in desk.told("items", "search", *args)]


@pytest.fixture
def archive(desk: Desk) -> Desk:
    desk.file("Football in Doha", age=timedelta(hours=3))
    desk.file(HEBREW, language="he", age=timedelta(hours=2))
    desk.file("Hostage talks go on in Doha", watch="crossings", age=timedelta(hours=1))
    return desk


def test_plain_words_mean_all_of_them_in_any_form_the_newest_first(archive: Desk) -> None:
    assert titles(archive, "doha") == ["Hostage talks go on in Doha", "Football in Doha"]
    assert titles(archive, "doha", "talk") == ["Hostage talks go on in Doha"]
    assert titles(archive, "חטופים") == [HEBREW]


def test_the_language_of_watches_and_the_filters_of_the_list_hold_together(archive: Desk) -> None:
    assert titles(archive, "@hostage NOT football") == ["Hostage talks go on in Doha", HEBREW]
    assert titles(archive, "@hostage", "--language", "he") == [HEBREW]
    assert titles(archive, "doha", "--watch", "crossings", "--since", "2h") == ["Hostage talks go on in Doha"]
    assert titles(archive, "doha", "--since", "30m") == []


def test_what_is_found_is_marked_in_the_headline(archive: Desk) -> None:
    said = archive.said("items", "search", "hostage NEAR/5 doha")
    assert "[Hostage] talks go on in [Doha]" in said
    found, *_ = archive.told("items", "search", "hostage NEAR/5 doha")
    assert [(each["start"], each["end"]) for each in found["matched"]] == [(0, 7), (23, 27)]
    assert found["clause"] == "hostage NEAR/5 doha"
    assert archive.said("items", "search", "oslo") == "No item matches.\n"


def test_a_headline_cannot_play_with_the_terminal(desk: Desk) -> None:
    desk.file("\x1b[31m Doha\u202e \ue000 now")
    said = desk.said("items", "search", "doha")
    assert "\x1b" not in said
    assert "[31m [Doha]\u202e \ufffd now\u202c" in said


def test_a_list_that_goes_on_says_so(archive: Desk) -> None:
    result = archive.run("items", "search", "doha", "--limit", "1", "--json")
    assert [json.loads(line)["title"] for line in result.stdout.splitlines()] == ["Hostage talks go on in Doha"]
    assert "There are more before" in result.stderr
    assert archive.run("items", "search", "doha").stderr == ""


@pytest.mark.parametrize(
    ("query", "place", "told"),
    [
        (
            "doha AND talks OR cairo",
            "    doha AND talks OR cairo\n                   ^^\n",
            "AND and OR stand together",
        ),
        ("doha\n@hostge", "    @hostge\n    ^^^^^^^\n", "did you mean hostage?"),
        ("חטופים OR", "at \u2068OR\u2069", "a word is missing after OR"),
        ("doha (", "    doha (\n         ^\n", "this parenthesis is never closed"),
    ],
)
def test_a_query_that_cannot_be_read_shows_its_place_and_what_to_write(
    desk: Desk, query: str, place: str, told: str
) -> None:
    result = desk.run("items", "search", query)
    assert result.exit_code == 2
    assert place in result.stderr
    assert told in result.stderr
    assert result.stdout == ""


def test_a_query_is_printed_as_a_watch_that_is_in_force_where_it_says(archive: Desk) -> None:
    query = '@hostage AND\n"Doha" -football'
    result = archive.run("items", "search", query, "--as-watch", "--title", "It's Doha", "--outlet", "bbc")
    assert result.exit_code == 0
    assert "watches/it-s-doha.toml" in result.stderr
    path = archive.folder / "watches" / "it-s-doha.toml"
    path.write_text(result.stdout, "utf-8")
    assert archive.run("check").exit_code == 0
    explained = archive.said("watches", "explain", "it-s-doha", "--text", "Hostages in Doha", "--outlet", "bbc")
    assert explained.startswith("it-s-doha: found")


def test_a_watch_takes_no_filter_that_it_could_not_keep(desk: Desk) -> None:
    result = desk.run("items", "search", "doha", "--as-watch", "--since", "7d")
    assert result.exit_code == 2
    assert "--since" in result.stderr
    assert "did you mean" in desk.run("items", "search", "doha", "--as-watch", "--outlet", "bcc").stderr
    assert "wirewatch init" in CliRunner().invoke(cli, ["items", "search", "doha", "--as-watch"]).stderr
    assert desk.run("items", "search", "doha", "--as-watch", "--language", "he").stdout == (
        '[[watch]]\nid = "doha"\ntitle = "doha"\nwhen = "(doha) AND lang:he"\n'
    )
