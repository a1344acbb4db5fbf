"""The page in a real Chromium: hostile headlines do nothing, directions are right, nothing overflows a phone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model.sources import Outcome, SourceState
from tests.monitor.web.desk import NOW, Desk
from tests.monitor.web.doors import PASSWORD, locked
from tests.monitor.web.hostile import ADDRESSES, PAYLOADS

pytestmark = pytest.mark.anyio
DIRECTIONS = "list => list.map(one => [one.lang, getComputedStyle(one).direction])"
WIDTHS = "() => [document.documentElement.scrollWidth, innerWidth]"


async def filled(desk: Desk) -> list[str]:
    """A store of hostile and of right-to-left headlines, a source in trouble; ids of the items."""
    desk.status = replace(
        desk.status,
        problems=("bbc/main: blocked: a challenge page",),
        sources=(
            SourceState(
                id="bbc/main", outlet="bbc", url="https://bbc.example/" + "long/" * 60, host="https://bbc.example:443",
                next_due=NOW, outcome=Outcome.BLOCKED, reason="a challenge page", excerpt=PAYLOADS[0] + "x" * 200,
            ),
        ),
    )  # fmt: skip
    items = [
        await desk.file(f"{payload} Doha", key=str(number), lead=payload, url=ADDRESSES[number % len(ADDRESSES)])
        for number, payload in enumerate(PAYLOADS)
    ]
    items.append(await desk.file("5 חטופים: Doha בשיחות", language="he", outlet="kan", key="he"))
    items.append(await desk.file("Doha: محادثات في الدوحة", language="ar", key="ar"))
    items.append(await desk.file("w" * 300, key="long"))
    return items


async def test_f083_no_headline_acts_and_none_asks_the_network(desk: Desk, page: Any) -> None:
    items = await filled(desk)
    noticed: list[str] = []

    async def closed(dialog: Any) -> None:
        noticed.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", closed)
    page.on("console", lambda said: noticed.append(f"console: {said.text}"))
    page.on("request", lambda asked: noticed.append(asked.url) if not asked.url.startswith(desk.url) else None)
    await page.add_init_script("document.addEventListener('securitypolicyviolation', e => console.log(e.blockedURI))")
    pages = ("/", "/brief", "/items", "/stories", "/alerts", "/watches/doha", "/sources", "/outlets/bbc")
    for path in (*pages, *(f"/items/{item}" for item in items)):
        await page.goto(desk.url + path)
        assert await page.evaluate("() => document.scripts.length") == 1, path
    assert noticed == []
    shown = await page.goto(desk.url + f"/items/{items[0]}")
    assert shown is not None
    assert await page.locator("h1").inner_text() == f"{PAYLOADS[0]} Doha"


async def test_headlines_run_in_the_direction_of_their_language(desk: Desk, page: Any) -> None:
    he, ar, en = (await filled(desk))[-3:]
    await page.goto(desk.url)
    found = {tuple(each) for each in await page.eval_on_selector_all(".headline", DIRECTIONS)}
    assert found == {("he", "rtl"), ("ar", "rtl"), ("en", "ltr")}
    assert await page.evaluate("() => getComputedStyle(document.body).direction") == "ltr"
    for item, expected in ((he, "rtl"), (ar, "rtl"), (en, "ltr")):
        await page.goto(f"{desk.url}/items/{item}")
        assert await page.eval_on_selector("h1", "one => getComputedStyle(one).direction") == expected
        assert await page.eval_on_selector(".meta", "one => getComputedStyle(one).direction") == "ltr"


async def test_nothing_is_wider_than_the_screen(desk: Desk, page: Any) -> None:
    items = await filled(desk)
    pages = ("/", "/brief", "/items", "/stories", "/alerts", "/watches", "/watches/doha", "/sources", "/outlets/bbc")
    for path in (*pages, f"/items/{items[0]}", f"/items/{items[-1]}", "/none"):
        await page.goto(desk.url + path)
        for width in (1100, 390, 360, 320):
            await page.set_viewport_size({"width": width, "height": 800})
            content, screen = await page.evaluate(WIDTHS)
            assert content <= screen == width, path


async def test_an_alert_is_acknowledged_by_its_button_on_a_phone(desk: Desk, page: Any) -> None:
    item = await desk.file("5 חטופים: Doha בשיחות", language="he", outlet="kan", severity="critical")
    row, other = await desk.store.alerts(item=item)
    await page.set_viewport_size({"width": 320, "height": 600})
    await page.goto(f"{desk.url}/acknowledge/{row.id}/{desk.signer.sign(row.id)}")
    assert await page.eval_on_selector("h1", "one => getComputedStyle(one).direction") == "rtl"
    box = await page.get_by_role("button", name="Acknowledge").bounding_box()
    assert box["height"] >= 44  # a finger's size
    content, screen = await page.evaluate(WIDTHS)
    assert content <= screen == 320
    await page.get_by_role("button", name="Acknowledge").click()
    assert (await page.get_by_role("status").inner_text()).startswith("Acknowledged: 2026-11-24 14:00:00")
    kept = await desk.store.alert(row.id)
    assert kept is not None
    assert kept.acknowledged == NOW
    assert (await desk.store.alert(other.id)).acknowledged is None  # type: ignore[union-attr]


async def test_a_link_in_a_mail_opens_its_item_and_a_form_of_another_site_does_nothing(desk: Desk, page: Any) -> None:
    desk.config = locked(desk.config)
    item = await desk.file("Talks resume in Doha")
    mail = (
        f'<a href="{desk.url}/items/{item}">the item</a><form method="post" action="{desk.url}/review">'
        f'<input name="act" value="star:yes"><input name="item" value="{item}"><button>Send</button></form>'
    )
    await page.route("http://mail.example/", lambda route: route.fulfill(content_type="text/html", body=mail))
    await page.goto(f"{desk.url}/login")
    await page.fill("[name=name]", "Dana")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button")
    await page.goto("http://mail.example/")
    await page.click("text=the item")
    assert await page.locator("h1").inner_text() == "Talks resume in Doha"
    await page.goto("http://mail.example/")
    async with page.expect_navigation():
        await page.click("text=Send")
    assert await desk.store.remarks(item) == ()
