"""A page that was taken down: who is told of it, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model.settings import Channel
from config.model.watches import Watch
from monitor.alerts import policy
from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.entries import Candidate, Entry
from monitor.model.filing import Change
from monitor.model.items import Item, Revision, Whereabouts
from tests.monitor.alerts.conftest import NOW
from tests.monitor.alerts.parcels import gathered, words

PAGE = Channel(id="page", url="page", min_severity="low")
DIGEST = Channel(id="digest", url="page", min_severity="low", digest=timedelta(minutes=15))
TOLD = {("deal", "page"): "a1"}


def watch(**more: Any) -> Watch:
    return Watch(**{"id": "deal", "title": "A deal", "when": "deal", **more})


def rows(item: Item, *watches: Watch, **more: Any) -> list[tuple[str, str, str, str]]:
    revision = Revision(id="r1", item=item.id, seen=NOW, title=item.title, lead="", body="", text_hash="h")
    candidate = Candidate(id=item.id, entry=Entry(title=item.title), keys=(), text_hash="h", language="en")
    change = Change(item=item, revision=revision, candidate=candidate, fresh=False, completed=False, withdrawn=True)
    setting = policy.Setting(
        watches={each.id: each for each in watches}, channels=(PAGE, DIGEST), zone=ZoneInfo("UTC"), now=NOW,
        **{"told": TOLD, **more},
    )  # fmt: skip
    made = policy.withdrawn(change, setting)
    assert {row.state for row in made} <= {"withdrawn"}
    return [(row.watch, row.channel, row.suppressed, row.held.gather if row.held else "") for row in made]


@pytest.mark.parametrize(
    ("of", "more", "expected"),
    [
        ({}, {}, [("deal", "page", "", "")]),
        ({"cooldown": timedelta(hours=3)}, {}, [("deal", "page", "", "")]),
        ({"max_age": timedelta(minutes=1)}, {}, [("deal", "page", "", "")]),
        ({"on": ("new",)}, {}, [("deal", "page", "not in on", "")]),
        ({"on": ("edited", "withdrawn")}, {}, [("deal", "page", "", "")]),
        ({}, {"muted": {"deal"}}, [("deal", "page", "muted", "")]),
        ({}, {"told": {("deal", "digest"): "a1"}}, [("deal", "digest", "", "digest")]),
        ({}, {"told": {}}, []),
        ({}, {"told": {("removed", "page"): "a1", ("deal", "removed"): "a2"}}, []),
    ],
)
def test_a_withdrawal_is_told_where_the_item_was_and_nowhere_else(
    item: Item, of: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str, str, str]]
) -> None:
    assert rows(item, watch(**of), **more) == expected


def test_watches_tell_withdrawals_unless_they_say_otherwise() -> None:
    assert "withdrawn" in watch().on


@pytest.mark.parametrize("there", [False, True])
def test_the_message_says_since_when_and_by_what_the_article_is_gone(
    item: Item, make_alert: Callable[..., Alert], wording: Wording, there: bool
) -> None:
    since = NOW - timedelta(hours=1)
    gone = Whereabouts(item=item.id, at=since, what="withdrawn", words="HTTP 404")
    told = Telling(
        alert=make_alert(item, state="withdrawn"),
        item=replace(item, withdrawn=None if there else since),
        gone=gone,
    )
    said = words(gathered(told, kind="alert"), wording)
    assert f"The publisher has taken the article down: HTTP 404 since {wording.time(since)}." in said.body
    assert ("It is there again." in said.body) is there
    assert "Taken down" in said.body
    assert item.title in said.body
    assert item.url is not None
    assert item.url in said.body
    assert said.payload["state"] == "withdrawn"
    assert said.payload["withdrawn"] == {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "why": "HTTP 404"}


def test_other_messages_say_nothing_of_it(item: Item, make_alert: Callable[..., Alert], wording: Wording) -> None:
    said = words(gathered(Telling(alert=make_alert(item), item=item), kind="alert"), wording)
    assert said.payload["withdrawn"] is None
    assert "taken the article down" not in said.body
