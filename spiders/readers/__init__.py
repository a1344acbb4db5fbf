"""Readers: bytes to entries. Pure, without Scrapy; run inside a worker that can be killed.

The path of one body: `read` → decoding (bytes to text) → feed, sitemap, listing or article (text to
`Raw` fields) → build (`Raw` to `Entry`). Expected damage is a result with marks, never an exception.
"""

from __future__ import annotations

from importlib import import_module

from spiders.readers.task import Reading, ReadTask

_MODULES = {"feed": "feed", "aggregator": "feed", "sitemap": "sitemap", "listing": "listing", "article": "article"}


def read(task: ReadTask) -> Reading:
    """Read one body. A reader is imported when first needed, so that a worker starts fast (trafilatura: 0.5 s)."""
    reader = import_module(f"spiders.readers.{_MODULES[task.kind]}")
    reading: Reading = reader.read(task)
    return reading


__all__ = ["ReadTask", "Reading", "read"]
