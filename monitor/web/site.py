"""What every part of the page shares: the store, the configuration in force, the state, who asks, and how a page is
rendered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from config.model.whole import Config
from monitor.alerts.links import Signer
from monitor.edition import Edition
from monitor.ports import Store
from monitor.status import Status
from monitor.web.live import Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, as the guard found (``request.state.visitor``)."""

    name: str
    """Stands beside what they review."""
    may: Literal["read", "review"]
    csrf: str = ""
    """What each of their forms must carry; empty for the bearer of a token, whom no other site can imitate."""
    signed_in: bool = False
    """By password: there is a session to leave."""


def visitor_of(request: Request) -> Visitor | None:
    """``None`` on the pages that are open to everybody."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything the routes need. ``edition`` gives the configuration in force with its compiled watches."""

    store: Store
    edition: Callable[[], Edition]
    status: Callable[[], Awaitable[Status]]
    signer: Signer
    live: Live
    pages: Environment

    @property
    def config(self) -> Config:
        return self.edition().config

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.config.settings.service.time_zone)

    def render(self, request: Request, name: str, **values: object) -> str:
        """A template with what all of them know."""
        known: dict[str, object] = {
            "config": self.config, "zone": self.zone, "root": "/", "visitor": visitor_of(request),
            "here": request.url.path,
        }  # fmt: skip
        return self.pages.get_template(name).render(known | values)

    def page(self, request: Request, name: str, **values: object) -> HTMLResponse:
        return HTMLResponse(self.render(request, name, **values))

    def missing(self, request: Request, said: str, *, code: int = 404) -> HTMLResponse:
        """A page that says what is not here and what to do."""
        return HTMLResponse(self.render(request, "missing.html", said=said), status_code=code)
