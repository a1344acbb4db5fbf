"""The demo's configuration: the shipped files of the day's outlets, pointed at the loopback site.

It is written as a folder of TOML files and read like any other: a user can look at it and ``wirewatch check`` it.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.load import load, shipped
from config.model.whole import Config
from monitor.demo.day import Edition
from monitor.demo.site import DemoSite

CADENCE = {"every": "20m", "min": "10m", "max": "1h"}
"""In the sped-up time: when a day takes a minute, a source is asked about once in one and a half seconds."""


def demo_config(site: DemoSite, *, inbox_url: str, folder: Path, page_address: str) -> Config:
    """Write the demo's configuration into ``folder`` (made if missing) and load it from there.

    The outlets are the shipped ones with every address the site serves moved to its port, exactly these ports allowed,
    no delay between requests, and sources that the site does not play left out.
    """
    (folder / "outlets").mkdir(parents=True, exist_ok=True)
    (folder / "watches").mkdir(exist_ok=True)
    _write(folder / "wirewatch.toml", _settings(site, inbox_url, page_address), "The demo's settings.")
    shutil.copyfile(site.day.watches, folder / "watches" / "demo.toml")
    for outlet, edition in site.day.editions.items():
        told = tomllib.loads((shipped() / "outlets" / f"{outlet}.toml").read_text(encoding="utf-8"))
        _write(
            folder / "outlets" / f"{outlet}.toml",
            _staged(told, edition, site.base(outlet)),
            f"{told['name']} as the demo plays it: made from the shipped file, its addresses on this machine.",
        )
    return load(folder)


def _settings(site: DemoSite, inbox_url: str, page_address: str) -> dict[str, Any]:
    return {
        "service": {
            "user_agent": "wirewatch-demo/0.1 (+https://example.org/contact)",
            "time_zone": "UTC",
            "baseline": f"{int(site.day.baseline.total_seconds())}s",
        },
        "store": {"url": "sqlite:///wirewatch.db"},
        "web": {"address": page_address},
        "allow": {"fetch": [urlsplit(base).netloc for base in site.bases.values()]},
        "channel": [
            {"id": "inbox", "url": f"webhook:{inbox_url}"},
            {"id": "terminal", "url": "stdout"},
            {"id": "page", "url": "page"},
        ],
    }


def _staged(told: Mapping[str, Any], edition: Edition, base: str) -> dict[str, Any]:
    """An outlet's file, moved to ``base``."""
    outlet = {**told, "delay": "0s", "cadence": CADENCE}
    outlet["source"] = [
        {**{key: value for key, value in source.items() if key != "every"}, "url": _moved(source["url"], base)}
        for source in told["source"]
        if urlsplit(source["url"]).path in edition.feeds
    ]
    outlet["source"] += [
        {"id": closed.id, "kind": closed.kind, "url": base + closed.path, "note": closed.note}
        for closed in edition.closed
    ]
    if edition.pages:  # its articles stand on the loopback server: its home and its identity rules move with them
        home = re.escape((urlsplit(told["home"]).hostname or "").removeprefix("www."))
        here = re.escape(urlsplit(base).hostname or "")
        outlet |= {"home": f"{base}/", "pages": "all", "pages_per_hour": 600}
        outlet["identity"] = [{"pattern": rule["pattern"].replace(home, here)} for rule in told.get("identity", ())]
    return outlet


def _moved(url: str, base: str) -> str:
    parts = urlsplit(url)
    return base + parts.path + (f"?{parts.query}" if parts.query else "")


# ------------------------------------------------------------------ TOML, as much of it as these files need


def _write(path: Path, table: Mapping[str, Any], comment: str) -> None:
    path.write_text(f"# {comment}\n" + "\n".join(_lines(table, ())) + "\n", encoding="utf-8")


def _lines(table: Mapping[str, Any], place: Sequence[str]) -> list[str]:
    """A table as TOML: its plain keys first, then its tables and lists of tables under their headers."""
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping) or _is_tables(value)}
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if key not in inner]
    for key, value in inner.items():
        name = ".".join((*place, key))
        for one in value if _is_tables(value) else [value]:
            header = f"[[{name}]]" if _is_tables(value) else f"[{name}]"
            lines += ["", header, *_lines(one, (*place, key))]
    return lines


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's strings, numbers and booleans are TOML's, but for DEL, which no configuration holds
    return json.dumps(value, ensure_ascii=False)
