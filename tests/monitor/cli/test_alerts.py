"""``wirewatch alerts``: list, show, ack, resend, over a real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.model.alerts import Held
from tests.monitor.cli.desk import Desk

ZONE = ZoneInfo("Asia/Jerusalem")


def night() -> tuple[Held, str]:
    """Held for six hours, and how that end is written."""
    until = (datetime.now(UTC) + timedelta(hours=6)).replace(second=0, microsecond=0)
    local = until.astimezone(ZONE)
    return Held(until=until, gather="quiet hours", reason=f"quiet hours until {local:%H:%M}"), f"{local:%H:%M %Z}"


# ------------------------------------------------------------------ list


def test_what_waits_says_until_when_and_why(desk: Desk) -> None:
    held, end = night()
    desk.file("Talks in Doha", held=held)
    assert f"waits until {end}: quiet hours\n" in desk.said("alerts", "list")
    [row, _] = desk.told("alerts", "list")
    assert (row["state"], row["reason"], row["gather"]) == ("pending", held.reason, "quiet hours")
    assert datetime.fromisoformat(row["due"]) == held.until


def test_what_is_tried_again_says_what_came_of_it(desk: Desk) -> None:
    desk.file("Talks in Doha")
    desk.deliver("later", "status 503", channels=("duty",))
    listed = desk.said("alerts", "list", "--channel", "duty")
    assert "pending" in listed
    assert "status 503" in listed


def test_it_is_filtered_by_channel_severity_watch_and_state(desk: Desk) -> None:
    critical = desk.file("Talks in Doha")
    low = desk.file("Aid through Rafah", watch="crossings", severity="low")
    assert [row["id"] for row in desk.told("alerts", "list", "--severity", "low", "--channel", "duty")] == [low["duty"]]
    assert {row["id"] for row in desk.told("alerts", "list", "--watch", "deal")} == set(critical.values())
    assert desk.told("alerts", "list", "--state", "dead") == []
    assert desk.said("alerts", "list", "--state", "dead") == "No such alert.\n"


def test_the_limit_counts_what_the_filters_leave(desk: Desk) -> None:
    wanted = desk.file("Talks in Doha", age=timedelta(minutes=30))
    for number in range(4):
        desk.file(f"Aid {number}", watch="crossings", severity="low")
    rows = desk.told("alerts", "list", "--severity", "critical", "--limit", "2")
    assert {row["id"] for row in rows} == set(wanted.values())


def test_acknowledged_is_marked_and_one_word_is_enough_for_an_item_on_all_channels(desk: Desk) -> None:
    seen, open_ = desk.file("Talks in Doha"), desk.file("Talks go on in Doha")
    desk.deliver()
    waiting = desk.file("More talks in Doha")
    desk.said("alerts", "ack", seen["desk"])
    assert "delivered, acknowledged" in desk.said("alerts", "list")
    assert {row["id"] for row in desk.told("alerts", "list", "--unacknowledged")} == set(open_.values())
    assert waiting["desk"] in {row["id"] for row in desk.told("alerts", "list")}


def test_an_edit_after_that_is_unacknowledged_again(desk: Desk) -> None:
    first = desk.file("Talks in Doha", key="k", age=timedelta(minutes=9))
    desk.deliver()
    desk.said("alerts", "ack", first["desk"])
    edited = desk.file("Talks in Doha broken off", key="k", age=timedelta())
    desk.deliver()
    assert {row["id"] for row in desk.told("alerts", "list", "--unacknowledged")} == set(edited.values())


# ------------------------------------------------------------------ ack


def test_ack_says_what_was_done_with_each_and_names_those_that_are_none(desk: Desk) -> None:
    sent = desk.file("Talks in Doha")
    held, _ = night()
    waiting = desk.file("More talks in Doha", held=held)
    desk.deliver()
    desk.said("alerts", "ack", sent["duty"])
    when = desk.alert(sent["duty"]).acknowledged
    assert when is not None
    result = desk.run("alerts", "ack", sent["desk"], waiting["desk"], sent["duty"], "nothere", "nor-this")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{sent['desk']}: acknowledged",
        f"{waiting['desk']}: acknowledged; it had not left, and is not sent",
        f"{sent['duty']}: was acknowledged before, {when.astimezone(ZONE):%Y-%m-%d %H:%M %Z}",
        "No alert is called nothere, nor-this; ids stand in `wirewatch alerts list`.",
    ]
    assert desk.alert(sent["duty"]).acknowledged == when
    assert desk.alert(waiting["desk"]).condition == "suppressed"
    assert desk.alert(waiting["duty"]).condition == "pending"


def test_ack_of_a_watch_takes_what_was_told_and_leaves_what_waits(desk: Desk) -> None:
    told, other = desk.file("Talks in Doha"), desk.file("Aid through Rafah", watch="crossings")
    desk.deliver()
    held, _ = night()
    waits = desk.file("More talks in Doha", held=held)
    out = desk.said("alerts", "ack", "--watch", "deal")
    assert sorted(out.splitlines()) == sorted(f"{name}: acknowledged" for name in told.values())
    assert desk.alert(waits["desk"]).condition == "pending"
    assert desk.alert(other["desk"]).acknowledged is None
    assert desk.said("alerts", "ack", "--watch", "deal") == "Nothing of deal waits to be acknowledged.\n"


def test_ack_of_an_unknown_watch_names_the_nearest(desk: Desk) -> None:
    result = desk.run("alerts", "ack", "--watch", "dael")
    assert result.exit_code == 1
    assert result.output == 'No watch is called dael; did you mean "deal"?\n'


def test_ack_of_a_watch_that_was_taken_out_of_its_file_works(desk: Desk) -> None:
    desk.file("Talks in Doha", watch="of-yesterday")
    desk.deliver()
    assert desk.said("alerts", "ack", "--watch", "of-yesterday").count("acknowledged") == 2


@pytest.mark.parametrize("args", [(), ("a1", "--watch", "deal")])
def test_ack_needs_ids_or_a_watch(desk: Desk, args: tuple[str, ...]) -> None:
    result = desk.run("alerts", "ack", *args)
    assert result.exit_code == 2
    assert "give the ids of alerts, or --watch" in result.output


# ------------------------------------------------------------------ resend


def test_resend_says_how_many_and_names_those_that_cannot_be(desk: Desk) -> None:
    dead = desk.file("Talks in Doha")
    desk.deliver("refused", "status 404", channels=("duty",))
    result = desk.run("alerts", "resend", dead["duty"], dead["desk"])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "1 alert due now.",
        f"No dead or suppressed alert is called {dead['desk']}.",
    ]
    assert desk.alert(dead["duty"]).condition == "pending"


def test_all_dead_letters_of_a_channel_are_sent_again_when_asked_for(desk: Desk) -> None:
    one, two = desk.file("Talks in Doha"), desk.file("Aid through Rafah", watch="crossings")
    desk.deliver("refused", "status 404")
    declined = desk.run("alerts", "resend", "--dead", answer="n\n")
    assert declined.exit_code == 1
    assert "Send 4 alerts again?" in declined.output
    assert desk.alert(one["duty"]).condition == "dead"
    assert "2 alerts due now." in desk.said("alerts", "resend", "--dead", "--channel", "duty", answer="y\n")
    assert [desk.alert(each["duty"]).condition for each in (one, two)] == ["pending"] * 2
    assert desk.alert(one["desk"]).condition == "dead"
    assert desk.said("alerts", "resend", "--dead", "--yes") == "2 alerts due now.\n"
    assert desk.said("alerts", "resend", "--dead", "--yes") == "No alert is dead.\n"


def test_a_question_that_nobody_answers_is_a_no(desk: Desk) -> None:
    one = desk.file("Talks in Doha")
    desk.deliver("refused", "status 404")
    assert desk.run("alerts", "resend", "--dead").exit_code == 1
    assert desk.alert(one["duty"]).condition == "dead"


@pytest.mark.parametrize("args", [(), ("a1", "--dead"), ("a1", "--channel", "duty"), ("--channel", "duty")])
def test_resend_needs_ids_or_dead(desk: Desk, args: tuple[str, ...]) -> None:
    result = desk.run("alerts", "resend", *args)
    assert result.exit_code == 2
    assert "give the ids of alerts, or --dead" in result.output


# ------------------------------------------------------------------ show


def test_show_says_everything_about_an_alert(desk: Desk) -> None:
    made = desk.file("5 חטופים: שיחות Doha היום", language="he")
    desk.deliver("refused", "status 404", channels=("duty",))
    desk.said("alerts", "ack", made["duty"])
    out = desk.said("alerts", "show", made["duty"])
    row = desk.alert(made["duty"])
    for said in (
        "\u20685 חטופים: שיחות Doha היום\u2069\n",
        f"alert        {row.id}, critical, new\n",
        "watch        deal: \u2068A deal is near\u2069\n",
        "channel      duty\n",
        "BBC News\u2069: https://bbc.example/a\n",
        f"item         {row.item}, revision {row.revision}\n",
        "state        dead, acknowledged\n",
        "because      status 404\n",
        f"message      {row.message}, tried 1×, last: status 404\n",
        f"key          {row.key}\n",
        "found by     Doha\n",
        "in the headline: \u20685 חטופים: שיחות [Doha] היום\u2069\n",
    ):
        assert said in out, said
    [told] = desk.told("alerts", "show", made["duty"])
    assert told["matched"] == [{"field": "title", "start": 16, "end": 20, "term": "Doha", "text": "Doha"}]
    assert told["told"]["language"] == "he"
    assert told["members"] == [row.id]
    assert told["acknowledged"] is not None


def test_show_tells_why_in_words_and_until_when(desk: Desk) -> None:
    held, end = night()
    waits = desk.file("Talks in Doha", held=held)
    assert f"because      waits until {end}: quiet hours\n" in desk.said("alerts", "show", waits["desk"])
    muted = desk.file("More talks in Doha", suppressed="muted")
    assert "because      its watch was muted (muted)\n" in desk.said("alerts", "show", muted["desk"])


def test_show_names_all_that_left_in_one_message(desk: Desk) -> None:
    due = Held(until=datetime.now(UTC) - timedelta(seconds=1), gather="digest", reason="digest every 15m")
    made = [desk.file(f"Talks in Doha, day {number}", held=due, severity="normal") for number in range(3)]
    desk.file("Aid through Rafah", watch="crossings", severity="normal")
    desk.deliver()
    first = made[0]["desk"]
    out = desk.said("alerts", "show", first)
    assert f"Its message {desk.alert(first).message} carries 3 alerts:" in out
    for number, each in enumerate(made):
        assert each["desk"] in out
        assert f"Talks in Doha, day {number}" in out
    assert "Rafah" not in out
    assert sorted(desk.told("alerts", "show", first)[0]["members"]) == sorted(each["desk"] for each in made)


def test_show_tells_the_text_that_matched_not_the_one_of_today(desk: Desk) -> None:
    first = desk.file("Talks in Doha", key="k")
    desk.file("Nothing new", key="k", age=timedelta(minutes=1))
    out = desk.said("alerts", "show", first["desk"])
    assert "\u2068Talks in Doha\u2069" in out
    assert "[Doha]" in out


def test_show_of_no_alert_says_so(desk: Desk) -> None:
    result = desk.run("alerts", "show", "nothere")
    assert (result.exit_code, result.output) == (
        1, "No alert is called nothere; ids stand in `wirewatch alerts list`.\n",
    )  # fmt: skip


def test_f042_what_a_receiver_answered_cannot_steer_the_terminal(desk: Desk) -> None:
    made = desk.file("Talks in Doha \x1b[31m")
    desk.deliver("refused", "status 404 \x1b[2J\r\nalert  forged", channels=("duty",))
    for command in (("alerts", "show", made["duty"]), ("alerts", "list")):
        out = desk.said(*command)
        assert "\x1b" not in out
        assert "\nalert  forged" not in out
