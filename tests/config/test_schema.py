"""The published schemas, the words for every refusal, and the page that explains every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from config.document import Kind
from config.load import shipped
from config.model.fields import duration, written
from config.schema import MODELS, allowed, schema
from config.wording import PATTERNS

PAGE = Path(__file__).parents[2] / "docs/configuration.md"


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from nodes(inner)


def keys(kind: Kind) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Table, key and schema of every key an operator can write."""
    made = schema(kind)
    tables = {MODELS[kind].__name__: made, **made["$defs"]}
    for table, inner in tables.items():
        for key, node in inner.get("properties", {}).items():
            yield table, key, node


def test_there_is_a_schema_for_each_kind_of_file() -> None:
    assert set(MODELS) == set(get_args(Kind))
    for kind in MODELS:
        assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema(kind)["additionalProperties"] is False


@pytest.mark.parametrize("kind", MODELS)
def test_every_key_is_explained_in_its_schema(kind: Kind) -> None:
    assert [f"{table}.{key}" for table, key, node in keys(kind) if not node.get("description")] == []


@pytest.mark.parametrize("kind", MODELS)
def test_defaults_in_the_schemas_are_what_an_operator_may_write(kind: Kind) -> None:
    for node in nodes(schema(kind)):
        if isinstance(node.get("default"), str) and "pattern" in node:
            assert re.search(node["pattern"], node["default"])


@pytest.mark.parametrize("kind", MODELS)
def test_every_pattern_has_its_words(kind: Kind) -> None:
    patterns = {node["pattern"] for node in nodes(schema(kind)) if isinstance(node.get("pattern"), str)}
    patterns |= {name for node in nodes(schema(kind)) for name in node.get("patternProperties", {})}
    in_the_model = {r"^\d+\s*(s|m|h|d)$", r"^([01]\d|2[0-3]):[0-5]\d$"}  # durations and times of day say it themselves
    assert patterns - in_the_model <= set(PATTERNS)


def test_what_a_table_may_hold_is_named() -> None:
    assert allowed("outlet", ("source", 0, "kind")) == ("feed", "sitemap", "listing", "aggregator")
    assert "weak_rule" in allowed("concepts", ("concepts", "doha"))
    assert allowed("wirewatch", ("channel", 0, "url")) == ("file",)
    assert allowed("wirewatch", ("channel", 0, "quiet")) == ("from", "to")
    assert allowed("wirewatch", ("nothing", "here")) == ()


@pytest.mark.parametrize("text", ["0d", "90s", "15m", "36h", "180d"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    assert written(duration(text)) == text


# ------------------------------------------------------------------ docs/configuration.md


@pytest.mark.parametrize("kind", MODELS)
def test_every_key_is_documented(kind: Kind) -> None:
    """Each key has a row, or a heading for a table, in the part of its table: ``| `key` | …``."""
    parts = dict(re.findall(r"<!-- table: (\w+) -->\n(.*?)(?=<!-- table|\Z)", PAGE.read_text("utf-8"), re.DOTALL))
    missing = [f"{table}.{key}" for table, key, _ in keys(kind) if f"| `{key}` |" not in parts.get(table, "")]
    assert missing == []


def test_every_documented_key_exists() -> None:
    parts = dict(re.findall(r"<!-- table: (\w+) -->\n(.*?)(?=<!-- table|\Z)", PAGE.read_text("utf-8"), re.DOTALL))
    known = {(table, key) for kind in MODELS for table, key, _ in keys(kind)}
    for table, text in parts.items():
        told = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        assert {(table, key) for key in told} <= known


def test_every_example_on_the_page_is_toml_that_is_taken() -> None:
    examples = re.findall(r"```toml\n# (\w+)[^\n]*\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(examples) == PAGE.read_text("utf-8").count("```toml")
    kinds: dict[str, Kind] = {
        "wirewatch": "wirewatch",
        "outlets": "outlet",
        "watches": "watches",
        "concepts": "concepts",
        "claims": "claims",
        "origins": "origins",
    }
    for name, text in examples:
        MODELS[kinds[name]].model_validate(tomllib.loads(text))


# ------------------------------------------------------------------ the shipped wirewatch.toml


def test_every_setting_stands_in_the_shipped_file_and_its_examples_are_taken() -> None:
    text = (shipped() / "wirewatch.toml").read_text("utf-8")
    written = re.sub(r"^# (?=\[\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    MODELS["wirewatch"].model_validate(tomllib.loads(written))
    top = {key for _, key, _ in keys("wirewatch")} - {"allow", "channel", "service", "store", "stories", "token", "web"}
    assert [key for key in sorted(top) if not re.search(rf"\b{key} = ", written)] == []
