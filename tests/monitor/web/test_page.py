"""The page over the wire: what it shows, what it refuses, and that nothing from outside is ever markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import monitor.web
from config.model.settings import Settings, Web
from monitor.errors import StoreBusy
from monitor.model.alerts import Escalation, Held
from monitor.model.entries import Candidate, Entry
from monitor.model.messages import Delivery
from monitor.model.sources import Outcome, SourceState
from monitor.stories import identity
from monitor.web import words
from storage.rows import writable
from tests.monitor.web.desk import NOW, Desk, get, post
from tests.monitor.web.hostile import ADDRESSES, PAYLOADS

pytestmark = pytest.mark.anyio
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PAGES = ("/", "/brief", "/items", "/stories", "/alerts", "/watches", "/watches/doha", "/sources", "/outlets/bbc")
ROUTES = (
    *PAGES, "/health", "/metrics", "/static/wirewatch.css", "/static/review.js", "/items/none", "/outlets/none",
    "/stories/none", "/watches/none", "/none",
)  # fmt: skip


def source(name: str, outcome: Outcome | None, **more: object) -> SourceState:
    return SourceState(
        id=name, outlet=name.partition("/")[0], url=f"https://{name}.example/", host="https://x.example:443",
        next_due=NOW + timedelta(minutes=12), outcome=outcome, **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def test_every_answer_forbids_scripts_frames_sniffing_and_keeping(desk: Desk) -> None:
    for path in ROUTES:
        got = await get(desk, path)
        assert got.headers["content-security-policy"] == POLICY, path
        assert got.headers["x-content-type-options"] == "nosniff", path
        assert got.headers["referrer-policy"] == "same-origin", path
        assert got.headers["cross-origin-resource-policy"] == "same-origin", path
        assert got.headers["cache-control"] == "no-store", path
        assert got.status == (404 if "none" in path else 200), path


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8737", "127.0.0.1.evil.example", "127.evil.example", "localhost.evil.example",
     "192.168.1.2", "0.0.0.0", "[::2]", "[", "a@localhost", "localhost.", "2130706433"],
)  # fmt: skip
async def test_f146_a_foreign_host_is_refused(desk: Desk, host: str) -> None:
    for path in ("/", "/health", "/metrics", "/static/wirewatch.css", "/items/none"):
        got = await get(desk, path, host=host)
        assert got.status == 421, path
        assert got.text == "This page answers to its own name only."
        assert got.headers["content-security-policy"] == POLICY


async def test_its_own_names_are_answered(desk: Desk) -> None:
    for host in ("localhost", "localhost:1", "127.0.0.1:8737", "127.8.9.1", "[::1]:8737"):
        assert (await get(desk, "/health", host=host)).status == 200, host


async def test_the_public_name_is_answered_and_no_other(desk: Desk) -> None:
    web = Web(public_url="https://desk.example/wire")
    desk.config = desk.config.model_copy(update={"settings": Settings(web=web)})
    assert (await get(desk, "/health", host="desk.example")).status == 200
    assert (await get(desk, "/health", host="www.desk.example")).status == 421


async def test_what_is_not_there_is_404_in_words(desk: Desk) -> None:
    for path in ("/items/0000000000000000", "/items/%3Cscript%3E", "/items/%00", "/outlets/%3Cb%3E"):
        got = await get(desk, path)
        assert got.status == 404, path
        assert "is called" in got.text
        assert tags(got.text) <= OURS


async def test_a_search_marks_what_it_found_and_gives_itself_as_a_watch(desk: Desk) -> None:
    await desk.file("Mediators meet again", lead="The talks go on in Doha", age=2)
    await desk.file("Rain in the north", age=1)
    text = html.unescape((await get(desk, "/items?q=mediator+AND+doha&language=en")).text)
    assert "<mark>Mediators</mark> meet again" in text
    assert "in <mark>Doha</mark>" in text
    assert "Rain in the north" not in text
    assert 'when = "(mediator AND doha) AND lang:en"' in text
    assert "watches/mediator-and-doha.toml" in text


async def test_an_article_keeps_its_lists_and_links_and_its_found_words_are_marked(desk: Desk) -> None:
    kept = "<p>Envoys in Doha</p><ul><li><a href='https://bbc.example/b'>a list</a></li></ul>"
    item = await desk.file("Talks", body="Envoys in Doha\n\na list", html=kept)
    text = (await get(desk, f"/items/{item}")).text
    assert "<p>Envoys in <mark>Doha</mark></p><ul><li><a " in text
    assert 'href="https://bbc.example/b">a list</a></li></ul>' in text


async def test_a_watch_is_tried_on_a_text_and_says_why_not(desk: Desk) -> None:
    found = await post(desk, "/watches/doha/try", {"text": "Envoys land\nThey came to Doha <b>"})
    assert found.status == 200
    assert "<strong>Found</strong>" in found.text
    missed = await post(desk, "/watches/doha/try", {"text": "Rain in the north"})
    assert "<strong>Not found</strong>" in missed.text
    assert '<code dir="auto">doha</code>' in missed.text
    assert (await desk.store.count())["items"] == 0


async def test_a_query_that_cannot_be_read_is_shown_with_the_place_of_its_mistake(desk: Desk) -> None:
    got = await get(desk, "/items?q=doha+AND+(<b>")
    assert got.status == 200
    assert "The query cannot be read" in got.text
    assert "<mark>" in got.text
    assert tags(got.text) <= OURS


async def test_a_filter_that_cannot_be_read_says_what_can(desk: Desk) -> None:
    for asked in ("language=xx", "review=good", "since=yesterday", "cursor=x"):
        got = await get(desk, f"/items?{asked}")
        assert got.status == 400, asked
        assert asked.partition("=")[0] in got.text


async def test_an_empty_store_says_what_happens_and_what_to_do(desk: Desk) -> None:
    asked = source("bbc/main", Outcome.OK)
    desk.status = replace(desk.status, sources=(asked, source("kan/main", None)))
    text = (await get(desk, "/")).text
    assert "1 of 2 sources have been asked so far" in text
    assert "younger than 2h is told" in text
    assert "wirewatch check" in text
    assert "wirewatch channels test duty" in text
    assert "No alert" not in text


async def test_without_outlets_or_channels_it_says_so(desk: Desk) -> None:
    desk.config = desk.config.model_copy(update={"settings": Settings(), "outlets": {}})
    text = (await get(desk, "/")).text
    assert "No outlet is configured" in text
    assert "No channel is configured" in text


async def test_one_headline_gathers_its_watches_and_channels(desk: Desk) -> None:
    await desk.file("Talks resume in Doha", age=3)
    text = (await get(desk, "/alerts")).text
    assert text.count('class="card') == 1
    assert "Talks resume in <mark>Doha</mark>" in text
    assert "Talks &lt;in&gt; Doha" in text
    assert "on its way to desk, duty" in text
    assert 'title="2026-11-24 13:57:00 IST">3 min ago</time>' in text
    assert 'datetime="2026-11-24T11:57:00+00:00"' in text


async def test_what_became_of_each_row_is_told(desk: Desk) -> None:
    await desk.file("Talks resume in Doha")
    one, other = await desk.claimed()
    await desk.store.settle(one, Delivery(verdict="sent"), now=NOW, due=None)
    await desk.store.settle(other, Delivery(verdict="refused", detail="HTTP 410 <gone>"), now=NOW, due=None)
    text = (await get(desk, "/alerts")).text
    assert f"sent to {one.channel}" in text
    assert f"not delivered to {other.channel}" in text
    assert "HTTP 410 &lt;gone&gt;" in text
    assert "Mend the channel" in (await get(desk, "/alerts?condition=dead")).text
    assert other.alerts[0].id in (await get(desk, f"/items/{other.alerts[0].item}")).text


@pytest.mark.parametrize(
    ("kept", "shown"),
    [("baseline", "older than the baseline at the first look at its source"),
     ("below severity", "below what the channel takes"), ("told with 2f9x", "told with another alert"),
     ("muted", "its watch was muted"), ("acknowledged", "it was acknowledged before it left"),
     ("watch removed", "its watch is not configured any more"),
     ("a reason of tomorrow", "a reason of tomorrow")],
)  # fmt: skip
async def test_what_is_not_sent_stands_apart_with_its_reason(desk: Desk, kept: str, shown: str) -> None:
    item = await desk.file("Talks resume in Doha", suppressed=kept)
    text = (await get(desk, "/alerts?condition=suppressed")).text
    assert "Found, and not sent" in text
    assert f"not sent to desk, duty: <bdi>{shown}</bdi>" in text
    assert f"not sent to desk, duty: <bdi>{shown}</bdi>" in (await get(desk, "/")).text
    assert "None." in (await get(desk, "/alerts?condition=delivered")).text
    assert kept in (await get(desk, f"/items/{item}")).text


async def test_what_waits_says_until_when_and_for_what(desk: Desk) -> None:
    night = Held(until=NOW + timedelta(hours=16), gather="quiet hours", reason="quiet hours until 06:00")
    item = await desk.file("Talks resume in Doha", held=night)
    week = Held(until=NOW + timedelta(days=2), gather="digest", reason="digest every 7d")
    await desk.file("Talks go on in Doha", held=week)
    text = (await get(desk, "/alerts")).text
    assert "waits until 06:00 for desk, duty: <bdi>quiet hours</bdi>" in text
    assert "waits until 2026-11-26 14:00 for desk, duty: <bdi>digest every 7d</bdi>" in text
    assert "waits until 06:00 for desk" in (await get(desk, f"/items/{item}")).text
    after = "cooldown of 30m after 2h6oylxb2m; quiet hours until 06:00"
    await desk.file("More from Doha", held=Held(until=night.until, gather="cooldown:doha:i", reason=after))
    text = (await get(desk, "/alerts")).text
    assert "waits until 06:00 for desk, duty: <bdi>cooldown of 30m; quiet hours</bdi>" in text
    desk.status = replace(desk.status, now=NOW + timedelta(hours=16))
    assert "on its way to desk, duty" in (await get(desk, "/alerts")).text, "its turn has come"


async def test_what_is_tried_again_is_on_its_way_and_says_what_came_of_it(desk: Desk) -> None:
    await desk.file("Talks resume in Doha")
    [message] = await desk.claimed("desk")
    later = Delivery(verdict="later", detail="status 503")
    await desk.store.settle(message, later, now=NOW, due=NOW + timedelta(minutes=1))
    text = (await get(desk, "/alerts")).text
    assert "on its way to desk: <bdi>tried 1×, last: status 503</bdi>" in text
    assert "on its way to duty</span>" in text


async def test_what_was_acknowledged_is_marked(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha", age=9)
    row, _ = await desk.store.alerts(item=item)
    assert 'class="seen">acknowledged' not in (await get(desk, "/alerts")).text
    await desk.store.acknowledge([row.id], NOW - timedelta(minutes=3))
    assert 'acknowledged <time class="ago" datetime="2026-11-24T11:57:00+00:00"' in " ".join(
        (await get(desk, "/alerts")).text.split()
    )
    text = " ".join((await get(desk, f"/items/{item}")).text.split())
    assert text.count('<span class="seen">acknowledged <time') == 1, "on the row that was"


async def test_f137_a_muted_watch_is_shown_as_long_as_it_is_muted(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha", age=9)
    await desk.store.mute("doha", NOW + timedelta(hours=2), NOW)
    text = (await get(desk, "/alerts")).text
    assert 'Muted: <a href="/watches/doha"><bdi class="watch">Talks &lt;in&gt; Doha</bdi></a> until 16:00.' in text
    assert "not sent to desk, duty: <bdi>its watch was muted</bdi>" in text
    assert "muted until 16:00" in (await get(desk, f"/items/{item}")).text
    desk.status = replace(desk.status, now=NOW + timedelta(hours=2))
    text = (await get(desk, "/alerts")).text
    assert "Muted:" not in text
    assert "muted until" not in text


async def test_an_escalated_alert_says_why_it_was_told_again(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha", severity="critical")
    rule = Escalation(channel="desk", to="phone", after=timedelta(minutes=10))
    later = NOW + timedelta(minutes=11)
    tended = await desk.store.tend(
        later, channels={"desk", "duty", "phone"}, watches={"doha"}, escalations=[rule], give_up=timedelta(hours=72)
    )
    assert tended.escalated == 1
    desk.status = replace(desk.status, now=later)
    text = (await get(desk, "/alerts")).text
    assert "nobody acknowledged it in time" in text
    assert "on its way to phone" in text
    assert "escalated" in (await get(desk, f"/items/{item}")).text


async def test_a_flood_of_the_baseline_does_not_hide_what_was_told(desk: Desk) -> None:
    await desk.file("Told from Doha", age=9)
    for number in range(400):
        await desk.file(f"Old news {number} from Doha", suppressed="baseline")
    assert "Told from" in (await get(desk, "/alerts?condition=pending")).text


async def test_each_headline_has_its_language_and_direction(desk: Desk) -> None:
    await desk.file("שיחות בדוחא", language="he", key="h")
    await desk.file("محادثات في الدوحة", language="ar", key="a")
    await desk.file("گفتگوها در دوحه", language="und", key="p")
    text = (await get(desk, "/")).text
    assert re.search(r'<p class="headline" lang="he" dir="rtl"><a [^>]*>שיחות', text)
    assert re.search(r'<p class="headline" lang="ar" dir="rtl"><a [^>]*>محادثات', text)
    assert re.search(r'<p class="headline" lang="und" dir="auto"><a [^>]*>گفتگوها', text)
    assert '<html lang="en">' in text


async def test_an_item_page_marks_the_words_that_were_found_in_their_version(desk: Desk) -> None:
    item = await desk.file("Talks resume in Doha", key="k", body="First.\n\nIt is Doha again.", age=5)
    text = (await get(desk, f"/items/{item}")).text
    assert "Talks resume in <mark>Doha</mark>" in text
    assert "<p>First.</p>" in text
    assert "found by <code" in text
    await desk.file("In Doha, talks have now resumed", key="k")
    text = (await get(desk, f"/items/{item}")).text
    assert "In <mark>Doha</mark>, talks" in text, "offsets of the earlier headline do not mark this one"
    assert "How its text changed" in text


async def test_f083_hostile_headlines_are_text_on_every_page(desk: Desk) -> None:
    for number, payload in enumerate(PAYLOADS):
        item = await desk.file(f"{payload} Doha", key=str(number), lead=payload, body=payload, marks=(payload,))
        text = (await get(desk, f"/items/{item}")).text
        assert tags(text) <= OURS, payload
        shown = html.escape(words.clean(writable(payload)), quote=False)
        assert shown in text.replace("&#34;", '"').replace("&#39;", "'")
    for path in (*PAGES, "/rows/latest"):
        assert tags((await get(desk, path)).text) <= OURS, path


async def test_f083_only_web_addresses_become_links(desk: Desk) -> None:
    for number, address in enumerate(ADDRESSES):
        item = await desk.file("Talks", key=str(number), url=address)
        hrefs = re.findall(r'href="([^"]*)"', (await get(desk, f"/items/{item}")).text)
        foreign = [href for href in hrefs if not href.startswith(("/", "#"))]
        assert all(re.fullmatch(r"https://bbc\.example/[^\"'<>@ ]*", href) for href in foreign), hrefs


async def test_hostile_words_of_a_source_are_text_and_isolated(desk: Desk) -> None:
    bad = source("bbc/main", Outcome.BLOCKED, reason="<b>bold</b>", excerpt="<script>alert(1)</script> \u202eevil")
    desk.status = replace(desk.status, sources=(bad,), problems=("bbc/main: <i>blocked</i>",))
    for path in ("/sources", "/outlets/bbc", "/brief"):
        text = (await get(desk, path)).text
        assert tags(text) <= OURS
        assert '<q class="excerpt" dir="auto">&lt;script&gt;' in text


async def test_sources_that_need_a_look_come_first_and_closed_ones_name_their_rule(desk: Desk) -> None:
    desk.status = replace(
        desk.status,
        sources=(
            source("bbc/main", Outcome.OK, last_good=NOW - timedelta(minutes=3)),
            source("bbc/own", Outcome.CLOSED, reason='robots.txt refuses: "Disallow: /arc/"'),
            source("kan/main", Outcome.FAILED, reason="HTTP 503"),
        ),
    )
    text = (await get(desk, "/sources")).text
    rows = re.findall(r'<th scope="row"><a href="([^"]*)">', text)
    assert rows == ["/outlets/kan#main", "/outlets/bbc#own", "/outlets/bbc#main"]
    assert "Disallow: /arc/" in text
    assert "1 closed by the publisher's robots rules" in html.unescape(text)
    assert "in 12 min" in text


async def test_an_outlets_page_says_why_it_is_watched_so_and_under_which_limits(desk: Desk) -> None:
    desk.status = replace(desk.status, sources=(source("bbc/main", Outcome.OK, last_good=NOW),))
    await desk.file("Talks resume")
    text = (await get(desk, "/outlets/bbc")).text
    why, note = "Its feeds are open to everybody.", "A note for the reader."
    for said in (why, "obeyed", "headline and lead", "every 15m", note, 'id="main"', "Talks resume"):
        assert said in text, said


async def test_a_permission_is_shown(desk: Desk) -> None:
    permitted = desk.config.outlets["bbc"].model_copy(update={"robots": "permitted: licence 2026-14"})
    desk.config = desk.config.model_copy(update={"outlets": {"bbc": permitted}})
    assert "permitted: licence 2026-14" in (await get(desk, "/outlets/bbc")).text


async def test_trouble_is_said_first(desk: Desk) -> None:
    desk.status = replace(desk.status, problems=("Channel duty does not answer.",))
    text = (await get(desk, "/")).text
    assert "watching, with trouble" in text
    assert text.index("Channel duty does not answer.") < text.index('id="found-title"')
    desk.status = replace(desk.status, crawler_alive=False)
    text = (await get(desk, "/")).text
    assert "not watching" in text
    assert "The crawler has stopped" in text


async def test_f150_pages_over_two_thousand_items_answer_and_stay_short(desk: Desk) -> None:
    await desk.file_all(
        Candidate(
            id=identity.item_id("bbc", f"url:{n}"), entry=Entry(title=f"Doha report {n}", url=f"https://bbc.example/{n}"),
            keys=(f"url:{n}",), text_hash=identity.text_hash(f"Doha report {n}", ""), language="en",
        )
        for n in range(2000)
    )  # fmt: skip
    for path in (*PAGES, "/items?outlet=bbc&language=en"):
        got = await get(desk, path)
        assert got.status == 200, path
        assert len(got.text) < 150_000, path
    assert "2000" in (await get(desk, "/items")).text


async def test_a_store_that_does_not_answer_is_told_on_every_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_args: object, **_more: object) -> None:
        raise StoreBusy("the store is locked by <another> program")

    for method in ("count", "item"):
        monkeypatch.setattr(desk.store, method, busy)
    for path in ("/", "/items/0", "/outlets/bbc", "/metrics"):
        got = await get(desk, path)
        assert got.status == 503
        assert "the store is locked by &lt;another&gt; program" in got.text
        assert got.headers["content-security-policy"] == POLICY


async def test_every_pair_of_ink_and_paper_has_the_contrast_of_wcag_aa() -> None:
    css = (Path(monitor.web.__file__).parent / "static" / "wirewatch.css").read_text("utf-8")
    schemes = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w+)", scheme))
        for ink in ("ink", "soft", "link", "good", "fair", "bad", "shut"):
            for paper in ("paper", "raised"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert contrast(colours["ink"], colours["found"]) >= 4.5


# ------------------------------------------------------------------ reading what came

OURS = {
    "html", "head", "meta", "title", "link", "body", "header", "main", "nav", "section", "article", "div", "p", "a",
    "ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "span", "strong", "bdi", "mark", "time", "code", "q", "table",
    "thead", "tbody", "tr", "th", "td", "kbd", "form", "button", "input", "select", "option", "label", "textarea",
    "dialog", "details", "summary", "pre", "h3", "del", "ins", "svg", "rect", "g", "polyline", "circle", "text",
}  # fmt: skip


OUR_SCRIPT = '<script src="/static/review.js" defer></script>'


def tags(text: str) -> set[str]:
    """The kinds of elements on a page, without its only script."""
    text = text.replace(OUR_SCRIPT, "", 1)
    return {found.lower() for found in re.findall(r"<\s*([a-zA-Z][\w-]*)", text)}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two #rgb or #rrggbb colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
