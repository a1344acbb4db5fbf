"""Scrapy's own commands over the configured outlets: `scrapy list`, `scrapy crawl NAME -O items.jsonl`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings

from spiders.spider import OutletLoader
from tests.newsserver import Answer, rss

ROOT = Path(__file__).parents[2]
BODY = rss(
    [
        {
            "title": "A deal is near",
            "link": "http://example.org/1",
            "description": "Lead",
            "pubDate": "Tue, 24 Nov 2026 10:00:00 GMT",
        },
        {"title": "Another", "link": "http://example.org/2"},
    ]
)


@pytest.fixture
def folder(tmp_path, site):
    (tmp_path / "outlets").mkdir()
    (tmp_path / "wirewatch.toml").write_text(f'[allow]\nfetch = ["{site.netloc}"]\n')
    sources = "".join(
        f'[[source]]\nid = "{path}"\nkind = "feed"\nurl = "{site.url("/" + path)}"\n'
        for path in ("news", "closed", "lost")
    )
    (tmp_path / "outlets" / "one.toml").write_text(
        'id = "one"\nname = "One"\nhome = "https://example.org/"\nlanguage = "en"\ntime_zone = "UTC"\naccess = "feed"\n'
        f'why = "a test"\ndelay = "0s"\n{sources}'
    )
    return tmp_path


def scrapy(folder, *arguments, cwd=ROOT):
    environment = {**os.environ, "WIREWATCH_CONFIG": str(folder), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "scrapy", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_every_configured_outlet_is_a_spider(folder, monkeypatch, loop):
    monkeypatch.setenv("WIREWATCH_CONFIG", str(folder))
    loader = OutletLoader.from_settings(Settings())
    assert loader.list() == ["one"]
    assert (loader.load("one").name, loader.load("one").outlet.name) == ("one", "One")
    source = loader.load("one").outlet.source[0]
    assert loader.find_by_request(Request(source.url)) == ["one"]
    assert loader.find_by_request(Request("http://example.org/")) == []
    with pytest.raises(KeyError, match="no outlet is called 'none'"):
        loader.load("none")


def test_scrapy_crawl_yields_flat_items_under_the_same_rules(folder, site, tmp_path):
    site.robots("User-agent: *\nDisallow: /closed")
    site.on("/news", Answer(body=BODY, headers={"Content-Type": "application/rss+xml"}))
    out = tmp_path / "items.jsonl"
    ended = scrapy(folder, "crawl", "one", "-O", str(out))
    assert ended.returncode == 0, ended.stderr
    items = [json.loads(line) for line in out.read_text().splitlines()]
    assert [item["title"] for item in items] == ["A deal is near", "Another"]
    assert items[0] == {
        "outlet": "one", "source": "one/news", "url": "http://example.org/1", "title": "A deal is near",
        "summary": "Lead",
        "language": items[0]["language"], "published": "2026-11-24T10:00:00+00:00", "kind": "article",
    }  # fmt: skip
    assert site.paths() == ["/robots.txt", "/news", "/lost"]
    assert "outcome=closed" in ended.stderr
    assert "outcome=failed" in ended.stderr


def test_scrapy_crawl_is_guarded_too(folder, server, site):
    (folder / "wirewatch.toml").write_text("# nothing is allowed\n")
    ended = scrapy(folder, "crawl", "one")
    assert "address refused" in ended.stderr
    assert site.requests == []
