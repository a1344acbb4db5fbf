"""Structured logs: a short fixed phrase plus fields, one line each, with every configuration's secrets blotted out.

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


_secrets: list[str] = []
"""What is blotted out, the longest first."""


def keep_out(secrets: Iterable[str]) -> None:
    """From now on these stand in no line of the log, beside those of earlier calls: what was under way when a
    configuration was replaced may still name an address of before (P12)."""
    _secrets[:] = sorted({*_secrets, *(each for each in secrets if len(each) > 3)}, key=len, reverse=True)


def _redacted(_logger: Any, _name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Every secret value blotted out in every field, so that an error text cannot carry one."""
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for secret in _secrets:
        value = value.replace(secret, _BLOT)
    return value


def set_up(stream: TextIO, *, json: bool, level: str) -> None:
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
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redacted, renderer],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
