"""Input schemas that every host takes: flat objects, no unions, no references, no titles.

The SDK derives a schema from a tool's signature; `portable` makes it one that the
dialects of all hosts accept, and a short one, since every session pays for it.
The schema of an action is derived from the classes in `actions`, so that a new
action or field appears here by itself.

Below: actions. Above: the tools of this folder.
"""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from notte_mcp.actions import ACTION_CLASSES, ACTION_TYPES
from notte_mcp.batches import MAX_ACTIONS

JsonSchema = dict[str, Any]

_DROPPED: Final = frozenset(
    {"title", "$defs", "discriminator", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "pattern", "format"}
)
"""What a host may refuse or a model does not need; the server checks all of it anyway."""

ACTION_FIELDS: Final[Mapping[str, str]] = {
    "id": "from an observation (B3)",
    "selector": "instead of id: CSS or Playwright's",
    "value": "text, option label, accept|dismiss, true|false, form_fill JSON",
    "gone": "wait_for: text that goes away",
    "url": "goto; wait_for: glob",
    "timeout_ms": "default 10000",
    "amount": "scroll px",
    "code": "JavaScript expression",
    "key": "Enter, Control+A",
    "path": "upload_file",
    "answer": "handle_dialog prompt; completion",
}
"""What the schema says of an action's fields, where the name alone does not."""

_JSON_TYPES: Final[Mapping[type, str]] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def portable(schema: Mapping[str, Any]) -> JsonSchema:
    """A tool's input schema without unions, references, titles and bounds.

    `Optional` becomes its one other arm (null is still accepted where a value is
    optional, since the server drops it); an object with named properties takes
    no others.
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
    if small.get("default", ...) is None:
        del small["default"]
    if properties := schema.get("properties"):
        small["properties"] = {name: _portable(value, defs) for name, value in properties.items()}
    if small.get("type") == "object":
        small["additionalProperties"] = False
    if items := schema.get("items"):
        small["items"] = _portable(items, defs)
    return small


def actions_schema() -> JsonSchema:
    """The `actions` parameter: a list of flat objects, one field set for all types."""
    fields: dict[str, JsonSchema] = {}
    for cls in ACTION_CLASSES:
        for name, field in cls.model_fields.items():
            if name != "type":
                found = _field_schema(field.annotation)
                fields[name] = found if fields.setdefault(name, found) == found else {"type": "string"}
    for name, text in ACTION_FIELDS.items():
        fields[name] = {**fields[name], "description": text}
    item: JsonSchema = {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": list(ACTION_TYPES)}, **fields},
        "required": ["type"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": item, "description": f"1 to {MAX_ACTIONS}, done in order"}


def _field_schema(annotation: Any) -> JsonSchema:
    """The JSON type of a field of an action; what is no scalar is written as JSON text."""
    arms = [arm for arm in _arms(annotation) if arm is not type(None)]
    if all(get_origin(arm) is Literal for arm in arms):
        return {"type": "string", "enum": [choice for arm in arms for choice in get_args(arm)]}
    found = {_JSON_TYPES.get(arm, "string") for arm in arms}
    return {"type": found.pop() if len(found) == 1 else "string"}


def _arms(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _arms(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from _arms(arm)
    else:
        yield annotation


LIST: Final[JsonSchema] = {"type": "array", "items": {"type": "object"}}
"""A list of facts, in an output schema."""


def object_schema(*required: str, optional: tuple[str, ...] = (), **others: JsonSchema) -> JsonSchema:
    """An output schema: texts by name, other types spelled out. Names that may be absent are not `required`."""
    texts: dict[str, JsonSchema] = {name: {"type": "string"} for name in (*required, *optional)}
    schema: JsonSchema = {"type": "object", "properties": {**texts, **others}}
    return schema | {"required": list(required)} if required else schema
