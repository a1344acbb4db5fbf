"""Structured logs: a short fixed phrase plus fields, one line each, with the configuration's secrets blotted out.

Modules log through the standard library (``log.info("answer filed", extra={"source": …})``); only the service pays for
structlog, which renders those records (`structlog.stdlib.ProcessorFormatter`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

import structlog

_BLOT = "•••"
_QUIET = ("scrapy", "twisted", "apscheduler", "uvicorn", "asyncio", "trafilatura", "htmldate", "watchfiles", "apprise")


class _Redact:
    """Blots out every secret value in every field, so that an error text cannot carry one (P12)."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(sorted({each for each in secrets if len(each) > 3}, key=len, reverse=True))

    def __call__(self, _logger: Any, _name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for secret in self._secrets:
            value = value.replace(secret, _BLOT)
        return value


def set_up(stream: TextIO, *, json: bool, level: str, secrets: Iterable[str] = ()) -> None:
    """Send every log record to ``stream``: ``key=value`` lines, or one JSON object a line.

    Control characters and line breaks inside values are escaped by the renderers, so one record is one line (F92).
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _Redact(secrets), renderer],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
