"""A caller's JSON Schema as a shape: the part of it that models can be written of.

References within the schema are put in place, what is not understood may be anything.
Facts: JSON Schema 2020-12, as far as a `response_schema` uses it.

Below: nothing. Above: notte.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

_DEEPEST: Final = 8
_PLAIN: Final = frozenset({"boolean", "integer", "number", "string", "null"})
_LOCAL: Final = "#/"


def shape_asked(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the form of `shapes.shape_of`: object, array, anyOf and plain types only."""
    return _shape(schema, schema, 0)


def _shape(schema: object, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return {}
    found = cast(Mapping[str, Any], schema)
    if isinstance(reference := found.get("$ref"), str):
        return _shape(_at(root, reference), root, depth + 1)
    if (options := _options(found)) is not None:
        shapes = [_shape(option, root, depth + 1) for option in options]
        return {"anyOf": shapes} if shapes and all(shapes) else {}
    kind = found.get("type")
    if kind == "array":
        return {"type": "array", "items": _shape(found.get("items"), root, depth + 1)}
    return _object(found, root, depth) if kind == "object" else {"type": kind} if kind in _PLAIN else {}


def _options(schema: Mapping[str, Any]) -> list[Any] | None:
    """The forms that a value may have, where it may have several."""
    for key in ("anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            return schema[key]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in cast(list[Any], kinds)] if isinstance(kinds, list) else None


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required")
    return {
        "type": "object",
        "properties": {
            name: _shape(part, root, depth + 1) for name, part in _mapping(schema.get("properties")).items()
        },
        "required": cast(list[str], required) if isinstance(required, list) else [],
    }


def _at(root: Mapping[str, Any], reference: str) -> object:
    """What a reference within the schema points at; None for any other."""
    if not reference.startswith(_LOCAL):
        return None
    place: Any = root
    for part in reference.removeprefix(_LOCAL).split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        place = _mapping(place).get(name)
    return place


def _mapping(value: object) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}
