"""Names of sources and the patterns around them: what ships, what replaces it, what extends it, and what is refused."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.load import load
from tests.config.right import Write

OWN = """\
version = 1

[outlets.axios]
en = ["Axios News"]

[agencies.own-wire]
en = ["Own Wire"]

[patterns.told]
relation = "cite"
en = ["whispered to @"]
"""


def test_the_shipped_names_are_read() -> None:
    origins = load(None, environ={}).origins
    assert "רויטרס" in origins.agencies["reuters"].he
    assert origins.outlets["haaretz"].outlets == ("haaretz-en", "haaretz-he")
    assert origins.patterns["spokesperson"].relation == "statement"


def test_a_file_of_ones_own_replaces_the_shipped_names(write: Write) -> None:
    origins = load(write({"origins.toml": OWN}), environ={}).origins
    assert (set(origins.agencies), set(origins.outlets), set(origins.bodies)) == ({"own-wire"}, {"axios"}, set())
    assert origins.words == {}


def test_names_that_extend_add_tables_and_replace_those_of_the_same_name(write: Write) -> None:
    config = load(write({"origins.toml": "extend = true\n" + OWN}), environ={})
    shipped = load(None, environ={}).origins
    assert set(config.origins.agencies) == {*shipped.agencies, "own-wire"}
    assert set(config.origins.outlets) == set(shipped.outlets)
    assert (config.origins.outlets["axios"].en, config.origins.outlets["axios"].he) == (("Axios News",), ())
    assert config.origins.patterns["told"].he == ()
    assert config.origins.words == shipped.words
    assert config.places["outlets.axios"].file == "origins.toml"
    assert config.places["agencies.reuters"].file == "shipped/origins.toml"
    assert "outlets.axios.he" not in config.places


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[outlets.none]\nsigns = []", "origins.toml:2:1: outlets.none: a source needs a name in at least one"),
        ('[outlets.No]\nen = ["No"]', "must be an id"),
        ('[outlets.no]\nen = [""]', "a form may not be empty"),
        ('[outlets.no]\nen = ["No"]\nfr = ["Non"]', "unknown key"),
        ('[patterns.no]\nen = ["said @"]', "is missing"),
        ('[patterns.no]\nrelation = "own"\nen = ["said @"]', 'write "credit" or "cite" or "statement"'),
        ('[patterns.no]\nrelation = "cite"\nen = ["said so"]', "a pattern holds the source's name once, as @"),
        ('[patterns.no]\nrelation = "cite"\nen = ["@ told @"]', "a pattern holds the source's name once, as @"),
        ('[patterns.no]\nrelation = "cite"\nen = ["@ ."]', "a pattern needs a word directly before or behind @"),
        ('[patterns.no]\nrelation = "cite"\nen = ["told … @"]', "a pattern needs a word directly before or behind @"),
        ('[patterns.no]\nrelation = "cite"\nen = ["told @s"]', "nothing may be attached behind @"),
        ('[words.colours]\nen = ["red"]', "(known here: describing, officials, governing, photo, source, via)"),
        ('[words.photos]\nen = ["red"]', 'unknown key (did you mean "photo"?)'),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_meant_is_refused_at_its_place(table: str, told: str, write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write({"origins.toml": f"version = 1\n{table}\n"}), environ={})
    assert any(told in str(problem) for problem in caught.value.problems), caught.value
