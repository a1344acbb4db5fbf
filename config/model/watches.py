"""``watches/NAME.toml``: what is looked for, and when it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    field_validator,
)

from config.model.fields import ChangeClass, Duration, Id, Severity, Told


class Examples(Told):
    """Headlines that must and must not fire the watch; `wirewatch check` runs them."""

    hit: tuple[str, ...] = ()
    """Headlines that must fire the watch."""
    miss: tuple[str, ...] = ()
    """Headlines that must not."""


class Corroboration(Told):
    """``corroborated = { origins = 3, within = "90m" }``: a story is told once enough independent origins report it.

    ``docs/origins.md`` says what an origin is: copies of one agency's text, and all that repeat one report, are one.
    """

    origins: StrictInt = Field(ge=2, le=20)
    """So many must report the story, in whatever language, whether this watch finds their words or not."""
    within: Duration
    """From the first of them to the last, by when each was first seen here; a minute to three days."""

    @field_validator("within")
    @classmethod
    def _while_a_story_lasts(cls, within: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= within <= timedelta(days=3):
            raise ValueError('must be from "1m" to "3d": a story is held together for three days')
        return within


class Watch(Told):
    """``[[watch]]``: a saved query with conditions, the user's keyword alert."""

    id: Id
    """The alerts' keys are made of it: do not change it."""
    title: str
    """How the watch is called in alerts and on the page."""
    when: str
    """The query: words, phrases, ``@concepts``, AND, OR, NOT, NEAR/n."""
    outlets: tuple[Id, ...] = ()
    """Empty means all."""
    on: tuple[Literal["new", "edited", "withdrawn"], ...] = ("new", "withdrawn")
    """What fires it: an item that is new, one that was edited, one that was told and whose page is taken down."""
    edited: tuple[ChangeClass, ...] = Field(
        default=("number", "name", "quote", "hedge", "denial", "date"), min_length=1
    )
    """With ``edited`` in `on`: which changes of a text that matched before are told (``docs/edits.md``)."""
    corroborated: Corroboration | None = None
    """Tell of a story only when so many independent origins reported it within so long; it waits until then, and is
    listed as not corroborated when the time is over."""
    max_age: Duration | None = None
    """Items dated older are not told."""
    cooldown: Duration | None = None
    """After an alert, what else is told of the same story waits so long and leaves in one message. A changed number,
    quote or hedge, a denial and a critical alert do not wait."""
    severity: Severity = "normal"
    """Of its alerts: the most severe leave first, and a channel takes those from its `min_severity` up."""
    notify: tuple[Id, ...] = ()
    """Channel ids; empty means every channel that takes this severity."""
    lookalikes: StrictBool = False
    """Also find words written with Cyrillic or Greek letters that look like Latin ones (`Нamas`)."""
    examples: Examples = Examples()
    """Headlines that test the watch."""


class WatchFile(Told):
    """The whole of one file in ``watches/``: a beat."""

    watch: tuple[Watch, ...] = ()
    """The watches; one table each."""
