"""The life of an article's page, from the real desk to the rows: edits, withdrawals, moves and live posts."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.load import load
from monitor.alerts.edits import edits
from monitor.cli import cli
from monitor.desk import Desk
from monitor.edition import edition
from monitor.model.alerts import Alert
from monitor.model.entries import Answer, Entry
from monitor.model.filing import Filed
from monitor.model.items import Item
from monitor.model.sources import Outcome, PageDue, SourceState
from monitor.ports import Store
from monitor.stories.copies import TitleIndex
from storage import open_store
from tests.monitor.newsroom import SetClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOST = "https://herald.example"
URL = f"{HOST}/world/12345"
OUTLET = """
id = "herald"
name = "The Herald"
home = "https://herald.example/"
language = "en"
time_zone = "UTC"
access = "page"
why = "A test."
keep = "body"
pages = "matched"
keep_fragment = '^post-'
[[source]]
id = "feed"
kind = "feed"
url = "https://herald.example/feed"
"""
WATCH = """
[[watch]]
id = "deal"
title = "A deal"
when = "hostages"
on = ["new", "edited", "withdrawn"]
severity = "high"
cooldown = "3h"
"""
SETTINGS = '[[channel]]\nid = "desk"\nurl = "page"\nmin_severity = "low"\n'
HEADLINE = "Mediators hope to free hostages"
TEXT = "Seven hostages are to be freed on Sunday, mediators said.\n\nThe army had no comment on Monday."


@dataclass(slots=True)
class Newsroom:
    folder: Path
    clock: SetClock
    store: Store
    desk: Desk

    async def lists(self, *entries: Entry) -> Filed:
        answer = Answer(
            source="herald/feed", outlet="herald", url=f"{HOST}/feed", final_url=f"{HOST}/feed", at=self.clock.at,
            outcome=Outcome.OK, entries=entries,
        )  # fmt: skip
        due = SourceState(
            id="herald/feed", outlet="herald", url=answer.url, host=f"{HOST}:443", next_due=self.clock.at,
            baselined=NOON - timedelta(days=1),
        )  # fmt: skip
        return await self._files(answer, due)

    async def answers(self, *entries: Entry, outcome: Outcome = Outcome.OK, status: int = 200, **more: Any) -> Filed:
        """What the one page that is due answers."""
        visits = await self.store.claim(self.clock.at, hosts=9, lease=timedelta(minutes=1))
        (due,) = (page for visit in visits for page in visit.pages)
        answer = Answer(
            source="herald/page", outlet="herald", page_of=due.item, at=self.clock.at, outcome=outcome, status=status,
            entries=entries, **{"url": due.url, "final_url": due.url, **more},
        )  # fmt: skip
        filed = await self._files(answer, due)
        await self.store.release_all()
        return filed

    async def _files(self, answer: Answer, due: SourceState | PageDue) -> Filed:
        in_force = self.desk.edition
        answer = self.desk.normalised(answer, in_force)
        filing = self.desk.matched(self.desk.identified(answer, due, in_force), (), in_force)
        return await self.desk.filed(filing, due, in_force)

    async def not_found(self) -> Filed:
        return await self.answers(outcome=Outcome.FAILED, status=404)

    async def pages_due(self) -> int:
        visits = await self.store.claim(self.clock.at, hosts=9, lease=timedelta(minutes=1))
        await self.store.release_all()
        return sum(len(visit.pages) for visit in visits)

    def later(self, **much: float) -> None:
        self.clock.at += timedelta(**much)

    async def item(self, title: str = HEADLINE) -> Item:
        (found,) = [each for each in await self.store.items(limit=99) if each.title == title]
        return found

    async def rows(self, item: str | None = None) -> list[tuple[str, str, str]]:
        """Newest first: state, condition and reason."""
        return [_row(row) for row in await self.store.alerts(watch="deal", item=item, limit=99)]

    def run(self, *args: str) -> str:
        result = CliRunner().invoke(cli, ["--config", str(self.folder), *args])
        assert result.exit_code == 0, result.output
        return result.output


def _row(row: Alert) -> tuple[str, str, str]:
    return row.state.partition(":")[0], row.condition, row.reason


def listed(title: str = HEADLINE, url: str = URL, **more: Any) -> Entry:
    return Entry(**{"title": title, "url": url, "guid": url, "published": NOON, **more})


def page(body: str = TEXT, url: str = URL, **more: Any) -> Entry:
    return Entry(**{"title": f"{HEADLINE} | The Herald", "url": url, "body": body, "published": NOON, **more})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def newsroom(tmp_path: Path) -> AsyncIterator[Newsroom]:
    for name, text in {
        "watches/deal.toml": WATCH, "outlets/herald.toml": OUTLET, "wirewatch.toml": SETTINGS,
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    clock, config = SetClock(), load(tmp_path)
    store = open_store(f"sqlite:///{tmp_path}/wirewatch.db")
    await store.register([], {"herald": 30})
    titles = TitleIndex(lambda title: frozenset(title.casefold().split()))
    desk = Desk(edition(config), store, clock, titles=titles, jitter=random.Random(1).random)
    yield Newsroom(tmp_path, clock, store, desk)
    await store.close()


pytestmark = pytest.mark.anyio
TOLD = ("new", "pending", "")


async def read_once(newsroom: Newsroom, body: str = TEXT, **more: Any) -> None:
    await newsroom.lists(listed())
    await newsroom.answers(page(body, **more))
    assert await newsroom.rows() == [TOLD]


# ------------------------------------------------------------------ edits


async def test_a_number_that_a_page_changes_is_told_at_once_with_its_class(newsroom: Newsroom) -> None:
    await read_once(newsroom, f"{TEXT}\n\nEight killed in Rafah, “none of us” spared")
    newsroom.later(minutes=15)
    await newsroom.answers(page(f"Nine hurt in Jenin, army denies report\n\n{TEXT.replace('Seven', 'Eight')}"))
    assert await newsroom.rows() == [("edited", "pending", ""), TOLD]
    texts = await newsroom.store.revisions((await newsroom.item()).id)
    assert [each.classes for each in texts] == [(), ("number",)]
    pieces = [piece for edit in edits(texts[0], texts[1]) for piece in edit.pieces if piece.kind != "kept"]
    assert [piece.text.strip() for piece in pieces] == ["Seven", "Eight"]


async def test_pages_are_read_again_until_three_days_have_passed(newsroom: Newsroom) -> None:
    await read_once(newsroom)
    for hours in (0.25, 1, 3, 8, 24, 72):
        newsroom.clock.at = NOON + timedelta(hours=hours) - timedelta(seconds=1)
        assert await newsroom.pages_due() == 0
        newsroom.clock.at = NOON + timedelta(hours=hours)
        await newsroom.answers(outcome=Outcome.UNCHANGED, status=304)
    newsroom.later(days=30)
    assert await newsroom.pages_due() == 0
    assert await newsroom.rows() == [TOLD]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TEXT, TEXT.replace("\n\n", "\n \n").replace(" to ", "\u00a0to ")),
        (f"{TEXT}\n\n1,204 views", f"Updated 3 minutes ago\n\n{TEXT}\n\n1,370 views"),
        (f"{TEXT}\n\nEight killed in Rafah", f"{TEXT}\n\nNine hurt in Jenin, army denies report"),
        (f"{TEXT}\n\nHostages on Monday [Name/Reuters]", f"{TEXT}\n\nSeventy hostages [Name/AFP]"),
    ],
)
async def test_spaces_counters_and_headlines_of_others_never_alert(newsroom: Newsroom, before: str, after: str) -> None:
    await read_once(newsroom, before)
    newsroom.later(minutes=15)
    assert (await newsroom.answers(page(after))).known == 1
    assert await newsroom.rows() == [TOLD]


async def test_what_is_added_to_a_live_blog_is_listed_and_never_told_as_an_edit(newsroom: Newsroom) -> None:
    await read_once(newsroom, kind="live")
    newsroom.later(minutes=15)
    await newsroom.answers(page(f"Ministers deny that 9 hostages are free.\n\n{TEXT}", kind="live"))
    assert await newsroom.rows() == [("edited", "suppressed", "not in edited: liveblog"), TOLD]


async def test_half_a_text_is_no_edit(newsroom: Newsroom) -> None:
    await read_once(newsroom)
    newsroom.later(minutes=15)
    marks = ("the answer was cut short on its way",)
    filed = await newsroom.answers(page(TEXT[:40]), outcome=Outcome.DEGRADED, marks=marks)
    assert (filed, (await newsroom.item()).body) == (Filed(), TEXT)


async def test_an_item_that_matches_first_after_an_edit_has_its_page_read_then(newsroom: Newsroom) -> None:
    await newsroom.lists(listed("Mediators meet"))
    assert await newsroom.pages_due() == 0
    await newsroom.lists(listed("Mediators meet about hostages"))
    assert await newsroom.pages_due() == 1


async def test_whose_text_it_is_a_page_may_say_in_its_data(newsroom: Newsroom) -> None:
    await read_once(newsroom, credits=("Reuters",))
    assert [(each.id, each.relation) for each in (await newsroom.item()).origins] == [
        ("herald", "own"), ("reuters", "credit"),
    ]  # fmt: skip


# ------------------------------------------------------------------ withdrawn and moved


async def test_an_article_that_answers_404_twice_is_told_as_withdrawn_and_once(newsroom: Newsroom) -> None:
    await read_once(newsroom)
    newsroom.later(minutes=15)
    await newsroom.not_found()
    assert await newsroom.rows() == [TOLD]
    newsroom.later(minutes=10)
    filed = await newsroom.not_found()
    assert filed.alerts_due == 1
    assert await newsroom.rows() == [("withdrawn", "pending", ""), TOLD]  # no cooldown
    assert (await newsroom.item()).withdrawn == NOON + timedelta(minutes=15)
    newsroom.later(hours=1)
    await newsroom.answers(page())
    assert (await newsroom.item()).withdrawn is None
    newsroom.later(hours=3)
    await newsroom.answers(outcome=Outcome.GONE, status=410)
    assert len(await newsroom.rows()) == 2
    assert (await newsroom.item()).withdrawn is not None


async def test_a_withdrawal_stands_in_listings_and_in_the_timeline(newsroom: Newsroom) -> None:
    await read_once(newsroom)
    newsroom.later(minutes=15)
    await newsroom.answers(outcome=Outcome.GONE, status=410)
    item = await newsroom.item()
    shown = await asyncio.to_thread(newsroom.run, "items", "show", item.id)
    assert "2026-11-24 12:15 UTC withdrawn: HTTP 410" in shown
    told = json.loads(await asyncio.to_thread(newsroom.run, "items", "show", item.id, "--json"))
    assert told["withdrawn"].startswith("2026-11-24T12:15")
    assert [each["what"] for each in told["whereabouts"]] == ["withdrawn"]
    row = json.loads(await asyncio.to_thread(newsroom.run, "items", "export"))
    assert row["withdrawn"].startswith("2026-11-24T12:15")
    timeline = await asyncio.to_thread(newsroom.run, "stories", "timeline", item.id)
    assert "The Herald takes it down (HTTP 410)" in timeline


async def test_an_article_that_nobody_was_told_of_is_marked_and_told_to_nobody(newsroom: Newsroom) -> None:
    await newsroom.store.mute("deal", NOON + timedelta(days=9), NOON)
    await newsroom.lists(listed())
    await newsroom.answers(page())
    newsroom.later(minutes=15)
    await newsroom.answers(outcome=Outcome.GONE, status=410)
    assert await newsroom.rows() == [("new", "suppressed", "muted")]
    assert (await newsroom.item()).withdrawn is not None


async def test_an_address_that_leads_to_the_front_page_is_noted_and_not_told(newsroom: Newsroom) -> None:
    await read_once(newsroom)
    newsroom.later(minutes=15)
    await newsroom.answers(outcome=Outcome.GONE, status=200, reason="the article's address leads to the front page")
    item = await newsroom.item()
    assert (item.body, item.withdrawn, await newsroom.rows()) == (TEXT, None, [TOLD])
    timeline = await asyncio.to_thread(newsroom.run, "stories", "timeline", item.id)
    assert "may have moved or removed it (the article's address leads to the front page)" in timeline


async def test_an_article_that_moved_is_the_same_when_its_feed_lists_it_at_its_new_address(newsroom: Newsroom) -> None:
    await read_once(newsroom)
    new = f"{HOST}/politics/12345-talks-in-doha"
    newsroom.later(minutes=15)
    await newsroom.answers(page(url=new), final_url=new, moved_to=new)
    assert (await newsroom.item()).url == new
    newsroom.later(minutes=5)
    filed = await newsroom.lists(listed(url=new))
    assert (filed.known, filed.new, await newsroom.rows()) == (1, 0, [TOLD])
    newsroom.later(minutes=40)
    visits = await newsroom.store.claim(newsroom.clock.at, hosts=9, lease=timedelta(minutes=1))
    assert [due.url for visit in visits for due in visit.pages] == [new]
    timeline = await asyncio.to_thread(newsroom.run, "stories", "timeline", (await newsroom.item()).id)
    assert "moves it to another address" in timeline


async def test_a_canonical_address_that_differs_is_an_address_of_the_item(newsroom: Newsroom) -> None:
    canonical = f"{HOST}/politics/talks-in-doha-12345"
    await read_once(newsroom, canonical=canonical)
    newsroom.later(minutes=5)
    assert (await newsroom.lists(listed(url=canonical))).known == 1


# ------------------------------------------------------------------ the posts of a live page


def post(number: int, text: str, *, at: datetime, url: str = URL) -> Entry:
    return Entry(
        title=text, lead=text, body=text, url=f"{url}#post-{number}", kind="live", post=True, published=at,
    )  # fmt: skip


async def test_posts_are_items_and_those_that_were_there_before_the_article_was_seen_are_not_told(
    newsroom: Newsroom,
) -> None:
    old = post(1, "Hostages: the hall fills.", at=NOON - timedelta(hours=1))
    await newsroom.lists(listed(kind="live"))
    await newsroom.answers(page(f"{TEXT}\n\n{old.body}", kind="live"), old)
    assert await newsroom.rows() == [("new", "suppressed", "baseline"), TOLD]
    newsroom.later(minutes=15)
    new = post(2, "Hostages: the envoy speaks.", at=newsroom.clock.at)
    quiet = post(3, "The weather in the capital.", at=newsroom.clock.at)
    filed = await newsroom.answers(page(f"{TEXT}\n\n{new.body}\n\n{quiet.body}", kind="live"), new, quiet, old)
    assert (filed.new, filed.alerts_due) == (2, 1)
    told = await newsroom.item(new.title)
    assert (told.kind, told.url, told.source) == ("live", new.url, "herald/page")
    assert [row[0] for row in await newsroom.rows(told.id)] == ["new"]
    assert await newsroom.pages_due() == 0  # a post has no page of its own
    newsroom.later(minutes=45)
    assert (await newsroom.answers(page(TEXT, kind="live"), new, quiet, old)).new == 0


async def test_an_update_whose_address_names_no_post_is_a_part_of_its_page(newsroom: Newsroom) -> None:
    await newsroom.lists(listed(kind="live"))
    part = Entry(title="Hostages", body="x", url=f"{URL}#top", kind="live", post=True, published=NOON)
    filed = await newsroom.answers(page(kind="live"), part)
    assert (filed.new, filed.revised, (await newsroom.item()).lead) == (0, 1, "")


async def test_posts_that_a_feed_lists_are_items_of_their_own(newsroom: Newsroom) -> None:
    posts = [listed(f"Hostages: post {n}", f"{URL}#post-{n}", kind="live") for n in (1, 2)]
    filed = await newsroom.lists(*posts)
    assert (filed.new, filed.alerts_due) == (2, 2)
    assert (await newsroom.item("Hostages: post 1")).kind == "live"
    assert (await newsroom.lists(*posts)).known == 2
    assert await newsroom.pages_due() == 0
