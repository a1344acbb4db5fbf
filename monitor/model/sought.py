"""What the full-text index is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SearchField = Literal["title", "text", "author", "url", "facts"]
"""Where terms are indexed: ``text`` is lead and body, ``facts`` outlet, source, language and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """One term, as `monitor.language.index` makes them: letters and digits only."""

    term: str
    fields: tuple[SearchField, ...]
    """Any of them."""
    begins: bool = False
    """Any term that begins so."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """All parts; of none: everything."""

    parts: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any part; of none: nothing."""

    parts: tuple[Sought, ...]


Sought = Indexed | AllOf | AnyOf
"""What the index is asked for. Everything and nothing stand alone, not as parts of others."""
