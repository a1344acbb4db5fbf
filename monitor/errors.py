"""Every error wirewatch raises on purpose.

::

    WirewatchError
    ├── ConfigError          the operator's files: carries every problem found, each with its place
    ├── NotWritten           a file that could not be written; says which were
    ├── QueryError           one query (a watch's ``when``): carries the place inside the text
    ├── StoreError           the store cannot be used as asked
    │   ├── StoreUnusable    damaged, read-only, newer than the program: refuse to start
    │   ├── StoreBusy        locked longer than we wait
    │   ├── StoreFull        no space; nothing was committed
    │   └── ServiceRunning   another service holds this store
    ├── UnknownName          an id that names nothing (outlet, watch, item, alert, channel)
    ├── CannotCorrect        a reviewer's correction that makes no sense; says why and what would
    └── AddressRefused       an address that may not be fetched (not public, not http, ambiguous)

Expected outcomes of fetching and sending are results (`Answer`, `Delivery`), never errors.
"""

from __future__ import annotations

from config.errors import ConfigError, Problem, WirewatchError


class QueryError(WirewatchError):
    """A query is refused; ``start`` and ``end`` are offsets into its text."""

    def __init__(self, message: str, *, start: int, end: int, suggestion: str = "") -> None:
        self.message, self.start, self.end, self.suggestion = message, start, end, suggestion
        super().__init__(message + (f" ({suggestion})" if suggestion else ""))


class StoreError(WirewatchError):
    """The store cannot be used as asked."""


class StoreUnusable(StoreError):
    """Damaged, read-only or newer than this program."""


class StoreBusy(StoreError):
    """Locked by another process for longer than we wait; try again."""


class StoreFull(StoreError):
    """No space left; the transaction was undone."""


class ServiceRunning(StoreError):
    """Another service holds this store; the message names its process."""


class UnknownName(WirewatchError):
    """An id that names nothing here."""


class CannotCorrect(WirewatchError):
    """A correction that makes no sense, such as splitting off a whole story; nothing was changed."""


class AddressRefused(WirewatchError):
    """An address that may not be fetched."""


__all__ = [
    "AddressRefused", "CannotCorrect", "ConfigError", "Problem", "QueryError", "ServiceRunning", "StoreBusy",
    "StoreError", "StoreFull", "StoreUnusable", "UnknownName", "WirewatchError",
]  # fmt: skip
