"""The configuration over a world: its outlets, its watches, and channels with everything that holds alerts back."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path

from tests.rig.world import CHANNELS, WATCHES, World

SECRET = "WIREWATCH_SOAK_SECRET"
"""The variable that holds what the webhook's messages are signed with."""


def write(
    folder: Path,
    world: World,
    *,
    hooks: Mapping[str, str],
    address: Callable[[str, str], str],
    allow: Collection[str] = (),
) -> None:
    """``hooks`` are the addresses of channels that are webhooks, ``address`` gives a source's; the other channels lead
    to files, unless the service's rig takes them over."""
    for part in ("outlets", "watches"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "wirewatch.toml").write_text(_settings(hooks, allow), "utf-8")
    (folder / "watches" / "world.toml").write_text(WATCHES, "utf-8")
    for name, outlet in world.outlets.items():
        sources = "".join(
            f'[[source]]\nid = "{source}"\nkind = "feed"\nurl = "{address(name, source)}"\n'
            for source in outlet.sources
        )
        (folder / "outlets" / f"{name}.toml").write_text(
            f'id = "{name}"\nname = "{name}"\nhome = "https://{outlet.host}/"\nlanguage = "{outlet.tongue}"\n'
            'time_zone = "UTC"\naccess = "feed"\nwhy = "A test."\ndelay = "0s"\n'
            f"[cadence]\nevery = {_written(outlet.every)}\nmin = {_written(outlet.every / 3)}\n"
            f"max = {_written(world.longest)}\n{sources}",
            "utf-8",
        )


def _settings(hooks: Mapping[str, str], allow: Collection[str]) -> str:
    channels = "".join(
        f'[[channel]]\nid = "{name}"\n{keys}\nurl = '
        + (f'"webhook:{hooks[name]}"\nsecret = "env:{SECRET}"\n' if name in hooks else f'"file:{name}.jsonl"\n')
        for name, keys in CHANNELS.items()
    )
    return (
        '[service]\ntime_zone = "Asia/Jerusalem"\nbaseline = "2h"\nnotify = ["wire"]\n[web]\naddress = "127.0.0.1:0"\n'
        f"[allow]\nfetch = {json.dumps(list(allow))}\n{channels}"
    )


def _written(length: timedelta) -> str:
    return f'"{max(1, round(length.total_seconds()))}s"'
