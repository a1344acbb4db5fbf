"""What the command line says of watches that wait for other origins, and of the rows that wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.model.alerts import Held
from tests.monitor.cli.desk import Desk

RULE = 'corroborated = { origins = 3, within = "90m" }\n'


def waits(desk: Desk) -> None:
    """The first watch of the folder waits for three origins."""
    (file,) = (desk.folder / "watches").glob("*.toml")
    first, rest = file.read_text("utf-8").split("\n", 1)
    file.write_text(f"{first}\n{RULE}{rest}", "utf-8")


def test_a_listing_of_watches_says_what_they_wait_for(desk: Desk) -> None:
    assert "waits for" not in desk.said("watches", "list").splitlines()[0]
    assert {row["corroborated"] for row in desk.told("watches", "list")} == {None}
    waits(desk)
    listed = desk.said("watches", "list").splitlines()
    assert "waits for" in listed[0]
    assert "3 origins in 90m" in listed[1]
    assert desk.told("watches", "list")[0]["corroborated"] == {"origins": 3, "within": "90m"}


def test_a_backtest_says_that_origins_are_not_replayed(desk: Desk) -> None:
    said = "told once 3 origins report a story within 90m: that is not replayed here"
    assert said not in desk.said("watches", "test", "--text", "Doha")
    waits(desk)
    assert desk.said("watches", "test", "--text", "Doha").count(said) == 1


def test_a_row_that_waits_is_listed_with_what_for_and_until_when(desk: Desk) -> None:
    held = Held(
        until=datetime.now(UTC) + timedelta(hours=1), gather="corroborated:deal:s1",
        reason="waits for 3 origins, has 1 (reuters)",
    )  # fmt: skip
    desk.file("A deal in Doha", held=held)
    assert ": waits for 3 origins, has 1 (reuters)" in desk.said("alerts", "list")
    assert {row["gather"] for row in desk.told("alerts", "list")} == {"corroborated:deal:s1"}
