"""Where the page may listen, and that it says so when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI

from config.errors import ConfigError
from config.load import load
from monitor.web.app import build
from monitor.web.live import Live
from monitor.web.server import PageAddressTaken, serving
from tests.monitor.web.desk import Desk, get

EVERYBODYS = (
    "0.0.0.0:8737", "[::]:8737", "192.168.1.2:8737", "10.0.0.1:80", "desk.example:8737", "127.0.0.1.evil.example:80",
    "localhost.evil.example:80", "[::ffff:10.0.0.1]:80",
)  # fmt: skip
PASSWORD, TOKEN = 'password = "env:P"', '[[web.token]]\nid = "feeds"\nsecret = "env:T"'
ENVIRON = {"P": "a good long password", "T": "t" * 24}


def written(folder: Path, address: str, more: str = "") -> Path:
    (folder / "wirewatch.toml").write_text(f'[web]\naddress = "{address}"\n{more}\n', "utf-8")
    return folder


@pytest.mark.parametrize("address", EVERYBODYS)
def test_f145_an_address_that_others_can_reach_needs_a_password_or_a_token(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, address))
    [problem] = refused.value.problems
    assert (problem.file, problem.line, problem.key) == ("wirewatch.toml", 2, "web.address")
    assert "set `password` or a [[web.token]]" in problem.message
    for more in (PASSWORD, TOKEN):
        config = load(written(tmp_path, address, more), environ=ENVIRON)
        assert config.settings.web.locked
        assert len(config.secrets) == 1


@pytest.mark.parametrize("more", [PASSWORD, TOKEN, f"{PASSWORD}\n{TOKEN}"])
def test_f145_a_reference_that_leads_to_nothing_is_no_password(tmp_path: Path, more: str) -> None:
    with pytest.raises(ConfigError, match="there is no such environment variable"):
        load(written(tmp_path, "0.0.0.0:8737", more), environ={})


@pytest.mark.parametrize("address", [":8737", "*:8737", "0.0.0.0", "[::1:80", "1.2.3:80", "127.0.0.1:99999", "a b:80"])
def test_what_is_no_address_is_refused_with_a_password_too(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, address, PASSWORD), environ=ENVIRON)
    assert [problem.key for problem in refused.value.problems] == ["web.address"]


@pytest.mark.parametrize("address", ["127.0.0.1:8737", "127.4.5.6:80", "[::1]:8737", "localhost:8737"])
def test_loopback_addresses_are_accepted(tmp_path: Path, address: str) -> None:
    (tmp_path / "wirewatch.toml").write_text(f'[web]\naddress = "{address}"\n', "utf-8")
    assert load(tmp_path).settings.web.address == address


@pytest.mark.anyio
async def test_a_taken_port_is_named_with_the_way_out_or_another_is_taken(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PageAddressTaken, match=r"\[web\] address"):
            async with serving(FastAPI(), address):
                pytest.fail("it listens where another program does")
        async with serving(FastAPI(), address, any_port=True) as free:
            assert free != f"http://{address}"


@pytest.mark.anyio
async def test_after_the_service_nothing_listens(desk: Desk) -> None:
    async with serving(FastAPI(), "127.0.0.1:0") as url:
        address = url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address[0], int(address[1])), timeout=5)
    assert (await get(desk, "/health")).status == 200


@pytest.mark.anyio
async def test_twenty_open_streams_do_not_keep_the_service_from_stopping(desk: Desk) -> None:
    """The service has ten seconds (F141); streams are told to end, and are not waited for."""
    live = Live()
    app = build(desk.store, desk.edition, desk.looked, signer=desk.signer, live=live)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        async with asyncio.timeout(10):
            async with serving(app, "127.0.0.1:0", ending=live.close) as url:
                streams = [await stack.enter_async_context(client.get(f"{url}/live")) for _ in range(20)]
                for each in streams:
                    assert b"hello" in await each.content.readuntil(b"\n\n")
                assert len(live) == 20
            for each in streams:
                assert await each.content.read() == b"", "it ended in order"
    assert len(live) == 0
