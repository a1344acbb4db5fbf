"""Exports: whole, in portions, safe in a spreadsheet, and with what reviewers said."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc

import aiohttp
import pytest

from monitor.model.entries import Candidate, Entry
from monitor.shapes import defused
from monitor.stories import identity
from tests.monitor.web.desk import NOW, Desk, get

pytestmark = pytest.mark.anyio


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff"), "spreadsheets take a file without it for another encoding"
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def candidates(many: int) -> list[Candidate]:
    return [
        Candidate(
            id=identity.item_id("bbc", f"url:{number}"), entry=Entry(title=f"Report {number}", lead="On. " * 900),
            keys=(f"url:{number}",), text_hash=identity.text_hash(f"Report {number}", ""), language="en",
        )
        for number in range(many)
    ]  # fmt: skip


async def test_both_forms_hold_the_same_items_with_their_reviews(desk: Desk) -> None:
    hebrew = await desk.file("שיחות בדוחא", language="he", outlet="kan", age=9, lead='אמר: "לא", וחזר\nבו')
    english = await desk.file("Talks resume in Doha", age=1)
    await desk.store.remark([hebrew], by="Dana", kind="verdict", value="relevant", now=NOW)
    await desk.store.remark([hebrew], by="Dana", kind="star", value="yes", now=NOW)
    for name in ("Dana", "Avi"):
        await desk.store.remark([hebrew], by=name, kind="note", value="=1+1", now=NOW)
    got = await get(desk, "/export.csv")
    assert got.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert got.headers["content-disposition"] == 'attachment; filename="wirewatch.csv"'
    rows = read(got.text)
    assert [row["id"] for row in rows] == [english, hebrew]
    assert rows[1]["summary"] == 'אמר: "לא", וחזר\nבו'
    assert (rows[1]["verdict"], rows[1]["starred"], rows[1]["by"]) == ("relevant", "True", "Dana")
    assert rows[1]["notes"] == "Dana: =1+1; Avi: =1+1"
    got = await get(desk, "/export.jsonl")
    assert got.headers["content-disposition"] == 'attachment; filename="wirewatch.jsonl"'
    told = [json.loads(line) for line in got.text.splitlines()]
    assert [each["id"] for each in told] == [english, hebrew]
    assert told[1]["notes"][0] == {"by": "Dana", "at": "2026-11-24T12:00:00+00:00", "text": "=1+1"}
    assert list(told[0]) == list(rows[0])


async def test_the_filter_is_that_of_the_page_and_an_empty_export_says_so(desk: Desk) -> None:
    await desk.file("Talks resume in Doha")
    await desk.file("Rain")
    assert [row["title"] for row in read((await get(desk, "/export.csv?watch=*")).text)] == ["Talks resume in Doha"]
    assert [row["title"] for row in read((await get(desk, "/export.csv?q=rain")).text)] == ["Rain"]
    empty = (await get(desk, "/export.csv?outlet=none")).text
    assert (read(empty), empty.count("\n"), "verdict" in empty) == ([], 1, True)
    assert (await get(desk, "/export.jsonl?outlet=none")).text == ""


@pytest.mark.parametrize("asked", ["since=yesterday", "language=xx", "q=(", "q=NOT+a"])
async def test_a_filter_that_cannot_be_read_is_told_before_anything_is_sent(desk: Desk, asked: str) -> None:
    for path in ("/export.csv", "/export.jsonl"):
        got = await get(desk, f"{path}?{asked}")
        assert (got.status, "content-disposition" in got.headers) == (400, False)


@pytest.mark.parametrize(
    "title",
    ['=HYPERLINK("https://evil.example","x")', "+1+1", "-1+1", "@SUM(1)", "＝1+1", "\t=1", "=cmd|' /C calc'!A0", "＠x"],
)
async def test_f092_a_spreadsheet_takes_no_headline_for_a_formula(desk: Desk, title: str) -> None:
    assert defused(title) == f"'{title}"
    await desk.file(title, lead=title)
    [row] = read((await get(desk, "/export.csv")).text)
    for value in row.values():
        assert not value.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＠")), value
    [told] = (await get(desk, "/export.jsonl")).text.splitlines()
    assert json.loads(told)["title"] == title, "programs get it as it is"


@pytest.mark.parametrize("title", ["a,b", 'a"b', "a\nb", "a\r\nb", "a;b", 'צה"ל', "עזה: 5 חטופים"])
def test_a_harmless_cell_stays_as_it_is(title: str) -> None:
    assert defused(title) == title


async def test_a_large_export_is_whole_and_held_in_memory_only_in_portions(desk: Desk) -> None:
    await desk.file_all(candidates(1500))
    got = await get(desk, "/export.jsonl")
    assert len({json.loads(line)["id"] for line in got.text.splitlines()}) == 1500
    size = len(got.text)
    assert size > 4_000_000
    tracemalloc.start()
    try:
        async with aiohttp.ClientSession() as client, client.get(f"{desk.url}/export.csv") as answer:
            lines = 0
            async for chunk in answer.content.iter_chunked(65536):
                lines += chunk.count(b"\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == 1501
    assert peak < size, "both sides together hold less than the whole"


async def test_who_leaves_in_the_middle_ends_the_export(desk: Desk) -> None:
    await desk.file_all(candidates(1500))
    async with aiohttp.ClientSession() as client, client.get(f"{desk.url}/export.csv") as answer:
        await answer.content.readexactly(1000)
        answer.close()
    assert (await get(desk, "/health")).status == 200
