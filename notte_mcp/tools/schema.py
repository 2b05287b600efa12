"""Input schemas that every host takes: flat objects, no unions, no references, no titles.

The SDK derives a schema from a tool's signature; `portable` makes it one that the
dialects of all hosts accept, and a short one, since every session pays for it.

Below: action_schema. Above: the tools of this folder.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from notte_mcp.action_schema import JsonSchema

_DROPPED: Final = frozenset(
    {"title", "$defs", "discriminator", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "pattern", "format"}
)
"""What a host may refuse or a model does not need; the server checks all of it anyway."""


def portable(schema: Mapping[str, Any]) -> JsonSchema:
    """A tool's input schema without unions, references, titles and bounds.

    `Optional` becomes its one other arm (null is still accepted where a value is
    optional, since the server drops it), a default that is nothing (null, false, 0) is
    not told; an object with named properties takes no others.
    """
    return _portable(schema, cast(Mapping[str, Any], schema.get("$defs", {})))


def _portable(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> JsonSchema:
    if reference := schema.get("$ref"):
        named = cast(Mapping[str, Any], defs[str(reference).rsplit("/", 1)[-1]])
        # Its own description is its class's docstring, which speaks to people who read the code.
        return _portable(
            {
                **{k: v for k, v in named.items() if k != "description"},
                **{k: v for k, v in schema.items() if k != "$ref"},
            },
            defs,
        )
    if arms := schema.get("anyOf"):
        (arm,) = [arm for arm in arms if arm != {"type": "null"}]
        return _portable({**arm, **{k: v for k, v in schema.items() if k != "anyOf"}}, defs)
    small: JsonSchema = {k: v for k, v in schema.items() if k not in _DROPPED}
    if small.get("default", ...) in (None, False):
        del small["default"]
    if properties := schema.get("properties"):
        small["properties"] = {name: _portable(value, defs) for name, value in properties.items()}
    if small.get("type") == "object":
        # One whose keys are not told here is a plain object: what it takes is checked, and stands elsewhere.
        small.pop("additionalProperties", None)
        if "properties" in small:
            small["additionalProperties"] = False
    if items := schema.get("items"):
        small["items"] = _portable(items, defs)
    return small


LIST: Final[JsonSchema] = {"type": "array", "items": {"type": "object"}}
"""A list of facts, in an output schema."""


def object_schema(*required: str, optional: tuple[str, ...] = (), **others: JsonSchema) -> JsonSchema:
    """An output schema: texts by name, other types spelled out. Names that may be absent are not `required`."""
    texts: dict[str, JsonSchema] = {name: {"type": "string"} for name in (*required, *optional)}
    schema: JsonSchema = {"type": "object", "properties": {**texts, **others}}
    return schema | {"required": list(required)} if required else schema
