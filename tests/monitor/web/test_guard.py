"""Who may ask what: by name, by login, by token, and from which page."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import aiohttp
import pytest

from config.model.settings import Settings, Web
from monitor.web import guard
from monitor.web.site import Site
from monitor.web.templating import templates
from tests.monitor.web.desk import Desk, get
from tests.monitor.web.doors import HTML, READ, REVIEW, ask, basic, csrf, locked, session

pytestmark = pytest.mark.anyio
CHANGES = ("/review", "/review/undo", "/alerts/acknowledge", "/alerts/resend", "/watches/doha/mute", "/logout")


@pytest.fixture
def behind(desk: Desk) -> Desk:
    """The page behind a login."""
    desk.config = locked(desk.config)
    return desk


async def review(desk: Desk, item: str, **more: str) -> dict[str, str]:
    return {"act": "verdict:relevant", "item": item, "back": "/", **more}


async def verdict(desk: Desk, item: str) -> object:
    found = (await desk.store.reviews([item])).get(item)
    return found.verdict if found else None


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("listens", "host", "ours"),
    [("0.0.0.0:8737", "192.168.1.2:8737", True), ("0.0.0.0:8737", "[fe80::1]:8737", True),
     ("[::]:8737", "10.0.0.1", True), ("0.0.0.0:8737", "evil.example", False), ("0.0.0.0:8737", "localhost:1", True),
     ("0.0.0.0:8737", "evil.example:8737", False), ("0.0.0.0:8737", "192.168.1.2:port", False),
     ("192.168.1.2:8737", "192.168.1.2:8737", True), ("192.168.1.2:8737", "192.168.1.3:8737", False),
     ("desk.example:8737", "desk.example:8737", True), ("desk.example:8737", "evil.example", False),
     ("127.0.0.1:8737", "192.168.1.2:8737", False)],
)  # fmt: skip
async def test_f146_only_names_that_nobody_else_can_point_here_are_answered(
    desk: Desk, listens: str, host: str, ours: bool
) -> None:
    desk.config = locked(desk.config, address=listens)
    assert (await get(desk, "/health", host=host)).status == (200 if ours else 421)


# ------------------------------------------------------------------ without a login


async def test_without_a_login_who_sits_here_reads_and_reviews(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    word = await csrf(desk, {})
    got = await ask(
        desk, "/review", method="POST", headers={"Origin": desk.url}, form=await review(desk, item, csrf=word)
    )
    assert got.status == 303, got.text
    assert await verdict(desk, item) == "relevant"
    assert (await desk.store.remarks(item))[0].by == "here"
    assert "Sign out" not in (await ask(desk, "/")).text


async def test_f146_a_change_needs_our_own_page_and_its_word(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    word = await csrf(desk, {})
    host = desk.url.removeprefix("http://")
    foreign: list[dict[str, str]] = [
        {}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"https://{host}.evil.example"},
        {"Origin": "http://localhost:1"}, {"Origin": f"http://{host}1"}, {"Origin": "http://127.0.0.1"},
        {"Origin": "http://[", "Sec-Fetch-Site": "same-origin"}, {"Origin": desk.url, "Sec-Fetch-Site": "cross-site"},
        {"Origin": desk.url, "Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Referer": f"{desk.url}/alerts"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": f"file://{host}"},
    ]  # fmt: skip
    for headers in foreign:
        for path in CHANGES:
            form = {**await review(desk, item, csrf=word), "alert": "a", "span": "1h", "undo": "1"}
            got = await ask(desk, path, method="POST", headers=headers, form=form)
            assert got.status == 403, (path, headers)
    for wrong in ({}, {"csrf": ""}, {"csrf": word[:-1]}, {"csrf": word + "A"}, {"csrf": "here"}, {"csrf": "ש"}):
        for path in CHANGES:
            form = {**await review(desk, item, **wrong), "alert": "a", "span": "1h", "undo": "1"}
            got = await ask(desk, path, method="POST", headers={"Origin": desk.url}, form=form)
            assert got.status == 403, (path, wrong)
    assert await verdict(desk, item) is None


async def test_a_browser_that_hides_where_it_comes_from_is_believed_when_it_says_same_origin(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    form = await review(desk, item, csrf=await csrf(desk, {}))
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}):
        assert (await ask(desk, "/review", method="POST", headers=headers, form=form)).status == 303


async def test_a_proxy_that_changes_the_name_needs_public_url(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    form = await review(desk, item, csrf=await csrf(desk, {}))
    headers = {"Origin": "https://desk.example"}
    assert (await ask(desk, "/review", method="POST", headers=headers, form=form)).status == 403
    web = Web(public_url="https://desk.example")
    desk.config = desk.config.model_copy(update={"settings": Settings(web=web)})
    assert (await ask(desk, "/review", method="POST", headers=headers, form=form)).status == 303
    headers = {"Origin": "http://desk.example"}
    assert (await ask(desk, "/review", method="POST", headers=headers, form=form)).status == 403


async def test_the_word_may_stand_in_a_header(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha")
    headers = {"Origin": desk.url, "X-CSRF": await csrf(desk, {})}
    assert (await ask(desk, "/review", method="POST", headers=headers, form=await review(desk, item))).status == 303
    told = {"items": [item], "kind": "star", "value": "yes"}
    assert (await ask(desk, "/api/v1/reviews", method="POST", headers=headers, json=told)).status == 200
    got = await ask(desk, "/api/v1/reviews", method="POST", headers={"Origin": desk.url}, json=told)
    assert (got.status, got.headers["content-type"]) == (403, "application/json")


async def test_f145_where_the_login_was_taken_away_other_machines_do_not_get_in(desk: Desk) -> None:
    """The page still listens for them until the service is started again."""

    async def asked(server: str) -> int:
        said: list[int] = []

        async def app(scope: object, receive: object, send: object) -> None:
            said.append(200)

        async def send(message: object) -> None:
            assert isinstance(message, dict)
            if message["type"] == "http.response.start":
                said.append(message["status"])

        async def receive() -> dict[str, object]:
            return {"type": "http.disconnect"}

        scope = {
            "type": "http", "method": "GET", "path": "/", "query_string": b"", "server": (server, 8737),
            "headers": [(b"host", b"localhost")],
        }  # fmt: skip
        site = Site(
            store=desk.store, edition=desk.edition, status=desk.looked, signer=desk.signer, live=desk.live,
            pages=templates(),
        )  # fmt: skip
        await guard.Guard(app, site, lambda: 0.0)(scope, receive, send)  # type: ignore[arg-type]
        return said[0]

    assert await asked("192.168.1.2") == 401
    assert await asked("::ffff:10.0.0.1") == 401
    assert await asked("unix") == 401
    assert await asked("127.0.0.1") == 200
    assert await asked("::ffff:127.0.0.1") == 200


# ------------------------------------------------------------------ tokens


async def test_tokens_open_what_they_may(behind: Desk) -> None:
    item = await behind.file("Talks resume in Doha")
    told = {"items": [item], "kind": "verdict", "value": "noise"}
    for token, status in (("", 401), ("x" * 24, 401), (READ, 200), (REVIEW, 200)):
        assert (await ask(behind, "/api/v1/items", token=token)).status == status
        assert (await ask(behind, "/metrics", token=token)).status == status
    for token, status in (("", 401), ("x" * 24, 401), (READ, 403), (REVIEW, 200)):
        assert (await ask(behind, "/api/v1/reviews", method="POST", json=told, token=token)).status == status
    assert [each.by for each in await behind.store.remarks(item)] == ["writer"]


async def test_feed_readers_show_a_token_as_a_password_and_only_read_with_it(behind: Desk) -> None:
    item = await behind.file("Talks resume in Doha")
    got = await ask(behind, "/feed.atom")
    assert (got.status, got.headers["www-authenticate"]) == (401, 'Basic realm="wirewatch", charset="UTF-8"')
    assert (await ask(behind, "/feed.atom", headers=basic(READ))).status == 200
    assert (await ask(behind, "/feed.atom", headers=basic("a good long password"))).status == 401
    told = {"items": [item], "kind": "verdict", "value": "noise"}
    for headers in (basic(REVIEW), {**basic(REVIEW), "Origin": behind.url}):
        assert (await ask(behind, "/api/v1/reviews", method="POST", json=told, headers=headers)).status == 401
    assert await verdict(behind, item) is None


@pytest.mark.parametrize(
    "shown",
    ["Bearer", "Bearer ", "Basic", "Basic !!!", "Basic " + "A" * 9, "Basic /w==", "Digest x", "bearer x", " ", "é"],
)
async def test_what_is_no_token_opens_nothing(behind: Desk, shown: str) -> None:
    assert (await ask(behind, "/api/v1/items", headers={"Authorization": shown})).status == 401
    assert (await ask(behind, "/health", headers={"Authorization": shown})).status == 200


async def test_a_wrong_token_is_not_made_good_by_a_session(behind: Desk) -> None:
    headers = {**await session(behind), "Authorization": f"Bearer {'x' * 24}"}
    assert (await ask(behind, "/api/v1/items", headers=headers)).status == 401


async def test_tokens_do_not_open_anything_in_an_address(behind: Desk) -> None:
    for name in ("token", "access_token", "secret", "key"):
        assert (await ask(behind, f"/feed.atom?{name}={READ}")).status == 401


# ------------------------------------------------------------------ who is led to the login


async def test_people_are_led_to_the_login_and_programs_are_told_401(behind: Desk) -> None:
    for path, there in (
        ("/", "/login"),
        ("/items?q=%D7%A2%D7%96&since=6h", "/login?next=%2Fitems%3Fq%3D%25D7%25A2%25D7%2596%26since%3D6h"),
        ("//evil.example/", "/login?next=%2F%2Fevil.example%2F"),
    ):  # fmt: skip
        got = await ask(behind, path, headers=HTML)
        assert (got.status, got.headers["location"]) == (303, there)
    for path in ("/api/v1/items", "/feed.atom", "/live", "/metrics", "/api/nothing"):
        assert (await ask(behind, path, headers=HTML)).status == 401, path
    got = await ask(behind, "/api/v1/items")
    assert got.text == '{"error":"Sign in, or show a token."}'


async def test_every_refusal_carries_the_same_headers_as_a_page(behind: Desk) -> None:
    for path, host in (("/", None), ("/", "evil.example"), ("/api/v1/items", None), ("/login", None)):
        got = await get(behind, path, host=host)
        for name, value in guard.HEADERS.items():
            assert got.headers[name.lower()] == value, (path, name)


# ------------------------------------------------------------------ bodies


async def test_what_is_too_long_is_refused_before_it_is_read(behind: Desk) -> None:
    long = b"x" * (guard.LONGEST_BODY + 1)
    for path in ("/login", "/acknowledge/a/b"):
        got = await ask(behind, path, method="POST", headers={"Origin": behind.url}, data=long)
        assert got.status == 413, path
    assert (await ask(behind, "/api/v1/reviews", method="POST", token=REVIEW, data=long)).status == 413

    async def drip() -> object:
        for _ in range(9):
            yield b"x" * (guard.LONGEST_BODY // 8)

    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{behind.url}/login", data=drip(), headers={"Origin": behind.url}) as answer,
    ):
        assert answer.status == 413
    assert (await ask(behind, "/review", method="POST", data=long)).status == 401, "a stranger's is not read at all"


async def test_a_form_of_too_many_fields_is_none_of_ours(desk: Desk) -> None:
    word = await csrf(desk, {})
    body = ("csrf=" + word + "&a=1" * 2500).encode()
    headers = {"Origin": desk.url, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await ask(desk, "/review", method="POST", headers=headers, data=body)).status == 403


async def test_what_was_read_by_the_guard_is_still_there_for_the_route(desk: Desk) -> None:
    items = [await desk.file(f"Talks {number} in Doha", key=str(number)) for number in range(300)]
    fields = [("csrf", await csrf(desk, {})), ("act", "verdict:noise"), *(("item", each) for each in items)]
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{desk.url}/review", data=fields, headers={"Origin": desk.url}, allow_redirects=False) as answer,
    ):
        assert answer.status == 303
    assert {each.verdict for each in (await desk.store.reviews(items)).values()} == {"noise"}


# ------------------------------------------------------------------ streams


async def test_a_stream_comes_through_as_it_is_told_and_ends_with_its_listener(desk: Desk) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{desk.url}/live", timeout=aiohttp.ClientTimeout(10)) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        assert b"hello" in await answer.content.readuntil(b"\n\n")
        desk.live.tell("reviewed", {"items": ["a"]})
        assert await answer.content.readuntil(b"\n\n") == b'event: reviewed\ndata: {"items": ["a"]}\n\n'
        assert len(desk.live) == 1
    async with asyncio.timeout(10):
        while len(desk.live):
            await asyncio.sleep(0.01)


async def test_a_stream_ends_before_it_tells_anything_when_what_opened_it_opens_no_more(behind: Desk) -> None:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as client,
        client.get(f"{behind.url}/live", headers=await session(behind)) as kept,
    ):
        assert b"hello" in await kept.content.readuntil(b"\n\n")
        behind.config = locked(behind.config, password="quite another word")
        behind.live.tell("reviewed", {"items": ["a"]})
        assert await kept.content.read() == b""


async def test_nobody_listens_without_a_login(behind: Desk) -> None:
    assert (await ask(behind, "/live")).status == 401
    assert len(behind.live) == 0


async def test_no_secret_stands_in_anything_that_is_shown(behind: Desk) -> None:
    headers = await session(behind)
    behind.status = replace(behind.status, problems=("Something is wrong.",))
    for path in ("/", "/login", "/sources", "/watches", "/alerts", "/api/v1/status", "/health", "/api/v1/openapi.json"):
        text = (await ask(behind, path, headers=headers)).text
        assert not re.search(f"{READ}|{REVIEW}|a good long password", text), path


async def test_an_undo_of_a_number_that_no_store_has_takes_nothing_back(desk: Desk) -> None:
    form = {"csrf": await csrf(desk, {}), "undo": "9" * 40}
    got = await ask(desk, "/review/undo", method="POST", headers={"Origin": desk.url}, form=form)
    assert got.status == 303


async def test_it_does_not_say_what_serves_it(desk: Desk) -> None:
    assert "server" not in (await get(desk, "/health")).headers
