"""``[stories]``: the measured values stand when nothing is written, and what makes no sense is refused at its place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.errors import ConfigError
from config.load import load
from tests.config.right import Write


def test_the_shipped_values_are_those_that_were_measured() -> None:
    told = load(None).settings.stories
    assert (told.join, told.merge, told.link) == (0.25, 0.45, 0.35)
    assert (told.idle, told.hard) == (timedelta(hours=12), timedelta(hours=72))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("join = 0.5", ""), ("merge = 0.2", ""), ('idle = "4d"', ""), ('hard = "8d"', ""), ('idle = "0s"', ""),
        ("join = 0", ".join"), ("link = 1.5", ".link"), ("link = nan", ".link"), ("joins = 0.3", ".joins"),
    ],
)  # fmt: skip
def test_thresholds_that_make_no_sense_are_refused(write: Write, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(write({"wirewatch.toml": f"[stories]\n{text}\n"}), environ={})
    assert f"stories{key}" in [problem.key for problem in refused.value.problems]
