"""SIGKILL at every named point and at any moment: nothing is lost, and what repeats was in flight (F106, P1-P3).

The long form is ``make chaos`` (`tests.rig.chaos`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.chaos import bad, stage
from tests.rig.killable import POINTS
from tests.rig.lives import MISSED, RANDOMLY
from tests.rig.zygote import Zygote

POINTS_OF_THE_FAULT_LIST = {"after_fetch", "mid_file", "after_file", "after_claim", "after_send", "after_mark"}


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with Zygote("tests.rig.killable", tmp_path_factory.mktemp("zygote") / "log") as warm:
        yield warm


def test_the_points_are_those_of_the_fault_list_and_more() -> None:
    assert POINTS.keys() > POINTS_OF_THE_FAULT_LIST
    assert len(POINTS) >= 12


def test_f106_a_kill_at_every_point_in_turn_loses_nothing_and_repeats_only_with_the_same_key(
    tmp_path: Path, zygote: Zygote
) -> None:  # fmt: skip
    kinds = list(POINTS)
    random.Random(106).shuffle(kinds)
    lines = list(stage(tmp_path / "desk", kinds, 106, zygote))
    assert [wrong for line in lines for wrong in bad(line)] == []
    missed = sum(line["run"]["kind"] == MISSED for line in lines if "run" in line)
    assert missed <= 2, "a life may have had nothing to tell, and so not passed its point"
    assert lines[-1]["account"]["ok"] > 50


def test_f106_kills_at_any_moment_lose_nothing(tmp_path: Path, zygote: Zygote) -> None:
    lines = list(stage(tmp_path / "desk", [RANDOMLY] * 20, 107, zygote))
    assert [wrong for line in lines for wrong in bad(line)] == []
    assert lines[-1]["account"]["ok"] > 20
