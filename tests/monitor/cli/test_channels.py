"""``wirewatch channels``: what each does, and test messages as a receiver gets them."""

from __future__ import annotations

import json

from tests.monitor.cli.desk import Desk


def test_the_list_says_when_each_channel_sends_and_keeps_addresses_to_itself(desk: Desk) -> None:
    first, second = desk.told("channels", "list")
    assert (first["quiet"], first["digest"], first["escalation"]) == ("23:00 to 06:00", "every 15m", "")
    assert (second["quiet"], second["digest"], second["escalation"]) == ("", "", "to desk after 10m")
    out = desk.said("channels", "list")
    assert "23:00 to 06:00" in out
    assert "desk.jsonl" not in out


def test_a_test_message_says_that_it_is_one(desk: Desk) -> None:
    assert desk.said("channels", "test", "desk") == "desk: sent\n"
    [line] = (desk.folder / "desk.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert told["headline"] == "This is a test of wirewatch"
    assert told["severity"] == "normal"


def test_a_test_digest_gathers_three_invented_alerts_in_three_languages(desk: Desk) -> None:
    assert desk.said("channels", "test", "desk", "--digest") == "desk: sent\n"
    [line] = (desk.folder / "desk.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert [each["language"] for each in told["alerts"]] == ["en", "he", "ar"]
    assert all("wirewatch" in each["headline"] for each in told["alerts"])
    out = desk.said("channels", "test", "duty", "--digest")
    assert out.endswith("duty: sent\n")
    for words in ("This is a test of wirewatch", "זוהי הודעת בדיקה של wirewatch", "هذه رسالة اختبار من wirewatch"):
        assert words in out


def test_every_test_message_has_a_key_of_its_own(desk: Desk) -> None:
    for args in ((), (), ("--digest",), ("--digest",)):
        desk.said("channels", "test", "desk", *args)
    keys = [json.loads(line)["key"] for line in (desk.folder / "desk.jsonl").read_text("utf-8").splitlines()]
    assert len(set(keys)) == 4


def test_a_channel_that_is_none_is_named(desk: Desk) -> None:
    result = desk.run("channels", "test", "dutty")
    assert (result.exit_code, result.output) == (1, "No channel is called dutty; there are desk, duty.\n")
