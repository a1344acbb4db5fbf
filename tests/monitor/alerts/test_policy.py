"""Policy: each match on each channel its watch speaks to makes exactly one row, due or suppressed with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.fields import SEVERITIES, ChangeClass
from config.model.settings import Channel
from config.model.watches import Watch
from monitor.alerts import policy
from monitor.alerts.waiting import Told
from monitor.model.alerts import Alert
from monitor.model.entries import Candidate, Entry
from monitor.model.filing import Change
from monitor.model.items import Item, Match, Revision
from tests.monitor.alerts.conftest import NOW

CHANNELS = (Channel(id="low", url="page", min_severity="low"), Channel(id="high", url="page", min_severity="high"))


def watch(name: str = "deal", **more: Any) -> Watch:
    return Watch(**{"id": name, "title": name, "when": "deal", "severity": "high", **more})


def change(item: Item, *, title_changed: bool = False, **more: Any) -> Change:
    told: dict[str, Any] = {"fresh": True, "completed": False, "matched_before": frozenset(), **more}
    if not told["fresh"] and not told["completed"]:
        told["before"] = replace(item, title="Another headline" if title_changed else item.title, lead="Another lead")
    revision = Revision(id="r2", item=item.id, seen=NOW, title=item.title, lead="", body="", text_hash="h")
    candidate = Candidate(id=item.id, entry=Entry(title=item.title), keys=("url:x",), text_hash="h", language="en")
    return Change(item=item, revision=revision, candidate=candidate, **told)


def setting(*watches: Watch, **more: Any) -> policy.Setting:
    told: dict[str, Any] = {"channels": CHANNELS, "zone": ZoneInfo("UTC"), "now": NOW}
    return policy.Setting(watches={each.id: each for each in watches}, **{**told, **more})


def rows(change_: Change, watch_: Watch, **more: Any) -> list[tuple[str, str, str]]:
    changed = ("number", "typo") if change_.before is not None else ()
    made = policy.rows(change_, (Match(watch=watch_.id),), setting(watch_, **{"changed": changed, **more}))
    return [(row.channel, row.state, row.suppressed) for row in made]


EDIT = {"fresh": False, "title_changed": True}
BEFORE: dict[str, Any] = {"matched_before": frozenset({"deal"})}


@pytest.mark.parametrize(
    ("changed", "watched", "state", "suppressed"),
    [
        ({}, {}, "new", ""),
        ({}, {"on": ("edited",)}, "new", "not in on"),
        ({"fresh": False, "completed": True}, {}, "completed", ""),
        ({"fresh": False, "completed": True}, {"on": ("edited",)}, "completed", "not in on"),
        (EDIT, {}, "edited:r2", ""),
        (EDIT, {"on": ("edited",)}, "edited:r2", ""),
        ({"fresh": False}, {}, "edited:r2", ""),
        ({**EDIT, **BEFORE}, {}, "edited:r2", "not in on"),
        ({**EDIT, **BEFORE}, {"on": ("new", "edited")}, "edited:r2", ""),
        ({"fresh": False, **BEFORE}, {"on": ("new", "edited")}, "edited:r2", ""),
        (
            {**EDIT, **BEFORE},
            {"on": ("new", "edited"), "edited": ("quote",)},
            "edited:r2",
            "not in edited: number, typo",
        ),
        (EDIT, {"on": ("new", "edited"), "edited": ("quote",)}, "edited:r2", ""),
    ],
)
def test_the_state_of_a_row_and_whether_the_watch_wants_it(
    item: Item, changed: dict[str, Any], watched: dict[str, Any], state: str, suppressed: str
) -> None:
    assert rows(change(item, **changed), watch(**watched)) == [("low", state, suppressed), ("high", state, suppressed)]


def test_a_first_body_makes_no_second_row_where_the_headline_matched(item: Item) -> None:
    assert rows(change(item, fresh=False, completed=True, **BEFORE), watch()) == []


def test_severity_decides_by_channel_and_a_named_channel_that_is_too_strict_says_so(item: Item) -> None:
    mild = watch(severity="normal")
    assert rows(change(item), mild) == [("low", "new", ""), ("high", "new", "below severity")]
    assert rows(change(item), watch(severity="normal", notify=("high",))) == [("high", "new", "below severity")]


def test_f133_a_named_channel_that_is_gone_still_gets_its_row(item: Item) -> None:
    assert rows(change(item), watch(notify=("gone", "low"))) == [("gone", "new", ""), ("low", "new", "")]


@pytest.mark.parametrize(
    ("published", "assumed", "suppressed"),
    [
        (NOW - timedelta(hours=3), False, "baseline"),
        (NOW - timedelta(hours=1), False, ""),
        (NOW, True, "baseline"),
        (NOW + timedelta(days=30_000), False, ""),
    ],
)
def test_f066_a_first_poll_tells_only_what_is_credibly_young(
    item: Item, published: Any, assumed: bool, suppressed: str
) -> None:
    dated = replace(item, published=published, published_assumed=assumed)
    assert rows(change(dated), watch(notify=("low",)), baseline=NOW - timedelta(hours=2)) == [
        ("low", "new", suppressed)
    ]


def test_f082_age_counts_from_first_seen_when_the_date_is_not_credible(item: Item) -> None:
    recent = watch(notify=("low",), max_age="2d")
    old = replace(item, published=NOW - timedelta(days=3))
    assert rows(change(old), recent) == [("low", "new", "too old")]
    assert rows(change(replace(old, published_assumed=True)), recent) == [("low", "new", "")]
    late = replace(old, published_assumed=True, first_seen=NOW - timedelta(days=3))
    assert rows(change(late), recent) == [("low", "new", "too old")]


def test_f069_a_copy_is_told_with_the_first_but_only_where_that_was_told(item: Item) -> None:
    told = {("deal", "low"): "a1"}
    assert rows(change(item), watch(), told=told) == [("low", "new", "told with a1"), ("high", "new", "")]
    assert rows(change(item), watch("other"), told=told) == [("low", "new", ""), ("high", "new", "")]


def test_a_copy_whose_headline_changed_is_another_text_and_is_told(item: Item) -> None:
    told = {("deal", "low"): "a1"}
    assert rows(change(item, **EDIT), watch(notify=("low",)), told=told) == [("low", "edited:r2", "")]


def test_an_edit_of_a_copy_below_its_headline_is_told_too(item: Item) -> None:
    told = {("deal", "low"): "a1"}
    edited = change(item, fresh=False, **BEFORE)
    assert rows(edited, watch(notify=("low",), on=("new", "edited")), told=told) == [("low", "edited:r2", "")]
    first = change(item, fresh=False)
    assert rows(first, watch(notify=("low",)), told=told) == [("low", "edited:r2", "told with a1")]


def test_p9_an_undecided_match_is_told(item: Item) -> None:
    match = Match(watch="deal", undecided="/a+b/")
    made = policy.rows(change(item), (match,), setting(watch(), channels=CHANNELS[:1]))
    assert [(row.suppressed, row.held) for row in made] == [("", None)]


def test_f137_a_muted_watch_says_nothing_on_any_channel_and_no_other_is_muted(item: Item) -> None:
    assert rows(change(item), watch(), muted={"deal"}) == [("low", "new", "muted"), ("high", "new", "muted")]
    assert rows(change(item), watch("other"), muted={"deal"}) == [("low", "new", ""), ("high", "new", "")]
    assert rows(change(item), watch(severity="critical"), muted={"deal"})[0] == ("low", "new", "muted")
    assert rows(change(item), watch(on=("edited",)), muted={"deal"})[0] == ("low", "new", "not in on")


def test_a_row_waits_by_the_rules_of_its_own_channel(item: Item) -> None:
    quick, slow = Channel(id="quick", url="page"), Channel(id="slow", url="page", digest=timedelta(hours=1))
    made = policy.rows(change(item), (Match(watch="deal"),), setting(watch(severity="normal"), channels=(quick, slow)))
    assert [(row.channel, row.held and row.held.until) for row in made] == [
        ("quick", None), ("slow", NOW + timedelta(hours=1)),
    ]  # fmt: skip


def test_what_is_suppressed_waits_for_nothing(item: Item) -> None:
    slow = Channel(id="slow", url="page", digest=timedelta(hours=1), min_severity="low")
    suppressing: list[dict[str, Any]] = [
        {"muted": {"deal"}}, {"told": {("deal", "slow"): "a1"}}, {"baseline": NOW + timedelta(hours=9)},
    ]  # fmt: skip
    for more in suppressing:
        made = policy.rows(
            change(item), (Match(watch="deal"),), setting(watch(severity="low"), channels=(slow,), **more)
        )  # fmt: skip
        assert [(bool(row.suppressed), row.held) for row in made] == [(True, None)]


def test_a_story_is_kept_quiet_on_the_channel_where_it_was_told(item: Item) -> None:
    before = Alert(
        id="a1", key="k", watch="deal", channel="low", item=item.id, revision="r1", state="new", severity="high",
        condition="delivered", created=NOW, due=NOW, delivered=NOW,
    )  # fmt: skip
    last = {("deal", "low"): Told(alert=before, story=item.id)}
    cool = watch(cooldown="30m", on=("edited",))
    for changed, waits in ((("date",), [f"cooldown:deal:{item.id}", None]), (("date", "quote"), [None, None])):
        made = policy.rows(
            change(item, **EDIT), (Match(watch="deal"),), setting(cool, last=last, changed=changed)
        )  # fmt: skip
        assert [row.held and row.held.gather for row in made] == waits
        assert [row.suppressed for row in made] == ["", ""], "nothing is discarded"


def test_f133_a_channel_that_is_gone_keeps_the_cooldown_and_no_other_wait(item: Item) -> None:
    made = policy.rows(change(item), (Match(watch="deal"),), setting(watch(severity="low", notify=("gone",))))
    assert [(row.channel, row.suppressed, row.held) for row in made] == [("gone", "", None)]


QUIET = {"from": "10:00", "to": "13:00"}
DIGESTS: list[dict[str, str]] = [{}, {"digest": "15m"}, {"digest_at": "07:30"}]


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    channels = [
        Channel.model_validate(
            {
                "id": f"c{n}", "url": "page", "min_severity": draw(st.sampled_from(SEVERITIES)),
                "quiet": draw(st.sampled_from([None, QUIET])), **draw(st.sampled_from(DIGESTS)),
            }
        )
        for n in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    ids = [channel.id for channel in channels]
    watches = [
        watch(
            f"w{n}",
            severity=draw(st.sampled_from(SEVERITIES)),
            on=draw(st.sampled_from([("new",), ("edited",), ("new", "edited")])),
            notify=tuple(draw(st.lists(st.sampled_from([*ids, "gone"]), unique=True))) if ids else (),
            max_age=draw(st.sampled_from([None, "1h", "2d"])),
            cooldown=draw(st.sampled_from([None, "30m"])),
        )
        for n in range(draw(st.integers(0, 4)))
    ]
    pairs = [(each.id, name) for each in watches for name in ids]
    return {
        "setting": setting(
            *watches,
            channels=channels,
            baseline=draw(st.sampled_from([None, NOW - timedelta(hours=2)])),
            told={pair: "a1" for pair in pairs if draw(st.booleans())},
            last={pair: told_before(*pair, draw(st.integers(-90, 90))) for pair in pairs if draw(st.booleans())},
            muted={each.id for each in watches if draw(st.booleans())},
            changed=tuple(draw(st.sets(st.sampled_from(get_args(ChangeClass))))),
        ),
        "fresh": draw(st.booleans()),
        "completed": draw(st.booleans()),
        "title_changed": draw(st.booleans()),
        "before": frozenset(each.id for each in watches if draw(st.booleans())),
        "age": draw(st.integers(-100, 100)),
        "assumed": draw(st.booleans()),
    }


def told_before(watch_: str, channel: str, minutes: int) -> Told:
    """The story's last alert: due so many minutes ago and sent, or to come."""
    due = NOW - timedelta(minutes=minutes)
    alert = Alert(
        id="a0", key="k", watch=watch_, channel=channel, item="i0", revision="r0", state="new", severity="low",
        condition="delivered" if due <= NOW else "pending", created=due, due=due, gather="" if due <= NOW else "digest",
        delivered=due if due <= NOW else None,
    )  # fmt: skip
    return Told(alert=alert, story="i0")


@given(situations())
def test_p1_every_match_has_one_row_on_every_channel_due_or_suppressed_with_a_reason(told: dict[str, Any]) -> None:
    published = NOW - timedelta(hours=told["age"])
    item = Item(
        id="i1", outlet="bbc", source="bbc/world", url=None, title="deal", lead="", language="en", kind="article",
        author="", published=published, published_assumed=told["assumed"], first_seen=NOW, revision="r1",
    )  # fmt: skip
    fresh, completed = told["fresh"], told["completed"] and not told["fresh"]
    before = frozenset() if fresh else told["before"]
    changed = change(
        item, fresh=fresh, completed=completed, title_changed=told["title_changed"], matched_before=before
    )  # fmt: skip
    at: policy.Setting = told["setting"]
    made = policy.rows(changed, [Match(watch=name) for name in at.watches], at)
    wanted = [
        (name, channel)
        for name, each in at.watches.items()
        if not (completed and name in before)
        for channel in (each.notify or [each.id for each in at.channels])
    ]
    assert [(row.watch, row.channel) for row in made] == wanted
    assert len({row.key for row in made}) == len(made)
    levels = {channel.id: SEVERITIES.index(channel.min_severity) for channel in at.channels}
    for row in made:
        if SEVERITIES.index(row.severity) < levels.get(row.channel, 0):
            assert row.suppressed == "below severity"
        else:
            assert row.suppressed in {
                "", "baseline", "not in on", "too old", "muted", "told with a1",
                f"not in edited: {', '.join(at.changed)}",
            }  # fmt: skip
        assert row.held is None or not row.suppressed
        assert row.held is None or row.severity != "critical"
        assert row.held is None or (row.held.until > NOW and row.held.gather and row.held.reason)
