"""Feeds: what a reader's own parser makes of them, and that a reader who has it all is told so."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import feedparser
import pytest

from config.model.settings import Settings, Web
from monitor.language.display import balanced, one_line
from tests.monitor.web.desk import NOW, Desk, get
from tests.monitor.web.doors import ask
from tests.monitor.web.hostile import ADDRESSES, PAYLOADS

pytestmark = pytest.mark.anyio
ATOM = "{http://www.w3.org/2005/Atom}"


async def test_atom_is_read_by_a_readers_parser_without_complaint(desk: Desk) -> None:
    await desk.file("Talks resume in Doha", age=9, lead="On & on <b>", url="https://bbc.example/a?b=1&c=2")
    await desk.file("שיחות בדוחא", language="he", outlet="kan", age=1, url="https://kan.example/x")
    got = await get(desk, "/feed.atom")
    assert got.headers["content-type"] == "application/atom+xml; charset=utf-8"
    read = feedparser.parse(got.text)
    assert (read.bozo, read.version) == (False, "atom10")
    assert read.feed.title == "wirewatch: all items"
    newer, older = read.entries
    assert (newer.title, newer.link, newer.author) == ("שיחות בדוחא", "https://kan.example/x", "כאן")
    assert (older.link, older.summary) == ("https://bbc.example/a?b=1&c=2", "On & on <b>")
    assert [each.term for each in older.tags] == ["Talks <in> Doha"]
    assert older.updated == "2026-11-24T11:51:00Z"
    links = {each.rel: each.href for each in read.feed.links}
    assert links == {"self": f"{desk.url}/feed.atom", "alternate": f"{desk.url}/items"}


async def test_atom_has_what_its_standard_asks_for(desk: Desk) -> None:
    for number in range(3):
        await desk.file(f"Report {number}", key=str(number))
    top = ET.fromstring((await get(desk, "/feed.atom")).text)
    assert [len(top.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated", "author")] == [1, 1, 1, 1]
    for entry in top.findall(f"{ATOM}entry"):
        assert [len(entry.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert entry.find(f"{ATOM}title").get("type") == "text"  # type: ignore[union-attr]
        assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"


async def test_json_feed_says_the_same(desk: Desk) -> None:
    await desk.file("Talks resume in Doha", age=9, lead="On & on")
    got = await get(desk, "/feed.json?watch=doha")
    assert got.headers["content-type"] == "application/feed+json; charset=utf-8"
    told = json.loads(got.text)
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert told["title"] == "wirewatch: Talks <in> Doha"
    assert (told["feed_url"], told["home_page_url"]) == (
        f"{desk.url}/feed.json?watch=doha", f"{desk.url}/items?watch=doha",
    )  # fmt: skip
    [item] = told["items"]
    assert (item["external_url"], item["content_text"], item["tags"]) == (
        "https://bbc.example/a", "On & on", ["Talks <in> Doha"],
    )  # fmt: skip
    assert item["url"].startswith(f"{desk.url}/items/")
    assert item["date_published"] == item["date_modified"] == "2026-11-24T11:51:00Z"
    assert "content_html" not in item


@pytest.mark.parametrize(
    ("asked", "titles"), [("watch=*", ["Doha"]), ("outlet=kan", ["Rain"]), ("q=rain", ["Rain"]), ("language=ar", [])]
)
async def test_any_filter_makes_a_feed(desk: Desk, asked: str, titles: list[str]) -> None:
    await desk.file("Doha")
    await desk.file("Rain", outlet="kan")
    read = feedparser.parse((await get(desk, f"/feed.atom?{asked}")).text)
    assert [each.title for each in read.entries] == titles
    assert read.feed.updated
    told = json.loads((await get(desk, f"/feed.json?{asked}")).text)
    assert [each["title"] for each in told["items"]] == titles


@pytest.mark.parametrize("asked", ["since=yesterday", "language=xx", "q=("])
async def test_a_filter_that_cannot_be_read_is_told(desk: Desk, asked: str) -> None:
    for path in ("/feed.atom", "/feed.json"):
        got = await get(desk, f"{path}?{asked}")
        assert (got.status, got.headers["content-type"]) == (400, "text/plain; charset=utf-8")


async def test_an_entry_keeps_its_id_when_it_changes_and_wherever_it_is_read(desk: Desk) -> None:
    await desk.file("Talks resume in Doha", key="k", age=9)
    before = feedparser.parse((await get(desk, "/feed.atom")).text)
    await desk.file("Talks broken off in Doha", key="k", age=2)
    web = Web(public_url="https://desk.example/wire/")
    desk.config = desk.config.model_copy(update={"settings": Settings(web=web)})
    after = feedparser.parse((await get(desk, "/feed.atom?since=1d")).text)
    assert before.entries[0].id == after.entries[0].id
    assert before.entries[0].updated < after.entries[0].updated == "2026-11-24T11:58:00Z"
    assert {each.rel: each.href for each in after.feed.links}["self"] == "https://desk.example/wire/feed.atom?since=1d"
    assert before.feed.id != after.feed.id
    told = json.loads((await get(desk, "/feed.json")).text)
    assert told["items"][0]["id"] == after.entries[0].id


async def test_a_reader_who_has_it_is_told_so_until_something_changes(desk: Desk) -> None:
    await desk.file("Rain")
    for path in ("/feed.atom", "/feed.json"):
        first = await get(desk, path)
        tag = first.headers["etag"]
        for asked in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            got = await ask(desk, path, headers={"If-None-Match": asked})
            assert (got.status, got.text, got.headers["etag"]) == (304, "", tag)
        assert (await ask(desk, path, headers={"If-None-Match": '"other"'})).status == 200
        assert first.headers["cache-control"] == "private, no-cache"
    tag = (await get(desk, "/feed.atom")).headers["etag"]
    await desk.file("Snow")
    assert (await ask(desk, "/feed.atom", headers={"If-None-Match": tag})).status == 200


@pytest.mark.parametrize("part", range(0, len(PAYLOADS), 40))
async def test_f083_hostile_texts_are_text_in_feeds(desk: Desk, part: int) -> None:
    payloads = PAYLOADS[part : part + 40]
    for number, payload in enumerate(payloads):
        await desk.file(f"{payload} Doha", key=str(number), lead=payload, url=ADDRESSES[number % len(ADDRESSES)])
    text = (await get(desk, "/feed.atom")).text
    top = ET.fromstring(text)
    allowed = {"feed", "id", "title", "updated", "published", "link", "author", "name", "entry", "category", "summary"}
    assert {each.tag.removeprefix(ATOM) for each in top.iter()} <= allowed
    held = {balanced(one_line(item.title)) for item in await desk.store.items(limit=50)}
    told = json.loads((await get(desk, "/feed.json")).text)
    assert {each["title"] for each in told["items"]} == held
    assert {each.findtext(f"{ATOM}title") for each in top.iter(f"{ATOM}entry")} == held
    assert len(held) == len(payloads)
    links = [each.get("href", "") for each in top.iter(f"{ATOM}link")]
    links += [each.get("external_url", "https://") for each in told["items"]]
    assert all(link.startswith(("http://", "https://")) for link in links), links


async def test_f086_an_open_direction_mark_ends_with_its_title(desk: Desk) -> None:
    await desk.file("\u202eTalks \u2067in Doha")
    [entry] = feedparser.parse((await get(desk, "/feed.atom")).text).entries
    assert entry.title.count("\u202e") == entry.title.count("\u202c") == 1
    assert entry.title.count("\u2067") == entry.title.count("\u2069") == 1


async def test_letters_that_xml_cannot_hold_are_left_out(desk: Desk) -> None:
    await desk.file("Talks \ufffe\uffff in Doha \U0001f600")
    [entry] = feedparser.parse((await get(desk, "/feed.atom")).text).entries
    assert entry.title == "Talks  in Doha \U0001f600"


async def test_a_date_ahead_of_us_does_not_stay_on_top(desk: Desk) -> None:
    await desk.file("Rain", age=60)
    told = json.loads((await get(desk, "/feed.json")).text)
    assert told["items"][0]["date_published"] < NOW.isoformat()
