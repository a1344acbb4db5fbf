"""A whole configuration as it is in force: its watches compiled, the service's own outlets and watches with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError, Problem
from config.load import in_order, load, place_in
from config.model.outlets import Outlet
from config.model.settings import Channel
from config.model.watches import Watch
from config.model.whole import Config
from monitor import canary, health
from monitor.language.concepts import lints as concept_lints
from monitor.model.items import Match
from monitor.stories.origins import Sources
from monitor.stories.phrases import Phrases
from monitor.watches.compile import BadWatch, WatchSet, compile_watches
from monitor.watches.engine import ItemText
from monitor.watches.lint import Linter

BUILT_IN = (health.OUTLET, canary.NAME)
"""Outlets of the service itself: what they say is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One whole configuration in force, with its watches compiled."""

    config: Config
    watches: WatchSet
    by_id: Mapping[str, Watch]
    outlets: Mapping[str, Outlet]
    phrases: Phrases
    """How hedges and denials are told."""
    sources: Sources
    """What agencies, outlets and bodies are called."""

    def channels_for(self, outlet: str) -> tuple[Channel, ...]:
        """The channels that items of an outlet may be told on."""
        settings = self.config.settings
        return canary.takers(settings) if outlet == canary.NAME else settings.channel

    def match(self, text: ItemText) -> tuple[Match, ...]:
        """What a text matches. A watch that names no outlet means all the news: what is the service's own is matched
        only by watches that name its outlet."""
        found = self.watches.match(text)
        if text.outlet not in BUILT_IN:
            return found
        return tuple(each for each in found if text.outlet in self.by_id[each.watch].outlets)


def open_edition(folder: Path | None, *, watches: Path | None = None) -> Edition:
    """Read a configuration and compile it; raises `ConfigError` with every problem of every file, bad queries included.

    ``watches`` is a draft that stands in for the folder's watches.
    """
    try:
        config = load(folder, watches=watches)
    except ConfigError as error:
        queries = _bad_queries(error.readable) if error.readable else []
        raise ConfigError(in_order([*error.problems, *queries])) from None
    return edition(config)


def edition(config: Config) -> Edition:
    """Compile a configuration; raises `ConfigError` with every bad query at its place in its file."""
    own = (health.built_in_watch(config.settings), canary.built_in_watch(config.settings))
    outlets = {**config.outlets, **{each.id: each for each in (health.built_in_outlet(), canary.built_in_outlet())}}
    compiled, bad = compile_watches([*config.watches.values(), *own], config.concepts, outlets=outlets)
    if bad:
        raise ConfigError([_problem(config, each) for each in bad])
    by_id = {**config.watches, **{watch.id: watch for watch in own}}
    return Edition(
        config=config, watches=compiled, by_id=by_id, outlets=outlets,
        phrases=Phrases.of(config.claims, config.concepts), sources=Sources.of(config.origins),
    )  # fmt: skip


def remarks(edition: Edition) -> tuple[str, ...]:
    """What is allowed and probably not meant, in the watches and concepts: for `check` and for a reload's log."""
    linter = Linter(edition.config.concepts)
    said = []
    for name, watch in edition.config.watches.items():
        for remark in linter.lint(edition.watches.query(name)):
            part = f" at {watch.when[remark.start : remark.end].strip()}" if remark.end else ""
            advice = f" ({remark.suggestion})" if remark.suggestion else ""
            said.append(f"watch {name}{part}: {remark.message}{advice}")
    return (*said, *concept_lints(edition.config.concepts))


def _bad_queries(config: Config) -> list[Problem]:
    """Of a configuration that has other problems: an outlet or concept that could not be read is no query's fault."""
    if not config.concepts:
        return []
    _compiled, bad = compile_watches(config.watches.values(), config.concepts, outlets=config.outlets)
    return [_problem(config, each) for each in bad]


def _problem(config: Config, bad: BadWatch) -> Problem:
    key, error = f"watch.{bad.watch}.when", bad.error
    at = place_in(config, key, error.start)
    return Problem(
        file=at.file, line=at.line, column=at.column, key=key, message=error.message, suggestion=error.suggestion
    )
