"""When alerts leave and who is told next: quiet hours, digests, escalation, cooldown, canary, heartbeat."""

from __future__ import annotations

from datetime import time, timedelta
from typing import NamedTuple

import pytest

from config.errors import ConfigError
from config.load import load
from config.model.settings import Channel
from config.model.watches import Watch
from config.model.whole import Config
from tests.config.right import SETTINGS, WATCHES, Write

SECRET = "canary7f3a"


def settings_with(lines: str, *, service: str = "") -> str:
    duty, own = (f'[[channel]]\nid = "{name}"\nurl = "page"\n' for name in ("duty", "desk"))
    return f"[service]\n{service}\n{duty}\n{own}{lines}\n"


def desk(write: Write, lines: str) -> Channel:
    [_, channel] = load(write({"wirewatch.toml": settings_with(lines), **WITHOUT_NAMES}), environ={}).settings.channel
    return channel


WITHOUT_NAMES = {"watches/doha.toml": WATCHES.replace('notify = ["newsroom"]\n', "")}


def told(write: Write, settings: str, **environ: str) -> Config:
    return load(write({"wirewatch.toml": settings, **WITHOUT_NAMES}), environ=environ)


# ------------------------------------------------------------------ what is taken


def test_quiet_hours_reach_over_midnight_and_are_written_from_and_to(write: Write) -> None:
    quiet = desk(write, 'quiet = { from = "23:00", to = "06:00" }').quiet
    assert quiet is not None
    assert (quiet.since, quiet.to) == (time(23), time(6))
    assert quiet.model_dump(mode="json") == {"from": "23:00", "to": "06:00"}


def test_quiet_hours_may_stand_in_a_table_of_their_own(write: Write) -> None:
    quiet = desk(write, '[channel.quiet]\nfrom = "12:00"\nto = "13:30"').quiet
    assert quiet is not None
    assert (quiet.since, quiet.to) == (time(12), time(13, 30))


def test_a_digest_is_gathered_for_a_while_or_sent_once_a_day(write: Write) -> None:
    assert desk(write, 'digest = "15m"').digest == timedelta(minutes=15)
    assert desk(write, 'digest_at = "07:30"').digest_at == time(7, 30)


def test_an_alert_that_nobody_acknowledged_goes_to_another_channel(write: Write) -> None:
    channel = desk(write, 'escalate_to = "duty"\nescalate_after = "10m"')
    assert (channel.escalate_to, channel.escalate_after) == ("duty", timedelta(minutes=10))


def test_a_watch_may_keep_quiet_after_an_alert(write: Write) -> None:
    text = WATCHES + 'cooldown = "30m"\n'
    assert load(write({"watches/doha.toml": text}), environ={}).watches["deal"].cooldown == timedelta(minutes=30)


def test_all_of_them_are_off_unless_they_are_written(write: Write) -> None:
    config = load(write({}), environ={})
    [channel], service = config.settings.channel, config.settings.service
    off = (channel.quiet, channel.digest, channel.digest_at, channel.escalate_to, channel.escalate_after)
    assert {*off, service.canary, service.heartbeat_url, config.watches["deal"].cooldown} == {None}


def test_the_canary_goes_to_a_channel(write: Write) -> None:
    assert told(write, settings_with("", service='canary = "duty"')).settings.service.canary == "duty"


def test_the_heartbeats_address_is_a_secret_kept_by_reference(write: Write) -> None:
    address = f"https://deadman.example/{SECRET}"
    config = told(write, settings_with("", service='heartbeat_url = "env:DEADMAN"'), DEADMAN=f" {address}\n")
    assert config.secrets["service.heartbeat_url"].get_secret_value() == address
    assert SECRET not in repr(config)
    assert SECRET not in config.model_dump_json()


def test_f143_the_heartbeats_file_that_others_can_read_is_warned_of(write: Write) -> None:
    folder = write({"wirewatch.toml": settings_with("", service='heartbeat_url = "file:beat"'), **WITHOUT_NAMES})
    (folder / "beat").write_text("https://deadman.example/x")
    (folder / "beat").chmod(0o644)
    config = load(folder, environ={})
    assert config.secrets["service.heartbeat_url"].get_secret_value() == "https://deadman.example/x"
    [warning] = config.warnings
    assert warning.startswith("file:beat: holds a secret and can be read by every account")


# ------------------------------------------------------------------ what is refused


class Wrong(NamedTuple):
    name: str
    settings: str
    line: int
    key: str
    says: str


def on_desk(name: str, lines: str, line: int, key: str, says: str) -> Wrong:
    return Wrong(name, settings_with(lines), 9 + line, f"channel.desk.{key}", says)


def in_service(name: str, line: str, key: str, says: str) -> Wrong:
    return Wrong(name, settings_with("", service=line), 2, f"service.{key}", says)


WRONG = [
    on_desk("quiet without end", 'quiet = { from = "23:00" }', 1, "quiet.to", "is missing"),
    on_desk("quiet without beginning", 'quiet = { to = "06:00" }', 1, "quiet.from", "is missing"),
    on_desk("quiet of no length", 'quiet = { from = "06:00", to = "06:00" }', 1, "quiet.to", "are none; leave"),
    on_desk(
        "quiet with more", 'quiet = { from = "23:00", to = "06:00", at = "x" }', 1, "quiet.at", "known here: from, to"
    ),
    on_desk("quiet hour 24", 'quiet = { from = "24:00", to = "06:00" }', 1, "quiet.from", '"07:30", "23:00"'),
    on_desk("quiet without minutes", 'quiet = { from = "23", to = "06:00" }', 1, "quiet.from", '"07:30", "23:00"'),
    on_desk("quiet as a number", 'quiet = { from = 23, to = "06:00" }', 1, "quiet.from", "in quotes"),
    on_desk("quiet as a time of TOML", 'quiet = { from = 23:00:30, to = "06:00" }', 1, "quiet.from", "in quotes"),
    on_desk("quiet as text", 'quiet = "23:00-06:00"', 1, "quiet", "must be a table"),
    on_desk("two digests", 'digest = "15m"\ndigest_at = "07:30"', 2, "digest_at", "choose `digest` or `digest_at`"),
    on_desk("digest at no time", 'digest_at = "7:30"', 1, "digest_at", "hours and minutes"),
    on_desk("digest of no length", 'digest = "0s"', 1, "digest", "is none; leave"),
    on_desk("digest past all time", 'digest = "99999999d"', 1, "digest", "longer than"),
    on_desk("digest without unit", 'digest = "15"', 1, "digest", "a number and a unit"),
    on_desk("escalation without end", 'escalate_to = "duty"', 1, "escalate_to", "go together"),
    on_desk("escalation to nobody", 'escalate_after = "10m"', 1, "escalate_after", "go together"),
    on_desk("escalation to itself", 'escalate_to = "desk"\nescalate_after = "1m"', 1, "escalate_to", "to itself"),
    on_desk(
        "f133: escalation to no channel", 'escalate_to = "dity"\nescalate_after = "1m"', 1, "escalate_to", '"duty"?'
    ),
    in_service("f133: a canary to no channel", 'canary = "dsk"', "canary", 'did you mean "desk"?'),
    in_service("a heartbeat in the clear", f'heartbeat_url = "https://x.example/{SECRET}"', "heartbeat_url", "never"),
    in_service("a heartbeat to nowhere", 'heartbeat_url = "env:NONE"', "heartbeat_url", "no such environment variable"),
    in_service("a heartbeat to a channel", 'heartbeat_url = "env:CHAT"', "heartbeat_url", "leads to no web address"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_f138_a_mistake_in_them_is_told_once_with_its_key(wrong: Wrong, write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        told(write, wrong.settings, CHAT=f"slack://{SECRET}/b/c")
    [problem] = caught.value.problems
    assert (problem.file, problem.line, problem.key) == ("wirewatch.toml", wrong.line, wrong.key)
    assert wrong.says in str(problem)
    assert SECRET not in str(caught.value)


def test_f138_a_cooldown_without_unit_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"watches/doha\.toml:7:1: watch\.deal\.cooldown: write a duration"):
        load(write({"wirewatch.toml": SETTINGS, "watches/doha.toml": WATCHES + "cooldown = 30\n"}), environ={})


# ------------------------------------------------------------------ origins that a watch waits for


def deal_with(write: Write, line: str) -> Watch:
    files = {"wirewatch.toml": SETTINGS, "watches/doha.toml": f"{WATCHES}{line}\n"}
    return load(write(files), environ={}).watches["deal"]


def test_a_watch_may_wait_for_origins_in_one_line_or_in_a_table(write: Write) -> None:
    for lines in (
        'corroborated = { origins = 3, within = "90m" }',
        '[watch.corroborated]\norigins = 3\nwithin = "90m"',
    ):
        rule = deal_with(write, lines).corroborated
        assert rule is not None
        assert (rule.origins, rule.within) == (3, timedelta(minutes=90))
        assert rule.model_dump(mode="json") == {"origins": 3, "within": "90m"}
    assert deal_with(write, "").corroborated is None


@pytest.mark.parametrize(
    ("rule", "key", "says"),
    [
        ("{ origins = 3 }", ".within", "is missing"),
        ('{ within = "90m" }', ".origins", "is missing"),
        ('{ origins = 1, within = "90m" }', ".origins", "2"),
        ('{ origins = 21, within = "90m" }', ".origins", "20"),
        ('{ origins = "3", within = "90m" }', ".origins", "number"),
        ('{ origins = 2.5, within = "90m" }', ".origins", "number"),
        ("{ origins = 3, within = 90 }", ".within", "a number and a unit"),
        ('{ origins = 3, within = "59s" }', ".within", 'from "1m" to "3d"'),
        ('{ origins = 3, within = "73h" }', ".within", 'from "1m" to "3d"'),
        ('{ origin = 3, within = "90m" }', ".origin", 'did you mean "origins"?'),
        ("3", "", "must be a table"),
    ],
)
def test_f138_a_mistake_in_what_a_watch_waits_for_is_told_with_its_place(
    write: Write, rule: str, key: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        deal_with(write, f"corroborated = {rule}")
    problem = next(each for each in caught.value.problems if each.key == f"watch.deal.corroborated{key}")
    assert (problem.file, problem.line) == ("watches/doha.toml", 7)
    assert says in str(problem)
