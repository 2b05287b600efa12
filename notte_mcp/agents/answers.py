"""The answer of a task against the schema that it was asked for.

Nothing is fetched: a schema that refers to another document does not resolve.
jsonschema is imported at the first use, since most tasks have no schema.

Below: nothing of ours but texts and errors. Above: loop, supervisor, and whoever holds an answer to its schema.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, Protocol, cast

from notte_mcp.errors import InvalidArgument
from notte_mcp.observations import clean_line

MAX_REASON_CHARS: Final = 400
"""Characters of a reason."""

_MAX_FAULTS: Final = 3
_FENCED: Final = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n?```", re.DOTALL)


class _Fault(Protocol):
    """What is used of jsonschema's ValidationError, which has no types of its own."""

    message: str
    json_path: str


def valid_schema(schema: dict[str, Any]) -> str:
    """Why `schema` is no JSON Schema (or refers to what is not in it), or ""."""
    try:
        reason = _fault_of(schema) or _dangling(schema)
    except Exception as error:  # noqa: BLE001 - the vendor raises several kinds, for a schema that the caller wrote
        reason = f"it cannot be read as one ({type(error).__name__}: {error})"
    return clean_line(reason, MAX_REASON_CHARS)


def require_schema(schema: dict[str, Any] | None) -> None:
    """Refuse a `response_schema` that is none. Raises: InvalidArgument."""
    if schema is not None and (wrong := valid_schema(schema)):
        raise InvalidArgument(
            f"response_schema is no JSON Schema: {wrong.rstrip('.')}.",
            next_call="the same call with a JSON Schema, or without",
        )


def check(answer: str, schema: dict[str, Any]) -> str:
    """Why `answer` (JSON text, fenced or not) does not fit `schema`, in words for the model; "" where it does."""
    try:
        value = parse(answer)
    except ValueError as error:
        return clean_line(
            f"`answer` must be JSON text that fits the task's schema, and it is no JSON: {error}", MAX_REASON_CHARS
        )
    try:
        faults = _faults(value, schema)
    except Exception as error:  # noqa: BLE001 - see valid_schema
        return clean_line(f"the task's schema cannot be applied: {type(error).__name__}: {error}", MAX_REASON_CHARS)
    if not faults:
        return ""
    told = "; ".join(f"{fault.json_path}: {clean_line(fault.message, 110)}" for fault in faults[:_MAX_FAULTS])
    more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
    return clean_line(f"`answer` does not fit the task's schema: {told}{more}", MAX_REASON_CHARS)


def parse(answer: str) -> Any:
    """The value of an answer's JSON text, fenced or not.

    Raises:
        ValueError: it is no JSON.
    """
    text = answer.strip()
    if not text.startswith(("{", "[", '"')) and (fenced := _FENCED.search(text)):
        text = fenced.group(1)
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _kind(schema: dict[str, Any]) -> Any:
    """The validator class of the draft that the schema names; the newest where it names none."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return cast(Any, validator_for)(schema, default=Draft202012Validator)


def _faults(value: Any, schema: dict[str, Any]) -> list[_Fault]:
    from referencing import Registry

    # A registry of its own, that retrieves nothing: left out, jsonschema would fetch what a `$ref` names.
    return list(_kind(schema)(schema, registry=cast(Any, Registry)()).iter_errors(value))


def _fault_of(schema: dict[str, Any]) -> str:
    from jsonschema import SchemaError

    try:
        _kind(schema).check_schema(schema)
    except SchemaError as error:
        fault = cast(_Fault, error)
        return f"{fault.json_path}: {fault.message}"
    return ""


def _dangling(schema: dict[str, Any]) -> str:
    """A reference that leads nowhere within the schema, or in a circle."""
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    root = cast(Any, Resource).from_contents(schema, default_specification=DRAFT202012)
    resolver = cast(Any, Registry)().with_resource(root.id() or "", root).crawl().resolver(root.id() or "")
    for reference, place in _references(root, resolver):
        try:
            place.lookup(reference)
        except Unresolvable:
            return f"$ref {reference!r} leads nowhere within the schema, and nothing is fetched"
    try:
        _faults(None, schema)
    except RecursionError:
        return "a $ref leads back to itself"
    return ""


def _references(resource: Any, resolver: Any) -> Iterator[tuple[str, Any]]:
    """Every reference of a schema, with what resolves it at its place (`$id` moves that)."""
    contents = resource.contents
    if isinstance(contents, dict) and isinstance(reference := cast(dict[str, Any], contents).get("$ref"), str):
        yield reference, resolver
    for inner in resource.subresources():
        yield from _references(inner, resolver.in_subresource(inner))
