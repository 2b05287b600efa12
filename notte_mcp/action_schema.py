"""The JSON schema of a list of actions, flat and short: what a model is told that it may ask for.

Derived from the classes in `actions`, so that a new action or field appears here by
itself. One flat object for all types, since several hosts and providers refuse
unions and references, and every session pays for each token.

Below: actions, batches. Above: tools, agents.
"""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from notte_mcp.actions import ACTION_CLASSES, ACTION_TYPES
from notte_mcp.batches import MAX_ACTIONS

JsonSchema = dict[str, Any]

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

_NOT_TOLD: Final = frozenset({"response_schema"})
"""Fields that notte_scrape has as an argument of its own: each field costs every session some tokens."""

_JSON_TYPES: Final[Mapping[type, str]] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def actions_schema() -> JsonSchema:
    """The `actions` parameter: a list of flat objects, one field set for all types."""
    fields: dict[str, JsonSchema] = {}
    for cls in ACTION_CLASSES:
        for name, field in cls.model_fields.items():
            if name != "type" and name not in _NOT_TOLD:
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
    return {"type": "array", "items": item, "description": f"1 to {MAX_ACTIONS}"}


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
