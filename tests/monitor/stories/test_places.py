"""Stories and their links as items are filed, one after the other, while the configuration changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from config.load import load
from config.model.lexicon import Concept
from config.model.whole import Config
from monitor.model.items import Item
from monitor.model.texts import TextLanguage
from monitor.stories.places import Places

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CONFIG = load(None)


def item(name: str, title: str, lead: str, language: TextLanguage, *, minutes: int) -> Item:
    at = NOW + timedelta(minutes=minutes)
    return Item(
        id=name, outlet=name, source=f"{name}/main", url=None, title=title, lead=lead, language=language,
        kind="article", author="", published=at, published_assumed=False, first_seen=at, revision=f"r{name}",
    )  # fmt: skip


def with_another_concept(config: Config) -> Config:
    kite = Concept(kind="name", group="event", en=("kite festival",))
    return config.model_copy(update={"concepts": {**config.concepts, "kite": kite}})


def test_a_story_keeps_its_links_when_the_lexicon_is_saved_anew() -> None:
    title, lead = "Mediators hand over a new draft: release of 10 hostages in first phase", "It was presented in Doha."
    places = Places(CONFIG)
    hebrew = item(
        "kan", "המתווכים הציגו טיוטה חדשה: שחרור עשרה חטופים בשלב הראשון", "ההצעה הוצגה בדוחא.", "he", minutes=0
    )
    first = places.place(hebrew, None, CONFIG)
    english = places.place(item("bbc", title, lead, "en", minutes=5), None, CONFIG)
    assert [link.story for link in english.links] == [first.story]
    again = places.place(
        item("ap", f"{title}, officials say", lead, "en", minutes=9), None, with_another_concept(CONFIG)
    )
    assert again.story == english.story
    assert [link.story for link in again.links] == [first.story]
