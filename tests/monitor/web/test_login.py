"""The login: in with a name and the password, out again, and slow for whoever guesses."""

from __future__ import annotations

import base64
import json
import re

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.links import Signer
from monitor.web.login import Brake, local
from monitor.web.sessions import LASTS, LONGEST_NAME, Door, Sessions, name_of
from tests.monitor.web.desk import Desk
from tests.monitor.web.doors import PASSWORD, READ, REVIEW, ask, csrf, locked, session, sign_in

DOOR = Door(id="", secret=PASSWORD, may="review")


@pytest.fixture
def behind(desk: Desk) -> Desk:
    """The page behind a login."""
    desk.config = locked(desk.config)
    return desk


async def set_cookies(desk: Desk) -> list[str]:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
        client.post(
            f"{desk.url}/login", data={"name": "דנה", "password": PASSWORD}, headers={"Origin": desk.url},
            allow_redirects=False,
        ) as answer,
    ):  # fmt: skip
        return answer.headers.getall("Set-Cookie")


# ------------------------------------------------------------------ in and out


@pytest.mark.anyio
async def test_with_name_and_password_one_gets_in_and_stands_beside_what_one_reviews(behind: Desk) -> None:
    item = await behind.file("Talks resume in Doha")
    got = await sign_in(behind, name=" דנה ", there="/items?q=doha")
    assert (got.status, got.headers["location"]) == (303, "/items?q=doha")
    headers = await session(behind, name=" דנה ")
    form = {"act": "verdict:relevant", "item": item, "csrf": await csrf(behind, headers)}
    got = await ask(behind, "/review", method="POST", headers={**headers, "Origin": behind.url}, form=form)
    assert got.status == 303
    assert [each.by for each in await behind.store.remarks(item)] == ["דנה"]


@pytest.mark.anyio
async def test_the_word_of_one_session_does_not_serve_another(behind: Desk) -> None:
    one, other = await session(behind), await session(behind)
    headers = {**other, "Origin": behind.url}
    form = {"act": "verdict:relevant", "item": "a", "csrf": await csrf(behind, one)}
    assert (await ask(behind, "/review", method="POST", headers=headers, form=form)).status == 403


@pytest.mark.anyio
async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(behind: Desk) -> None:
    for cookie in await set_cookies(behind):
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; ")), cookie
        assert "Secure" not in cookie
    behind.config = locked(behind.config, public_url="https://desk.example")
    told = await set_cookies(behind)
    assert all("Secure" in cookie for cookie in told)
    assert any(cookie.startswith("__Host-wirewatch=") for cookie in told)


@pytest.mark.anyio
@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), PASSWORD[:-1], "a" * 10_000, "\0", "é"])
async def test_a_wrong_password_opens_nothing(behind: Desk, password: str) -> None:
    got = await sign_in(behind, password=password)
    assert (got.status, "set-cookie" in got.headers) == (403, False)
    assert "That is not the password." in got.text
    assert 'value="Dana"' in got.text


@pytest.mark.anyio
async def test_a_name_is_needed_and_shown_as_text(behind: Desk) -> None:
    assert (await sign_in(behind, name=" \u202e\0 ")).status == 422
    got = await sign_in(behind, name='<b>"x', password="wrong")
    assert "&lt;b&gt;&#34;x" in got.text


@pytest.mark.anyio
async def test_the_name_is_remembered_after_leaving(behind: Desk) -> None:
    [session_, name] = sorted(await set_cookies(behind), key=lambda each: "wirewatch-name" in each)
    assert "wirewatch=" in session_
    text = (await ask(behind, "/login", headers={"Cookie": name.partition(";")[0]})).text
    assert 'value="דנה"' in text


@pytest.mark.anyio
async def test_who_leaves_is_out(behind: Desk) -> None:
    headers = await session(behind)
    assert "Sign out" in (await ask(behind, "/", headers=headers)).text
    form = {"csrf": await csrf(behind, headers)}
    got = await ask(behind, "/logout", method="POST", headers={**headers, "Origin": behind.url}, form=form)
    assert (got.status, got.headers["location"]) == (303, "/login")
    assert re.search(r'wirewatch="?"?; .*Max-Age=0', got.headers["set-cookie"])


@pytest.mark.anyio
async def test_a_login_that_another_site_sends_is_refused(behind: Desk) -> None:
    form = {"name": "Mallory", "password": PASSWORD}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert (await ask(behind, "/login", method="POST", headers=headers, form=form)).status == 403


@pytest.mark.anyio
async def test_a_changed_password_ends_every_session_that_it_opened(behind: Desk) -> None:
    by_password, by_token = await session(behind), await session(behind, password=REVIEW)
    assert (await ask(behind, "/", headers=by_password)).status == 200
    behind.config = locked(behind.config, password="another long password")
    assert (await ask(behind, "/", headers=by_password)).status == 401
    assert (await ask(behind, "/", headers=by_token)).status == 200


@pytest.mark.anyio
async def test_a_reading_tokens_secret_opens_the_page_for_reading(behind: Desk) -> None:
    item = await behind.file("Talks resume in Doha")
    headers = await session(behind, password=READ)
    word = {"csrf": await csrf(behind, headers)}
    ours = {**headers, "Origin": behind.url}
    form = {"act": "verdict:relevant", "item": item, **word}
    assert (await ask(behind, "/review", method="POST", headers=ours, form=form)).status == 403
    assert (
        await ask(behind, "/watches/doha/try", method="POST", headers=ours, form={**word, "text": "a"})
    ).status == 200
    assert (await ask(behind, "/logout", method="POST", headers=ours, form=word)).status == 303


@pytest.mark.anyio
async def test_somebody_who_is_in_is_not_asked_again(behind: Desk) -> None:
    got = await ask(behind, "/login?next=/stories", headers=await session(behind))
    assert (got.status, got.headers["location"]) == (303, "/stories")


@pytest.mark.anyio
async def test_without_a_login_the_login_page_leads_on(desk: Desk) -> None:
    got = await ask(desk, "/login?next=/stories")
    assert (got.status, got.headers["location"]) == (303, "/stories")


# ------------------------------------------------------------------ sessions


@pytest.mark.anyio
async def test_a_session_outlives_a_restart_and_ends_after_thirty_days(behind: Desk) -> None:
    cookie = Sessions(behind.signer).begin("Dana", DOOR, 1000.0)
    after = Sessions(behind.signer)
    assert after.visitor(cookie, behind.config, 1000.0 + LASTS - 1) is not None
    assert after.visitor(cookie, behind.config, 1000.0 + LASTS) is None
    assert after.visitor(cookie, behind.config, 900.0) is None, "one from the future was made by a clock that was wrong"


@pytest.mark.anyio
async def test_a_cookie_that_was_changed_in_any_letter_is_not_ours(behind: Desk) -> None:
    sessions = Sessions(behind.signer)
    cookie = sessions.begin("Dana", DOOR, 1000.0)
    assert sessions.visitor(cookie, behind.config, 1000.0) is not None
    for at, letter in enumerate(cookie):
        other = cookie[:at] + ("A" if letter != "A" else "B") + cookie[at + 1 :]
        if (found := sessions.visitor(other, behind.config, 1000.0)) is not None:
            assert at == len(cookie) - 1, "the last letter holds bits that mean nothing"
            assert found.name == "Dana"
    for other in ("", ".", "a", "a.b", cookie.partition(".")[0], cookie + "x", "é.é", cookie * 9):
        assert sessions.visitor(other, behind.config, 1000.0) is None
    assert Sessions(Signer(bytes(32))).visitor(cookie, behind.config, 1000.0) is None


@pytest.mark.anyio
async def test_a_cookie_says_nothing_of_the_password(behind: Desk) -> None:
    payload = Sessions(behind.signer).begin("Dana", DOOR, 1000.0).partition(".")[0]
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert told.keys() == {"name", "at", "by", "id"}
    assert PASSWORD not in json.dumps(told)


def test_a_seal_for_one_purpose_is_none_for_another() -> None:
    signer = Signer(bytes(32))
    assert signer.seal("session", b"a") != signer.seal("csrf", b"a")
    assert not signer.good("a", Signer(bytes(32)).seal("session", b"a").hex())


@given(st.text())
def test_a_name_is_one_line_of_letters(written: str) -> None:
    name = name_of(written)
    assert len(name) <= LONGEST_NAME
    assert name == name.strip()
    assert not any(letter in name for letter in "\n\r\t\0\u202e\u2066\u200b")


# ------------------------------------------------------------------ whoever guesses


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_five_wrong_passwords_are_free_and_each_more_costs_twice_the_time() -> None:
    clock = Clock()
    brake = Brake(clock)
    waits = []
    for _ in range(14):
        brake.failed("10.0.0.1")
        waits.append(brake.wait("10.0.0.1"))
        clock.now += waits[-1]
        assert brake.wait("10.0.0.1") == 0
    assert waits == [0, 0, 0, 0, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert brake.wait("10.0.0.2") == 0
    clock.now += 3600
    brake.failed("10.0.0.1")
    assert brake.wait("10.0.0.1") == 0, "after an hour it begins anew"


def test_a_right_password_begins_anew() -> None:
    brake = Brake(Clock())
    for _ in range(9):
        brake.failed("10.0.0.1")
    assert brake.wait("10.0.0.1") > 0
    brake.passed("10.0.0.1")
    assert brake.wait("10.0.0.1") == 0


def test_many_addresses_together_are_slowed_down_and_not_remembered_without_end() -> None:
    clock = Clock()
    brake = Brake(clock)
    for number in range(5000):
        brake.failed(f"10.0.{number // 250}.{number % 250}")
    assert brake.wait("192.0.2.1") == 30
    clock.now += 30
    assert brake.wait("192.0.2.1") == 0
    assert len(brake) == 1000


def test_the_addresses_of_one_ipv6_network_are_one() -> None:
    brake = Brake(Clock())
    for number in range(6):
        brake.failed(f"2001:db8::{number}")
    assert brake.wait("2001:db8::ffff") > 0
    assert brake.wait("2001:db8:0:1::1") == 0
    assert brake.wait("") == 0


@pytest.mark.anyio
async def test_whoever_guesses_is_told_to_wait_and_is_not_let_in_with_the_right_one_either(behind: Desk) -> None:
    for _ in range(5):
        assert (await sign_in(behind, password="wrong password")).status == 403
    got = await sign_in(behind)
    assert got.status == 429
    assert int(got.headers["retry-after"]) in range(1, 5)
    assert "Try again in" in got.text


# ------------------------------------------------------------------ where it leads


@pytest.mark.parametrize(
    "address",
    ["", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example/",
     "evil.example", "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)", "/login", "/logout",
     "/login?next=/login", " /", "/ x", "http:/x", "/\u2028x", "\0", "//[", "/a\0b"],
)  # fmt: skip
def test_f146_it_leads_nowhere_but_into_the_page(address: str) -> None:
    assert local(address) == "/"


@pytest.mark.parametrize("address", ["/items?q=a+b&since=6h", "/stories/s1", "/items?q=%D7%A2", "/items/a%2Fb#x"])
def test_it_leads_back_to_where_one_was(address: str) -> None:
    assert local(address) == address
