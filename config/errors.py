"""Errors of the configuration, and the base of every error wirewatch raises on purpose.

The whole tree is drawn in ``monitor/errors.py``; these stand here because nothing in ``config/`` may
import from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.model.whole import Config


class WirewatchError(Exception):
    """Base of all; ``str()`` is a message for the operator: what, where, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in the configuration, and where: line and column count from 1."""

    file: str
    line: int
    column: int
    key: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: "
        key = f"{self.key}: " if self.key else ""
        return place + key + self.message + (f" ({self.suggestion})" if self.suggestion else "")


class ConfigError(WirewatchError):
    """The configuration is refused whole; ``problems`` lists everything wrong at once.

    ``readable`` is what could be read all the same, so that its watches can be looked through too.
    """

    def __init__(self, problems: Sequence[Problem], *, readable: Config | None = None) -> None:
        self.problems = tuple(problems)
        self.readable = readable
        super().__init__("\n".join(map(str, self.problems)))


class NotWritten(WirewatchError):
    """Editable files were not written, or not all; ``written`` lists those that were."""

    def __init__(self, message: str, written: Sequence[Path] = ()) -> None:
        self.written = tuple(written)
        super().__init__(message)
