"""JSON Schema (draft 2020-12) of the six kinds of file, for editors and for naming what a table may hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from config.document import Kind
from config.model.fields import written
from config.model.lexicon import ClaimFile, ConceptFile
from config.model.origins import OriginFile
from config.model.outlets import Outlet
from config.model.settings import Settings
from config.model.watches import WatchFile

MODELS: Mapping[Kind, type[BaseModel]] = {
    "wirewatch": Settings,
    "outlet": Outlet,
    "watches": WatchFile,
    "concepts": ConceptFile,
    "claims": ClaimFile,
    "origins": OriginFile,
}
_TITLES: Mapping[Kind, str] = {
    "wirewatch": "wirewatch.toml: settings and channels",
    "outlet": "outlets/NAME.toml: one outlet",
    "watches": "watches/NAME.toml: the watches of one beat",
    "concepts": "concepts.toml: the concepts that watches name",
    "claims": "claims.toml: how texts hedge and deny",
    "origins": "origins.toml: how texts name whose reporting they are",
}


class _Written(GenerateJsonSchema):
    """Defaults stand as an operator would write them: ``"2h"``, not an ISO duration."""

    def encode_default(self, dft: Any) -> Any:
        return written(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of one kind of file; every key carries its explanation."""
    made = MODELS[kind].model_json_schema(schema_generator=_Written)
    return {"$schema": GenerateJsonSchema.schema_dialect, **made, "title": _TITLES[kind]}


@cache
def _cached(kind: Kind) -> JsonSchemaValue:
    return schema(kind)


def allowed(kind: Kind, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that the table at ``path`` may hold, or the values that the key there may have."""
    whole = _cached(kind)
    choices = [whole]
    for part in path:
        choices = [inner for choice in choices for inner in _inside(whole, choice, part)]
    names: list[str] = []
    for choice in choices:
        constant = [choice["const"]] if "const" in choice else []
        names += choice.get("properties", ()) or choice.get("enum", constant)
    return tuple(str(name) for name in names)


def _inside(whole: JsonSchemaValue, here: JsonSchemaValue, part: str | int) -> list[JsonSchemaValue]:
    if isinstance(part, int):
        return _meant(whole, here.get("items"))
    named = here.get("properties", {}).get(part) or here.get("additionalProperties")
    return _meant(whole, named or next(iter(here.get("patternProperties", {}).values()), None))


def _meant(whole: JsonSchemaValue, node: Any) -> list[JsonSchemaValue]:
    """``node`` with its reference followed and its alternatives laid side by side."""
    if not isinstance(node, dict):
        return []
    if "$ref" in node:
        return _meant(whole, whole["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    alternatives = node.get("anyOf") or node.get("oneOf")
    return [each for one in alternatives for each in _meant(whole, one)] if alternatives else [node]
