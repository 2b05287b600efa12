"""A batch of actions, read from what a model wrote.

Lenient where a model slips (a JSON string for a list, "true" for true, null for a
field left out), strict where silence would mislead: an unknown type or field is
refused by name, with what it takes, and the first bad action is named before any of
the batch is done.

Below: actions, errors. Above: tools, workflows.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, cast

from pydantic import Field, TypeAdapter, ValidationError

from notte_mcp.actions import ACTION_CLASSES, ACTION_TYPES, Action
from notte_mcp.errors import InvalidAction

MAX_ACTIONS: Final = 20
"""Actions in one batch."""

_FIELDS: Final = {t: tuple(c.model_fields) for t, c in zip(ACTION_TYPES, ACTION_CLASSES, strict=True)}
_ADAPTER: Final[TypeAdapter[Action]] = TypeAdapter(Annotated[Action, Field(discriminator="type")])


def parse_action(raw: object, index: int = 1) -> Action:
    """One action from what a model wrote.

    `index` (from 1) is named in the error, so that a batch of eight says which one.

    Raises:
        InvalidAction: unknown type, unknown field, missing field or bad value.
    """
    if isinstance(raw, str):
        raw = _from_json(raw, f"action {index}")
    if not isinstance(raw, dict):
        raise InvalidAction(f"Action {index} is no object.", next_call='send {"type": "click", "id": "B3"}')
    # A flat schema makes some models send every field, the unused ones as null.
    fields = {str(k): v for k, v in cast(dict[Any, Any], raw).items() if v is not None}
    kind = fields.get("type")
    if kind not in _FIELDS:
        raise InvalidAction(
            f"Action {index} has an unknown type {kind!r}. Known: {', '.join(ACTION_TYPES)}.",
            next_call="the same call with a known type",
        )
    if unknown := sorted(set(fields) - set(_FIELDS[kind])):
        raise InvalidAction(
            f"Action {index} ({kind}) has unknown field(s) {', '.join(unknown)}. It takes: {', '.join(_FIELDS[kind])}.",
            next_call="the same call without them",
        )
    fields = _lenient(kind, fields)
    try:
        return _ADAPTER.validate_python(fields)
    except ValidationError as error:
        raise InvalidAction(
            f"Action {index} ({kind}): {_reasons(error)}.", next_call="the same call, corrected"
        ) from error


def parse_actions(raw: object) -> list[Action]:
    """A batch of actions (1 to 20) from what a model wrote: a list, one object, or either as JSON.

    Raises:
        InvalidAction: naming the first action that is wrong; none has been done then.
    """
    if isinstance(raw, str):
        raw = _from_json(raw, "`actions`")
    if isinstance(raw, dict):
        raw = [cast("object", raw)]
    if not isinstance(raw, Sequence) or not 1 <= len(cast(Sequence[Any], raw)) <= MAX_ACTIONS:
        raise InvalidAction(f"`actions` is a list of 1 to {MAX_ACTIONS} actions.", next_call="split the batch")
    return [parse_action(item, index) for index, item in enumerate(cast(Sequence[object], raw), start=1)]


def _from_json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidAction(f"{what} is no JSON: {error}.", next_call="send objects, not text") from error


def _lenient(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A number or a truth value where text is due becomes text, as does an answer that is an object; `value` of a
    check becomes a truth value."""
    if kind == "completion" and "answer" in fields and not isinstance(fields["answer"], str):
        fields["answer"] = json.dumps(fields["answer"], ensure_ascii=False)
    value = fields.get("value")
    if kind not in ("check", "form_fill") and isinstance(value, (bool, int, float)):
        fields["value"] = json.dumps(value)
    return fields


def _reasons(error: ValidationError) -> str:
    """What pydantic found, without its URLs and without repeating long values."""
    found: list[str] = []
    for detail in error.errors(include_url=False, include_input=False)[:3]:
        place = ".".join(str(part) for part in detail["loc"][1:])
        text = detail["msg"].removeprefix("Value error, ")
        found.append(f"`{place}`: {text}" if place else text)
    return "; ".join(found)
