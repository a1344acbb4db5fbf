"""The soak in short: hours of a simulated world with faults and a kill, every promise checked each hour (F121)."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.rig.soak import Plan, Soak, bad


def test_f121_some_hours_of_faults_and_a_kill_break_no_promise(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    soak = Soak(Plan(seed=121, days=5 / 24, sources=40, kill_every=3, peace=0), tmp_path / "soak", results)
    assert soak.lived(time.monotonic() + 300)
    soak.reckoned()
    lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    assert [wrong for line in lines if "hour" in line for wrong in bad(line)] == []
    account = lines[-1]["account"]
    assert (account["lost"], account["unexpected"]) == ([], [])
    assert account["ok"] > 50
    assert lines[-1]["lives"] == 2
    assert len([fault for fault in lines[-1]["faults"] if fault]) > 10


def test_a_soak_goes_on_where_its_last_part_ended(tmp_path: Path) -> None:
    plan = Plan(seed=122, days=2 / 24, sources=10, kill_every=0, peace=0)
    first = Soak(plan, tmp_path / "soak", tmp_path / "results.jsonl")
    assert not first.lived(time.monotonic() + 0.1), "its time is over after an hour of the world"
    again = Soak(plan, tmp_path / "soak", tmp_path / "results.jsonl")
    assert again.lived(time.monotonic() + 300)
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text("utf-8").splitlines()]
    assert [line["hour"] for line in lines] == [1, 2]
    assert [wrong for line in lines for wrong in bad(line)] == []
