"""Every route there is: closed to strangers, and reached by its own name only."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from starlette.routing import BaseRoute, Mount, Route
from yarl import URL

import monitor.web
from monitor.web.app import build
from tests.monitor.web.desk import Desk, Got, get
from tests.monitor.web.doors import HTML, READ, ask, locked

pytestmark = pytest.mark.anyio
OPEN = {"/health", "/login", "/static/x", "/acknowledge/x/x"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

NAMES = (
    "../app.py", "..%2Fapp.py", "%2e%2e/app.py", "%2e%2e%2fapp.py", "%252e%252e%252fapp.py", "....//app.py",
    "..;/app.py", ".../app.py", "..%5Capp.py", "..\\app.py", "%2e%2e%5capp.py", "..%c0%afapp.py", "..%c1%9capp.py",
    "..%00/app.py", "wirewatch.css%00", "wirewatch.css%00.html", "%00", "wirewatch.css/../../app.py",
    "./../app.py", "/etc/passwd", "//etc/passwd", "%2Fetc%2Fpasswd", "///etc///passwd", "file:///etc/passwd",
    "file:%2F%2F%2Fetc%2Fpasswd", "../../../../../../../../etc/passwd", "..%2F..%2F..%2F..%2F..%2F..%2Fetc%2Fpasswd",
    "~/.ssh/id_rsa", "~root", "C:\\Windows\\win.ini", "C:%5CWindows%5Cwin.ini", "\\\\host\\share", "%5C%5Chost%5Cshare",
    "..%u2215app.py", "%uff0e%uff0e/app.py", "..%ef%bc%8fapp.py", "wirewatch.css%0a", "%0d%0aX-Y:%20z",
    ".", "..", "%2e%2e", "con", "a" * 5000, "templates/../../app.py", "%F0%9F%98%80", "%FF%FE",
)  # fmt: skip


def paths(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every path with a name for each of its parameters, and the methods that it answers."""
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            yield from paths(route.routes, before + route.path)
        elif isinstance(route, Mount):
            yield f"{before}{route.path}/x", {"GET"}
        else:
            assert isinstance(route, Route), f"of this kind of route nothing is known here: {route}"
            yield before + re.sub(r"\{[^}]+\}", "x", route.path), route.methods or set()


async def raw(desk: Desk, path: str) -> Got:
    """One request with the path as it stands."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(desk.url + path, encoded=True), allow_redirects=False) as answer,
    ):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Got(status=answer.status, headers=headers, text=await answer.text(errors="replace"))


async def test_f147_nothing_but_the_login_and_what_is_signed_answers_a_stranger(desk: Desk) -> None:
    app = build(desk.store, desk.edition, desk.looked, signer=desk.signer, live=desk.live)
    found = dict(paths(app.routes))
    assert len(found) > 35
    assert set(found) >= OPEN - {"/static/x"}
    assert {"/api/v1/openapi.json", "/api/v1/reviews", "/live", "/feed.atom", "/export.csv", "/review"} <= set(found)
    desk.config = locked(desk.config)
    for path in {
        *found,
        "/none",
        "/api/v1/none",
        "/static",
        "/Health",
        "/health/",
        "/login/x",
        "/acknowledge",
        "/docs",
    }:
        for method in METHODS:
            got = await ask(desk, path, method=method, headers={"Origin": desk.url})
            if path in OPEN:
                assert got.status not in (401, 500), (method, path)
            else:
                assert (got.status, "set-cookie" in got.headers) == (401, False), (method, path)
                assert len(got.text) < 60, "it says nothing else"


async def test_f147_no_write_is_hidden_in_a_read(desk: Desk) -> None:
    """Who may only read is refused by the method, so no GET may change anything: the ones there are, by name."""
    app = build(desk.store, desk.edition, desk.looked, signer=desk.signer, live=desk.live)
    changing = {path for path, methods in paths(app.routes) if methods & {"POST", "PUT", "PATCH", "DELETE"}}
    desk.config = locked(desk.config)
    for path in changing - {"/login", "/acknowledge/x/x"}:
        assert (await ask(desk, path, method="POST", token=READ)).status in (
            (200, 303, 404, 422) if path in ("/logout", "/looked", "/watches/x/try") else (403,)
        ), path


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:30])
async def test_f148_no_name_leads_out_of_where_it_belongs(desk: Desk, name: str) -> None:
    for path in (f"/static/{name}", f"/export.{name}", f"/export.csv/{name}", f"/feed.{name}", f"/export/{name}"):
        got = await raw(desk, path)
        assert got.status in (400, 404), path
        assert "content-disposition" not in got.headers
        assert not re.search(r"root:|def build|BEGIN", got.text), path


async def test_f148_static_is_what_stands_in_its_folder(desk: Desk) -> None:
    for file in (Path(monitor.web.__file__).parent / "static").iterdir():
        assert (await get(desk, f"/static/{file.name}")).status == 200
    assert (await get(desk, "/static/")).status == 404
    assert (await get(desk, "/static/", method="PUT")).status in (403, 405)


async def test_a_stranger_is_led_to_the_login_and_back_to_where_he_wanted(desk: Desk) -> None:
    desk.config = locked(desk.config)
    got = await ask(desk, "/stories?language=he", headers=HTML)
    assert (got.status, got.headers["location"]) == (303, "/login?next=%2Fstories%3Flanguage%3Dhe")
    text = (await ask(desk, got.headers["location"])).text
    assert '<input type="hidden" name="next" value="/stories?language=he">' in text


async def test_f149_no_file_can_be_handed_in(desk: Desk, tmp_path: Path) -> None:
    """A restore is a command over a local file; through the page there is nothing that takes one."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped", "x")
        archive.writestr("wirewatch.db", b"\0" * 2_000_000)
    app = build(desk.store, desk.edition, desk.looked, signer=desk.signer, live=desk.live)
    before = {each.name for each in tmp_path.iterdir()}
    asked = [path for path, methods in paths(app.routes) if "POST" in methods]
    assert len(asked) > 12
    for path in asked:
        form = aiohttp.FormData()
        for name in ("file", "backup", "item", "text", "note", "alert"):
            form.add_field(name, bomb.getvalue(), filename="../backup.zip", content_type="application/zip")
        async with (
            aiohttp.ClientSession() as session,
            session.post(desk.url + path, data=form, headers={"Origin": desk.url}) as answer,
        ):
            assert 400 <= answer.status < 500, path
    assert {each.name for each in tmp_path.iterdir()} == before
    assert not list(tmp_path.parent.rglob("escaped"))
