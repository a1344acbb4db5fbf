"""The whole of a configuration, with the place of every value in its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import (
    Field,
    SecretStr,
)

from config.model.fields import Told
from config.model.lexicon import Claims, Concept
from config.model.origins import OriginTables
from config.model.outlets import Outlet
from config.model.settings import Settings
from config.model.watches import Watch


class Place(Told):
    """Where a key stands: ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A string value as it stands in its file, quotes and escapes included, and where it begins."""

    at: Place
    text: str


class Config(Told):
    """One whole configuration, as loaded at one moment."""

    settings: Settings
    outlets: Mapping[str, Outlet]
    watches: Mapping[str, Watch]
    concepts: Mapping[str, Concept]
    claims: Claims = Claims()
    origins: OriginTables = OriginTables()
    places: Mapping[str, Place] = Field(default_factory=dict)
    """``"watch.hostage-deal.when"`` → where it stands; keys are kind, id, key."""
    strings: Mapping[str, Written] = Field(default_factory=dict, repr=False, exclude=True)
    """The string values under the same keys; `config.load.place_in` finds places inside them."""
    secrets: Mapping[str, SecretStr] = Field(default_factory=dict, repr=False, exclude=True)
    """``"channel.newsroom.url"``, ``"channel.newsroom.secret"``: the only place secrets live."""
    warnings: tuple[str, ...] = ()
    folder: str | None = None
    """The operator's folder; ``None``: what ships. Relative paths (the store, file channels) start here."""

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What must not stand in any log."""
        return tuple(secret.get_secret_value() for secret in self.secrets.values())
