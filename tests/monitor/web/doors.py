"""The page behind a login, and requests to it as browsers and other tools send them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr

from config.model.settings import Web, WebToken
from config.model.whole import Config
from tests.monitor.web.desk import Desk, Got

PASSWORD = "a good long password"
READ, REVIEW = "r" * 24, "w" * 24
HTML = {"Accept": "text/html,application/xhtml+xml"}


def locked(config: Config, *, password: str | None = PASSWORD, **web: Any) -> Config:
    """The configuration with a password and two tokens."""
    tokens = (WebToken(id="reader", secret="env:READ"), WebToken(id="writer", secret="env:WRITE", may="review"))
    told = Web(password="env:PASSWORD" if password else None, token=tokens, **web)
    secrets = {"web.token.reader.secret": SecretStr(READ), "web.token.writer.secret": SecretStr(REVIEW)}
    if password:
        secrets["web.password"] = SecretStr(password)
    settings = config.settings.model_copy(update={"web": told})
    return config.model_copy(update={"settings": settings, "secrets": secrets})


async def ask(
    desk: Desk, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None, json: object = None, data: bytes | None = None, token: str = "",
) -> Got:  # fmt: skip
    """One request over the wire."""
    told = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.request(
            method, desk.url + path, headers=told, allow_redirects=False, json=json,
            data=form if form is not None else data,
        ) as answer,
    ):  # fmt: skip
        return Got(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            text=await answer.text(errors="replace"),
        )


async def sign_in(desk: Desk, *, name: str = "Dana", password: str = PASSWORD, there: str = "/") -> Got:
    """As the login page sends it."""
    form = {"name": name, "password": password, "next": there}
    return await ask(desk, "/login", method="POST", headers={"Origin": desk.url}, form=form)


async def session(desk: Desk, **told: str) -> dict[str, str]:
    """The headers of somebody who has signed in."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
        client.post(
            f"{desk.url}/login", headers={"Origin": desk.url}, allow_redirects=False,
            data={"name": told.get("name", "Dana"), "password": told.get("password", PASSWORD)},
        ) as answer,
    ):  # fmt: skip
        assert answer.status == 303, await answer.text()
        sent = [each.partition(";")[0] for each in answer.headers.getall("Set-Cookie")]
    return {"Cookie": next(each for each in sent if re.match(r"(__Host-)?wirewatch=", each))}


async def csrf(desk: Desk, headers: Mapping[str, str]) -> str:
    """The word that the page's own forms carry."""
    text = (await ask(desk, "/alerts", headers=headers)).text
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found is not None, text
    return found[1]


def basic(secret: str, name: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}
