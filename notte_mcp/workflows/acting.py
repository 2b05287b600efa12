"""A workflow's steps as actions for an engine: each way to its element as one selector, its values filled in.

Below: workflow, locators, actions. Above: runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from notte_mcp.actions import Action
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.receipts import Locators
from notte_mcp.workflows.lifting import Value
from notte_mcp.workflows.locators import by_row, each_way, is_steady, selector, spoken
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.workflow import WorkflowStep, without_aims

_INTO_FRAME: Final = " >> internal:control=enter-frame >> "

# Where each kind of action holds what was lifted out of it.
_FIELD: Final = {
    "fill": "value", "multi_factor_fill": "value", "fallback_fill": "value", "select_dropdown_option": "value",
    "upload_file": "path", "goto": "url", "goto_new_tab": "url", "handle_dialog": "answer", "press_key": "key",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """One way to an element: a selector that Playwright takes, through its frames and shadow roots.

    `steady` says that it names the element by what it is (test id, role and name, label, an id or name attribute)
    and not by where it stands, so that one match can be believed.
    """

    selector: str
    steady: bool


def ways(locators: Locators) -> tuple[Way, ...]:
    """Every recorded way to an element, the most resilient first: the one that scripts use."""
    into = "".join(f"{css}{_INTO_FRAME}" for css in locators.frame)
    found: dict[str, Way] = {}
    for way in each_way(locators):
        path = f"{into}{selector(way)}"
        found.setdefault(path, Way(path, is_steady(way)))
    return tuple(found.values())


def from_now(step: WorkflowStep, by: str) -> WorkflowStep | None:
    """The step without the ways before the one of this selector, which leads to its element now; None where no
    recorded way does, through whatever frames."""
    *frames, _ = by.split(_INTO_FRAME)
    found = replace(step.locators, frame=tuple(frames)) if step.locators is not None else Locators()
    each = each_way(found)
    into = "".join(f"{css}{_INTO_FRAME}" for css in frames)
    place = next((place for place, way in enumerate(each) if f"{into}{selector(way)}" == by), None)
    if place is None or step.destination is not None:
        return None
    kept = each[place]
    for way in each[place + 1 :]:
        held = {field.name: getattr(way, field.name) for field in fields(way) if not getattr(kept, field.name)}
        kept = replace(kept, **held)
    # What tells a shadow root's host in the ways before is the element's own place, too.
    kept = replace(kept, css=found.css if each[place].xpath is None else None, numbered=each[place].numbered)
    return replace(step, locators=kept, called=step.called if spoken(kept) == spoken(found) else None)


def placed(step: WorkflowStep, values: Mapping[str, str]) -> Locators | None:
    """The step's locators with `values` where its element, or the row it stands in, is called what was typed.

    With another value than the recorded one the ways that do not hold it lead to the element of the recording, so
    only those that do are left.
    """
    found = step.locators
    if found is None or step.called is None:
        return found
    name, told = text_of(step.called, values), spoken(found)
    if told is None or name == told[1]:
        return found
    if by_row(found) and found.row is not None:
        row = (found.row[0], name, *found.row[2:])
        return Locators(row=row, frame=found.frame, shadow=found.shadow, css=_host_only(found))
    if found.role is None:
        return found
    return Locators(role=(found.role[0], name), frame=found.frame, shadow=found.shadow, css=_host_only(found))


def action_of(
    step: WorkflowStep, values: Mapping[str, str], *, selector: str | None, to_selector: str | None
) -> Action:
    """The step's action with `values` (parameter name to text, secrets too) in place of what was lifted.

    `selector` and `to_selector` say where; None for a step that names no element. A parameter that is not among
    the values has its recorded one.

    Raises:
        InvalidAction: a value does not fit the action (a url that is none, a text that is too long), a secret has
            none, or the step does nothing.
    """
    if step.action is None:
        raise InvalidAction(f"Step {step.number} is a comment.", next_call="leave it out")
    held: dict[str, Any] = without_aims(step.action).model_dump(exclude_defaults=True) | {"type": step.action.type}
    if step.value is not None:
        held[_FIELD.get(step.action.type) or _condition(held)] = text_of(step.value, values)
    if step.form:
        held["value"] = {name: text_of(value, values) for name, value in step.form}
    aims = {"selector": selector if step.locators else None, "to_selector": to_selector if step.destination else None}
    return parse_action(held | {name: aim for name, aim in aims.items() if aim is not None})


def text_of(value: Value, values: Mapping[str, str]) -> str:
    """A lifted value as the text that this run types.

    Raises:
        InvalidAction: it holds a secret that is not among `values`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return "".join(text_of(part, values) for part in value)
    text = values.get(value.name, value.default)
    if text is None:
        raise InvalidAction(f"{_called(value)} has no value.", next_call=f"set {value.env or value.name} first")
    return text


def _called(parameter: Parameter) -> str:
    return f"The secret {parameter.env}" if parameter.secret else f"The parameter {parameter.name}"


def _condition(fields: Mapping[str, Any]) -> str:
    """Which text a `wait_for` waits for."""
    return "gone" if fields.get("gone") else "value"


def _host_only(found: Locators) -> str | None:
    """The structural selector of the shadow root's host, where there is one, with nothing particular in it."""
    host = (found.css or "").rpartition(" >> ")[0]
    return f"{host} >> *" if found.shadow and host else None
