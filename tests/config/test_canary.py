"""The canary's ids are its own, and where it goes must be a channel."""

from __future__ import annotations

import pytest

from config.crosscheck import BUILT_IN_OUTLET, BUILT_IN_WATCH, CANARY
from config.errors import ConfigError
from config.load import load
from config.model.settings import Settings
from monitor import canary, health
from tests.config.right import OUTLET, SETTINGS, WATCHES, Write


def test_the_ids_kept_are_those_that_are_used() -> None:
    assert canary.NAME == CANARY
    assert health.OUTLET == BUILT_IN_OUTLET
    assert health.built_in_watch(Settings()).id == BUILT_IN_WATCH
    assert (canary.built_in_outlet().id, canary.built_in_watch(Settings()).id) == (CANARY, CANARY)
    assert f"{CANARY}/{canary.built_in_outlet().source[0].id}" == canary.SOURCE


@pytest.mark.parametrize(
    ("file", "text", "key"),
    [
        ("watches/doha.toml", WATCHES.replace('"deal"', f'"{CANARY}"'), f"watch.{CANARY}.id"),
        ("wirewatch.toml", f'{SETTINGS}[[channel]]\nid = "{CANARY}"\nurl = "page"\n', f"channel.{CANARY}.id"),
        (f"outlets/{CANARY}.toml", OUTLET.replace('"bbc"', f'"{CANARY}"'), f"outlet.{CANARY}.id"),
    ],
)
def test_no_watch_channel_or_outlet_of_the_operators_bears_its_name(
    file: str, text: str, key: str, write: Write
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write({file: text}), environ={})
    (problem,) = caught.value.problems
    assert (problem.file, problem.key) == (file, key)
    assert f'"{CANARY}" is kept for the hourly canary of the service itself' in str(problem)


def test_no_watch_may_look_for_canaries(write: Write) -> None:
    text = WATCHES.replace('["bbc"]', f'["{CANARY}"]')
    with pytest.raises(ConfigError) as caught:
        load(write({"watches/doha.toml": text}), environ={})
    (problem,) = caught.value.problems
    assert f'no outlet is called "{CANARY}"' in str(problem)


def test_f133_the_canarys_channel_must_be_one(write: Write) -> None:
    settings = SETTINGS.replace("[service]\n", '[service]\ncanary = "newsrom"\n')
    with pytest.raises(ConfigError) as caught:
        load(write({"wirewatch.toml": settings}), environ={})
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == ("service.canary", 2)
    assert 'did you mean "newsroom"?' in str(problem)
