"""The words for hedges and denials: what ships, what replaces it, what extends it, and what is refused."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.load import load
from tests.config.right import Write

OWN = """\
version = 1

[denials.denies]
en = ["deny"]

[hedges.in_talks]
en = ["in talks"]
unless = { en = ["not in talks"] }
"""


def test_the_shipped_words_are_read() -> None:
    claims = load(None, environ={}).claims
    assert "מכחיש" in claims.denials["denies"].he
    assert claims.hedges["about"].before_number


def test_a_file_of_ones_own_replaces_the_shipped_words(write: Write) -> None:
    claims = load(write({"claims.toml": OWN}), environ={}).claims
    assert set(claims.denials) == {"denies"}
    assert set(claims.hedges) == {"in_talks"}


def test_words_that_extend_add_tables_and_replace_those_of_the_same_name(write: Write) -> None:
    config = load(write({"claims.toml": "extend = true\n" + OWN}), environ={})
    shipped = load(None, environ={}).claims
    assert set(config.claims.denials) == set(shipped.denials)
    assert set(config.claims.hedges) == {*shipped.hedges, "in_talks"}
    assert config.claims.denials["denies"].en == ("deny",)
    assert config.claims.denials["denies"].he == ()
    assert config.places["denials.denies"].file == "claims.toml"
    assert config.places["denials.untrue"].file == "shipped/claims.toml"
    assert "denials.denies.he" not in config.places


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[hedges.none]\nbefore_number = true", "claims.toml:2:1: hedges.none: it needs a phrase in at least one"),
        ('[hedges.Near]\nen = ["near"]', "must be a concept's name"),
        ('[hedges.near]\nen = [""]', "a form may not be empty"),
        ('[hedges.near]\nen = ["near"]\nfr = ["bientôt"]', "unknown key"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_meant_is_refused_at_its_place(table: str, told: str, write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write({"claims.toml": f"version = 1\n{table}\n"}), environ={})
    assert any(told in str(problem) for problem in caught.value.problems), caught.value
