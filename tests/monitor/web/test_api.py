"""The API: what the page shows and does, for other tools, as its own description says."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from monitor.errors import StoreBusy
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Decision, Filing
from monitor.model.items import Spot
from monitor.model.messages import Delivery
from monitor.model.sources import Outcome, SourceState
from monitor.model.stories import Placed
from monitor.stories import identity
from monitor.web.picking import cursor
from tests.monitor.web.desk import NOW, Desk
from tests.monitor.web.doors import READ, REVIEW, ask, locked

pytestmark = pytest.mark.anyio


@pytest.fixture
def behind(desk: Desk) -> Desk:
    """The page behind a login."""
    desk.config = locked(desk.config)
    return desk


async def get(desk: Desk, path: str, status: int = 200) -> Any:
    got = await ask(desk, f"/api/v1{path}", token=READ)
    assert got.status == status, got.text
    assert got.headers["content-type"] == "application/json"
    return json.loads(got.text)


async def post(desk: Desk, path: str, told: object, status: int = 200) -> Any:
    got = await ask(desk, f"/api/v1{path}", method="POST", json=told, token=REVIEW)
    assert got.status == status, got.text
    return json.loads(got.text)


def candidate(number: int) -> Candidate:
    title = f"Report {number}"
    return Candidate(
        id=identity.item_id("bbc", f"url:{number}"), entry=Entry(title=title, url=f"https://bbc.example/{number}"),
        keys=(f"url:{number}",), text_hash=identity.text_hash(title, ""), language="en",
    )  # fmt: skip


async def placed(desk: Desk, title: str, outlet: str, *, age: float) -> str:
    """File one entry into the one story there is; its id."""
    at, key = NOW - timedelta(minutes=age), f"url:{title}"
    entry = Entry(title=title, url=f"https://{outlet}.example/{age}")
    text = identity.text_hash(title, "")
    new = Candidate(id=identity.item_id(outlet, key), entry=entry, keys=(key,), text_hash=text, language="en")
    address = f"https://{outlet}.example/feed"
    answer = Answer(
        source=f"{outlet}/main", outlet=outlet, url=address, final_url=address, at=at, outcome=Outcome.OK,
        entries=(entry,),
    )  # fmt: skip
    state = SourceState(
        id=f"{outlet}/main", outlet=outlet, url=address, host=f"https://{outlet}.example:443", next_due=at,
    )  # fmt: skip
    decision = Decision(placed=Placed(story="doha-talks", score=0.9, reason="the same words"))
    filing = Filing(answer=answer, candidates=(new,), after=state, held=state)
    await desk.store.file(filing, lambda _change, _ledger: decision)
    return new.id


# ------------------------------------------------------------------ items


async def test_items_are_given_newest_first_with_their_reviews(behind: Desk) -> None:
    older, newer = await behind.file("Talks resume in Doha", age=9), await behind.file("Rain", age=1)
    await behind.store.remark([older], by="Dana", kind="verdict", value="relevant", now=NOW)
    told = await get(behind, "/items")
    assert [each["id"] for each in told["items"]] == [newer, older]
    assert told["next"] is None
    assert told["items"][1] | {"title": "Talks resume in Doha", "verdict": "relevant", "by": "Dana"} == told["items"][1]
    assert told["items"][0] | {"verdict": "", "starred": False, "notes": [], "outlet": "bbc"} == told["items"][0]


@pytest.mark.parametrize(
    ("asked", "found"),
    [("outlet=kan", ["he"]), ("language=he", ["he"]), ("watch=doha", ["doha"]), ("watch=*", ["doha"]),
     ("review=unreviewed", ["rain", "he"]), ("review=noise", ["doha"]), ("since=5m", ["rain"]),
     ("before=5m", ["he", "doha"]), ("since=2026-11-24T13:45&before=2026-11-24T13:55", ["he"]), ("outlet=none", []),
     ("q=rain", ["rain"]), ("q=doha+OR+rain", ["rain", "doha"]), ("q=doha&review=unreviewed", [])],
)  # fmt: skip
async def test_the_filter_is_that_of_the_page(behind: Desk, asked: str, found: list[str]) -> None:
    names = {
        await behind.file("Talks resume in Doha", age=30): "doha",
        await behind.file("שיחות", language="he", outlet="kan", age=10): "he",
        await behind.file("Rain", age=1): "rain",
    }
    await behind.store.remark([next(iter(names))], by="Dana", kind="verdict", value="noise", now=NOW)
    assert [names[each["id"]] for each in (await get(behind, f"/items?{asked}"))["items"]] == found


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [("language=xx", 422, "language"), ("since=yesterday", 400, "is no time"), ("limit=0", 422, "limit"),
     ("limit=201", 422, "limit"), ("outlets=bbc", 422, "outlets"), ("cursor=x", 400, "cursor"),
     ("q=(", 400, "q, letter"),
     ("since=0001-01-01T00:00%2B14:00", 400, "is no time"), ("before=9999-12-31T23:59-14:00", 400, "is no time"),
     ("cursor=%00", 400, "cursor"), ("q=NOT+a", 400, "q, letter")],
)  # fmt: skip
async def test_what_cannot_be_read_is_told_in_json(behind: Desk, asked: str, code: int, says: str) -> None:
    assert says in (await get(behind, f"/items?{asked}", code))["error"]


async def test_pages_follow_each_other_without_gaps_also_among_items_of_one_answer(behind: Desk) -> None:
    await behind.file_all(candidate(number) for number in range(100))
    for number in range(30):
        await behind.file(f"At the same moment: {number}")
    await behind.file("The newest", age=-1)
    seen: list[str] = []
    follows, pages = "", 0
    while True:
        told = await get(behind, f"/items?limit=50&cursor={follows}")
        seen += [each["id"] for each in told["items"]]
        pages += 1
        await behind.file(f"Filed meanwhile {pages}", age=-1 - pages)
        if told["next"] is None:
            break
        follows = told["next"]
    assert (len(seen), len(set(seen)), pages) == (131, 131, 3)


async def test_a_page_after_an_item_that_is_gone_leaves_nothing_out(behind: Desk) -> None:
    names = {await behind.file(title) for title in ("Rain", "Snow", "Hail")}
    told = await get(behind, f"/items?cursor={cursor(Spot(NOW, 'gone'))}")
    assert {each["id"] for each in told["items"]} == names, "all were first seen at that very moment"


async def test_an_item_is_given_whole(behind: Desk) -> None:
    item = await behind.file("Talks resume in Doha", age=20, key="k", body="In Doha.")
    await behind.file("Talks broken off in Doha", age=5, key="k", body="In Doha.")
    await post(behind, "/reviews", {"items": [item], "kind": "note", "value": "seen\u0000 <b>"})
    told = await get(behind, f"/items/{item}")
    assert [each["title"] for each in told["texts"]] == ["Talks resume in Doha", "Talks broken off in Doha"]
    assert told["body"] == "In Doha."
    [match] = told["matches"]
    assert (match["watch"], match["spans"][0]["term"]) == ("doha", "Doha")
    assert {(each["channel"], each["state"]) for each in told["alerts"]} == {("desk", "pending"), ("duty", "pending")}
    assert [(each["by"], each["kind"]) for each in told["remarks"]] == [("writer", "note")]


@pytest.mark.parametrize(
    "path", ["/items/none", "/stories/none", "/alerts/none", "/nothing", "/items/%00", "/items/a%2F.."]
)
async def test_what_is_not_there_is_404_in_json(behind: Desk, path: str) -> None:
    assert (await get(behind, path, 404))["error"]


# ------------------------------------------------------------------ the rest


async def test_stories_are_given_with_timeline_and_members(behind: Desk) -> None:
    first = await placed(behind, "Talks resume in Doha", "bbc", age=9)
    second = await placed(behind, "Talks in Doha go on", "kan", age=3)
    [story] = (await get(behind, "/stories?since=1h"))["stories"]
    assert story | {"headline": "Talks resume in Doha", "items": 2, "outlets": 2, "first": "BBC News"} == story
    assert await get(behind, "/stories?outlets=3") == {"stories": []}
    assert await get(behind, "/stories?language=ar") == {"stories": []}
    for name in (story["id"], second):
        told = await get(behind, f"/stories/{name}")
        assert [each["id"] for each in told["members"]] == [first, second]
        assert [(each["what"], each["item"]) for each in told["timeline"]["moments"]] == [
            ("first", first), ("followed", second),
        ]  # fmt: skip
        assert told["linked"] == []


async def test_what_is_configured_is_given(behind: Desk) -> None:
    told = await get(behind, "/watches")
    assert [(each["id"], each["when"], each["muted_until"]) for each in told["watches"]] == [("doha", "doha", None)]
    assert [each["id"] for each in (await get(behind, "/outlets"))["outlets"]] == ["bbc", "kan"]
    await behind.file("Rain")
    [source] = (await get(behind, "/sources"))["sources"]
    assert (source["source"], source["state"]) == ("bbc/main", "ok")
    assert (await get(behind, "/status"))["items"] == 1


async def test_reviews_are_given_and_taken_back(behind: Desk) -> None:
    items = [await behind.file("Talks resume in Doha"), await behind.file("Rain")]
    told = await post(behind, "/reviews", {"items": [*items, "none"], "kind": "verdict", "value": "noise"})
    assert [each["item"] for each in told["remarks"]] == items
    assert [each["verdict"] for each in (await get(behind, "/items"))["items"]] == ["noise", "noise"]
    numbers = [each["number"] for each in told["remarks"]]
    undone = await post(behind, "/reviews/undo", {"remarks": numbers})
    assert [each["undone"] for each in undone["remarks"]] == [True, True]
    assert [each["verdict"] for each in (await get(behind, "/items"))["items"]] == ["", ""]
    assert await post(behind, "/reviews/undo", {"remarks": [2**53 - 1]}) == {"remarks": []}


@pytest.mark.parametrize(
    "told",
    [{"items": [], "kind": "star", "value": "yes"}, {"items": ["a"], "kind": "star", "value": "no"}, [], "a", None,
     {"items": ["a"], "kind": "verdict", "value": "good"}, {"items": ["a"], "kind": "note", "value": " "},
     {"items": ["a"], "kind": "praise", "value": "yes"}, {"items": ["a"] * 501, "kind": "star", "value": "yes"},
     {"items": ["a"], "kind": "star", "value": "yes", "by": "Eve"}, {"items": ["a"], "kind": "note", "value": "\ud800"},
     {"items": ["a"], "kind": "note", "value": "a" * 4001}],
)  # fmt: skip
async def test_a_review_that_makes_no_sense_is_refused(behind: Desk, told: object) -> None:
    body = json.dumps(told).encode()
    headers = {"Content-Type": "application/json"}
    got = await ask(behind, "/api/v1/reviews", method="POST", data=body, token=REVIEW, headers=headers)
    assert got.status == 422
    assert json.loads(got.text)["error"]


async def test_a_review_of_nothing_is_404(behind: Desk) -> None:
    assert (
        "None of these"
        in (await post(behind, "/reviews", {"items": ["a"], "kind": "star", "value": "yes"}, 404))["error"]
    )


async def test_pages_hear_of_a_review(behind: Desk) -> None:
    item = await behind.file("Rain")
    stream = behind.live.stream()
    await anext(stream)
    await post(behind, "/reviews", {"items": [item], "kind": "star", "value": "yes"})
    assert await anext(stream) == f'event: reviewed\ndata: {{"items": ["{item}"]}}\n\n'
    await stream.aclose()  # type: ignore[attr-defined]


async def test_alerts_are_acknowledged_and_sent_again(behind: Desk) -> None:
    await behind.file("Talks resume in Doha")
    one, other = await behind.claimed()
    for message in (one, other):
        await behind.store.settle(message, Delivery(verdict="refused", detail="410"), now=NOW, due=None)
    dead = await get(behind, "/alerts?state=dead&channel=desk")
    [row] = dead["alerts"]
    assert await post(behind, "/alerts/resend", {"alerts": [row["id"], "none"]}) == {"alerts": [row["id"]]}
    assert (await get(behind, f"/alerts/{row['id']}"))["state"] == "pending"
    assert await post(behind, "/alerts/acknowledge", {"alerts": [row["id"]]}) == {"alerts": [row["id"]]}
    assert (await get(behind, f"/alerts/{row['id']}"))["acknowledged"] is not None
    assert len((await get(behind, "/alerts?watch=doha&limit=1"))["alerts"]) == 1


async def test_a_watch_is_muted_for_a_while(behind: Desk) -> None:
    await behind.file("Talks resume in Doha")
    told = await post(behind, "/watches/doha/mute", {"span": "4h"})
    assert (told["suppressed"], told["muted_until"]) == (
        2,
        (NOW + timedelta(hours=4)).isoformat().replace("+00:00", "Z"),
    )
    assert (await get(behind, "/watches"))["watches"][0]["muted_until"] is not None
    assert (await post(behind, "/watches/doha/mute", {"span": ""}))["muted_until"] is None
    assert "span" in (await post(behind, "/watches/doha/mute", {"span": "long"}, 400))["error"]
    assert (await post(behind, "/watches/none/mute", {"span": "4h"}, 404))["error"]


async def test_a_store_that_does_not_answer_is_told_in_json(behind: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_args: object, **_more: object) -> None:
        raise StoreBusy("locked")

    monkeypatch.setattr(behind.store, "items", busy)
    assert await get(behind, "/items", 503) == {"error": "The store does not answer: locked"}


async def test_methods_that_are_none_are_refused_in_json(behind: Desk) -> None:
    got = await ask(behind, "/api/v1/items", method="DELETE", token=REVIEW)
    assert (got.status, json.loads(got.text)["error"]) == (405, "Method Not Allowed")
    assert "GET" in got.headers["allow"]


# ------------------------------------------------------------------ its description


async def test_it_describes_itself_to_whoever_may_read(behind: Desk) -> None:
    assert (await ask(behind, "/api/v1/openapi.json")).status == 401
    told = await get(behind, "/openapi.json")
    assert told["openapi"].startswith("3.1")
    assert told["servers"] == [{"url": "/api/v1"}]
    assert {"HTTPBearer"} == set(told["components"]["securitySchemes"])
    operations = [each for methods in told["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert each["description"], each["operationId"]
        assert each["security"] == [{"HTTPBearer": []}]
        errors = {code: answer for code, answer in each["responses"].items() if code >= "400"}
        schemas = {answer["content"]["application/json"]["schema"]["$ref"] for answer in errors.values()}
        assert schemas == {"#/components/schemas/Problem"}, each["operationId"]


_CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
)  # fmt: skip
_RUN = settings(
    max_examples=12, derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


async def test_it_answers_as_it_describes_whatever_it_is_asked(behind: Desk) -> None:
    item = await behind.file("Talks resume in Doha", age=20, key="k", body="In Doha.")
    await behind.file("Talks broken off in Doha", age=5, key="k")
    await behind.file("שיחות ב-Doha", language="he", outlet="kan", suppressed="baseline")
    [remark] = await behind.store.remark([item], by="writer", kind="note", value="seen", now=NOW)
    known = {"item": item, "alert": (await behind.store.alerts(limit=1))[0].id, "watch": "doha", "story": item}
    called = await asyncio.to_thread(_fuzz, behind.url, known, remark.number)
    assert len(called) == 15, sorted(called)
    assert all(many >= 10 for many in called.values()), called


def _fuzz(url: str, known: dict[str, str], remark: int) -> dict[str, int]:
    """Operation → how often it was called. Each is also asked for what is there: invented names find nothing."""
    headers = {"Authorization": f"Bearer {REVIEW}"}
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", headers=headers)
    called: dict[str, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()

        @_RUN
        @given(case=operation.as_strategy())
        def asked(case: Any) -> None:
            called[case.operation.label] = called.get(case.operation.label, 0) + 1
            case.call_and_validate(headers=headers, checks=_CHECKS)
            if case.path_parameters:
                case.path_parameters = {name: known[name] for name in case.path_parameters}
                case.call_and_validate(headers=headers, checks=_CHECKS)
            if isinstance(case.body, dict):
                case.body |= {"items": [known["item"]]} if "items" in case.body else {}
                case.body |= {"alerts": [known["alert"]]} if "alerts" in case.body else {}
                case.body |= {"remarks": [remark]} if "remarks" in case.body else {}
                case.call_and_validate(headers=headers, checks=_CHECKS)

        asked()
    return called
