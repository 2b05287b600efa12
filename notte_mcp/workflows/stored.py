"""A workflow as plain JSON values and back: the form in which it is kept.

What stands at its default is left out. There is no element id in it and no secret:
`workflow` makes none, and an action is stored without what it was aimed at, since a step's
locators say that.

Below: workflow, actions, errors. Above: the package's `dump` and `load`.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from notte_mcp.actions import ACTION_CLASSES, ACTION_TYPES, Action, Scrape
from notte_mcp.errors import InvalidArgument
from notte_mcp.workflows.workflow import AIMS, Workflow, without_aims

_FORMAT: Final = 1
"""The version of this form; one that reads what it does not know would run something else."""

_CLASSES: Final = dict(zip(ACTION_TYPES, ACTION_CLASSES, strict=True))
_STAND_IN: Final = "*"


def dump(workflow: Workflow) -> dict[str, Any]:
    """A workflow as plain JSON values."""
    values: dict[str, Any] = _adapter().dump_python(_without_actions(workflow), mode="json", exclude_defaults=True)
    for stored, step in zip(values["steps"], workflow.steps, strict=True):
        if step.action is not None:
            fields = without_aims(step.action).model_dump(mode="json", exclude_defaults=True)
            stored["action"] = {"type": step.action.type, **fields}
    return {"format": _FORMAT, **values}


def load(content: Mapping[str, Any]) -> Workflow:
    """The workflow that `dump` gave.

    Raises:
        InvalidArgument: it is of a newer version, or no workflow.
    """
    version = content.get("format")
    if isinstance(version, int) and version > _FORMAT:
        raise InvalidArgument(
            f"The workflow is of a newer version of notte-mcp (form {version}; this one reads {_FORMAT}).",
            next_call="update notte-mcp, or export the session again",
        )
    try:
        return _loaded(content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidArgument(
            f"This is no workflow that notte-mcp kept: {_reason(error)}.",
            next_call="notte_workflow_code of its session",
        ) from error


@cache
def _adapter() -> TypeAdapter[Workflow]:
    # Made when first asked for: a start needs none.
    return TypeAdapter(Workflow)


def _without_actions(workflow: Workflow) -> Workflow:
    return replace(workflow, steps=tuple(replace(step, action=None) for step in workflow.steps))


def _loaded(content: Mapping[str, Any]) -> Workflow:
    values = dict(content)
    if values.pop("format") != _FORMAT:
        raise ValueError("its form is unknown")
    stored = [cast(dict[str, Any], dict(step)) for step in values["steps"]]
    found = [step.pop("action", None) for step in stored]
    workflow = _adapter().validate_python(values | {"steps": stored})
    steps = zip(workflow.steps, found, strict=True)
    return replace(
        workflow, steps=tuple(replace(step, action=None if raw is None else _action(raw)) for step, raw in steps)
    )


def _action(raw: Mapping[str, Any]) -> Action:
    """The action with nothing that it is aimed at; its rules want one, so they are shown a stand-in."""
    cls: type[BaseModel] = _CLASSES[raw["type"]]
    if cls is Scrape:
        return cast(Action, cls.model_validate(raw))
    aims = [name for name in AIMS if name in cls.model_fields and "id" not in name]
    conditioned = "url" in cls.model_fields and any(raw.get(name) for name in ("value", "gone", "url"))
    # A text of no length stands where a value was lifted out; no rule of an action is about that.
    shown = dict(raw) | ({} if conditioned else dict.fromkeys(aims, _STAND_IN))
    return without_aims(cast(Action, cls.model_validate(shown)))


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__} {error}".strip()
