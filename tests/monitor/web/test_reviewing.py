"""Reviewing in a real Chromium: by keyboard alone, live, with two people at once, on a phone, without a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

from monitor.model.filing import Filed
from monitor.model.items import Wanted
from monitor.model.reviews import Review
from tests.monitor.web.desk import Desk

pytestmark = pytest.mark.anyio
FOCUSED = "() => document.activeElement.id"
TOPS = "rows => rows.map(row => [row.id, Math.round(row.getBoundingClientRect().top)])"
PAGES = ("/", "/brief", "/items", "/stories", "/alerts", "/watches", "/watches/doha", "/sources", "/outlets/bbc")


async def filed(desk: Desk, many: int) -> list[str]:
    """So many headlines that the watch finds, in three languages; their ids, the newest first."""
    heads = (
        ("en", "bbc", "Talks {} go on in Doha"),
        ("he", "kan", "שיחות {} ב Doha"),
        ("ar", "bbc", "محادثات {} Doha"),
    )
    made = []
    for number in range(many):
        language, outlet, title = heads[number % 3]
        made.append(await desk.file(title.format(number), language=language, outlet=outlet, age=many - number))  # type: ignore[arg-type]
    return made[::-1]


async def said(desk: Desk, items: list[str]) -> Mapping[str, Review]:
    return await desk.store.reviews(items)


async def arrived(desk: Desk, title: str, **more: Any) -> str:
    """File one more and say so, as the service does."""
    item = await desk.file(title, **more)
    desk.live.filed(Filed(new=1, items=(item,)))
    return item


async def test_twenty_items_are_reviewed_by_the_keyboard_alone(desk: Desk, page: Any) -> None:
    items = await filed(desk, 20)
    await page.goto(desk.url)
    await page.keyboard.press("j")
    assert await page.evaluate(FOCUSED) == f"i-{items[0]}"
    for number, item in enumerate(items):
        key, verdict = (("r", "relevant"), ("n", "noise"), ("l", "later"))[number % 3]
        if number % 5 == 0:
            await page.keyboard.press("s")
            await page.wait_for_selector(f"#i-{item} button[data-act='star:yes'][aria-pressed=true]")
        assert await page.evaluate(FOCUSED) == f"i-{item}", "the next one has the focus"
        await page.keyboard.press(key)
        await page.wait_for_selector(f"#i-{item}[data-verdict={verdict}]")
        if number + 1 < len(items):
            await page.wait_for_function(f"() => document.activeElement.id === 'i-{items[number + 1]}'")
    kept = await said(desk, items)
    assert [kept[item].verdict for item in items] == [("relevant", "noise", "later")[n % 3] for n in range(20)]
    assert [kept[item].starred for item in items] == [n % 5 == 0 for n in range(20)]
    assert {kept[item].by for item in items} == {"here"}
    await page.wait_for_function("() => document.title === 'Now · wirewatch'")  # nothing waits any more


async def test_what_was_said_is_undone_in_the_order_in_which_it_was_said(desk: Desk, page: Any) -> None:
    first, second = await filed(desk, 2)
    await page.goto(desk.url)
    await page.keyboard.press("j")
    await page.keyboard.press("n")
    await page.wait_for_selector(f"#i-{first}[data-verdict=noise]")
    await page.keyboard.press("r")
    await page.wait_for_selector(f"#i-{second}[data-verdict=relevant]")
    await page.keyboard.press("u")
    await page.wait_for_selector(f"#i-{second}:not([data-verdict])")
    assert (await said(desk, [first]))[first].verdict == "noise"
    await page.keyboard.press("u")
    await page.wait_for_selector(f"#i-{first}:not([data-verdict])")
    await page.keyboard.press("u")
    await page.get_by_text("Nothing to undo.").wait_for()
    assert [each.undone for each in await desk.store.remarks(first)] == [True]


async def test_many_are_judged_at_once(desk: Desk, page: Any) -> None:
    items = await filed(desk, 6)
    await page.goto(f"{desk.url}/items")
    for _ in range(3):
        await page.keyboard.press("j")
        await page.keyboard.press("x")
    await page.get_by_text("3 selected").wait_for()
    await page.keyboard.press("n")
    await page.get_by_text("3 items: noise").wait_for()
    kept = await said(desk, items)
    assert {item for item in items if item in kept} == set(items[:3])
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_text("3 remarks taken back").wait_for()
    assert all(each.verdict is None for each in (await said(desk, items)).values())


async def test_a_note_is_kept_and_shown_as_text(desk: Desk, page: Any) -> None:
    [item] = await filed(desk, 1)
    await page.goto(desk.url)
    await page.keyboard.press("j")
    await page.keyboard.press("m")
    await page.wait_for_url(f"**/items/{item}#note")
    await page.keyboard.type("<b>Asked</b> the ministry; שאלנו")
    await page.get_by_role("button", name="Keep the note").click()
    note = page.locator(".notes li")
    await note.wait_for()
    assert "<b>Asked</b> the ministry; שאלנו" in await note.inner_text()
    await note.get_by_role("button", name="undo").click()
    await page.wait_for_selector(".notes del")
    assert (await said(desk, [item])).get(item, Review(item=item)).notes == ()


async def test_what_comes_appears_without_a_reload_and_the_title_counts_it(desk: Desk, page: Any) -> None:
    await filed(desk, 2)
    await page.goto(desk.url)
    assert await page.title() == "(2) Now · wirewatch"
    await listening(desk, page)
    item = await arrived(desk, "Doha, at once")
    await page.wait_for_selector(f"#i-{item}")
    assert await page.locator(".row").first.get_attribute("id") == f"i-{item}"
    await page.wait_for_function("() => document.title === '(3) Now · wirewatch'")


async def test_nothing_moves_under_the_cursor(desk: Desk, page: Any) -> None:
    items = await filed(desk, 12)
    await page.goto(desk.url)
    await listening(desk, page)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    before = await page.eval_on_selector_all("#found .row", TOPS)
    item = await arrived(desk, "Doha, meanwhile")
    await page.get_by_role("button", name="1 new").first.wait_for()
    assert await page.eval_on_selector_all("#found .row", TOPS) == before
    assert await page.evaluate(FOCUSED) == f"i-{items[1]}"
    await page.keyboard.press(".")
    await page.wait_for_selector(f"#found #i-{item}")
    assert await page.evaluate(FOCUSED) == f"i-{items[1]}"


async def test_two_people_lose_nothing_and_see_each_other(desk: Desk, browser: Any) -> None:
    [item] = await filed(desk, 1)
    one, other = await browser.new_page(), await browser.new_page()
    for each in (one, other):
        await each.goto(desk.url)
    await listening(desk, one, many=2)
    await one.locator(f"#i-{item}").get_by_role("button", name="Noise").click()
    await one.wait_for_selector(f"#i-{item}[data-verdict=noise]")
    await other.locator(f"#i-{item}").get_by_role("button", name="Relevant").click()
    await other.wait_for_selector(f"#i-{item}[data-verdict=relevant]")
    assert [each.value for each in await desk.store.remarks(item)] == ["noise", "relevant"]
    assert (await said(desk, [item]))[item].verdict == "relevant"
    for each in (one, other):
        await each.close()


async def test_a_connection_that_was_lost_is_said_and_what_was_missed_is_fetched(desk: Desk, page: Any) -> None:
    await filed(desk, 1)
    await page.goto(desk.url)
    await listening(desk, page)
    await page.context.set_offline(True)
    desk.live.cut()
    await page.wait_for_selector("body.cut-off")
    item = await desk.file("Doha, missed")
    await page.context.set_offline(False)
    await page.wait_for_selector(f"#i-{item}", timeout=15_000)


async def test_without_a_script_everything_can_be_read(desk: Desk, browser: Any) -> None:
    [item] = await filed(desk, 1)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(desk.url)
    await page.click(f"#i-{item} .headline a")
    assert await page.locator("h1").inner_text() == "Talks 0 go on in Doha"
    await page.get_by_role("button", name="Relevant").click()
    assert (await said(desk, [item]))[item].verdict == "relevant", "and even reviewed"
    await context.close()


async def test_a_thumb_reaches_every_button_on_a_phone(desk: Desk, page: Any) -> None:
    await filed(desk, 3)
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(desk.url)
    for button in await page.locator("#found .row .acts button").all():
        box = await button.bounding_box()
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(desk: Desk, browser: Any, scheme: str) -> None:
    items = await filed(desk, 4)
    await desk.store.remark(items[:1], by="here", kind="verdict", value="noise", now=desk.status.now)
    page = await browser.new_page(color_scheme=scheme)
    found = []
    for path in (*PAGES, f"/items/{items[0]}", "/items?q=doha"):
        await page.goto(desk.url + path)
        result = await Axe().run(page)
        found += [
            (path, each["id"], [node["html"] for node in each["nodes"][:3]])
            for each in result.response["violations"]
            if each["impact"] in ("serious", "critical")
        ]
    await page.close()
    assert found == []


async def test_what_waits_goes_when_it_was_judged(desk: Desk, page: Any) -> None:
    items = await filed(desk, 2)
    await desk.store.remark(items[:1], by="here", kind="verdict", value="noise", now=desk.status.now)
    await page.goto(desk.url)
    assert await page.locator("#found .row").count() == 1
    assert len(await desk.store.items(Wanted(review="noise"))) == 1


async def listening(desk: Desk, page: Any, many: int = 1) -> None:
    """Until the page's stream is open."""
    while len(desk.live) < many:
        await page.wait_for_timeout(20)
