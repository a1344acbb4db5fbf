"""``wirewatch watches mute`` and what ``watches list`` says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.cli.mute import _moment
from monitor.model.alerts import Held
from tests.monitor.cli.desk import Desk

ZONE = ZoneInfo("Asia/Jerusalem")


def muted(desk: Desk) -> dict[str, datetime]:
    return dict(desk.ask(lambda store: store.muted(datetime.now(UTC))))


def written(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M %Z}"


def test_a_watch_is_muted_for_a_while_and_listed_so(desk: Desk) -> None:
    before = datetime.now(UTC)
    out = desk.said("watches", "mute", "crossings", "--for", "2h")
    until = muted(desk)["crossings"]
    assert timedelta(0) <= until - before - timedelta(hours=2) < timedelta(minutes=1)
    assert out == f"crossings is muted until {written(until)}.\n"
    listed = desk.said("watches", "list").splitlines()
    assert "muted until" in listed[0]
    assert written(until) in next(line for line in listed if line.startswith("crossings"))
    rows = {row["id"]: row["muted_until"] for row in desk.told("watches", "list")}
    assert rows == {"deal": None, "crossings": until.isoformat()}


def test_a_time_of_day_is_that_of_the_service(desk: Desk) -> None:
    there = (datetime.now(ZONE) + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    desk.said("watches", "mute", "crossings", "--until", f"{there:%Y-%m-%dT%H:%M}")
    assert muted(desk)["crossings"] == there


def test_f117_a_time_that_the_clock_leaps_over_or_shows_twice_is_one_moment() -> None:
    assert _moment("2027-03-26T02:30", ZONE) == datetime(2027, 3, 26, 0, 30, tzinfo=UTC)  # 02:00 becomes 03:00
    assert _moment("2026-10-25T01:30", ZONE) == datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # shown twice: the first
    assert _moment("2026-11-25T08:00+00:00", ZONE) == datetime(2026, 11, 25, 8, tzinfo=UTC)


def test_f137_what_waited_is_suppressed_and_counted(desk: Desk) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    held = Held(until=until, gather="digest", reason="digest every 15m")
    waits = desk.file("Aid through Rafah", watch="crossings", held=held)
    desk.file("Talks in Doha", held=held)
    out = desk.said("watches", "mute", "crossings", "--for", "30m")
    assert out.endswith(". 2 alerts that waited are not sent.\n")
    row = desk.alert(waits["desk"])
    assert (row.condition, row.reason) == ("suppressed", "muted")
    assert desk.said("alerts", "list", "--state", "suppressed").count("muted") == 2
    assert len(desk.told("alerts", "list", "--state", "pending")) == 2


def test_off_lets_it_speak_again(desk: Desk) -> None:
    desk.said("watches", "mute", "crossings", "--for", "2h")
    assert desk.said("watches", "mute", "crossings", "--off") == "crossings speaks again.\n"
    assert muted(desk) == {}
    assert desk.said("watches", "mute", "crossings", "--off") == "crossings is not muted.\n"


def test_muted_again_the_new_end_counts(desk: Desk) -> None:
    desk.said("watches", "mute", "crossings", "--for", "20h")
    desk.said("watches", "mute", "crossings", "--for", "1m")
    assert muted(desk)["crossings"] < datetime.now(UTC) + timedelta(minutes=2)


def test_a_critical_watch_is_muted_only_when_that_is_meant(desk: Desk) -> None:
    for answer in ("n\n", ""):
        result = desk.run("watches", "mute", "deal", "--for", "2h", answer=answer)
        assert result.exit_code == 1
        assert "deal is critical. Tell nobody what it finds until" in result.output
    assert muted(desk) == {}
    assert "deal is muted until" in desk.said("watches", "mute", "deal", "--for", "2h", answer="y\n")
    assert "deal is muted until" in desk.said("watches", "mute", "deal", "--for", "3h", "--yes")


@pytest.mark.parametrize("rest", [("--for", "1h"), ("--off",)])
def test_an_unknown_watch_is_named_with_the_nearest(desk: Desk, rest: tuple[str, ...]) -> None:
    result = desk.run("watches", "mute", "crosings", *rest)
    assert result.exit_code == 1
    assert result.output == 'No watch is called crosings; did you mean "crossings"?\n'


def test_a_watch_that_was_taken_out_of_its_file_can_be_let_speak(desk: Desk) -> None:
    desk.ask(lambda store: store.mute("of-yesterday", datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC)))
    assert desk.said("watches", "mute", "of-yesterday", "--off") == "of-yesterday speaks again.\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "give one of --for, --until and --off"),
        (("--for", "1h", "--off"), "give one of"),
        (("--for", "1h", "--until", "2099-01-01T00:00"), "give one of"),
        (("--for", "1"), "a number and a unit"),
        (("--for", "0m"), "must lie ahead"),
        (("--for", "999999999d"), "--for"),
        (("--until", "tomorrow"), "2026-11-25T08:00"),
        (("--until", "2020-01-01T00:00"), "must lie ahead"),
        (("--until", "9999-12-31T23:59"), "at most 366 days"),
        (("--until", "0001-01-01T00:00"), "--until"),
    ],
)
def test_an_end_that_is_none_is_refused(desk: Desk, args: tuple[str, ...], says: str) -> None:
    result = desk.run("watches", "mute", "crossings", *args)
    assert result.exit_code == 2
    assert says in result.output
    assert muted(desk) == {}
