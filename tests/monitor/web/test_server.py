"""Where the page may listen, and that it says so when it cannot."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from fastapi import FastAPI

from config.errors import ConfigError
from config.load import load
from monitor.web.server import PageAddressTaken, serving
from tests.monitor.web.desk import Desk, get


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:8737", "[::]:8737", "192.168.1.2:8737", "10.0.0.1:80", "desk.example:8737", ":8737", "*:8737",
     "127.0.0.1.evil.example:80", "localhost.evil.example:80", "[::ffff:10.0.0.1]:80"],
)  # fmt: skip
def test_f145_only_loopback_addresses_are_accepted(tmp_path: Path, address: str) -> None:
    (tmp_path / "wirewatch.toml").write_text(f'[web]\naddress = "{address}"\n', "utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path)
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
