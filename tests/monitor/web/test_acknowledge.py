"""The page behind a signed link: looking changes nothing, the button does, and nothing else gets in."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from config.model.settings import Settings, Web
from monitor.alerts.links import Signer
from monitor.model.alerts import Alert, Held
from monitor.model.messages import Delivery
from monitor.web import words
from storage.rows import writable
from tests.monitor.web.desk import NOW, Desk, Got, get
from tests.monitor.web.hostile import PAYLOADS

pytestmark = pytest.mark.anyio
BUTTON = '<button class="main">Acknowledge</button>'
OURS = {
    "html", "head", "meta", "title", "link", "body", "header", "main", "article", "h1", "dl", "div", "dt", "dd", "bdi",
    "span", "a", "mark", "time", "p", "form", "button", "code",
}  # fmt: skip


async def alert(desk: Desk, title: str = "Talks resume in Doha", **more: object) -> Alert:
    """The first of the two rows that a headline makes."""
    item = await desk.file(title, severity="critical", **more)  # type: ignore[arg-type]
    rows = await desk.store.alerts(item=item, channel="desk")
    return rows[0]


def address(desk: Desk, row: Alert) -> str:
    return f"/acknowledge/{row.id}/{desk.signer.sign(row.id)}"


async def look(desk: Desk, row: Alert, **more: str) -> Got:
    return await get(desk, address(desk, row), **more)


async def press(desk: Desk, row: Alert) -> Got:
    return await get(desk, address(desk, row), method="POST")


async def state(desk: Desk) -> list[tuple[object, ...]]:
    return [(row.id, row.condition, row.reason, row.acknowledged) for row in await desk.store.alerts()]


async def test_it_says_which_alert_it_is(desk: Desk) -> None:
    row = await alert(desk)
    [message] = await desk.claimed("desk")
    await desk.store.settle(message, Delivery(verdict="sent"), now=NOW, due=None)
    text = (await look(desk, row)).text
    for said in (
        "Talks resume in <mark>Doha</mark>", "Talks &lt;in&gt; Doha", "critical", "BBC News", "bbc.example",
        "2026-11-24 14:00:00 IST", "sent to desk", BUTTON, row.id,
    ):  # fmt: skip
        assert said in text, said


async def test_to_look_changes_nothing_however_often_scanners_do(desk: Desk) -> None:
    row = await alert(desk)
    before = await state(desk)
    for _ in range(3):
        assert (await look(desk, row)).status == 200
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
        assert (await get(desk, address(desk, row), method=method)).status == 405
    assert await state(desk) == before


async def test_the_button_acknowledges_and_what_has_not_left_is_not_sent(desk: Desk) -> None:
    row = await alert(desk)
    got = await press(desk, row)
    assert got.status == 200
    assert 'role="status">Acknowledged: <time' in got.text
    assert BUTTON not in got.text
    kept = await desk.store.alert(row.id)
    assert kept is not None
    assert (kept.acknowledged, kept.condition) == (NOW, "suppressed")
    assert "it was acknowledged before it left" in got.text
    [other] = await desk.store.alerts(channel="duty")
    assert (other.acknowledged, other.condition) == (None, "pending")


async def test_pressed_again_it_says_when_it_was_acknowledged_before(desk: Desk) -> None:
    row = await alert(desk)
    await press(desk, row)
    desk.status = replace(desk.status, now=NOW + timedelta(minutes=9))
    again = await press(desk, row)
    assert again.status == 200
    assert "It was acknowledged before:" in again.text
    assert "14:00:00 IST" in again.text
    kept = await desk.store.alert(row.id)
    assert kept is not None
    assert kept.acknowledged == NOW
    text = (await look(desk, row)).text
    assert "Acknowledged:" in text
    assert BUTTON not in text


async def test_whoever_got_it_on_another_channel_sees_that_somebody_was_first(desk: Desk) -> None:
    row = await alert(desk)
    [other] = await desk.store.alerts(channel="duty")
    await press(desk, row)
    text = (await look(desk, other)).text
    assert "Acknowledged:" in text
    assert BUTTON not in text
    assert "It was acknowledged before:" in (await press(desk, other)).text


async def test_an_edit_that_came_later_is_to_be_acknowledged_again(desk: Desk) -> None:
    first = await alert(desk, key="k", age=20)
    desk.status = replace(desk.status, now=NOW - timedelta(minutes=10))
    await press(desk, first)
    edited = await alert(desk, "Talks broken off in Doha", key="k")
    assert edited.state.startswith("edited:")
    assert BUTTON in (await look(desk, edited)).text
    assert "Talks resume in <mark>Doha</mark>" in (await look(desk, first)).text, "the headline as it was told"


async def test_what_waits_says_until_when(desk: Desk) -> None:
    held = Held(until=NOW + timedelta(hours=16), gather="quiet hours", reason="quiet hours until 06:00")
    row = await alert(desk, held=held)
    text = (await look(desk, row)).text
    assert "waits until 06:00 for desk" in text
    assert "(quiet hours)" in text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_f146_a_wrong_signature_is_told_nothing_and_changes_nothing(desk: Desk, method: str) -> None:
    row = await alert(desk)
    [other] = await desk.store.alerts(channel="duty")
    before, nothing = await state(desk), (await get(desk, "/acknowledge")).text
    good = desk.signer.sign(row.id)
    wrong = (
        f"{row.id}/{desk.signer.sign(other.id)}", f"{row.id}/{Signer(bytes(32)).sign(row.id)}", f"{row.id}/{good[:-1]}",
        f"{row.id}/{good.upper()}", f"{row.id}/{good}a", f"{row.id}/%D7%A9", f"{row.id}/%00", f"{row.id}/%FF",
        f"none/{good}", f"{row.id[:-1]}/{good}", f"..%2F{row.id}/{good}", f"{row.id}/{good}/", f"{row.id}/", row.id,
        f"{row.id}%00/{good}", f"{row.id}/..%2F{good}",
    )  # fmt: skip
    for path in wrong:
        got = await get(desk, f"/acknowledge/{path}", method=method)
        assert (got.status, got.text.replace("../../", "/")) == (404, nothing), path
    assert await state(desk) == before


async def test_an_alert_that_is_not_kept_any_more_is_not_there(desk: Desk) -> None:
    assert (await get(desk, f"/acknowledge/gone/{desk.signer.sign('gone')}")).status == 404


async def test_f146_its_form_goes_nowhere_else_and_it_has_no_script(desk: Desk) -> None:
    row = await alert(desk)
    for got in (await look(desk, row), await press(desk, row)):
        assert "form-action 'self'" in got.headers["content-security-policy"]
        assert "default-src 'none'" in got.headers["content-security-policy"]
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["x-robots-tag"] == "noindex, nofollow"
        assert got.headers["cache-control"] == "no-store"
        assert '<meta name="robots" content="noindex, nofollow">' in got.text
        assert "script-src" not in got.headers["content-security-policy"]


async def test_it_works_under_the_public_address_and_its_path(desk: Desk) -> None:
    web = Web(public_url="https://desk.example/wire")
    desk.config = desk.config.model_copy(update={"settings": Settings(web=web)})
    row = await alert(desk)
    got = await look(desk, row, host="desk.example")
    assert got.status == 200
    assert '<form method="post">' in got.text, "to its own address, whatever stands before it"
    assert 'href="../../static/wirewatch.css"' in got.text
    assert 'href="/' not in got.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_f146_under_a_foreign_name_it_is_refused(desk: Desk, method: str) -> None:
    row = await alert(desk)
    before = await state(desk)
    assert (await get(desk, address(desk, row), host="evil.example", method=method)).status == 421
    assert await state(desk) == before


async def test_f083_hostile_headlines_are_text_on_it(desk: Desk) -> None:
    for number, payload in enumerate(PAYLOADS):
        row = await alert(desk, f"{payload} Doha", key=str(number), url=f"javascript:alert({number})")
        text = (await look(desk, row)).text
        assert {found.lower() for found in re.findall(r"<\s*([a-zA-Z][\w-]*)", text)} <= OURS, payload
        assert words.clean(writable(payload)) in html.unescape(text)
        assert all(not href.startswith("javascript:") for href in re.findall(r'href="([^"]*)"', text))


async def test_a_headline_keeps_its_language_and_direction(desk: Desk) -> None:
    hebrew = await alert(desk, "5 חטופים: Doha בשיחות", language="he", outlet="kan", key="he")
    persian = await alert(desk, "گفتگوها در Doha", language="und", key="fa")
    assert '<article lang="he" dir="rtl">' in (await look(desk, hebrew)).text
    assert '<article lang="und" dir="auto">' in (await look(desk, persian)).text
