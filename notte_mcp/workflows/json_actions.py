"""A workflow as Notte's `json_actions`: a list of action objects with resolved selectors.

Parameters stand with their recorded value, secrets as `{"secret": NAME}`. What
only we have keeps our own form. JSON knows no comments, so none are written.

Below: notte_actions, workflow. Above: the package's `write`.
"""

import json
from typing import Any, Final, cast

from notte_mcp.workflows.locators import node_selectors, selector
from notte_mcp.workflows.notte_actions import notte_action, where
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.workflow import Workflow, WorkflowStep

# The field of each action of ours whose value is lifted.
_LIFTED: Final = {"handle_dialog": "answer", "press_key": "key"}


def write_json(workflow: Workflow) -> str:
    """The JSON text, two spaces a level."""
    found = [_plain(notte_action(step) or _own(step)) for step in workflow.steps if step.action is not None]
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    # Half a character has no UTF-8; as an escape it is still JSON.
    return text.encode("utf-8", "backslashreplace").decode()


def _own(step: WorkflowStep) -> dict[str, Any]:
    """Our form of an action that Notte has not."""
    if step.action is None:
        return {}
    fields = step.action.model_dump(exclude_defaults=True, exclude={"type", "id", "selector", "to_id", "to_selector"})
    if step.value is not None and (lifted := _LIFTED.get(step.action.type)):
        fields[lifted] = step.value
    if step.locators is not None:
        fields["selector"] = where(step)
    if (end := step.destination) is not None:
        fields["to_selector"] = node_selectors(end) if end.frame else selector(end)
    return {"type": step.action.type, **fields}


def _plain(value: Any) -> Any:
    """Lifted values as JSON ones."""
    if isinstance(value, Parameter):
        return {"secret": value.env} if value.secret else value.default
    if isinstance(value, tuple):
        parts = [_plain(part) for part in cast(tuple[Any, ...], value)]
        return "".join(part if isinstance(part, str) else f"[secret {part['secret']}]" for part in parts)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast(dict[str, Any], value).items()}
    return value
