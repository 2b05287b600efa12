"""The shape of what a page gave, as a JSON Schema, and a schema as pydantic models in source.

A shape says no more than the data showed: a key that one of several objects lacks, or has
null at, is optional, a value that was null in one of them may be null, an empty list may hold
anything. What was not empty has one item, character or key at least.

Below: parameters, source. Above: generalising, notte.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from notte_mcp.workflows.parameters import identifier
from notte_mcp.workflows.source import Arg, Text, call, lay_out

_DEEPEST: Final = 6
_MOST_READ: Final = 200
_MOST_KEYS: Final = 60
_PLAIN: Final = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_LEAST: Final = {"array": "minItems", "object": "minProperties", "string": "minLength"}
_PYTHON: Final = {"boolean": "bool", "integer": "int", "number": "float", "string": "str", "null": "None"}
# What a field of a pydantic model may not be called, besides what no name may be.
_MODEL_NAMES: Final = re.compile(r"model_|schema$|json$|dict$|copy$|construct$|fields$|validate$")


def shape_of(value: Any) -> dict[str, Any]:
    """The JSON Schema of a JSON value, as wide as one example allows: a whole number may be a fraction next time, and
    what was null alone may be anything."""
    shape = _widened(_shape(value))
    least = _LEAST.get(str(shape.get("type"))) if value else None
    return shape | {least: 1} if least is not None else shape


def _widened(shape: dict[str, Any]) -> dict[str, Any]:
    kind = shape.get("type")
    if kind == "null":
        return {}
    if kind == "integer":
        return {"type": ["integer", "number"]}
    if kind == "array":
        return shape | {"items": _widened(shape["items"])}
    if kind == "object":
        return shape | {"properties": {key: _widened(inner) for key, inner in shape["properties"].items()}}
    if "anyOf" in shape:
        options: list[dict[str, Any]] = shape["anyOf"]
        return {"anyOf": [option if option == {"type": "null"} else _widened(option) for option in options]}
    return shape


def _shape(value: Any, depth: int = 0) -> dict[str, Any]:
    if type(value) in _PLAIN:
        return {"type": _PLAIN[type(value)]}
    if depth >= _DEEPEST:
        return {}
    if isinstance(value, list | tuple):
        items = cast(Sequence[Any], value)
        merged = _merged([_shape(item, depth + 1) for item in items[:_MOST_READ]])
        return {"type": "array", "items": merged}
    if isinstance(value, dict):
        pairs = list(cast(dict[str, Any], value).items())[:_MOST_KEYS]
        properties = {str(key): _shape(item, depth + 1) for key, item in pairs}
        return {
            "type": "object",
            "properties": properties,
            "required": [str(key) for key, item in pairs if item is not None],
        }
    return {}


def _merged(shapes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One schema that all of these fit."""
    distinct: list[dict[str, Any]] = []
    for shape in shapes:
        distinct += [] if shape in distinct else [shape]
    if len(distinct) <= 1:
        return distinct[0] if distinct else {}
    if any(not shape for shape in distinct):
        return {}
    objects = [shape for shape in distinct if shape.get("type") == "object"]
    arrays = [shape for shape in distinct if shape.get("type") == "array"]
    others = [shape for shape in distinct if shape not in objects and shape not in arrays]
    found = [*([_merged_objects(objects)] if objects else []), *others]
    if arrays:
        found.append({"type": "array", "items": _merged([shape["items"] for shape in arrays])})
    if {"type": "number"} in found:
        found = [shape for shape in found if shape != {"type": "integer"}]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _merged_objects(shapes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    keys = list(dict.fromkeys(key for shape in shapes for key in shape["properties"]))
    properties = {key: _merged([s["properties"][key] for s in shapes if key in s["properties"]]) for key in keys}
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in keys if all(key in shape["required"] for shape in shapes)],
    }


def model_shape(shape: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of an object that such data fits into (a list in `items`); None where no model tells more."""
    if shape.get("type") == "object" and shape.get("properties"):
        return shape
    items: Mapping[str, Any] = shape.get("items") or {}
    if shape.get("type") == "array" and items.get("properties"):
        return {"type": "object", "properties": {"items": shape}, "required": ["items"]}
    return None


@dataclass(slots=True)
class Models:
    """Pydantic models while they are written: `sources` are their classes, what is used before what uses it."""

    sources: list[str] = field(default_factory=list[str])
    names: set[str] = field(default_factory=set[str])
    known: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    aliased: bool = False

    def type_of(self, schema: Mapping[str, Any], wish: str) -> str:
        """The type expression of a schema; an object becomes a class called like `wish`."""
        return " | ".join(dict.fromkeys(self._options(schema, wish)))

    def _options(self, schema: Mapping[str, Any], wish: str) -> Iterator[str]:
        """The types that it may be, some of them more than once: `None | None` is no type."""
        kind = schema.get("type")
        if "anyOf" in schema:
            for option in schema["anyOf"]:
                yield from self._options(option, wish)
        elif isinstance(kind, list):
            yield from (_PYTHON[name] for name in cast(list[str], kind))
        else:
            yield self._single(schema, wish)

    def _single(self, schema: Mapping[str, Any], wish: str) -> str:
        kind = schema.get("type")
        if kind == "array":
            return f"list[{self.type_of(schema.get('items') or {}, _singular(wish))}]"
        if kind == "object" and schema.get("properties"):
            return self._class(schema, wish)
        if kind == "object":
            return "dict[str, object]"
        return _PYTHON.get(str(kind), "object")

    def _class(self, schema: Mapping[str, Any], wish: str) -> str:
        """The name of the class of an object; one that is like another is that one."""
        required = schema.get("required", ())
        taken = set[str]()
        lines: list[str] = []
        for key, inner in schema["properties"].items():
            attribute = _attribute(key, taken)
            lines += self._field(attribute, key, self.type_of(inner, key), optional=key not in required)
        wished = _class_name(wish)
        if (same := self.known.get((wished, *lines))) is not None:
            return same
        name = self.known[wished, *lines] = self._free(wished)
        self.sources.append("\n".join([f"class {name}(BaseModel):", *lines]))
        return name

    def _field(self, attribute: str, key: str, kind: str, *, optional: bool) -> list[str]:
        if optional and "None" not in kind.split(" | ") and kind != "object":
            kind = f"{kind} | None"
        if attribute == key:
            return [f"    {attribute}: {kind}{' = None' if optional else ''}"]
        self.aliased = True
        default: list[Arg] = [("default", "None")] if optional else []
        return lay_out(call("Field", *default, ("alias", Text(key))), before=f"{attribute}: {kind} = ")

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self.names:
            number += 1
            free = f"{name}{number}"
        self.names.add(free)
        return free


def _class_name(wish: str) -> str:
    words = identifier(wish).removesuffix("_value").split("_")
    name = "".join(word[:1].upper() + word[1:] for word in words if word)
    return f"{name}Model" if name in {"BaseModel", "Field", "None", "True", "False", "NotteClient", "Path"} else name


def _singular(wish: str) -> str:
    return wish[:-1] if wish.endswith("s") and not wish.endswith("ss") and len(wish) > len("as") else f"{wish} item"


def _attribute(key: str, taken: set[str]) -> str:
    name = key if key.isidentifier() and key.isascii() and not key.startswith("_") else ""
    if not name or identifier(name) != name or _MODEL_NAMES.match(name):
        name = identifier(key)
    if _MODEL_NAMES.match(name):
        name = f"{name}_value"
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free
