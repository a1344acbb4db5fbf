"""Where alerts go, built from the configuration.

Addresses and secrets stay inside the channel objects: they are in no message, no error and no ``repr`` (P12, F135).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from config.errors import ConfigError, Problem
from config.model.origins import OriginTables
from config.model.settings import Channel as Configured
from config.model.whole import Config
from config.smtp import SCHEMES
from monitor import canary, health
from monitor.alerts import links
from monitor.alerts.local import FileChannel, PageChannel, StdoutChannel
from monitor.alerts.services import AppriseChannel
from monitor.alerts.smtp import SmtpChannel
from monitor.alerts.webhook import WebhookChannel
from monitor.alerts.wording import Wording
from monitor.clock import SystemClock
from monitor.ports import Channel, Clock
from monitor.stories.phrases import Phrases


def open_channels(config: Config, *, clock: Clock | None = None) -> Mapping[str, Channel]:
    """Every channel of the configuration by id. Raises `ConfigError` naming all that cannot be used; never the
    address itself. The first Apprise address takes a second or more (all its plugins are read): call it from a
    thread when a loop is running."""
    clock = clock or SystemClock()
    try:
        wording = wording_of(config)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
        message = f"links to acknowledge alerts cannot be signed with {links.key_file(config).name}: {why}"
        raise ConfigError([_problem(config, "web.public_url", message)]) from None
    opened: dict[str, Channel] = {}
    problems: list[Problem] = []
    for told in config.settings.channel:
        try:
            opened[told.id] = _open(told, config, wording, clock)
        except ValueError as error:
            problems.append(_problem(config, f"channel.{told.id}.url", str(error)))
    if problems:
        raise ConfigError(problems)
    return opened


def wording_of(config: Config) -> Wording:
    """With links to acknowledge where the page can be reached; OSError and ValueError as `links.signer_of`."""
    settings = config.settings
    own_outlets = (health.built_in_outlet(), canary.built_in_outlet())
    own_watches = (health.built_in_watch(settings), canary.built_in_watch(settings))
    outlets = {outlet.id: outlet.name for outlet in (*config.outlets.values(), *own_outlets)}
    watches = {watch.id: watch.title for watch in (*config.watches.values(), *own_watches)}
    page, acknowledge = settings.web.public_url, None
    if page:
        signer = links.signer_of(links.key_file(config))
        acknowledge = functools.partial(links.acknowledge_link, page, signer=signer)
    rules = {watch.id: watch.corroborated for watch in config.watches.values()}
    return Wording(
        zone=settings.service.time_zone, outlets=outlets, watches=watches, sources=_source_names(config.origins),
        within={watch: rule.within for watch, rule in rules.items() if rule is not None},
        phrases=Phrases.of(config.claims, config.concepts), page=page, acknowledge=acknowledge,
    )  # fmt: skip


def _source_names(tables: OriginTables) -> dict[str, str]:
    """The first name of each in its first language."""
    told = {**tables.agencies, **tables.outlets, **{f"statement:{name}": body for name, body in tables.bodies.items()}}
    return {
        name: next(iter((*each.en, *each.he, *each.ar, *(form for forms in each.weak.values() for form in forms))))
        for name, each in told.items()
    }  # fmt: skip


def _open(told: Configured, config: Config, wording: Wording, clock: Clock) -> Channel:
    """ValueError, fit for the operator and without any secret, when it cannot be."""
    address = _address(told, config)
    kind, _, rest = address.partition(":")
    if address == "page":
        return PageChannel(told.id)
    if address == "stdout":
        return StdoutChannel(told.id, wording=wording)
    if kind == "file":
        return FileChannel(told.id, Path(config.folder or ".") / rest, wording=wording, clock=clock)
    if kind == "webhook":
        secret = _secret(config, f"channel.{told.id}.secret") if told.secret else None
        return WebhookChannel(told.id, rest, secret=secret, wording=wording, clock=clock)
    if kind.lower() in SCHEMES:
        return SmtpChannel(told.id, address, wording=wording, clock=clock)
    return AppriseChannel(told.id, address, wording=wording, clock=clock)


def _address(told: Configured, config: Config) -> str:
    if isinstance(told.url, str) and not told.url.startswith("env:"):
        return told.url
    return _secret(config, f"channel.{told.id}.url").strip()


def _secret(config: Config, name: str) -> str:
    if name not in config.secrets:
        raise ValueError("the value it refers to was not read")
    return str(config.secrets[name].get_secret_value())


def _problem(config: Config, key: str, message: str) -> Problem:
    place = config.places.get(key)
    return Problem(
        file=place.file if place else "wirewatch.toml",
        line=place.line if place else 1,
        column=place.column if place else 1,
        key=key,
        message=message,
    )
