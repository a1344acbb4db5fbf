"""The channels in force, and those of earlier configurations while their last messages are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from config.model.whole import Config
from monitor import canary
from monitor.alerts.channels import open_channels
from monitor.ports import Channel

SEND_DEADLINE = 20.0

Open = Callable[[Config], Mapping[str, Channel]]


class Channels:
    """``open_`` makes the configured ones and raises `ConfigError`; the canary's own is always there beside them."""

    def __init__(self, config: Config, open_: Open = open_channels) -> None:
        self._open = open_
        self._config = config
        self.in_force: Mapping[str, Channel] = _whole(open_(config))
        self._closing: dict[asyncio.Task[None], Mapping[str, Channel]] = {}

    async def made_for(self, config: Config) -> Mapping[str, Channel]:
        """What `replace` takes: those in force when nothing they are made of has changed. Raises `ConfigError`."""
        if made_of(config) == made_of(self._config):
            return self.in_force
        return _whole(await asyncio.to_thread(self._open, config))  # seconds, with Apprise

    def replace(self, config: Config, made: Mapping[str, Channel]) -> None:
        """Take others into force. Messages on their way through the old ones end first: cutting one off would double
        it."""
        replaced, self.in_force, self._config = self.in_force, made, config
        if replaced is not made:
            closing = asyncio.create_task(_close_later(replaced))
            self._closing[closing] = replaced
            closing.add_done_callback(lambda done: self._closing.pop(done, None))

    async def close(self) -> None:
        closing, self._closing = self._closing, {}
        for task, channels in closing.items():
            task.cancel()
            await _close(channels)
        await _close(self.in_force)


def made_of(config: Config) -> tuple[object, ...]:
    """What channels are made of: addresses, secrets, and the names, words and links their messages use."""
    settings = config.settings
    names = [(outlet.id, outlet.name) for outlet in config.outlets.values()]
    titles = [(watch.id, watch.title, watch.corroborated) for watch in config.watches.values()]
    words = config.claims, config.concepts, config.origins
    return settings.channel, dict(config.secrets), settings.service, settings.web.public_url, names, titles, words


def _whole(configured: Mapping[str, Channel]) -> Mapping[str, Channel]:
    return {**configured, canary.NAME: canary.CanaryChannel()}


async def _close_later(replaced: Mapping[str, Channel]) -> None:
    await asyncio.sleep(SEND_DEADLINE)
    await _close(replaced)


async def _close(channels: Mapping[str, Channel]) -> None:
    for channel in channels.values():
        await channel.close()
