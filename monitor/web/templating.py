"""The templates with their filters. Escaping is on everywhere, and a name that a template does not know is an error."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from config.model.fields import written
from monitor.alerts.text import isolated, web_link
from monitor.web import asked, cards, words
from monitor.web.formatted import prose
from monitor.web.site import Visitor


def templates() -> Environment:
    pages = Environment(
        loader=PackageLoader("monitor.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages.filters |= {
        "relative": words.relative, "dir": words.direction, "clean": words.clean,
        "link": web_link, "host": _host, "isolated": isolated, "written": written, "utc": _utc, "count": words.counted,
        "language": words.language, "listed": words.listed,
    }  # fmt: skip
    pages.globals |= {
        "marked": words.marked, "prose": prose, "watch_title": cards.watch_title,
        "outlet_name": cards.outlet_name, "said": cards.said, "why": cards.why, "csrf": _csrf,
        "address": asked.address,
    }  # fmt: skip
    return pages


@pass_context
def _csrf(context: Context) -> Markup:
    """The hidden field that shows a form to be one of ours."""
    visitor: Visitor | None = context["visitor"]
    token = visitor.csrf if visitor is not None else ""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token)


def is_part(request: Request) -> bool:
    """Asked by the page's own script, which puts the answer's elements in their places."""
    return request.headers.get("x-part") == "1"


def _host(url: str | None) -> str:
    return urlsplit(url).hostname or "" if url else ""


def _utc(then: datetime) -> str:
    return then.isoformat(timespec="seconds")
